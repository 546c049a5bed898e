"""Where a hull is at any time: stays at berth or at anchor, and straight legs between them.

Places are map metres, times are seconds since 1970 UTC, headings are degrees clockwise from grid north.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry import Polygon

from roadstead.core.geo import KNOT
from roadstead_lab.simulate.coast.ground import Vector

TIDE_S = 12.42 * 3600.0
"""Period of the principal lunar tide (M2), with which anchored ships swing."""

Status = Literal["moored", "anchored", "under_way"]
STATUSES: Final[tuple[Status, ...]] = ("under_way", "anchored", "moored")
"""What `Motions.status` counts."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Motion:
    """A hull at one moment."""

    xy: Vector
    """Hull centre."""
    heading_deg: float
    course_deg: float
    speed_kn: float
    status: Status
    zone: str | None


@dataclass(frozen=True)
class Motions:
    """A hull at n moments."""

    xy: Array
    """[n, 2] hull centre."""
    heading_deg: Array
    course_deg: Array
    speed_kn: Array
    status: NDArray[np.int64]
    """Index into `STATUSES`."""
    inside: NDArray[np.bool_]
    """Whether the hull is in the area; elsewhere the other values mean nothing."""


@dataclass(frozen=True)
class Stay:
    """A hull that lies still, or swings round its anchor."""

    zone: str
    status: Literal["moored", "anchored"]
    xy: Vector
    """Hull centre at berth; the anchor's place where it lies at anchor."""
    heading_deg: float
    start: float
    end: float
    scope_m: float = 0.0
    """Metres from the anchor to the hull centre."""
    swing_deg: float = 0.0
    abeam_m: float = 0.0
    """Metres to starboard of the hull whose anchor it shares, in a raft."""

    def at(self, time: float) -> Motion:
        """Return the hull at a time of this stay."""
        xy, heading = self.swing(np.array([time]))
        bearing = float(heading[0])
        return Motion((float(xy[0, 0]), float(xy[0, 1])), bearing, bearing, 0.0, self.status, self.zone)

    def swing(self, times: Array) -> tuple[Array, Array]:
        """Return [n, 2] places and [n] headings at times of this stay."""
        turn = np.sin(2 * np.pi * times / TIDE_S) * self.swing_deg
        heading = (self.heading_deg + turn) % 360.0
        angle = np.radians(heading)
        sin, cos = np.sin(angle), np.cos(angle)
        x = self.xy[0] - self.scope_m * sin + self.abeam_m * cos
        y = self.xy[1] - self.scope_m * cos - self.abeam_m * sin
        return np.column_stack([x, y]), heading


@dataclass(frozen=True)
class Leg:
    """A hull that makes way along a line at one speed."""

    corners: tuple[Vector, ...]
    start: float
    speed_kn: float

    @property
    def length_m(self) -> float:
        """Length of the line."""
        return self._reach[-1]

    @property
    def end(self) -> float:
        """When the last corner is reached."""
        return self.start + self.length_m / (self.speed_kn * KNOT)

    @cached_property
    def _reach(self) -> list[float]:
        """Metres from the start to each corner."""
        steps = np.hypot(*np.diff(np.array(self.corners), axis=0).T)
        return [0.0, *np.cumsum(steps).tolist()]

    def at(self, time: float) -> Motion:
        """Return the hull at a time of this leg."""
        xy, course = self.run(np.array([time]))
        bearing = float(course[0])
        place = float(xy[0, 0]), float(xy[0, 1])
        return Motion(place, bearing, bearing, self.speed_kn, "under_way", None)

    def run(self, times: Array) -> tuple[Array, Array]:
        """Return [n, 2] places and [n] courses at times of this leg."""
        corners, reach = np.array(self.corners), np.array(self._reach)
        gone = (times - self.start) * self.speed_kn * KNOT
        i = np.clip(np.searchsorted(reach, gone, side="right") - 1, 0, len(reach) - 2)
        step = corners[i + 1] - corners[i]
        share = (gone - reach[i]) / (reach[i + 1] - reach[i])
        course = np.degrees(np.arctan2(step[:, 0], step[:, 1])) % 360.0
        return corners[i] + share[:, None] * step, course


def leg(way: Sequence[Sequence[float]] | np.ndarray, start: float, speed_kn: float) -> Leg:
    """Return the leg along (n, 2) corners; corners closer than 1 m to the one before are dropped."""
    corners: list[Vector] = []
    for x, y in way:
        if not corners or math.hypot(x - corners[-1][0], y - corners[-1][1]) > 1.0:
            corners.append((float(x), float(y)))
    return Leg(tuple(corners), start, speed_kn)


@dataclass(frozen=True)
class Track:
    """Stays and legs of one hull inside the simulated area, in order of time and without gaps."""

    parts: tuple[Stay | Leg, ...]

    @property
    def start(self) -> float:
        """When the hull comes into the area."""
        return self.parts[0].start

    @property
    def end(self) -> float:
        """When it has left."""
        return self.parts[-1].end

    def at(self, time: float) -> Motion | None:
        """Return the hull at a time, None while it is outside the area."""
        if not self.start <= time < self.end:
            return None
        return self.parts[bisect_right(self._starts, time) - 1].at(time)

    def at_many(self, times: ArrayLike) -> Motions:
        """Return the hull at [n] times, seconds since 1970 UTC, in any order."""
        when = np.asarray(times, float)
        inside = (when >= self.start) & (when < self.end)
        which = self.part_index(when)
        xy, heading, speed = np.zeros((len(when), 2)), np.zeros(len(when)), np.zeros(len(when))
        status = np.zeros(len(when), np.int64)
        for number in np.unique(which):
            part, some = self.parts[number], which == number
            if isinstance(part, Leg):
                (xy[some], heading[some]), speed[some] = part.run(when[some]), part.speed_kn
            else:
                xy[some], heading[some] = part.swing(when[some])
                status[some] = STATUSES.index(part.status)
        return Motions(xy, heading, heading, speed, status, inside)

    def part_index(self, times: Array) -> NDArray[np.intp]:
        """Return for each of [n] times the number of the part it falls into, the nearest one outside the track."""
        last = len(self.parts) - 1
        return np.clip(np.searchsorted(self._starts, times, side="right") - 1, 0, last).astype(np.intp)

    @cached_property
    def _starts(self) -> list[float]:
        return [part.start for part in self.parts]

    @property
    def stays(self) -> tuple[Stay, ...]:
        """The stays alone."""
        return tuple(part for part in self.parts if isinstance(part, Stay))


def moved(xy: Vector, bearing_deg: float, metres: float) -> Vector:
    """Return the point this far along a grid bearing."""
    angle = math.radians(bearing_deg)
    return xy[0] + metres * math.sin(angle), xy[1] + metres * math.cos(angle)


def hull_outline(xy: Vector, heading_deg: float, length_m: float, beam_m: float) -> Polygon:
    """Return the rectangle of a hull: bow port, bow starboard, stern starboard, stern port, map metres."""
    one = [np.array([value], float) for value in (heading_deg, length_m, beam_m)]
    return Polygon(hull_corners(np.array([xy], float), *one)[0])


def hull_corners(xy: Array, heading_deg: Array, length_m: Array, beam_m: Array) -> Array:
    """Return [n, 4, 2] corners of n hulls in the order of `hull_outline`.

    Args:
        xy: [n, 2] hull centres, map metres.
        heading_deg: [n], clockwise from grid north.
        length_m: [n].
        beam_m: [n].
    """
    angle = np.radians(heading_deg)
    ahead = np.column_stack([np.sin(angle), np.cos(angle)]) * (length_m / 2)[:, None]
    aside = np.column_stack([np.cos(angle), -np.sin(angle)]) * (beam_m / 2)[:, None]
    signs = ((1, -1), (1, 1), (-1, 1), (-1, -1))
    return np.stack([xy + fore * ahead + side * aside for fore, side in signs], axis=1)


def hull_polygons(corners: Array) -> NDArray[np.object_]:
    """Return [n] polygons of [n, 4, 2] corners."""
    return np.asarray(shapely.polygons(corners), object)
