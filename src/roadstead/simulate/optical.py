"""One optical overpass: ground, hulls and sky as digital numbers and scene classification.

Digital numbers follow processing baselines from 04.00 on: ``DN = 10000 * reflectance + 1000``, 0 is no data
(Sentinel-2 Products Specification Document, 2022).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from roadstead.geo import Grid
from roadstead.simulate.atmosphere import classify, draw_sky, veil
from roadstead.simulate.ground import FloatArray, Ground, Vector
from roadstead.simulate.hulls import HullSpec, Light, draw_hull, paste_hull, sample_hull
from roadstead.simulate.scenario import OverpassPlan, Spectrum
from roadstead.simulate.surface import blend_shore, water_surface

QUANTIFICATION: Final = 10_000
DN_OFFSET: Final = 1_000
_SWATH_TILT_DEG = 12.0
"""Sentinel-2's ground track from north, about, in middle latitudes."""
_WEDGE_SHARE = 0.2


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


def render(
    ground: Ground,
    land: FloatArray,
    hulls: Sequence[PlacedHull],
    plan: OverpassPlan,
    light: Light,
    waters: tuple[Spectrum, Spectrum],
    rng: np.random.Generator,
) -> Frame:
    """Draw one overpass.

    Args:
        ground: The frame.
        land: [4, H, W] what `land_surface` gave for it.
        hulls: What lies on the water.
        plan: Weather, and whether the swath's edge cuts the frame.
        light: Where the sun stands.
        waters: Reflectance of the clearest and of the most turbid water.
        rng: Source of chance of this overpass; it is split by subject.
    """
    of_water, of_sky, of_noise, of_hulls = rng.spawn(4)
    image = water_surface(ground, *waters, plan.weather.glint, of_water)
    blend_shore(image, land, ground.land_share)
    for hull, chance in zip(hulls, of_hulls.spawn(len(hulls)), strict=True):
        _lay(image, ground.grid, hull, light, chance)
    size = (ground.grid.height, ground.grid.width)
    sky = draw_sky(plan.weather, light, size, of_sky)
    veil(image, sky, plan.weather)
    valid_xy = _imaged(ground.grid, plan.no_data_wedge)
    valid = _valid_mask(ground.grid, plan.no_data_wedge)
    scl = classify(image, ground.land_share, sky, valid)
    _add_sensor_noise(image, of_noise)
    return Frame(ground.grid, digital_numbers(image, valid), scl, valid_xy)


def _lay(image: FloatArray, grid: Grid, hull: PlacedHull, light: Light, rng: np.random.Generator) -> None:
    spec = replace(hull.spec, speed_kn=hull.speed_kn)
    col, row = grid.xy_to_colrow(np.array([hull.xy]))[0]
    pixel = math.floor(row), math.floor(col)
    offset = (row - pixel[0] - 0.5, col - pixel[1] - 0.5)
    patch = draw_hull(spec, hull.heading_deg, rng, light=light)
    paste_hull(np.moveaxis(image, 0, -1), sample_hull(patch, offset_px=offset), *pixel)


def _add_sensor_noise(image: FloatArray, rng: np.random.Generator) -> None:
    """Add noise that grows with the light, as a sensor's shot noise does; in place."""
    for band in image:
        grain = rng.standard_normal(band.shape, dtype=np.float32)
        grain *= np.float32(0.0003) + np.float32(0.002) * band
        band += grain


def digital_numbers(reflectance: FloatArray, valid: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Return [C, H, W] digital numbers of [C, H, W] reflectance; 0 where not valid, else at least 1."""
    dn = np.empty(reflectance.shape, np.uint16)
    for band, level in zip(dn, reflectance, strict=True):
        band[...] = np.clip(np.rint(level * QUANTIFICATION) + DN_OFFSET, 1, 65_535)
        band[~valid] = 0
    return dn


def _wedge_edge(grid: Grid) -> tuple[float, float]:
    """Column of the swath's western edge at the first row, and columns it moves a row (westwards)."""
    return _WEDGE_SHARE * grid.width, -math.tan(math.radians(_SWATH_TILT_DEG))


def _valid_mask(grid: Grid, wedge: bool) -> NDArray[np.bool_]:
    if not wedge:
        return np.ones((grid.height, grid.width), bool)
    start, slope = _wedge_edge(grid)
    # Edges on multiples of 2 pixels keep 10 m and 20 m bands alike.
    edge = np.repeat(np.rint((start + slope * np.arange(0, grid.height, 2)) / 2) * 2, 2)[: grid.height]
    return np.asarray(np.arange(grid.width) >= edge[:, None])


def _imaged(grid: Grid, wedge: bool) -> BaseGeometry:
    frame = box(*grid.bounds_xy)
    if not wedge:
        return frame
    start, slope = _wedge_edge(grid)
    colrow = np.array(
        [[start, 0], [grid.width, 0], [grid.width, grid.height], [start + slope * grid.height, grid.height]]
    )
    return frame & Polygon(grid.colrow_to_xy(colrow))
