"""When an AIS unit transmits: the reporting intervals of ITU-R M.1371-5 along a track.

Annex 1, § 4.2.1, table 1 (Class A) and table 2 (other equipment); long-range message 27 by annex 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from roadstead.core.geo import KNOT, Array
from roadstead_lab.simulate.coast.ground import Vector
from roadstead_lab.simulate.scenario.model import AisClass
from roadstead_lab.simulate.traffic.tracks import Leg, Stay, Track

STATIC_S = 360.0
"""Static and voyage data: message 5 (Class A) and 24 (Class B), every 6 minutes."""
LONG_RANGE_S = 180.0
"""Message 27 of Class A units out of reach of base stations: every 3 minutes."""
STATION_S = 10.0
"""Message 4 of base stations (table 2)."""
_TURN_LASTS_S = 50.0
"""A change of course is one of more than 5 degrees against the mean of 30 s, and ends after 20 s below that."""
_TURN_DEG = 5.0

Span = tuple[float, float]


def interval_s(ais_class: AisClass, speed_kn: float, *, still: bool, turning: bool = False) -> float:
    """Return the nominal interval of position reports, seconds.

    Args:
        ais_class: ``A`` by table 1; ``B`` by table 2 for carrier-sense ("CS") units.
        speed_kn: Speed over ground as the unit itself has it.
        still: Whether the navigational status is at anchor or moored.
        turning: Whether it changes course.
    """
    if ais_class == "B":
        return 30.0 if speed_kn > 2.0 else 180.0
    if still:
        return 10.0 if speed_kn > 3.0 else 180.0
    if speed_kn > 23.0:
        return 2.0
    if speed_kn > 14.0:
        return 2.0 if turning else 6.0
    return 10.0 / 3.0 if turning else 10.0


@dataclass(frozen=True)
class Schedule:
    """Straight pieces of a unit's way, one after the other, each with one reporting interval.

    Arrays of n; times are seconds since 1970, places map metres.
    """

    start: Array
    end: Array
    every_s: Array
    a_xy: Array
    """[n, 2] place at the start; where it lies still, about where."""
    b_xy: Array
    """[n, 2] place at the end."""
    phase: Array
    """First report of each piece, as a share of the interval after its start."""
    key: int
    """Of the unit's own chance (see `keyed`)."""

    def cut(self, times: Array) -> Schedule:
        """Return the same transmissions with pieces cut at times as well."""
        edges = np.union1d(np.concatenate([self.start, self.end[-1:]]), times)
        edges = edges[(edges >= self.start[0]) & (edges <= self.end[-1])]
        start, end = edges[:-1], edges[1:]
        of = self.piece(start)
        return Schedule(
            start,
            end,
            self.every_s[of],
            self._at(of, start),
            self._at(of, end),
            self._phase_from(of, start),
            self.key,
        )

    def piece(self, times: Array) -> NDArray[np.int64]:
        """Return the number of the piece that holds each time."""
        return np.clip(np.searchsorted(self.start, times, side="right") - 1, 0, len(self.start) - 1)

    def _at(self, of: NDArray[np.int64], times: Array) -> Array:
        length = np.maximum(self.end[of] - self.start[of], 1e-9)
        share = ((times - self.start[of]) / length)[:, None]
        return np.asarray(self.a_xy[of] + share * (self.b_xy[of] - self.a_xy[of]))

    def _phase_from(self, of: NDArray[np.int64], times: Array) -> Array:
        """Phase after a cut: reports stay at the times they had."""
        gone = (times - self.start[of]) / self.every_s[of]
        return np.asarray(np.mod(self.phase[of] - gone, 1.0))

    @property
    def middle_xy(self) -> Array:
        """[n, 2] middle of each piece."""
        return np.asarray((self.a_xy + self.b_xy) / 2)

    def kept(self, which: NDArray[np.bool_]) -> Schedule:
        """Return some of the pieces."""
        return replace(
            self,
            start=self.start[which],
            end=self.end[which],
            every_s=self.every_s[which],
            a_xy=self.a_xy[which],
            b_xy=self.b_xy[which],
            phase=self.phase[which],
        )

    def every(self, seconds: float, phase: float) -> Schedule:
        """Return the same way with reports at one interval throughout, counted from its start."""
        gone = (self.start - self.start[:1]) / seconds
        every = np.full(len(self.start), seconds)
        return replace(self, every_s=every, phase=np.mod(phase - gone, 1.0))


@dataclass(frozen=True)
class _Piece:
    start: float
    end: float
    every_s: float
    a: Vector
    b: Vector


def schedule(track: Track, ais_class: AisClass, fast: Sequence[Span], rng: np.random.Generator) -> Schedule:
    """Return when a unit reports its position along a track.

    Args:
        track: Where it is.
        ais_class: Class of the unit.
        fast: Times in which its own position claims more than 3 kn whatever the ship does.
        rng: Draws the phases.
    """
    pieces = [piece for part in track.parts for piece in _pieces(part, ais_class) if piece.end > piece.start]
    plain = _joined(pieces, rng)
    if not fast:
        return plain
    cut = plain.cut(np.array(fast).ravel())
    hot = within(cut.start, fast)
    quick = np.minimum(cut.every_s, interval_s(ais_class, 5.0, still=True))
    return replace(cut, every_s=np.where(hot, quick, cut.every_s))


def fixed(xy: Vector, start: float, end: float, every_s: float, rng: np.random.Generator) -> Schedule:
    """Return the reports of a unit that stays in one place."""
    return _joined([_Piece(start, end, every_s, xy, xy)], rng)


def within(times: Array, spans: Sequence[Span]) -> NDArray[np.bool_]:
    """Tell which times lie in any of some spans, starts included."""
    found = np.zeros(len(times), bool)
    for start, end in spans:
        found |= (times >= start) & (times < end)
    return found


def _joined(pieces: Sequence[_Piece], rng: np.random.Generator) -> Schedule:
    start, end, every = np.array([(p.start, p.end, p.every_s) for p in pieces]).T
    a, b = np.array([p.a for p in pieces]), np.array([p.b for p in pieces])
    phase = rng.uniform(0.0, 1.0, len(pieces))
    return Schedule(start, end, every, a, b, phase, key=int(rng.integers(2**62)))


def _pieces(part: Stay | Leg, ais_class: AisClass) -> Iterator[_Piece]:
    if isinstance(part, Stay):
        yield _Piece(part.start, part.end, interval_s(ais_class, 0.0, still=True), part.xy, part.xy)
        return
    steady = interval_s(ais_class, part.speed_kn, still=False)
    quick = interval_s(ais_class, part.speed_kn, still=False, turning=True)
    turning = part.start
    for a, b, turn, start, end in _straights(part):
        turning = max(turning, start + (_TURN_LASTS_S if turn > _TURN_DEG else 0.0))
        edge = min(max(turning, start), end)
        middle = _between(a, b, (edge - start) / (end - start))
        yield _Piece(start, edge, quick, a, middle)
        yield _Piece(edge, end, steady, middle, b)


def _straights(part: Leg) -> Iterator[tuple[Vector, Vector, float, float, float]]:
    """Return each straight stretch: its ends, the turn onto it in degrees, and its times."""
    corners = np.array(part.corners)
    steps = np.diff(corners, axis=0)
    metres = np.hypot(steps[:, 0], steps[:, 1])
    course = np.degrees(np.arctan2(steps[:, 0], steps[:, 1]))
    turns = np.abs((np.diff(course, prepend=course[:1]) + 180.0) % 360.0 - 180.0)
    times = part.start + np.concatenate([[0.0], np.cumsum(metres)]) / (part.speed_kn * KNOT)
    for (a, b), turn, (start, end) in zip(
        pairwise(part.corners), turns.tolist(), pairwise(times.tolist()), strict=True
    ):
        yield a, b, turn, start, end


def _between(a: Vector, b: Vector, share: float) -> Vector:
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
