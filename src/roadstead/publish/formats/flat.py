"""GeoParquet, FlatGeobuf and CSV: one file a layer, flat columns, WGS84."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, GeometryError

from roadstead.core import atomic_files
from roadstead.core.atomic_files import replacing, write_text
from roadstead.core.errors import StoreError
from roadstead.publish.formats.geojson import DECIMALS

_NULLABLE = {"moving": "boolean"}
"""Columns of true, false and null, which as plain objects would become text."""
_OGR_FAILURES = (RuntimeError, DataSourceError, DataLayerError, GeometryError)


def write_flat(folder: Path, port: str, layers: Mapping[str, gpd.GeoDataFrame], kind: str) -> list[Path]:
    """Write each layer as ``<port>-<layer>.<suffix>`` and return the paths.

    Args:
        folder: made where missing.
        port: slug of the port.
        layers: layer name -> GeoDataFrame.
        kind: ``geoparquet``, ``flatgeobuf`` or ``csv``.

    Raises:
        StoreError: a file cannot be written.
    """
    suffix, write = WRITERS[kind]
    return [write(table, folder / f"{port}-{name}.{suffix}") for name, table in layers.items()]


def typed(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a table in WGS84 whose three-valued columns are booleans, not objects."""
    known = {name: dtype for name, dtype in _NULLABLE.items() if name in table}
    return table.to_crs("EPSG:4326").astype(known)


def write_geoparquet(table: gpd.GeoDataFrame, path: Path) -> Path:
    """Write GeoParquet 1.1 (https://geoparquet.org) with geopandas, WKB geometry and a ``bbox`` column.

    Raises:
        StoreError: the file cannot be written.
    """
    with replacing(path) as temporary:
        typed(table).to_parquet(
            temporary, index=False, compression="zstd", schema_version="1.1.0", write_covering_bbox=True
        )
    return path


def write_flatgeobuf(table: gpd.GeoDataFrame, path: Path) -> Path:
    """Write FlatGeobuf (https://flatgeobuf.org); rows stand in the order of its spatial index.

    Raises:
        StoreError: the file cannot be written.
    """
    with replacing(path) as temporary:
        try:
            temporary.unlink(missing_ok=True)
            plain = typed(table)
            pyogrio.write_dataframe(plain, temporary, driver="FlatGeobuf", geometry_type=geometry_type(plain))
            found = pyogrio.read_info(temporary, force_feature_count=True)["features"]
            if found != len(plain):
                raise OSError(f"it holds {found} of {len(plain)} rows; is the disk full?")
        except _OGR_FAILURES as error:
            raise StoreError(f"{path}: cannot be written: {error}") from error
        finally:
            with suppress(OSError):
                temporary.with_name(f"{temporary.name}-tmp").unlink(missing_ok=True)
    return path


def write_csv(table: gpd.GeoDataFrame, path: Path) -> Path:
    """Write CSV (UTF-8, comma, one header line): ``lon`` and ``lat``, then every other column; no geometry.

    Polygons and lines stand by a point on them. Times are ISO 8601 UTC, nothing is an empty cell, and text stays text
    in a spreadsheet (`roadstead.core.atomic_files`).

    Raises:
        StoreError: the file cannot be written.
    """
    write_text(path, csv_text(table))
    return path


def csv_text(table: gpd.GeoDataFrame) -> str:
    """Return a table as `write_csv` writes it."""
    placed = table.to_crs("EPSG:4326")
    flat = pd.DataFrame(placed.drop(columns=placed.geometry.name))
    if "lon" not in flat:
        points = placed.geometry.representative_point()
        flat.insert(0, "lon", points.x)
        flat.insert(1, "lat", points.y)
    flat = flat[["lon", "lat", *[name for name in flat.columns if name not in ("lon", "lat")]]]
    flat[["lon", "lat"]] = np.round(flat[["lon", "lat"]].astype(float), DECIMALS)
    return plain_csv(flat)


def plain_csv(table: pd.DataFrame) -> str:
    """Return a table without geometry as `write_csv` writes its cells."""
    return atomic_files.csv_text(table)


def geometry_type(table: gpd.GeoDataFrame) -> str:
    """Return the one geometry type of a table; ``MultiPolygon`` where it holds both kinds of polygon."""
    kinds = set(table.geom_type.dropna())
    return kinds.pop() if len(kinds) == 1 else "MultiPolygon" if "MultiPolygon" in kinds else "Unknown"


WRITERS: Mapping[str, tuple[str, Callable[[gpd.GeoDataFrame, Path], Path]]] = {
    "geoparquet": ("parquet", write_geoparquet),
    "flatgeobuf": ("fgb", write_flatgeobuf),
    "csv": ("csv", write_csv),
}
"""Format -> suffix and writer."""
