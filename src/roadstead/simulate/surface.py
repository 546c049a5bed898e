"""What the ground reflects before any ship or cloud: land with its quays, and water.

Reflectances are in the order red, green, blue, near infrared. Levels and spreads follow clear Sentinel-2
scenes of ten real ports: land 0.06-0.18 in the visible and 0.15-0.28 in the near infrared with a local
spread of 0.02-0.05; water with a spread of 0.0005-0.001 from pixel to pixel, turbid estuaries ten times so
over hundreds of metres.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from roadstead.simulate.ground import FloatArray, Ground, enlarged
from roadstead.simulate.hulls import PSF_SIGMA_PX
from roadstead.simulate.scenario import Spectrum
from roadstead.simulate.texture import fractal_noise, patchwork, smooth_noise, smoothstep

_WOOD = np.array([0.032, 0.042, 0.028, 0.19], np.float32)
_FIELDS = np.array(
    [
        [0.100, 0.090, 0.068, 0.22],
        [0.085, 0.085, 0.060, 0.24],
        [0.120, 0.107, 0.080, 0.24],
        [0.075, 0.077, 0.052, 0.20],
    ],
    np.float32,
)
_TOWN = np.array(
    [[0.12, 0.11, 0.10, 0.18], [0.16, 0.15, 0.135, 0.22], [0.09, 0.09, 0.08, 0.16], [0.20, 0.15, 0.12, 0.24]],
    np.float32,
)
_ROOFS = np.array(
    [
        [0.115, 0.155, 0.225, 0.24],
        [0.30, 0.30, 0.29, 0.33],
        [0.18, 0.13, 0.105, 0.24],
        [0.20, 0.20, 0.19, 0.23],
        [0.15, 0.145, 0.13, 0.19],
        [0.11, 0.11, 0.10, 0.16],
        [0.23, 0.225, 0.21, 0.26],
    ],
    np.float32,
)
_CONCRETE = np.array([0.165, 0.155, 0.14, 0.2], np.float32)
_COAL = np.array([0.06, 0.057, 0.054, 0.07], np.float32)
_MUD = np.array([0.15, 0.135, 0.105, 0.16], np.float32)
_INDUSTRY_M = 1400.0
_YARD_M = 350.0
_SPILL = 0.05
"""Share of the land's brightness that the air scatters over water beside it."""


def land_surface(ground: Ground, rng: np.random.Generator) -> FloatArray:
    """Return [H, W, 4] reflectance of land, defined everywhere; it does not change between overpasses."""
    shape = ground.land_share.shape
    size = (shape[0], shape[1])
    inland, industry, yard = -ground.shore_distance_m, *_near_quays(ground, size)
    fields = _FIELDS[patchwork(rng, size, 9.0, 23.0) % 4]
    wooded = smoothstep(fractal_noise(rng, size, 160.0, 5), -0.1, 0.7)
    colour = _mixed(fields, np.broadcast_to(_WOOD, fields.shape), wooded)
    town = smoothstep(fractal_noise(rng, size, 120.0, 4) + 1.6 * industry, 0.9, 1.3)
    colour = _mixed(colour, _buildings(rng, size, industry), town)
    colour = _mixed(colour, _yards(rng, size), yard)
    colour *= (1 + 0.16 * _relief(rng, size, industry))[..., None]
    colour *= (1 + 0.16 * rng.standard_normal(size, dtype=np.float32))[..., None]
    flats = smoothstep(-inland, -35.0, -5.0) * (1 - industry)
    colour = _mixed(colour, np.broadcast_to(_MUD, colour.shape), flats * np.float32(0.7))
    # What lies in a pixel is never one thing: neighbours share their light.
    return np.asarray(ndimage.gaussian_filter(np.clip(colour, 0.008, 0.7), (0.75, 0.75, 0.0)), np.float32)


def _mixed(a: FloatArray, b: FloatArray, share: FloatArray) -> FloatArray:
    return np.asarray(a + (b - a) * share[..., None], np.float32)


def _near_quays(ground: Ground, size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """[H, W] nearness to quays: 1 at a quay, 0 beyond the industry and the yards behind it."""
    step = 4
    marks = np.ones((-(-size[0] // step), -(-size[1] // step)), bool)
    for quay in ground.quays:
        metres = np.arange(0.0, quay.length_m, 20.0)
        xy = np.array([quay.place(m, 0.0) for m in metres])
        col, row = (ground.grid.xy_to_colrow(xy) // step).astype(int).T
        inside = (row >= 0) & (col >= 0) & (row < marks.shape[0]) & (col < marks.shape[1])
        marks[row[inside], col[inside]] = False
    far = np.full(marks.shape, np.inf) if marks.all() else ndimage.distance_transform_edt(marks)
    reach = np.minimum(far * step * ground.grid.pixel_m, 1e5)
    distance = enlarged(np.asarray(reach, np.float32), size)
    return 1 - smoothstep(distance, 0.3 * _INDUSTRY_M, _INDUSTRY_M), 1 - smoothstep(
        distance, 0.8 * _YARD_M, _YARD_M
    )


def _buildings(rng: np.random.Generator, size: tuple[int, int], industry: FloatArray) -> FloatArray:
    """Small houses in town, large roofs and paved ground among them near quays."""
    houses = _TOWN[patchwork(rng, size, 3.0, 31.0) % 4]
    number = patchwork(rng, size, 8.0, 12.0)
    sheds = np.where((number % 5 < 2)[..., None], _ROOFS[number % 7], _CONCRETE * np.float32(0.75))
    return _mixed(houses, np.asarray(sheds, np.float32), industry)


def _yards(rng: np.random.Generator, size: tuple[int, int]) -> FloatArray:
    """Ground right behind a quay: concrete, stacks of goods, coal heaps."""
    number = patchwork(rng, size, 5.0, 12.0)
    goods = np.where((number % 4 == 0)[..., None], _ROOFS[number % 7], _CONCRETE)
    heaps = smoothstep(smooth_noise(rng, size, 7.0), 0.7, 1.0)
    heaps *= smoothstep(smooth_noise(rng, size, 60.0), -0.2, 0.3)
    return _mixed(np.asarray(goods, np.float32), np.broadcast_to(_COAL, goods.shape), heaps)


def _relief(rng: np.random.Generator, size: tuple[int, int], industry: FloatArray) -> FloatArray:
    """Sunlit and shaded slopes of hills, flat near quays."""
    height = fractal_noise(rng, size, 90.0, 4, roughness=0.6)
    slope = np.diff(height, axis=1, prepend=height[:, :1]) - np.diff(height, axis=0, prepend=height[:1])
    return np.asarray(np.clip(slope * 9.0, -2.0, 2.0) * (1 - industry), np.float32)


def water_surface(
    ground: Ground, clear: Spectrum, turbid: Spectrum, glint: float, rng: np.random.Generator
) -> FloatArray:
    """Return [H, W, 4] reflectance of water, defined everywhere.

    Args:
        ground: The frame.
        clear: Reflectance of the clearest water.
        turbid: Reflectance of the water with most sediment.
        glint: Reflectance that sun glint adds on average.
        rng: Source of chance of this overpass.
    """
    shape = ground.land_share.shape
    size = (shape[0], shape[1])
    mud = 0.45 + 0.22 * fractal_noise(rng, size, 420.0, 6, roughness=0.55)
    mud += 0.35 * np.exp(-np.clip(ground.shore_distance_m, 0, None) / np.float32(900.0))
    share = np.clip(mud, 0, 1)[..., None]
    water = np.array(clear, np.float32) + share * np.array(np.subtract(turbid, clear), np.float32)
    water += (_glitter(rng, size, glint))[..., None]
    return np.asarray(water, np.float32)


def _glitter(rng: np.random.Generator, size: tuple[int, int], glint: float) -> FloatArray:
    """Light that waves throw, the same in all bands: slicks over kilometres, and grain per pixel."""
    slicks = np.clip(1 + 0.35 * fractal_noise(rng, size, 250.0, 4), 0.1, 2.5)
    grain = rng.standard_normal(size, dtype=np.float32) * np.float32(0.0005 + 0.12 * glint)
    return np.asarray(slicks * np.float32(glint) + grain * np.sqrt(slicks), np.float32)


def shore_blend(land: FloatArray, water: FloatArray, share: FloatArray) -> FloatArray:
    """Return [H, W, 4] land over water as the sensor sees their edge, with land light spilt on the water."""
    seen = ndimage.gaussian_filter(share, PSF_SIGMA_PX)
    blend = _mixed(water, land, seen)
    blend += _spill(land, share) * ((1 - seen) * np.float32(_SPILL))[..., None]
    return blend


def _spill(land: FloatArray, share: FloatArray) -> FloatArray:
    """[H, W, 4] brightness of land within about a kilometre, on a coarse grid."""
    step = 16
    coarse: NDArray[np.float32] = (land * share[..., None])[::step, ::step]
    near = ndimage.gaussian_filter(coarse, (4.0, 4.0, 0.0))
    return np.dstack([enlarged(near[..., band], share.shape) for band in range(4)])
