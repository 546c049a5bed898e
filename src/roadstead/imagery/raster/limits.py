"""How large a raster may be to be read: checked by its header, before any pixel is read.

A file of a few kilobytes can say that it holds 160 billion pixels, or blocks of gigabytes; without these bounds it
would keep a port busy for ever or take all memory.
"""

from __future__ import annotations

import math

import numpy as np
from rasterio.io import DatasetReader

from roadstead.core.errors import SceneError

MOST_BLOCK_BYTES = 256 * 1024 * 1024
"""Of one block as it is decoded: a whole tile of 10980 x 10980 pixels of 16 bits in one strip has 241 MB."""
MOST_BLOCKS = 16_000_000
"""GDAL keeps 16 bytes of each; a tile in blocks of 16 x 16 pixels has half a million."""
MOST_BANDS = 512
MOST_PIXELS = 1_000_000_000
"""Of one raster that are read for one frame, and of a frame: a whole tile has 0.12 billion."""
NAMES_FILES = ("OVERVIEWS", "ProxyOverviewRequest", "GEOLOCATION")
"""Metadata domains by which a file names others that GDAL then opens, of any kind and wherever they lie.
Source: GDAL 3.10, gcore/gdaldefaultoverviews.cpp and alg/gdalgeoloc.cpp."""


def check_structure(dataset: DatasetReader, name: str) -> None:
    """Check that a raster can be read within bounds and stands alone.

    Raises:
        SceneError: its blocks are too large or too many, it has too many bands, or it names other files.
    """
    for domain in NAMES_FILES:
        if dataset.tags(ns=domain):
            raise SceneError(
                f"{name}: names other files ({domain}), which are not read; write it anew without them"
            )
    if dataset.count > MOST_BANDS:
        raise SceneError(f"{name}: has {dataset.count} bands, and more than {MOST_BANDS} are not read")
    high, wide = dataset.block_shapes[0]
    together = dataset.count if str(dataset.interleaving or "").lower().endswith("pixel") else 1
    size = high * wide * np.dtype(dataset.dtypes[0]).itemsize * together
    if size > MOST_BLOCK_BYTES:
        raise SceneError(
            f"{name}: its blocks of {wide} x {high} pixels take {size / 1e6:,.0f} MB each, and more than "
            f"{MOST_BLOCK_BYTES / 1e6:.0f} MB are not read; write it as a Cloud Optimized GeoTIFF"
        )
    blocks = math.ceil(dataset.height / high) * math.ceil(dataset.width / wide)
    if blocks > MOST_BLOCKS:
        raise SceneError(
            f"{name}: has {blocks:,} blocks of {wide} x {high} pixels, and more than {MOST_BLOCKS:,} "
            "are not read; write it as a Cloud Optimized GeoTIFF"
        )


def check_pixels(count: float, name: str) -> None:
    """Check that no more pixels are read for one frame than a machine reads in a minute.

    Raises:
        SceneError: it is more than `MOST_PIXELS`.
    """
    if not count <= MOST_PIXELS:
        raise SceneError(
            f"{name}: {count:,.0f} pixels would have to be read, and more than {MOST_PIXELS:,} are not; "
            "cut out the port, or write it with larger pixels"
        )


def check_thinned(dataset: DatasetReader, side_px: int, name: str) -> None:
    """Check that a view of a whole raster of so many pixels a side is read from its overviews, or is small.

    Raises:
        SceneError: more than `MOST_PIXELS` would be read for it.
    """
    step = max(dataset.width, dataset.height) / side_px
    fitting = [factor for factor in dataset.overviews(1) if factor <= step]
    check_pixels(dataset.width * dataset.height / max([1, *fitting]) ** 2, name)
