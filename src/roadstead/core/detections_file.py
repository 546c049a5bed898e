"""The detections file: a GeoJSON FeatureCollection with one foreign member ``roadstead``.

The member says which scenes were searched, where they were valid and clear, and with which model, also
when nothing was detected. Without it nobody can tell *unseen* from *not visible*.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from shapely import geometry as sg
from shapely.geometry.base import BaseGeometry

from roadstead.core.atomic_files import write_text
from roadstead.core.errors import DetectionsError, TableError
from roadstead.core.schemas import DETECTIONS, checked, empty

STATUSES = ("done", "partial")
_LATER = ("bow_deg", "p_bow", "moving", "p_moving")
"""Columns that files of earlier versions lack: there, they are not known."""


@dataclass(frozen=True)
class SceneHeader:
    """One searched scene."""

    scene_id: str
    overpass_id: str
    acquired: datetime
    """UTC."""
    acquired_sigma_s: float
    sensor: str
    footprint: BaseGeometry
    """What the image frame covers, EPSG:4326."""
    valid_area: BaseGeometry
    """Where a hull that is not found is not there: valid, clear, and neither in the shadow of cloud nor under strong
    glint, as far as each is known; EPSG:4326. Hulls are looked for in shadow and glint too."""
    cloud: str
    """``known`` or ``unknown``."""
    visible_fraction: Mapping[str, float]
    """Zone id -> share of its area inside `valid_area`."""
    simulated: bool = False
    hidden: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Zone id -> what hid the rest of it: share by cloud, shadow, glint and no_data. Files of earlier versions lack
    it."""


@dataclass(frozen=True)
class DetectionsHeader:
    """What was searched, with which model and threshold."""

    scenes: tuple[SceneHeader, ...]
    model_id: str
    threshold: float
    status: str = "done"
    """``done``, or ``partial`` where some scenes failed."""
    failures: Mapping[str, str] | None = None
    """Scene -> reason, for the scenes that failed."""


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON document whole or not at all; raise `StoreError` where that fails."""
    write_text(path, json.dumps(document, allow_nan=False))


def to_features(table: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return a GeoJSON FeatureCollection (RFC 7946): WGS84, flat properties, times as ISO 8601 UTC."""
    flat = table.copy()
    for name, dtype in flat.dtypes.items():
        if isinstance(dtype, pd.DatetimeTZDtype):
            flat[name] = flat[name].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ").where(flat[name].notna(), None)
    document: dict[str, Any] = flat.to_crs("EPSG:4326").to_geo_dict(drop_id=True, na="null")
    return document


def write_detections(path: Path, table: gpd.GeoDataFrame, header: DetectionsHeader) -> None:
    """Write detections (`schemas.DETECTIONS`) with their header as one GeoJSON file.

    Raises:
        TableError: a row breaks the table.
        StoreError: the file cannot be written.
    """
    document = to_features(checked(table, DETECTIONS, "detections"))
    document["roadstead"] = _header_json(header)
    write_json(path, document)


def read_detections(path: Path) -> tuple[gpd.GeoDataFrame, DetectionsHeader]:
    """Read what `write_detections` wrote.

    Raises:
        DetectionsError: no such file, not GeoJSON, no ``roadstead`` member, or rows that break the table.
    """
    document = _load(path)
    if "roadstead" not in document:
        raise DetectionsError(
            f"{path}: no 'roadstead' member, so unseen cannot be told from not visible; "
            "make the file with 'roadstead detect'"
        )
    try:
        header = _header(document["roadstead"])
        table = _table(document["features"])
        return checked(table, DETECTIONS, str(path)), header
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise DetectionsError(f"{path}: the 'roadstead' member or a feature is damaged: {error!r}") from error
    except TableError as error:
        raise DetectionsError(str(error)) from error


def _load(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DetectionsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise DetectionsError(f"{path}: is not GeoJSON: {error}") from error
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise DetectionsError(f"{path}: is not a GeoJSON FeatureCollection")
    return document


def _table(features: Sequence[Mapping[str, Any]]) -> gpd.GeoDataFrame:
    if not features:
        return gpd.GeoDataFrame(empty(DETECTIONS), geometry="geometry", crs="EPSG:4326")
    table = gpd.GeoDataFrame.from_features(features, crs="EPSG:4326")
    table["acquired"] = pd.to_datetime(table["acquired"], utc=True, format="ISO8601").astype(
        "datetime64[ns, UTC]"
    )
    table = table.assign(**{name: None for name in _LATER if name not in table})
    for name in ("port", "zone", "dropped_because", "moving"):
        table[name] = table[name].astype(object).where(table[name].notna(), None)
    for name in ("bow_deg", "p_bow", "p_moving"):
        table[name] = table[name].astype(float)
    return table


def _header_json(header: DetectionsHeader) -> dict[str, Any]:
    document = asdict(header)
    document["scenes"] = [_scene_json(scene) for scene in header.scenes]
    document["failures"] = dict(header.failures or {})
    return document


def _scene_json(scene: SceneHeader) -> dict[str, Any]:
    return {
        **{name: getattr(scene, name) for name in scene.__dataclass_fields__},
        "acquired": scene.acquired.isoformat().replace("+00:00", "Z"),
        "footprint": sg.mapping(scene.footprint),
        "valid_area": sg.mapping(scene.valid_area),
        "visible_fraction": dict(scene.visible_fraction),
        "hidden": {zone: dict(shares) for zone, shares in scene.hidden.items()},
    }


def _header(document: Mapping[str, Any]) -> DetectionsHeader:
    scenes = tuple(
        SceneHeader(
            **{
                **scene,
                "acquired": datetime.fromisoformat(scene["acquired"]),
                "footprint": sg.shape(scene["footprint"]),
                "valid_area": sg.shape(scene["valid_area"]),
            }
        )
        for scene in document["scenes"]
    )
    return DetectionsHeader(
        scenes, document["model_id"], document["threshold"], document["status"], document["failures"]
    )
