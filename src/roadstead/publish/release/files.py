"""Released findings as files: GeoJSON, CSV, GeoParquet and GeoPackage, and why no other format is for them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

import geopandas as gpd

from roadstead.core.atomic_files import write_text
from roadstead.core.errors import UsageError
from roadstead.publish.formats.flat import csv_text, write_geoparquet
from roadstead.publish.formats.geojson import by_the_rules, collection
from roadstead.publish.formats.geopackage import write_geopackage

FORMATS = ("geojson", "gpkg", "csv", "geoparquet")


def geojson_text(table: gpd.GeoDataFrame) -> str:
    """Return a layer as GeoJSON (RFC 7946); rows without content have a null geometry."""
    return json.dumps(collection(by_the_rules(table)), allow_nan=False)


def check_formats(formats: Collection[str]) -> None:
    """Refuse formats that released findings are not written in.

    Raises:
        UsageError: naming them, and why.
    """
    why = {
        "report": "it shows whole ports with every hull and picture",
        "kmz": "it shows the hull's exact box and picture",
        "stac": "it names product and exact box",
        "qgis": "it styles the layers of a working export; open the GeoPackage instead",
        "cue": "it says where to look for a hull",
        "flatgeobuf": "it has no place for a retracted finding, which has no geometry",
    }
    for name in formats:
        if name not in FORMATS:
            told = f": {why[name]}" if name in why else ""
            raise UsageError(f"--format {name} is not for --released{told}. Choose from {', '.join(FORMATS)}")


def write_outside(
    folder: Path, name: str, layers: Mapping[str, gpd.GeoDataFrame], formats: Collection[str], crs: str
) -> list[Path]:
    """Write the layers in each format as ``<name>-<layer>.<suffix>`` (one GeoPackage) and return the paths.

    Raises:
        StoreError: a file cannot be written.
        UsageError: a format is not for released findings.
    """
    check_formats(formats)
    written = []
    for layer, table in layers.items():
        if "geojson" in formats:
            written.append(folder / f"{name}-{layer}.geojson")
            write_text(written[-1], geojson_text(table))
        if "csv" in formats:
            written.append(folder / f"{name}-{layer}.csv")
            write_text(written[-1], csv_text(table))
        if "geoparquet" in formats:
            written.append(write_geoparquet(table, folder / f"{name}-{layer}.parquet"))
    if "gpkg" in formats:
        written.append(write_geopackage(folder / f"{name}-released.gpkg", layers, crs))
    return written
