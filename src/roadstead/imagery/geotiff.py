"""A bare GeoTIFF as a scene: bands by description, time by its tag."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from urllib.parse import urlparse

from rasterio.io import DatasetReader
from shapely.geometry.base import BaseGeometry

from roadstead.errors import SceneError
from roadstead.geo import WGS84
from roadstead.imagery.acquired import SIGMA_S, TOLD_SIGMA_S, Acquired
from roadstead.imagery.assets import ALIASES, DN_SCALE, visual_bands
from roadstead.imagery.layer import outline
from roadstead.imagery.raster import Raster
from roadstead.imagery.scene import BANDS, RGB, BandAsset, Scene

SIMULATED_TAG = "ROADSTEAD_SIMULATED"
"""Tag that marks a simulated GeoTIFF; GDAL cuts tag names at a colon, so it is not the items' property."""

ORDER = ("red", "green", "blue", "nir")
"""Bands of a GeoTIFF whose bands carry no description."""
_TIFF_TIME = re.compile(r"^\d{4}:\d{2}:\d{2} \d{2}:\d{2}:\d{2}")
_NAMES = {alias.lower(): band for band in BANDS for alias in ALIASES[band]}


def open_geotiff(path: str, *, acquired: datetime | None = None, scene_id: str | None = None) -> Scene:
    """Return a GeoTIFF as a scene; its pixels are not read yet.

    Bands go by description (``red`` or ``B04`` and so on), else in the order red, green, blue, nir. Three or
    four 8-bit bands are true colour. The scale is the file's scale tag, else 0.0001 for integers and 1
    for floats. 0 is no data where the file names no other value.

    Args:
        path: path or URL.
        acquired: UTC; None for the file's TIFFTAG_DATETIME (``YYYY:MM:DD HH:MM:SS`` or ISO 8601, UTC).
        scene_id: None for the file's name.

    Raises:
        ReadError: the file cannot be opened.
        SceneError: no CRS, too few bands, or no time.
    """
    name = scene_id or PurePosixPath(urlparse(path).path).stem
    with Raster(path) as raster:
        frame: BaseGeometry = raster.attempts(lambda dataset: outline(dataset, WGS84))
        assets = raster.attempts(lambda dataset: resolve_bands(path, dataset))
        tags = raster.attempts(lambda dataset: dict(dataset.tags()))
    when = resolve_time(path, tags.get("TIFFTAG_DATETIME"), acquired)
    return Scene(
        scene_id=name,
        platform=tags.get("platform"),
        sensor="s2",
        acquired=when.time,
        acquired_source=when.source,
        acquired_sigma_s=when.sigma_s,
        provider="file",
        item_href=None,
        processing_baseline=None,
        datatake=None,
        footprint=frame,
        assets=assets,
        simulated=tags.get(SIMULATED_TAG) == "true",
    )


def resolve_time(path: str, tag: str | None, given: datetime | None) -> Acquired:
    """Return when a GeoTIFF was acquired.

    A given time wins and is good to a minute. A tag does not say whether it is the granule's or the
    product's start, so it counts as the latter.

    Raises:
        SceneError: neither is there, or the tag is no time.
    """
    if given is not None:
        aware = given if given.tzinfo else given.replace(tzinfo=UTC)
        return Acquired(aware.astimezone(UTC), "assumed", TOLD_SIGMA_S)
    if not tag:
        raise SceneError(f"{path}: carries no acquisition time (TIFFTAG_DATETIME); give it with --acquired")
    text = tag.strip()
    if _TIFF_TIME.match(text):
        text = text[:10].replace(":", "-") + text[10:]
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise SceneError(
            f"{path}: TIFFTAG_DATETIME {tag!r} is no time; give the time with --acquired"
        ) from error
    utc = when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    return Acquired(utc, "datatake_start", SIGMA_S["datatake_start"])


def resolve_bands(path: str, dataset: DatasetReader) -> dict[str, BandAsset]:
    """Return which band of a raster is which.

    Raises:
        SceneError: red, green or blue is missing.
    """
    if dataset.dtypes[0] == "uint8" and dataset.count in (3, 4):
        return visual_bands(path)
    index = _by_description(dataset.descriptions) or dict(zip(ORDER, dataset.indexes, strict=False))
    missing = [band for band in RGB if band not in index]
    if missing:
        raise SceneError(
            f"{path}: no band {', '.join(missing)}; it has {dataset.count} band(s) described as "
            f"{', '.join(str(text) for text in dataset.descriptions)}; describe them red, green, blue, nir"
        )
    return {band: _asset(path, band, number, dataset) for band, number in index.items()}


def _by_description(descriptions: Sequence[str | None]) -> dict[str, int]:
    named = {_NAMES.get(str(text).lower()): number for number, text in enumerate(descriptions, start=1)}
    return {band: number for band, number in named.items() if band is not None}


def _asset(path: str, band: str, number: int, dataset: DatasetReader) -> BandAsset:
    nodata = dataset.nodatavals[number - 1]
    nodata = 0.0 if nodata is None else float(nodata)
    if band == "scl":
        return BandAsset(path, number, 1.0, 0.0, nodata)
    scale, offset = float(dataset.scales[number - 1]), float(dataset.offsets[number - 1])
    if (scale, offset) == (1.0, 0.0) and not dataset.dtypes[number - 1].startswith("float"):
        scale = DN_SCALE
    return BandAsset(path, number, scale, offset, nodata)
