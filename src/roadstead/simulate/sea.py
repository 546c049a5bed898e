"""A port's simulated fortnight of traffic: its ground and every ship's sailing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import shapely
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from roadstead.aoi import Port, coast
from roadstead.geo import WGS84, project
from roadstead.simulate.chance import generator
from roadstead.simulate.fleet import FleetRow, Pattern, make_vessel
from roadstead.simulate.ground import Area, Ground, build_ground
from roadstead.simulate.routes import WaterGraph
from roadstead.simulate.scenario import PortScenario
from roadstead.simulate.traffic import HOUR, Harbour, Sailing


@dataclass(frozen=True)
class PortWorld:
    """Everything that happens at one port, before anybody looks at it."""

    scenario: PortScenario
    seed: int
    start: date
    ground: Ground
    sailings: tuple[Sailing, ...]

    @property
    def begin_s(self) -> float:
        """Start of the simulated time, seconds since 1970."""
        return _seconds(datetime.combine(self.start, time(), UTC))

    @property
    def end_s(self) -> float:
        """End of the simulated time, seconds since 1970."""
        return self.begin_s + timedelta(days=self.scenario.days).total_seconds()


def simulate_port(port: Port, scenario: PortScenario, seed: int, start: date) -> PortWorld:
    """Let a port's fleet move for the scenario's days.

    Args:
        port: Zones.
        scenario: Frame, fleet and overpasses; its bounds are metres of ``port.crs``.
        seed: The world's seed, not negative.
        start: First day, UTC.

    Raises:
        NoRoomError: the zones inside the frame hold too little room for the fleet.
        PortError: no coast outline ships for the port, and the scenario brings none.
    """
    ground = port_ground(port, scenario)
    return PortWorld(scenario, seed, start, ground, sail(ground, scenario, seed, start))


def port_ground(port: Port, scenario: PortScenario) -> Ground:
    """Return the ground of the scenario's frame: land, its structures, and the port's zones."""
    structures = [LineString(s.xy).buffer(s.width_m / 2, cap_style="flat") for s in scenario.structures]
    land = shapely.union_all([*_land(port, scenario), *structures])
    areas = [Area(zone.id, zone.kind, _projected(zone.polygon, port.crs)) for zone in port.zones]
    return build_ground(port.crs, scenario.bounds_xy, land, areas)


def _land(port: Port, scenario: PortScenario) -> list[BaseGeometry]:
    if scenario.land_xy is None:
        return [shapely.make_valid(_projected(coast(port.slug), port.crs))]
    return [Polygon(outline) for outline in scenario.land_xy]


def sail(ground: Ground, scenario: PortScenario, seed: int, start: date) -> tuple[Sailing, ...]:
    """Place the fleet: ships that lie still the whole time first, so that others find them there."""
    graph = WaterGraph(ground)
    begin = _seconds(datetime.combine(start, time(), UTC))
    overpasses = [_seconds(plan.acquired(start)) for plan in scenario.overpasses]
    end = begin + scenario.days * 24 * HOUR
    harbour = Harbour(ground, graph, graph.entries(scenario.entries), begin, end, overpasses)
    for number, row, index, pattern in _still_first(scenario.fleet):
        off = _off(scenario, seed, number, overpasses)
        vessel = make_vessel(seed, scenario.port, number, row, index, off, scenario.name)
        harbour.admit(vessel, row, pattern, generator(seed, scenario.port, "plan", number))
    return tuple(sorted(harbour.sailings, key=lambda sailing: sailing.vessel.vessel_id))


def _still_first(fleet: Sequence[FleetRow]) -> list[tuple[int, FleetRow, int, Pattern]]:
    ships = [(row, index, pattern) for row in fleet for index, pattern in enumerate(row.patterns)]
    numbered = [(number, *ship) for number, ship in enumerate(ships, start=1)]
    return sorted(numbered, key=lambda ship: (not ship[3].startswith("at_"), ship[0]))


def _off(scenario: PortScenario, seed: int, number: int, overpasses: Sequence[float]) -> tuple[float, float]:
    """A day or two around one overpass, for ships that switch their transmitter off."""
    rng = generator(seed, scenario.port, "off", number)
    middle = float(rng.choice(overpasses))
    return middle - float(rng.uniform(14, 30)) * HOUR, middle + float(rng.uniform(14, 30)) * HOUR


def _seconds(moment: datetime) -> float:
    return moment.timestamp()


def _projected(lonlat: BaseGeometry, crs: str) -> BaseGeometry:
    moved = project(lonlat, WGS84, crs)
    if not isinstance(moved, BaseGeometry):
        raise TypeError(f"expected a geometry, got {type(moved).__name__}")
    return moved
