"""`--ais` as people type it: what a shell makes of a pattern, a quoted pattern, a folder, several files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from roadstead.apps.cli.console import AisCommand, with_ais_repeated
from roadstead.apps.cli.main import app
from roadstead_lab.simulate.ais.csv_file import CSV_COLUMNS
from tests.unit.ais.messages import SHIP, position, voyage, write

VALUED = {"--ais", "--from", "-o"}


def commands(command: Any = None) -> Iterator[Any]:
    """Yield every command of the command line."""
    one = typer.main.get_command(app) if command is None else command
    yield one
    for inner in getattr(one, "commands", {}).values():
        yield from commands(inner)


def test_every_command_that_takes_ais_takes_what_a_shell_makes_of_a_pattern() -> None:
    taking = [one for one in commands() if any("--ais" in param.opts for param in one.params)]
    assert {one.name for one in taking} >= {"watch", "reconcile", "coverage", "identify", "events"}
    assert all(isinstance(one, AisCommand) for one in taking)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("nampo --ais a b c --from d", "nampo --ais a --ais b --ais c --from d"),
        ("--ais a b c nampo", "--ais a --ais b --ais c nampo"),
        ("--ais a nampo", "--ais a nampo"),
        ("--ais a det", "--ais a det"),
        ("--from d --ais a b --ais c nampo", "--from d --ais a --ais b --ais c nampo"),
        ("nampo --ais=a b", "nampo --ais=a --ais b"),
        ("nampo --ais a nothere", "nampo --ais a nothere"),
        ("-o a --ais b c det", "-o a --ais b --ais c det"),
        ("nampo b --ais a", "nampo b --ais a"),
        ("--ais a -- nampo", "--ais a -- nampo"),
    ],
)
def test_words_after_ais_are_files_but_for_those_that_the_command_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, read: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "c", "det"):
        (tmp_path / name).touch()
    assert with_ais_repeated(typed.split(), VALUED, 1) == read.split()


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "may"
    folder.mkdir()
    for n in range(3):
        write(folder / f"{n}.nmea", [*position(60 * n), *voyage(60 * n + 1)])
    return folder


def test_expanded_and_quoted_patterns_and_folders_are_the_same_ais(logs: Path) -> None:
    files = sorted(map(str, logs.iterdir()))
    for given in (files, [f"{logs}/*.nmea"], [str(logs)], [files[0], "--ais", files[1], files[2]]):
        done = CliRunner().invoke(
            app, ["ais", "identify", str(SHIP), "--ais", *given, "--json"], catch_exceptions=False
        )
        (told,) = json.loads(done.stdout)
        assert told["observed"]["reports"] == 3


def test_coverage_takes_several_files_and_a_folder(logs: Path) -> None:
    span = ["--from", "2020-11-03", "--to", "2020-11-03", "--json"]
    for given in (sorted(map(str, logs.iterdir())), [str(logs)]):
        done = CliRunner().invoke(
            app, ["ais", "coverage", "nampo", "--ais", *given, *span], catch_exceptions=False
        )
        assert done.exit_code == 0


def test_events_of_simulated_ais_from_csv_say_so_even_where_there_are_none(tmp_path: Path) -> None:
    row = dict.fromkeys(CSV_COLUMNS, "")
    row |= {"# Timestamp": "03/11/2020 02:20:00", "Type of mobile": "Class A", "MMSI": str(SHIP), "Latitude": "38.7",
            "Longitude": "125.2", "Data source type": "SIM-MAST"}  # fmt: skip
    path = write(tmp_path / "a.csv", [",".join(CSV_COLUMNS), ",".join(row.values())])
    out = tmp_path / "events.geojson"
    CliRunner().invoke(
        app, ["ais", "events", "nampo", "--ais", str(path), "-o", str(out)], catch_exceptions=False
    )
    document = json.loads(out.read_text())
    assert (document["features"], document["roadstead"]["simulated"]) == ([], True)
