"""Break servers in every way of `table.ROWS`, one after the other, and tell what became of it.

python -m tests.faults.run --docs docs/faults.md
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from roadstead.core.atomic_files import write_text
from roadstead.core.errors import RoadsteadError
from roadstead.core.ports import named_port
from roadstead.core.schemas import MISSING_STATES
from roadstead.core.settings import settings
from roadstead.detection import load_model
from roadstead.store import Store
from roadstead.workflows.watch import Watched, watch
from roadstead.workflows.watch_search import WatchRequest
from tests import builders
from tests.faults import files
from tests.faults.providers import SHAPES, Providers, in_process, three_providers
from tests.faults.table import ROWS, Row
from tests.worlds import FRAME, World, make_world, water_with_ships

TESTS = Path(__file__).parents[1]
RANGE = datetime(2020, 11, 1, tzinfo=UTC), datetime(2020, 11, 30, tzinfo=UTC)
HEAD = """# What happens when something breaks

## Servers

Written by `python -m tests.faults.run --docs docs/faults.md`; a test holds every row against a fresh run. A small
port with two ships and three overpasses is served by three catalogues in their true shapes; the server of the one
asked first breaks as the row says. The other two overpasses are done in every row where any catalogue could be asked.
**No row gives "0 ships".**

- *recovered*: the stored result is that of a run without fault.
- *from the next catalogue*: so it is, with pixels of the next catalogue; the run and the store say why.
- *failed*: that overpass alone is listed as failed with the message; exit code 5, or 4 where nothing could be done.
- *missing*: the ledger lists that pass as not observed.

| what breaks | outcome | the user reads |
|---|---|---|
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one row."""

    outcome: str
    said: str
    detections: dict[str, int]
    """Overpass that has a result -> ships."""


@contextmanager
def broken(served: Providers, row: Row) -> Iterator[None]:
    """Let the first provider's server break for a while."""
    front = served.proxies[row.first]
    token, front.faults = front.token, row.faults()
    secret = os.environ.get("CDSE_S3_ACCESS_KEY")
    if row.arrange.get("no_keys"):
        os.environ.pop("CDSE_S3_ACCESS_KEY")
    if after := row.arrange.get("new_token_after"):
        front.token_changes_after = after
    try:
        yield
    finally:
        front.faults, front.token, front.token_changes_after = [], token, 0
        if secret is not None:
            os.environ["CDSE_S3_ACCESS_KEY"] = secret


def three_overpasses(folder: Path) -> World:
    """Return a world of three overpasses, ten days apart: the orbits tell of the middle one."""
    world = make_world(folder)
    scl = np.full((FRAME.height // 2, FRAME.width // 2), 6, np.uint8)
    more = []
    for day, orbit in ((13, "019275"), (23, "019418")):
        take = {**builders.SENSING, "s2:datatake_id": f"GS2B_202011{day}T022541_{orbit}_N05.00"}
        more.append(
            builders.write_item(
                folder,
                f"S2B_TEST_{day}",
                FRAME,
                water_with_ships(),
                scl=scl,
                datetime=f"2020-11-{day}T02:29:51.500000Z",
                properties=take,
            )
        )
    items = (world.items[0], *more)
    return World(builders.write_catalog(folder, items), world.aoi, world.ais, items)


def once(served: Providers, row: Row | None, folder: Path) -> tuple[Watched | RoadsteadError, Path]:
    """Watch once with a fresh home and store; return how it ended, and the store."""
    store = folder / "s.sqlite"
    with in_process(served, folder / "home"):
        base = settings()
        order = SHAPES if row is None else (row.first, *(name for name in SHAPES if name != row.first))
        catalog = order[0] if row is not None and row.alone else ",".join(order)
        request = WatchRequest(
            named_port("testport", served.world.aoi), *RANGE, catalog, load_model(base.model_id), base,
            f"sqlite:///{store}",
        )  # fmt: skip
        try:
            if row is None:
                return watch(request), store
            with broken(served, row):
                return watch(request), store
        except RoadsteadError as error:
            return error, store


def result_of(store: Path) -> pd.DataFrame:
    """Return the ships that a store holds, without what names their source."""
    with Store.open(f"sqlite:///{store}") as opened:
        found = opened.detections("testport")
    columns = ["overpass_id", "acquired", "lon", "lat", "class", "length_m", "p_vessel", "axis_deg"]
    return found[columns].sort_values(["overpass_id", "lon"]).round(6).reset_index(drop=True)


def judged(row: Row, ended: Watched | RoadsteadError, store: Path, well: pd.DataFrame) -> Outcome:
    """Tell the outcome of a row from what the store holds, and what was said."""
    with Store.open(f"sqlite:///{store}") as opened:
        tried, ledger = opened.acquisitions("testport"), opened.ledger("testport")
    ships = result_of(store)
    counts = ships.groupby("overpass_id").size().to_dict()
    for state in tried[tried["state"] == "processed"]["overpass_id"]:
        counts.setdefault(state, 0)
    said = str(ended) if isinstance(ended, RoadsteadError) else "; ".join(
        [*ended.failures.values(), *ended.unasked.values(), *ended.elsewhere.values(),
         *(one.reason for one in ended.missing), *(str(text) for text in tried["tried"].dropna())]
    )  # fmt: skip
    if isinstance(ended, RoadsteadError):
        return Outcome("no catalogue", said, counts)
    if not ended.done:
        return Outcome("failed all", said, counts)
    if ended.failures:
        return Outcome("failed", said, counts)
    if ledger["state"].isin(MISSING_STATES).any():
        return Outcome("missing", said, counts)
    if not ships.equals(well):
        return Outcome("different", said, counts)
    elsewhere = set(tried["provider"]) != {row.first}
    return Outcome("from the next catalogue" if elsewhere else "recovered", said, counts)


def line(row: Row, found: Outcome) -> str:
    """Return a row of the document."""
    told = f"... {row.says} ..." if row.says else "nothing"
    words = {"no catalogue": "exit code 4 before anything is done", "failed all": "failed; exit code 4"}
    return f"| {row.name} | {words.get(found.outcome, found.outcome)} | {told} |"


FILES_HEAD = """
## Files that are broken, or that people have

The command gets one file each; exit code 3 is bad input, 2 usage. Images show two ships. What is kept is what was
written or stored.

| file | exit code | the user reads | kept |
|---|---|---|---|
"""
DESK_HEAD = """
## What was tried at the desk and with its log-in

Each line is a test, by its name.

| what is so | held by |
|---|---|
"""
DESK_TESTS = ("test_guessing", "test_connections", "test_sign_on_attacks", "test_read_only", "test_lying")
CLOCKS = """
## Clocks, days and images that are off

AIS shifted by minutes, hours or days, an image a kilometre off, an item dated an hour late: what share of overpasses is
warned of, and what wrong leads are left, is measured in [the reconciler's page](reconciler.md), with n and intervals.
"""
_NO_SENTENCE = re.compile(r"_+")


def desk_lines() -> list[str]:
    """Return a row for each test of the desk under attack: its name is the statement that it holds."""
    files = [path for name in DESK_TESTS for path in sorted(TESTS.rglob(f"{name}.py"))]
    rows = []
    for path in files:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                said = _NO_SENTENCE.sub(" ", node.name.removeprefix("test_"))
                rows.append(f"| {said} | `{path.relative_to(TESTS.parent)}` |")
    return rows


def document(lines: list[str], files: list[str]) -> str:
    """Return the whole document, from the rows of servers and of files."""
    desk = DESK_HEAD + "\n".join(desk_lines()) + "\n"
    return HEAD + "\n".join(lines) + "\n" + FILES_HEAD + "\n".join(files) + "\n" + desk + CLOCKS


def main() -> None:
    """Run all rows and write the document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path, default=Path("docs/faults.md"))
    given = parser.parse_args()
    lines, files_rows = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with three_providers(folder, three_overpasses(folder / "world")) as served:
            well = result_of(once(served, None, folder / "well")[1])
            for index, row in enumerate(ROWS):
                ended, store = once(served, row, folder / str(index))
                found = judged(row, ended, store, well)
                lines.append(line(row, found))
                print(f"{row.name}: {found.outcome} {found.detections} {found.said[:300]}", flush=True)
            for row in files.ROWS:
                folder = Path(tempfile.mkdtemp(dir=name))
                files_rows.append(files.line(row, files.run(row, folder)))
                print(files_rows[-1], flush=True)
    write_text(given.docs, document(lines, files_rows))


if __name__ == "__main__":
    main()
