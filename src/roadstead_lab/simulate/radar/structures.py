"""Fixed bright points on land: quay walls, quay cranes and buildings. They stay put from pass to pass."""

from __future__ import annotations

import numpy as np

from roadstead.core.geo import Array
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.ground import Ground, Quay
from roadstead_lab.simulate.radar.geometry import RadarGeometry
from roadstead_lab.simulate.radar.hulls import Scatterers
from roadstead_lab.simulate.radar.terrain import height_at
from roadstead_lab.simulate.texture import FloatArray

_BUILDINGS_A_KM2 = 25.0
_BUILDING_DB = (20.0, 6.0)
"""Mean and spread of the cross section, dB over a square metre; so that towns look as in real scenes."""
_CRANE_DB = (36.0, 4.0)
_CRANE_EVERY_M = 110.0
_WALL_DB = (22.0, 4.0)
_WALL_EVERY_M = 12.0
_CROSS_DB = (-8.0, 3.0)
_CRANE_HEIGHT_M = 20.0


def structures(ground: Ground, terrain: FloatArray, geometry: RadarGeometry) -> list[Scatterers]:
    """Return the bright points of a port's land in a radar frame, each for itself."""
    grid = ground.grid
    rng = generator(0, "structures", grid.crs, *(round(v) for v in grid.bounds_xy))
    buildings = _buildings(ground, rng)
    found = [_points(geometry, buildings, height_at(terrain, grid, buildings), _BUILDING_DB, rng)]
    for quay in ground.quays:
        wall, cranes = _along(quay, _WALL_EVERY_M, 0.0), _along(quay, _CRANE_EVERY_M, -12.0)
        if _faces_radar(quay, geometry):
            found.append(_points(geometry, wall, np.zeros(len(wall)), _WALL_DB, rng))
        found.append(_points(geometry, cranes, np.full(len(cranes), _CRANE_HEIGHT_M), _CRANE_DB, rng))
    return [single for group in found for single in _singles(group)]


def _buildings(ground: Ground, rng: np.random.Generator) -> Array:
    """Map points on land, most of them within two kilometres of the shore."""
    grid = ground.grid
    area_km2 = grid.width * grid.height * (grid.pixel_m / 1000.0) ** 2
    count = round(area_km2 * _BUILDINGS_A_KM2)
    colrow = rng.random((count, 2)) * (grid.width, grid.height)
    col, row = colrow.astype(int).T
    keep = np.exp(np.minimum(ground.shore_distance_m[row, col], 0.0) / 2000.0)
    on_land = ground.land_share[row, col] > 0.9
    return grid.colrow_to_xy(colrow[on_land & (rng.random(count) < keep)])


def _along(quay: Quay, every_m: float, off_m: float) -> Array:
    steps = np.arange(0.5 * every_m, quay.length_m, every_m)
    return np.array([quay.place(float(step), off_m) for step in steps]).reshape(-1, 2)


def _faces_radar(quay: Quay, geometry: RadarGeometry) -> bool:
    look = np.radians(geometry.look_deg)
    return bool(quay.seaward[0] * np.sin(look) + quay.seaward[1] * np.cos(look) < 0.0)


def _points(
    geometry: RadarGeometry,
    xy: Array,
    height_m: Array,
    level_db: tuple[float, float],
    rng: np.random.Generator,
) -> Scatterers:
    vv = rng.normal(*level_db, len(xy))
    return Scatterers(
        geometry.xy_to_colrow(xy, height_m),
        10.0 ** (np.stack([vv, vv + rng.normal(*_CROSS_DB, len(xy))]) / 10.0),
    )


def _singles(group: Scatterers) -> list[Scatterers]:
    return [Scatterers(group.colrow[i : i + 1], group.rcs_m2[:, i : i + 1]) for i in range(len(group.colrow))]
