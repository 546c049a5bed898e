"""One Sentinel-1 pass over a port as an IW GRDH-like image: digital numbers of VV and VH in radar geometry.

``sigma nought = (DN / A)^2`` with A of the calibration table (Miranda and Meadows 2015, Radiometric calibration
of S-1 Level-1 products, ESA-EOPG-CSCOP-TN-0002). Thermal noise stays in, as in real products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from roadstead.core.geo import KNOT, Array, Grid, convergence_deg, xy_to_lonlat
from roadstead_lab.simulate.coast.ground import Ground
from roadstead_lab.simulate.optical.render import PlacedHull
from roadstead_lab.simulate.radar.clutter import (
    LAND_DB,
    cmod5n,
    cross_polarised_sea,
    land_level_db,
    noise_sigma0,
    speckle,
)
from roadstead_lab.simulate.radar.geometry import GRD_PIXEL_M, RadarGeometry, RadarPass, geometry_of
from roadstead_lab.simulate.radar.hulls import hull_scatterers, stamp
from roadstead_lab.simulate.radar.structures import structures
from roadstead_lab.simulate.radar.terrain import imaged_ground, terrain_height, view_terrain
from roadstead_lab.simulate.texture import FloatArray, coarse_noise, enlarged

POLARISATIONS: Final = ("vv", "vh")
BETA_NOUGHT = 474.0
"""Constant of the beta nought table, as in a Sentinel-1A product of August 2021."""
GCP_EVERY_PX = 100
_GUSTS = 0.08


@dataclass(frozen=True)
class HullPixel:
    """Where a hull's centre is in the image."""

    name: str
    col: float
    row: float
    azimuth_shift_m: float
    """How far along the flight its motion has moved it; in `row` already."""


@dataclass(frozen=True)
class RadarFrame:
    """A whole simulated pass before it is written."""

    geometry: RadarGeometry
    vv: NDArray[np.uint16]
    """[H, W] amplitude; 0 is no data."""
    vh: NDArray[np.uint16]
    gcp_colrow: Array
    """[n, 2] pixel coordinates of the ground control points, row by row."""
    gcp_lonlat: Array
    """[n, 2] where the terrain that is imaged there lies."""
    gcp_height_m: Array
    """[n] its height."""
    hulls: tuple[HullPixel, ...]
    valid_xy: BaseGeometry
    """Where there is data, map metres."""


def render_radar(
    ground: Ground, hulls: Sequence[PlacedHull], radar_pass: RadarPass, rng: np.random.Generator
) -> RadarFrame:
    """Draw one radar pass.

    Args:
        ground: The frame on the map; the image is the turned rectangle around it.
        hulls: What lies on the water; they move along their heading.
        radar_pass: Orbit, incidence and wind.
        rng: Source of chance of this pass; it is split by subject.
    """
    of_wind, of_speckle, of_hulls, of_points = rng.spawn(4)
    geometry, terrain = geometry_of(ground.grid, radar_pass), terrain_height(ground)
    power, seen = _backscatter(ground, terrain, geometry, radar_pass, of_wind)
    power += noise_sigma0(geometry.incidence_deg(_centres(geometry))).astype(np.float32)
    for band, chance in zip(power, of_speckle.spawn(len(power)), strict=True):
        band *= speckle(band.shape, chance)
    chances = of_hulls.spawn(len(hulls))
    groups = [hull_scatterers(hull, geometry, c) for hull, c in zip(hulls, chances, strict=True)]
    stamp(power, groups + structures(ground, terrain, geometry), of_points)
    vv, vh = digital_numbers(power, seen, geometry)
    gcps = ground_control(geometry, terrain, ground.grid)
    placed = tuple(hull_pixel(geometry, hull) for hull in hulls)
    return RadarFrame(geometry, vv, vh, *gcps, placed, box(*ground.grid.bounds_xy))


def hull_pixel(geometry: RadarGeometry, hull: PlacedHull) -> HullPixel:
    """Return where a hull's centre is imaged: its place at sea level, and the azimuth shift of its motion."""
    col, row = geometry.xy_to_colrow(np.array([hull.xy]))[0]
    shift = geometry.azimuth_shift_m(np.array([col]), hull.speed_kn * KNOT, hull.heading_deg)[0]
    return HullPixel(hull.name, float(col), float(row + shift / GRD_PIXEL_M), float(shift))


def calibration(geometry: RadarGeometry, col: Array) -> Array:
    """Return A of ``sigma nought = (DN / A)^2`` at columns: beta nought turned by the incidence angle."""
    sine = np.sin(np.radians(geometry.incidence_deg(col)))
    return np.asarray(BETA_NOUGHT / np.sqrt(sine), np.float64)


def digital_numbers(
    power: FloatArray, seen: NDArray[np.bool_], geometry: RadarGeometry
) -> NDArray[np.uint16]:
    """Return [2, H, W] amplitudes of [2, H, W] sigma nought; 0 where not seen, else at least 1."""
    scale = calibration(geometry, _centres(geometry)).astype(np.float32)
    amplitude = np.sqrt(power)
    amplitude *= scale
    dn = np.clip(np.rint(amplitude, out=amplitude), 1, 65_535).astype(np.uint16)
    dn[:, ~seen] = 0
    return dn


def ground_control(geometry: RadarGeometry, terrain: FloatArray, grid: Grid) -> tuple[Array, Array, Array]:
    """Return pixel coordinates, longitude/latitude and heights of a grid of points about every kilometre."""
    cols, rows = (_spread(size) for size in (geometry.width, geometry.height))
    colrow = np.stack(np.meshgrid(cols, rows), axis=-1).reshape(-1, 2)
    xy, height = imaged_ground(geometry, terrain, grid, colrow)
    return colrow, xy_to_lonlat(xy, grid.crs), height


def _spread(size: int) -> Array:
    return np.linspace(0.0, float(size), max(round(size / GCP_EVERY_PX), 2) + 1)


def _centres(geometry: RadarGeometry) -> Array:
    return np.arange(geometry.width, dtype=np.float64) + 0.5


def _backscatter(
    ground: Ground,
    terrain: FloatArray,
    geometry: RadarGeometry,
    radar_pass: RadarPass,
    rng: np.random.Generator,
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """[2, H, W] sigma nought without noise and speckle, and where the frame shows the ground."""
    view = view_terrain(geometry, terrain, ground.grid)
    col, row = view.colrow
    seen = (col >= 0) & (row >= 0) & (col < ground.grid.width) & (row < ground.grid.height)
    share = _sampled(ground.land_share, view.colrow)
    land = 10.0 ** (_sampled(land_level_db(ground), view.colrow) / np.float32(10.0)) * view.gain
    power = _sea(ground, geometry, radar_pass, rng)
    for band, level in zip(power, LAND_DB, strict=True):
        band += share * (np.float32(10.0 ** (level / 10.0)) * land - band)
    return power, seen


def _sampled(field: FloatArray, colrow: FloatArray) -> FloatArray:
    at = colrow[::-1] - np.float32(0.5)
    return np.asarray(ndimage.map_coordinates(field, at, order=1, mode="nearest"), np.float32)


def _sea(
    ground: Ground, geometry: RadarGeometry, radar_pass: RadarPass, rng: np.random.Generator
) -> FloatArray:
    """[2, H, W] sigma nought of the sea: wind with gusts over a few hundred metres to kilometres."""
    shape = (geometry.height, geometry.width)
    gusts = coarse_noise(rng, shape, 384.0, 4, roughness=0.6)
    wind = np.clip(radar_pass.wind_speed_m_s * (1.0 + _GUSTS * gusts.astype(float)), 0.5, 40.0)
    incidence = geometry.incidence_deg(np.linspace(0.0, geometry.width, gusts.shape[1]))[None, :]
    vv = cmod5n(wind, _wind_on_map(ground.grid, radar_pass) - geometry.look_deg, incidence)
    vh = cross_polarised_sea(wind)
    return np.stack([enlarged(field.astype(np.float32), shape) for field in (vv, vh)])


def _wind_on_map(grid: Grid, radar_pass: RadarPass) -> float:
    xmin, ymin, xmax, ymax = grid.bounds_xy
    lon, lat = xy_to_lonlat(np.array([[(xmin + xmax) / 2, (ymin + ymax) / 2]]), grid.crs)[0]
    return radar_pass.wind_from_deg - convergence_deg(float(lon), float(lat), grid.crs)
