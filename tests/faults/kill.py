"""Kill a watch at random moments, start it again, and hold the store in the end against one that nobody touched.

    python -m tests.faults.kill --kills 30 --docs docs/kills.md

The watch reads over HTTP with a cache on disk, holds against AIS and stores; a kill is SIGKILL, so nothing is closed
or written any more. Where a watch ends before its kill, its store is compared and the next one starts with an empty
store.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from roadstead.core.atomic_files import write_text
from tests import builders
from tests.integration.stac_servers import file_server
from tests.worlds import FRAME, World, make_world, water_with_ships

START, END = datetime(2020, 11, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)
HEAD = """# Killed and started again

Written by `python -m tests.faults.kill --docs docs/kills.md`; `make test` does it anew with 30 kills and other
moments, `make soak` with many more. A watch over HTTP of {overpasses} overpasses, with AIS, gets SIGKILL at a random
moment and is started again, over and over.

| | |
|---|---|
| kills (SIGKILL) | {kills} |
| with so many overpasses stored when killed: how often | {moments} |
| stores brought to an end after kills | {ends} |
| stores that are not that of a watch nobody killed | {different} |
| damaged stores or caches (`PRAGMA integrity_check`) | {damaged} |
| two watches at once on one store: rounds, and stores that differ | {pairs}, {pairs_different} |
"""


@dataclass(frozen=True)
class Report:
    """What came of it."""

    kills: int
    moments: dict[str, int]
    """Overpasses stored at the moment of a kill -> kills."""
    ends: int
    different: int
    damaged: int
    pairs: int
    pairs_different: int
    overpasses: int


def world_of(folder: Path, overpasses: int) -> World:
    """Return a world of some overpasses, five days apart, by two satellites in turn."""
    world = make_world(folder)
    scl = np.full((FRAME.height // 2, FRAME.width // 2), 6, np.uint8)
    image = water_with_ships()
    items = list(world.items)
    for index in range(2, overpasses):
        when = datetime(2020, 11, 3, tzinfo=UTC) + timedelta(days=5 * index)
        letter, orbit = "BA"[index % 2], 19132 + 143 * index // 2
        take = {**builders.SENSING, "s2:datatake_id": f"GS2{letter}_{when:%Y%m%d}T022541_{orbit:06}_N05.00"}
        items.append(
            builders.write_item(
                folder, f"S2{letter}_TEST_{index + 1}", FRAME, image, scl=scl, properties=take,
                datetime=f"{when:%Y-%m-%d}T02:29:51.500000Z", platform=f"sentinel-2{letter.lower()}",
            )
        )  # fmt: skip
    return World(builders.write_catalog(folder, items), world.aoi, world.ais, tuple(items))


def dump(store: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, but for when it was stored."""
    with sqlite3.connect(store) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = {}
        for name in sorted(names):
            columns = [
                row[1] for row in connection.execute(f"PRAGMA table_info({name})") if row[1] != "stored"
            ]
            chosen = ", ".join(f'"{column}"' for column in columns)
            tables[name] = sorted(connection.execute(f"SELECT {chosen} FROM {name}"), key=repr)  # noqa: S608
    connection.close()
    return tables


def is_damaged(folder: Path) -> bool:
    """Return whether any SQLite file below a folder fails SQLite's own check."""
    for path in [*folder.rglob("*.sqlite"), *folder.rglob("cache.db")]:
        with sqlite3.connect(path, timeout=30) as connection:
            found = connection.execute("PRAGMA integrity_check").fetchone()
        connection.close()
        if found != ("ok",):
            return True
    return False


def stored(store: Path) -> int:
    """Return how many overpasses a store holds."""
    if not store.exists():
        return 0
    try:
        with sqlite3.connect(store, timeout=30) as connection:
            count = connection.execute("SELECT count(*) FROM acquisitions").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()
    return int(count)


def run(catalog: str, aoi: Path, ais: Path, home: Path, kills: int, pairs: int, seed: int) -> Report:
    """Do all of it. The process must hold no threads yet: it forks, so that a watch starts at once."""
    chance = random.Random(seed)
    _import()
    began = time.monotonic()
    calm = home / "calm"
    _wait(_fork(catalog, aoi, ais, calm))
    lasts = time.monotonic() - began
    well = dump(calm / "s.sqlite")
    done, ends, different, damaged, turn = 0, 0, 0, 0, 0
    moments: Counter[int] = Counter()
    touched = False
    while done < kills or touched:
        here = home / f"killed-{turn}"
        child = _fork(catalog, aoi, ais, here)
        if done < kills and _killed(child, chance.uniform(0.0, lasts)):
            done += 1
            touched = True
            moments[stored(here / "s.sqlite")] += 1
            damaged += is_damaged(here)
            continue
        _wait(child)
        if touched:
            ends += 1
            different += dump(here / "s.sqlite") != well
            damaged += is_damaged(here)
        turn, touched = turn + 1, False
    pairs_different = 0
    for index in range(pairs):
        here = home / f"pair-{index}"
        both = [_fork(catalog, aoi, ais, here) for _ in range(2)]
        for child in both:
            _wait(child)
        pairs_different += dump(here / "s.sqlite") != well
    counted = {str(count): number for count, number in sorted(moments.items())}
    return Report(done, counted, ends, different, damaged, pairs, pairs_different, len(well["quicklooks"]))


def _fork(catalog: str, aoi: Path, ais: Path, home: Path) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.environ["ROADSTEAD_HOME"] = str(home)
        _watch(catalog, aoi, ais, home)
        code = 0
    finally:
        os._exit(code)


def _import() -> None:
    """Import what a watch needs once, before any fork."""
    import roadstead.detection
    import roadstead.workflows.watch  # noqa: F401


def _watch(catalog: str, aoi: Path, ais: Path, home: Path) -> None:
    from roadstead.core.ports import named_port
    from roadstead.core.settings import settings
    from roadstead.detection import load_model
    from roadstead.workflows.watch import watch
    from roadstead.workflows.watch_search import WatchRequest

    settings.cache_clear()
    base = settings()
    watch(
        WatchRequest(
            named_port("testport", aoi), START, END, catalog, load_model(base.model_id), base,
            f"sqlite:///{home / 's.sqlite'}", (str(ais),),
        )
    )  # fmt: skip


def _killed(child: int, after_s: float) -> bool:
    """Kill a child after a while; return False where it ended before."""
    until = time.monotonic() + after_s
    while time.monotonic() < until:
        if os.waitpid(child, os.WNOHANG)[0]:
            _ended.add(child)
            return False
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


_ended: set[int] = set()


def _wait(child: int) -> None:
    if child in _ended:
        return
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"a watch that nobody killed ended with {os.waitstatus_to_exitcode(status)}")


@contextmanager
def served(folder: Path, overpasses: int) -> Iterator[tuple[str, World]]:
    """Serve a world's catalogue over HTTP; yield its address and the world."""
    world = world_of(folder / "world", overpasses)
    with file_server(folder / "world") as files:
        yield f"{files.url}/catalog.json", world


def killed(folder: Path, *, overpasses: int, kills: int, pairs: int, seed: int) -> Report:
    """Run it all in a process of its own."""
    with served(folder, overpasses) as (catalog, world):
        words = [
            catalog, str(world.aoi), str(world.ais), str(folder / "home"), str(kills), str(pairs), str(seed),
        ]  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.kill", "--inside", *words],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return Report(**json.loads(done.stdout))


def main() -> None:
    """Run it and write the document, or, with ``--inside``, be the process that forks."""
    if sys.argv[1:2] == ["--inside"]:
        catalog, aoi, ais, home, kills, pairs, seed = sys.argv[2:]
        report = run(catalog, Path(aoi), Path(ais), Path(home), int(kills), int(pairs), int(seed))
        print(json.dumps(asdict(report)))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--overpasses", type=int, default=6)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--docs", type=Path, help="document to write")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        report = killed(
            Path(name), overpasses=given.overpasses, kills=given.kills, pairs=given.pairs, seed=given.seed
        )
    moments = ", ".join(f"{count}: {number}" for count, number in report.moments.items())
    text = HEAD.format(**{**asdict(report), "moments": moments})
    print(text)
    if given.docs:
        write_text(given.docs, text)
    if report.different or report.damaged or report.pairs_different:
        sys.exit("a kill was not survived")


if __name__ == "__main__":
    main()
