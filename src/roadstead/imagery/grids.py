"""The frames that overpasses are read on."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from affine import Affine
from pyproj import CRS
from rasterio.io import DatasetReader

from roadstead.geo import Grid, Window, to_lonlat, utm_crs
from roadstead.imagery.layer import crs_of, outline
from roadstead.imagery.raster import Raster
from roadstead.imagery.scene import Scene

PIXEL_M = 10.0
"""The pixel size that detection is trained at: that of Sentinel-2's visible bands."""


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
        SceneError: a raster has no CRS.
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
    with Raster(scene.assets["red"].href) as raster:
        bounds: tuple[float, float, float, float] = raster.attempts(lambda d: outline(d, crs)).bounds
        return bounds


def _grid_of(scene: Scene) -> Grid:
    with Raster(scene.assets["red"].href) as raster:
        return raster.attempts(resolve_grid)


def resolve_grid(dataset: DatasetReader) -> Grid:
    """Return a raster's own frame where it is north-up, UTM and 10 m, else a UTM frame that holds it.

    Raises:
        SceneError: it has no CRS.
    """
    crs, at = crs_of(dataset), dataset.transform
    utm = crs.utm_zone is not None
    north_up = not (at.b or at.d) and at.a > 0 > at.e
    if utm and north_up and abs(at.a - PIXEL_M) < 1e-6 and abs(at.e + PIXEL_M) < 1e-6:
        return Grid(_name(crs), at, dataset.width, dataset.height)
    centre = to_lonlat(outline(dataset, crs.to_wkt()).centroid, crs.to_wkt())
    target = _name(crs) if utm else utm_crs(centre.x, centre.y)
    west, south, east, north = outline(dataset, target).bounds
    left, top = PIXEL_M * math.floor(west / PIXEL_M), PIXEL_M * math.ceil(north / PIXEL_M)
    width, height = math.ceil((east - left) / PIXEL_M), math.ceil((top - south) / PIXEL_M)
    return Grid(target, Affine(PIXEL_M, 0.0, left, 0.0, -PIXEL_M, top), max(width, 1), max(height, 1))


def _name(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else crs.to_wkt()
