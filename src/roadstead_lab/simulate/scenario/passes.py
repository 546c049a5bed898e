"""Whether passes can be told apart: no two of a port at one second, nor two of one satellite at two ports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import time

from roadstead_lab.simulate.scenario.lines import Fault, Where
from roadstead_lab.simulate.scenario.model import OverpassPlan, PortScenario, RadarPlan, Scenario

_Second = tuple[int, time]
"""Day and clock without fractions of a second: products of one second would have one name."""


def of_moments(scenario: Scenario) -> Iterator[Fault]:
    """Yield each pass, or row of repeated ones, that falls on the second of one written before it."""
    by_satellite: dict[tuple[str, _Second], str] = {}
    for index, part in enumerate(scenario.ports):
        here: set[_Second] = set()
        told: set[Where] = set()
        for where, platform, second in _all(part, scenario.days):
            elsewhere = by_satellite.setdefault((platform, second), part.port)
            if (second in here or elsewhere != part.port) and where not in told:
                told.add(where)
                what = "another pass" if second in here else f"{platform} at '{elsewhere}'"
                yield Fault(
                    ("ports", index, *where),
                    f"day {second[0]} at {second[1]} is the moment of {what} too; they cannot be told apart",
                )
            here.add(second)


def _all(part: PortScenario, days: int) -> Iterator[tuple[Where, str, _Second]]:
    """Yield where each pass is written, its satellite and its moment."""
    single: tuple[tuple[str, Sequence[OverpassPlan | RadarPlan]], ...] = (
        ("overpasses", part.overpasses),
        ("radar", part.radar),
    )
    for key, plans in single:
        for index, plan in enumerate(plans):
            yield (key, index), plan.platform, (plan.day, plan.clock.replace(microsecond=0))
    for index, orbit in enumerate(part.orbits):
        for number, day in enumerate(range(orbit.first_day, days, orbit.every_days)):
            if orbit.platforms:
                platform = orbit.platforms[number % len(orbit.platforms)]
                yield ("orbits", index), platform, (day, orbit.clock.replace(microsecond=0))
