"""Small craft moored along the shore outside the zones: they carry no AIS and never move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from shapely import contains_xy, union_all

from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.hulls.spec import random_hull
from roadstead_lab.simulate.scenario.model import PortScenario
from roadstead_lab.simulate.traffic.fleet import Vessel
from roadstead_lab.simulate.traffic.harbour import Harbour
from roadstead_lab.simulate.traffic.identities import MAX_HULLS, Numbers, true_identity
from roadstead_lab.simulate.traffic.sailing import HOUR, Berthing, NoRoomError, Sailing
from roadstead_lab.simulate.traffic.tracks import Array, Stay, Track

_LENGTH_M = (10.0, 30.0)
_FROM_SHORE_M = (15.0, 70.0)
_TRIES = 60


def moor_craft(harbour: Harbour, scenario: PortScenario, seed: int, block: int) -> None:
    """Moor the scenario's small craft at free places along the shore.

    Raises:
        NoRoomError: the frame has too little shore outside its zones.
    """
    if not scenario.moored_craft:
        return
    shore = _shore_xy(harbour)
    for number in range(1, scenario.moored_craft + 1):
        rng = generator(seed, scenario.port, "craft", number)
        vessel = _craft(scenario, number, block, rng)
        plan = next(_Moorings(harbour, vessel, rng).free(shore), None)
        if plan is None:
            raise NoRoomError(
                f"no free shore at {scenario.port} for {vessel.vessel_id}: give moored_craft a number below {number}",
                port=scenario.port,
            )
        harbour.admit(*plan)


def _shore_xy(harbour: Harbour) -> Array:
    """[n, 2] middles of water pixels close to the shore and outside all zones, map metres."""
    ground = harbour.ground
    away = ground.shore_distance_m
    row, col = np.nonzero((away > _FROM_SHORE_M[0]) & (away < _FROM_SHORE_M[1]))
    xy = ground.grid.colrow_to_xy(np.column_stack([col + 0.5, row + 0.5]))
    zones = union_all([area.polygon for area in ground.areas])
    return np.asarray(xy[~contains_xy(zones, xy)])


def _craft(scenario: PortScenario, number: int, block: int, rng: np.random.Generator) -> Vessel:
    hull = random_hull(rng, "small_craft", length_m=float(rng.uniform(*_LENGTH_M)))
    flag = scenario.fleet[0].flags[0]
    name = f"SIM CRAFT {number:03d}"
    identity = true_identity(rng, hull, Numbers(block, MAX_HULLS + 1 - number), flag, name, scenario.name)
    return Vessel(f"sim-{scenario.port}-craft-{number:03d}", hull, identity, identity, "B", "silent", 0.0)


@dataclass(frozen=True)
class _Moorings:
    harbour: Harbour
    vessel: Vessel
    rng: np.random.Generator

    def free(self, shore: Array) -> Iterator[tuple[Sailing, list[Berthing]]]:
        """Yield free places at shore pixels drawn by chance."""
        start, end = self.harbour.start - HOUR, self.harbour.end + HOUR
        for _ in range(_TRIES if len(shore) else 0):
            x, y = shore[int(self.rng.integers(len(shore)))] + self.rng.uniform(-5.0, 5.0, 2)
            heading = float(self.rng.uniform(0.0, 360.0))
            stay = Stay("", "moored", (float(x), float(y)), heading, start, end)
            plan = Sailing(self.vessel, Track((stay,))), [Berthing(stay, self.vessel)]
            if self.harbour.is_free(*plan):
                yield plan
