"""EuroSAT chips as training scenes: inland barges, and yards, houses and roads that are no ships.

The chips (Helber et al. 2019) are 64 pixels of 10 m, 8-bit true colour without georeference. They are laid side by side
into mosaics, so that crops are cut from them as from any scene. They belong to no fold: nothing is measured on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from roadstead.core.errors import BadInputError
from roadstead.core.schemas import CLASSES
from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead_lab.training.places import Label
from roadstead_lab.training.scenes import TrainingScene, prepare_scene

CHIP_PX: Final = 64
_SIDE: Final = 8
"""Chips along each side of a mosaic."""
EUROSAT_FULL_SCALE: Final = 0.275
"""Reflectance of 255 in the chips (Helber et al. 2019, section III: 0 to 2750)."""
VESSELS: Final = "eurosat"
NEGATIVES: Final = "eurosat-negatives"
_COLUMNS: Final = {
    "chip",
    "verdict",
    "class",
    "kind",
    "confidence",
    "cx",
    "cy",
    "length_px",
    "width_px",
    "angle_deg",
}


def eurosat_scenes(shared: Path) -> tuple[TrainingScene, ...]:
    """Read the chips as mosaics: those with labels, then those without any vessel; none where they are absent.

    Taught are barges, and vessels whose kind the annotator was sure of; all else that may be a vessel is painted over.

    Args:
        shared: Folder of the shared real data; the chips lie in its folder ``eurosat``.

    Raises:
        BadInputError: The labels lack a column, or name a chip that is absent or of another size.
    """
    folder = shared / "eurosat"
    if not folder.is_dir():
        return ()
    labels = _read_labels(folder / "labels.csv")
    labelled = [folder / "chips" / str(name) for name in sorted(labels)]
    without = sorted((folder / "negatives").glob("*.jpg"))
    return (*_mosaics(VESSELS, labelled, labels), *_mosaics(NEGATIVES, without, {}))


def _read_labels(path: Path) -> dict[str, pd.DataFrame]:
    """Return the label rows of each chip."""
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise BadInputError(f"{path}: not a readable table of labels ({error})") from error
    if missing := sorted(_COLUMNS - set(table.columns)):
        raise BadInputError(f"{path}: lacks the column {', '.join(missing)}")
    return {str(chip): rows for chip, rows in table.groupby("chip")}


def _mosaics(place: str, chips: Sequence[Path], labels: dict[str, pd.DataFrame]) -> Iterator[TrainingScene]:
    each = _SIDE * _SIDE
    for number, start in enumerate(range(0, len(chips), each)):
        yield _mosaic(f"{place}_{number}", chips[start : start + each], labels)


def _mosaic(scene_id: str, chips: Sequence[Path], labels: dict[str, pd.DataFrame]) -> TrainingScene:
    """Lay chips row by row into one scene; what is left of its square is no data."""
    side = _SIDE * CHIP_PX
    rgb, valid = np.zeros((side, side, 3), np.uint8), np.zeros((side, side), bool)
    regions: list[Label] = []
    for place, chip in enumerate(chips):
        row, col = (CHIP_PX * part for part in divmod(place, _SIDE))
        window = np.s_[row : row + CHIP_PX, col : col + CHIP_PX]
        rgb[window], valid[window] = _read_chip(chip), True
        rows = labels.get(chip.name)
        if rows is not None:
            boxed = rows[rows["verdict"].isin(["vessel", "unsure"]) & rows["cx"].notna()]
            regions += [_region(label, col, row) for label in boxed.to_dict("records")]
    # Fields are as smooth as water in true colour, so no hull is laid on any chip.
    return replace(prepare_scene(scene_id, rgb, valid, None, tuple(regions)), water=np.zeros_like(valid))


def _read_chip(path: Path) -> NDArray[np.uint8]:
    """Read a chip as [64, 64, 3] true colour in the stretch of the visual asset; 0 is left to no data."""
    try:
        with Image.open(path) as image:
            chip = np.asarray(image.convert("RGB"), np.float32)
    except OSError as error:
        raise BadInputError(f"{path}: not a readable chip ({error})") from error
    if chip.shape != (CHIP_PX, CHIP_PX, 3):
        raise BadInputError(f"{path}: {chip.shape[1]} x {chip.shape[0]} pixels, not {CHIP_PX} x {CHIP_PX}")
    stretched = np.round(chip * (EUROSAT_FULL_SCALE / VISUAL_FULL_SCALE))
    return np.asarray(np.maximum(stretched, 1), np.uint8)


def _region(label: Mapping[Any, Any], col: int, row: int) -> Label:
    """Make a mosaic's label from a row of the table; (col, row) is where its chip begins."""
    angle = np.radians(float(label["angle_deg"]))
    along = np.array([np.cos(angle), np.sin(angle)]) * float(label["length_px"]) / 2
    across = np.array([-np.sin(angle), np.cos(angle)]) * float(label["width_px"]) / 2
    # An integer is a pixel's centre in the table, and its outer edge in scenes.
    middle = np.array([float(label["cx"]) + col, float(label["cy"]) + row]) + 0.5
    sure = label["verdict"] == "vessel" and label["class"] in CLASSES
    sure = sure and (label["class"] == "barge" or label["confidence"] != "low")
    return Label(
        label_id=f"{label['chip']}/{label['cx']},{label['cy']}",
        use="yes" if sure else "ignore",
        class_=str(label["class"]),
        kind=str(label["kind"]),
        confidence=str(label["confidence"]),
        length_m=10 * float(label["length_px"]),
        corners=np.array(
            [
                middle + along - across,
                middle + along + across,
                middle - along + across,
                middle - along - across,
            ]
        ),
    )
