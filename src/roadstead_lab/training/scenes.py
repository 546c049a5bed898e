"""Scenes as training sees them: 8-bit true colour, where the water is, and boxes; ignored ground painted out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from roadstead.core.schemas import CLASSES
from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead_lab.training.pixels import cache_pixels
from roadstead_lab.training.places import FOLDS, Label, labelled_scenes, read_labels

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
PRACTICE: Final = "practice"
"""What the ids of simulated scenes begin with."""
LEAST_LAND_PX: Final = 100
"""What is not water and smaller than a hectare may be a ship, a float or foam: it makes no shore."""
_LEAST_LAND_8_BIT_PX: Final = 1000
_NARROWEST_LAND_8_BIT_PX: Final = 3
"""True colour alone takes wakes for land: what it calls land is that only where wider and larger than they are."""
_SMOOTH_PX: Final = 7
"""Side of the square whose smoothness tells water from land in true colour; half of it off a shore looks like land."""


@dataclass(frozen=True)
class TrainingScene:
    """One labelled image of a place."""

    scene_id: str
    rgb: Bytes
    """[H, W, 3] red, green, blue; 255 is a reflectance of `VISUAL_FULL_SCALE`; no data is 0."""
    water: Mask
    """[H, W] open water without labelled ships, where a simulated hull may lie."""
    corners: NDArray[np.float32]
    """[N, 4, 2] boxes as (column, row), 0 at the image's outer edge."""
    classes: NDArray[np.int64]
    """[N] index into `CLASSES`."""


def prepare_scene(
    scene_id: str,
    rgb: Bytes,
    valid: Mask,
    nir: NDArray[np.float32] | None,
    labels: tuple[Label, ...],
) -> TrainingScene:
    """Build a training scene from pixels and labels.

    Args:
        scene_id: Id of the scene.
        rgb: [H, W, 3] 8-bit true colour.
        valid: [H, W] where there is data.
        nir: [H, W] near-infrared reflectance, or None where the product has none.
        labels: Labels of the scene; `ignore` regions are painted over with their surroundings, `unsearched` ones
            become no data.
    """
    seen = valid & ~region_mask(_of_use("unsearched", labels), valid.shape)
    water = _water(rgb, nir) & seen
    water &= ~region_mask(_of_use("yes", labels), valid.shape, grow=1)
    ships = [label for label in labels if label.use == "yes" and _inside(label, seen)]
    painted = _paint_over(rgb, region_mask(_of_use("ignore", labels), valid.shape, grow=1))
    return TrainingScene(
        scene_id,
        np.where(seen[..., None], painted, 0).astype(np.uint8),
        water,
        np.array([ship.corners for ship in ships], np.float32).reshape(-1, 4, 2),
        np.array([CLASSES.index(str(ship.class_)) for ship in ships], np.int64),
    )


def _of_use(use: str, labels: tuple[Label, ...]) -> list[Label]:
    return [label for label in labels if label.use == use]


def _inside(label: Label, seen: Mask) -> bool:
    col, row = label.corners.mean(0).astype(int)
    return bool(0 <= row < seen.shape[0] and 0 <= col < seen.shape[1] and seen[row, col])


def region_mask(labels: Iterable[Label], shape: tuple[int, ...], *, grow: int = 0) -> Mask:
    """Return where labelled regions lie, [H, W], grown by some pixels."""
    mask = np.zeros(shape, np.uint8)
    for label in labels:
        cv2.fillPoly(mask, [np.round(label.corners - 0.5).astype(np.int32)], 1)
    return cv2.dilate(mask, np.ones((2 * grow + 1, 2 * grow + 1), np.uint8)).astype(bool)


def land_mask(rgb: Bytes, valid: Mask, nir: NDArray[np.float32] | None, labels: Iterable[Label]) -> Mask:
    """Tell where a real scene is land, without its labelled ships.

    Args:
        rgb: [H, W, 3] 8-bit true colour.
        valid: [H, W] where there is data.
        nir: [H, W] near-infrared reflectance; None where there is none, then land narrower than 30 m
            or smaller than 10 ha is not told, and shores look 30 m further out.
        labels: Of the scene; what lies in `unsearched` ones may be land.

    Returns:
        [H, W].
    """
    objects = [label for label in labels if label.use != "unsearched"]
    dry = valid & ~_water(rgb, nir) & ~region_mask(objects, valid.shape, grow=1)
    if nir is not None:
        return large_parts(dry, LEAST_LAND_PX)
    least = _NARROWEST_LAND_8_BIT_PX + _SMOOTH_PX - 1
    wide = cv2.morphologyEx(dry.astype(np.uint8), cv2.MORPH_OPEN, np.ones((least, least), np.uint8))
    return large_parts(wide.astype(bool), _LEAST_LAND_8_BIT_PX)


def large_parts(mask: Mask, least_px: int) -> Mask:
    """Keep the connected parts (8 neighbours) of a mask [H, W] that have so many pixels."""
    _, number_of, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    large = facts[:, cv2.CC_STAT_AREA] >= least_px
    large[0] = False
    return np.asarray(large[number_of])


def _paint_over(rgb: Bytes, mask: Mask) -> Bytes:
    """Fill a mask from its surroundings, so that ignored ships teach neither ship nor water edge."""
    return np.asarray(cv2.inpaint(rgb, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA), np.uint8)


def _water(rgb: Bytes, nir: NDArray[np.float32] | None) -> Mask:
    """Tell water by NDWI where near infrared is there, else by smoothness and a blue that is no less than red."""
    red, green, blue = (rgb[..., band].astype(np.float32) / 255 for band in range(3))
    if nir is not None:
        reflectance = green * VISUAL_FULL_SCALE
        return np.asarray((reflectance - nir > 0) & (nir < 0.12) & (green < 0.8))
    square = (_SMOOTH_PX, _SMOOTH_PX)
    mean = cv2.blur(green, square)
    deviation = np.sqrt(np.clip(cv2.blur(green * green, square) - mean * mean, 0, None))
    return np.asarray((deviation < 0.03) & (blue >= red) & (green < 0.8))


def read_scene(shared: Path, cache: Path, scene_id: str) -> TrainingScene:
    """Read a labelled scene, decoding its pixels into the cache at the first time."""
    with np.load(cache_pixels(shared, cache, scene_id)) as pixels:
        nir = pixels["nir"] if pixels["nir"].size else None
        return prepare_scene(scene_id, pixels["rgb"], pixels["valid"], nir, read_labels(shared, scene_id))


def training_scenes(shared: Path, cache: Path, left_out: int | None) -> tuple[TrainingScene, ...]:
    """Read the labelled scenes of every fold but one; None leaves none out."""
    folds = [fold for fold in FOLDS if fold != left_out]
    return tuple(read_scene(shared, cache, scene_id) for scene_id in labelled_scenes(shared, folds))
