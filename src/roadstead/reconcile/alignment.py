"""Do the hulls of an overpass and the tracks around it agree, or do they fit better at some common offset?

A clock in local time, a wrong day, an image that lies a kilometre off: each moves all ships alike, and then declared
ships look like hulls without AIS. So the fit of all tracks to all hulls is held against the same fit with the tracks
read some time earlier or later, and with the image moved.

The fit at an offset is a sum over vessels of the log likelihood ratio "it made one of the hulls nearby, or was
missed" against hulls strewn as densely as they are there. By chance alone the ratio is 1 on the mean, so a gain of x
has a chance of exp(-x) at most, for each offset looked at. What lies in lanes and rows is not strewn by chance, so the
density is never taken for less than `LEAST_DENSITY`, and no vessel counts for more than `MOST_EACH`.

Ships that lie still say nothing of minutes, and only those that come or go say anything of hours: `Alignment` tells
how many ships fit and how many of them move.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from scipy.spatial import cKDTree
from scipy.special import gammaln
from scipy.stats import binom

from roadstead.core.geo import KNOT, Array
from roadstead.reconcile.density import T_DOF, Prediction
from roadstead.reconcile.position import (
    GEOREFERENCE_SD_M,
    REPORT_SD_M,
    STOPPED_MS,
    SWING_SD_M,
    reckoning_var,
    stray_var,
)
from roadstead.reconcile.score import LENGTH_DOF, POPULATION_LOG_LENGTH, WRONG_DATA_SHARE, Seen, length_sd

Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

MINUTES_S = np.arange(-22, 23) * 40.0
"""Offsets in time that are tried: within 15 minutes, so finely that a ship at 15 knots goes 300 m between two, ..."""
HOURS_S = np.r_[-24.0, np.arange(-14.0, 14.5, 0.5), 24.0] * 3600.0
"""... by half hours as far as time zones reach, and a day."""
REACH_S = 26 * 3600.0
"""Reports this far from the overpass are used."""
MOST_OFFSET_M = 3_000.0
LEAST_OFFSET_M = 250.0
"""Nearer, antennas that all stand aft and boxes that run long look like an offset."""
LEAST_OFFSET_S = 60.0
"""Receivers' clocks and thinned reports are off by so much anyway."""
CELL_M = 60.0
MOST_PEAKS = 8
MOST_HULLS = 400
"""More tracks are sampled: the offset is common to all."""
NEAR_M = 700.0
AREA_M = 1_500.0
"""A vessel this near a hull counts as in the searched water."""
NEIGHBOURS = 4
FOUND_SHARE = 0.7
"""Share of declared vessels in the searched water that a hull is expected of."""
LEAST_DENSITY = 1.0 / (np.pi * 600.0**2)
MOST_EACH = 4.0
FITS = float(np.log(3.0))
"""A vessel whose log likelihood ratio is this at least has found its hull."""
MIN_GAIN = 14.0
"""Log likelihood gained over no offset. Some hundred offsets in time and a thousand in place are tried, and few
overpasses are expected to be off."""
AS_GOOD = 2.0
"""Offsets whose log likelihood is less than this below the best's are as good."""
MIN_PAIRS = 3
"""Vessels that find a hull at the offset and have none without it; they outnumber those that lose theirs by three."""
FRESH_S = 3 * 3600.0
"""Between reports further apart a vessel under way may be anywhere."""
METRES_A_DEGREE = 111_320.0

MIN_SURE_LENGTH_M = 60.0
SURE_SPREAD_M = 150.0
SEEN_SHARE = 0.5
"""Of declared vessels that must have been seen at least this share are, where image and AIS are of one time; ..."""
DISAGREE_P = 1e-3
"""... fewer with this chance."""


@dataclass(frozen=True)
class Alignment:
    """What hulls and tracks of one overpass say of a common offset."""

    offset_s: float = 0.0
    """Reports so much later than the image fit it; 0 where its own time fits."""
    offsets_s: tuple[float, float] = (0.0, 0.0)
    """The least and the greatest that fit about as well: ships that lie still tell no closer."""
    east_m: float = 0.0
    north_m: float = 0.0
    """How far the image lies from the ships."""
    gain: float = 0.0
    """Log likelihood gained by the offset."""
    ships: int = 0
    """Vessels that fit a hull without any offset."""
    movers: int = 0
    """Those of them that move, which alone tell of minutes."""
    expected: int = 0
    """Declared vessels that lie in clear searched water and are long enough to be seen surely; ..."""
    found: float = 0.0
    """... and how many of them were."""
    disagree: bool = False
    """Too few of them were, and no common offset mends it."""

    @property
    def place_off(self) -> bool:
        """Whether the image seems to lie elsewhere."""
        return self.east_m != 0.0 or self.north_m != 0.0


@dataclass(frozen=True)
class Tracks:
    """Reports of n hulls in order of hull and time, in metres about the hulls seen; rows of ``seconds``."""

    mmsi: NDArray[np.object_]
    """(n,)"""
    length_m: Array
    """(n,) as declared, NaN where not."""
    hull: Index
    seconds: Array
    """Time minus the overpass's."""
    xy: Array
    velocity: Array
    """m/s; NaN where not told."""

    def __len__(self) -> int:
        """Return the number of hulls."""
        return len(self.mmsi)

    @cached_property
    def key(self) -> Array:
        """Time and hull in one ascending number."""
        return self.hull * (4 * REACH_S) + self.seconds

    def at(self, shifts_s: Array) -> Placed:
        """Return where each hull was at each of s times, seconds after the overpass's."""
        hull = np.tile(np.arange(len(self)), len(shifts_s))
        when = np.repeat(shifts_s, len(self))
        after = np.searchsorted(self.key, hull * (4 * REACH_S) + when, side="right")
        last, first = after - 1, np.minimum(after, len(self.key) - 1)
        has_last = (last >= 0) & (self.hull[np.maximum(last, 0)] == hull)
        has_first = (after < len(self.key)) & (self.hull[first] == hull)
        return _placed(self, when, (np.maximum(last, 0), first), (has_last, has_first), len(shifts_s))


@dataclass(frozen=True)
class Placed:
    """Places of n hulls at s times, arrays of s x n rows."""

    xy: Array
    velocity: Array
    var: Array
    """m2 along each axis; inf where nothing is known."""
    times: int

    def at_time(self, k: int) -> Placed:
        """Return the places at one of the times."""
        n = len(self.var) // self.times
        own = slice(k * n, (k + 1) * n)
        return Placed(self.xy[own], self.velocity[own], self.var[own], 1)


def _placed(
    t: Tracks, when: Array, rows: tuple[Index, Index], has: tuple[Flags, Flags], times: int
) -> Placed:
    """Return places between the last report before and the first after, or carried on from one of them."""
    before, after = when - t.seconds[rows[0]], t.seconds[rows[1]] - when
    gap = np.where(has[0] & has[1], before + after, np.inf)
    step = t.xy[rows[1]] - t.xy[rows[0]]
    rests = np.isfinite(gap) & (np.hypot(*step.T) <= STOPPED_MS * np.minimum(gap, FRESH_S) + 2 * SWING_SD_M)
    bridged = np.isfinite(gap) & (rests | (gap <= FRESH_S))
    mean = step / np.where(bridged, np.maximum(gap, 1.0), 1.0)[:, None]
    reach = np.where(bridged, before * after / np.where(bridged, np.maximum(gap, 1.0), 1.0), 0.0)
    stray = (0.15 * np.hypot(*mean.T) + 0.2) ** 2 * stray_var(reach)
    use_last = has[0] & (~has[1] | (before <= after))
    near = np.where(use_last, rows[0], rows[1])
    age = np.where(use_last, before, after)
    sign = np.where(use_last, 1.0, -1.0)
    velocity = np.nan_to_num(t.velocity[near])
    pace = np.hypot(*velocity.T)
    carried = t.xy[near] + velocity * (sign * age)[:, None]
    unsure = (0.25 * pace + 0.25) ** 2 * reckoning_var(np.maximum(age, 0.0))
    known = (has[0] | has[1]) & (np.isfinite(t.velocity[near]).all(axis=1) | (age < 60.0)) & (age <= 1800.0)
    var = np.where(bridged, np.where(rests, SWING_SD_M**2, stray), np.where(known, unsure, np.inf))
    xy = t.xy[rows[0]] + mean * before[:, None]
    return Placed(
        np.where(bridged[:, None], xy, carried),
        np.where(bridged[:, None], mean, velocity),
        var + REPORT_SD_M**2 + GEOREFERENCE_SD_M**2 + 20.0**2,
        times,
    )


@dataclass(frozen=True)
class _Hulls:
    """What was seen, for looking up who lies near a place."""

    xy: Array
    later_s: Array
    length_m: Array
    length_sd_m: Array
    density: Array

    @cached_property
    def tree(self) -> cKDTree:
        return cKDTree(self.xy)


def alignment(
    lonlat: Array,
    seen: Seen,
    history: pd.DataFrame,
    vessels: pd.DataFrame,
    moment: pd.Timestamp,
    sigma_s: float,
) -> Alignment:
    """Return whether some common offset fits hulls and tracks better than none.

    Args:
        lonlat: (m, 2) hulls in degrees, aligned with ``seen``.
        seen: the m detections.
        history: `schemas.POSITIONS` around the overpass with their ``hull``, without snapshots.
        vessels: `schemas.VESSELS`.
        moment: of the overpass.
        sigma_s: standard error of its time; offsets within twice that are none.
    """
    if len(seen) < MIN_PAIRS:
        return Alignment()
    middle = lonlat.mean(axis=0)
    scale = METRES_A_DEGREE * np.array([np.cos(np.radians(middle[1])), 1.0])
    xy = (lonlat - middle) * scale
    tracks = _tracks(history, vessels, moment, middle, scale, xy)
    if not len(tracks):
        return Alignment()
    hulls = _Hulls(xy, seen.later_s, seen.length_m, seen.length_sd_m, np.maximum(seen.density, LEAST_DENSITY))
    return _best(tracks, hulls, sigma_s)


def _best(tracks: Tracks, hulls: _Hulls, sigma_s: float) -> Alignment:
    shifts = np.unique(np.r_[MINUTES_S, HOURS_S])
    placed = tracks.at(shifts)
    scores = _scores(tracks, hulls, placed)
    total = scores.sum(axis=1)
    none = np.abs(shifts) <= max(LEAST_OFFSET_S, 2 * sigma_s)
    base = int(np.flatnonzero(none)[np.argmax(total[none])])
    now = placed.at_time(int(np.flatnonzero(shifts == 0.0)[0]))
    own = scores[base]
    in_time = _in_time(tracks, hulls, shifts, total, own, none)
    in_place = _in_place(tracks, hulls, now, own)
    moves = np.hypot(*now.velocity.T) > 2 * STOPPED_MS
    fits = own >= FITS
    best = max(in_time, in_place, key=lambda one: one.gain)
    return replace(best, ships=int(fits.sum()), movers=int((fits & moves).sum()))


def _in_time(
    tracks: Tracks, hulls: _Hulls, shifts: Array, total: Array, own: Array, none: Flags
) -> Alignment:
    """Return the offset in time that fits best, or the middle of those that fit as well."""
    at = float(shifts[np.argmax(np.where(none, -np.inf, total))])
    step = 20.0 if abs(at) < 1000.0 else 60.0
    around: Array = np.asarray(at + np.arange(-10, 11) * step, np.float64)
    tried = np.r_[shifts, around]
    fit = np.r_[total, _scores(tracks, hulls, tracks.at(around)).sum(axis=1)]
    order = np.argsort(tried, kind="stable")
    tried, fit = tried[order], np.where(np.abs(tried) > shifts[none].max(), fit, -np.inf)[order]
    low, high = _plateau(fit)
    middle = int(low + np.argmin(np.abs(tried[low : high + 1] - (tried[low] + tried[high]) / 2)))
    scores = _scores(tracks, hulls, tracks.at(tried[middle : middle + 1]))[0]
    gain = float(scores.sum() - own.sum())
    if gain < MIN_GAIN or not _outnumber(tracks, scores, own):
        return Alignment()
    return Alignment(float(tried[middle]), (float(tried[low]), float(tried[high])), gain=gain)


def _plateau(fit: Array) -> tuple[int, int]:
    """Return the first and last place of those around the best that fit about as well."""
    best = int(np.argmax(fit))
    worse = np.flatnonzero(fit < fit[best] - AS_GOOD)
    before, after = worse[worse < best], worse[worse > best]
    return int(before.max(initial=-1)) + 1, int(after.min(initial=len(fit))) - 1


def _outnumber(tracks: Tracks, better: Array, own: Array) -> bool:
    """Tell whether enough vessels find a hull at an offset that have none without it."""
    gained = len(set(tracks.mmsi[(better >= FITS) & (own < FITS)]))
    lost = len(set(tracks.mmsi[(better < FITS) & (own >= FITS)]))
    return gained >= max(MIN_PAIRS, 3 * lost)


def _in_place(tracks: Tracks, hulls: _Hulls, now: Placed, own: Array) -> Alignment:
    found = Alignment()
    for shift in _peaks(hulls, now):
        scores = _scores(tracks, hulls, Placed(now.xy + shift, now.velocity, now.var, 1))[0]
        gain = float(scores.sum() - own.sum())
        far = np.hypot(*shift) >= LEAST_OFFSET_M
        if far and gain >= max(MIN_GAIN, found.gain) and _outnumber(tracks, scores, own):
            found = Alignment(east_m=float(shift[0]), north_m=float(shift[1]), gain=gain)
    return found


def _peaks(hulls: _Hulls, now: Placed) -> Array:
    """Return (k, 2) displacements from vessels to hulls that many share, in metres."""
    sure = np.flatnonzero(now.var <= SURE_SPREAD_M**2)
    if not len(sure):
        return np.empty((0, 2))
    pairs = cKDTree(now.xy[sure]).sparse_distance_matrix(hulls.tree, MOST_OFFSET_M, output_type="ndarray")
    off = hulls.xy[pairs["j"]] - now.xy[sure][pairs["i"]]
    weight = np.log1p(1.0 / (2 * np.pi * now.var[sure][pairs["i"]] * hulls.density[pairs["j"]]))
    edges = np.linspace(-MOST_OFFSET_M, MOST_OFFSET_M, int(2 * MOST_OFFSET_M / CELL_M) + 1)
    count = np.histogram2d(off[:, 0], off[:, 1], bins=[edges, edges], weights=weight)[0]
    mass = uniform_filter(count, 3, mode="constant")
    peaks: list[Array] = []
    for cell in np.argsort(-mass, axis=None)[: 40 * MOST_PEAKS]:
        at = (np.array(np.unravel_index(cell, mass.shape)) + 0.5) * CELL_M - MOST_OFFSET_M
        if all(np.hypot(*(at - other)) > 3 * CELL_M for other in peaks):
            peaks.append(at)
        if len(peaks) == MOST_PEAKS:
            break
    return np.array([_settled(off, at) for at in peaks])


def _settled(off: Array, at: Array) -> Array:
    """Move a peak to the middle of the displacements around it."""
    for _ in range(3):
        near = np.hypot(*(off - at).T) <= 2 * CELL_M
        at = off[near].mean(axis=0) if near.any() else at
    return at


def _scores(tracks: Tracks, hulls: _Hulls, placed: Placed) -> Array:
    """Return (s, n) log likelihood ratios that each vessel made one of the hulls nearby, against chance."""
    n = len(tracks)
    known = np.flatnonzero(np.isfinite(placed.var))
    out = np.zeros(len(placed.var))
    away, who = hulls.tree.query(placed.xy[known], k=NEIGHBOURS, distance_upper_bound=AREA_M)
    inside = np.isfinite(away[:, 0])
    known, away, who = known[inside], away[inside], who[inside]
    near = away <= NEAR_M
    row, column = np.nonzero(near)
    d, p = who[row, column], known[row]
    off = hulls.xy[d] - placed.xy[p] - placed.velocity[p] * hulls.later_s[d][:, None]
    squared = (off**2).sum(axis=1) / placed.var[p]
    density = (1 + squared / T_DOF) ** (-T_DOF / 2 - 1) / (2 * np.pi * placed.var[p])
    ratio = density / hulls.density[d] * _length_ratio(hulls, d, tracks.length_m[p % n])
    either = np.bincount(row, ratio, len(known))
    out[known] = np.minimum(np.log(1 - FOUND_SHARE + FOUND_SHARE * either), MOST_EACH)
    return out.reshape(placed.times, n)


def _length_ratio(hulls: _Hulls, d: Index, said: Array) -> Array:
    """Return the density of a seen length given the declared one, over that of any hull."""
    x = hulls.length_m[d]
    sd = length_sd(hulls.length_sd_m[d], said)
    scale = np.exp(gammaln((LENGTH_DOF + 1) / 2) - gammaln(LENGTH_DOF / 2)) / np.sqrt(LENGTH_DOF * np.pi)
    told = scale * (1 + ((x - said) / sd) ** 2 / LENGTH_DOF) ** (-(LENGTH_DOF + 1) / 2) / sd
    mean, spread = POPULATION_LOG_LENGTH
    any_hull = np.exp(-(((np.log(x) - mean) / spread) ** 2) / 2) / (x * spread * np.sqrt(2 * np.pi))
    mixed = (1 - WRONG_DATA_SHARE) * told / np.maximum(any_hull, 1e-6) + WRONG_DATA_SHARE
    return np.where(np.isfinite(said), np.minimum(mixed, 10.0), 1.0)


def _tracks(
    history: pd.DataFrame, vessels: pd.DataFrame, moment: pd.Timestamp, middle: Array, scale: Array, xy: Array
) -> Tracks:
    """Return the tracks that pass the hulls seen, at most `MOST_HULLS` of them, those that move first."""
    seconds = (history["time"] - moment).dt.total_seconds().to_numpy(float)
    place = (history[["lon", "lat"]].to_numpy(float) - middle) * scale
    low, high = xy.min(axis=0) - MOST_OFFSET_M, xy.max(axis=0) + MOST_OFFSET_M
    soon = np.abs(seconds) <= REACH_S
    passing = soon & ((place >= low) & (place <= high)).all(axis=1)
    code, names = pd.factorize(history["hull"], sort=True)
    here = np.bincount(code[passing], minlength=len(names)) > 0
    speed = history["sog_kn"].to_numpy(float)
    moving = np.bincount(code[passing & (speed > 2.0)], minlength=len(names)) > 0
    chosen = np.sort(np.r_[_some(here & moving, MOST_HULLS), _some(here & ~moving, MOST_HULLS // 2)])
    number = np.full(len(names), -1)
    number[chosen] = np.arange(len(chosen))
    rows = np.flatnonzero(soon & (number[code] >= 0))
    rows = rows[np.lexsort((seconds[rows], number[code[rows]]))]
    used = history.iloc[rows]
    mmsi = np.asarray(names[chosen].str[:9] if len(chosen) else [], object)
    sizes = _sizes(vessels, mmsi)
    hull = number[code[rows]].astype(np.intp)
    return Tracks(
        mmsi,
        sizes["length_m"].to_numpy(float),
        hull,
        np.asarray(seconds[rows], np.float64),
        place[rows] + _antenna_to_middle(used, sizes, hull),
        _velocity(used),
    )


def _some(which: Flags, most: int) -> Index:
    """Return places of those that are true, evenly taken where there are more than ``most``."""
    found = np.flatnonzero(which)
    return found if len(found) <= most else found[np.linspace(0, len(found) - 1, most).astype(np.intp)]


_SIZES = ["length_m", "to_bow_m", "to_stern_m", "to_port_m", "to_starboard_m"]


def _sizes(vessels: pd.DataFrame, mmsi: NDArray[np.object_]) -> pd.DataFrame:
    """Return the last declared sizes of some vessels, rows aligned."""
    own = vessels[vessels["mmsi"].isin(set(mmsi))].sort_values("time", kind="stable")
    return own.groupby("mmsi")[_SIZES].last().reindex(mmsi)


def _antenna_to_middle(used: pd.DataFrame, sizes: pd.DataFrame, hull: Index) -> Array:
    """Return (k, 2) metres east and north from the antenna to the hull's middle; none where not known."""
    _, bow, stern, port, starboard = sizes[_SIZES].to_numpy(float)[hull].T
    ahead, right = (bow - stern) / 2, np.nan_to_num((starboard - port) / 2)
    course = used["cog_deg"].where(used["sog_kn"] > 1.0)
    heading = np.radians(used["heading_deg"].fillna(course).to_numpy(float))
    east, north = np.sin(heading), np.cos(heading)
    off = np.column_stack([ahead * east + right * north, ahead * north - right * east])
    return np.asarray(np.nan_to_num(off))


def _velocity(used: pd.DataFrame) -> Array:
    """Return (k, 2) m/s east and north; NaN where the report does not tell, 0 where it lies still."""
    speed = used["sog_kn"].to_numpy(float) * KNOT
    course = np.radians(used["cog_deg"].to_numpy(float))
    velocity = np.column_stack([speed * np.sin(course), speed * np.cos(course)])
    velocity[speed <= STOPPED_MS] = 0.0
    return velocity


def seen_too_seldom(
    at: Prediction, length_m: Array, in_view: Array, taken: Array, recall: Array
) -> tuple[int, float, bool]:
    """Return how many vessels must have been seen, how many of them were, and whether these are too few.

    Args:
        at: where the n vessels were.
        length_m: (n,) declared.
        in_view: (n,) probability that each was in clear searched water.
        taken: (n,) probability that each made a detection.
        recall: (n,) probability that a visible hull like it is detected.
    """
    sure = (length_m >= MIN_SURE_LENGTH_M) & (in_view >= 0.95) & (at.spread_m <= SURE_SPREAD_M)
    sure &= ~(at.jumped | at.unsound) & (np.abs(at.dt_s) <= 1800.0)
    moves = np.hypot(*at.velocity.T) > 2 * STOPPED_MS
    few = False
    for group in (sure, sure & moves):
        n = int(group.sum())
        expected = SEEN_SHARE * float(recall[group].mean()) if n else 0.0
        few |= n > 0 and bool(binom.cdf(np.floor(taken[group].sum() + 0.5), n, expected) < DISAGREE_P)
    return int(sure.sum()), float(taken[sure].sum()), few
