"""Real against simulated, side by side: ``python -m roadstead_lab.training.realism --shared ../shared/data``.

Writes into ``--out`` contact sheets (PNG: they hold real pixels and are never committed), their blind versions
with keys, and ``realism.json`` and ``realism.md``: numbers alone, which ``--docs`` copies beside the documentation.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from roadstead.core.atomic_files import write_text
from roadstead_lab.simulate.chance import generator
from roadstead_lab.training.command import exit_code_of
from roadstead_lab.training.realism.blind import Blind, blind_test
from roadstead_lab.training.realism.chips import SHEETS, ChipBook
from roadstead_lab.training.realism.real import real_views
from roadstead_lab.training.realism.report import as_json, as_markdown
from roadstead_lab.training.realism.sheets import write_sheets
from roadstead_lab.training.realism.simulated import simulated_views
from roadstead_lab.training.realism.table import Row, Values, add_ground, add_hulls
from roadstead_lab.training.realism.views import View

SCENES: Final = 40
SEED: Final = 7


@dataclass(frozen=True)
class Comparison:
    """What a comparison found."""

    seed: int
    scenes: int
    """Simulated scenes."""
    rows: tuple[Row, ...]
    blind: dict[str, Blind]
    """By sheet."""


def compare(views: Iterable[View], out: Path, seed: int, scenes: int) -> Comparison:
    """Measure views one by one and write their sheets; each is let go before the next is read."""
    values, book = Values(), ChipBook()
    for view in views:
        add_ground(values, view)
        add_hulls(values, view)
        book.add(view, generator(seed, "realism", "chips", view.name))
    blind: dict[str, Blind] = {}
    for sheet in SHEETS:
        real, simulated = book.drawn(sheet, generator(seed, "realism", "sheet", sheet))
        write_sheets(out, sheet, real, simulated, generator(seed, "realism", "blind", sheet))
        blind[sheet] = blind_test(real, simulated, generator(seed, "realism", "auc", sheet))
    return Comparison(seed, scenes, tuple(values.rows()), blind)


def write_report(comparison: Comparison, folder: Path) -> None:
    """Write ``realism.json`` and ``realism.md`` into a folder."""
    content: dict[str, Any] = as_json(comparison.seed, comparison.scenes, comparison.rows, comparison.blind)
    write_text(folder / "realism.json", json.dumps(content, indent=1) + "\n")
    write_text(folder / "realism.md", as_markdown(content))


def _told(views: Iterable[View], console: Console) -> Iterator[View]:
    for view in views:
        console.print(f"{view.name}: {len(view.hulls)} ships")
        yield view


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (3 where the shared data is absent)."""
    parser = argparse.ArgumentParser(prog="roadstead_lab.training.realism", description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="folder of the shared real data")
    parser.add_argument("--out", type=Path, default=Path("build/realism"), help="folder of sheets and table")
    parser.add_argument("--docs", type=Path, help="write the table (numbers alone) here too")
    parser.add_argument("--scenes", type=int, default=SCENES, help="how many scenes to simulate")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    views = chain(real_views(options.shared), simulated_views(options.seed, options.scenes))

    def work() -> None:
        found = compare(_told(views, Console(stderr=True)), options.out, options.seed, options.scenes)
        for folder in filter(None, (options.out, options.docs)):
            write_report(found, folder)
            print(folder / "realism.md")

    return exit_code_of(work)
