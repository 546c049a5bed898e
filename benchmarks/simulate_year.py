"""How long a simulated year of both ports takes without pixels, from the scenario to the files, and its peak memory."""

from __future__ import annotations

import argparse
import csv
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from roadstead_lab.simulate.scenario.file import load_scenario
from roadstead_lab.simulate.world import SimulatedWorld, simulate


def rows(path: Path) -> int:
    """Return how many rows a CSV table has."""
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.DictReader(file))


def megabytes(made: SimulatedWorld) -> float:
    """Return the size of all files."""
    return sum(path.stat().st_size for path in made.truth.parent.rglob("*") if path.is_file()) / 1e6


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="?", default="year-2020", help="built-in name or YAML file")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        made = simulate(Path(folder) / "year", load_scenario(given.scenario), given.seed, "detections")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        deliveries = rows(made.truth / "occasions.csv")
        size = megabytes(made)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{'end to end':24}{wall:8.1f} s")
    print(f"{'of one processor':24}{cpu:8.1f} s")
    print(f"{'peak memory':24}{peak:8.2f} GB")
    print(f"{'files':24}{size:8.1f} MB")
    print(f"{'deliveries':24}{deliveries:8d}")


if __name__ == "__main__":
    main()
