"""Columns of points in Parquet: GeoParquet (WKB or native), GeoArrow, and WKB that nobody described."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from roadstead.core.errors import AisError
from roadstead.core.geo import Array

_LONLAT = {"4326", "CRS84", "4979"}
_USUAL_NAMES = {"geometry", "geom", "wkb_geometry", "the_geom", "point", "position"}
"""Names under which databases write WKB that they do not describe."""
_POINT = 0
"""Shapely's number of a point."""


@dataclass(frozen=True)
class Points:
    """A column of points in degrees."""

    name: str
    kind: pa.DataType
    """Binary (WKB), text (WKT), a struct of x and y, or a list of the two."""


def point_column(schema: pa.Schema, path: Path) -> Points | None:
    """Return the column of points of a table; None where it has none.

    Raises:
        AisError: its coordinates are not longitude and latitude.
    """
    name, crs = _described(schema, path) or (_undescribed(schema), None)
    if name is None:
        return None
    if crs is not None and not _is_lonlat(crs, path):
        raise AisError(f"{path}: geometry is in {_called(crs)}; save it as EPSG:4326 (longitude, latitude)")
    kind = schema.field(name).type
    return Points(name, kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind)


def _described(schema: pa.Schema, path: Path) -> tuple[str, Any] | None:
    """Return the column that the file itself calls its geometry, and the CRS it states."""
    raw = (schema.metadata or {}).get(b"geo")
    if raw is not None:
        try:
            geo = json.loads(raw)
            name = str(geo["primary_column"])
            return name, geo["columns"][name].get("crs")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AisError(f"{path}: its GeoParquet metadata cannot be read: {error}") from error
    for field in schema:
        about = {key: value for key, value in (field.metadata or {}).items()}
        kind = field.type.extension_name if isinstance(field.type, pa.BaseExtensionType) else ""
        called = kind or about.get(b"ARROW:extension:name", b"").decode()
        if called.startswith(("geoarrow.", "ogc.wkb")):
            return field.name, _crs_of(about.get(b"ARROW:extension:metadata", b""))
    return None


def _crs_of(raw: bytes) -> Any:  # noqa: ANN401 - PROJJSON, WKT or a code
    try:
        return json.loads(raw).get("crs") if raw else None
    except (ValueError, AttributeError):
        return None


def _undescribed(schema: pa.Schema) -> str | None:
    names = {name.lower() for name in schema.names}
    if {"lon", "lat"} <= names or {"longitude", "latitude"} <= names:
        return None
    return next(
        (
            field.name
            for field in schema
            if field.name.lower() in _USUAL_NAMES
            and (
                pa.types.is_binary(field.type)
                or pa.types.is_large_binary(field.type)
                or pa.types.is_struct(field.type)
            )
        ),
        None,
    )


def _code(crs: Any) -> str:  # noqa: ANN401
    about = crs.get("id", {}) if isinstance(crs, dict) else {}
    return str(about.get("code", ""))


def _is_lonlat(crs: Any, path: Path) -> bool:  # noqa: ANN401
    if _code(crs):
        return _code(crs) in _LONLAT
    try:
        read = CRS.from_user_input(crs if not isinstance(crs, dict) else json.dumps(crs))
    except CRSError as error:
        raise AisError(f"{path}: the CRS of its geometry cannot be read: {error}") from error
    return read.is_geographic and (str(read.to_epsg() or "4326") in _LONLAT)


def _called(crs: Any) -> str:  # noqa: ANN401
    if _code(crs):
        return f"EPSG:{_code(crs)}"
    return str(crs.get("name", "another CRS")) if isinstance(crs, dict) else str(crs)[:60]


def lonlat_of(points: Points, column: pa.Array, path: Path) -> tuple[Array, Array]:
    """Return longitudes and latitudes (degrees, NaN where null) of a column of points.

    Raises:
        AisError: the column holds no points, or points of another CRS.
    """
    stored = column.storage if isinstance(column, pa.ExtensionArray) else column
    if pa.types.is_struct(points.kind):
        return _numbers(stored, "x"), _numbers(stored, "y")
    if (
        pa.types.is_list(points.kind)
        or pa.types.is_fixed_size_list(points.kind)
        or pa.types.is_large_list(points.kind)
    ):
        pairs = np.array(
            [pair[:2] if pair else (np.nan, np.nan) for pair in stored.to_pylist()], float
        ).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]
    values = stored.to_numpy(zero_copy_only=False)
    try:
        is_text = pa.types.is_string(points.kind) or pa.types.is_large_string(points.kind)
        shapes = shapely.from_wkt(values) if is_text else shapely.from_wkb(values)
    except shapely.errors.GEOSException as error:
        raise AisError(f"{path}: column {points.name!r} is no geometry: {error}") from error
    _check(shapes, points, path)
    return shapely.get_x(shapes), shapely.get_y(shapes)


def _numbers(stored: pa.Array, name: str) -> Array:
    fields = {stored.type.field(n).name for n in range(stored.type.num_fields)}
    if name not in fields:
        return np.full(len(stored), np.nan)
    # Unlike field(), flatten() gives null where the struct itself is null.
    parts = dict(
        zip([stored.type.field(n).name for n in range(stored.type.num_fields)], stored.flatten(), strict=True)
    )
    return np.asarray(parts[name].to_numpy(zero_copy_only=False), float)


def _check(shapes: Any, points: Points, path: Path) -> None:  # noqa: ANN401 - an array of geometries
    kinds = set(shapely.get_type_id(shapes).tolist()) - {-1}
    if kinds - {_POINT}:
        raise AisError(f"{path}: column {points.name!r} holds other shapes than points: no position reports")
    odd = set(shapely.get_srid(shapes).tolist()) - {-1, 0, 4326}
    if odd:
        raise AisError(f"{path}: geometry is in EPSG:{min(odd)}; save it as EPSG:4326 (longitude, latitude)")
