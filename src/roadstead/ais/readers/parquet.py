"""Parquet and GeoParquet tables of AIS reports to rows, in bounded memory, whatever way they hold points."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from roadstead.ais.readers.batch import Batch
from roadstead.ais.readers.fields import named
from roadstead.ais.readers.layouts import ColumnMapping, Layout
from roadstead.ais.readers.presets import layout_of
from roadstead.ais.readers.time_forms import with_time_form
from roadstead.core.errors import AisError
from roadstead.core.geo import Array

BATCH_ROWS = 50_000
_SAMPLE = 2_000
"""Spellings of times that tell the form of a file's times."""
_LONLAT = {"4326", "CRS84", "4979"}
_USUAL_NAMES = {"geometry", "geom", "wkb_geometry", "the_geom", "point", "position"}
"""Names under which databases write WKB that they do not describe."""
_POINT = 0
"""Shapely's number of a point."""


def read_parquet(
    path: Path,
    mapping: ColumnMapping | None = None,
    batch_rows: int = BATCH_ROWS,
    raw: BinaryIO | None = None,
) -> Iterator[Batch]:
    """Yield the rows of a Parquet or GeoParquet file (points of EPSG:4326 or OGC:CRS84).

    Args:
        path: the file, or the name of an archive's member.
        mapping: column mapping of a table that we do not know.
        batch_rows: rows read at once.
        raw: the bytes of an archive's member; they are kept in a temporary file, since Parquet is read from its end.

    Raises:
        AisError: the file is broken, or the columns are unknown or contradict the mapping.
    """
    try:
        with _seekable(path, raw) as opened, pq.ParquetFile(opened) as file:
            yield from _parquet_batches(file, path, mapping, batch_rows, _size(path, raw))
    except (pa.ArrowException, OSError) as error:
        raise AisError(f"{path} cannot be read as Parquet: {error}") from error


@contextmanager
def _seekable(path: Path, raw: BinaryIO | None) -> Iterator[Path | IO[bytes]]:
    if raw is None:
        yield path
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(raw, copy, 1 << 20)
        copy.seek(0)
        yield copy


def _size(path: Path, raw: BinaryIO | None) -> int:
    return path.stat().st_size if raw is None else 0


def _parquet_batches(
    file: pq.ParquetFile, path: Path, mapping: ColumnMapping | None, batch_rows: int, size: int
) -> Iterator[Batch]:
    schema: pa.Schema = file.schema_arrow
    points = point_column(schema, path)
    index = _index_of_times(schema)
    header = [
        "time" if name == index else name for name in schema.names if points is None or name != points.name
    ]
    seen = header + [name for name in ("lon", "lat") if points and name not in header]
    layout = layout_of(seen, path, mapping)
    wanted = [
        index if name == "time" and index else name
        for name in layout.present(seen).values()
        if name in header
    ]
    done, total = 0, file.metadata.num_rows
    for part in file.iter_batches(batch_rows, columns=[*wanted, points.name] if points else wanted):
        # The index that pandas noted in the file stays a column, and so is found.
        table = pa.Table.from_batches([part]).to_pandas(ignore_metadata=True)
        if points:
            table = _with_lonlat(table, points, part.column(points.name), path)
        if index:
            table = table.rename(columns={index: "time"})
        rows = range(done + 1, done + len(table) + 1)
        layout = _formed(layout, table, path) if done == 0 else layout
        done += len(table)
        yield Batch(
            named(table, layout).assign(row=rows),
            _row_text(table, rows[0] if rows else 1),
            (),
            size * done // max(total, 1),
        )


def _index_of_times(schema: pa.Schema) -> str | None:
    """Return the nameless index of a table of pandas where it holds times and no column is called so."""
    return next(
        (
            field.name
            for field in schema
            if field.name.startswith("__index_level_")
            and pa.types.is_timestamp(field.type)
            and "time" not in schema.names
        ),
        None,
    )


def _formed(layout: Layout, table: pd.DataFrame, path: Path) -> Layout:
    time = layout.present(list(table.columns)).get("time")
    if time is None or not pd.api.types.is_object_dtype(table[time]):
        return layout
    return with_time_form(layout, table[time].dropna().unique()[:_SAMPLE].tolist(), path)


def _with_lonlat(table: pd.DataFrame, points: Points, column: pa.Array, path: Path) -> pd.DataFrame:
    lon, lat = lonlat_of(points, column, path)
    given = {"lon": lon, "lat": lat}
    rest = table.drop(columns=points.name)
    return rest.assign(**{name: value for name, value in given.items() if name not in rest})


def _row_text(table: pd.DataFrame, first: int) -> Callable[[int], str]:
    def text(row: int) -> str:
        cells: Sequence[Any] = table.iloc[row - first].tolist()
        return ",".join("" if pd.isna(cell) else str(cell) for cell in cells)

    return text


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
