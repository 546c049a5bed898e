"""The weekly brief, one page a port: what was seen, what was declared, and what could not be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd
from markupsafe import Markup

from roadstead.audit import NOT_MEASURED
from roadstead.core.leads import LEAD_WORDS, leads_by_kind
from roadstead.core.wording import Tally, days_words, moment, number, percent, tally
from roadstead.counting.series import CHARTED, CountPoint, CountSeries, count_points
from roadstead.imagery import imaged_part
from roadstead.publish.charts import frame_of, series_svg
from roadstead.publish.formats.layers import is_simulated
from roadstead.publish.palette import CLASS_LOOKS, STATUS_LOOKS
from roadstead.publish.report.data import PortReport, Quicklook, data_uri
from roadstead.publish.report.rows import report_series, zone_names
from roadstead.publish.templating import templates
from roadstead.publish.wording import STATE_WORDS, check_words

WORDS = "Leads with a probability, never verdicts. A hull without an AIS partner may have many reasons."
COUNTED = (
    "Counted, as at the desk: hulls without an AIS partner, rows with a conflict, declared vessels not seen, ambiguous "
    "hulls that some vessel fits well, and every hull where there was no AIS to hold it against."
)
"""What a lead is (`findings.RULES`)."""
MARKED = ("no_ais_partner", "ambiguous", "matched", "no_coverage")
MOST_ZONES = 14
"""Zones of the table: those seen least may be left to the report, and the page says how many."""
PICTURE_PX = 900
"""Longer edge of the picture in the page."""
_TEMPLATES = templates()
_TEMPLATES.filters |= {"moment": moment, "percent": percent}


@dataclass(frozen=True)
class ZoneLine:
    """One zone over the week."""

    zone: str
    observed: int
    """Overpasses that saw enough of it."""
    passes: int
    latest: str
    """Dry cargo at the newest overpass that saw it, with its interval; "not observed" where none did."""


@dataclass(frozen=True)
class PassLine:
    """One pass of the week."""

    when: str
    said: str
    """Counts with intervals, or why it says nothing of ships."""
    blind: bool


@dataclass(frozen=True)
class Brief:
    """One page."""

    title: str
    start: datetime
    end: datetime
    simulated: bool
    totals: Sequence[tuple[str, str]]
    """What -> count with interval, of the newest observed overpass."""
    newest: str
    """When that was, how much of the port it saw, and what audits say of recall there."""
    observed: Tally
    declared: Tally
    leads: Sequence[tuple[str, int]]
    """Kind of lead -> how many."""
    shares: Sequence[tuple[str, str]]
    """How much was observed, in words."""
    passes: Sequence[PassLine]
    zones: Sequence[ZoneLine]
    more_zones: int
    next_passes: Sequence[str]
    overpass_id: str | None
    """The newest observed overpass."""
    picture: Quicklook | None
    marks: Sequence[tuple[float, float, str]]
    """lon, lat and status of what lies in the picture."""
    series: CountSeries
    recall: str
    """What audits say of recall at the port; it goes with every count."""


def brief_of(
    report: PortReport,
    start: datetime,
    end: datetime,
    next_passes: Sequence[datetime] = (),
    recall: str = NOT_MEASURED,
) -> Brief:
    """Return the page of a port.

    Args:
        report: its tables over the range; the picture of its newest processed overpass.
        start: UTC.
        end: UTC, outside.
        next_passes: expected.
        recall: what audits say of it, `audit.stated_recall`.
    """
    processed = report.acquisitions[report.acquisitions["state"] == "processed"]
    newest = None if processed.empty else processed.iloc[-1]
    counts = report.counts
    points = count_points(counts)
    own = [point for point in points if newest is not None and point.overpass_id == newest["overpass_id"]]
    by = _summed(counts, newest["overpass_id"]) if newest is not None else {}
    passes = _passes(report.ledger, points)
    zones = _zone_lines(report)
    return Brief(
        title=f"{report.name}: {days_words(start, end)}",
        start=start,
        end=end,
        simulated=is_simulated(report.acquisitions, report.matches, report.detections),
        totals=[(CLASS_LOOKS[point.hull_class].label, point.interval) for point in own],
        newest=_newest(newest, own, counts),
        observed=tally(by, "all", "observed"),
        declared=tally(by, "all", "declared"),
        leads=_leads(report),
        shares=_shares(report, passes),
        passes=passes,
        zones=zones[:MOST_ZONES],
        more_zones=max(0, len(zones) - MOST_ZONES),
        next_passes=[moment(time) for time in next_passes],
        overpass_id=None if newest is None else str(newest["overpass_id"]),
        picture=None if newest is None else report.quicklooks.get(newest["overpass_id"]),
        marks=() if newest is None else _marks(report, newest["overpass_id"]),
        series=report_series(report),
        recall=recall,
    )


def _summed(counts: pd.DataFrame, overpass: str) -> dict[tuple[str, str], Mapping[Any, Any]]:
    own = counts[
        (counts["overpass_id"] == overpass) & (counts["length_bin"] == "all") & (counts["class"] == "all")
    ]
    summed = own.groupby("quantity")[["value", "low", "high"]].sum(min_count=1)
    return {("all", str(name)): row for name, row in summed.to_dict("index").items()}


def _interval(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["value"]):
        return "not observed"
    return f"{number(row['value'])} [{number(row['low'])}–{number(row['high'])}]"


def _newest(row: Any, own: Sequence[CountPoint], counts: pd.DataFrame) -> str:  # noqa: ANN401 - a row
    if row is None:
        return "No overpass of these days was observed, so nothing is known of ships. That is not zero."
    seen = max((point.zones_seen for point in own), default=0)
    zones = max((point.zones for point in own), default=0)
    recall = str(counts.iloc[0].get("recall_here", NOT_MEASURED)) if len(counts) else NOT_MEASURED
    return f"{moment(row['acquired'])}, {seen} of {zones} zones seen; {recall}"


def _leads(report: PortReport) -> list[tuple[str, int]]:
    return [(LEAD_WORDS[kind], n) for kind, n in leads_by_kind(report.matches).items() if n]


def _shares(report: PortReport, passes: Sequence[PassLine]) -> list[tuple[str, str]]:
    seen = sum(not one.blind for one in passes)
    shares = [("passes that say something of ships", f"{seen} of {len(passes)}")]
    zones = report.counts.drop_duplicates(["overpass_id", "zone"])
    if len(zones):
        observed = int(zones["observed_at_all"].sum())
        shares.append(("zones at overpasses that were seen well enough", f"{observed} of {len(zones)}"))
        shares.append(
            ("mean share of the zones that was imaged and clear", percent(zones["visible_fraction"].mean()))
        )
    heard = report.acquisitions["with_ais"].eq(True).sum()
    shares.append(("overpasses with any AIS report around them", f"{heard} of {len(report.acquisitions)}"))
    return shares


def _passes(ledger: pd.DataFrame, points: Sequence[CountPoint]) -> list[PassLine]:
    lines = []
    for row in ledger.to_dict("records"):
        own = {point.hull_class: point for point in points if point.overpass_id == row["overpass_id"]}
        blind = row["state"] != "processed" or all(point.value is None for point in own.values())
        why = STATE_WORDS[row["state"]] + (f": {row['reason']}" if row["reason"] else "")
        counts = ", ".join(
            f"{CLASS_LOOKS[name].label} {own[name].interval}" for name in CHARTED if name in own
        )
        lines.append(PassLine(moment(row["acquired"]), why[:140] if blind else counts, blind))
    return lines


def _zone_lines(report: PortReport) -> list[ZoneLine]:
    names = zone_names(report)
    dry = report.counts[
        (report.counts["class"] == "dry_cargo")
        & (report.counts["length_bin"] == "all")
        & (report.counts["quantity"] == "observed")
    ]
    lines = []
    for zone, rows in dry.groupby("zone"):
        seen = rows[rows["observed_at_all"]].sort_values("acquired")
        latest = "not observed" if seen.empty else _interval(seen.iloc[-1].to_dict())
        lines.append(ZoneLine(names.get(str(zone), str(zone)), len(seen), len(rows), latest))
    return sorted(lines, key=lambda line: (-line.observed, line.zone))


def _marks(report: PortReport, overpass: str) -> list[tuple[float, float, str]]:
    own = report.matches[(report.matches["overpass_id"] == overpass) & report.matches["status"].isin(MARKED)]
    return [(row["geometry"].x, row["geometry"].y, row["status"]) for row in own.to_dict("records")]


def brief_html(brief: Brief, picture: str | None = None) -> str:
    """Return the page whole; or, with the address of its picture, what stands between a page's head and its end."""
    # Where the picture lies elsewhere only a part of it is shown; else it is cut to that part.
    part = imaged_part(brief.picture.image) if brief.picture and picture else None
    brief = cropped(brief) if picture is None else brief
    text = _TEMPLATES.get_template("brief.html.j2").render(
        brief=brief,
        words=WORDS,
        counted=COUNTED,
        style=picture is None,
        chart=Markup(chart_svg(brief)),  # noqa: S704 - made here, its texts escaped
        classes={name: CLASS_LOOKS[name] for name in CHARTED},
        picture=(picture or data_uri(brief.picture.image, PICTURE_PX)) if brief.picture else None,
        looks={name: STATUS_LOOKS[name] for name in MARKED},
        spots=spots(brief),
        view=_view(brief, part),
    )
    return check_words(text)


def chart_svg(brief: Brief) -> str:
    """Return the chart of a page and of its paper; empty where no pass of these days is known."""
    colours = {name: look.colour for name, look in CLASS_LOOKS.items()}
    size = frame_of([brief.series], 640.0, 170.0)
    return series_svg(brief.series, colours, f"Hulls observed, {brief.title}", size)


def cropped(brief: Brief) -> Brief:
    """Return a brief whose picture is the part that was imaged."""
    if brief.picture is None:
        return brief
    image, (west, south, east, north) = brief.picture.image, brief.picture.bounds
    left, top, right, bottom = imaged_part(image)
    tall, across = image.shape[:2]
    x, y = (east - west) / across, (north - south) / tall
    bounds = (west + left * x, north - bottom * y, west + right * x, north - top * y)
    return replace(brief, picture=Quicklook(image[top:bottom, left:right], bounds))


def _view(brief: Brief, part: tuple[int, int, int, int] | None) -> tuple[float, float, float, float] | None:
    """Return x, y, width and height of what to show, in the units of `spots`: a part in pixels, or all."""
    if brief.picture is None:
        return None
    height, width = brief.picture.image.shape[:2]
    left, top, right, bottom = part or (0, 0, width, height)
    unit = 1000.0 / width
    return left * unit, top * unit, (right - left) * unit, (bottom - top) * unit


def spots(brief: Brief) -> list[tuple[float, float, str]]:
    """Return x, y in 0..1000 by 0..(height) of the picture, and the status of each mark inside it."""
    if brief.picture is None:
        return []
    west, south, east, north = brief.picture.bounds
    height, width = brief.picture.image.shape[:2]
    tall = 1000.0 * height / width
    places = [
        ((lon - west) / (east - west) * 1000.0, (north - lat) / (north - south) * tall, status)
        for lon, lat, status in brief.marks
    ]
    return [(x, y, status) for x, y, status in places if 0 <= x <= 1000 and 0 <= y <= tall]
