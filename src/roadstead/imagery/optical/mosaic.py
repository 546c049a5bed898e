"""An overpass opened for reading: one image on one grid, never held whole in memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from threading import RLock
from types import TracebackType
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from roadstead.core.geo import Grid, Window, lonlat_to_xy, project
from roadstead.imagery.optical.reflectance_offset import with_checked_offset
from roadstead.imagery.optical.stack import Block, Stack, padded
from roadstead.imagery.raster.grids import coarser, own_grid, top_first
from roadstead.imagery.raster.reading import check_pixels
from roadstead.imagery.scene import Overpass, Scene
from roadstead.imagery.visibility.fractions import Visibility, chip, coarse_of, picture, polygons_of, shares
from roadstead.imagery.visibility.shadow_glint import CELL_M, Veils, reach_cells, sun_on, veils

VISIBILITY_PIXEL_M = 20.0
"""Cells in which visible shares of a large place are counted: SCL's own; zones are 300 m wide or more."""
AREA_CELLS = 4_000_000
"""A place of more pixels than this is looked at in coarser cells for shares and areas."""
BLOCK_PX = 1024
CHIP_PX = 64
"""Side of a cut-out: 640 m, the longest hull and its surroundings."""


class Mosaic:
    """The scenes of one overpass as one image on one grid; a context manager.

    Every pixel comes from one scene: the first that has data there, scenes in the grid's own CRS first, then
    by `Scene.scene_id`. So ground that lies in two tiles is there once. Rasters are opened once, on entering;
    reads take one lock.
    """

    def __init__(self, overpass: Overpass, grid: Grid | None = None) -> None:
        """Open nothing yet.

        Args:
            overpass: what to read.
            grid: frame to read on; None for the scenes' own (north-up, UTM, 10 m; rasters in another CRS,
                rotated, or of another pixel size are warped to that).
        """
        self._overpass, self._wanted = overpass, grid
        self._stack: Stack | None = None
        self._grid: Grid | None = grid
        self._lock = RLock()
        self.scenes: tuple[Scene, ...] = overpass.scenes

    def __enter__(self) -> Mosaic:
        """Open every raster.

        Raises:
            ReadError: a raster cannot be opened; names scene and raster.
            SceneError: a raster has no CRS.
        """
        scenes = tuple(with_checked_offset(scene) for scene in self._overpass.scenes)
        grid = self._wanted or own_grid(scenes)
        check_pixels(grid.width * grid.height, self._overpass.overpass_id)
        self._grid = grid
        self.scenes = top_first(scenes, grid)
        self._stack = Stack(self.scenes, grid)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        """Close every raster."""
        if self._stack is not None:
            self._stack.close()
            self._stack = None
        return False

    @property
    def grid(self) -> Grid:
        """The frame that windows refer to."""
        if self._grid is None:
            raise ValueError("a mosaic without a given grid has one only inside its 'with' block")
        return self._grid

    @property
    def cloud(self) -> str:
        """``known`` where every scene has SCL, else ``unknown``."""
        return "known" if all("scl" in scene.assets for scene in self.scenes) else "unknown"

    @property
    def block_shape(self) -> tuple[int, int]:
        """(rows, columns) that are cheap to read at once: a few COG tiles."""
        return BLOCK_PX, BLOCK_PX

    def read(self, window: Window) -> Block:
        """Read one window; ground that no scene imaged is not valid.

        Raises:
            ValueError: the window is not wholly inside the grid, or the mosaic is not opened.
            ReadError: pixels cannot be read; names scene and raster.
        """
        with self._lock:
            if self._stack is None:
                raise ValueError("read a mosaic inside its 'with' block")
            return self._stack.read(window)

    def visibility(self, polygons: Mapping[str, BaseGeometry]) -> dict[str, float]:
        """Return the share of each polygon in which a hull would have been seen, in 0..1: `Visibility.seen`.

        Raises:
            ReadError: pixels cannot be read.
        """
        return {name: share.seen for name, share in self.visibilities(polygons).items()}

    def visibilities(self, polygons: Mapping[str, BaseGeometry]) -> dict[str, Visibility]:
        """Return what share of each polygon was seen, and what hid the rest: cloud, its shadow, glint, no data.

        Counted over the polygons' bounds alone, in pixels of the grid, or in 20 m cells from COG overviews where
        the grid has more than `AREA_CELLS` pixels. Where cloud is unknown, valid counts as seen: `cloud`
        says so.

        Args:
            polygons: name -> Polygon or MultiPolygon, EPSG:4326.

        Raises:
            ReadError: pixels cannot be read.
        """
        if not polygons:
            return {}
        local = {name: project(shape, "EPSG:4326", self.grid.crs) for name, shape in polygons.items()}
        small = self.grid.width * self.grid.height <= AREA_CELLS
        with self._coarse(self.grid.pixel_m if small else VISIBILITY_PIXEL_M, self.veils()) as stack:
            return shares(stack, local)

    def veils(self) -> Veils | None:
        """Return where shadow of cloud and sun glint hide hulls; looked for once, on first use.

        None where no scene has both SCL and near infrared, or the sun's place is not known or is too low to tell:
        then neither is told.

        Raises:
            ReadError: pixels cannot be read.
        """
        with self._lock:
            return self._veils

    @cached_property
    def _veils(self) -> Veils | None:
        sun = sun_on(self.grid, self.scenes)
        if sun is None or not any({"scl", "nir"} <= scene.assets.keys() for scene in self.scenes):
            return None
        cells = coarser(self.grid, CELL_M)
        margin = reach_cells(sun[1])
        with self._coarse(CELL_M, None, margin) as stack:
            return veils(coarse_of(stack), cells, margin, sun)

    def valid_area(self, within: BaseGeometry | None = None) -> BaseGeometry:
        """Return where the overpass shows every hull: MultiPolygon, EPSG:4326.

        Valid and, where cloud is known, neither cloud nor its shadow nor under strong glint.

        Drawn from cells of 10 m, coarser where the place has more than `AREA_CELLS` of them; specks under four
        cells are left out.

        Args:
            within: look here alone (EPSG:4326); None for the whole grid.

        Raises:
            ReadError: pixels cannot be read.
        """
        grid = self.grid
        local = None if within is None else project(within, "EPSG:4326", grid.crs)
        left, bottom, right, top = grid.bounds_xy if local is None else local.bounds
        cell = math.sqrt((right - left) * (top - bottom) / AREA_CELLS)
        pixel_m = max(grid.pixel_m, 10.0 * math.ceil(cell / 10.0))
        with self._coarse(pixel_m, self.veils()) as stack:
            return polygons_of(stack, local)

    def quicklook(self, max_px: int = 1500) -> tuple[NDArray[np.uint8], tuple[float, float, float, float]]:
        """Return a picture for reports: uint8 RGB [H, W, 3] and its bounds (w, s, e, n) in degrees.

        The picture is in longitude/latitude (EPSG:4326, rows evenly spaced in latitude), brightened for water;
        light grey where nothing was imaged.

        Raises:
            ReadError: pixels cannot be read.
        """
        longest = max(self.grid.width, self.grid.height) * self.grid.pixel_m
        pixel_m = max(self.grid.pixel_m, longest / max_px)
        with self._coarse(pixel_m) as stack:
            return picture(stack, max_px)

    def chip(self, lon: float, lat: float, side_px: int = CHIP_PX) -> NDArray[np.uint8]:
        """Return a cut-out on the grid's own pixels: uint8 RGB [h, w, 3], the place in its middle.

        Smaller than ``side_px`` at the grid's edge.

        Raises:
            ReadError: pixels cannot be read.
            ValueError: the place lies outside the grid.
        """
        xy = lonlat_to_xy(np.array([[lon, lat]]), self.grid.crs)
        col, row = np.floor(self.grid.xy_to_colrow(xy)[0]).astype(int)
        return self.shown(self.grid.square(int(col), int(row), side_px))

    def shown(self, window: Window) -> NDArray[np.uint8]:
        """Return a window as a picture on the grid's own pixels, brightened for water: uint8 RGB [h, w, 3].

        Raises:
            ReadError: pixels cannot be read.
        """
        block = self.read(window)
        return chip(block.rgb, block.valid)

    @contextmanager
    def _coarse(self, pixel_m: float, veils: Veils | None = None, margin: int = 0) -> Iterator[Stack]:
        with self._lock:
            frame = padded(coarser(self.grid, pixel_m), margin)
            stack = Stack(self.scenes, frame, coarse=True, veils=veils)
            try:
                yield stack
            finally:
                stack.close()
