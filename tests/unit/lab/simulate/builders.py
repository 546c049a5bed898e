"""Simulated ports for tests."""

from datetime import date

from roadstead.core.ports import Port
from roadstead_lab.simulate.scenario.model import PortScenario, Scenario
from roadstead_lab.simulate.traffic.sea import PortWorld, simulate_sea


def simulate_port(port: Port, scenario: PortScenario, seed: int, start: date, days: int) -> PortWorld:
    """Return the world of a scenario of one port."""
    (world,) = simulate_sea(Scenario("one-port", "One port", start, days, (scenario,)), [port], seed).worlds
    return world
