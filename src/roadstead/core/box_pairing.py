"""Which boxes of one list are boxes of the other: one rule for labels, for what a model found, and for two reviewers.

Boxes are paired one to one, as many pairs as can be and the best of those (Hungarian method). Two rules say which pairs
may be: `strict`, oriented intersection over union of at least `LEAST_IOU`, and `near`, centres within `NEAR_M`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]
Rule = Literal["strict", "near"]
LEAST_IOU: Final = 0.3
NEAR_M: Final = 150.0
LEAST_LENGTH_M: Final = 45.0
"""A shorter ship need not be found, and a shorter box without a ship is no false alarm."""
_FORBIDDEN: Final = 1e6


def paired(
    first: Sequence[Floats], second: Sequence[Floats], rule: Rule, unit_m: float
) -> list[tuple[int, int]]:
    """Return (place in ``first``, place in ``second``) of the boxes that are one.

    Args:
        first: boxes as corners [n, 2] in a plane.
        second: the same in the same plane.
        rule: which pairs may be.
        unit_m: metres of one unit of the plane.
    """
    if not len(first) or not len(second):
        return []
    cost = _iou_cost(first, second) if rule == "strict" else _distance_cost(first, second, unit_m)
    rows, cols = linear_sum_assignment(cost)
    return [(int(r), int(c)) for r, c in zip(rows, cols, strict=True) if cost[r, c] < _FORBIDDEN]


def _iou_cost(first: Sequence[Floats], second: Sequence[Floats]) -> Floats:
    iou = oriented_iou(first, second)
    return np.where(iou >= LEAST_IOU, 1 - iou, _FORBIDDEN)


def _distance_cost(first: Sequence[Floats], second: Sequence[Floats], unit_m: float) -> Floats:
    own, other = (np.array([corners.mean(0) for corners in boxes]) for boxes in (first, second))
    distance = unit_m * np.linalg.norm(own[:, None] - other[None], axis=-1)
    return np.where(distance <= NEAR_M, distance / NEAR_M, _FORBIDDEN)


def oriented_iou(first: Sequence[Floats], second: Sequence[Floats]) -> Floats:
    """Intersection over union of every polygon of `first` with every one of `second`: [len(first), len(second)]."""
    one = np.array([shapely.Polygon(corners) for corners in first], object)[:, None]
    other = np.array([shapely.Polygon(corners) for corners in second], object)[None, :]
    common = shapely.area(shapely.intersection(one, other))
    return np.asarray(common / (shapely.area(one) + shapely.area(other) - common))
