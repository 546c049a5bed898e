"""One box per hull where tiles overlap, without merging hulls that lie side by side."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

CONTAINED = 0.7
"""A cut-off box this far inside a whole one is a fragment of it."""


def keep_one_per_hull(
    polygons: NDArray[np.object_], scores: NDArray[np.float64], cut: NDArray[np.bool_], iou: float
) -> NDArray[np.intp]:
    """Return the indices to keep, best first: oriented non-maximum suppression on exact polygon areas.

    A box goes where a better one overlaps it by more than ``iou``, or where it touches its tile's inner edge
    and lies mostly inside a better one. Two hulls moored side by side share no area, so both stay.

    Args:
        polygons: [n] oriented boxes in metres of one CRS.
        scores: [n].
        cut: [n] whether the box reaches an edge where its tile, but not the image, ends.
        iou: oriented intersection over union, 0..1.
    """
    order = np.lexsort((np.arange(len(scores)), -scores, cut))
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(len(order))
    rivals = _overlaps(polygons)
    gone = np.zeros(len(scores), bool)
    for index in order:
        if gone[index]:
            continue
        for other, shared in rivals.get(int(index), ()):
            if rank[other] > rank[index] and _same(polygons, index, other, shared, bool(cut[other]), iou):
                gone[other] = True
    return np.asarray([index for index in order if not gone[index]], np.intp)


def _overlaps(polygons: NDArray[np.object_]) -> dict[int, list[tuple[int, float]]]:
    first, second = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    apart = first != second
    first, second = first[apart], second[apart]
    areas = shapely.area(shapely.intersection(polygons[first], polygons[second]))
    found: dict[int, list[tuple[int, float]]] = {}
    for a, b, area in zip(first, second, areas, strict=True):
        found.setdefault(int(a), []).append((int(b), float(area)))
    return found


def _same(
    polygons: NDArray[np.object_], kept: int, other: int, shared: float, is_cut: bool, iou: float
) -> bool:
    a, b = shapely.area(polygons[kept]), shapely.area(polygons[other])
    return bool(shared > iou * (a + b - shared) or (is_cut and shared > CONTAINED * b))
