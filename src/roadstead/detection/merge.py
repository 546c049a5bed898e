"""One box a hull: greedy suppression of boxes that cover the same hull, by exact oriented overlap and by their middles.

Whatever the classes say: one hull is counted once. Hulls rafted side by side overlap by little and all stay.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from roadstead.core.geo import Array
from roadstead.detection.model import Merge

Bools = NDArray[np.bool_]
MEETING_BEAMS = 0.2
"""Centre lines nearer than this share of a box's beam are one line; boxes run a pixel wide, so a raft's lie
twice as far apart or more."""
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


def unique_hulls(boxes: NDArray[np.object_], cut: Bools, tile: NDArray[np.int64], merge: Merge) -> Bools:
    """Return which boxes to keep; the others show a hull that a kept box before them shows.

    Two boxes show one hull where they overlap by ``merge.iou``; where one is a fragment that the other holds; and where
    the middles of their centre lines meet, since no ship lies across another: such boxes overlap by little when they
    differ in axis or along it. Hulls side by side have their centre lines a beam apart, hulls end to end a length.

    Args:
        boxes: [n] shapely polygons in map metres, in the order of `rank`.
        cut: [n] whether the box reaches its tile's edge inside the image.
        tile: [n] number of the tile it comes from.
        merge: when two boxes are one hull.
    """
    first, later = STRtree(boxes).query(boxes, predicate="intersects")
    pairs = np.column_stack([first, later])[first < later]
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    keep = np.ones(len(boxes), bool)
    # Pairs are in order of their first box, so that box's fate is settled before it settles others'.
    for one, other in pairs[_same_hull(boxes, pairs, cut, tile, merge)]:
        if keep[one]:
            keep[other] = False
    return keep


def _same_hull(
    boxes: NDArray[np.object_], pairs: NDArray[np.intp], cut: Bools, tile: NDArray[np.int64], merge: Merge
) -> Bools:
    one, other = pairs.T
    area = shapely.area(boxes)
    common = shapely.area(shapely.intersection(boxes[one], boxes[other]))
    overlap = common / (area[one] + area[other] - common)
    fragment = cut[other] & (tile[one] != tile[other]) & (common >= FRAGMENT_INSIDE * area[other])
    return np.asarray((overlap >= merge.iou) | fragment | _meet(boxes, pairs, merge.middle))


def _meet(boxes: NDArray[np.object_], pairs: NDArray[np.intp], middle: float) -> Bools:
    """Return for which pairs the middles of the centre lines come nearer than `MEETING_BEAMS` of the narrower box."""
    if not middle or not len(pairs):
        return np.zeros(len(pairs), bool)
    corners = shapely.get_coordinates(boxes).reshape(-1, 5, 2)[:, :4]
    sides = np.diff(corners[:, :3], axis=1)
    length = np.hypot(*np.moveaxis(sides, 2, 0))
    along = np.where((length[:, 0] >= length[:, 1])[:, None], sides[:, 0], sides[:, 1])
    ends = corners.mean(axis=1)[:, None] + along[:, None] * (np.array([-0.5, 0.5]) * middle)[:, None]
    lines, beam = shapely.linestrings(ends), length.min(axis=1)
    one, other = pairs.T
    apart = shapely.distance(lines[one], lines[other])
    return np.asarray(apart < MEETING_BEAMS * np.minimum(beam[one], beam[other]))
