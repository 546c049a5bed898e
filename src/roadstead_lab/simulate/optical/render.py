"""One optical overpass: water, land, hulls and sky as digital numbers and scene classification.

A frame is drawn in strips of rows, so that a whole Sentinel-2 tile fits in memory. Digital numbers are
``DN = 10000 * reflectance``, from processing baseline 04.00 on with an offset of 1000; 0 is no data
(Sentinel-2 Products Specification Document, 2022).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from shapely import Polygon
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from roadstead.core.geo import KNOT, Grid
from roadstead_lab.simulate.coast.ground import Ground, Vector
from roadstead_lab.simulate.coast.water import Water, water_surface
from roadstead_lab.simulate.hulls.draw import draw_hull
from roadstead_lab.simulate.hulls.sample import SampledHull, paste_hull, sample_hull
from roadstead_lab.simulate.hulls.spec import HullSpec
from roadstead_lab.simulate.light import Light
from roadstead_lab.simulate.optical.atmosphere import Sky, classify, draw_sky, veil
from roadstead_lab.simulate.scenario.model import OverpassPlan, Spectrum
from roadstead_lab.simulate.texture import CoarseField, Field, FloatArray, blurred, coarse_shape, enlarged

QUANTIFICATION: Final = 10_000
DN_OFFSET: Final = 1_000
_SWATH_TILT_DEG = 12.0
"""Sentinel-2's ground track from north, about, in middle latitudes."""
_WEDGE_SHARE = 0.2
_STRIP = 256
_HALO = 4
_WORKERS = 2
GROUND_SIGMA_PX = 0.72
"""Point spread of land and water with the pixel's own square and the product's resampling: shores of real scenes are
20 m wide from 10 to 90 %, and neighbours of open water correlate by 0.6 (``docs/simulation/realism.md``)."""
_SPILL = 0.05
"""Share of the land's brightness that the air scatters over water beside it."""
_LAND_MEAN = np.array([0.11, 0.10, 0.085, 0.22], np.float32)


@dataclass(frozen=True)
class PlacedHull:
    """A hull to draw."""

    name: str
    """Its own word for chance, e.g. the vessel's id."""
    spec: HullSpec
    xy: Vector
    heading_deg: float
    """Clockwise from grid north."""
    speed_kn: float = 0.0


@dataclass(frozen=True)
class Frame:
    """A whole simulated overpass before it is cut into tiles."""

    grid: Grid
    dn: NDArray[np.uint16]
    """[4, H, W] red, green, blue, nir."""
    scl: NDArray[np.uint8]
    """[H / 2, W / 2] scene classification at 20 m."""
    valid_xy: BaseGeometry
    """Where there is data, map metres."""
    offset: int = DN_OFFSET
    """Digital number of reflectance 0."""


@dataclass(frozen=True)
class _Painter:
    """All that the strips of one overpass have in common."""

    ground: Ground
    land: Field
    water: Water
    spill: CoarseField
    hulls: tuple[tuple[SampledHull, int, int], ...]
    sky: Sky
    plan: OverpassPlan

    def strip(self, first: int, stop: int, rng: np.random.Generator) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Return [4, h, W] reflectance and [h / 2, W / 2] classification of some rows."""
        height = self.ground.grid.height
        top, bottom = max(first - _HALO, 0), min(stop + _HALO, height)
        share = self.ground.land_share[top:bottom]
        image = self._ground(top, bottom, share)[:, first - top : first - top + stop - first]
        image = np.ascontiguousarray(image)
        share = share[first - top : first - top + stop - first]
        for hull, row, col in self.hulls:
            paste_hull(np.moveaxis(image, 0, -1), hull, row - first, col)
        opacity, shadow = self.sky.opacity(first, stop), self.sky.shadow(first, stop)
        veil(image, opacity, shadow, self.plan.weather)
        scl = classify(*(layer[..., ::2, ::2] for layer in (image, share, opacity, shadow)))
        add_sensor_noise(image, rng)
        return image, scl

    def _ground(self, top: int, bottom: int, share: FloatArray) -> FloatArray:
        image = self.water.rows(top, bottom)
        if share.any():
            land = self.land.rows(top, bottom)
            image += (land - image) * share
        spilt = self.spill.rows(top, bottom) * (1 - share)
        image += spilt * (_LAND_MEAN * np.float32(_SPILL))[:, None, None]
        return blurred(image, GROUND_SIGMA_PX)


def render(
    ground: Ground,
    land: Field,
    hulls: Sequence[PlacedHull],
    plan: OverpassPlan,
    light: Light,
    waters: tuple[Spectrum, Spectrum],
    rng: np.random.Generator,
) -> Frame:
    """Draw one overpass.

    Args:
        ground: The frame; its height is even.
        land: [4, H, W] reflectance of its land, as `land_surface` or `drawn` give it.
        hulls: What lies on the water.
        plan: Weather, processing baseline, and whether the swath's edge cuts the frame.
        light: Where the sun stands.
        waters: Reflectance of the clearest and of the most turbid water.
        rng: Source of chance of this overpass; it is split by subject.
    """
    of_water, of_sky, of_noise, of_hulls = rng.spawn(4)
    height, width = ground.grid.height, ground.grid.width
    painter = _Painter(
        ground,
        land,
        water_surface(ground, *waters, plan.weather, of_water),
        _spill(ground),
        tuple(
            _seen(ground.grid, h, light, r) for h, r in zip(hulls, of_hulls.spawn(len(hulls)), strict=True)
        ),
        draw_sky(plan.weather, light, (height, width), of_sky),
        plan,
    )
    offset = DN_OFFSET if plan.baseline >= "04.00" else 0
    dn, scl = np.empty((4, height, width), np.uint16), np.empty((height // 2, width // 2), np.uint8)
    valid = valid_from(ground.grid, plan.no_data_wedge)
    ground.land_share  # noqa: B018 - drawn once here, not by every thread

    def draw(part: tuple[int, np.random.Generator]) -> None:
        first, stop = part[0], min(part[0] + _STRIP, height)
        image, classes = painter.strip(first, stop, part[1])
        seen = np.arange(width) >= valid[first:stop, None]
        dn[:, first:stop] = digital_numbers(image, seen, offset)
        scl[first // 2 : stop // 2] = np.where(seen[::2, ::2], classes, 0)

    firsts = range(0, height, _STRIP)
    with ThreadPoolExecutor(_WORKERS) as threads:
        list(threads.map(draw, zip(firsts, of_noise.spawn(len(firsts)), strict=True)))
    return Frame(ground.grid, dn, scl, imaged(ground.grid, plan.no_data_wedge), offset)


def _seen(
    grid: Grid, hull: PlacedHull, light: Light, rng: np.random.Generator
) -> tuple[SampledHull, int, int]:
    """A hull as the sensor sees it, and the row and column of its middle pixel."""
    spec = replace(hull.spec, speed_kn=hull.speed_kn)
    col, row = grid.xy_to_colrow(np.array([hull.xy]))[0]
    pixel = math.floor(row), math.floor(col)
    offset = (float(row - pixel[0] - 0.5), float(col - pixel[1] - 0.5))
    pace = hull.speed_kn * KNOT / grid.pixel_m
    angle = math.radians(hull.heading_deg)
    patch = draw_hull(spec, hull.heading_deg, rng, light=light)
    drift = (-pace * math.cos(angle), pace * math.sin(angle))
    return sample_hull(patch, offset_px=offset, drift_px_s=drift), *pixel


def _spill(ground: Ground) -> CoarseField:
    """How much land lies within about a kilometre, 0 to 1."""
    size = ground.grid.height, ground.grid.width
    small = enlarged(np.ascontiguousarray(ground.land_share[::4, ::4]), coarse_shape(size))
    return CoarseField(np.asarray(ndimage.gaussian_filter(small, 4.0), np.float32), size)


def add_sensor_noise(image: FloatArray, rng: np.random.Generator) -> None:
    """Add noise that grows with the light, as a sensor's shot noise does; in place."""
    for band in image:
        grain = rng.standard_normal(band.shape, dtype=np.float32)
        grain *= np.float32(0.00025) + np.float32(0.002) * band
        band += grain


def digital_numbers(
    reflectance: FloatArray, valid: NDArray[np.bool_], offset: int = DN_OFFSET
) -> NDArray[np.uint16]:
    """Return [C, H, W] digital numbers of [C, H, W] reflectance; 0 where not valid, else at least 1."""
    dn = np.empty(reflectance.shape, np.uint16)
    for band, level in zip(dn, reflectance, strict=True):
        band[...] = np.clip(np.rint(level * QUANTIFICATION) + offset, 1, 65_535)
        band[~valid] = 0
    return dn


def _wedge_edge(grid: Grid) -> tuple[float, float]:
    """Column of the swath's western edge at the first row, and columns it moves a row (westwards)."""
    return _WEDGE_SHARE * grid.width, -math.tan(math.radians(_SWATH_TILT_DEG))


def valid_from(grid: Grid, wedge: bool) -> NDArray[np.float64]:
    """Return [H] the first column with data of each row; edges on multiples of 2 keep 10 m and 20 m bands alike."""
    if not wedge:
        return np.zeros(grid.height)
    start, slope = _wedge_edge(grid)
    edge = np.repeat(np.rint((start + slope * np.arange(0, grid.height, 2)) / 2) * 2, 2)
    return np.asarray(edge[: grid.height])


def imaged(grid: Grid, wedge: bool) -> BaseGeometry:
    """Return where there is data, map metres."""
    frame = box(*grid.bounds_xy)
    if not wedge:
        return frame
    start, slope = _wedge_edge(grid)
    colrow = np.array(
        [[start, 0], [grid.width, 0], [grid.width, grid.height], [start + slope * grid.height, grid.height]]
    )
    return frame & Polygon(grid.colrow_to_xy(colrow))
