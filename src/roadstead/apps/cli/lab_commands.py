"""Commands of the lab, found through entry points: the product never imports the lab."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer

from roadstead.core.errors import UsageError

GROUP = "roadstead.commands"
COMMANDS = {
    "simulate": "Make a world whose truth is known: images, AIS and the truth of both.",
    "evaluate": "Measure a model on labelled scenes.",
}
"""Commands that the lab brings, each with what it is for."""


def add_lab_commands(app: typer.Typer) -> None:
    """Add each command of the lab; where the lab is not installed, one that says so and ends with 2."""
    installed = {entry.name: entry for entry in entry_points(group=GROUP)}
    for name, purpose in COMMANDS.items():
        command = _loaded(installed.get(name))
        if command is not None:
            app.command(name)(command)
        else:
            _add_absent(app, name, purpose)


def _loaded(entry: EntryPoint | None) -> Callable[..., Any] | None:
    """Return the command behind an entry point; None where its package is not installed."""
    if entry is None:
        return None
    try:
        command: Callable[..., Any] = entry.load()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != entry.module.partition(".")[0]:
            raise
        return None
    return command


def _add_absent(app: typer.Typer, name: str, purpose: str) -> None:
    def absent() -> None:
        raise UsageError(
            f"'roadstead {name}' belongs to the lab, which this install does not hold: "
            "run it from a checkout of Roadstead after 'make setup'"
        )

    app.command(
        name,
        help=f"{purpose} Needs the lab, which this install does not hold.",
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(absent)
