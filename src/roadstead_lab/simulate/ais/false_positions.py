"""Positions that are not the ship's: a false track that spoofing makes, and circles that GNSS interference draws.

A spoofed track leaves the true place and comes back at a speed that a ship could make, so that no jump gives it
away. Under interference every unit of a port jumps onto a ring about one place and its speed leaps, as on the
Chinese coast in 2019 (B. Bergman, "Systematic GPS Manipulation Occuring at Chinese Oil Terminals and Government
Installations", SkyTruth, December 2019).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from roadstead.core.geo import KNOT, Array
from roadstead_lab.simulate.coast.ground import Vector
from roadstead_lab.simulate.traffic.tracks import STATUSES, Motions

PASSAGE_KN = 9.0
"""Fastest that a false track leaves the true place."""
_SETTLED_KN = 0.5


@dataclass(frozen=True)
class FalseTrack:
    """A false place that is reached and left smoothly, with a figure of eight sailed there or none."""

    start: float
    end: float
    """Seconds since 1970."""
    place: Vector
    """Where it pretends to be, map metres."""
    passage_s: float
    """Time to get there, and to come back."""
    reach_m: float
    """Half the length of the figure of eight; 0 at anchor."""
    speed_kn: float
    """About the speed in the figure."""

    def fast(self) -> tuple[tuple[float, float], ...]:
        """Times in which it claims to move faster than 3 kn."""
        if self.reach_m > 0:
            return ((self.start, self.end),)
        return ((self.start, self.start + self.passage_s), (self.end - self.passage_s, self.end))

    def of(self, times: Array, true: Motions, chance: Array) -> Motions:
        """Return what is reported at times from `start` to `end`; ``chance`` is not used, the track is smooth."""
        share, rate = self._blend(times)
        figure, figure_rate = self._figure(times)
        away = figure - true.xy
        xy = true.xy + share[:, None] * away
        true_rate = _velocity(true.course_deg, true.speed_kn)
        velocity = true_rate + share[:, None] * (figure_rate - true_rate) + rate[:, None] * away
        speed, course = _speed_course(velocity)
        moving = speed > _SETTLED_KN
        heading = np.where(moving, course, true.heading_deg)
        status = np.where(speed > 3.0, STATUSES.index("under_way"), true.status)
        return replace(true, xy=xy, heading_deg=heading, course_deg=course, speed_kn=speed, status=status)

    def _blend(self, times: Array) -> tuple[Array, Array]:
        """Share of the way to the false place (smoothstep), and its rate a second."""
        inner = np.minimum(times - self.start, self.end - times) / self.passage_s
        s = np.clip(inner, 0.0, 1.0)
        sign = np.where(times - self.start <= self.end - times, 1.0, -1.0)
        return s * s * (3 - 2 * s), sign * 6 * s * (1 - s) / self.passage_s

    def _figure(self, times: Array) -> tuple[Array, Array]:
        if self.reach_m == 0:
            still = np.tile(np.array(self.place), (len(times), 1))
            return still, np.zeros_like(still)
        turn = self.speed_kn * KNOT / (1.2 * self.reach_m)
        angle = turn * (times - self.start)
        xy = np.column_stack([np.sin(angle), np.sin(2 * angle) / 2]) * self.reach_m + np.array(self.place)
        return xy, np.column_stack([np.cos(angle), np.cos(2 * angle)]) * self.reach_m * turn


@dataclass(frozen=True)
class Circle:
    """A ring about one fixed place, run through at one speed; the reported speed leaps."""

    start: float
    end: float
    """Seconds since 1970."""
    centre: Vector
    """Map metres."""
    radius_m: float
    implied_kn: float
    """Speed that successive positions imply."""

    def fast(self) -> tuple[tuple[float, float], ...]:
        """Times in which it claims to move faster than 3 kn."""
        return ((self.start, self.end),)

    def of(self, times: Array, true: Motions, chance: Array) -> Motions:
        """Return what is reported at times from `start` to `end`; heading and status stay true.

        Args:
            times: Seconds since 1970.
            true: The true motions.
            chance: [n] in [0, 1), makes the speed leap.
        """
        angle = self.implied_kn * KNOT / self.radius_m * (times - self.start)
        out = np.column_stack([np.sin(angle), np.cos(angle)])
        course = (np.degrees(angle) + 90.0) % 360.0
        speed = self.implied_kn * 2.0 * chance
        xy = np.array(self.centre) + self.radius_m * out
        return replace(true, xy=xy, course_deg=course, speed_kn=speed)


FalsePositions = FalseTrack | Circle


def draw_false_track(
    rng: np.random.Generator, start: float, end: float, true_xy: Vector, place: Vector
) -> FalseTrack:
    """Draw a false track between two times.

    Args:
        rng: Chance.
        start: Seconds since 1970.
        end: Seconds since 1970.
        true_xy: Where the ship is about then, map metres.
        place: Where it is to pretend to be; nearer where the time does not suffice to get there and back.
    """
    away = np.subtract(place, true_xy)
    # A smoothstep is steepest in the middle, 1.5 times its mean.
    wanted = 1.5 * max(float(np.hypot(*away)), 1.0) / (PASSAGE_KN * KNOT)
    passage = min(wanted, (end - start) / 3)
    share = passage / wanted
    x, y = (float(v) for v in np.add(true_xy, share * away))
    sails = bool(rng.random() < 0.5)
    reach = float(rng.uniform(2_500.0, 5_000.0)) if sails else 0.0
    return FalseTrack(start, end, (x, y), passage, reach, float(rng.uniform(6.0, 9.0)) if sails else 0.0)


def draw_circle(rng: np.random.Generator, start: float, end: float, centre: Vector) -> Circle:
    """Draw a circle about a place between two times."""
    return Circle(start, end, centre, float(rng.uniform(250.0, 2_500.0)), float(rng.uniform(15.0, 35.0)))


def _velocity(course_deg: Array, speed_kn: Array) -> Array:
    angle = np.radians(course_deg)
    return np.column_stack([np.sin(angle), np.cos(angle)]) * (speed_kn * KNOT)[:, None]


def _speed_course(velocity: Array) -> tuple[Array, Array]:
    speed = np.hypot(velocity[:, 0], velocity[:, 1]) / KNOT
    return speed, np.degrees(np.arctan2(velocity[:, 0], velocity[:, 1])) % 360.0
