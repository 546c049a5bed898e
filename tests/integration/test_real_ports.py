"""Real scenes of real ports, from the catalogue to the store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.conftest import Run

PORTS = [
    ("durban", "2022-01-01", "2024-12-31", 1),
    ("athens", "2022-01-01", "2024-12-31", 1),
    ("klang", "2022-01-01", "2024-12-31", 1),
    ("houston", "2019-01-01", "2019-12-31", 7),
    ("vancouver", "2019-01-01", "2019-12-31", 5),
]


@pytest.mark.shared_data
@pytest.mark.parametrize(("port", "start", "end", "overpasses"), PORTS)
def test_ships_are_found_at_a_real_port(
    roadstead: Run, shared_data: Path, port: str, start: str, end: str, overpasses: int
) -> None:
    aoi, catalog = shared_data / "aoi" / f"{port}.geojson", shared_data / "stac" / "catalog.json"
    done = roadstead(
        "watch", port, "--aoi", aoi, "--catalog", catalog, "--from", start, "--to", end, "--json"
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [o["state"] for o in report["overpasses"]] == ["processed"] * overpasses
    assert report["detections"] >= 5 * overpasses
    assert {match["status"] for match in report["matches"]} == {"no_coverage"}
    assert report["simulated"] is False
