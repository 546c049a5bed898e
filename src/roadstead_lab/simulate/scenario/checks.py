"""What must hold between the parts of a scenario: zones that exist, shares that add up, days inside the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import shapely
from shapely.geometry import LineString, Polygon, box

from roadstead.core.geo import WGS84, project
from roadstead.core.ports import Port, coasts
from roadstead_lab.simulate.scenario.fleets import of_fleet, of_route_fleet
from roadstead_lab.simulate.scenario.lines import Fault, Where
from roadstead_lab.simulate.scenario.model import (
    FleetRow,
    OverpassPlan,
    PortScenario,
    RadarPlan,
    Receiver,
    Route,
    Scenario,
)
from roadstead_lab.simulate.scenario.passes import of_moments
from roadstead_lab.simulate.traffic.fleet import FIRST_ROUTE_BLOCK
from roadstead_lab.simulate.traffic.identities import MAX_BLOCKS

_HULLS_M = (5.0, 460.0)
"""Shortest and longest length overall; the longest ship ever built had 458 m."""
_SHIPS_KN = (0.5, 40.0)
_SUN_DEG = (5.0, 90.0)
_MOST_PORTS = FIRST_ROUTE_BLOCK
"""Each port has a block of MMSIs and IMO numbers of its own; so has each route, after them."""
_MOST_ROUTES = MAX_BLOCKS - FIRST_ROUTE_BLOCK
_ZONE_KINDS = {"berths": "berth", "anchorages": "anchorage"}
_PLAIN = Receiver("SIM-PLAIN")
_OF_OTHERS: Mapping[str, tuple[str, ...]] = {
    "terrestrial": ("pass_every_min", "pass_min"),
    "satellite": ("stations", "station_mid", "range_nm"),
}
"""Kind of receiver -> fields that mean nothing to it."""


def faults_of(scenario: Scenario, ports: Sequence[Port]) -> list[Fault]:
    """Return what is wrong with a scenario whose values are each possible.

    Args:
        scenario: Read and checked by its types.
        ports: The port of each ``scenario.ports``, in the same order.
    """
    found = [*_together(scenario)]
    for index, (part, port) in enumerate(zip(scenario.ports, ports, strict=True)):
        found += _of_port(part, port, scenario.days, ("ports", index))
    for index, route in enumerate(scenario.routes):
        found += _of_route(route, scenario, ports, ("routes", index))
    return found


def _together(scenario: Scenario) -> Iterator[Fault]:
    slugs = [part.port for part in scenario.ports]
    for index, slug in enumerate(slugs):
        if slug in slugs[:index]:
            yield Fault(("ports", index, "port"), f"'{slug}' stands twice; give each port once")
    if len(slugs) > _MOST_PORTS:
        yield Fault(("ports",), f"{len(slugs)} ports: at most {_MOST_PORTS} fit into one world")
    if len(scenario.routes) > _MOST_ROUTES:
        told = f"{len(scenario.routes)} routes: at most {_MOST_ROUTES} fit into one world"
        yield Fault(("routes",), told)
    yield from of_moments(scenario)
    if not any(part.overpasses or part.orbits or part.radar for part in scenario.ports):
        yield Fault(("ports",), "no satellite passes: give some port overpasses, orbits or radar")


def _of_port(part: PortScenario, port: Port, days: int, at: Where) -> Iterator[Fault]:
    if not part.fleet:
        yield Fault((*at, "fleet"), "is empty: write at least one row of ships")
    if part.land_xy is None and port.slug not in coasts():
        yield Fault(
            (*at, "port"),
            f"no coast outline ships for '{port.slug}': draw its land with land_xy (UTM metres)",
        )
    yield from _frame(part, port, at)
    yield from _drawn(part, at)
    yield from _sun(part, days, at)
    for index, row in enumerate(part.fleet):
        yield from _of_row(row, part, port, (*at, "fleet", index))
    yield from of_fleet(part, at)
    yield from _receivers(part.receivers, days, (*at, "receivers"))
    yield from _passes(part, days, at)


def _frame(part: PortScenario, port: Port, at: Where) -> Iterator[Fault]:
    if part.bounds_xy is None:
        return
    left, bottom, right, top = part.bounds_xy
    if right - left < 1_000.0 or top - bottom < 1_000.0:
        yield Fault((*at, "bounds_xy"), "must be xmin, ymin, xmax, ymax in metres, at least 1 km apart")
    elif not box(left, bottom, right, top).intersects(_zones_xy(port)):
        xmin, ymin, xmax, ymax = (round(v) for v in shapely.bounds(_zones_xy(port)))
        yield Fault(
            (*at, "bounds_xy"),
            f"the frame holds none of the water of '{port.slug}', whose zones lie in "
            f"[{xmin}, {ymin}, {xmax}, {ymax}] ({port.crs})",
        )


def _drawn(part: PortScenario, at: Where) -> Iterator[Fault]:
    for index, outline in enumerate(part.land_xy or ()):
        if len(outline) < 3:
            yield Fault((*at, "land_xy", index), "an outline needs at least three corners")
        elif not (land := Polygon(outline)).is_valid:
            yield Fault((*at, "land_xy", index), f"is no outline of an area: {_reason(land)}")
    for index, structure in enumerate(part.structures):
        if len(structure.xy) < 2:
            yield Fault((*at, "structures", index, "xy"), "an axis needs at least two corners")
        elif not (axis := LineString(structure.xy)).is_valid:
            yield Fault((*at, "structures", index, "xy"), f"is no axis: {_reason(axis)}")


def _reason(drawn: Polygon | LineString) -> str:
    """Why a geometry is not valid, and where: e.g. self-intersection[50 50]."""
    said = str(shapely.is_valid_reason(drawn))
    return said[:1].lower() + said[1:]


def _sun(part: PortScenario, days: int, at: Where) -> Iterator[Fault]:
    last = part.sun_elevation_deg - part.sun_sinks_deg_a_day * (days - 1)
    if not _SUN_DEG[0] <= last <= _SUN_DEG[1]:
        told = f"the sun stands {last:.0f} degrees high on the last day: change sun_sinks_deg_a_day"
        yield Fault((*at, "sun_sinks_deg_a_day"), told)


def _zones_xy(port: Port) -> Any:  # noqa: ANN401 - a geometry; shapely's types have no common base here
    return project(port.footprint, WGS84, port.crs)


def _of_row(row: FleetRow, part: PortScenario, port: Port, at: Where) -> Iterator[Fault]:
    yield from _range(row.length_m, _HULLS_M, (*at, "length_m"))
    yield from _shares(row.ais_class, (*at, "ais_class"))
    yield from _shares(row.behaviours, (*at, "behaviours"))
    for key, names in (("berths", row.berths), ("anchorages", row.anchorages)):
        yield from _zones(names, _ZONE_KINDS[key], part, port, (*at, key))
    yield from _movements(row, part, at)
    if not row.flags:
        yield Fault((*at, "flags"), "is empty: write at least one country's digits, e.g. 412")
    if row.tows and row.kind != "barge":
        yield Fault((*at, "tows"), f"a {row.kind} is not towed; tows are for barges alone")


def _movements(row: FleetRow, part: PortScenario, at: Where) -> Iterator[Fault]:
    ships = {pattern: count for pattern, count in row.ships.items() if count}
    if not ships:
        yield Fault((*at, "ships"), "names no ship: write e.g. {call: 4, at_berth: 2}")
    if "at_berth" in ships and not row.berths:
        yield Fault((*at, "ships", "at_berth"), "needs berths to lie in")
    if "at_anchor" in ships and not row.anchorages:
        yield Fault((*at, "ships", "at_anchor"), "needs anchorages to lie in")
    if "call" in ships and not (row.berths or row.anchorages):
        yield Fault((*at, "ships", "call"), "needs berths or anchorages to call at")
    if "through" in ships and len(set(part.entries)) < 2:
        yield Fault((*at, "ships", "through"), f"needs two entries; the port has '{part.entries}' alone")
    if row.hulls > row.calls:
        yield Fault((*at, "hulls"), f"{row.hulls} hulls cannot make {row.calls} calls")


def _zones(names: Sequence[str], kind: str, part: PortScenario, port: Port, at: Where) -> Iterator[Fault]:
    own = {zone.id.removeprefix(f"{port.slug}/"): zone.kind for zone in port.zones}
    outside = _outside(part, port)
    fitting = ", ".join(name for name, what in own.items() if what == kind) or "none"
    for index, name in enumerate(names):
        if name not in own:
            yield Fault((*at, index), f"'{port.slug}' has no zone '{name}'; its {kind} zones: {fitting}")
        elif own[name] != kind:
            told = f"'{name}' is no {kind} zone but a zone of kind {own[name]}; {kind} zones: {fitting}"
            yield Fault((*at, index), told)
        elif name in outside:
            yield Fault((*at, index), f"'{name}' lies outside bounds_xy")


def _outside(part: PortScenario, port: Port) -> set[str]:
    """Names of the zones that the simulated frame holds nothing of."""
    if part.bounds_xy is None:
        return set()
    frame = box(*part.bounds_xy)
    zones = {
        zone.id.removeprefix(f"{port.slug}/"): project(zone.polygon, WGS84, port.crs) for zone in port.zones
    }
    return {name for name, polygon in zones.items() if not frame.intersects(polygon)}


def _range(given: tuple[float, float], limits: tuple[float, float], at: Where) -> Iterator[Fault]:
    low, high = given
    if low > high:
        yield Fault(at, f"runs backwards: write [{high:g}, {low:g}]")
    elif low < limits[0] or high > limits[1]:
        yield Fault(at, f"must lie between {limits[0]:g} and {limits[1]:g}")


def _shares(shares: Mapping[Any, float], at: Where) -> Iterator[Fault]:
    if not sum(shares.values()):
        yield Fault(at, "the shares add up to 0: give at least one a share")


def _receivers(receivers: Sequence[Receiver], days: int, at: Where) -> Iterator[Fault]:
    names = [receiver.source for receiver in receivers]
    for index, receiver in enumerate(receivers):
        here = (*at, index)
        if receiver.source in names[:index]:
            yield Fault(
                (*here, "source"), f"'{receiver.source}' stands twice; each source writes files of its own"
            )
        if receiver.kind == "terrestrial" and not receiver.stations:
            yield Fault(here, "a terrestrial receiver needs stations: [[longitude, latitude], ...]")
        yield from _of_kind(receiver, here)
        if not receiver.formats:
            yield Fault((*here, "formats"), "is empty: write nmea, csv or both")
        for number, (lon, lat) in enumerate(receiver.stations):
            if not (-180 <= lon <= 180 and -90 <= lat <= 90):
                yield Fault((*here, "stations", number), "is not [longitude, latitude] in degrees")
        for number, outage in enumerate(receiver.outages):
            yield from _day(outage.day, days, (*here, "outages", number, "day"))


def _of_kind(receiver: Receiver, at: Where) -> Iterator[Fault]:
    for key in _OF_OTHERS[receiver.kind]:
        if getattr(receiver, key) != getattr(_PLAIN, key):
            yield Fault((*at, key), f"means nothing to a {receiver.kind} receiver: leave it out")
    if receiver.kind == "satellite" and receiver.pass_min > receiver.pass_every_min:
        told = f"a pass of {receiver.pass_min:g} minutes is longer than pass_every_min, {receiver.pass_every_min:g}"
        yield Fault((*at, "pass_min"), told)


def _passes(part: PortScenario, days: int, at: Where) -> Iterator[Fault]:
    every: tuple[tuple[str, Sequence[OverpassPlan | RadarPlan]], ...] = (
        ("overpasses", part.overpasses),
        ("radar", part.radar),
    )
    for key, plans in every:
        for index, plan in enumerate(plans):
            yield from _day(plan.day, days, (*at, key, index, "day"))
    for index, orbit in enumerate(part.orbits):
        yield from _day(orbit.first_day, days, (*at, "orbits", index, "first_day"))
        yield from _shares(orbit.skies, (*at, "orbits", index, "skies"))
        if not orbit.platforms:
            yield Fault((*at, "orbits", index, "platforms"), "is empty: name at least one satellite")


def _day(day: int, days: int, at: Where) -> Iterator[Fault]:
    if day >= days:
        yield Fault(at, f"day {day} is outside the {days} simulated days (0 to {days - 1})")


def _of_route(route: Route, scenario: Scenario, ports: Sequence[Port], at: Where) -> Iterator[Fault]:
    yield from _range(route.length_m, _HULLS_M, (*at, "length_m"))
    yield from _range(route.speed_kn, _SHIPS_KN, (*at, "speed_kn"))
    yield from _shares(route.ais_class, (*at, "ais_class"))
    yield from _shares(route.behaviours, (*at, "behaviours"))
    if not route.flags:
        yield Fault((*at, "flags"), "is empty: write at least one country's digits, e.g. 412")
    yield from of_route_fleet(route, at)
    yield from _route_hulls(route, at)
    known = {part.port: (part, port) for part, port in zip(scenario.ports, ports, strict=True)}
    ends = (
        ("loads_at", {"berths": "loading_berths", "anchorages": "loading_anchorages"}),
        ("delivers_at", {"berths": "delivery_berths", "anchorages": "delivery_anchorages"}),
    )
    for key, fields in ends:
        yield from _route_end(route, key, fields, known, at)


def _route_hulls(route: Route, at: Where) -> Iterator[Fault]:
    """A transfer takes two ships: one that gives and one that takes."""
    transfer = route.kind == "transfer_at_sea"
    if transfer and route.hulls < 2:
        yield Fault((*at, "hulls"), "a transfer at sea takes two ships: write 2 or more")
    elif route.hulls > route.occasions * (2 if transfer else 1):
        yield Fault((*at, "hulls"), f"{route.hulls} hulls cannot make {route.occasions} deliveries")
    if transfer and not route.delivery_anchorages:
        told = "a transfer at sea needs anchorages, where the two ships meet"
        yield Fault((*at, "delivery_anchorages"), told)


def _route_end(
    route: Route,
    key: str,
    fields: Mapping[str, str],
    known: Mapping[str, tuple[PortScenario, Port]],
    at: Where,
) -> Iterator[Fault]:
    name = getattr(route, key)
    if name not in known:
        yield Fault((*at, key), f"'{name}' is no port of this scenario; it has {', '.join(known)}")
        return
    for kind, zones in fields.items():
        yield from _zones(getattr(route, zones), _ZONE_KINDS[kind], *known[name], (*at, zones))
    if route.kind == "transfer_at_sea" and key == "delivers_at":
        return  # It needs anchorages above all, which `_route_hulls` asks for.
    if not any(getattr(route, zones) for zones in fields.values()):
        yield Fault((*at, key), f"needs zones there: write {' or '.join(fields.values())}")
