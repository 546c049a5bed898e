"""Draw docs/images/architecture.svg from the import contracts and the packages' own first lines.

``python tools/architecture.py`` writes it; ``make docs`` does so too. A test holds the file against what this draws.
"""

from __future__ import annotations

import ast
import tomllib
from html import escape
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PICTURE: Final = ROOT / "docs" / "images" / "architecture.svg"
_WIDE, _HIGH, _GAP, _LEFT, _SIDE = 760, 44, 10, 20, 250
_STYLE: Final = (
    "text{font-family:system-ui,sans-serif;fill:#16242f}.n{font-size:15px;font-weight:600}.d{font-size:12px}"
    "rect{fill:#eaf1f6;stroke:#5b7d95}.s rect{fill:#f6f0e4;stroke:#a3885a}line{stroke:#5b7d95;stroke-width:1.5}"
    "svg{background:#fff}"
)


def layers() -> list[list[str]]:
    """Read the layers of the first contract, highest first; those on one line know nothing of each other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = [c for c in project["tool"]["importlinter"]["contracts"] if c["type"] == "layers"]
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def first_line(package: Path) -> str:
    """Read what a package says of itself."""
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0].rstrip(".") if text else ""


def draw() -> str:
    """Draw the layers as boxes, each above all that it may import, with what stands beside them."""
    rows = layers()
    height = (len(rows) + 1) * (_HIGH + _GAP) + 50
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT * 3 + _WIDE + _SIDE} {height}" role="img">',
        "<title>What imports what: each box may import those below it, none above</title>",
        f"<style>{_STYLE}</style>",
        *_row(0, ["flows"], ROOT, "s"),
    ]
    for number, names in enumerate(rows, start=1):
        parts += _row(number, names, ROOT / "src" / "roadstead", "")
    parts += _lab(len(rows))
    foot = height - 14
    parts.append(
        f'<text class="d" x="{_LEFT}" y="{foot}">A box may import those below it and none above; boxes side by side do '
        "not know each other. Drawn from the import contracts in pyproject.toml.</text></svg>"
    )
    return "\n".join(parts) + "\n"


def _row(number: int, names: list[str], folder: Path, style: str) -> list[str]:
    """Boxes side by side, with their first lines."""
    wide = (_WIDE - _GAP * (len(names) - 1)) / len(names)
    top = 14 + number * (_HIGH + _GAP)
    boxes = []
    for place, name in enumerate(names):
        left = _LEFT + place * (wide + _GAP)
        room = int(wide / 6.4)
        said = first_line(folder / name)
        said = said if len(said) <= room else said[: room - 1].rsplit(" ", 1)[0] + " …"
        boxes.append(
            f'<g class="{style}"><rect x="{left:g}" y="{top}" width="{wide:g}" height="{_HIGH}" rx="5"/>'
            f'<text class="n" x="{left + 12:g}" y="{top + 19}">{escape(name)}</text>'
            f'<text class="d" x="{left + 12:g}" y="{top + 36}">{escape(said)}</text></g>'
        )
    return boxes


def _lab(rows: int) -> list[str]:
    """The lab stands beside the product and may import all of it; nothing imports the lab."""
    left, top = _LEFT * 2 + _WIDE, 14 + _HIGH + _GAP
    high = rows * (_HIGH + _GAP) - _GAP
    lines = [
        "makes truth and models;",
        "may import all of the",
        "product, which reaches it",
        "by its commands alone",
    ]
    return [
        f'<g class="s"><rect x="{left}" y="{top}" width="{_SIDE}" height="{high}" rx="5"/>',
        f'<text class="n" x="{left + 12}" y="{top + 24}">roadstead_lab</text>',
        *(
            f'<text class="d" x="{left + 12}" y="{top + 46 + 17 * n}">{escape(line)}</text>'
            for n, line in enumerate(lines)
        ),
        "</g>",
    ]


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
    print(PICTURE)
