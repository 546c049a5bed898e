"""Oriented boxes that analysts draw: from the pixels of a cut-out to degrees."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from roadstead.apps.desk.picture_frames import ChipFrame
from roadstead.core.errors import UsageError
from roadstead.core.geo import Array
from roadstead.core.oriented_boxes import BREADTH_M, DECIMALS, LENGTH_M, measured

SAME_PX = 0.1
"""Corners that come this close are where they were: nothing was drawn."""
SQUARE = 0.02
"""How far the sides of an oriented box may be from standing square: share of its circumscribed box left open."""


def drawn_box(field: str, frame: ChipFrame, before: Sequence[Sequence[float]]) -> str | None:
    """Return the box that was drawn on a cut-out as WKT in EPSG:4326; None where none was, or it is as it was.

    Args:
        field: JSON ``[{"box": [[x, y] * 4], ...}]`` in pixels of the cut-out, one at most.
        frame: where the cut-out lies.
        before: corners of the box that stands, in pixels.

    Raises:
        UsageError: it cannot be read, lies outside, or is no ship's size.
    """
    corners = _read(field)
    if corners is None or _same(corners, np.array(before, float)):
        return None
    if (corners < 0).any() or (corners > [frame.width, frame.height]).any():
        raise UsageError("the box reaches out of the picture")
    polygon = shapely.Polygon(corners)
    around = polygon.minimum_rotated_rectangle.area
    if not polygon.is_valid or polygon.area <= 0 or 1 - polygon.area / around > SQUARE:
        raise UsageError("the box is no rectangle")
    ring = frame.lonlat(corners).round(DECIMALS).tolist()
    size = measured(ring)
    for name, value, (low, high) in (("long", size.length_m, LENGTH_M), ("wide", size.beam_m, BREADTH_M)):
        if not low <= value <= high:
            raise UsageError(f"the box is {value:.0f} m {name}: {low:.0f} to {high:.0f} m can be")
    told = ", ".join(f"{lon:.{DECIMALS}f} {lat:.{DECIMALS}f}" for lon, lat in [*ring, ring[0]])
    return f"POLYGON (({told}))"


def _read(field: str) -> Array | None:
    """Return the four corners of the one box in a field; None where there is none."""
    try:
        boxes: Any = json.loads(field or "[]")
        if boxes == []:
            return None
        (box,) = boxes
        corners = np.array(box["box"], float)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UsageError("the box drawn cannot be read: one box with four corners is expected") from error
    if corners.shape != (4, 2) or not np.isfinite(corners).all():
        raise UsageError("the box drawn cannot be read: one box with four corners is expected")
    return corners


def _same(corners: Array, before: Array) -> bool:
    """Whether each corner lies where one lay before, whichever is the first."""
    if before.shape != corners.shape:
        return False
    apart = np.hypot(*(corners[:, None] - before[None]).transpose(2, 0, 1))
    return bool((apart.min(axis=1) <= SAME_PX).all() and (apart.min(axis=0) <= SAME_PX).all())
