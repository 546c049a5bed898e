"""Writing GeoTIFFs that are placed by ground control points alone, as Sentinel-1 GRD measurements are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.control import GroundControlPoint
from rasterio.io import MemoryFile

from roadstead.core.geo import WGS84, Array
from roadstead.imagery.raster.cog import save_cog


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
        _fill(memory, array, points, nodata, tags)

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


def _fill(
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
