"""Whatever file a command is given, it ends with one of its exit codes and says why: never a traceback.

The commands and their options are asked of the command line itself, so that a new one is tried too.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import typer
from typer.models import OptionInfo, ParameterInfo

from roadstead.apps.cli.main import app, main
from roadstead.apps.desk import ReviewServer
from roadstead.core.settings import settings
from tests.worlds import World, make_world

CODES = {0, 2, 3, 4, 5}
ELSEWHERE = {("serve",)}
"""It goes on as another process: tests/flows/test_deployment_file.py gives its one file the same treatment."""
NO_FILE = {
    *(
        "start",
        "end",
        "acquired",
        "at",
        "formats",
        "zones",
        "classes",
        "statuses",
        "user",
        "withhold",
        "findings",
        "query",
    ),
    *("source", "licence", "receiver", "listen", "host", "allowed_host", "name", "role", "contains"),
}
"""Text that names no file; whatever else takes text is given files."""
DAYS = ["--from", "2020-11-01", "--to", "2020-11-05"]
WORDS = {
    "watch": ["testport", "--aoi", "{aoi}", "--ais", "{ais}", *DAYS],
    "detect": ["{item}", "-o", "{home}/found.geojson"],
    "reconcile": ["{aoi}", "-o", "{home}/matches.geojson"],
    "counts": ["nampo"],
    "export": ["nampo", *DAYS, "-o", "{home}/out"],
    "dossier": ["0a1b2c", "-o", "{home}/dossier.zip"],
    "ais import": ["{ais}"],
    "ais coverage": ["{aoi}", "--ais", "{ais}", *DAYS],
    "ais identify": ["477999001", "--ais", "{ais}"],
    "ais events": ["{aoi}", "--ais", "{ais}", *DAYS, "-o", "{home}/events.geojson"],
    "review add-user": ["ana", "--role", "analyst", "--no-password"],
    "review disable-user": ["ana"],
    "review untie-user": ["ana"],
    "review labels": ["-o", "{home}/labels.geojson"],
    "audit labels": ["-o", "{home}/labels.geojson"],
    "simulate": ["fortnight", "-o", "{home}/world"],
}
"""What a command is given beside the odd file, so that it comes as far as to read it."""


@dataclass(frozen=True)
class Given:
    """One place of one command that a file may be named at."""

    command: tuple[str, ...]
    name: str
    option: str | None
    """None: an argument."""

    @property
    def writes(self) -> bool:
        return self.name in ("output", "plot")


def walk(
    group: typer.Typer, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Callable[..., Any]]]:
    """Yield every command with its words."""
    for command in group.registered_commands:
        yield (*path, str(command.name)), command.callback  # type: ignore[misc]
    for inner in group.registered_groups:
        made = inner.typer_instance
        name = inner.name if isinstance(inner.name, str) else made.info.name or _named(made)
        if made.registered_callback is not None:
            yield (*path, name), made.registered_callback.callback  # type: ignore[misc]
        yield from walk(made, (*path, name))


def _named(made: typer.Typer) -> str:
    return {str(c.name): str(c.name) for c in made.registered_commands}.get("", "")


def places() -> list[Given]:
    """Return every argument and option of every command that takes text or a path."""
    found = []
    for command, run in walk(app):
        if command in ELSEWHERE:
            continue
        for name, one in inspect.signature(run, eval_str=True).parameters.items():
            info = next(
                (x for x in getattr(one.annotation, "__metadata__", ()) if isinstance(x, ParameterInfo)), None
            )
            if info is not None and name not in NO_FILE and _is_text(get_args(one.annotation)[0]):
                named = [info.default, *(info.param_decls or ()), f"--{name.replace('_', '-')}"]
                options = [word for word in named if isinstance(word, str) and word.startswith("-")]
                found.append(Given(command, name, options[0] if isinstance(info, OptionInfo) else None))
    return found


def _is_text(kind: Any) -> bool:
    return kind in (str, Path) or (
        get_origin(kind) is not None and any(_is_text(arg) for arg in get_args(kind))
    )


def odd_files(folder: Path) -> dict[str, Path]:
    """Write files that people name by mistake, and return them by what they are."""
    folder.mkdir()
    found = {
        kind: folder / kind for kind in ("empty", "folder", "rubbish", "one line", "UTF-16", "no target")
    }
    found["empty"].touch()
    found["folder"].mkdir()
    found["rubbish"].write_bytes(bytes(range(256)) * 40)
    found["one line"].write_bytes(b"[" * 5_000 + b"7" * 30_000)
    found["UTF-16"].write_bytes("mmsi;name\n412000001;锚地\n".encode("utf-16"))
    found["no target"].symlink_to(folder / "gone")
    if os.getuid():
        found["shut"] = folder / "shut"
        found["shut"].write_text("{}")
        found["shut"].chmod(0)
    found["under a file"] = found["empty"] / "x.json"
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ROADSTEAD_HOME", str(world.catalog.parent / "home"))
    monkeypatch.setenv("ROADSTEAD_CATALOG", str(world.catalog))
    monkeypatch.setattr(ReviewServer, "run", lambda _: None)  # it would serve until Ctrl-C
    monkeypatch.chdir(tmp_path)
    settings.cache_clear()
    yield
    settings.cache_clear()


def ended(words: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the command line and return its exit code; whatever else it raises would be a traceback."""
    monkeypatch.setattr("sys.argv", ["roadstead", *words])
    try:
        main()
    except SystemExit as error:
        return int(error.code or 0)
    return 0


def words_for(given: Given, value: str, filled: dict[str, str]) -> list[str]:
    """Return the words of a command with ``value`` at one place."""
    rest = [word.format(**filled) for word in WORDS.get(" ".join(given.command), [])]
    if given.option is None:
        plain = [
            n for n, word in enumerate(rest) if not word.startswith("-") and (not n or rest[n - 1][:1] != "-")
        ]
        return [*given.command, value, *(word for n, word in enumerate(rest) if n not in plain[:1])]
    return [*given.command, *rest, given.option, value]


@pytest.mark.parametrize("given", places(), ids=lambda g: f"{'-'.join(g.command)} {g.option or g.name}")
def test_no_command_ends_in_a_traceback(
    given: Given,
    tmp_path: Path,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    filled = {
        "aoi": str(world.aoi),
        "item": str(world.items[0]),
        "ais": str(world.ais),
        "home": str(tmp_path),
    }
    for kind, path in odd_files(tmp_path / "odd").items():
        if given.writes and kind != "under a file" and (kind != "folder" or given.command == ("simulate",)):
            continue
        values = [f"sqlite:///{path}", str(path)] if given.name == "store" else [str(path)]
        for value in values:
            code = ended(words_for(given, value, filled), monkeypatch)
            told = capfd.readouterr()
            assert code in CODES, (kind, told.err)
            assert "Traceback" not in told.out + told.err, kind
            assert code == 0 or told.err.strip(), kind


def test_every_command_is_tried() -> None:
    commands = {command for command, _ in walk(app)}
    tried = {given.command for given in places()}
    assert commands - tried == ELSEWHERE | {("doctor",)}, "these take no file here"
