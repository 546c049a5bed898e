"""The picture of the layers is that of the import contracts, and what the guides name is there."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ROOT / "src" / "roadstead"
GUIDES = ("docs/architecture.md", "CONTRIBUTING.md", "SECURITY.md")


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("architecture_tool", ROOT / "tools" / "architecture.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def packages() -> set[str]:
    return {path.parent.name for path in PRODUCT.glob("*/__init__.py")}


def places(guide: str) -> list[str]:
    """Return what a guide names as files and folders: words in backticks with a slash or a file's ending."""
    text = (ROOT / guide).read_text(encoding="utf-8")
    words = re.findall(r"`([\w./-]+)`", text)
    return sorted({word for word in words if "/" in word or word.endswith((".py", ".md", ".toml"))})


def test_the_picture_is_drawn_from_the_contracts_as_they_are(tool: ModuleType) -> None:
    assert tool.PICTURE.read_text(encoding="utf-8") == tool.draw(), "run: python tools/architecture.py"


def test_every_package_of_the_product_is_a_layer_in_the_picture(tool: ModuleType) -> None:
    assert {name for layer in tool.layers() for name in layer} == packages()
    shown = re.findall(r'font-weight="600">([\w]+)<', tool.PICTURE.read_text(encoding="utf-8"))
    assert sorted(shown) == sorted([*packages(), "flows", "roadstead_lab"])


def test_no_words_of_the_picture_leave_their_box(tool: ModuleType) -> None:
    box = tool.Box("core", "word " * 60, 0.0, 300.0)
    assert len(box.lines) > 1
    assert max(map(len, box.lines)) * 6.3 <= 300.0 - 24.0


@pytest.mark.parametrize("guide", GUIDES)
def test_every_place_that_a_guide_names_exists(guide: str) -> None:
    named = places(guide)
    assert len(named) > 5
    for place in named:
        assert any((top / place).exists() for top in (ROOT, PRODUCT, ROOT / "src")), place


def test_the_way_of_a_scene_names_folders_that_exist() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```text\n(.*?)```", text, flags=re.DOTALL)
    first = [line.split()[0] for line in block.splitlines() if line[0] != " "]
    named = {name.strip(",") for name in first} | {"flows"}
    assert len(named) > 8
    for name in named:
        assert (PRODUCT / name).is_dir() or (ROOT / name).is_dir(), name
    assert packages() - {"core", "audit"} <= {name.partition("/")[0] for name in named}
