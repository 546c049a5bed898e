"""Whether passes can be told apart: no two of a port at one second, nor two of one satellite at two ports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time

from roadstead.simulate.scenario.lines import Fault, Where
from roadstead.simulate.scenario.model import PortScenario, Scenario

_Second = tuple[int, time]
"""Day and clock without fractions of a second."""
_TOLD = "two passes at one moment cannot be told apart"


def of_moments(scenario: Scenario) -> Iterator[Fault]:
    """Yield the second of each two passes that only their sensor or their port tells apart."""
    taken: dict[tuple[str, _Second], int] = {}
    for index, part in enumerate(scenario.ports):
        at: Where = ("ports", index)
        yield from _radar(part, scenario.days, at)
        told: set[Where] = set()
        for where, platform, second in _all(part, scenario.days):
            first = taken.setdefault((platform, second), index)
            if first != index and where not in told:
                told.add(where)
                other = f"{platform} passes '{scenario.ports[first].port}'"
                yield Fault((*at, *where), f"at {second[1]} on day {second[0]} {other} too: {_TOLD}")


def _radar(part: PortScenario, days: int, at: Where) -> Iterator[Fault]:
    optical = {second for where, _, second in _all(part, days) if where[0] != "radar"}
    for where, _, (day, clock) in _all(part, days):
        if where[0] == "radar" and (day, clock) in optical:
            yield Fault((*at, *where), f"at {clock} on day {day} there is an optical pass: {_TOLD}")


def _all(part: PortScenario, days: int) -> Iterator[tuple[Where, str, _Second]]:
    """Yield where each pass is written, its satellite and its moment."""
    for index, plan in enumerate(part.overpasses):
        yield ("overpasses", index), plan.platform, (plan.day, plan.clock.replace(microsecond=0))
    for index, orbit in enumerate(part.orbits):
        clock = orbit.clock.replace(microsecond=0)
        for number, day in enumerate(range(orbit.first_day, days, orbit.every_days)):
            if orbit.platforms:
                yield ("orbits", index), orbit.platforms[number % len(orbit.platforms)], (day, clock)
    for index, radar in enumerate(part.radar):
        yield ("radar", index), radar.platform, (radar.day, radar.clock.replace(microsecond=0))
