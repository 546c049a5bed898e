"""A bay of 6 km with hills behind its northern shore, hulls, and radar passes over it."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Polygon, box

from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.ground import Ground, build_ground
from roadstead_lab.simulate.hulls.spec import Kind, random_hull
from roadstead_lab.simulate.optical.render import PlacedHull
from roadstead_lab.simulate.radar.geometry import OrbitState, RadarPass
from roadstead_lab.simulate.radar.render import RadarFrame, calibration, render_radar

CRS = "EPSG:32651"
LEFT, BOTTOM, SIDE_M = 697_400.0, 4_283_000.0, 6_000.0
MIDDLE = (LEFT + SIDE_M / 2, BOTTOM + SIDE_M / 2)
SHORE_Y = BOTTOM + 3_600.0


def open_sea() -> Ground:
    return build_ground(CRS, (LEFT, BOTTOM, LEFT + SIDE_M, BOTTOM + SIDE_M), Polygon(), [])


def hilly_bay() -> Ground:
    land = box(LEFT, SHORE_Y, LEFT + SIDE_M, BOTTOM + SIDE_M)
    return build_ground(CRS, (LEFT, BOTTOM, LEFT + SIDE_M, BOTTOM + SIDE_M), land, [])


def radar_pass(
    orbit_state: OrbitState = "ascending", *, wind: float = 5.0, wind_from: float = 0.0
) -> RadarPass:
    at = datetime(2020, 11, 3, 9, 40, 12, 345_678, tzinfo=UTC)
    return RadarPass("sentinel-1b", at, orbit_state, 127, 38.0, wind, wind_from)


def hull(
    kind: Kind = "bulk_carrier",
    length_m: float = 180.0,
    xy: tuple[float, float] = MIDDLE,
    heading_deg: float = 70.0,
    speed_kn: float = 0.0,
    name: str = "hull",
) -> PlacedHull:
    spec = random_hull(generator(0, "looks", name), kind, length_m=length_m)
    return PlacedHull(name, spec, xy, heading_deg, speed_kn)


def rendered(
    *hulls: PlacedHull, ground: Ground | None = None, of: RadarPass | None = None, seed: int = 0
) -> RadarFrame:
    rng = generator(seed, "radar")
    return render_radar(ground or open_sea(), hulls, of or radar_pass(), rng)


def sigma0(frame: RadarFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return [H, W] linear sigma nought of VV and VH, NaN without data."""
    scale = calibration(frame.geometry, np.arange(frame.geometry.width) + 0.5)
    vv, vh = ((np.where(dn > 0, dn, np.nan) / scale) ** 2 for dn in (frame.vv, frame.vh))
    return vv, vh


def middle(field: NDArray[np.float64], half: int = 160) -> NDArray[np.float64]:
    """Return the middle of a frame, where every pixel has data."""
    row, col = (size // 2 for size in field.shape)
    return field[row - half : row + half, col - half : col + half]
