"""Mangled rasters and items end in ships or in a reason, in bounded time and memory; more of them: make mangled."""

from __future__ import annotations

import json
import subprocess
import sys

COUNT = 200
MOST_MB, MOST_S = 1500, 60.0


def test_what_is_mangled_is_refused_or_read_and_is_never_zero_ships() -> None:
    words = [sys.executable, "-m", "tests.faults.mangled", "--count", str(COUNT)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["wrong"] == []
    assert sum(told["outcomes"].values()) == COUNT
    assert told["outcomes"]["refused"] > COUNT / 4 and told["outcomes"]["ships"] > COUNT / 8, "both are tried"
    assert told["largest_mb"] < MOST_MB and told["slowest_s"] < MOST_S
