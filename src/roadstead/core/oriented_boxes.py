"""Oriented boxes: their measures, a hull whose box was drawn anew, and which boxes of two lists are the same.

Which boxes of one list are boxes of the other: one rule for labels, for what a model found, and for two reviewers.

Boxes are paired one to one, as many pairs as can be and the best of those (Hungarian method). Two rules say which pairs
may be: `strict`, oriented intersection over union of at least `LEAST_IOU`, and `near`, centres within `NEAR_M`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from roadstead.core.geo import convergence_deg, lonlat_to_xy, utm_crs

LENGTH_M, BREADTH_M = (10.0, 450.0), (2.0, 120.0)
"""What a box that somebody draws may measure: one pixel, and more than any ship (the longest are about 400 m)."""
DECIMALS = 7
"""Of degrees: a centimetre."""
Floats = NDArray[np.float64]
Rule = Literal["strict", "near"]
LEAST_IOU: Final = 0.3
NEAR_M: Final = 150.0
LEAST_LENGTH_M: Final = 45.0
"""A shorter ship need not be found, and a shorter box without a ship is no false alarm."""
_FORBIDDEN: Final = 1e6


@dataclass(frozen=True)
class Measures:
    """A box in metres, as it is drawn: lengths of hulls as shown elsewhere are calibrated and shorter."""

    length_m: float
    beam_m: float
    axis_deg: float
    """Of the long side, clockwise from true north, [0, 180)."""
    lon: float
    lat: float


def measured(ring: Sequence[Sequence[float]]) -> Measures:
    """Return the measures of an oriented box.

    Args:
        ring: four corners (lon, lat), closed or not.
    """
    corners = np.array(ring[:4], float)
    lon, lat = corners.mean(axis=0)
    crs = utm_crs(lon, lat)
    xy = lonlat_to_xy(corners, crs)
    sides = [(xy[1] - xy[0] + xy[2] - xy[3]) / 2, (xy[2] - xy[1] + xy[3] - xy[0]) / 2]
    long, short = sorted(sides, key=lambda side: -math.hypot(*side))
    axis = math.degrees(math.atan2(long[0], long[1])) + convergence_deg(lon, lat, crs)
    axis = round(axis % 180.0, 1) % 180.0
    return Measures(math.hypot(*long), math.hypot(*short), axis, round(lon, DECIMALS), round(lat, DECIMALS))


def hull_as_told(hull: Mapping[str, Any], drawn: Sequence[Sequence[float]] | None) -> dict[str, Any]:
    """Return a hull with ``box_by``: ``model``, or ``analyst`` and then with place, size and box as drawn.

    Args:
        hull: its place, size and ``box``, as the chain keeps them.
        drawn: corners (lon, lat) of the box drawn anew, closed; None where none was.

    A length that was drawn has no interval: its ends are None.
    """
    if drawn is None:
        return {**hull, "box_by": "model"}
    size = measured(drawn)
    return {
        **hull,
        "lon": size.lon,
        "lat": size.lat,
        "length_m": round(size.length_m, 1),
        "length_low_m": None,
        "length_high_m": None,
        "beam_m": round(size.beam_m, 1),
        "axis_deg": size.axis_deg,
        "box": [list(corner) for corner in drawn],
        "box_by": "analyst",
    }


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
