"""The small made-up port, simulated once."""

from datetime import date
from pathlib import Path

import pytest

from roadstead.simulate.sea import PortWorld, simulate_port
from roadstead.simulate.small import SMALL_SCENARIO, small_port
from roadstead.simulate.world import SimulatedWorld, simulate_scenarios

START = date(2020, 11, 1)
SEED = 7


@pytest.fixture(scope="session")
def small_world() -> PortWorld:
    """Return the traffic at the small port."""
    return simulate_port(small_port(), SMALL_SCENARIO, SEED, START)


@pytest.fixture(scope="session")
def small_files(tmp_path_factory: pytest.TempPathFactory) -> SimulatedWorld:
    """Return the small port written to disk."""
    out = tmp_path_factory.mktemp("world")
    return simulate_scenarios(out, [(small_port(), SMALL_SCENARIO)], SEED, START)


@pytest.fixture(scope="session")
def small_folder(small_files: SimulatedWorld) -> Path:
    """Return the folder of the written world."""
    return small_files.catalog.parent
