"""What people who come are told: hooks that check what `make check` checks, forms that a forge can show."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FORMS = sorted(
    path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"
)
MENDS = {"--fix", "--check", "."}
"""What differs between a check of everything and a hook that mends the files of a commit."""


def commands_of_check() -> list[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"^check:.*\n((?:\t.*\n)+)", makefile, flags=re.MULTILINE)
    return [plain(line.replace("$(BIN)", ".venv/bin")) for line in recipe.splitlines()]


def plain(command: str) -> str:
    return " ".join(word for word in command.split() if word not in MENDS)


def document(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_hooks_of_a_commit_are_the_commands_of_make_check() -> None:
    (repository,) = document(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert [plain(hook["entry"]) for hook in repository["hooks"]] == commands_of_check()
    assert all(hook["language"] == "system" for hook in repository["hooks"])


def test_pre_commit_and_the_sites_tools_are_extras_with_exact_versions() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    pinned = {
        line.split("==")[0].replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    }
    named = {re.split(r"[<>=\[]", word)[0] for word in extras["docs"]} | {"pre-commit"}
    assert any(word.startswith("pre-commit") for word in extras["dev"])
    assert named <= pinned


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_has_what_a_forge_asks_for(form: Path) -> None:
    found = document(form)
    assert found["name"] and found["description"]
    names = [part["id"] for part in found["body"] if part["type"] != "markdown"]
    assert names and len(names) == len(set(names))
    for part in found["body"]:
        assert part["type"] in {"markdown", "input", "textarea", "dropdown", "checkboxes"}
        assert part["attributes"]["value" if part["type"] == "markdown" else "label"]


def test_blank_issues_give_way_to_the_forms() -> None:
    assert document(ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml") == {"blank_issues_enabled": False}
    assert len(FORMS) == 3


def test_every_command_that_contributing_names_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:^|`)make ([a-z-]+)\b", text, flags=re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
    for path in re.findall(r"pytest (tests/[\w/.]+)", text):
        assert (ROOT / path).exists(), path
