"""What the README claims."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

from typer.main import get_command

from roadstead.apps.cli.main import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def docs_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_tool", ROOT / "tools" / "docs.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_figures_are_those_of_the_shipped_models_metrics() -> None:
    tool = docs_tool()
    assert tool.figures(tool.metrics()) in README


def test_the_metrics_are_those_of_the_shipped_weights() -> None:
    from roadstead.core.settings import Settings
    from roadstead.detection import load_model

    assert docs_tool().metrics()["sha256"] == load_model(Settings().model_id).sha256


def test_every_command_in_the_readme_exists() -> None:
    words = set(re.findall(r"^(?:\.venv/bin/)?roadstead ([a-z]+)", README, flags=re.MULTILINE))
    assert words
    assert words <= set(get_command(app).commands)  # type: ignore[attr-defined]


def test_every_make_target_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"make ([a-z]+)\b", README)):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_every_link_in_the_readme_leads_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / link).exists(), link
