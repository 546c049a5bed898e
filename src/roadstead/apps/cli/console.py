"""What every command shares: consoles, progress bars, tables, dates."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from roadstead.core.errors import UsageError
from roadstead.core.time_range import time_range

WIDTH_IN_FILES = 160
"""Tables that go to a file or a pipe are this wide."""
out = Console(width=None if sys.stdout.isatty() else WIDTH_IN_FILES)
"""Results go to standard output."""
err = Console(stderr=True)
"""Progress and errors go to standard error."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


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
