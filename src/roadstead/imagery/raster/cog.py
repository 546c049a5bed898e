"""Writing GeoTIFFs: Cloud Optimized ones, and ones placed by ground control points, as Sentinel-1 GRD are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint
from rasterio.io import MemoryFile
from rasterio.shutil import copy as raster_copy

from roadstead.core.atomic_files import replacing
from roadstead.core.geo import WGS84, Array, Grid


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

    def fill(memory: MemoryFile) -> None:
        _fill(memory, array, grid, nodata, band_names, tags)

    save_cog(
        path, fill, blocksize=256, overviews="AUTO" if overviews else "NONE", overview_resampling=resampling
    )


def save_cog(path: Path, fill: Callable[[MemoryFile], None], **options: str | int) -> None:
    """Write what a function puts into a raster in memory as a Cloud Optimized GeoTIFF, whole or not at all.

    Args:
        path: file to write; its folder is made.
        fill: writes a GeoTIFF into the memory file it is given.
        options: creation options of GDAL's COG driver.

    Raises:
        StoreError: the file cannot be written; an earlier one is as it was.
    """
    with replacing(path) as temporary, rasterio.Env(GDAL_PAM_ENABLED="NO"), MemoryFile() as memory:
        fill(memory)
        # Python writes the bytes: GDAL may close a file on a full disk without a word.
        temporary.write_bytes(_as_cog(memory, options))


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


def _as_cog(memory: MemoryFile, options: Mapping[str, str | int]) -> bytes:
    with memory.open() as dataset, MemoryFile(ext=".tif") as cog:
        raster_copy(dataset, cog.name, driver="COG", compress="DEFLATE", predictor="YES", **options)
        return bytes(cog.read())


def write_gcp_tiff(
    path: Path,
    array: NDArray[Any],
    colrow: Array,
    lonlat: Array,
    height_m: Array,
    *,
    nodata: float | None = 0.0,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write a one-band Cloud Optimized GeoTIFF with ground control points and neither CRS nor transform.

    The points' own CRS is EPSG:4326 with heights in metres. It is written under a temporary name, then renamed;
    the same input gives the same bytes.

    Args:
        path: File to write; its folder is made.
        array: [H, W].
        colrow: [n, 2] pixel coordinates of the points, (0, 0) at the first pixel's outer corner.
        lonlat: [n, 2] degrees.
        height_m: [n].
        nodata: Value of pixels without data.
        tags: File tags such as ``TIFFTAG_DATETIME``.

    Raises:
        ValueError: array or points have other shapes, or there are fewer than 3 points.
        StoreError: the file cannot be written; an earlier one is as it was.
    """
    points = _points(array, colrow, lonlat, height_m)

    def fill(memory: MemoryFile) -> None:
        _fill_by_points(memory, array, points, nodata, tags)

    save_cog(path, fill, blocksize=512, overviews="NONE")


def _points(array: NDArray[Any], colrow: Array, lonlat: Array, height_m: Array) -> list[GroundControlPoint]:
    if array.ndim != 2:
        raise ValueError(f"array of shape {array.shape} is not one band")
    count = len(height_m)
    if colrow.shape != (count, 2) or lonlat.shape != (count, 2) or count < 3:
        raise ValueError(f"control points of shapes {colrow.shape}, {lonlat.shape}, {np.shape(height_m)}")
    rows = np.column_stack([colrow, lonlat, height_m]).tolist()
    return [
        GroundControlPoint(row=row, col=col, x=lon, y=lat, z=height, id=str(number))
        for number, (col, row, lon, lat, height) in enumerate(rows, start=1)
    ]


def _fill_by_points(
    memory: MemoryFile,
    array: NDArray[Any],
    points: list[GroundControlPoint],
    nodata: float | None,
    tags: Mapping[str, str] | None,
) -> None:
    height, width = array.shape
    profile = {
        "driver": "GTiff",
        "dtype": array.dtype,
        "count": 1,
        "width": width,
        "height": height,
        "nodata": nodata,
        "gcps": points,
        "crs": WGS84,
    }
    with memory.open(**profile) as dataset:
        dataset.write(array, 1)
        if tags:
            dataset.update_tags(**tags)
