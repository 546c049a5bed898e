"""Terrain of a simulated port, and what of it each radar pixel shows.

Hills are made up from the coast alone, so that every pass over a port sees the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from roadstead.core.geo import Array, Grid
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.ground import Ground
from roadstead_lab.simulate.radar.geometry import RadarGeometry
from roadstead_lab.simulate.texture import FloatArray, coarse_noise, enlarged, smoothstep

_FLAT_SHORE_M = 100.0
_RISE = 0.15
_RISE_OVER_M = 2_000.0
_STEP = 5
_ITERATIONS = 12
"""Slopes stay below 0.28, half the tangent of 29 degrees, so that each at least halves the error."""


@dataclass(frozen=True)
class TerrainView:
    """Map places that the pixels of a radar frame show."""

    colrow: FloatArray
    """[2, H, W] column and row in the ground's grid."""
    gain: FloatArray
    """[H, W] ground imaged in a pixel, over the pixel's own area: over 1 on slopes that face the radar."""


def terrain_height(ground: Ground) -> FloatArray:
    """Return [H, W] metres above the sea: smooth hills up to 300 m, 0 on water and along the shore."""
    grid = ground.grid
    rng = generator(0, "terrain", grid.crs, *(round(v) for v in grid.bounds_xy))
    shape = (grid.height, grid.width)
    inland = np.clip(-ground.shore_distance_m - np.float32(_FLAT_SHORE_M), 0, np.float32(_RISE_OVER_M))
    smooth = ndimage.gaussian_filter(inland, 8.0)
    noise = enlarged(coarse_noise(rng, shape, 300.0, 3, roughness=0.35), shape)
    hills = np.float32(0.2) + np.float32(0.8) * smoothstep(noise, -1.5, 2.0)
    return np.where(ground.land_share > 0, smooth * np.float32(_RISE) * hills, np.float32(0))


def height_at(terrain: FloatArray, grid: Grid, xy: Array) -> Array:
    """Return the terrain's height at (n, 2) map points; beyond the grid its edge goes on."""
    colrow = grid.xy_to_colrow(xy) - 0.5
    found = ndimage.map_coordinates(terrain, colrow.T[::-1], order=1, mode="nearest")
    return np.asarray(found, np.float64)


def imaged_ground(
    geometry: RadarGeometry, terrain: FloatArray, grid: Grid, colrow: Array
) -> tuple[Array, Array]:
    """Return the (n, 2) map points of the terrain that (n, 2) pixel coordinates show, and their heights.

    Found by iteration: guess a height, see which point of that height is imaged there, take its height.
    """
    height = np.zeros(len(colrow))
    for _ in range(_ITERATIONS):
        height = height_at(terrain, grid, geometry.colrow_to_xy(colrow, height))
    return geometry.colrow_to_xy(colrow, height), height


def view_terrain(geometry: RadarGeometry, terrain: FloatArray, grid: Grid) -> TerrainView:
    """Return what each pixel of a frame shows, worked out every 5 pixels and interpolated between."""
    shape = (-(-geometry.height // _STEP), -(-geometry.width // _STEP))
    full = (shape[0] * _STEP, shape[1] * _STEP)
    row, col = (np.arange(n) * _STEP + _STEP / 2 for n in shape)
    colrow = np.stack(np.meshgrid(col, row), axis=-1).reshape(-1, 2)
    xy, _ = imaged_ground(geometry, terrain, grid, colrow)
    # Only the displacement by height is interpolated; the rest is exact.
    moved = ((xy - geometry.colrow_to_xy(colrow)) / grid.pixel_m).reshape(*shape, 2)
    fields = [enlarged(moved[..., axis].astype(np.float32), full) for axis in (0, 1)]
    east, south = (field[: geometry.height, : geometry.width] for field in fields)
    return TerrainView(_flat_view(geometry, grid, east, -south), _gain(moved, full, geometry))


def _flat_view(geometry: RadarGeometry, grid: Grid, east: FloatArray, south: FloatArray) -> FloatArray:
    """Add the frame's own turned axes to displacements, all in pixels of the map's grid."""
    base, right, down = grid.xy_to_colrow(
        geometry.colrow_to_xy(np.array([[0.5, 0.5], [1.5, 0.5], [0.5, 1.5]]))
    )
    out = np.empty((2, geometry.height, geometry.width), np.float32)
    rows, cols = np.arange(geometry.height)[:, None], np.arange(geometry.width)
    for axis, moved in enumerate((east, south)):
        step = right[axis] - base[axis], down[axis] - base[axis]
        np.add(moved, base[axis] + step[0] * cols + step[1] * rows, out=out[axis], casting="unsafe")
    return out


def _gain(moved: Array, full: tuple[int, int], geometry: RadarGeometry) -> FloatArray:
    """Area factor ``1 + d(displacement) / d(range)``, to first order (Ulander 1996, IEEE TGRS 34)."""
    look = np.radians(geometry.look_deg)
    outward = moved[..., 0] * np.sin(look) + moved[..., 1] * np.cos(look)
    slope = np.gradient(outward, axis=1) / _STEP if moved.shape[1] > 1 else np.zeros_like(outward)
    gain = np.clip(1.0 + slope, 0.2, 6.0).astype(np.float32)
    return enlarged(gain, full)[: geometry.height, : geometry.width]
