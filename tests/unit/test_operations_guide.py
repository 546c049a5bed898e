"""What docs/operations.md claims of names that the code has."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from typer.main import get_command

from roadstead.apps.cli.main import app
from roadstead.core.settings import Settings
from roadstead.workflows.status import metrics_text

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.DOTALL)


def test_every_command_and_option_in_the_guide_exists() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    used = re.findall(r"(?:^|bin/)roadstead ([a-z]+[^\n`#|&]*)", "\n".join(blocks("sh")), flags=re.MULTILINE)
    assert used
    for words in used:
        name, *rest = words.split()
        known = {option for parameter in commands[name].params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known, words
    assert {words.split()[0] for words in used} == {"status", "doctor"}
    assert "--prefect-database" in {o for p in commands["serve"].params for o in p.opts}


def test_the_metrics_listed_are_those_served() -> None:
    listed = set(re.findall(r"^\| `(roadstead_[a-z_]+)", GUIDE, flags=re.MULTILINE))
    served = set(
        re.findall(r"^# TYPE (roadstead_[a-z_]+) gauge", metrics_text([]).decode(), flags=re.MULTILINE)
    )
    assert listed == served
    alerts = next(block for block in blocks("yaml") if "alert:" in block)
    assert set(re.findall(r"roadstead_[a-z_]+", alerts)) <= served


def test_the_yaml_of_the_guide_is_yaml_and_its_settings_are_ours() -> None:
    assert all(yaml.safe_load(block) for block in blocks("yaml"))
    for name in set(re.findall(r"ROADSTEAD_([A-Z_]+)", GUIDE)):
        assert name.lower() in Settings.model_fields, name


def test_the_deployments_listed_are_those_that_ship() -> None:
    document = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))
    assert all(f"`{one['name']}`" in GUIDE for one in document["deployments"])
