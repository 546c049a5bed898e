"""One box a hull: greedy suppression of boxes that cover the same hull, by exact oriented overlap.

Whatever the classes say: one hull is counted once. Hulls rafted side by side overlap by little and all stay.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from roadstead.geo import Array

Bools = NDArray[np.bool_]
FRAGMENT_INSIDE = 0.6
"""A fragment cut by its tile's edge yields to a box of another tile that holds this share of it."""


def rank(score: Array, cut: Bools, centre: Array, threshold: float) -> NDArray[np.intp]:
    """Return indices, first the boxes that others yield to.

    Boxes below the threshold come last, so that asking for them changes nothing above it; then whole hulls
    before fragments; then by score. Equal scores go by centre, from the upper left, never by tile.

    Args:
        score: [n] raw scores.
        cut: [n] whether a box reaches its tile's edge inside the image.
        centre: [n, 2] col, row.
        threshold: least score of a kept box.
    """
    col, row = np.round(centre, 2).T
    return np.lexsort((col, row, -score, cut, score < threshold))


def unique_hulls(boxes: NDArray[np.object_], cut: Bools, tile: NDArray[np.int64], iou: float) -> Bools:
    """Return which boxes to keep; the others show a hull that a kept box before them shows.

    Args:
        boxes: [n] shapely polygons in map metres, in the order of `rank`.
        cut: [n] whether the box reaches its tile's edge inside the image.
        tile: [n] number of the tile it comes from.
        iou: least intersection over union of two boxes of one hull.
    """
    first, later = STRtree(boxes).query(boxes, predicate="intersects")
    pairs = np.column_stack([first, later])[first < later]
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    keep = np.ones(len(boxes), bool)
    # Pairs are in order of their first box, so that box's fate is settled before it settles others'.
    for one, other in pairs[_same_hull(boxes, pairs, cut, tile, iou)]:
        if keep[one]:
            keep[other] = False
    return keep


def _same_hull(
    boxes: NDArray[np.object_], pairs: NDArray[np.intp], cut: Bools, tile: NDArray[np.int64], iou: float
) -> Bools:
    one, other = pairs.T
    area = shapely.area(boxes)
    common = shapely.area(shapely.intersection(boxes[one], boxes[other]))
    overlap = common / (area[one] + area[other] - common)
    fragment = cut[other] & (tile[one] != tile[other]) & (common >= FRAGMENT_INSIDE * area[other])
    return np.asarray((overlap >= iou) | fragment)
