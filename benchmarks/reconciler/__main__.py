"""Run the reconciler's benchmarks and write docs/reconciler.md's tables: ``python -m benchmarks.reconciler``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from benchmarks.reconciler import anchorage, calibration, chips, intervals, leads, longline, skew, speed
from benchmarks.reconciler.common import put

SHARED = Path(__file__).parents[3] / "shared" / "data"


def main() -> None:
    """Run all benchmarks, or those named; without the real data its tables stay as they are, and that is said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of real data")
    parser.add_argument("--draws", type=int, default=longline.DRAWS, help="draws of the longline table")
    simulated: dict[str, Callable[[], dict[str, str]]] = {
        "speed": speed.section,
        "anchorage": anchorage.section,
        "hostile": anchorage.hostile_section,
        "borrowed": anchorage.borrowed_section,
        "leads": leads.section,
        "intervals": intervals.section,
        "calibration": calibration.section,
        "skew": skew.section,
    }
    real = ("chips", "longline")
    parser.add_argument("names", nargs="*", help="all where none is named")
    given = parser.parse_args()
    for name in given.names or [*simulated, *real]:
        if name in real and not given.shared.is_dir():
            print(f"{name}: no real data at {given.shared}; its tables stay as they are")
            continue
        if name == "chips":
            texts = chips.section(given.shared)
        elif name == "longline":
            texts = longline.section(given.shared, given.draws)
        else:
            texts = simulated[name]()
        for marker, text in texts.items():
            print(f"\n{marker}\n{text}")
            put(marker, text)


if __name__ == "__main__":
    main()
