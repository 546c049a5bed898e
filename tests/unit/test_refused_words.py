"""No text that the product itself brings along accuses: pages, guides, tables of words, help."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

import roadstead
import roadstead_lab
from roadstead.apps.cli.main import app
from roadstead.core.wording import EXPLANATIONS, REFUSED, accuses

PACKAGE = Path(roadstead.__file__).parent
LAB = Path(roadstead_lab.__file__).parent
SAYS_WHICH = {PACKAGE / "core" / "wording.py"}
"""The list itself."""


@pytest.mark.parametrize(
    "text",
    [
        *REFUSED, "Illegally", "ILLEGALITY", "smuggle", "smuggled", "smuggler", "Smugglers", "violate", "violates",
        "violated", "violator", "in violation of", "dark vessel", "Dark-Vessels", "dark  fleet", "darkship",
        "dark\nship", "il\u00adlegal", "ｉｌｌｅｇａｌ", "dark\u00a0ship", "smug\u200bgler", "dark_fleet",
    ],
)  # fmt: skip
def test_every_form_is_found(text: str) -> None:
    assert accuses(text)
    assert accuses(f"They say: {text}.")


@pytest.mark.parametrize(
    "text", ["", "a dark hull", "dark water", "lawful cargo", "legal", "ultraviolet", "a ship at dark"]
)
def test_other_words_are_not(text: str) -> None:
    assert accuses(text) is None


def texts() -> Iterator[tuple[str, str]]:
    """Yield (where, text) of every text that can be shown: templates, scripts, styles and strings of the code."""
    for path in sorted([*PACKAGE.rglob("*"), *LAB.rglob("*")]):
        if path.suffix in (".j2", ".js", ".css", ".html", ".yaml", ".svg", ".csv", ".toml"):
            yield str(path), path.read_text(encoding="utf-8")
        elif path.suffix == ".py" and path not in SAYS_WHICH:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield f"{path}:{node.lineno}", node.value


def test_no_template_and_no_table_of_words_accuses() -> None:
    found = list(texts())
    assert len({where.split(":")[0] for where, _ in found}) > 150
    assert [(where, word) for where, text in found if (word := accuses(text))] == []
    assert [words for words in EXPLANATIONS.values() if accuses(words)] == []


def test_no_help_of_a_command_accuses() -> None:
    pages = list(_help(typer.main.get_command(app)))
    assert len(pages) > 20
    assert [page for page in pages if accuses(page)] == []


def _help(command: typer.core.TyperGroup | typer.core.TyperCommand) -> Iterator[str]:
    import click

    yield command.get_help(click.Context(command))  # type: ignore[arg-type]
    for inner in getattr(command, "commands", {}).values():
        yield from _help(inner)
