"""The product's own detector on practice scenes that taught nothing: they choose a simulated-only model's threshold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from affine import Affine

from roadstead.detection import Model
from roadstead.geo import Grid
from roadstead.imagery import SIMULATED_TAG, group_overpasses, open_scene, write_cog
from roadstead.simulate.practice.ground import CRS
from roadstead.simulate.practice.scene import PracticeScene, practice_scene
from roadstead.training.figures import ScoredScene, score_scene
from roadstead.training.practice import CHECKED, as_training, practice_labels
from roadstead.training.product import detect_whole, found_in

SCENES: Final = 24
_ORIGIN: Final = (700_000.0, 4_304_000.0)
_MOMENT: Final = datetime(2020, 11, 1, 2, 30, tzinfo=UTC)


def scored_practice(model: Model, cache: Path, count: int = SCENES) -> Iterator[ScoredScene]:
    """Detect and score the practice scenes of the seed `CHECKED`, one after the other."""
    for number in range(count):
        name = f"checked-{CHECKED}-{number:04d}"
        scene = practice_scene(CHECKED, number)
        path = _written(cache / f"{name}.tif", scene)
        (overpass,) = group_overpasses([open_scene(str(path), acquired=_MOMENT)], None)
        table, grid = detect_whole(overpass, model)
        yield score_scene(name, practice_labels(scene), found_in(table, grid))


def _written(path: Path, scene: PracticeScene) -> Path:
    rgb = np.moveaxis(as_training(path.stem, scene).rgb, -1, 0)
    left, top = _ORIGIN
    grid = Grid(CRS, Affine(10.0, 0.0, left, 0.0, -10.0, top), rgb.shape[2], rgb.shape[1])
    write_cog(
        path, rgb, grid, band_names=["red", "green", "blue"], tags={SIMULATED_TAG: "true"}, overviews=False
    )
    return path
