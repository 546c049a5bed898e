"""What a ship does at a port: where it lies, alongside of whom, with which cargo, and how it gets there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import Point, Polygon

from roadstead.core.errors import BadInputError
from roadstead_lab.simulate.coast.ground import Vector
from roadstead_lab.simulate.hulls.spec import HullSpec
from roadstead_lab.simulate.traffic.fleet import Vessel
from roadstead_lab.simulate.traffic.tracks import (
    Array,
    Motion,
    Stay,
    Track,
    hull_corners,
    hull_outline,
    hull_polygons,
    moved,
)

HOUR = 3600.0
DAY = 24 * HOUR
CLEARANCE_M = 12.0
"""Water between hulls that are not rafted."""
TOW_GAP_M = 1.0
"""Water between a barge and the tug that pushes it."""
_SWING_ROOM_M = 60.0


class NoRoomError(BadInputError):
    """A ship finds no free place or time in the zones its fleet row or route names."""

    def __init__(
        self, message: str, *, port: str | None = None, row: int | None = None, route: int | None = None
    ) -> None:
        """Keep where it failed: slug of the port and index of its fleet row, or index of the route."""
        super().__init__(message)
        self.port = port
        self.row = row
        self.route = route


def aft_m(vessel: Vessel) -> float:
    """Return how far a tow reaches behind the stern of its barge: the pushing tug, metres."""
    return 0.0 if vessel.tow is None else vessel.tow.length_m + TOW_GAP_M


def extents(xy: Array, heading_deg: Array, hull: HullSpec, aft: float) -> NDArray[np.object_]:
    """Return [n] rectangles of a hull and of the tug behind it, map metres."""
    angle = np.radians(heading_deg)
    middle = xy - np.column_stack([np.sin(angle), np.cos(angle)]) * aft / 2
    length, beam = (np.full(len(xy), size) for size in (hull.length_m + aft, hull.beam_m))
    return hull_polygons(hull_corners(middle, heading_deg, length, beam))


@dataclass(frozen=True)
class Berthing:
    """A stay with what is needed to lie clear of it or alongside it."""

    stay: Stay
    vessel: Vessel
    seaward: Vector = (0.0, 0.0)
    """Unit vector off the quay, for whoever comes alongside."""

    @property
    def hull(self) -> HullSpec:
        """The hull that lies there."""
        return self.vessel.hull

    @property
    def vessel_id(self) -> str:
        """Of the ship that lies there."""
        return self.vessel.vessel_id

    @cached_property
    def circle(self) -> tuple[Vector, float]:
        """Centre and radius of a circle that holds `outline`, map metres."""
        stay, half = self.stay, self.hull.length_m / 2 + aft_m(self.vessel)
        if stay.status == "moored":
            return stay.xy, half + self.hull.beam_m
        sweep = stay.scope_m * math.sin(math.radians(2 * stay.swing_deg)) + stay.abeam_m
        return moved(stay.xy, stay.heading_deg, -stay.scope_m), sweep + half + _SWING_ROOM_M

    @cached_property
    def outline(self) -> Polygon:
        """The hull at berth, or the circle that an anchored hull keeps clear."""
        stay = self.stay
        if stay.status == "anchored":
            centre, radius = self.circle
            return Point(centre).buffer(radius, quad_segs=4)
        outline: Polygon = extents(
            np.array([stay.xy]), np.array([stay.heading_deg]), self.hull, aft_m(self.vessel)
        )[0]
        return outline

    def overlaps(self, other: Berthing) -> bool:
        """Tell whether two stays would meet."""
        a, b = self.stay, other.stay
        if a.start >= b.end or b.start >= a.end:
            return False
        if a.status == b.status == "anchored" and (a.xy, a.scope_m) == (b.xy, b.scope_m):
            # A raft at one anchor swings as one.
            return abs(a.abeam_m - b.abeam_m) < (self.hull.beam_m + other.hull.beam_m) / 2
        return bool(self.outline.distance(other.outline) < CLEARANCE_M)


@dataclass(frozen=True)
class Raft:
    """While a ship lies alongside another."""

    host: str
    """Vessel id of the ship it lies alongside of."""
    start: float
    """Seconds since 1970 UTC."""
    end: float


@dataclass(frozen=True)
class Cargo:
    """Whether a ship is laden, and when that changes."""

    before: bool = False
    """Laden when it comes."""
    changes: tuple[float, ...] = ()
    """When half of the cargo is in or out, seconds since 1970, in order; a ship that takes its cargo at sea may
    discharge it in the same port."""

    def laden(self, time: float) -> bool:
        """Tell whether the holds are full rather than empty at a time."""
        changed = sum(change <= time for change in self.changes) % 2 == 1
        return self.before != changed


@dataclass(frozen=True)
class Sailing:
    """A ship's stay in one port's area: its track, the ship it lies alongside of, and its cargo."""

    vessel: Vessel
    track: Track
    raft: Raft | None = None
    cargo: Cargo = Cargo()
    occasion_id: str | None = None
    """The delivery it is an end of."""

    @property
    def alongside(self) -> str | None:
        """Vessel id of the ship it lies alongside of at some time."""
        return None if self.raft is None else self.raft.host

    def beside(self, time: float) -> str | None:
        """Return the vessel id of the ship it lies alongside of at a time."""
        raft = self.raft
        return raft.host if raft is not None and raft.start <= time < raft.end else None

    def laden(self, time: float) -> bool:
        """Tell whether it is laden at a time, seconds since 1970."""
        return self.cargo.laden(time)

    def at(self, time: float) -> Motion | None:
        """Return the hull at a time, None while it is outside the area."""
        return self.track.at(time)

    def tug(self, motion: Motion) -> tuple[HullSpec, Vector, float] | None:
        """Return the tug that pushes it: what it is, its centre and its heading; None where there is none."""
        tow = self.vessel.tow
        if tow is None:
            return None
        behind = self.vessel.hull.length_m / 2 + TOW_GAP_M + tow.length_m / 2
        return tow, moved(motion.xy, motion.heading_deg, -behind), motion.heading_deg

    def outline(self, time: float) -> Polygon | None:
        """Return the hull's rectangle at a time, map metres."""
        motion, hull = self.at(time), self.vessel.hull
        if motion is None:
            return None
        return hull_outline(motion.xy, motion.heading_deg, hull.length_m, hull.beam_m)

    def extents(self, times: Array) -> NDArray[np.object_]:
        """Return [n] rectangles of the hull with its tug at times inside its track, map metres."""
        motions = self.track.at_many(times)
        return extents(motions.xy, motions.heading_deg, self.vessel.hull, aft_m(self.vessel))
