"""What every command shares: options, consoles, progress bars, tables, dates."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from typer.core import TyperCommand

from roadstead.core.errors import UsageError
from roadstead.core.time_range import time_range

WIDTH_IN_FILES = 160
"""Tables that go to a file or a pipe are this wide."""
out = Console(width=None if sys.stdout.isatty() else WIDTH_IN_FILES)
"""Results go to standard output."""
err = Console(stderr=True)
"""Progress and errors go to standard error."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
From = Annotated[
    str, typer.Option("--from", metavar="DATE", help="First day (or moment), UTC, e.g. 2020-11-01.")
]
To = Annotated[str, typer.Option("--to", metavar="DATE", help="Last day, included, UTC.")]
Aoi = Annotated[
    Path | None,
    typer.Option(
        "--aoi",
        help="Your own port: polygons with an id or name and a kind, as GeoJSON, KML, GeoPackage or Shapefile.",
    ),
]
StoreUrl = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="URL",
        help="Path of an SQLite file (here.sqlite), or SQLAlchemy URL (postgresql+psycopg://...). Default: settings.",
    ),
]
Ais = Annotated[
    list[str] | None,
    typer.Option(
        "--ais",
        metavar="FILE",
        help="NMEA, CSV, JSON or Parquet file, archive, folder, pattern (may/*.nmea), or a store made by `ais import`; "
        "several may follow, and it may be given several times.",
    ),
]
Mapping = Annotated[
    Path | None,
    typer.Option(
        "--ais-mapping", help="Column mapping (YAML, JSON or TOML) for an AIS table we do not know."
    ),
]
Model = Annotated[str | None, typer.Option("--model", help="Model id or folder. Default: settings.")]
Reception = Annotated[
    Path | None,
    typer.Option(
        help="YAML file that states how well a snapshot source heard; without it a snapshot supports no lead."
    ),
]


def print_json(document: Any) -> None:  # noqa: ANN401 - any JSON-ready value
    """Print one JSON document on standard output."""
    typer.echo(json.dumps(document, indent=1, allow_nan=False, default=str))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print one table; numbers are set to the right."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for index, name in enumerate(columns):
        numeric = bool(rows) and isinstance(rows[0][index], (int, float))
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    out.print(table)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show progress bars on standard error."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
    ) as bars:
        yield bars


def bar(bars: Progress, label: str) -> Any:  # noqa: ANN401 - a progress callback (done, total)
    """Add a bar and return the callback (done, total) that moves it."""
    task = bars.add_task(escape(label), total=None)
    return lambda done, total: bars.update(task, completed=done, total=total)


def optional_range(start: str | None, end: str | None) -> tuple[datetime, datetime] | None:
    """Return `time_range` of two options that are given both or not at all.

    Raises:
        UsageError: one of them is missing, or they are no range.
    """
    if (start is None) != (end is None):
        raise UsageError("give both --from and --to, or neither")
    return time_range(start, end) if start and end else None


class AisCommand(TyperCommand):
    """A command whose ``--ais`` also takes the several files that a shell makes of ``may/*.nmea``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - click's, or that within typer
        """Read the words of the command line."""
        params = self.get_params(ctx)
        valued = {
            name
            for param in params
            if param.param_type_name == "option" and not getattr(param, "is_flag", False)
            for name in param.opts
        }
        needed = sum(param.param_type_name == "argument" for param in params)
        return super().parse_args(ctx, with_ais_repeated(args, valued, needed))


def with_ais_repeated(args: Sequence[str], valued: Collection[str], needed: int) -> list[str]:
    """Return the words of a command line with ``--ais`` before each further file that follows its first.

    Args:
        args: the words.
        valued: options that take a value.
        needed: words of the command's own (a port, a file); the last words are these, as they always were.
    """
    free = list(_free_words(args, valued))
    spare = max(len(free) - needed, 0)
    files = [at for at, follows in free if follows and Path(args[at]).exists()][:spare]
    return [word for at, one in enumerate(args) for word in (["--ais", one] if at in files else [one])]


def _free_words(args: Sequence[str], valued: Collection[str]) -> list[tuple[int, bool]]:
    """Return the places of words that are neither options nor their values, and whether each follows ``--ais FILE``."""
    free: list[tuple[int, bool]] = []
    at, follows = 0, False
    while at < len(args):
        name, has_value, _ = args[at].partition("=")
        if args[at] == "--":
            return free + [(n, False) for n in range(at + 1, len(args))]
        if name.startswith("-") and name != "-":
            follows = name == "--ais"
            at += 1 if has_value or name not in valued else 2
        else:
            free.append((at, follows))
            at += 1
    return free
