"""The small made-up port, simulated once."""

from pathlib import Path
from typing import Any

import pytest

from roadstead_lab.simulate.scenario.file import LoadedScenario
from roadstead_lab.simulate.small import SMALL_SCENARIO, SMALL_WORLD, small_port
from roadstead_lab.simulate.traffic.sea import PortWorld
from tests.unit.lab.simulate.builders import simulate_port

START = SMALL_WORLD.start
DAYS = SMALL_WORLD.days
SEED = 7


@pytest.fixture(scope="session")
def small_world() -> PortWorld:
    """Return the traffic at the small port."""
    return simulate_port(small_port(), SMALL_SCENARIO, SEED, START, DAYS)


@pytest.fixture(scope="session")
def small_loaded() -> LoadedScenario:
    """Return the scenario of the small port with its port."""
    return LoadedScenario(SMALL_WORLD, (small_port(),))


@pytest.fixture(scope="session")
def small_files(tmp_path_factory: pytest.TempPathFactory, small_loaded: LoadedScenario) -> Any:
    """Return the small port written to disk."""
    from roadstead_lab.simulate.world import simulate

    return simulate(tmp_path_factory.mktemp("world") / "small", small_loaded, SEED)


@pytest.fixture(scope="session")
def small_folder(small_files: Any) -> Path:
    """Return the folder of the written world."""
    return small_files.truth.parent
