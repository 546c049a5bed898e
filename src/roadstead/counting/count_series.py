"""The count series of a port: what every chart of counts shows, whatever draws it.

Points with 90 % intervals, one a class and overpass, and gaps: passes that say nothing of ships, which is never zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from roadstead.core.wording import number

CHARTED = ("barge", "bulk_carrier", "dry_cargo")
"""Classes that a series shows."""
NOT_OBSERVED = "not observed"


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
