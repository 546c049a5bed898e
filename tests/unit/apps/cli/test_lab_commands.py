"""Commands of the lab: found where it is installed, and a clear word where it is not."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest
import typer
from typer.main import get_command

from roadstead.apps.cli import lab_commands
from roadstead.core.errors import UsageError


def app_with(monkeypatch: pytest.MonkeyPatch, *entries: EntryPoint) -> typer.core.TyperGroup:
    """Return a command line over these entry points alone."""
    monkeypatch.setattr(
        lab_commands, "entry_points", lambda group: [one for one in entries if one.group == group]
    )
    app = typer.Typer()
    lab_commands.add_lab_commands(app)
    made = get_command(app)
    assert isinstance(made, typer.core.TyperGroup)
    return made


def entry(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, lab_commands.GROUP)


def test_a_checkout_has_the_commands_of_the_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_with(
        monkeypatch,
        entry("simulate", "roadstead_lab.commands.simulate:simulate_command"),
        entry("evaluate", "roadstead_lab.commands.evaluate:evaluate_command"),
    )
    options = {option for parameter in app.commands["simulate"].params for option in parameter.opts}
    assert {"--seed", "--mode"} <= options
    assert {option for parameter in app.commands["evaluate"].params for option in parameter.opts} >= {
        "--shared"
    }


@pytest.mark.parametrize("words", [[], ["fortnight", "-o", "world", "--seed", "7"]])
@pytest.mark.parametrize(
    "entries", [[], [entry("simulate", "roadstead_laboratory_absent.commands:simulate")]]
)
def test_an_install_without_the_lab_says_so_whatever_is_asked(
    monkeypatch: pytest.MonkeyPatch, entries: list[EntryPoint], words: list[str]
) -> None:
    app = app_with(monkeypatch, *entries)
    with pytest.raises(UsageError, match=r"simulate'.*does not hold.*checkout"):
        app.main(["simulate", *words], standalone_mode=False)


def test_a_fault_inside_the_lab_is_not_taken_for_its_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EntryPoint, "load", lambda _: __import__("a_library_that_is_absent"))
    with pytest.raises(ModuleNotFoundError, match="a_library_that_is_absent"):
        app_with(monkeypatch, entry("simulate", "roadstead_lab.commands.simulate:simulate_command"))


@pytest.mark.parametrize("name", ["simulate", "evaluate"])
def test_a_command_of_the_lab_can_be_imported_on_its_own(name: str) -> None:
    """In a process of its own: what was imported before would hide a circle."""
    code = f"import roadstead_lab.commands.{name}"
    subprocess.run([sys.executable, "-c", code], check=True)
