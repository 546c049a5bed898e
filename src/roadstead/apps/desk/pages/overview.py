"""What the start page says of one port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from markupsafe import Markup

from roadstead.apps.desk.desk import Desk
from roadstead.apps.desk.picture_frames import MapView, map_view
from roadstead.audit import StatedRecall, stated_recall
from roadstead.core.schemas import LENGTH_BINS
from roadstead.core.wording import Tally, tally
from roadstead.counting.points import CountPoint, Gap
from roadstead.publish.charts.count_svg import frame_of, series_svg
from roadstead.publish.wording import STATE_WORDS
from roadstead.store import Audits
from roadstead.store.series import observed_points, stored_since, total_parts
from roadstead.store.version import Version, version_of

MOST_PASSES = 24
"""Newest passes that the chart of counts shows."""
MOST_NEW = 5
SHOWN = ("barge", "bulk_carrier", "dry_cargo", "all")
MOST_GAPS = 12
CHARTED = ("barge", "bulk_carrier", "dry_cargo")
Counted = Mapping[str, tuple[int, int]]
"""Port -> leads, and those of them undecided."""


@dataclass(frozen=True)
class ZoneCounts:
    """One zone at the latest overpass."""

    zone: str
    visible: float
    observed: bool
    """False: not observed; there are no numbers."""
    seen: tuple[Tally, ...]
    """Observed by class of `SHOWN`."""
    declared: Tally


@dataclass(frozen=True)
class Series:
    """Counts over the newest passes."""

    chart: Markup
    """SVG: barges, bulk carriers and dry cargo."""
    lengths: Sequence[tuple[str, Markup]]
    """Length bin in metres -> SVG of dry cargo of that length."""
    rows: Sequence[SeriesRow]
    """The same in numbers, newest first."""


@dataclass(frozen=True)
class SeriesRow:
    """One overpass of a series in words."""

    acquired: datetime
    counts: Mapping[str, str]
    """Class, or length bin, -> count with its interval."""
    observed: Tally
    declared: Tally


@dataclass(frozen=True)
class PortOverview:
    """One port."""

    port: str
    latest: Mapping[str, Any] | None
    """The newest processed overpass (`schemas.ACQUISITIONS`)."""
    zones: tuple[ZoneCounts, ...]
    states: Mapping[str, int]
    """State of `schemas.LEDGER_STATES` -> passes."""
    gaps: Sequence[Mapping[str, Any]]
    """The newest passes that say nothing of ships (`schemas.LEDGER`)."""
    more_gaps: int
    next_passes: Sequence[datetime]
    series: Series | None
    new: Sequence[Mapping[str, Any]]
    """The newest overpasses stored since the last visit."""
    leads: tuple[int, int]
    """All, and undecided."""
    stored_since: int | None
    """Overpasses stored since the last visit; None on the first."""
    leads_since: int | None
    recall: StatedRecall
    map: MapView | None
    on_map: Sequence[Mapping[str, Any]]
    simulated: bool


def overviews(desk: Desk, since: datetime | None) -> list[PortOverview]:
    """Return the overview of every port that the store holds."""
    version = version_of(desk.store)
    leads = desk.queue.counted()
    new = None if since is None else desk.queue.counted(since)
    return [_port(desk, port, since, leads, new, version) for port in desk.store.ports()]


def _port(
    desk: Desk, port: str, since: datetime | None, leads: Counted, new: Counted | None, version: Version
) -> PortOverview:
    stored = stored_since(desk.store, port, since) if since else []
    ledger = desk.kept(("ledger", port), lambda: desk.store.ledger(port), version)
    audited = repr(Audits(desk.store).mark())
    return replace(
        desk.kept(("overview", port), lambda: _of_store(desk, port), version),
        next_passes=desk.next_passes(ledger, desk.clock()),
        new=stored[:MOST_NEW],
        leads=leads.get(port, (0, 0)),
        stored_since=None if since is None else len(stored),
        leads_since=None if new is None else new.get(port, (0, 0))[0],
        recall=desk.kept(("recall", port, audited), lambda: stated_recall(desk.store, port), version),
    )


def _of_store(desk: Desk, port: str) -> PortOverview:
    """Return what hangs on the store alone, not on who looks or when."""
    tried, ledger = desk.store.acquisitions(port), desk.store.ledger(port)
    processed = tried[tried["state"] == "processed"]
    latest = None if processed.empty else _named(processed.iloc[-1].to_dict())
    blind = ledger[ledger["state"] != "processed"].iloc[::-1]
    picture = desk.leads.quicklook(port, latest["overpass_id"]) if latest else None
    view = map_view(*picture) if picture else None
    marks = desk.leads.around(port, [latest["overpass_id"]], view.bounds) if latest and view else ()
    return PortOverview(
        port=port,
        latest=latest,
        zones=_zones(desk, port, latest) if latest else (),
        states={str(state): int(n) for state, n in ledger["state"].value_counts().items()},
        gaps=[_named(row) for row in blind.head(MOST_GAPS).to_dict("records")],
        more_gaps=max(0, len(blind) - MOST_GAPS),
        next_passes=(),
        series=_series(desk, port, ledger),
        new=(),
        leads=(0, 0),
        stored_since=None,
        leads_since=None,
        recall=StatedRecall(),
        map=view.showing((row["geometry"].x, row["geometry"].y) for row in marks) if view else None,
        on_map=marks,
        simulated=bool(tried["simulated"].eq(True).any()),
    )


def _series(desk: Desk, port: str, ledger: pd.DataFrame) -> Series | None:
    """Return the counts of the newest passes; None where no pass has a time."""
    passes = ledger.dropna(subset="acquired").tail(MOST_PASSES)
    if passes.empty:
        return None
    start = passes["acquired"].min().to_pydatetime()
    points = observed_points(desk.store, port, start)
    blind = passes[passes["state"] != "processed"].to_dict("records")
    gaps = [Gap(row["acquired"].to_pydatetime(), STATE_WORDS[row["state"]]) for row in blind]
    colours = {name: desk.looks.classes[name].colour for name in CHARTED}
    whole = [point for point in points if point.length_bin == "all"]
    title = f"Hulls observed at {port}, {len({p.overpass_id for p in whole})} overpasses; numbers in the table below"
    bins = [name for name in LENGTH_BINS if name != "all"]
    small = [point for point in points if point.length_bin != "all"]
    frame = frame_of(small, gaps, 270.0, 110.0)
    lengths = [
        (name, Markup(series_svg(own, gaps, colours, f"Dry cargo of {name} m at {port}", frame)))  # noqa: S704
        for name in bins
        for own in [[point for point in small if point.length_bin == name]]
        if own
    ]
    chart = Markup(series_svg(whole, gaps, colours, title))  # noqa: S704 - made here, its texts escaped
    return Series(chart, lengths, _series_rows(desk, port, points))


def _series_rows(desk: Desk, port: str, points: Sequence[CountPoint]) -> list[SeriesRow]:
    told: dict[str, dict[str, str]] = {}
    times = {point.overpass_id: point.acquired for point in points}
    for point in points:
        name = point.hull_class if point.length_bin == "all" else point.length_bin
        told.setdefault(point.overpass_id, {})[name] = point.words
    parts = total_parts(desk.store, port, list(times))
    return [
        SeriesRow(
            times[name],
            told[name],
            tally(parts.get(name, {}), "all", "observed"),
            tally(parts.get(name, {}), "all", "declared"),
        )
        for name in sorted(times, key=lambda one: times[one], reverse=True)
    ]


def _zones(desk: Desk, port: str, latest: Mapping[str, Any]) -> tuple[ZoneCounts, ...]:
    at = latest["acquired"].to_pydatetime()
    counts = desk.store.counts(port, at, at + timedelta(microseconds=1))
    own = counts[(counts["overpass_id"] == latest["overpass_id"]) & (counts["length_bin"] == "all")]
    zones = [_zone(desk, port, str(zone), rows) for zone, rows in own.groupby("zone")]
    return tuple(sorted(zones, key=lambda zone: (not zone.observed, zone.zone)))


def _zone(desk: Desk, port: str, zone: str, rows: pd.DataFrame) -> ZoneCounts:
    by = {(row["class"], row["quantity"]): row for row in rows.to_dict("records")}
    first = rows.iloc[0]
    return ZoneCounts(
        desk.zone_name(zone, port),
        float(first["visible_fraction"]),
        bool(first["observed_at_all"]),
        tuple(tally(by, kind, "observed") for kind in SHOWN),
        tally(by, "all", "declared"),
    )


def _named(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}
