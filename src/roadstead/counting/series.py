"""Counts over time: what every chart of counts shows, and means of periods that account for what was not seen.

For each period, zone and class: the mean number of hulls present at the hour of a pass, with its 90 % interval. Looks
are a sample of the period. What one look leaves open is its own interval, taken as a split normal around what was found
(Wallis 2014, doi 10.1214/13-STS417). How hulls vary between looks is learnt from the looks, with a Poisson variance
as a prior worth `PRIOR_LOOKS`. Student's t for the mean of few looks. Looks in which the zone was not observed say
nothing.

The count series of a port: what every chart of counts shows, whatever draws it.

Points with 90 % intervals, one a class and overpass, and gaps: passes that say nothing of ships, which is never zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from roadstead.core.schemas import CLASSES, DRY_CARGO
from roadstead.core.wording import number

Period = Literal["week", "month"]
LEVEL: Final = 0.9
PRIOR_LOOKS: Final = 2.0
SERIES_CLASSES: Final = (*DRY_CARGO, "dry_cargo", CLASSES[2], "all")
_Z: Final = 1.6449
_FREQUENCY: Final = {"week": "W-SUN", "month": "M"}
Array = NDArray[np.float64]
CHARTED = ("barge", "bulk_carrier", "dry_cargo")
"""Classes that a series shows."""
NOT_OBSERVED = "not observed"


def series(counts: pd.DataFrame, ledger: pd.DataFrame, by: Period) -> pd.DataFrame:
    """Return one row per period, zone and class, periods without a look included.

    Args:
        counts: `schemas.COUNTS` of one port.
        ledger: `schemas.LEDGER` of the same port and range: passes, seen or not.
        by: calendar weeks from Monday, or calendar months, UTC.

    Returns:
        ``period`` (first day), ``zone``, ``class``, ``passes`` (all that took place), ``looks`` (in which the zone was
        observed), ``mean``, ``low``, ``high`` (hulls present; null without a look), ``no_ais_partner`` (mean a look;
        null where AIS could say nothing),
        ``with_reception`` (share of the hulls found of which AIS could say anything; null without hulls),
        ``simulated``.
    """
    columns = [
        "period", "zone", "class", "passes", "looks", "mean", "low", "high", "no_ais_partner", "with_reception",
        "simulated",
    ]  # fmt: skip
    whole = counts[counts["length_bin"] == "all"]
    if whole.empty:
        return pd.DataFrame(columns=columns)
    passes = _periods(ledger["acquired"].dropna(), by).value_counts()
    whole = whole.assign(period=_periods(whole["acquired"], by))
    parts = dict(iter(whole.groupby(["period", "zone", "class"], sort=False)))
    rows = [
        [period, zone, kind, int(passes.get(period, 0)), *_row(parts.get((period, zone, kind), whole[:0]))]
        for period in sorted({*passes.index, *whole["period"]})
        for zone in sorted(whole["zone"].unique())
        for kind in SERIES_CLASSES
    ]
    return pd.DataFrame(rows, columns=columns)


def _periods(times: pd.Series, by: Period) -> pd.Series:
    starts: pd.Series = times.dt.tz_localize(None).dt.to_period(_FREQUENCY[by]).dt.start_time.dt.date
    return starts


def _row(table: pd.DataFrame) -> list[float | int | bool | None]:
    seen = table[table["observed_at_all"]]
    simulated = bool(table["simulated"].any())
    found = seen[seen["quantity"] == "observed"]
    if found.empty:
        return [0, None, None, None, None, None, simulated]
    low, mean, high = mean_present(*(found[name].to_numpy(float) for name in ("value", "low", "high")))
    unmatched = seen.loc[seen["quantity"] == "no_ais_partner", "value"].dropna()
    unheard = seen.loc[seen["quantity"] == "no_coverage", "value"].sum()
    hulls = found["value"].sum()
    heard = float(1.0 - unheard / hulls) if hulls else None
    silent = float(unmatched.mean()) if len(unmatched) and heard else None
    return [len(found), mean, low, high, silent, heard, simulated]


def mean_present(value: Array, low: Array, high: Array) -> tuple[float, float, float]:
    """Return the mean number present over looks: low, mean, high (`LEVEL`).

    Args:
        value: found in each look, [n], n of 1 or more.
        low: lower end of each look's 90 % interval.
        high: upper end.
    """
    left, right = np.maximum(value - low, 0.0) / _Z, np.maximum(high - value, 0.0) / _Z
    centre = value + np.sqrt(2.0 / np.pi) * (right - left)
    within = (1.0 - 2.0 / np.pi) * (right - left) ** 2 + left * right
    n, mean = len(value), float(np.mean(centre))
    poisson = max(mean, 0.5)
    between = max(float(np.var(centre, ddof=1)) - float(np.mean(within)), 0.0) if n > 1 else 0.0
    spread = (PRIOR_LOOKS * poisson + (n - 1) * between) / (PRIOR_LOOKS + n - 1)
    error = np.sqrt((spread + float(np.mean(within))) / n)
    reach = float(student.ppf((1.0 + LEVEL) / 2.0, PRIOR_LOOKS + n - 1) * error)
    return max(mean - reach, 0.0), mean, mean + reach


def series_rows(table: pd.DataFrame) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return column names and rows of text: a row a class, or one that says "not observed"."""
    names = (
        "from",
        "zone",
        "class",
        "hulls present [90 %]",
        "looks / passes",
        "no AIS partner a look",
        "with reception",
    )
    rows: list[list[str]] = []
    for row in table.to_dict("records"):
        zone, kind = str(row["zone"]).partition("/")[2] or str(row["zone"]), str(row["class"])
        looks = f"{row['looks']} / {row['passes']}"
        if not row["looks"]:
            rows += [[str(row["period"]), zone, kind, "not observed", looks, "", ""]] if kind == "all" else []
            continue
        heard = "" if pd.isna(row["with_reception"]) else f"{row['with_reception']:.0%}"
        silent = "" if pd.isna(row["no_ais_partner"]) else f"{row['no_ais_partner']:.1f}"
        mean = f"{row['mean']:.1f} [{row['low']:.1f}-{row['high']:.1f}]"
        rows.append([str(row["period"]), zone, kind, mean, looks, silent, heard])
    return names, rows


@dataclass(frozen=True)
class CountPoint:
    """What was observed of one class and length bin at one overpass, over the zones seen."""

    acquired: datetime
    overpass_id: str
    hull_class: str
    length_bin: str
    value: float | None
    """None where no zone was seen."""
    low: float | None
    high: float | None
    zones_seen: int
    zones: int

    @property
    def whole(self) -> bool:
        """Whether every zone was seen."""
        return self.zones_seen == self.zones

    @property
    def interval(self) -> str:
        """The count in words: value and interval; "not observed" where no zone was seen."""
        if self.value is None or self.low is None or self.high is None:
            return NOT_OBSERVED
        return f"{number(self.value)} [{number(self.low)}–{number(self.high)}]"

    @property
    def words(self) -> str:
        """The count in words: value, interval, and of how many zones."""
        if self.value is None or self.whole:
            return self.interval
        return f"{self.interval}, {self.zones_seen} of {self.zones} zones seen"


@dataclass(frozen=True)
class Gap:
    """A pass that says nothing of ships."""

    acquired: datetime
    why: str


@dataclass(frozen=True)
class CountSeries:
    """What a chart of counts shows."""

    points: tuple[CountPoint, ...]
    """Those with a value, in order of time."""
    gaps: tuple[Gap, ...]
    """In order of time."""


def series_of(points: Iterable[CountPoint], blind: Iterable[Gap]) -> CountSeries:
    """Return a series.

    Args:
        points: of some overpasses; an overpass none of whose points has a value is a gap.
        blind: passes that are known to say nothing of ships.
    """
    every, gaps = list(points), {gap.acquired: gap for gap in blind}
    seen = {point.acquired for point in every if point.value is not None}
    unseen = {point.acquired for point in every} - seen - set(gaps)
    gaps |= {time: Gap(time, NOT_OBSERVED) for time in unseen}
    shown = (point for point in every if point.value is not None)
    return CountSeries(
        tuple(sorted(shown, key=lambda point: (point.acquired, point.hull_class, point.length_bin))),
        tuple(gaps[time] for time in sorted(gaps)),
    )


def count_points(counts: pd.DataFrame, zone: str | None = None) -> list[CountPoint]:
    """Return what was observed of each class of `CHARTED`, all lengths together, at each overpass.

    Over all zones, values and the ends of the 90 % intervals add up over the zones seen. Summed ends are
    right where the zones' errors go together and too wide where they do not: never too narrow. An overpass
    that saw none of the zones has points without a value.

    Args:
        counts: `schemas.COUNTS`.
        zone: zone id; None for all.
    """
    chosen = counts[
        (counts["length_bin"] == "all") & (counts["quantity"] == "observed") & counts["class"].isin(CHARTED)
    ]
    if zone is not None:
        chosen = chosen[chosen["zone"] == zone]
    by = chosen.groupby(["acquired", "overpass_id", "class"], sort=True)
    table = by[["value", "low", "high"]].sum(min_count=1)
    numbers = table.astype(object).where(table.notna(), None)
    seen, zones = by["observed_at_all"].sum(), by.size()
    rows = zip(numbers.index, numbers.to_numpy(), seen, zones, strict=True)
    return [
        CountPoint(time.to_pydatetime(), str(overpass), str(kind), "all", value, low, high, int(n), int(of))
        for (time, overpass, kind), (value, low, high), n, of in rows
    ]
