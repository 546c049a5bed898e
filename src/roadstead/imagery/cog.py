"""Writing Cloud Optimized GeoTIFFs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import rasterio
from numpy.typing import NDArray
from rasterio.io import MemoryFile
from rasterio.shutil import copy as raster_copy

from roadstead.errors import StoreError
from roadstead.geo import Grid


def write_cog(
    path: Path,
    array: NDArray[Any],
    grid: Grid,
    *,
    nodata: float | None = 0.0,
    band_names: Sequence[str] | None = None,
    tags: Mapping[str, str] | None = None,
    overviews: bool = True,
    resampling: str = "average",
) -> None:
    """Write a Cloud Optimized GeoTIFF under a temporary name, then rename it.

    The same input gives the same bytes.

    Args:
        path: file to write; its folder is made.
        array: [B, H, W] of the grid's size.
        grid: CRS and place of the pixels.
        nodata: value of pixels without data.
        band_names: one description a band.
        tags: file tags such as ``TIFFTAG_DATETIME``.
        overviews: whether to add overviews.
        resampling: how overviews are made; ``nearest`` for classes.

    Raises:
        ValueError: the array is not of the grid's size.
        StoreError: the file cannot be written; an earlier one is as it was.
    """
    if array.ndim != 3 or array.shape[1:] != (grid.height, grid.width):
        raise ValueError(f"array of shape {array.shape} on a grid of {grid.height} x {grid.width} pixels")
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with rasterio.Env(GDAL_PAM_ENABLED="NO"), MemoryFile() as memory:
            _fill(memory, array, grid, nodata, band_names, tags)
            # Python writes the bytes: GDAL may close a file on a full disk without a word.
            temporary.write_bytes(_as_cog(memory, overviews, resampling))
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written: {error}") from error


def _fill(
    memory: MemoryFile,
    array: NDArray[Any],
    grid: Grid,
    nodata: float | None,
    band_names: Sequence[str] | None,
    tags: Mapping[str, str] | None,
) -> None:
    profile = {
        "driver": "GTiff",
        "dtype": array.dtype,
        "count": array.shape[0],
        "width": grid.width,
        "height": grid.height,
        "crs": grid.crs,
        "transform": grid.transform,
        "nodata": nodata,
    }
    with memory.open(**profile) as dataset:
        dataset.write(array)
        if band_names:
            dataset.descriptions = tuple(band_names)
        if tags:
            dataset.update_tags(**tags)


def _as_cog(memory: MemoryFile, overviews: bool, resampling: str) -> bytes:
    with memory.open() as dataset, MemoryFile(ext=".tif") as cog:
        raster_copy(
            dataset,
            cog.name,
            driver="COG",
            compress="DEFLATE",
            predictor="YES",
            blocksize=256,
            overviews="AUTO" if overviews else "NONE",
            overview_resampling=resampling,
        )
        return bytes(cog.read())
