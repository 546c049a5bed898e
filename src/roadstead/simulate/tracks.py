"""Where a hull is at any time: stays at berth or at anchor, and straight legs between them.

Places are map metres, times are seconds since 1970 UTC, headings are degrees clockwise from grid north.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from shapely.geometry import Polygon

from roadstead.simulate.ground import Vector

KNOT = 1852.0 / 3600.0
"""Metres a second."""
_TIDE_S = 12.42 * 3600.0
"""Period of the principal lunar tide (M2), with which anchored ships swing."""

Status = Literal["moored", "anchored", "under_way"]


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
        turn = math.sin(2 * math.pi * time / _TIDE_S) * self.swing_deg
        heading = (self.heading_deg + turn) % 360.0
        xy = moved(moved(self.xy, heading + 180.0, self.scope_m), heading + 90.0, self.abeam_m)
        return Motion(xy, heading, heading, 0.0, self.status, self.zone)


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
        reach, run = self._reach, (time - self.start) * self.speed_kn * KNOT
        i = min(max(bisect_right(reach, run) - 1, 0), len(reach) - 2)
        (ax, ay), (bx, by) = self.corners[i], self.corners[i + 1]
        course = math.degrees(math.atan2(bx - ax, by - ay)) % 360.0
        xy = moved((ax, ay), course, run - reach[i])
        return Motion(xy, course, course, self.speed_kn, "under_way", None)


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
        return self.parts[bisect_right([part.start for part in self.parts], time) - 1].at(time)

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
    bow, stern = moved(xy, heading_deg, length_m / 2), moved(xy, heading_deg, -length_m / 2)
    starboard = heading_deg + 90.0
    return Polygon(
        [
            moved(bow, starboard, -beam_m / 2),
            moved(bow, starboard, beam_m / 2),
            moved(stern, starboard, beam_m / 2),
            moved(stern, starboard, -beam_m / 2),
        ]
    )
