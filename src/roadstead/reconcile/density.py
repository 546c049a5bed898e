"""The density of a hull's centre: a Student-t core along and across its course, and a wide normal share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from roadstead.core.geo import Array, xy_to_lonlat

Flags = NDArray[np.bool_]

T_DOF = 5.0
"""Degrees of freedom of the core: residuals of matched ships have tails well beyond the normal's."""


@dataclass(frozen=True)
class Prediction:
    """Hull-centre densities of n vessels at one moment; arrays of n rows."""

    hull: NDArray[np.object_]
    """MMSI and segment, unique."""
    mmsi: NDArray[np.object_]
    xy: Array
    """(n, 2) metres."""
    velocity: Array
    """(n, 2) m/s; zero where unknown or stopped."""
    var_along: Array
    """m2 along the course, before the error common to the overpass."""
    var_cross: Array
    wide_share: Array
    wide_sd: Array
    """metres."""
    heading_deg: Array
    """Grid bearing of the bow; NaN where unknown."""
    heading_sd_deg: Array
    dt_s: Array
    """Nearest report minus the moment."""
    snapshot: Flags
    jumped: Flags
    """Reports around the moment imply an impossible speed, or another hull uses the MMSI at the same time."""
    false_share: Array
    """Prior probability that the declared position is false (`elsewhere`)."""
    unsound: Flags
    """The track contradicts itself."""

    def __len__(self) -> int:
        """Return the number of vessels."""
        return len(self.mmsi)

    def take(self, keep: NDArray[np.intp]) -> Prediction:
        """Return the vessels at positions ``keep``."""
        return Prediction(**{name: getattr(self, name)[keep] for name in self.__dataclass_fields__})

    @property
    def spread_m(self) -> Array:
        """Core standard deviation in metres, the longer axis."""
        return np.sqrt(np.maximum(self.var_along, self.var_cross))


def log_density(
    at: Prediction, vessel: NDArray[np.intp], xy: Array, later_s: Array, common_sd_m: float
) -> Array:
    """Return log density (per m2) that hull ``vessel[i]`` was centred at ``xy[i]``, ``later_s[i]`` after the moment.

    ``common_sd_m`` is the position error shared by the overpass (georeferencing, box centring).
    """
    velocity = at.velocity[vessel]
    off = xy - (at.xy[vessel] + velocity * later_s[:, None])
    speed = np.hypot(*velocity.T)
    along = np.where((speed > 0)[:, None], velocity / np.where(speed > 0, speed, 1.0)[:, None], [[1.0, 0.0]])
    a = (off * along).sum(axis=1)
    c = off[:, 0] * along[:, 1] - off[:, 1] * along[:, 0]
    va, vc = at.var_along[vessel] + common_sd_m**2, at.var_cross[vessel] + common_sd_m**2
    squared = a**2 / va + c**2 / vc
    core = (1 + squared / T_DOF) ** (-T_DOF / 2 - 1) / (2 * np.pi * np.sqrt(va * vc))
    wide_var = at.wide_sd[vessel] ** 2
    wide = np.exp(-(a**2 + c**2) / (2 * wide_var)) / (2 * np.pi * wide_var)
    share = at.wide_share[vessel]
    return np.asarray(np.log(np.maximum((1 - share) * core + share * wide, 1e-300)))


@dataclass(frozen=True)
class Ellipse:
    """The smallest ellipse about a mean place that holds a share of a hull's density."""

    xy: tuple[float, float]
    """Middle, metres."""
    along_m: float
    """Half axis along the course."""
    cross_m: float
    course_deg: float
    """Of the first axis, clockwise from the grid's north."""


_ANGLES = np.linspace(0.0, np.pi / 2, 181)


def ellipse(at: Prediction, vessel: int, share: float, common_sd_m: float) -> Ellipse:
    """Return where a vessel's hull centre was with a probability of ``share``, by `log_density`.

    Args:
        at: densities.
        vessel: which of them.
        share: in (0, 1).
        common_sd_m: position error shared by the overpass.
    """
    va, vc = (float(var[vessel]) + common_sd_m**2 for var in (at.var_along, at.var_cross))
    wide, wide_var = float(at.wide_share[vessel]), float(at.wide_sd[vessel]) ** 2
    # Distance from the middle to the edge of the unit ellipse, squared, over a quarter turn.
    edge = 1.0 / (np.cos(_ANGLES) ** 2 / va + np.sin(_ANGLES) ** 2 / vc)

    def inside(squared: float) -> float:
        core = 1 - (1 + squared / T_DOF) ** (-T_DOF / 2)
        # The wide normal, over the same ellipse: integrated along each bearing, then over the bearings.
        rest = 1 - np.trapezoid(np.exp(-squared * edge / (2 * wide_var)), _ANGLES) / (np.pi / 2)
        return float((1 - wide) * core + wide * rest) - share

    top = 1.0
    while inside(top) < 0:
        top *= 4
    size = np.sqrt(brentq(inside, 0.0, top))
    velocity = at.velocity[vessel]
    # Where it lies still the first axis points east, as in `log_density`.
    course = float(np.degrees(np.arctan2(*velocity))) if np.hypot(*velocity) > 0 else 90.0
    x, y = at.xy[vessel]
    return Ellipse((float(x), float(y)), float(size * np.sqrt(va)), float(size * np.sqrt(vc)), course % 360.0)


_SAMPLES = 64


def _unit_points() -> tuple[Array, Array]:
    """Return (64, 2) points spread like the Student-t core and like a unit normal (Vogel's spiral)."""
    k = np.arange(_SAMPLES)
    tail = (k + 0.5) / _SAMPLES
    angle = k * np.pi * (3 - np.sqrt(5.0))
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    core = np.sqrt(T_DOF * (tail ** (-2 / T_DOF) - 1))
    return ring * core[:, None], ring * np.sqrt(-2 * np.log(tail))[:, None]


def sample_points(at: Prediction, common_sd_m: float) -> tuple[Array, Array]:
    """Return (n, 128, 2) places in metres and their (n, 128) weights, which sum to 1 for each vessel."""
    core, wide = _unit_points()
    speed = np.hypot(*at.velocity.T)
    along = np.where(
        (speed > 0)[:, None], at.velocity / np.where(speed > 0, speed, 1.0)[:, None], [[1.0, 0.0]]
    )
    across = np.column_stack([along[:, 1], -along[:, 0]])
    a = np.sqrt(at.var_along + common_sd_m**2)[:, None, None] * along[:, None, :] * core[None, :, :1]
    c = np.sqrt(at.var_cross + common_sd_m**2)[:, None, None] * across[:, None, :] * core[None, :, 1:]
    far = at.wide_sd[:, None, None] * wide[None]
    points = at.xy[:, None, :] + np.concatenate([a + c, far], axis=1)
    share = at.wide_share[:, None] / _SAMPLES
    return points, np.concatenate(
        [np.repeat(1 / _SAMPLES - share, _SAMPLES, 1), np.repeat(share, _SAMPLES, 1)], 1
    )


def lonlat(at: Prediction, crs: str) -> Array:
    """Return the (n, 2) mean places in degrees."""
    return xy_to_lonlat(at.xy, crs) if len(at) else np.empty((0, 2))
