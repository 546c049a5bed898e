"""Simulated practice scenes as training sees them: 8-bit true colour, where the water is, and boxes.

Boxes carry the margins that labels by eye have (`stamps.LABEL_LONGER_M`, `LABEL_WIDER_M`), so that a detector taught
on simulated scenes alone can be scored against real labels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from roadstead.core.atomic_files import replacing
from roadstead.core.geo import PIXEL_M
from roadstead.core.schemas import CLASSES
from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead_lab.simulate.practice.scene import SIDE_PX, PracticeHull, PracticeScene, practice_scene
from roadstead_lab.training.scenes import PRACTICE, TrainingScene
from roadstead_lab.training.stamps import LABEL_LONGER_M, LABEL_WIDER_M, SMALLEST_LABELLED_M

TAUGHT: Final = 7
"""Seed of the scenes that teach."""
_OPAQUE: Final = (8, 9)


def practice_scenes(cache: Path, seed: int, count: int, *, workers: int = 2) -> tuple[TrainingScene, ...]:
    """Draw the first practice scenes of a seed, from the cache where they are there already."""
    jobs = [(cache, seed, number) for number in range(count)]
    console = Console(stderr=True)
    with ProcessPoolExecutor(workers) as pool:
        paths = list(track(pool.map(_drawn, jobs), f"practice scenes, seed {seed}", count, console=console))
    return tuple(read_drawn(path) for path in paths)


def _drawn(job: tuple[Path, int, int]) -> Path:
    return draw_into(*job)


def cached_path(cache: Path, seed: int, number: int) -> Path:
    """Name the file of a practice scene as today's code draws it."""
    return cache / f"{PRACTICE}-{_drawn_by()}-{seed}-{number:04d}.npz"


def draw_into(cache: Path, seed: int, number: int, side_px: int = SIDE_PX) -> Path:
    """Draw one practice scene into the cache unless it is there already; returns its file."""
    path = cached_path(cache, seed, number)
    if not path.exists():
        scene = as_training(f"{PRACTICE}-{seed}-{number:04d}", practice_scene(seed, number, side_px))
        arrays = {name: getattr(scene, name) for name in ("rgb", "water", "corners", "classes")}
        with replacing(path) as temporary:
            np.savez_compressed(temporary, **arrays)
    return path


@lru_cache
def _drawn_by() -> str:
    """Tell versions of the drawing code apart, so that no scene of an older one teaches."""
    folder = Path(str(resources.files("roadstead_lab.simulate")))
    sources = sorted(folder.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]


def read_drawn(path: Path) -> TrainingScene:
    """Read a practice scene that `draw_into` wrote."""
    with np.load(path) as arrays:
        return TrainingScene(path.stem, arrays["rgb"], arrays["water"], arrays["corners"], arrays["classes"])


def as_training(name: str, scene: PracticeScene) -> TrainingScene:
    """Turn a practice scene into a training scene; hulls under opaque cloud or too small to label are left out."""
    shown = np.clip(np.moveaxis(scene.reflectance[:3], 0, -1) / VISUAL_FULL_SCALE, 0, 1)
    rgb = np.asarray(np.round(shown * 255), np.uint8)
    rgb = np.where(scene.valid[..., None], np.maximum(rgb, 1), 0).astype(np.uint8)
    labelled = list(labelled_hulls(scene))
    water = (scene.land_share == 0) & scene.valid & ~_covered(scene)
    return TrainingScene(
        name,
        rgb,
        water,
        np.array([label_box(hull) for hull in labelled], np.float32).reshape(-1, 4, 2),
        np.array([CLASSES.index(hull.spec.class_) for hull in labelled], np.int64),
    )


def labelled_hulls(scene: PracticeScene) -> Iterator[PracticeHull]:
    """Give the hulls that somebody could label: long enough, inside the image, not under opaque cloud."""
    high, wide = scene.valid.shape
    for hull in scene.hulls:
        col, row = hull.corners.mean(0).astype(int)
        inside = 0 <= row < high and 0 <= col < wide and scene.valid[row, col]
        if (
            hull.spec.length_m >= SMALLEST_LABELLED_M
            and inside
            and scene.scl[row // 2, col // 2] not in _OPAQUE
        ):
            yield hull


def label_box(hull: PracticeHull) -> NDArray[np.float64]:
    """Return the [4, 2] box that a label by eye would have, (column, row)."""
    along = hull.corners[0] - hull.corners[3]
    across = hull.corners[1] - hull.corners[0]
    ahead = along / np.hypot(*along) * LABEL_LONGER_M / PIXEL_M / 2
    aside = across / np.hypot(*across) * LABEL_WIDER_M / PIXEL_M / 2
    return np.asarray(hull.corners + np.array([ahead - aside, ahead + aside, aside - ahead, -ahead - aside]))


def _covered(scene: PracticeScene) -> NDArray[np.bool_]:
    """Where hulls lie, with a pixel around them."""
    mask = np.zeros(scene.valid.shape, np.uint8)
    for hull in scene.hulls:
        cv2.fillPoly(mask, [np.round(hull.corners - 0.5).astype(np.int32)], 1)
    return cv2.dilate(mask, np.ones((3, 3), np.uint8)).astype(bool)
