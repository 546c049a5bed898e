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
from roadstead.counting.series import CHARTED, CountPoint, CountSeries, series_of
from roadstead.publish.charts import frame_of, series_svg
from roadstead.publish.wording import BlindPass, Passes, passes_of
from roadstead.store import Audits
from roadstead.store.ledger import Version, version_of
from roadstead.store.series import observed_points, stored_since, total_parts

MOST_PASSES = 24
"""Newest passes that the chart of counts shows."""
MOST_NEW = 5
SHOWN = (*CHARTED, "all")
MOST_GAPS = 12
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
    passes: Passes
    """Every pass over it."""
    gaps: Sequence[BlindPass]
    """The newest passes that say nothing of ships."""
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
    passes = passes_of(ledger)
    picture = desk.leads.quicklook(port, latest["overpass_id"]) if latest else None
    view = map_view(*picture) if picture else None
    marks = desk.leads.around(port, [latest["overpass_id"]], view.bounds) if latest and view else ()
    return PortOverview(
        port=port,
        latest=latest,
        zones=_zones(desk, port, latest) if latest else (),
        passes=passes,
        gaps=passes.blind[:MOST_GAPS],
        more_gaps=max(0, len(passes.blind) - MOST_GAPS),
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
    blind = passes_of(passes).gaps
    whole = series_of((point for point in points if point.length_bin == "all"), blind)
    overpasses = len({point.overpass_id for point in points})
    title = f"Hulls observed at {port}, {overpasses} overpasses; numbers in the table below"
    chart = Markup(series_svg(whole, _colours(desk), title))  # noqa: S704 - made here, its texts escaped
    return Series(chart, _by_length(desk, port, points, whole), _series_rows(desk, port, points))


def _by_length(
    desk: Desk, port: str, points: Sequence[CountPoint], whole: CountSeries
) -> list[tuple[str, Markup]]:
    """Return length bin -> chart of dry cargo of that length, all on the same axes."""
    bins = {
        name: series_of((point for point in points if point.length_bin == name), whole.gaps)
        for name in LENGTH_BINS
        if name != "all" and any(point.length_bin == name for point in points)
    }
    frame = frame_of(bins.values(), 270.0, 110.0)
    titles = {name: f"Dry cargo of {name} m at {port}" for name in bins}
    return [
        (name, Markup(series_svg(own, _colours(desk), titles[name], frame)))  # noqa: S704 - as above
        for name, own in bins.items()
    ]


def _colours(desk: Desk) -> dict[str, str]:
    return {name: desk.looks.classes[name].colour for name in CHARTED}


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
