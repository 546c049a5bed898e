"""One overpass with everything that is stored of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import Point, box
from sqlalchemy import event

from roadstead.core.detections_file import DetectionsHeader
from roadstead.core.schemas import COUNTS, DECLARED_PARTS, MATCHES, OBSERVED_PARTS, POSITIONS, VESSELS, empty
from roadstead.imagery import Overpass, Scene
from roadstead.store import Store
from tests.unit.builders import ACQUIRED, detection, detections, header

OVERPASS_ID = "nampo_s2_20201103T022541"
FRAME = box(125.0, 38.5, 125.6, 38.9)


def scene(scene_id: str = "S2A_TEST", acquired: datetime = ACQUIRED) -> Scene:
    return Scene(
        scene_id=scene_id,
        platform="sentinel-2a",
        sensor="s2",
        acquired=acquired,
        acquired_source="granule_sensing",
        acquired_sigma_s=1.0,
        provider="test",
        item_href="item.json",
        processing_baseline="05.00",
        datatake=None,
        footprint=FRAME,
        assets={},
        sun_azimuth_deg=165.0,
        sun_elevation_deg=None,
        simulated=True,
        item_sha256="0" * 64,
    )


def overpass(overpass_id: str = OVERPASS_ID, *scenes: Scene) -> Overpass:
    taken = scenes or (scene(),)
    return Overpass(overpass_id, "nampo", min(s.acquired for s in taken), 1.0, taken)


def headers(taken: Overpass, **changes: Any) -> DetectionsHeader:
    one = replace(header(**changes).scenes[0], overpass_id=taken.overpass_id)
    scenes = tuple(replace(one, scene_id=s.scene_id, acquired=s.acquired) for s in taken.scenes)
    return replace(header(), scenes=scenes)


def matches(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    blank = {
        "overpass_id": OVERPASS_ID,
        "port": "nampo",
        "detection_id": None,
        "mmsi": None,
        "zone": "nampo/roads",
        "status": "no_coverage",
        "candidates": "",
        "probability": 0.7,
        "p_kinematic": None,
        "conflicts": "",
        "reasons": "no_ais_given",
        "p_heard_class_a": None,
        "p_heard_class_b": None,
        "carriage_expected": "unknown",
        "distance_m": None,
        "dt_s": None,
        "simulated": True,
        "geometry": Point(125.3, 38.7),
    }
    table = pd.DataFrame([{**blank, **row} for row in rows]) if rows else empty(MATCHES)
    for name in ("p_kinematic", "p_heard_class_a", "p_heard_class_b", "distance_m", "dt_s"):
        table[name] = table[name].astype(float)
    return gpd.GeoDataFrame(table, geometry="geometry", crs="EPSG:4326")


def counts(
    values: dict[str, float] | None,
    zone: str = "nampo/roads",
    hull_class: str = "bulk_carrier",
    overpass_id: str = OVERPASS_ID,
    acquired: datetime = ACQUIRED,
    visible: float = 1.0,
) -> pd.DataFrame:
    """Return one class in one zone; None: the zone was not observed."""
    parts = dict.fromkeys((*OBSERVED_PARTS, *DECLARED_PARTS), 0.0) | (values or {})
    parts |= {
        "observed": sum(parts[p] for p in OBSERVED_PARTS),
        "declared": sum(parts[p] for p in DECLARED_PARTS),
    }
    rows = [
        {
            "port": "nampo",
            "zone": zone,
            "overpass_id": overpass_id,
            "acquired": acquired,
            "class": hull_class,
            "length_bin": "all",
            "quantity": quantity,
            "value": None if values is None else value,
            "low": None if values is None else max(value - 1.0, 0.0),
            "high": None if values is None else value + 1.0,
            "visible_fraction": visible,
            "observed_at_all": values is not None,
            "simulated": True,
        }
        for quantity, value in parts.items()
    ]
    table = pd.DataFrame(rows).astype({name: float for name in ("value", "low", "high")})
    table["acquired"] = pd.to_datetime(table["acquired"], utc=True).astype("datetime64[ns, UTC]")
    assert list(table.columns) == list(COUNTS.columns)
    return table


def positions() -> pd.DataFrame:
    times = pd.to_datetime([ACQUIRED - timedelta(minutes=9), ACQUIRED + timedelta(minutes=4)], utc=True)
    rows = {
        "mmsi": ["412000001", "412000001"],
        "time": times,
        "lon": [125.30, 125.31],
        "lat": [38.70, 38.70],
        "sog_kn": [None, 3.5],
        "cog_deg": [None, 90.0],
        "heading_deg": [None, None],
        "nav_status": [None, "under way using engine"],
        "ais_class": ["A", None],
        "source": ["test", "test"],
    }
    table = pd.DataFrame(rows).astype({"sog_kn": float, "cog_deg": float, "heading_deg": float})
    assert list(table.columns) == list(POSITIONS.columns)
    return table.astype({"time": "datetime64[ns, UTC]"})


def vessels() -> pd.DataFrame:
    row = dict.fromkeys(VESSELS.columns) | {
        "mmsi": "412000001",
        "time": pd.Timestamp(ACQUIRED),
        "name": "TEST",
        "flag": "CN",
        "ship_type": 70,
        "length_m": 150.0,
        "source": "test",
    }
    table = pd.DataFrame([row])
    reals = [n for n, c in VESSELS.columns.items() if n.endswith("_m")]
    types = dict.fromkeys(reals, "float64") | {"ship_type": "Int64", "time": "datetime64[ns, UTC]"}
    return table.astype(types)


def quicklook() -> tuple[np.ndarray, tuple[float, float, float, float]]:
    image = np.zeros((8, 12, 3), np.uint8)
    image[:, :, 2] = 120
    return image, (125.0, 38.5, 125.6, 38.9)


def put(store: Store, taken: Overpass | None = None, port: str = "nampo", **changes: Any) -> None:
    """Store an overpass of two hulls, one of them matched."""
    taken = taken or overpass()
    key = {"overpass_id": taken.overpass_id}
    given: dict[str, Any] = {
        "header": headers(taken),
        "detections": detections([detection(0, **key), detection(1, lon=125.4, zone=None, **key)]),
        "matches": matches(
            [
                {**key, "detection_id": "d0", "mmsi": "412000001", "status": "matched", "distance_m": 31.0},
                {**key, "detection_id": "d1", "zone": None, "geometry": Point(125.4, 38.7)},
            ]
        ),
        "counts": counts(
            {"matched": 1.0}, overpass_id=taken.overpass_id, acquired=taken.acquired.replace(microsecond=0)
        ),
        "positions": positions(),
        "vessels": vessels(),
        "quicklook": quicklook(),
        "chips": {"d0": np.full((8, 8, 3), 90, np.uint8)},
        "model_sha256": "a" * 64,
    }
    store.put_overpass(taken, port=port, **{**given, **changes})


@contextmanager
def asked(store: Store) -> Iterator[list[tuple[str, Sequence[Any]]]]:
    """Give a list that fills with the statements a store is asked, each with its parameters."""
    statements: list[tuple[str, Sequence[Any]]] = []

    def note(_: object, __: object, statement: str, parameters: Sequence[Any], *___: object) -> None:
        statements.append((statement, parameters))

    event.listen(store._engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(store._engine, "before_cursor_execute", note)
