"""Running the real command line on a small world."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.worlds import World, make_world

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a fresh small world that a test may damage."""
    return make_world(tmp_path / "world")


@pytest.fixture
def roadstead(tmp_path: Path) -> Run:
    """Return a function that runs the `roadstead` command with its own home."""

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "ROADSTEAD_HOME": str(tmp_path / "home"),
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }
        return subprocess.run(
            [sys.executable, "-m", "roadstead", *map(str, words)],
            capture_output=True, text=True, check=False, env=environment, cwd=tmp_path,
        )  # fmt: skip

    return run
