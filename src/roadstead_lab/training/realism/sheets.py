"""Contact sheets: chips of real and simulated ships side by side, and shuffled with a key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw

from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead_lab.training.realism.views import Floats, View

CHIP_PX: Final = 64
ZOOM: Final = 3
COLUMNS, ROWS = 4, 6
_GAP, _HEADER = 4, 28
_LEAST_VALID: Final = 0.97
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Chip:
    """A cut-out in the product's own true colour."""

    name: str
    place: str
    """What may not stand on both sides of a cross-validation."""
    real: bool
    rgb: Bytes
    """[64, 64, 3]; 255 is a reflectance of `VISUAL_FULL_SCALE`."""


def cut_chip(view: View, name: str, centre: Floats) -> Chip | None:
    """Cut a chip around (column, row); None where it leaves the view or too much is no data."""
    col, row = (int(v) - CHIP_PX // 2 for v in np.floor(centre))
    height, width = view.valid.shape
    if col < 0 or row < 0 or col + CHIP_PX > width or row + CHIP_PX > height:
        return None
    part = slice(row, row + CHIP_PX), slice(col, col + CHIP_PX)
    if view.valid[part].mean() < _LEAST_VALID:
        return None
    return Chip(name, view.place, view.origin != "simulated", visual(view.reflectance[(slice(0, 3), *part)]))


def visual(reflectance: NDArray[np.float32]) -> Bytes:
    """Give [H, W, 3] 8-bit true colour of [3, H, W] reflectance, as the product's own ``visual`` has it."""
    scaled = np.nan_to_num(np.moveaxis(reflectance, 0, -1)) / VISUAL_FULL_SCALE * 255
    return np.asarray(np.clip(np.rint(scaled), 0, 255), np.uint8)


def side_by_side(title: str, real: Sequence[Chip], simulated: Sequence[Chip]) -> Pillow.Image:
    """Draw a sheet: real chips left, simulated ones right, each 4 by 6."""
    sheet = _canvas(2 * COLUMNS)
    half = COLUMNS * (CHIP_PX * ZOOM + _GAP)
    pen = ImageDraw.Draw(sheet)
    pen.text((6, 8), f"{title}: REAL (n={len(real)})", fill="white")
    pen.text((half + 6, 8), f"{title}: SIMULATED (n={len(simulated)})", fill="white")
    for side, chips in enumerate((real, simulated)):
        for index, chip in enumerate(chips[: COLUMNS * ROWS]):
            _lay(sheet, chip, index // COLUMNS, index % COLUMNS + side * COLUMNS)
    return sheet


def blind(
    title: str, chips: Sequence[Chip], rng: np.random.Generator
) -> tuple[Pillow.Image, list[dict[str, object]]]:
    """Draw real and simulated chips shuffled; returns the sheet and its key, one entry a chip."""
    sheet, columns = _canvas(2 * COLUMNS), 2 * COLUMNS
    ImageDraw.Draw(sheet).text((6, 8), f"{title}: which are real? (key beside)", fill="white")
    key: list[dict[str, object]] = []
    for index, number in enumerate(rng.permutation(len(chips))[: columns * ROWS]):
        chip, row, column = chips[number], index // columns, index % columns
        _lay(sheet, chip, row, column)
        answer = "real" if chip.real else "simulated"
        key.append({"row": row + 1, "column": column + 1, "answer": answer, "name": chip.name})
    return sheet, key


def _canvas(columns: int) -> Pillow.Image:
    cell = CHIP_PX * ZOOM + _GAP
    return Pillow.new("RGB", (columns * cell, ROWS * cell + _HEADER), (40, 40, 40))


def _lay(sheet: Pillow.Image, chip: Chip, row: int, column: int) -> None:
    side, cell = CHIP_PX * ZOOM, CHIP_PX * ZOOM + _GAP
    image = Pillow.fromarray(chip.rgb).resize((side, side), Pillow.Resampling.NEAREST)
    sheet.paste(image, (column * cell, row * cell + _HEADER))


def write_sheets(
    out: Path, name: str, real: Sequence[Chip], simulated: Sequence[Chip], rng: np.random.Generator
) -> None:
    """Write ``<name>.png``, ``<name>-blind.png`` and its key ``<name>-key.json`` into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    title, room = name.replace("-", " "), COLUMNS * ROWS
    side_by_side(title, real, simulated).save(out / f"{name}.png")
    sheet, key = blind(title, [*real[:room], *simulated[:room]], rng)
    sheet.save(out / f"{name}-blind.png")
    (out / f"{name}-key.json").write_text(json.dumps(key, indent=1) + "\n", encoding="utf-8")
