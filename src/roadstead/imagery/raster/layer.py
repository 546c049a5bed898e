"""One raster as seen on a grid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.crs import CRS as RioCRS
from rasterio.enums import MaskFlags, Resampling
from rasterio.io import DatasetReader
from rasterio.vrt import WarpedVRT
from rasterio.warp import reproject
from rasterio.windows import Window as RioWindow
from scipy.ndimage import minimum_filter
from shapely import get_coordinates
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from roadstead.core.errors import ReadError, SceneError
from roadstead.core.geo import Grid, Window, project
from roadstead.imagery.raster.reading import Raster, check_pixels

ALIGNED_PX = 1e-3
"""Grids that differ by less than this part of a pixel are the same."""
WARP_REACH_PX = 2
"""How far cubic convolution looks."""
Numbers = NDArray[Any]


@dataclass(frozen=True)
class Placement:
    """Where a raster whose pixels are those of a grid lies in it: its upper-left pixel."""

    col: int
    row: int


def resolve_placement(dataset_crs: RioCRS, transform: Affine, grid: Grid) -> Placement | None:
    """Return where a raster lies in a grid whose pixels it shares, or None where it must be warped."""
    px = grid.pixel_m
    # A pixel size off by 1e-6 would still be the same pixel at the far end of a 10980 px tile.
    same_size = abs(transform.a - px) < 1e-6 * px and abs(transform.e + px) < 1e-6 * px
    if not same_size or transform.b or transform.d or dataset_crs != RioCRS.from_user_input(grid.crs):
        return None
    col, row = (transform.c - grid.transform.c) / px, (grid.transform.f - transform.f) / px
    if abs(col - round(col)) > ALIGNED_PX or abs(row - round(row)) > ALIGNED_PX:
        return None
    return Placement(round(col), round(row))


def crs_of(dataset: DatasetReader) -> CRS:
    """Return the CRS of a raster.

    Raises:
        SceneError: it has none, or no geotransform.
    """
    if dataset.crs is None or dataset.transform.is_identity:
        lacks = "CRS" if dataset.crs is None else "geotransform"
        raise SceneError(
            f"{dataset.name}: has no {lacks}, so its pixels have no place; set one with gdal_edit"
        )
    return CRS.from_wkt(dataset.crs.to_wkt())


def frame_of(dataset: DatasetReader) -> Polygon:
    """Return the outline of a raster in its own CRS; rotated where its geotransform is."""
    corners = ((0, 0), (dataset.width, 0), (dataset.width, dataset.height), (0, dataset.height))
    return Polygon([dataset.transform @ corner for corner in corners])


def outline(dataset: DatasetReader, crs: str) -> BaseGeometry:
    """Return the outline of a raster in another CRS, its edges densified."""
    frame = frame_of(dataset)
    fine = frame.segmentize(max(frame.length / 80.0, 1e-9))
    return project(fine, crs_of(dataset).to_wkt(), crs)


def has_own_mask(dataset: DatasetReader) -> bool:
    """Return whether a raster carries a mask of its own, which is no alpha band: GDAL calls any fourth band so."""
    flags = dataset.mask_flag_enums[0]
    return MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags


def _part_under(dataset: DatasetReader, grid: Grid) -> RioWindow | None:
    """Return the window of a raster that covers a grid, with two pixels around it; None where it reaches none of it."""
    outer = project(box(*grid.bounds_xy).segmentize(grid.pixel_m * 64), grid.crs, crs_of(dataset).to_wkt())
    corners = [~dataset.transform @ place for place in get_coordinates(outer).tolist()]
    (left, top), (right, bottom) = np.min(corners, axis=0), np.max(corners, axis=0)
    col, row = max(math.floor(left) - 2, 0), max(math.floor(top) - 2, 0)
    width = min(math.ceil(right) + 2, dataset.width) - col
    height = min(math.ceil(bottom) + 2, dataset.height) - row
    return RioWindow(col, row, width, height) if width > 0 and height > 0 else None


def _pixels_in(dataset: DatasetReader, reach: tuple[float, float, float, float], grid: Grid) -> float:
    """Return about how many pixels of a raster, whose bounds in the grid's CRS are given, lie in the grid."""
    if not np.isfinite(reach).all():
        raise SceneError(f"{dataset.name}: its corners are nowhere on Earth; mend them with gdal_edit")
    west, south, east, north = reach
    left, bottom, right, top = grid.bounds_xy
    across, down = min(east, right) - max(west, left), min(north, top) - max(south, bottom)
    whole = (east - west) * (north - south)
    if across <= 0 or down <= 0 or not whole > 0:
        return 0.0
    share: float = across * down / whole
    return share * float(dataset.width) * float(dataset.height)


class Layer:
    """One raster as seen on a grid: its own pixels where the grids agree, else warped.

    Reflectance is warped by cubic convolution (a bilinear shift by half a pixel would blur hulls that are
    one or two pixels wide), classes and coarse views by nearest neighbour.
    """

    def __init__(self, raster: Raster, grid: Grid, *, nodata: float | None, nearest: bool) -> None:
        """Place a raster on a grid.

        Raises:
            SceneError: the raster has no CRS.
            ReadError: it cannot be read.
        """
        self._raster, self._grid = raster, grid
        self._nodata = 0.0 if nodata is None else nodata
        self._resampling = Resampling.nearest if nearest else Resampling.cubic
        self._placement, self._reach = raster.attempts(self._place)
        self.own_mask: bool = raster.attempts(has_own_mask)
        """The raster carries a mask of its own."""
        self._vrt: tuple[DatasetReader, WarpedVRT] | None = None

    def _place(self, dataset: DatasetReader) -> tuple[Placement | None, tuple[float, float, float, float]]:
        crs_of(dataset)
        reach = outline(dataset, self._grid.crs).bounds
        check_pixels(_pixels_in(dataset, reach, self._grid), self._raster.href.partition("?")[0])
        return resolve_placement(dataset.crs, dataset.transform, self._grid), reach

    def reaches(self, window: Window) -> bool:
        """Return whether any pixel of the raster lies in a window of the grid."""
        left, bottom, right, top = self._grid.crop(window).bounds_xy
        west, south, east, north = self._reach
        return left < east and right > west and bottom < north and top > south

    def read(self, bands: list[int], window: Window) -> Numbers:
        """Return the raster's numbers, [bands, height, width], no-data outside of it.

        Raises:
            ReadError: naming the raster.
        """
        return self._raster.attempts(lambda dataset: self._read(dataset, bands, window))

    def imaged(self, mask: int | None, window: Window) -> NDArray[np.bool_]:
        """Return where a mask says that the raster was imaged, [height, width].

        Args:
            mask: band that is 0 where it was not; None for the raster's own mask.
            window: of the grid.

        Raises:
            ReadError: naming the raster.
        """
        return self._raster.attempts(lambda dataset: self._imaged(dataset, mask, window))

    def _imaged(self, dataset: DatasetReader, mask: int | None, window: Window) -> NDArray[np.bool_]:
        grid = self._grid.crop(window)
        part = _part_under(dataset, grid)
        out = np.zeros((window.height, window.width), np.uint8)
        if part is None:
            return out.astype(bool)
        seen = dataset.read(mask, window=part) > 0 if mask else dataset.dataset_mask(window=part) > 0
        reproject(
            seen.astype(np.uint8),
            out,
            src_transform=dataset.transform @ Affine.translation(part.col_off, part.row_off),
            src_crs=dataset.crs,
            dst_transform=grid.transform,
            dst_crs=grid.crs,
            resampling=Resampling.nearest,
        )
        # Warped pixels are made of their neighbours too, so of what lies behind the mask.
        return out > 0 if self._placement is not None else minimum_filter(out, 2 * WARP_REACH_PX + 1) > 0

    def _read(self, dataset: DatasetReader, bands: list[int], window: Window) -> Numbers:
        if max(bands) > dataset.count:
            raise ReadError(f"{self._raster.href}: has {dataset.count} bands, band {max(bands)} is wanted")
        if self._placement is None:
            area = RioWindow(window.col, window.row, window.width, window.height)
            return np.asarray(self._warped(dataset).read(bands, window=area))
        return self._copied(dataset, bands, window, self._placement)

    def _copied(self, dataset: DatasetReader, bands: list[int], window: Window, at: Placement) -> Numbers:
        out = np.full((len(bands), window.height, window.width), self._nodata, dataset.dtypes[bands[0] - 1])
        col, row = window.col - at.col, window.row - at.row
        left, right = max(col, 0), min(col + window.width, dataset.width)
        top, bottom = max(row, 0), min(row + window.height, dataset.height)
        if left < right and top < bottom:
            part = dataset.read(bands, window=RioWindow(left, top, right - left, bottom - top))
            out[:, top - row : bottom - row, left - col : right - col] = part
        return out

    def _warped(self, dataset: DatasetReader) -> WarpedVRT:
        if self._vrt is None or self._vrt[0] is not dataset:
            self.close()
            self._vrt = (dataset, self._warp(dataset))
        return self._vrt[1]

    def _warp(self, dataset: DatasetReader) -> WarpedVRT:
        grid = self._grid
        return WarpedVRT(
            dataset,
            crs=grid.crs,
            transform=grid.transform,
            width=grid.width,
            height=grid.height,
            resampling=self._resampling,
            src_nodata=self._nodata,
            nodata=self._nodata,
            UNIFIED_SRC_NODATA="YES",
        )

    def close(self) -> None:
        """Close the warped view; the raster stays open."""
        if self._vrt is not None:
            self._vrt[1].close()
            self._vrt = None
