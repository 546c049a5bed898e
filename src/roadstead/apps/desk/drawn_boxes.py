"""Oriented boxes that `static/draw.js` hands in: read, checked and put on the map."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from roadstead.core.errors import UsageError
from roadstead.core.geo import Array, Grid, convergence_deg, xy_to_lonlat
from roadstead.core.oriented_boxes import BREADTH_M, DECIMALS, LENGTH_M
from roadstead.core.schemas import CLASSES

CANNOT_TELL: Final = "cannot_tell"
_SLACK_PX: Final = 0.1
"""Corners come with two decimals."""


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
