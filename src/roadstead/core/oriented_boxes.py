"""Oriented boxes in degrees: their measures, and a hull as it is told once an analyst has drawn its box anew."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from roadstead.core.geo import convergence_deg, lonlat_to_xy, utm_crs

LENGTH_M, BREADTH_M = (10.0, 450.0), (2.0, 120.0)
"""What a box that somebody draws may measure: one pixel, and more than any ship (the longest are about 400 m)."""
DECIMALS = 7
"""Of degrees: a centimetre."""


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
