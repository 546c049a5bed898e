"""The traffic of a simulated time: every ship's sailings at every port, and the deliveries between ports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from roadstead.core.geo import WGS84, project
from roadstead.core.ports import Port, coast
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.ground import Area, Ground, build_ground
from roadstead_lab.simulate.scenario.model import FleetRow, OverpassPlan, Pattern, PortScenario, Scenario
from roadstead_lab.simulate.traffic.craft import moor_craft
from roadstead_lab.simulate.traffic.fleet import Vessel, fleet_of
from roadstead_lab.simulate.traffic.harbour import Harbour
from roadstead_lab.simulate.traffic.places import Needs
from roadstead_lab.simulate.traffic.plans import Planner
from roadstead_lab.simulate.traffic.routes import WaterGraph
from roadstead_lab.simulate.traffic.sailing import NoRoomError, Sailing
from roadstead_lab.simulate.traffic.voyages import Occasion, deliver


@dataclass(frozen=True)
class PortWorld:
    """Everything that happens at one port, before anybody looks at it."""

    scenario: PortScenario
    seed: int
    start: date
    days: int
    ground: Ground
    sailings: tuple[Sailing, ...]
    """In order of ship and time; a ship that calls several times has several."""

    @property
    def begin_s(self) -> float:
        """Start of the simulated time, seconds since 1970."""
        return _midnight(self.start)

    @property
    def end_s(self) -> float:
        """End of the simulated time, seconds since 1970."""
        return self.begin_s + timedelta(days=self.days).total_seconds()

    @cached_property
    def plans(self) -> tuple[OverpassPlan, ...]:
        """All Sentinel-2 passes in order of time."""
        return self.scenario.plans(self.days, self.seed)

    def present(self, moment: float) -> list[Sailing]:
        """Return the sailings inside the frame at a time, seconds since 1970."""
        start, end = self._times
        return [self.sailings[i] for i in np.flatnonzero((start <= moment) & (moment < end))]

    @cached_property
    def _times(self) -> tuple[np.ndarray, np.ndarray]:
        tracks = [sailing.track for sailing in self.sailings]
        return np.array([track.start for track in tracks]), np.array([track.end for track in tracks])


@dataclass(frozen=True)
class Sea:
    """The ports of a scenario and what went between them."""

    worlds: tuple[PortWorld, ...]
    occasions: tuple[Occasion, ...]


@dataclass(frozen=True)
class _Berthmaster:
    """One port's harbour and the fleet that is to find room in it."""

    scenario: PortScenario
    seed: int
    start: date
    days: int
    harbour: Harbour
    fleet: tuple[tuple[int, FleetRow, Vessel, Pattern], ...]

    def admit(self, *, resident: bool) -> None:
        """Place the ships that lie still the whole time, or all others.

        Raises:
            NoRoomError: with the port and the fleet row.
        """
        for number, row, vessel, pattern in self.fleet:
            if pattern.startswith("at_") != resident:
                continue
            rng = generator(self.seed, self.scenario.port, "plan", number)
            planner = Planner(self.harbour, vessel, Needs(row.berths, row.anchorages, row.rafts), rng)
            try:
                planner.place(pattern)
            except NoRoomError as error:
                index = next(i for i, one in enumerate(self.scenario.fleet) if one is row)
                raise NoRoomError(str(error), port=self.scenario.port, row=index) from error

    def world(self) -> PortWorld:
        """Return what has been placed."""
        ordered = sorted(self.harbour.sailings, key=lambda s: (s.vessel.vessel_id, s.track.start))
        return PortWorld(self.scenario, self.seed, self.start, self.days, self.harbour.ground, tuple(ordered))


def simulate_sea(scenario: Scenario, ports: Sequence[Port], seed: int) -> Sea:
    """Let the fleets of all ports move, and the ships of the routes between them.

    Ships that lie still come first, so that others find them there; then the deliveries, whose two ends must fit;
    then the ports' own calls, which find room around them.

    Args:
        scenario: What is to happen.
        ports: The port of each ``scenario.ports``, in the same order.
        seed: Not negative.

    Raises:
        NoRoomError: a fleet row or route finds too little room or time.
        PortError: no coast outline ships for a port, and the scenario brings none.
    """
    masters = [
        _berthmaster(port, part, seed, scenario.start, scenario.days, block)
        for block, (part, port) in enumerate(zip(scenario.ports, ports, strict=True))
    ]
    for block, master in enumerate(masters):
        master.admit(resident=True)
        moor_craft(master.harbour, master.scenario, seed, block)
    harbours = {master.scenario.port: master.harbour for master in masters}
    names = {master.scenario.port: master.scenario.name for master in masters}
    occasions = [
        occasion
        for index, route in enumerate(scenario.routes)
        for occasion in deliver(route, index, harbours, names[route.delivers_at], seed)
    ]
    for master in masters:
        master.admit(resident=False)
    return Sea(tuple(master.world() for master in masters), tuple(occasions))


def _berthmaster(
    port: Port, scenario: PortScenario, seed: int, start: date, days: int, block: int
) -> _Berthmaster:
    ground = port_ground(port, scenario)
    graph = WaterGraph(ground)
    entries = graph.entries(scenario.entries)
    if not entries:
        raise NoRoomError(
            f"no navigable water reaches the sides {scenario.entries} of the frame of {port.slug}: "
            "change bounds_xy or entries",
            port=port.slug,
        )
    begin = _midnight(start)
    optical = {plan.acquired(start).timestamp() for plan in scenario.plans(days, seed)}
    times = np.array(sorted(optical | {plan.acquired(start).timestamp() for plan in scenario.radar}))
    end = begin + timedelta(days=days).total_seconds()
    harbour = Harbour(port.slug, ground, graph, entries, begin, end, times)
    return _Berthmaster(scenario, seed, start, days, harbour, tuple(fleet_of(seed, scenario, block)))


def port_ground(port: Port, scenario: PortScenario) -> Ground:
    """Return the ground of the scenario's frame: land, its structures, and the port's zones."""
    structures = [LineString(s.xy).buffer(s.width_m / 2, cap_style="flat") for s in scenario.structures]
    land = shapely.union_all([*_land(port, scenario), *structures])
    areas = [Area(zone.id, zone.kind, _projected(zone.polygon, port.crs)) for zone in port.zones]
    return build_ground(port.crs, scenario.bounds_xy or port.grid().bounds_xy, land, areas)


def _land(port: Port, scenario: PortScenario) -> list[BaseGeometry]:
    if scenario.land_xy is None:
        return [shapely.make_valid(_projected(coast(port.slug), port.crs))]
    return [Polygon(outline) for outline in scenario.land_xy]


def _midnight(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()


def _projected(lonlat: BaseGeometry, crs: str) -> BaseGeometry:
    moved = project(lonlat, WGS84, crs)
    if not isinstance(moved, BaseGeometry):
        raise TypeError(f"expected a geometry, got {type(moved).__name__}")
    return moved
