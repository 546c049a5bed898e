"""Oriented boxes that analysts draw: as `static/draw.js` hands them in, checked, and from pixels to degrees."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from roadstead.apps.desk.picture_frames import ChipFrame
from roadstead.core.errors import UsageError
from roadstead.core.geo import Array, Grid, convergence_deg, xy_to_lonlat
from roadstead.core.oriented_boxes import BREADTH_M, DECIMALS, LENGTH_M, measured
from roadstead.core.schemas import CLASSES

SAME_PX = 0.1
"""Corners that come this close are where they were: nothing was drawn."""
SQUARE = 0.02
"""How far the sides of an oriented box may be from standing square: share of its circumscribed box left open."""
CANNOT_TELL: Final = "cannot_tell"
_SLACK_PX: Final = 0.1
"""Corners come with two decimals."""


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


@dataclass(frozen=True)
class DrawnBox:
    """One box on a picture and on the ground."""

    hull_class: str | None
    """None: cannot tell."""
    pixels: Array
    """[4, 2] column, row; the first two are the bow."""
    lonlat: Array
    """[4, 2] the same corners in degrees."""
    length_m: float
    width_m: float
    axis_deg: float
    """Clockwise from true north, in [0, 180)."""

    @property
    def centre(self) -> tuple[float, float]:
        """Longitude and latitude of the middle."""
        lon, lat = self.lonlat.mean(0)
        return float(lon), float(lat)


def drawn_boxes(text: str, grid: Grid, most: int) -> list[DrawnBox]:
    """Return the boxes of a form's field.

    Args:
        text: JSON ``[{"box": [[x, y] * 4], "class": "barge"}, ...]``, in pixels of the picture.
        grid: the picture's frame.
        most: how many there may be.

    Raises:
        UsageError: it is not that, or a box is no rectangle, lies outside the picture or is no size of a ship.
    """
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError("the boxes cannot be read") from error
    if not isinstance(given, list):
        raise UsageError("the boxes cannot be read: a list is expected")
    if len(given) > most:
        raise UsageError(f"{len(given)} boxes: {most} at most")
    return [_drawn(number, one, grid) for number, one in enumerate(given, 1)]


def _drawn(number: int, given: Any, grid: Grid) -> DrawnBox:  # noqa: ANN401 - whatever was posted
    if not (isinstance(given, dict) and set(given) == {"box", "class"}):
        raise UsageError(f"box {number}: needs a box and a class, and nothing else")
    kind = given["class"]
    if kind not in (*CLASSES, CANNOT_TELL):
        raise UsageError(f"box {number}: its class is one of {', '.join((*CLASSES, CANNOT_TELL))}")
    corners = _corners(number, given["box"])
    frame = np.array([grid.width, grid.height], float)
    if (corners < -_SLACK_PX).any() or (corners > frame + _SLACK_PX).any():
        raise UsageError(f"box {number}: lies outside the picture of {grid.width} x {grid.height} pixels")
    length, width = _sizes(number, corners, grid.pixel_m)
    lonlat = xy_to_lonlat(grid.colrow_to_xy(corners), grid.crs).round(DECIMALS)
    east, south = corners[:2].mean(0) - corners[2:].mean(0)
    lon, lat = (float(v) for v in lonlat.mean(0))
    bearing = math.degrees(math.atan2(east, -south)) + convergence_deg(lon, lat, grid.crs)
    return DrawnBox(
        None if kind == CANNOT_TELL else str(kind),
        corners,
        lonlat,
        round(length, 1),
        round(width, 1),
        round(bearing % 180.0, 2) % 180.0,
    )


def _corners(number: int, given: Any) -> Array:  # noqa: ANN401 - whatever was posted
    wrong = UsageError(f"box {number}: four corners of two finite numbers are expected")
    if not (isinstance(given, list) and len(given) == 4):
        raise wrong
    if not all(isinstance(p, list) and len(p) == 2 and all(_is_number(v) for v in p) for p in given):
        raise wrong
    return np.array(given, float)


def _is_number(value: Any) -> bool:  # noqa: ANN401 - whatever was posted
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and abs(value) < 1e6  # not a number is smaller than nothing


def _sizes(number: int, corners: Array, pixel_m: float) -> tuple[float, float]:
    """Return length and width in metres of a rectangle whose first two corners are its bow."""
    one, other = corners[2] - corners[0], corners[3] - corners[1]
    skew = np.abs(corners[0] + corners[2] - corners[1] - corners[3]).max()
    if skew > 2 * _SLACK_PX or abs(np.hypot(*one) - np.hypot(*other)) > 2 * _SLACK_PX:
        raise UsageError(f"box {number}: is no rectangle")
    length = float(np.hypot(*(corners[:2].mean(0) - corners[2:].mean(0)))) * pixel_m
    width = float(np.hypot(*(corners[1] - corners[0]))) * pixel_m
    for name, value, (low, high) in (("length", length, LENGTH_M), ("width", width, BREADTH_M)):
        if not low - 1.0 <= value <= high + 1.0:
            raise UsageError(
                f"box {number}: its {name} is {value:.0f} m: {low:.0f} to {high:.0f} m are ships"
            )
    if width > length + pixel_m * _SLACK_PX * 2:
        raise UsageError(f"box {number}: is wider than long")
    return length, width


def as_field(boxes: Sequence[tuple[str, str | None]]) -> str:
    """Return boxes (JSON of corners, class) as the field that `draw.js` starts from."""
    listed = [{"box": json.loads(corners), "class": kind or CANNOT_TELL} for corners, kind in boxes]
    return json.dumps(listed, separators=(",", ":"))
