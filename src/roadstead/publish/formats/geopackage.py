"""GeoPackage in the port's UTM zone, with default styles that QGIS picks up by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError, GeometryError

from roadstead.core.atomic_files import refuse_special
from roadstead.core.errors import StoreError
from roadstead.core.ports import Port
from roadstead.publish.formats.flat import geometry_type
from roadstead.publish.formats.layers import counts_by_zone, zones_table
from roadstead.publish.formats.qgis_project import layer_styles

TIMELESS = datetime(2000, 1, 1, tzinfo=UTC)
"""Stands as the time of change in a file without dated rows."""
VERSION = {"VERSION": "1.2"}
"""QGIS 3.22 warns of newer ones."""
WITH_MILLISECONDS = {"DATETIME_PRECISION": "MILLISECOND"}
"""Readers of GeoPackage 1.2 expect them in times."""
_FAILURES = (OSError, RuntimeError, DataSourceError, DataLayerError, GeometryError)


def write_port_geopackage(
    path: Path,
    port: Port,
    detections: gpd.GeoDataFrame,
    matches: gpd.GeoDataFrame,
    counts: pd.DataFrame,
    tracks: gpd.GeoDataFrame | None = None,
) -> Path:
    """Write zones, counts by zone, tracks, matches and detections of a port as one GeoPackage; see `write_geopackage`.

    Args:
        path: the file to write.
        port: its UTM zone and polygons are used.
        detections: `schemas.DETECTIONS`.
        matches: `schemas.MATCHES`.
        counts: `schemas.COUNTS`.
        tracks: `layers.tracks_table`; no such layer if left out.
    """
    layers = {
        "zones": zones_table(port),
        "counts": counts_by_zone(counts, port),
        **({} if tracks is None else {"tracks": tracks}),
        # A column of plain objects would become text.
        "detections": detections.astype({"moving": "boolean"}),
        "matches": matches,
    }
    return write_geopackage(path, layers, port.crs)


def write_geopackage(path: Path, layers: Mapping[str, gpd.GeoDataFrame], crs: str) -> Path:
    """Write layers as one GeoPackage and return its path; the same layers give the same bytes.

    Layers named as in `styles.QML` get that default style in the table ``layer_styles``, which QGIS reads
    (https://docs.qgis.org/3.22/en/docs/user_manual/working_with_vector/vector_properties.html).

    Args:
        path: written to a temporary name, then renamed.
        layers: layer name -> GeoDataFrame of one geometry type.
        crs: metric CRS to write in, e.g. ``EPSG:32651``.

    Raises:
        StoreError: the file cannot be written.
    """
    refuse_special(path)
    temporary = path.with_name(f".{path.stem}.tmp.gpkg")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        with _dated(_latest(layers)):
            _write(temporary, layers, crs)
        _verify(temporary, layers)
        os.replace(temporary, path)
    except _FAILURES as error:
        raise StoreError(f"{path}: cannot be written: {error}") from error
    finally:
        for leftover in (temporary, *temporary.parent.glob(f"{temporary.name}-*")):
            with suppress(OSError):
                leftover.unlink(missing_ok=True)
    return path


def _write(path: Path, layers: Mapping[str, gpd.GeoDataFrame], crs: str) -> None:
    for name, table in layers.items():
        pyogrio.write_dataframe(
            table.to_crs(crs),
            path,
            layer=name,
            driver="GPKG",
            geometry_type=geometry_type(table),
            dataset_options=VERSION,
            layer_options=WITH_MILLISECONDS,
        )
    styles = layer_styles(layers, _latest(layers))
    if len(styles):
        pyogrio.write_dataframe(styles, path, layer="layer_styles", driver="GPKG")


def _verify(path: Path, layers: Mapping[str, gpd.GeoDataFrame]) -> None:
    """Read the feature counts back: GDAL can run out of disk as it closes a file, and say nothing."""
    for name, table in layers.items():
        found = pyogrio.read_info(path, layer=name)["features"]
        if found != len(table):
            raise OSError(f"layer {name} holds {found} of {len(table)} rows; is the disk full?")


def _latest(layers: Mapping[str, gpd.GeoDataFrame]) -> datetime:
    times = [t["acquired"].max() for t in layers.values() if "acquired" in t and t["acquired"].notna().any()]
    return max(times).to_pydatetime() if times else TIMELESS


@contextmanager
def _dated(moment: datetime) -> Iterator[None]:
    """Have GDAL write this time as the time of change, so that a rerun gives the same file."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})
