"""Hulls and quays as point scatterers, and their image: a coherent sum of point spreads, averaged over looks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from roadstead.core.geo import KNOT, Array
from roadstead_lab.simulate.hulls.spec import HullSpec
from roadstead_lab.simulate.optical.render import PlacedHull
from roadstead_lab.simulate.radar.clutter import point_spread
from roadstead_lab.simulate.radar.geometry import GRD_PIXEL_M, RadarGeometry
from roadstead_lab.simulate.texture import FloatArray

_PAD_PX = 32
"""Sidelobes are drawn this far from the scatterers."""
_LOOK_WEIGHTS: Final = np.array([1.0, 1.0, 1.0, 0.8, 0.7])
"""Of five looks in range: 4.4 equivalent ones."""
RCS_OFFSET_DB = 5.2
"""Median of the 246 real chips over the model of `mean_rcs_db`."""
_RCS_SPREAD_DB = 4.0
"""Of ships of one length about their mean; 4.2 in the real chips."""
_BARGE_DB = -4.0
"""Barges lie low and carry little that makes corners. An assumption: the chips hold too few to measure it."""
_CROSS_SPREAD_DB = 3.0
"""Of a ship's VH against VV; 3.6 in the real chips."""
_FLICKER = 1.6
"""Spread of the logarithm of single scatterers' power: a few outshine the rest."""


@dataclass(frozen=True)
class Part:
    """Scatterers of one kind on a hull, in metres from its centre, with their share of the cross section."""

    ahead_m: Array
    starboard_m: Array
    height_m: Array
    share: float
    cross_db: float
    """VH over VV."""


@dataclass(frozen=True)
class Scatterers:
    """Point scatterers in a radar frame."""

    colrow: Array
    """[n, 2] pixel coordinates."""
    rcs_m2: Array
    """[2, n] radar cross sections in VV and VH, square metres."""


def mean_rcs_db(length_m: float) -> float:
    """Return a ship's mean VV radar cross section in dB over a square metre.

    ``0.08 L^(7/3)`` (Vachon et al. 1997, Ship detection by the RADARSAT SAR, Can. J. Remote Sensing 23) plus an
    offset; a free fit to the real chips gives the exponent 2.38.
    """
    return 10.0 * math.log10(0.08 * length_m ** (7.0 / 3.0)) + RCS_OFFSET_DB


def hull_scatterers(hull: PlacedHull, geometry: RadarGeometry, rng: np.random.Generator) -> Scatterers:
    """Return a hull's scatterers where the image has them: laid over by height, shifted and smeared by motion.

    Args:
        hull: Heading is its course, too.
        geometry: The radar's frame.
        rng: Source of chance.
    """
    spec = hull.spec
    parts = _parts(spec, hull.heading_deg - geometry.look_deg, rng)
    ahead, starboard, height = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("ahead_m", "starboard_m", "height_m")
    )
    colrow = geometry.xy_to_colrow(_placed(hull, ahead, starboard), height)
    colrow[:, 1] += _motion_px(hull, geometry, len(ahead), rng)
    power = np.concatenate([_powers(part, rng) for part in parts])
    total = mean_rcs_db(spec.length_m) + rng.normal(0.0, _RCS_SPREAD_DB) + _BARGE_DB * (spec.kind == "barge")
    vv = power / power.sum() * 10.0 ** (total / 10.0)
    cross = np.concatenate([np.full(len(part.ahead_m), part.cross_db) for part in parts])
    cross += rng.normal(0.0, _CROSS_SPREAD_DB) + rng.normal(0.0, 2.5, len(vv))
    return Scatterers(colrow, np.stack([vv, vv * 10.0 ** (cross / 10.0)]))


def _placed(hull: PlacedHull, ahead: Array, starboard: Array) -> Array:
    sine, cosine = math.sin(math.radians(hull.heading_deg)), math.cos(math.radians(hull.heading_deg))
    x, y = hull.xy
    return np.column_stack([x + ahead * sine + starboard * cosine, y + ahead * cosine - starboard * sine])


def _motion_px(hull: PlacedHull, geometry: RadarGeometry, count: int, rng: np.random.Generator) -> Array:
    """Rows by which each scatterer is moved: the hull's way, and its rolling, which differs along the hull.

    A radial speed of 0.1 m/s moves a target by about 12 m; ships under way roll, those at rest hardly.
    """
    col, _ = geometry.xy_to_colrow(np.array([hull.xy]))[0]
    cols = np.full(count, col)
    way = geometry.azimuth_shift_m(cols, hull.speed_kn * KNOT, hull.heading_deg)
    rolling = rng.normal(0.0, 0.02 + 0.01 * hull.speed_kn, count)
    return (way + geometry.azimuth_shift_m(cols, rolling, geometry.look_deg)) / GRD_PIXEL_M


def _powers(part: Part, rng: np.random.Generator) -> Array:
    power = np.exp(rng.normal(0.0, _FLICKER, len(part.ahead_m)))
    return np.asarray(part.share * power / power.sum(), np.float64)


def _parts(spec: HullSpec, aspect_deg: float, rng: np.random.Generator) -> list[Part]:
    """The parts of a hull seen with its bow ``aspect_deg`` off the look direction."""
    parts = [_deck(spec, rng), _ends(spec), _lit_side(spec, aspect_deg, rng)]
    if spec.hatches:
        parts.append(_coamings(spec))
    if spec.house_fraction > 0.0:
        parts.append(_house(spec, rng))
    if spec.cranes:
        parts.append(_cranes(spec))
    return parts


def _deck(spec: HullSpec, rng: np.random.Generator) -> Part:
    count = max(round(spec.length_m / 4.0), 6)
    ahead = rng.uniform(-0.5, 0.5, count) * spec.length_m
    starboard = rng.uniform(-0.45, 0.45, count) * spec.beam_m
    return Part(ahead, starboard, np.full(count, 0.5 * spec.height_m), 0.25, -10.0)


def _ends(spec: HullSpec) -> Part:
    """Winches, masts and the raked stern."""
    ahead = np.array([0.49, 0.45, -0.49, -0.46]) * spec.length_m
    return Part(ahead, np.zeros(4), np.full(4, 0.7 * spec.height_m), 0.15, -10.0)


def _lit_side(spec: HullSpec, aspect_deg: float, rng: np.random.Generator) -> Part:
    """Double bounce between water and the side that faces the radar, along its waterline; strongest abeam."""
    count = max(round(spec.length_m / 6.0), 4)
    aspect = math.radians(aspect_deg)
    # The starboard beam points to the bow's right; it faces the radar where it points against the look.
    facing = math.copysign(1.0, math.sin(aspect))
    ahead = (np.arange(count) + rng.uniform(0.2, 0.8, count)) / count - 0.5
    side = np.full(count, facing * 0.5 * spec.beam_m)
    share = 0.05 + 0.35 * abs(math.sin(aspect)) ** 6
    return Part(ahead * 0.92 * spec.length_m, side, np.zeros(count), share, -14.0)


def _coamings(spec: HullSpec) -> Part:
    """Fore and after edges of the hatches, at the centre line and both corners."""
    free = 1.0 - spec.house_fraction
    middle = -0.5 * spec.house_fraction * math.copysign(1.0, spec.house_at)
    edges = np.linspace(middle - 0.44 * free, middle + 0.44 * free, 2 * spec.hatches)
    ahead = np.repeat(edges, 3) * spec.length_m
    starboard = np.tile([-0.3, 0.0, 0.3], len(edges)) * spec.beam_m
    return Part(ahead, starboard, np.full(len(ahead), 0.6 * spec.height_m), 0.2, -11.0)


def _house(spec: HullSpec, rng: np.random.Generator) -> Part:
    """Corners of the superstructure, laid over towards the radar by their height."""
    count = 10
    at = 0.5 * spec.house_at * (1.0 - spec.house_fraction)
    ahead = (at + rng.uniform(-0.5, 0.5, count) * spec.house_fraction) * spec.length_m
    starboard = rng.uniform(-0.45, 0.45, count) * spec.beam_m
    return Part(ahead, starboard, rng.uniform(0.8, 2.0, count) * spec.height_m, 0.3, -11.0)


def _cranes(spec: HullSpec) -> Part:
    ahead = np.linspace(-0.25, 0.35, spec.cranes) * spec.length_m
    height = np.full(spec.cranes, 1.6 * spec.height_m)
    return Part(ahead, np.zeros(spec.cranes), height, 0.06 * spec.cranes, -9.0)


def stamp(power: FloatArray, groups: Sequence[Scatterers], rng: np.random.Generator) -> None:
    """Add the images of scatterers to [2, H, W] sigma nought (VV, VH), in place.

    Those of one group interfere with phases that differ from look to look, as on one hull; groups add in power.
    Scatterers of a group outside the frame are cut with their image.
    """
    for group in groups:
        patch, top, left = _image(group, rng)
        _add(power, patch, top, left)


def _image(group: Scatterers, rng: np.random.Generator) -> tuple[FloatArray, int, int]:
    """[2, h, w] sigma nought of one group, and the row and column of its first pixel."""
    low = np.floor(group.colrow.min(axis=0)).astype(int) - _PAD_PX
    high = np.floor(group.colrow.max(axis=0)).astype(int) + _PAD_PX + 1
    # A sample stands for its pixel's centre.
    across, along = (
        point_spread(np.arange(a, b)[:, None] + 0.5 - group.colrow[:, axis])
        for axis, (a, b) in enumerate(zip(low, high, strict=True))
    )
    total = np.zeros((2, len(along), len(across)))
    for band, rcs in enumerate(group.rcs_m2):
        amplitude = np.sqrt(rcs) / GRD_PIXEL_M
        for weight in _LOOK_WEIGHTS / _LOOK_WEIGHTS.sum():
            phase = np.exp(2j * np.pi * rng.random(len(rcs)))
            total[band] += weight * np.abs((along * (amplitude * phase)) @ across.T) ** 2
    return total.astype(np.float32), int(low[1]), int(low[0])


def _add(power: FloatArray, patch: FloatArray, top: int, left: int) -> None:
    _, height, width = power.shape
    rows = slice(max(top, 0), max(min(top + patch.shape[1], height), 0))
    cols = slice(max(left, 0), max(min(left + patch.shape[2], width), 0))
    if rows.start < rows.stop and cols.start < cols.stop:
        power[:, rows, cols] += patch[
            :, rows.start - top : rows.stop - top, cols.start - left : cols.stop - left
        ]
