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
from roadstead.simulate.texture import Shape, fractal_noise, patchwork, smooth_noise, smoothstep

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
    """Return [4, H, W] reflectance of land, defined everywhere; it does not change between overpasses."""
    size = _size(ground)
    industry, yard = _near_quays(ground)
    colour = _painted(_FIELDS, patchwork(rng, size, 9.0, 23.0))
    _cover(colour, _WOOD, smoothstep(fractal_noise(rng, size, 160.0, 5), -0.1, 0.7))
    town = smoothstep(fractal_noise(rng, size, 120.0, 4) + np.float32(1.6) * industry, 0.9, 1.3)
    _cover(colour, _painted(_TOWN, patchwork(rng, size, 3.0, 31.0)), town)
    _build_sheds(colour, town * industry, rng)
    _lay_yards(colour, yard, rng)
    light = 1 + np.float32(0.16) * _relief(rng, size, industry)
    light *= 1 + np.float32(0.07) * rng.standard_normal(size, dtype=np.float32)
    flats = (1 - smoothstep(-ground.shore_distance_m, 5.0, 35.0)) * (1 - industry)
    for band in colour:
        band *= light
    _cover(colour, _MUD, flats * np.float32(0.7))
    # What lies in a pixel is never one thing: neighbours share their light.
    for band in colour:
        ndimage.gaussian_filter(np.clip(band, 0.008, 0.7), 0.75, output=band)
    return colour


def _size(ground: Ground) -> Shape:
    return ground.grid.height, ground.grid.width


def _painted(palette: FloatArray, number: NDArray[np.int32]) -> FloatArray:
    """[4, H, W] colours of a palette [n, 4], by numbers [H, W]."""
    index = number % len(palette)
    return np.stack([np.take(palette[:, band], index) for band in range(palette.shape[1])])


def _cover(colour: FloatArray, cover: FloatArray, share: FloatArray) -> None:
    """Lay a cover ([4] or [4, H, W]) over a share [H, W] of colour [4, H, W], in place."""
    for band, over in zip(colour, cover, strict=True):
        band += (over - band) * share


def _near_quays(ground: Ground) -> tuple[FloatArray, FloatArray]:
    """[H, W] nearness to quays: 1 at a quay, 0 beyond the industry and the yards behind it."""
    step, size = 4, _size(ground)
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
    industry = 1 - smoothstep(distance, 0.3 * _INDUSTRY_M, _INDUSTRY_M)
    return industry, 1 - smoothstep(distance, 0.8 * _YARD_M, _YARD_M)


def _build_sheds(colour: FloatArray, share: FloatArray, rng: np.random.Generator) -> None:
    """Large roofs with paved ground among them; in place."""
    number = patchwork(rng, (share.shape[0], share.shape[1]), 8.0, 12.0)
    roofs = number % 5 < 2
    _cover(colour, _CONCRETE * np.float32(0.75), share * ~roofs)
    _cover(colour, _painted(_ROOFS, number), share * roofs)


def _lay_yards(colour: FloatArray, share: FloatArray, rng: np.random.Generator) -> None:
    """Ground right behind a quay: concrete, stacks of goods, coal heaps; in place."""
    size = (share.shape[0], share.shape[1])
    number = patchwork(rng, size, 5.0, 12.0)
    _cover(colour, _CONCRETE, share)
    _cover(colour, _painted(_ROOFS, number), share * (number % 4 == 0))
    heaps = smoothstep(smooth_noise(rng, size, 7.0), 0.7, 1.0)
    heaps *= smoothstep(smooth_noise(rng, size, 60.0), -0.2, 0.3)
    _cover(colour, _COAL, share * heaps)


def _relief(rng: np.random.Generator, size: Shape, industry: FloatArray) -> FloatArray:
    """Sunlit and shaded slopes of hills, flat near quays."""
    height = fractal_noise(rng, size, 90.0, 4, roughness=0.6)
    slope = np.diff(height, axis=1, prepend=height[:, :1]) - np.diff(height, axis=0, prepend=height[:1])
    return np.asarray(np.clip(slope * 9.0, -2.0, 2.0) * (1 - industry), np.float32)


def water_surface(
    ground: Ground, clear: Spectrum, turbid: Spectrum, glint: float, rng: np.random.Generator
) -> FloatArray:
    """Return [4, H, W] reflectance of water, defined everywhere.

    Args:
        ground: The frame.
        clear: Reflectance of the clearest water.
        turbid: Reflectance of the water with most sediment.
        glint: Reflectance that sun glint adds on average.
        rng: Source of chance of this overpass.
    """
    size = _size(ground)
    mud = np.float32(0.45) + np.float32(0.22) * fractal_noise(rng, size, 420.0, 6, roughness=0.55)
    mud += np.float32(0.35) * np.exp(-np.clip(ground.shore_distance_m, 0, None) / np.float32(900.0))
    np.clip(mud, 0, 1, out=mud)
    glitter = _glitter(rng, size, glint)
    water = np.empty((4, *size), np.float32)
    for band, low, high in zip(water, clear, turbid, strict=True):
        np.multiply(mud, np.float32(high - low), out=band)
        band += glitter + np.float32(low)
    return water


def _glitter(rng: np.random.Generator, size: Shape, glint: float) -> FloatArray:
    """Light that waves throw, the same in all bands: slicks over kilometres, and grain per pixel."""
    slicks = np.clip(1 + np.float32(0.35) * fractal_noise(rng, size, 250.0, 4), 0.1, 2.5)
    grain = rng.standard_normal(size, dtype=np.float32) * np.float32(0.0004 + 0.1 * glint)
    return np.asarray(slicks * np.float32(glint) + grain * np.sqrt(slicks), np.float32)


def blend_shore(water: FloatArray, land: FloatArray, share: FloatArray) -> None:
    """Lay land [4, H, W] over water in place as the sensor sees their edge, its light spilt on the water."""
    seen = ndimage.gaussian_filter(share, PSF_SIGMA_PX)
    spilt = (1 - seen) * np.float32(_SPILL)
    for over, under in zip(land, water, strict=True):
        under += (over - under) * seen
        under += _spread(over, share) * spilt


def _spread(band: FloatArray, share: FloatArray) -> FloatArray:
    """[H, W] brightness of land within about a kilometre."""
    step = 16
    coarse = (band * share)[::step, ::step]
    return enlarged(ndimage.gaussian_filter(coarse, 4.0), share.shape)
