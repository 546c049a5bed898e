"""A bare GeoTIFF as a scene: bands by description, time by its tag."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlparse

import numpy as np
from numpy.typing import NDArray
from rasterio.io import DatasetReader
from rasterio.windows import Window as RioWindow
from shapely.geometry.base import BaseGeometry

from roadstead.core.errors import SceneError
from roadstead.core.geo import WGS84
from roadstead.imagery.optical.band_roles import BandFacts, holds_offset, mark_of_no_data, resolve_roles
from roadstead.imagery.raster.grids import resolve_grid
from roadstead.imagery.raster.layer import outline
from roadstead.imagery.raster.reading import Raster
from roadstead.imagery.scene import BandAsset, Scene
from roadstead.imagery.stac.acquisition_time import SIGMA_S, TOLD_SIGMA_S, Acquired, parse_stamp
from roadstead.imagery.stac.assets import BOA_OFFSET, DN_SCALE, VISUAL_SCALE
from roadstead.imagery.visibility.clouds import resolve_valid

SIMULATED_TAG = "ROADSTEAD_SIMULATED"
"""Tag that marks a simulated GeoTIFF; GDAL cuts tag names at a colon, so it is not the items' property."""

_ESA_IMAGE = re.compile(r"(?:^|/)T\d{2}[A-Z]{3}_(\d{8}T\d{6})_(?:TCI|B\d\w)[^/]*$")
"""Such as ``T51SXC_20240503T021529_TCI_10m.jp2``.
Source: ESA, Sentinel-2 Products Specification Document."""
_TIFF_TIME = re.compile(r"^\d{4}:\d{2}:\d{2} \d{2}:\d{2}:\d{2}")
MOST_REFLECTANCE = 2.0
"""Thick cloud and snow reach 1.3. A file of which half is over this holds something else, and would be searched as
one white sheet: no ship in it."""
BRIGHTEST, BRIGHTEST_SHARE = 1.6, 0.005
"""Of real images no pixel in 200 is brighter than the first: snow and thick cloud reach 1.3."""
SAMPLE_PX = 256


def open_geotiff(
    path: str,
    home: str | None = None,
    *,
    acquired: datetime | None = None,
    scene_id: str | None = None,
    bands: Mapping[str, int] | None = None,
) -> Scene:
    """Return a GeoTIFF as a scene; of its pixels a thin sample is read.

    Bands go by description (``red`` or ``B04`` and so on), by colour, else in the order red, green, blue, nir where its
    water looks like it (`band_roles`). 8-bit bands are true colour, of which near infrared is left out. The scale is
    the file's scale tag, else that of true colour for 8 bits, 0.0001 for other integers (less ESA's offset, where it is
    in all of them) and 1 for floats. No data is what the file's mask, alpha band or no-data value says, 0 where it
    names none, and what no surface reflects, such as -9999.

    Args:
        path: path or URL.
        home: ``host:port`` of the catalogue that names it, or its own where the user does (`home_of`); None for a file.
        acquired: UTC; None for the file's TIFFTAG_DATETIME (``YYYY:MM:DD HH:MM:SS`` or ISO 8601, UTC).
        scene_id: None for the file's name.
        bands: band -> its number in the file, from 1, where the user names them.

    Raises:
        ReadError: the file cannot be opened.
        SceneError: no place on Earth, pixels too coarse for ships, too few bands, no time, or no reflectance.
    """
    name = scene_id or PurePosixPath(urlparse(path).path).stem
    with Raster(path, home) as raster:
        raster.attempts(resolve_grid)
        frame: BaseGeometry = raster.attempts(lambda dataset: outline(dataset, WGS84))
        found = raster.attempts(lambda dataset: resolve_bands(path, dataset, bands))
        assets = {band: replace(asset, home=home) for band, asset in found.items()}
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
    product's start, so it counts as the latter. The name of one of ESA's own images has the datatake's start.

    Raises:
        SceneError: neither is there, or the tag is no time.
    """
    if given is not None:
        aware = given if given.tzinfo else given.replace(tzinfo=UTC)
        return Acquired(aware.astimezone(UTC), "assumed", TOLD_SIGMA_S)
    if not tag and (start := time_in_name(path)):
        return Acquired(start, "datatake_start", SIGMA_S["datatake_start"])
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


def time_in_name(path: str) -> datetime | None:
    """Return the start of the datatake that the name of one of ESA's images tells."""
    found = _ESA_IMAGE.search(urlparse(path).path)
    return parse_stamp(found.group(1)) if found else None


def resolve_bands(
    path: str, dataset: DatasetReader, given: Mapping[str, int] | None = None
) -> dict[str, BandAsset]:
    """Return which band of a raster is which, and what its numbers mean (`band_roles`).

    Raises:
        SceneError: red, green or blue is missing or not told, pixels are complex numbers, or are no reflectance.
    """
    if dataset.dtypes[0].startswith("complex"):
        raise SceneError(f"{path}: its pixels are complex numbers; give reflectance")
    numbers = sample(dataset)
    colours = [colour.name for colour in dataset.colorinterp]
    untold = _may_hold_offset(dataset, range(min(dataset.count, 3)))
    facts = BandFacts(dataset.descriptions, colours, numbers, _scale_of(dataset, 1)[0], untold)
    if not (given or any(dataset.descriptions)):
        check_numbers(path, numbers[0], _asset(path, "red", 1, dataset, numbers[0], 0.0, None))
    roles = resolve_roles(path, facts, given)
    # Near infrared of 8 bits has no scale that is known, and its ratio to green would tell land wrongly.
    index = {
        band: number
        for band, number in roles.index.items()
        if band != "nir" or dataset.dtypes[number - 1] != "uint8"
    }
    optical = [number - 1 for band, number in index.items() if band != "scl"]
    shift = BOA_OFFSET if _may_hold_offset(dataset, optical) and holds_offset(numbers[optical]) else 0.0
    assets = {
        band: _asset(path, band, number, dataset, numbers[number - 1], shift, roles.mask)
        for band, number in index.items()
    }
    check_numbers(path, numbers[index["green"] - 1], assets["green"])
    return assets


def sample(dataset: DatasetReader) -> NDArray[Any]:
    """Return the numbers of some pixels of every band, [bands, pixels]: all of a small raster, else nine squares.

    They lie evenly from corner to corner: borders without data are seen too. What the raster names no data is 0.
    """
    numbers = _squares(dataset)
    marks = [np.nan if mark is None else mark for mark in dataset.nodatavals]
    return np.where(numbers == np.array(marks)[:, None], numbers.dtype.type(0), numbers)


def _squares(dataset: DatasetReader) -> NDArray[Any]:
    if max(dataset.height, dataset.width) <= 3 * SAMPLE_PX:
        return np.asarray(dataset.read()).reshape(dataset.count, -1)
    high, wide = min(dataset.height, SAMPLE_PX), min(dataset.width, SAMPLE_PX)
    squares = [
        dataset.read(window=RioWindow(col, row, wide, high))
        for row in np.unique(np.linspace(0, dataset.height - high, 3).astype(int)).tolist()
        for col in np.unique(np.linspace(0, dataset.width - wide, 3).astype(int)).tolist()
    ]
    return np.concatenate([square.reshape(dataset.count, -1) for square in squares], axis=1)


def check_numbers(path: str, numbers: NDArray[Any], asset: BandAsset) -> None:
    """Look at numbers of one band.

    Raises:
        SceneError: they are no reflectance (`MOST_REFLECTANCE`, `BRIGHTEST`).
    """
    known = resolve_valid(numbers[None, None], asset.nodata, each_band=False)[0]
    shown = numbers[known] * asset.scale + asset.offset
    if not shown.size:
        return
    if np.median(shown) > MOST_REFLECTANCE:
        raise SceneError(
            f"{path}: its numbers are no reflectance of 0 to 1, mostly {np.median(shown):.4g}; give its bands their "
            "scale, for numbers of 0 to 10000 with 'gdal_edit.py -scale 0.0001'"
        )
    if np.mean(shown > BRIGHTEST) > BRIGHTEST_SHARE:
        raise SceneError(
            f"{path}: {np.mean(shown > BRIGHTEST):.0%} of its numbers are a reflectance over {BRIGHTEST}, which no "
            "surface has: a portal's gain is in them, or they go from 0 to 65535; give its bands their scale, for "
            "numbers of 0 to 65535 with 'gdal_edit.py -scale 0.0000152590'"
        )


def _may_hold_offset(dataset: DatasetReader, bands: Sequence[int]) -> bool:
    """Return whether the numbers are integers of more than 8 bits of which nothing says what they mean."""
    whole = all(np.issubdtype(np.dtype(dataset.dtypes[k]), np.integer) for k in bands)
    untold = all((dataset.scales[k], dataset.offsets[k]) == (1.0, 0.0) for k in bands)
    return whole and untold and all(dataset.dtypes[k] != "uint8" for k in bands)


def _scale_of(dataset: DatasetReader, number: int) -> tuple[float, float]:
    """Return scale and offset of a band: its own, else those that its kind of number has."""
    scale, offset = float(dataset.scales[number - 1]), float(dataset.offsets[number - 1])
    kind = dataset.dtypes[number - 1]
    if (scale, offset) == (1.0, 0.0) and not kind.startswith("float"):
        return (VISUAL_SCALE if kind == "uint8" else DN_SCALE), 0.0
    return scale, offset


def _asset(
    path: str,
    band: str,
    number: int,
    dataset: DatasetReader,
    numbers: NDArray[Any],
    shift: float,
    mask: int | None,
) -> BandAsset:
    nodata = dataset.nodatavals[number - 1]
    if band == "scl":
        return BandAsset(path, number, 1.0, 0.0, 0.0 if nodata is None else float(nodata))
    scale, offset = _scale_of(dataset, number)
    if nodata is None:
        nodata = mark_of_no_data(numbers, scale, offset + shift)
    return BandAsset(path, number, scale, offset + shift, 0.0 if nodata is None else float(nodata), mask=mask)
