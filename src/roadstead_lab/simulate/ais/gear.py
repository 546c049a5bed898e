"""Fishing gear with AIS beacons: nets marked by Class B units that are named after the gear and its battery.

Such beacons send names as ``12345-84%`` under numbers that follow no form of ITU-R M.585; they are no vessels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from shapely.geometry import Point

from roadstead.core.errors import BadInputError
from roadstead.core.geo import KNOT, Array
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.ground import Vector
from roadstead_lab.simulate.traffic.identities import Identity, station_identity
from roadstead_lab.simulate.traffic.sea import PortWorld
from roadstead_lab.simulate.traffic.tracks import STATUSES, TIDE_S, Motions

_DRIFT_M = 60.0
_EDGE_M = 2_500.0
_BATTERY_STEP_S = 43_200.0
"""A beacon loses 1 % of its battery in 12 hours."""
_TRIES = 500


@dataclass(frozen=True)
class GearBuoy:
    """One beacon on a net, which the tide sways."""

    buoy_id: str
    mmsi: str
    net: int
    xy: Vector
    """Map metres."""
    drift_deg: float
    """Grid bearing of the flood."""
    battery: int
    """Percent at the start."""

    def motions(self, times: Array) -> Motions:
        """Return where it is at [n] times, seconds since 1970."""
        angle, bearing = 2 * np.pi * times / TIDE_S, np.radians(self.drift_deg)
        along = np.array([np.sin(bearing), np.cos(bearing)])
        xy = np.array(self.xy) + _DRIFT_M * np.sin(angle)[:, None] * along
        speed = _DRIFT_M * 2 * np.pi / TIDE_S * np.abs(np.cos(angle)) / KNOT
        course = np.where(np.cos(angle) >= 0, self.drift_deg, (self.drift_deg + 180.0) % 360.0)
        status = np.full(len(times), STATUSES.index("anchored"))
        return Motions(xy, course, course, speed, status, np.ones(len(times), bool))

    def identities(self, begin: float, end: float) -> tuple[tuple[float, Identity], ...]:
        """Return what it is called, each from a time on: its battery runs down and is charged again at 5 %."""
        steps = np.arange(begin, end, _BATTERY_STEP_S).tolist()
        levels = [5 + (self.battery - 5 - number) % 95 for number in range(len(steps))]
        named = [station_identity(self.mmsi, f"SIM NET-{self.net:05d}-{level}%") for level in levels]
        return tuple(zip(steps, named, strict=True))


def gear_buoys(world: PortWorld) -> list[GearBuoy]:
    """Return a port's gear buoys: half near the edges of the frame, half about its anchorages.

    Raises:
        BadInputError: there is no water for them.
    """
    return [_buoy(world, number) for number in range(1, world.scenario.gear_buoys + 1)]


def _buoy(world: PortWorld, number: int) -> GearBuoy:
    port = world.scenario.port
    rng = generator(world.seed, port, "gear", number)
    group = int(generator(0, port, "gear numbers").integers(100, 1_000))
    return GearBuoy(
        f"sim-{port}-gear-{number:03d}",
        f"900{(group * 1_000 + number) % 1_000_000:06d}",
        int(rng.integers(10_000, 100_000)),
        _place(world, rng),
        float(rng.uniform(0.0, 360.0)),
        int(rng.integers(20, 100)),
    )


def _place(world: PortWorld, rng: np.random.Generator) -> Vector:
    draw = _near_anchorage if rng.random() < 0.5 else _near_edge
    for attempt in range(_TRIES):
        xy = (draw if attempt < _TRIES // 2 else _near_edge)(world, rng)
        if world.ground.is_water(Point(xy).buffer(2 * _DRIFT_M, quad_segs=2)):
            return xy
    raise BadInputError(f"{world.scenario.port}: no water for gear buoys near the frame's edges")


def _near_edge(world: PortWorld, rng: np.random.Generator) -> Vector:
    left, bottom, right, top = world.ground.grid.bounds_xy
    deep = min(_EDGE_M, (right - left) / 4, (top - bottom) / 4)
    off, x, y = (
        float(rng.uniform(200.0, deep)),
        float(rng.uniform(left, right)),
        float(rng.uniform(bottom, top)),
    )
    return ((x, top - off), (x, bottom + off), (left + off, y), (right - off, y))[int(rng.integers(4))]


def _near_anchorage(world: PortWorld, rng: np.random.Generator) -> Vector:
    anchorages = [area.polygon for area in world.ground.areas if area.kind == "anchorage"]
    if not anchorages:
        return _near_edge(world, rng)
    left, bottom, right, top = anchorages[int(rng.integers(len(anchorages)))].bounds
    return (
        float(rng.uniform(left - 1_000.0, right + 1_000.0)),
        float(rng.uniform(bottom - 1_000.0, top + 1_000.0)),
    )
