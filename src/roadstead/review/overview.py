"""What the start page says of one port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from roadstead.audit import StatedRecall, stated_recall
from roadstead.review.desk import Desk
from roadstead.review.pictures import MapView, map_view
from roadstead.words import Tally, tally

SHOWN = ("barge", "bulk_carrier", "dry_cargo", "all")
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
class PortOverview:
    """One port."""

    port: str
    latest: Mapping[str, Any] | None
    """The newest processed overpass (`tables.ACQUISITIONS`)."""
    zones: tuple[ZoneCounts, ...]
    states: Mapping[str, int]
    """State of `tables.LEDGER_STATES` -> passes."""
    gaps: Sequence[Mapping[str, Any]]
    """The newest passes that say nothing of ships (`tables.LEDGER`)."""
    more_gaps: int
    next_pass: datetime | None
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
    leads = desk.leads.counted()
    new = None if since is None else desk.leads.counted(since)
    return [_port(desk, port, since, leads, new) for port in desk.store.ports()]


def _port(desk: Desk, port: str, since: datetime | None, leads: Counted, new: Counted | None) -> PortOverview:
    tried, ledger = desk.store.acquisitions(port), desk.store.ledger(port)
    processed = tried[tried["state"] == "processed"]
    latest = None if processed.empty else _named(processed.iloc[-1].to_dict())
    blind = ledger[ledger["state"] != "processed"].iloc[::-1]
    picture = desk.leads.quicklook(port, latest["overpass_id"]) if latest else None
    view = map_view(picture[1]) if picture else None
    return PortOverview(
        port=port,
        latest=latest,
        zones=_zones(desk, port, latest) if latest else (),
        states={str(state): int(n) for state, n in ledger["state"].value_counts().items()},
        gaps=[_named(row) for row in blind.head(MOST_GAPS).to_dict("records")],
        more_gaps=max(0, len(blind) - MOST_GAPS),
        next_pass=desk.next_pass(ledger, desk.clock()),
        leads=leads.get(port, (0, 0)),
        stored_since=None if since is None else int((tried["stored"] >= since).sum()),
        leads_since=None if new is None else new.get(port, (0, 0))[0],
        recall=stated_recall(desk.store, port),
        map=view,
        on_map=desk.leads.around(port, latest["overpass_id"], view.bounds) if latest and view else (),
        simulated=bool(tried["simulated"].eq(True).any()),
    )


def _zones(desk: Desk, port: str, latest: Mapping[str, Any]) -> tuple[ZoneCounts, ...]:
    at = latest["acquired"].to_pydatetime()
    counts = desk.store.counts(port, at, None)
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
