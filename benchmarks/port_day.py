"""How long a new overpass of Nampo takes, what of it is Prefect, and a long backfill's time and memory.

A simulated overpass of Nampo (ships, quays, cloud) is served by a real STAC API and a file server with byte ranges
on this machine, once for each date under an address of its own, so that every byte of every overpass is fetched.

    python -m benchmarks.port_day --overpasses 60
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from tests.integration.stac_servers import file_server, stac_api

PORT = "nampo"
FIRST = datetime(2020, 1, 4, 2, 29, 51, tzinfo=UTC)
EVERY = timedelta(days=5)
ROUNDS = 3
SAMPLE_S = 0.5


def served_items(folder: Path, overpasses: int) -> tuple[Path, list[Path]]:
    """Simulate, and write the items of ``overpasses`` dates over the same pixels; return their folder and them."""
    from roadstead_lab.simulate.scenario.file import load_scenario
    from roadstead_lab.simulate.world import simulate

    world = simulate(folder / "world", load_scenario("fortnight"), 20201101)
    optical = [path for path in sorted(world.catalog.parent.rglob("*.json")) if _is_of_port(path)]
    days = sorted({json.loads(path.read_text())["properties"]["datetime"][:10] for path in optical})
    chosen = [
        path for path in optical if json.loads(path.read_text())["properties"]["datetime"][:10] == days[0]
    ]
    place = folder / "served"
    items = [_dated(path, place, number) for number in range(overpasses) for path in chosen]
    collection = {
        "type": "Collection", "stac_version": "1.0.0", "id": "sentinel-2-l2a", "description": "SIMULATED", "links": [],
        "license": "proprietary", "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]},
        "temporal": {"interval": [["2015-06-23T00:00:00Z", None]]}},
    }  # fmt: skip
    (place / "collection.json").write_text(json.dumps(collection), encoding="utf-8")
    return place, items


def _is_of_port(path: Path) -> bool:
    from shapely.geometry import shape

    from roadstead.core.ports import named_port

    document = json.loads(path.read_text(encoding="utf-8"))
    if document.get("type") != "Feature" or "sar:product_type" in document.get("properties", {}):
        return False
    return bool(shape(document["geometry"]).intersects(named_port(PORT, None).footprint))


def _dated(path: Path, place: Path, number: int) -> Path:
    """Write an item at another date, its rasters linked into a folder of its own."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    when = FIRST + EVERY * number
    name = f"{document['id']}-{number:03}"
    here = place / name
    here.mkdir(parents=True, exist_ok=True)
    for asset in document["assets"].values():
        source = (path.parent / asset["href"]).resolve()
        os.link(source, here / source.name)
        asset["href"] = f"./{source.name}"
    letter = "BA"[number % 2]
    document |= {"id": name, "collection": "sentinel-2-l2a", "links": []}
    document["properties"] |= {
        "datetime": when.isoformat(), "platform": f"sentinel-2{letter.lower()}",
        "s2:datatake_id": f"GS2{letter}_{when - timedelta(minutes=4):%Y%m%dT%H%M%S}_{number:06}_N05.00",
    }  # fmt: skip
    written = here / f"{name}.json"
    written.write_text(json.dumps(document), encoding="utf-8")
    return written


@contextmanager
def servers(folder: Path, overpasses: int) -> Iterator[str]:
    """Serve them; yield the address of the STAC API."""
    place, items = served_items(folder, overpasses)
    with file_server(place) as files, stac_api(place, items, files.url) as api:
        yield api


def inside(what: str, api: str, home: Path, overpasses: int) -> dict[str, float]:
    """Do one thing in this process, which holds nothing of earlier ones; return seconds and gigabytes."""
    os.environ |= {
        "ROADSTEAD_HOME": str(home), "PREFECT_HOME": str(home / "prefect"), "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_LOGGING_LEVEL": "WARNING",
    }  # fmt: skip
    end = FIRST + EVERY * overpasses
    if what == "job":
        return _timed(lambda: _job(api, home, end))
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        if what == "flow":
            from flows.watch_port import watch_port

            return _timed(lambda: watch_port(PORT, FIRST - timedelta(days=1), end, api))
        from flows.backfill import backfill

        return _timed(lambda: backfill(PORT, FIRST - timedelta(days=1), end, catalog=api))


def _job(api: str, home: Path, end: datetime) -> None:
    from roadstead.core.ports import named_port
    from roadstead.core.settings import settings
    from roadstead.detection import load_model
    from roadstead.workflows.watch import watch
    from roadstead.workflows.watch_search import WatchRequest

    base = settings()
    model = load_model(base.model_id)
    store = f"sqlite:///{home / 'roadstead.sqlite'}"
    watch(WatchRequest(named_port(PORT, None), FIRST - timedelta(days=1), end, api, model, base, store))


def _timed(work: Any) -> dict[str, float]:  # noqa: ANN401 - any callable
    process, samples, over = psutil.Process(), [], threading.Event()

    def sample() -> None:
        while not over.wait(SAMPLE_S):
            samples.append(process.memory_info().rss / 1e9)

    thread = threading.Thread(target=sample, daemon=True)
    began = time.perf_counter()
    thread.start()
    work()
    took = time.perf_counter() - began
    over.set()
    thread.join()
    quarter = max(len(samples) // 4, 1)
    return {"seconds": took, "second_quarter": max(samples[quarter : 2 * quarter] or [0.0]),
            "last_quarter": max(samples[-quarter:] or [0.0])}  # fmt: skip


def _run(what: str, api: str, home: Path, overpasses: int) -> dict[str, float]:
    done = subprocess.run(  # noqa: S603 - this very module
        [sys.executable, "-m", "benchmarks.port_day", "--inside", what, api, str(home), str(overpasses)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr[-3000:])
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print one table, or, with ``--inside``, do one thing."""
    if sys.argv[1:2] == ["--inside"]:
        what, api, home, overpasses = sys.argv[2:]
        print(json.dumps(inside(what, api, Path(home), int(overpasses))))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--overpasses", type=int, default=60, help="of the backfill")
    given = parser.parse_args()
    with TemporaryDirectory() as name:
        folder = Path(name)
        with servers(folder, given.overpasses) as api:
            times: dict[str, list[float]] = {"job": [], "flow": []}
            for index in range(ROUNDS):
                for what, found in times.items():
                    found.append(_run(what, api, folder / f"{what}-{index}", 1)["seconds"])
            long = _run("backfill", api, folder / "backfill", given.overpasses)
    job, flow = statistics.median(times["job"]), statistics.median(times["flow"])
    print(f"{'one new overpass, flow':42}{flow:8.1f} s  (median of {ROUNDS}: {_all(times['flow'])})")
    print(f"{'the same without Prefect':42}{job:8.1f} s  (median of {ROUNDS}: {_all(times['job'])})")
    print(f"{'so orchestration':42}{flow - job:8.1f} s")
    print(f"{f'backfill of {given.overpasses} overpasses':42}{long['seconds'] / 60:8.1f} min")
    print(f"{'its memory, second quarter, peak':42}{long['second_quarter']:8.2f} GB")
    print(f"{'its memory, last quarter, peak':42}{long['last_quarter']:8.2f} GB")


def _all(values: list[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in values)


if __name__ == "__main__":
    main()
