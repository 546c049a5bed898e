"""GeoJSON (RFC 7946): WGS84, right-hand winding, flat properties, 7 decimals (about a centimetre)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from roadstead.core.detections_file import to_features, write_json
from roadstead.core.ports import Port
from roadstead.publish.formats.layers import counts_by_zone, zones_table

DECIMALS = 7


def write_geojson(table: gpd.GeoDataFrame, path: Path) -> Path:
    """Write one table as a GeoJSON FeatureCollection with a ``bbox`` and return the path.

    Args:
        table: any GeoDataFrame with a CRS; brought to WGS84.
        path: written to a temporary name, then renamed.

    Raises:
        StoreError: the file cannot be written.
    """
    return write_placed(by_the_rules(table), path)


def write_placed(placed: gpd.GeoDataFrame, path: Path) -> Path:
    """Write a table that `by_the_rules` returned, or rows of it; see `write_geojson`."""
    write_json(path, collection(placed))
    return path


def collection(placed: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return a table that `by_the_rules` returned as a FeatureCollection, with a ``bbox`` where any row has a place."""
    document = to_features(placed)
    document.pop("bbox", None)
    if placed.geometry.notna().any():
        document["bbox"] = [float(value) for value in placed.total_bounds]
    return document


def by_the_rules(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a table in WGS84, outer rings counterclockwise, inner ones clockwise, positions rounded."""
    placed = table.to_crs("EPSG:4326")
    wound = shapely.orient_polygons(placed.geometry.to_numpy(), exterior_cw=False)
    return placed.set_geometry(shapely.transform(wound, lambda xy: np.round(xy, DECIMALS)), crs="EPSG:4326")


def write_geojson_products(
    folder: Path,
    port: Port,
    detections: gpd.GeoDataFrame,
    matches: gpd.GeoDataFrame,
    counts: pd.DataFrame,
    tracks: gpd.GeoDataFrame | None = None,
) -> list[Path]:
    """Write ``<port>-detections``, ``-matches``, ``-counts`` and ``-zones.geojson``; return their paths.

    Args:
        folder: made where missing.
        port: whose zones are written.
        detections: `schemas.DETECTIONS`.
        matches: `schemas.MATCHES`.
        counts: `schemas.COUNTS`; written by zone, see `counts_by_zone`.
        tracks: `layers.tracks_table`, as ``<port>-tracks.geojson``; not written if left out.

    Raises:
        StoreError: a file cannot be written.
    """
    layers = {
        "detections": detections,
        "matches": matches,
        "counts": counts_by_zone(counts, port),
        "zones": zones_table(port),
        **({} if tracks is None else {"tracks": tracks}),
    }
    return [write_geojson(table, folder / f"{port.slug}-{name}.geojson") for name, table in layers.items()]
