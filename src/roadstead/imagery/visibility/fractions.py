"""What of a place an overpass shows: shares of zones, the area searched, a picture."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.features import geometry_mask, shapes, sieve
from rasterio.warp import reproject
from shapely import make_valid, union_all
from shapely.geometry import MultiPolygon, Polygon, box, shape
from shapely.geometry.base import BaseGeometry
from shapely.prepared import prep

from roadstead.core.geo import WGS84, Grid, Window, distance_m, to_lonlat
from roadstead.imagery.optical.stack import Block, Stack
from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead.imagery.visibility.shadow_glint import Coarse

BLOCK_CELLS = 512
SPECK_CELLS = 4
"""Patches smaller than this are merged into what surrounds them when an area is drawn."""
NOTHING = 225
"""Grey of ground that was not imaged."""
_NEARLY = 12
"""How far from it a stored picture, which is lossy, may be."""
_LEAST_CONTRAST = 0.25
"""Open water alone is not stretched to black and white: its noise would look like ships."""
_GAMMA = 0.8
Mask = NDArray[np.bool_]


HIDDEN_BY = ("cloud", "shadow", "glint", "no_data")
"""What hides a hull; a place is counted under the first that holds, no_data before all."""


@dataclass(frozen=True)
class Visibility:
    """What share of a zone could be seen, and what hid the rest; they sum to 1."""

    seen: float
    cloud: float = 0.0
    shadow: float = 0.0
    """In the shadow of cloud, itself free of cloud."""
    glint: float = 0.0
    """Under sun glint that hides hulls, and not in shadow."""
    no_data: float = 0.0
    """Not imaged, or outside the grid."""

    @property
    def hidden(self) -> dict[str, float]:
        """What hid the rest, by `HIDDEN_BY`."""
        return {name: getattr(self, name) for name in HIDDEN_BY}


def blocks(grid: Grid, within: BaseGeometry | None) -> Iterator[Window]:
    """Yield windows that cover a grid, leaving out those that ``within`` (CRS of the grid) doesn't touch."""
    touched = None if within is None else prep(within)
    for row in range(0, grid.height, BLOCK_CELLS):
        for col in range(0, grid.width, BLOCK_CELLS):
            width, height = min(BLOCK_CELLS, grid.width - col), min(BLOCK_CELLS, grid.height - row)
            window = Window(col, row, width, height)
            if touched is None or touched.intersects(box(*grid.crop(window).bounds_xy)):
                yield window


def shares(stack: Stack, polygons: Mapping[str, BaseGeometry]) -> dict[str, Visibility]:
    """Return what share of each polygon (CRS of the stack's grid) was seen, and what hid the rest.

    A part of a polygon outside the grid is without data.
    """
    counts = {name: np.zeros(1 + len(HIDDEN_BY), int) for name in polygons}
    for window in blocks(stack.grid, union_all(list(polygons.values()))):
        crop = stack.grid.crop(window)
        frame = box(*crop.bounds_xy)
        inside = {name: _cells(area, crop) for name, area in polygons.items() if area.intersects(frame)}
        why = _reasons(stack.read(window))
        for name, cells in inside.items():
            counts[name] += np.bincount(why[cells], minlength=1 + len(HIDDEN_BY))
    frame = box(*stack.grid.bounds_xy)
    return {
        name: _visibility(counts[name], area.intersection(frame).area / area.area)
        for name, area in polygons.items()
    }


def _reasons(block: Block) -> NDArray[np.uint8]:
    """Return [H, W] 0 where seen, else 1 + the place in `HIDDEN_BY` of what hides it first."""
    why = np.zeros(block.valid.shape, np.uint8)
    for number, veil in ((3, block.glint), (2, block.shadow), (1, block.cloud)):
        if veil is not None:
            why[veil] = number
    why[~block.valid] = 4
    return why


def _visibility(count: NDArray[np.int_], inside: float) -> Visibility:
    """Return shares of cells counted in the part of a polygon that lies in the grid."""
    if not count.sum():
        return Visibility(0.0, no_data=1.0)
    part = count / count.sum() * min(inside, 1.0)
    shown = [min(float(value), 1.0) for value in part]
    shown[4] = max(1.0 - sum(shown[:4]), 0.0)
    return Visibility(*shown)


def _cells(area: BaseGeometry, grid: Grid) -> Mask:
    """Return cells whose centre lies in an area; the cells it touches where it holds no centre."""
    cells = _rasterized(area, grid, touched=False)
    return cells if cells.any() else _rasterized(area, grid, touched=True)


def _rasterized(area: BaseGeometry, grid: Grid, *, touched: bool) -> Mask:
    out = (grid.height, grid.width)
    return np.asarray(geometry_mask([area], out, grid.transform, all_touched=touched, invert=True))


def polygons_of(stack: Stack, within: BaseGeometry | None) -> BaseGeometry:
    """Return where a stack is seen as a valid MultiPolygon, EPSG:4326; empty where nowhere."""
    parts = [part for window in blocks(stack.grid, within) for part in _clear_parts(stack, window)]
    if not parts:
        return MultiPolygon()
    area = make_valid(union_all(parts).simplify(stack.grid.pixel_m))
    if within is not None:
        area = area.intersection(within)
    lonlat = make_valid(to_lonlat(area, stack.grid.crs))
    polygons = [part for part in _flat(lonlat) if not part.is_empty]
    return MultiPolygon(polygons)


def _clear_parts(stack: Stack, window: Window) -> list[BaseGeometry]:
    clear = stack.read(window).seen.astype(np.uint8)
    if not clear.any():
        return []
    if clear.size > SPECK_CELLS:
        clear = sieve(clear, SPECK_CELLS, connectivity=8)
    at = stack.grid.crop(window).transform
    return [shape(part) for part, _ in shapes(clear, mask=clear.astype(bool), transform=at)]


def _flat(geometry: BaseGeometry) -> list[Polygon]:
    if isinstance(geometry, Polygon):
        return [geometry]
    return [part for piece in getattr(geometry, "geoms", ()) for part in _flat(piece)]


def coarse_of(stack: Stack) -> Coarse:
    """Return a whole stack for `veils`; its pixels are cells."""
    size = (stack.grid.height, stack.grid.width)
    light, nir = np.zeros(size, np.float32), np.full(size, np.nan, np.float32)
    cloud, water, water_scl = (np.zeros(size, bool) for _ in range(3))
    for window in blocks(stack.grid, None):
        block, here = stack.read(window), window.slices
        light[here] = block.rgb[2] * np.float32(VISUAL_FULL_SCALE)
        if block.nir is not None and block.cloud is not None and block.water is not None:
            nir[here], cloud[here] = block.nir, block.cloud
            # Without SCL there is no cloud to cast shadow, and what looks like water may be anything.
            water[here] = block.clear & block.land_known & ~np.asarray(block.land)
            water_scl[here] = block.water & block.clear
    return Coarse(light, nir, cloud, water, water_scl)


def picture(stack: Stack, max_px: int) -> tuple[NDArray[np.uint8], tuple[float, float, float, float]]:
    """Return a stack as an 8-bit picture [H, W, 3] in EPSG:4326, and its bounds (w, s, e, n)."""
    grid = stack.grid
    rgb = np.zeros((3, grid.height, grid.width), np.float32)
    valid = np.zeros((grid.height, grid.width), bool)
    for window in blocks(grid, None):
        block = stack.read(window)
        rgb[:, *window.slices], valid[window.slices] = block.rgb, block.valid
    shown = np.where(valid, _stretched(rgb, valid), NOTHING).astype(np.uint8)
    return _to_lonlat(shown, grid, max_px)


def chip(rgb: NDArray[np.float32], valid: Mask) -> NDArray[np.uint8]:
    """Return a small window as an 8-bit picture [H, W, 3] on its own pixels."""
    shown = np.where(valid, _stretched(rgb, valid), NOTHING).astype(np.uint8)
    return np.moveaxis(shown, 0, -1)


def _stretched(rgb: NDArray[np.float32], valid: Mask) -> NDArray[np.float32]:
    """Return 0..255 with all bands stretched alike, so that water keeps its colour."""
    if not valid.any():
        return rgb
    low, high = np.percentile(rgb[:, valid], (0.5, 99.0))
    shown = np.clip((rgb - low) / max(high - low, _LEAST_CONTRAST), 0.0, 1.0) ** _GAMMA * 255.0
    return np.asarray(shown, np.float32)


def imaged_part(shown: NDArray[np.uint8], least: float = 0.25) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom), in pixels, of what was imaged in a stored `picture` [H, W, 3].

    With a small margin, and at least so large a share of either side; all of it where nothing was imaged.
    """
    imaged = np.asarray((np.abs(shown.astype(np.int16) - NOTHING) > _NEARLY).any(axis=-1))
    left, right = _reach(np.asarray(imaged.any(axis=0)), least)
    top, bottom = _reach(np.asarray(imaged.any(axis=1)), least)
    return left, top, right, bottom


def _reach(held: NDArray[np.bool_], least: float) -> tuple[int, int]:
    """Return the first and the one past the last place of what is held, with a margin."""
    size, places = len(held), np.flatnonzero(held)
    if not len(places):
        return 0, size
    low, high = float(places[0]), float(places[-1] + 1)
    more = max(0.02 * (high - low), (least * size - (high - low)) / 2)
    return max(0, math.floor(low - more)), min(size, math.ceil(high + more))


def _to_lonlat(
    shown: NDArray[np.uint8], grid: Grid, max_px: int
) -> tuple[NDArray[np.uint8], tuple[float, float, float, float]]:
    west, south, east, north = grid.footprint_lonlat.bounds
    middle = np.array([[(west + east) / 2.0, (south + north) / 2.0]])
    across = float(distance_m(np.array([[west, middle[0, 1]]]), np.array([[east, middle[0, 1]]]))[0])
    down = float(distance_m(np.array([[middle[0, 0], south]]), np.array([[middle[0, 0], north]]))[0])
    pixel_m = max(grid.pixel_m, across / max_px, down / max_px)
    width, height = max(int(across / pixel_m), 1), max(int(down / pixel_m), 1)
    at = Affine((east - west) / width, 0.0, west, 0.0, (south - north) / height, north)
    out = np.full((3, height, width), NOTHING, np.uint8)
    reproject(
        shown,
        out,
        src_transform=grid.transform,
        src_crs=grid.crs,
        dst_transform=at,
        dst_crs=WGS84,
        resampling=Resampling.bilinear,
        init_dest_nodata=False,
    )
    return np.moveaxis(out, 0, -1), (west, south, east, north)
