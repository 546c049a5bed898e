"""The frames that overpasses are read on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from affine import Affine
from pyproj import CRS
from pyproj.exceptions import ProjError
from rasterio.io import DatasetReader
from shapely import get_coordinates
from shapely.geometry.base import BaseGeometry

from roadstead.core.errors import SceneError
from roadstead.core.geo import PIXEL_M, WGS84, Grid, Window, project, utm_crs
from roadstead.imagery.raster.layer import crs_of, frame_of, outline
from roadstead.imagery.raster.reading import Raster
from roadstead.imagery.scene import Scene

"""The pixel size that detection is trained at: that of Sentinel-2's visible bands."""
COARSEST_M = 25.0
"""A ship of 100 m is four pixels of this size: where pixels are larger, finding none says nothing."""


def coarser(grid: Grid, pixel_m: float) -> Grid:
    """Return the grid with another pixel size that starts at the same corner and covers it."""
    across, down = grid.width * grid.pixel_m, grid.height * grid.pixel_m
    moved = Affine(pixel_m, 0.0, grid.transform.c, 0.0, -pixel_m, grid.transform.f)
    return Grid(grid.crs, moved, math.ceil(across / pixel_m - 1e-9), math.ceil(down / pixel_m - 1e-9))


def top_first(scenes: Sequence[Scene], grid: Grid) -> tuple[Scene, ...]:
    """Return scenes in the order in which they are taken: first those whose CRS is the grid's."""
    crs = {scene.scene_id: own_grid((scene,)).crs for scene in scenes} if len(scenes) > 1 else {}
    return tuple(sorted(scenes, key=lambda scene: (crs.get(scene.scene_id) != grid.crs, scene.scene_id)))


def own_grid(scenes: Sequence[Scene]) -> Grid:
    """Return the north-up UTM grid of 10 m that holds all scenes, on the first one's pixels.

    Raises:
        ReadError: a raster cannot be opened.
        SceneError: a raster has no CRS, no place on Earth, or pixels too coarse for ships.
    """
    first = _grid_of(scenes[0])
    if len(scenes) == 1:
        return first
    bounds = np.array([_bounds_in(scene, first.crs) for scene in scenes])
    (west, south), (east, north) = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
    ends = first.xy_to_colrow(np.array([[west, north], [east, south]]))
    # A hair of tolerance: an outline on a pixel edge must not add a pixel.
    col, row = np.floor(ends[0] + 1e-6).astype(int)
    right, bottom = np.ceil(ends[1] - 1e-6).astype(int)
    return first.crop(Window(int(col), int(row), int(right - col), int(bottom - row)))


def _bounds_in(scene: Scene, crs: str) -> tuple[float, float, float, float]:
    with Raster.of(scene.assets["red"]) as raster:
        bounds: tuple[float, float, float, float] = raster.attempts(lambda d: outline(d, crs)).bounds
        return bounds


def _grid_of(scene: Scene) -> Grid:
    with Raster.of(scene.assets["red"]) as raster:
        return raster.attempts(resolve_grid)


def resolve_grid(dataset: DatasetReader) -> Grid:
    """Return a raster's own frame where it is north-up, UTM and 10 m, else a UTM frame that holds it.

    Raises:
        SceneError: it has no CRS, no place on Earth, or pixels larger than `COARSEST_M`.
    """
    crs, at = crs_of(dataset), dataset.transform
    centre = _on_earth(dataset).centroid
    utm = crs.utm_zone is not None
    north_up = not (at.b or at.d) and at.a > 0 > at.e
    if utm and north_up and abs(at.a - PIXEL_M) < 1e-6 and abs(at.e + PIXEL_M) < 1e-6:
        return Grid(_name(crs), at, dataset.width, dataset.height)
    target = _name(crs) if utm else utm_crs(centre.x, centre.y)
    if not (size := _pixel_m(dataset, target)) <= COARSEST_M:
        raise SceneError(
            f"{dataset.name}: its pixels are {size:.0f} m; ships show in pixels of {COARSEST_M:.0f} m or less"
        )
    west, south, east, north = outline(dataset, target).bounds
    left, top = PIXEL_M * math.floor(west / PIXEL_M), PIXEL_M * math.ceil(north / PIXEL_M)
    width, height = math.ceil((east - left) / PIXEL_M), math.ceil((top - south) / PIXEL_M)
    return Grid(target, Affine(PIXEL_M, 0.0, left, 0.0, -PIXEL_M, top), max(width, 1), max(height, 1))


def _on_earth(dataset: DatasetReader) -> BaseGeometry:
    """Return a raster's outline in longitude and latitude."""
    try:
        frame = outline(dataset, WGS84)
    except ProjError as error:
        raise SceneError(
            f"{dataset.name}: its CRS has no place on Earth; set another with gdal_edit"
        ) from error
    lon, lat = get_coordinates(frame).T
    # Infinite or NaN fails too. A raster across 180 degrees may count on beyond it.
    if not (np.all(np.abs(lon) <= 360.0) and np.all(np.abs(lat) <= 90.0)):
        raise SceneError(
            f"{dataset.name}: its corners are nowhere on Earth: CRS and geotransform do not fit; "
            "mend them with gdal_edit"
        )
    return frame


def _pixel_m(dataset: DatasetReader, crs: str) -> float:
    """Return the longer side of a raster's pixels in a metric CRS."""
    frame = project(frame_of(dataset), crs_of(dataset).to_wkt(), crs)
    corner, right, _, below, _ = get_coordinates(frame)
    sides = np.hypot(*(right - corner)) / dataset.width, np.hypot(*(below - corner)) / dataset.height
    return float(max(sides))


def _name(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else crs.to_wkt()
