"""A bare GeoTIFF as a scene: bands by description, time by its tag."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import PurePosixPath
from urllib.parse import urlparse

import numpy as np
from rasterio.io import DatasetReader
from rasterio.windows import Window as RioWindow
from shapely.geometry.base import BaseGeometry

from roadstead.core.errors import SceneError
from roadstead.core.geo import WGS84
from roadstead.imagery.raster.grids import resolve_grid
from roadstead.imagery.raster.layer import outline
from roadstead.imagery.raster.reading import Raster
from roadstead.imagery.scene import BANDS, RGB, BandAsset, Scene
from roadstead.imagery.stac.acquisition_time import SIGMA_S, TOLD_SIGMA_S, Acquired
from roadstead.imagery.stac.assets import ALIASES, DN_SCALE, VISUAL_SCALE
from roadstead.imagery.visibility.masks import resolve_valid

SIMULATED_TAG = "ROADSTEAD_SIMULATED"
"""Tag that marks a simulated GeoTIFF; GDAL cuts tag names at a colon, so it is not the items' property."""

ORDER = ("red", "green", "blue", "nir")
"""Bands of a GeoTIFF whose bands carry no description."""
_TIFF_TIME = re.compile(r"^\d{4}:\d{2}:\d{2} \d{2}:\d{2}:\d{2}")
_NAMES = {
    name.lower(): band
    for band in BANDS
    for alias in ALIASES[band]
    for name in (alias, alias.replace("B0", "B"))
}
"""Description of a band -> band. Earth Engine writes ``B4`` for ``B04``."""
MOST_REFLECTANCE = 2.0
"""Thick cloud and snow reach 1.3. A file of which half is over this holds something else, and would be searched as
one white sheet: no ship in it."""
SAMPLE_PX = 256


def open_geotiff(path: str, *, acquired: datetime | None = None, scene_id: str | None = None) -> Scene:
    """Return a GeoTIFF as a scene; of its pixels a thin sample is read.

    Bands go by description (``red`` or ``B04`` and so on), else in the order red, green, blue, nir. 8-bit bands
    are true colour, of which near infrared is left out. The scale is the file's scale tag, else that of true
    colour for 8 bits, 0.0001 for other integers and 1 for floats. 0 is no data where the file names no other value.

    Args:
        path: path or URL.
        acquired: UTC; None for the file's TIFFTAG_DATETIME (``YYYY:MM:DD HH:MM:SS`` or ISO 8601, UTC).
        scene_id: None for the file's name.

    Raises:
        ReadError: the file cannot be opened.
        SceneError: no place on Earth, pixels too coarse for ships, too few bands, no time, or no reflectance.
    """
    name = scene_id or PurePosixPath(urlparse(path).path).stem
    with Raster(path) as raster:
        raster.attempts(resolve_grid)
        frame: BaseGeometry = raster.attempts(lambda dataset: outline(dataset, WGS84))
        assets = raster.attempts(lambda dataset: resolve_bands(path, dataset))
        tags = raster.attempts(lambda dataset: dict(dataset.tags()))
        raster.attempts(lambda dataset: check_numbers(path, dataset, assets["green"]))
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
        SceneError: red, green or blue is missing, or pixels are complex numbers.
    """
    if dataset.dtypes[0].startswith("complex"):
        raise SceneError(f"{path}: its pixels are complex numbers; give reflectance")
    described = any(dataset.descriptions)
    index = (
        _by_description(dataset.descriptions)
        if described
        else dict(zip(ORDER, dataset.indexes, strict=False))
    )
    if dataset.dtypes[0] == "uint8":
        index.pop("nir", None)
    missing = [band for band in RGB if band not in index]
    if missing:
        told = f"described as {', '.join(map(str, dataset.descriptions))}" if described else "not described"
        raise SceneError(
            f"{path}: no band {', '.join(missing)}; it has {dataset.count} band(s), {told}. Describe the bands "
            "red, green, blue, nir, or give them in this order without descriptions (nir may be absent); where "
            "each band is a file, name the STAC item"
        )
    return {band: _asset(path, band, number, dataset) for band, number in index.items()}


def check_numbers(path: str, dataset: DatasetReader, asset: BandAsset) -> None:
    """Look at a sample of one band: all of it from overviews, else its middle.

    Raises:
        SceneError: its numbers are no reflectance (`MOST_REFLECTANCE`).
    """
    high, wide = min(dataset.height, SAMPLE_PX), min(dataset.width, SAMPLE_PX)
    if dataset.overviews(asset.band):
        dn = dataset.read([asset.band], out_shape=(1, high, wide))
    else:
        # Without overviews a thin sample would read the whole band, so the middle stands for it.
        middle = RioWindow((dataset.width - wide) // 2, (dataset.height - high) // 2, wide, high)
        dn = dataset.read([asset.band], window=middle)
    shown = dn[:, resolve_valid(dn, asset.nodata, each_band=False)] * asset.scale + asset.offset
    if shown.size and np.median(shown) > MOST_REFLECTANCE:
        raise SceneError(
            f"{path}: its numbers are no reflectance of 0 to 1, mostly {np.median(shown):.4g}; give its bands their "
            "scale, for numbers of 0 to 10000 with 'gdal_edit.py -scale 0.0001'"
        )


def _by_description(descriptions: Sequence[str | None]) -> dict[str, int]:
    named = {
        _NAMES.get(str(text).strip().lower()): number for number, text in enumerate(descriptions, start=1)
    }
    return {band: number for band, number in named.items() if band is not None}


def _asset(path: str, band: str, number: int, dataset: DatasetReader) -> BandAsset:
    nodata = dataset.nodatavals[number - 1]
    nodata = 0.0 if nodata is None else float(nodata)
    if band == "scl":
        return BandAsset(path, number, 1.0, 0.0, nodata)
    scale, offset = float(dataset.scales[number - 1]), float(dataset.offsets[number - 1])
    if (scale, offset) == (1.0, 0.0) and not dataset.dtypes[number - 1].startswith("float"):
        scale = VISUAL_SCALE if dataset.dtypes[number - 1] == "uint8" else DN_SCALE
    return BandAsset(path, number, scale, offset, nodata)
