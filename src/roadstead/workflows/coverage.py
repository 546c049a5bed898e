"""How many hours of some AIS could support a statement about silence at a port, why the others not, and a picture.

Asked before any run: only where a transmitting hull would very probably have been heard (`reception`, P >= 0.9) does
a hull without an AIS partner mean anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from bokeh.embed import file_html
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, HoverTool
from bokeh.plotting import figure
from bokeh.resources import INLINE
from PIL import Image, ImageDraw

from roadstead.ais import AisData, from_simulator
from roadstead.ais.archive.store import sources_of
from roadstead.ais.archive.store_files import is_store
from roadstead.core.atomic_files import replacing, write_text
from roadstead.core.errors import AisError, UsageError
from roadstead.core.geo import Array, lonlat_to_xy
from roadstead.core.ports import Port
from roadstead.reconcile import reception
from roadstead.reconcile.match_rows import MIN_HEARD
from roadstead.reconcile.position import by_hull_and_time, keyed

MOORED_KN = 0.5
CLASSES = ("A", "B")
WHY = {
    "no_ais": "no report near the port within hours of it",
    "snapshot": "all reports are snapshots placed at one moment: they tell nothing of before and after",
    "no_neighbours": f"fewer than {reception.MIN_NEIGHBOURS} other vessels of the class were heard before and after",
    "thinned": "reports of a ship come further apart than the half hours asked about: the source thins them out",
    "only_moored": "every neighbour that was heard lay still: ships under way may be heard less well",
    "few_heard": "too few of the neighbours were heard within the half hour",
}
"""Why an hour cannot support a statement about silence."""
_COLOURS = {"all": "#1b7837", "some": "#a6dba0", "none": "#d9d9d9"}
"""Every zone, some zones, no zone supports a statement about silence."""
_CELL, _LEFT, _TOP = 18, 96, 40


@dataclass(frozen=True)
class Coverage:
    """Every hour, zone and transmitter class of a port."""

    port: str
    hours: pd.DataFrame
    """``hour`` (UTC), ``zone``, ``ais_class``, ``p_heard`` (null: unknown), ``supported``, ``reason`` (null where
    supported)."""
    simulated: bool

    def summary(self) -> dict[str, Any]:
        """Return, per class: zone-hours, how many of them support a statement, the share, and why the others do not."""
        made: dict[str, Any] = {"port": self.port, "simulated": self.simulated}
        for name in CLASSES:
            rows = self.hours[self.hours["ais_class"] == name]
            supported, n = int(rows["supported"].sum()), len(rows)
            made[f"class_{name.lower()}"] = {
                "zone_hours": n,
                "supported": supported,
                "share": supported / n if n else None,
                "reasons": {str(k): int(v) for k, v in Counter(rows["reason"].dropna()).most_common()},
            }
        return made


def thinning_of(paths: Sequence[str]) -> float:
    """Return the longest thinning interval (s) that stores say their sources have; 0 where none does."""
    stores = [Path(path) for path in paths if is_store(Path(path))]
    told = [row["thinning_s"] or 0.0 for store in stores for row in sources_of(store)]
    return max(told, default=0.0)


def span_of(ais: AisData) -> tuple[datetime, datetime]:
    """Return the first and last hour that some AIS speaks of.

    Raises:
        AisError: it holds no report.
    """
    if ais.positions.empty:
        raise AisError("the AIS given holds no report near the port: nothing can be said of any hour")
    times = ais.positions["time"]
    return times.min().floor("h").to_pydatetime(), times.max().ceil("h").to_pydatetime()


def coverage(
    ais: AisData, port: Port, start: datetime, end: datetime, window_h: float = 6.0, thinning_s: float = 0.0
) -> Coverage:
    """Ask of every hour in [start, end) whether a transmitting hull in each zone would have been heard.

    Args:
        ais: what was heard.
        port: its zones are the places asked about.
        start: first hour.
        end: end of the last hour.
        window_h: hours of AIS either side that speak for a moment.
        thinning_s: the source passes on one report in so many seconds.
    """
    names = [zone.id for zone in port.zones]
    points = [zone.polygon.representative_point() for zone in port.zones]
    xy = lonlat_to_xy(np.array([[point.x, point.y] for point in points]), port.crs)
    reports = keyed(ais.positions).sort_values("time", kind="stable", ignore_index=True)
    rows = [
        row
        for hour in _hours(start, end)
        for row in _asked(reports, ais.snapshot_times, hour, xy, names, port.crs, window_h, thinning_s)
    ]
    columns = ["hour", "zone", "ais_class", "p_heard", "reason"]
    table = pd.DataFrame(rows, columns=columns)
    table["supported"] = table["reason"].isna()
    return Coverage(port.slug, table, from_simulator(ais.positions["source"]))


def _hours(start: datetime, end: datetime) -> Iterator[datetime]:
    hour = start
    while hour < end:
        yield hour
        hour += timedelta(hours=1)


def _asked(
    reports: pd.DataFrame,
    snapshots: frozenset[datetime],
    hour: datetime,
    xy: Array,
    zones: Sequence[str],
    crs: str,
    window_h: float,
    thinning_s: float,
) -> Iterator[tuple[datetime, str, str, float, str | None]]:
    moment = hour + timedelta(minutes=30)
    reach = pd.Timedelta(hours=window_h)
    times = reports["time"]
    first = int(times.searchsorted(pd.Timestamp(moment) - reach))
    last = int(times.searchsorted(pd.Timestamp(moment) + reach, side="right"))
    near = reports.iloc[first:last]
    known = reception.evidence(by_hull_and_time(near), moment, crs, snapshots)
    for name in CLASSES:
        excluded = np.zeros((len(xy), len(known.hull)), dtype=bool)
        heard = reception.p_heard(known, xy, excluded, class_b=name == "B")
        why = None if np.all(heard >= MIN_HEARD) else _why(near, snapshots, known, moment, name, thinning_s)
        for zone, p in zip(zones, heard, strict=True):
            reason = (
                None if p >= MIN_HEARD else "no_neighbours" if np.isnan(p) and why == "few_heard" else why
            )
            yield hour, zone, name, float(p), reason


def _why(
    near: pd.DataFrame,
    snapshots: frozenset[datetime],
    known: reception.Evidence,
    moment: datetime,
    ais_class: str,
    thinning_s: float,
) -> str:
    """Return why silence of a class cannot be spoken of at a moment; the first that holds."""
    if near.empty:
        return "no_ais"
    if near["time"].isin([pd.Timestamp(time) for time in snapshots]).all():
        return "snapshot"
    of_class = near[(near["ais_class"] == "B") == (ais_class == "B")]
    if max(thinning_s, _interval_s(of_class)) > reception.NEAR_S:
        return "thinned"
    if int((known.class_b == (ais_class == "B")).sum()) < reception.MIN_NEIGHBOURS:
        return "no_neighbours"
    close = (of_class["time"] - pd.Timestamp(moment)).abs() <= pd.Timedelta(seconds=reception.NEAR_S)
    speeds = of_class.loc[close, "sog_kn"].dropna()
    return "only_moored" if len(speeds) and bool((speeds < MOORED_KN).all()) else "few_heard"


def _interval_s(reports: pd.DataFrame) -> float:
    """Return the shortest interval that half of the hulls report at, or more slowly; 0 where none reports twice."""
    steps = reports.sort_values(["hull", "time"])
    seconds = steps["time"].diff().dt.total_seconds().where(steps["hull"] == steps["hull"].shift())
    each = seconds.groupby(steps["hull"]).median().dropna()
    return float(each.median()) if len(each) else 0.0


def write_plot(covered: Coverage, path: Path) -> None:
    """Write the picture as HTML or PNG, by the suffix.

    Raises:
        UsageError: another suffix.
        StoreError: the file cannot be written.
    """
    if path.suffix.lower() == ".png":
        with replacing(path) as temporary:
            _png(covered).save(temporary)
    elif path.suffix.lower() in (".html", ".htm"):
        write_text(path, _html(covered))
    else:
        raise UsageError(f"--plot {path}: name a .html or .png file")


def cells(covered: Coverage, ais_class: str) -> pd.DataFrame:
    """Return a row per hour: ``day``, ``of_day``, ``state`` (all, some, none), ``why`` and ``colour``."""
    rows = covered.hours[covered.hours["ais_class"] == ais_class]
    hours = rows.groupby("hour")
    share = hours["supported"].mean()
    why = hours["reason"].agg(lambda codes: ", ".join(sorted(set(codes.dropna()))))
    state = share.map(lambda part: "all" if part == 1.0 else "some" if part > 0.0 else "none")
    when = pd.DatetimeIndex(share.index)
    return pd.DataFrame(
        {
            "day": when.strftime("%Y-%m-%d"),
            "of_day": when.hour,
            "state": state.to_numpy(),
            "why": why.to_numpy(),
            "colour": [_COLOURS[name] for name in state],
        }
    )


def _title(covered: Coverage, ais_class: str) -> str:
    told = covered.summary()[f"class_{ais_class.lower()}"]
    label = " SIMULATED" if covered.simulated else ""
    share = (
        "none asked" if told["share"] is None else f"{told['share']:.0%} of {told['zone_hours']} zone-hours"
    )
    return f"{covered.port}{label}, Class {ais_class}: silence could be spoken of in {share}"


def _html(covered: Coverage) -> str:
    plots = []
    for name in CLASSES:
        table = cells(covered, name)
        days = list(dict.fromkeys(table["day"]))
        plot = figure(
            title=_title(covered, name), y_range=days[::-1], height=80 + 20 * len(days), width=760, tools=""
        )
        plot.rect(
            "of_day", "day", 0.9, 0.9, color="colour", legend_group="state", source=ColumnDataSource(table)
        )
        plot.add_tools(HoverTool(tooltips=[("day", "@day"), ("hour (UTC)", "@of_day"), ("why not", "@why")]))
        plot.add_layout(plot.legend[0], "right")
        plots.append(plot)
    return str(file_html(column(*plots), INLINE, f"AIS coverage of {covered.port}"))


def _png(covered: Coverage) -> Image.Image:
    tables = [cells(covered, name) for name in CLASSES]
    heights = [_TOP + _CELL * table["day"].nunique() for table in tables]
    image = Image.new("RGB", (max(_LEFT + _CELL * 24 + 20, 640), sum(heights) + 40), "white")
    draw, top = ImageDraw.Draw(image), 0
    for name, table, height in zip(CLASSES, tables, heights, strict=True):
        draw.text((8, top + 8), _title(covered, name), fill="black")
        days = {day: n for n, day in enumerate(dict.fromkeys(table["day"]))}
        for day, n in days.items():
            draw.text((8, top + _TOP + n * _CELL + 3), day, fill="black")
        for day, hour, colour in zip(table["day"], table["of_day"], table["colour"], strict=True):
            x, y = _LEFT + int(hour) * _CELL, top + _TOP + days[day] * _CELL
            draw.rectangle((x, y, x + _CELL - 2, y + _CELL - 2), fill=colour)
        top += height
    for n, (state, colour) in enumerate(_COLOURS.items()):
        draw.rectangle((8 + n * 120, top + 16, 22 + n * 120, top + 30), fill=colour)
        draw.text((28 + n * 120, top + 17), f"{state} zones", fill="black")
    return image
