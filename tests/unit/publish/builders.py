"""A small simulated port of two zones with three overpasses, ready to be exported."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import MultiPolygon, Point, Polygon, box

from roadstead.core.ports import Port, Zone
from roadstead.core.schemas import ACQUISITIONS, LEDGER
from roadstead.publish import PortReport, Quicklook, ReportData
from tests.unit.builders import ACQUIRED, detection, detections
from tests.unit.store import builders as b

START, END = datetime(2020, 11, 1, tzinfo=UTC), datetime(2020, 11, 15, tzinfo=UTC)
ROADS, QUAY = "nampo/roads", "nampo/quay"
SEEN, BLIND, FAILED = b.OVERPASS_ID, "nampo_s2_20201108T022541", "nampo_s2_20201105T022541"
REASONS = {"no_vessel_fits": "No vessel heard by this source fits. The hull may carry no AIS."}
CONFLICTS = {"length": "Declared length and seen length differ."}
HULL_LON, HULL_LAT = 125.32, 38.70


def port() -> Port:
    """Return a port with an anchorage that has a hole, and a quay; both wound the wrong way."""
    hole = [(125.28, 38.68), (125.29, 38.68), (125.29, 38.69), (125.28, 38.69)]
    roads = Polygon([(125.2, 38.65), (125.2, 38.75), (125.4, 38.75), (125.4, 38.65)], [hole])
    zones = (
        Zone(ROADS, "anchorage", MultiPolygon([roads]), "Nampo roads", "a test", "low"),
        Zone(QUAY, "berth", MultiPolygon([box(125.41, 38.72, 125.43, 38.73)]), None, "a test", "low"),
    )
    return Port("nampo", zones)


def hull(index: int, lon: float = HULL_LON, lat: float = HULL_LAT, **changes: Any) -> dict[str, Any]:
    """Return a detection 350 m long and 66 m broad, lying east-west."""
    frame = box(lon - 0.002, lat - 0.0003, lon + 0.002, lat + 0.0003)
    return detection(index, lon, lat, **{"geometry": frame, "zone": ROADS, **changes})


def hulls() -> gpd.GeoDataFrame:
    barge = {"class": "barge", "p_barge": 0.8, "p_bulk_carrier": 0.15, "p_other_vessel": 0.05}
    return detections(
        [hull(0, moving=True, p_moving=0.97), hull(1, 125.25, 38.67, **barge), hull(2, 125.36, 38.72)]
    )


def matches() -> gpd.GeoDataFrame:
    """Return one row of each kind of lead and one that is none."""
    rows: list[dict[str, Any]] = [
        {
            "detection_id": "d0",
            "status": "no_ais_partner",
            "probability": 0.71,
            "reasons": "no_vessel_fits",
            "p_heard_class_a": 0.97,
            "p_heard_class_b": 0.95,
            "geometry": Point(HULL_LON, HULL_LAT),
        },
        {
            "detection_id": "d1",
            "mmsi": "412000001",
            "status": "matched",
            "conflicts": "length",
            "probability": 0.93,
            "geometry": Point(125.25, 38.67),
        },
        {"detection_id": "d2", "status": "no_coverage", "geometry": Point(125.36, 38.72)},
        {
            "mmsi": "413000002",
            "status": "unseen",
            "probability": 0.82,
            "reasons": "clear_no_detection",
            "geometry": Point(125.3, 38.73),
        },
    ]
    return b.matches([{"reasons": "", "zone": ROADS, **row} for row in rows])


def counts() -> pd.DataFrame:
    """Return counts of an overpass that saw one of two zones, and of one that saw none."""
    later = ACQUIRED + timedelta(days=5)
    bulk, barge = {"no_ais_partner": 1.0, "no_coverage": 1.0, "unseen": 1.0}, {"matched": 1.0}
    dry = {**bulk, **barge}
    found = {"barge": barge, "bulk_carrier": bulk, "dry_cargo": dry, "other_vessel": {}, "all": dry}
    tables = []
    for name, parts in found.items():
        tables.append(b.counts(parts, ROADS, name))
        tables.append(b.counts(None, QUAY, name, visible=0.1))
        for zone in (ROADS, QUAY):
            tables.append(b.counts(None, zone, name, BLIND, later, visible=0.0))
    every = pd.concat(tables, ignore_index=True)
    # As `counting.overpass_counts.counts` gives it: what was declared has no seen class.
    declared = every["quantity"].isin(["declared", "unseen", "not_visible"]) & (every["class"] != "all")
    return every[~declared].reset_index(drop=True)


def acquisitions() -> pd.DataFrame:
    common = {"port": "nampo", "acquired_sigma_s": 1.0, "roadstead_version": "0.1.0", "later_failure": None}
    common |= {"stored": None, "inputs_sha256": None, "provider": None, "tried": None}
    used = {"model_id": "test-model", "model_sha256": "a" * 64, "threshold": 0.4, "simulated": True}
    used["with_ais"] = True
    rows = [
        {"overpass_id": SEEN, "acquired": ACQUIRED, "state": "processed", "reason": None, **used},
        {
            "overpass_id": FAILED,
            "acquired": ACQUIRED + timedelta(days=2),
            "state": "failed",
            "reason": "asset red: HTTP 403",
            **dict.fromkeys(used),
        },
        {
            "overpass_id": BLIND,
            "acquired": ACQUIRED + timedelta(days=5),
            "state": "not_observed",
            "reason": "cloud",
            **used,
        },
    ]
    table = pd.DataFrame([{**common, **row} for row in rows])[list(ACQUISITIONS.columns)]
    return table.astype(
        {"acquired": "datetime64[ns, UTC]", "stored": "datetime64[ns, UTC]", "threshold": float}
    )


def ledger() -> pd.DataFrame:
    """Return the passes tried, and one that no catalogue lists."""
    tried = acquisitions()
    states = tried["state"].replace({"not_observed": "too_cloudy"})
    missing = {
        "overpass_id": None,
        "acquired": ACQUIRED + timedelta(days=7),
        "platform": "sentinel-2b",
        "state": "missing",
        "reason": "in no catalogue asked: x",
    }
    columns = ["overpass_id", "acquired", "reason", "provider", "stored"]
    table = pd.DataFrame(
        [*tried[columns].assign(state=states, platform="sentinel-2a").to_dict("records"), missing]
    )
    table = table.assign(port="nampo").reindex(columns=list(LEDGER.columns)).astype(object)
    table = table.where(table.notna(), None).astype({"acquired": "datetime64[ns, UTC]"})
    return table.sort_values("acquired", ignore_index=True)


def scenes() -> gpd.GeoDataFrame:
    from roadstead.store.rows import scenes_table

    taken = b.overpass()
    return scenes_table(taken, "nampo", b.headers(taken))


def picture(level: int = 40) -> Quicklook:
    return Quicklook(np.full((60, 120, 3), level, np.uint8), (125.19, 38.64, 125.44, 38.76))


def port_report(**changes: Any) -> PortReport:
    second = b.vessels().assign(mmsi="413000002", name="SECOND")
    given: dict[str, Any] = {
        "port": port(),
        "name": "Nampo",
        "acquisitions": acquisitions(),
        "scenes": scenes(),
        "detections": hulls(),
        "matches": matches(),
        "counts": counts(),
        "vessels": pd.concat([b.vessels(), second], ignore_index=True),
        "ledger": ledger(),
        "coast": box(125.0, 38.75, 125.6, 38.9),
        "quicklooks": {SEEN: picture(), BLIND: picture(220)},
        "positions": positions(),
        "chips": {"d0": np.full((24, 24, 3), 90, np.uint8)},
    }
    return PortReport(**{**given, **changes})


def positions() -> pd.DataFrame:
    """Return two reports of one vessel, and one of another, near the first overpass."""
    lone = b.positions()[:1].assign(mmsi="413000002", lon=125.3, lat=38.73)
    both = pd.concat([b.positions(), lone], ignore_index=True)
    return both.assign(simulated=True, overpass_id=SEEN)


def real(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as if it were no simulation."""
    return table.assign(simulated=False)


def report_data_of(report: PortReport, start: datetime, end: datetime) -> ReportData:
    return ReportData((report,), start, end, REASONS, CONFLICTS, {})


def report_data(**changes: Any) -> ReportData:
    return ReportData(
        (port_report(**changes),), START, END, REASONS, CONFLICTS, {"Seed": "7", "Catalogue": "catalog.json"}
    )
