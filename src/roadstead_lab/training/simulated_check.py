"""Simulated hulls on the water of unseen places: the only lengths and barges whose truth is certain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from roadstead.core.geo import PIXEL_M
from roadstead.core.oriented_boxes import LEAST_IOU, oriented_iou
from roadstead.core.schemas import CLASSES
from roadstead.detection.runtime import Network
from roadstead_lab.training.boxes import box_corners, long_side_first
from roadstead_lab.training.crops import CROP_PX, Composer, Crop
from roadstead_lab.training.export import TILE_PX
from roadstead_lab.training.figures import class_table
from roadstead_lab.training.scenes import TrainingScene
from roadstead_lab.training.scoring import LEAST_LENGTH_M
from roadstead_lab.training.stamps import LABEL_LONGER_M, LABEL_WIDER_M, simulated_stamp

Floats = NDArray[np.float64]
CROPS: Final = 400
STAMPS: Final = 400
SEED: Final = 20_240
_ASIDE_PX: Final = (TILE_PX - CROP_PX) // 2


@dataclass(frozen=True)
class SimulatedShips:
    """Simulated hulls of 45 m or more and the best box on each; nan and -1 where there is none."""

    true_length_m: Floats
    true_beam_m: Floats
    true_class: NDArray[np.int64]
    box_length_m: Floats
    box_beam_m: Floats
    box_class: NDArray[np.int64]

    @property
    def found(self) -> NDArray[np.bool_]:
        """Which were found."""
        return np.asarray(self.box_class >= 0)


def simulated_ships(
    network: Network,
    scenes: Sequence[TrainingScene],
    threshold: float,
    *,
    crops: int = CROPS,
    stamps: int = STAMPS,
) -> SimulatedShips:
    """Lay fresh simulated hulls on these scenes' water and look for them.

    Args:
        network: Takes tiles of `TILE_PX`.
        scenes: Scenes whose water is used; their own ships stay in the image but are no truth.
        threshold: Least raw score of a box.
        crops: How many crops to look at.
        stamps: How many different simulated stamps are laid on them.
    """
    rng = np.random.default_rng(SEED)
    bare = [
        replace(scene, corners=np.zeros((0, 4, 2), np.float32), classes=np.zeros(0, np.int64))
        for scene in scenes
    ]
    composer = Composer(bare, [simulated_stamp(rng) for _ in range(stamps)], [])
    looked_at: dict[int, Crop] = {}
    rows = [
        row
        for number, raw in network.run(_tiles(composer, crops, looked_at))
        for row in _looked_for(looked_at.pop(number), raw, threshold)
    ]
    table = np.array(rows, float).reshape(-1, 6)
    return SimulatedShips(
        table[:, 0], table[:, 1], table[:, 2].astype(int), table[:, 3], table[:, 4], table[:, 5].astype(int)
    )


def _tiles(
    composer: Composer, count: int, looked_at: dict[int, Crop]
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield (number, image [3, T, T]) of crops, mirrored outward to the size of a tile; notes each in `looked_at`."""
    for number in range(count):
        looked_at[number] = crop = composer.compose(np.random.default_rng([SEED, number]), 1.0)
        image = np.pad(crop.image, ((_ASIDE_PX, _ASIDE_PX), (_ASIDE_PX, _ASIDE_PX), (0, 0)), mode="symmetric")
        yield number, np.ascontiguousarray(np.moveaxis(image, -1, 0), np.float32) / np.float32(255)


def _looked_for(crop: Crop, raw: NDArray[np.float32], threshold: float) -> Iterator[tuple[float, ...]]:
    """One row a hull: true length and beam, class, and those of the best-scored box that overlaps it enough."""
    boxes = raw.T.astype(float)
    boxes[:, :2] -= _ASIDE_PX
    boxes = boxes[boxes[:, 4:7].max(1) >= threshold]
    truth = long_side_first(crop.corners)
    iou = oriented_iou(list(crop.corners), list(box_corners(boxes[:, [0, 1, 2, 3, 7]])))
    for number, (length, beam) in enumerate(truth[:, 2:4] * PIXEL_M - (LABEL_LONGER_M, LABEL_WIDER_M)):
        if length < LEAST_LENGTH_M or not _wholly_inside(crop.corners[number]):
            continue
        seen = np.where(iou[number] >= LEAST_IOU, boxes[:, 4:7].max(1), -1.0)
        yield (length, beam, float(crop.classes[number]), *_best(boxes, seen))


def _best(boxes: Floats, seen: Floats) -> tuple[float, float, float]:
    if not len(seen) or seen.max() < 0:
        return np.nan, np.nan, -1.0
    box = boxes[int(np.argmax(seen))]
    return (
        float(box[2:4].max() * PIXEL_M),
        float(box[2:4].min() * PIXEL_M),
        float(np.argmax(box[4:7])),
    )


def _wholly_inside(corners: NDArray[np.float32]) -> bool:
    return bool(((corners > 2) & (corners < CROP_PX - 2)).all())


def figures(ships: SimulatedShips) -> dict[str, Any]:
    """Recall and class figures on simulated truth."""
    pairs = [
        (CLASSES[truth], CLASSES[seen])
        for truth, seen in zip(ships.true_class[ships.found], ships.box_class[ships.found], strict=True)
    ]
    return {"n": len(ships.found), "recall": round(float(ships.found.mean()), 4), "class": class_table(pairs)}
