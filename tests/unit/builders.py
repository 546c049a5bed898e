"""Small tables that several tests build on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import box

from roadstead.core.detections_file import DetectionsHeader, SceneHeader
from roadstead.core.schemas import DETECTIONS, empty

ACQUIRED = datetime(2020, 11, 3, 2, 25, 41, tzinfo=UTC)


def detection(index: int = 0, lon: float = 125.3, lat: float = 38.7, **changes: Any) -> dict[str, Any]:
    """Return one row of `schemas.DETECTIONS`."""
    row = {
        "detection_id": f"d{index}",
        "scene_id": "S2A_TEST",
        "overpass_id": "nampo_s2_20201103T022541",
        "port": "nampo",
        "acquired": pd.Timestamp(ACQUIRED),
        "acquired_sigma_s": 1.0,
        "zone": "nampo/roads",
        "lon": lon,
        "lat": lat,
        "p_vessel": 0.9,
        "p_barge": 0.2,
        "p_bulk_carrier": 0.7,
        "p_other_vessel": 0.1,
        "class": "bulk_carrier",
        "length_m": 150.0,
        "length_low_m": 140.0,
        "length_high_m": 160.0,
        "beam_m": 23.0,
        "axis_deg": 45.0,
        "bow_deg": np.nan,
        "p_bow": np.nan,
        "moving": None,
        "p_moving": np.nan,
        "flags": "",
        "dropped_because": None,
        "simulated": True,
        "model_id": "test-model",
        "geometry": box(lon - 0.001, lat - 0.0003, lon + 0.001, lat + 0.0003),
    }
    return {**row, **changes}


def detections(rows: Sequence[dict[str, Any]]) -> gpd.GeoDataFrame:
    """Return rows as `schemas.DETECTIONS`."""
    if not rows:
        return gpd.GeoDataFrame(empty(DETECTIONS), geometry="geometry", crs="EPSG:4326")
    table = gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs="EPSG:4326")
    table["acquired"] = table["acquired"].astype("datetime64[ns, UTC]")
    return table


def header(**changes: Any) -> DetectionsHeader:
    """Return a header of one scene that was wholly clear."""
    frame = box(125.0, 38.5, 125.6, 38.9)
    scene: dict[str, Any] = {
        "scene_id": "S2A_TEST",
        "overpass_id": "nampo_s2_20201103T022541",
        "acquired": ACQUIRED,
        "acquired_sigma_s": 1.0,
        "sensor": "s2",
        "footprint": frame,
        "valid_area": frame,
        "cloud": "known",
        "visible_fraction": {"nampo/roads": 1.0},
        "simulated": True,
    }
    return DetectionsHeader((SceneHeader(**{**scene, **changes}),), "test-model", 0.4)
