"""Draw docs/images/architecture.svg from the import contracts and the packages' own first lines.

``python tools/architecture.py`` writes it; ``make docs`` does so too. A test holds the file against what this draws.
"""

from __future__ import annotations

import ast
import textwrap
import tomllib
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PICTURE: Final = ROOT / "docs" / "images" / "architecture.svg"
_WIDE, _MAIN, _GAP, _EDGE, _PAD = 760, 560, 8, 10, 12
_LINE, _HEAD = 16, 28
_CHARACTER: Final = 6.3
"""Width of a character of 12.5 px, a little more than sans-serif fonts have on average."""
_PRODUCT: Final = 'fill="#eaf1f6" stroke="#5b7d95"'
_BESIDE: Final = 'fill="#f6f0e4" stroke="#a3885a"'
_LAB: Final = (
    "Makes worlds whose truth is known, and models. It may import all of the product; nothing imports it."
)
_FOOT: Final = (
    "A box may import those below it and none above; boxes side by side do not know each other. "
    "Drawn from the import contracts in pyproject.toml."
)


@dataclass(frozen=True)
class Box:
    """One package, and where it is drawn (px)."""

    name: str
    words: str
    left: float
    wide: float
    style: str = _PRODUCT

    @property
    def lines(self) -> list[str]:
        """What it says, as wide as the box."""
        return textwrap.wrap(self.words, int((self.wide - 2 * _PAD) / _CHARACTER))

    def svg(self, top: float, high: float) -> str:
        """Draw it."""
        x = self.left + _PAD
        words = "".join(
            f'<text x="{x:g}" y="{top + _HEAD + 10 + _LINE * n:g}">{escape(line)}</text>'
            for n, line in enumerate(self.lines)
        )
        return (
            f'<rect x="{self.left:g}" y="{top:g}" width="{self.wide:g}" height="{high:g}" rx="5" {self.style}/>'
            f'<text x="{x:g}" y="{top + 20:g}" font-size="15" font-weight="600">{escape(self.name)}</text>{words}'
        )


def layers() -> list[list[str]]:
    """Read the layers of the first contract, highest first; those on one line know nothing of each other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [c for c in project["tool"]["importlinter"]["contracts"] if c["type"] == "layers"]
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def first_line(package: Path) -> str:
    """Read what a package says of itself."""
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0].replace("`", "") if text else ""


def draw() -> str:
    """Draw the layers as boxes, each above all that it may import, with what stands beside them."""
    product = ROOT / "src" / "roadstead"
    rows = [_row(["flows"], ROOT, _BESIDE), *(_row(names, product) for names in layers())]
    top, parts, first = float(_EDGE), [], 0.0
    for boxes in rows:
        high = _HEAD + _LINE * max(len(box.lines) for box in boxes) + 2
        parts += [box.svg(top, high) for box in boxes]
        top += high + _GAP
        first = first or top
    lab = Box("roadstead_lab", _LAB, _EDGE + _MAIN + _GAP, _WIDE - _MAIN - _GAP - 2 * _EDGE, _BESIDE)
    parts.append(lab.svg(first, top - _GAP - first))
    foot = textwrap.wrap(_FOOT, int((_WIDE - 2 * _EDGE) / _CHARACTER))
    parts += [
        f'<text x="{_EDGE}" y="{top + 14 + _LINE * n:g}">{escape(line)}</text>' for n, line in enumerate(foot)
    ]
    height = top + 14 + _LINE * len(foot)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {height:g}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12.5" fill="#16242f">'
    )
    title = "<title>What imports what: each box may import those below it, none above</title>"
    return "\n".join([head, title, '<rect width="100%" height="100%" fill="#fff"/>', *parts, "</svg>"]) + "\n"


def _row(names: list[str], folder: Path, style: str = _PRODUCT) -> list[Box]:
    """Return the boxes of packages side by side, with their first lines."""
    wide = (_MAIN - _GAP * (len(names) - 1)) / len(names)
    return [
        Box(name, first_line(folder / name), _EDGE + place * (wide + _GAP), wide, style)
        for place, name in enumerate(names)
    ]


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
    print(PICTURE)
