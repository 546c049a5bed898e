"""How well each detection and each declared vessel fit as one hull: log likelihood ratios.

The ratio compares "this vessel made this detection" with "a hull without AIS, or a false alarm, did".
Kinematics are position and axis; attributes are length and class. Attributes are bounded: a share of all
vessels declares another hull's data, and then attributes say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import gammaln

from roadstead.core.geo import Array
from roadstead.core.schemas import CLASSES
from roadstead.reconcile.declared_vessel import Declared
from roadstead.reconcile.density import Prediction, log_density
from roadstead.reconcile.false_positions import Rests, beside_rests

Index = NDArray[np.intp]

WRONG_DATA_SHARE = 0.1
"""Share of vessels whose static data are of another hull or of none. Length and type are wrong or missing in
some 5-30 % of static reports (Harati-Mokhtari et al. 2007, doi 10.1017/S0373463307004298)."""
WRONG_AXIS_SHARE = 0.1
"""Share of headings that do not fit the hull: stale, wrong by half a turn's part, or a box at fault."""
LENGTH_DOF = 4.0
Z80 = 1.2816
"""Half width of an 80 % normal interval in standard deviations."""
POPULATION_LOG_LENGTH = (float(np.log(110.0)), 0.6)
"""Log-normal of seen hull lengths, metres: median 110, 80 % between 51 and 237."""
SMALL_LOG_LENGTH = (float(np.log(14.0)), 0.5)
"""Log-normal of Class B craft that declare no length: median 14 m."""
CLASS_PRIOR = np.array([0.15, 0.35, 0.5])
"""barge, bulk_carrier, other_vessel among seen hulls."""
CLASS_BOUNDS = (0.3, 3.0)
"""A type code never says more than this: 70-79 is any cargo ship, and there is no code for a barge."""
P_VESSEL_BOUNDS = (0.02, 0.95)
"""The shipped model's reliability is measured no further than this: of what it states at 0.8 to 1 (0.94 on the mean)
93 % [88-95 %] are ships, so 0.99 is worth no more."""
GATE_SD = 8.0
GATE_MIN_M = 600.0
GATE_MAX_M = 20_000.0


@dataclass(frozen=True)
class Seen:
    """Detections of one overpass as arrays of m rows, places in metres."""

    detection_id: NDArray[np.object_]
    xy: Array
    later_s: Array
    """Own time minus the overpass's moment."""
    length_m: Array
    length_sd_m: Array
    grid_axis_deg: Array
    beam_m: Array
    p_class: Array
    """(m, 3) in the order of `schemas.CLASSES`."""
    p_vessel: Array
    """Within `P_VESSEL_BOUNDS`."""
    by_quay: NDArray[np.bool_]
    """In a berth or lock; false where the zone is not known."""
    density: Array
    """Hulls per m2 around it."""
    rafted: Array
    """Mean number of hulls alongside a hull in such a place."""
    axis_habit: Array
    """Density of its axis among the hulls around it, over a uniform axis: ships at anchor lie to one tide."""

    def __len__(self) -> int:
        """Return the number of detections."""
        return len(self.detection_id)


def seen_of(
    table: gpd.GeoDataFrame,
    xy: Array,
    later_s: Array,
    convergence_deg: float,
    area_m2: float,
    by_quay: NDArray[np.bool_] | None = None,
) -> Seen:
    """Return the rows of `schemas.DETECTIONS` as arrays."""
    low, high = table["length_low_m"].to_numpy(float), table["length_high_m"].to_numpy(float)
    quays = np.zeros(len(table), bool) if by_quay is None else by_quay
    grid_axis = (table["axis_deg"].to_numpy(float) - convergence_deg) % 180.0
    return Seen(
        detection_id=table["detection_id"].to_numpy(object),
        xy=xy,
        later_s=later_s,
        length_m=table["length_m"].to_numpy(float),
        length_sd_m=np.maximum((high - low) / (2 * Z80), 4.0),
        grid_axis_deg=grid_axis,
        beam_m=table["beam_m"].to_numpy(float),
        p_class=table[[f"p_{name}" for name in CLASSES]].to_numpy(float),
        p_vessel=table["p_vessel"].to_numpy(float).clip(*P_VESSEL_BOUNDS),
        by_quay=quays,
        density=_local_density(xy, area_m2, quays),
        rafted=_rafted(xy, quays),
        axis_habit=_axis_habit(xy, grid_axis),
    )


DENSITY_RADIUS_M = 2000.0
DENSITY_NEIGHBOURS = 5
ALONGSIDE_M = 50.0
"""Hulls whose middles are nearer than this lie side by side or in line at a quay."""
RAFT_PRIOR = {False: (1.5, 10.0), True: (4.0, 10.0)}
"""Hulls alongside, and hulls, that stand beside those seen: on open water, by quays."""
RAFT_SD_M = 25.0
AXIS_KERNEL_DEG = 10.0
"""Width of the kernel by which the axes of neighbours stand for the axis of a hull without AIS."""
UNIFORM_NEIGHBOURS = 2.0
"""Hulls of any axis that stand beside the true neighbours: one neighbour makes no habit."""


def _axis_habit(xy: Array, axis_deg: Array) -> Array:
    """Return the density of each axis among the other hulls within 2 km, over a uniform one.

    Ships at anchor swing to one tide, ships at a quay lie along it: there the axis fits hulls without AIS too.
    """
    habit = np.ones(len(xy))
    for i, around in enumerate(cKDTree(xy).query_ball_point(xy, DENSITY_RADIUS_M) if len(xy) else ()):
        others = np.array([k for k in around if k != i], np.intp)
        fits = _axis_ratio(axis_deg[others], axis_deg[i], AXIS_KERNEL_DEG)
        habit[i] = (UNIFORM_NEIGHBOURS + fits.sum()) / (UNIFORM_NEIGHBOURS + len(others))
    return habit


def _axis_ratio(axis_deg: Array, other_deg: Array | float, sd_deg: Array | float) -> Array:
    """Return the density of one axis about another, both modulo 180 degrees, over a uniform one."""
    off = np.abs(axis_deg - other_deg) % 180.0
    off = np.minimum(off, 180.0 - off)
    return np.asarray(90.0 * np.sqrt(2 / np.pi) / sd_deg * np.exp(-((off / sd_deg) ** 2) / 2))


def _local_density(xy: Array, area_m2: float, by_quay: NDArray[np.bool_]) -> Array:
    """Return detections per m2 within 2 km of each, itself included, over no more than the searched area.

    By quays, where hulls lie in lines, the density of the nearest neighbours where that is greater.
    """
    if not len(xy):
        return np.empty(0)
    tree = cKDTree(xy)
    around = tree.query_ball_point(xy, DENSITY_RADIUS_M, return_length=True)
    wide = np.asarray(around, float) / min(np.pi * DENSITY_RADIUS_M**2, max(area_m2, 1e4))
    if len(xy) <= DENSITY_NEIGHBOURS:
        return wide
    reach = np.maximum(tree.query(xy, [DENSITY_NEIGHBOURS + 1])[0][:, 0], 50.0)
    return np.where(by_quay, np.maximum(wide, (DENSITY_NEIGHBOURS - 1) / (np.pi * reach**2)), wide)


def _rafted(xy: Array, by_quay: NDArray[np.bool_]) -> Array:
    """Return (m,) how many hulls lie alongside one on average, by quays or on open water as each detection is."""
    out = np.zeros(len(xy))
    if not len(xy):
        return out
    beside = cKDTree(xy).query_ball_point(xy, ALONGSIDE_M, return_length=True) - 1
    for quay, (a, b) in RAFT_PRIOR.items():
        here = by_quay == quay
        out[here] = (float(beside[here].sum()) + a) / (float(here.sum()) + b)
    return out


def rafted_vessels(at: Prediction) -> Array:
    """Return (n,) how many declared hulls lie alongside a declared hull on average within 2 km of each.

    The image tells of rafts only where it found both hulls; declarations tell of them all.
    """
    if not len(at):
        return np.empty(0)
    tree = cKDTree(at.xy)
    beside = tree.query_ball_point(at.xy, ALONGSIDE_M, return_length=True) - 1.0
    a, b = RAFT_PRIOR[False]
    around = tree.query_ball_point(at.xy, DENSITY_RADIUS_M)
    return np.array([(beside[near].sum() + a) / (len(near) + b) for near in around])


def gated_pairs(seen: Seen, at: Prediction) -> tuple[Index, Index]:
    """Return (detection, vessel) indices of all pairs near enough to be worth scoring."""
    if not len(seen) or not len(at):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    radius = np.clip(GATE_SD * at.spread_m, GATE_MIN_M, GATE_MAX_M)
    radius = np.where(at.unsound, np.maximum(radius, 2.5 * at.wide_sd), radius)
    late = np.abs(seen.later_s).max()
    lists = cKDTree(seen.xy).query_ball_point(at.xy, radius + np.hypot(*at.velocity.T) * late)
    sizes = [len(found) for found in lists]
    detection = np.fromiter((i for found in lists for i in sorted(found)), np.intp, sum(sizes))
    return detection, np.repeat(np.arange(len(at)), sizes)


@dataclass(frozen=True)
class Pairs:
    """Scored pairs; arrays of one row a pair."""

    detection: Index
    vessel: Index
    log_axis: Array
    log_attributes: Array
    rest_density: Array
    """Density (per m2) of the hull lying where it rested while its declared position is false."""

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.detection)


def pair_up(seen: Seen, at: Prediction, declared: Declared, rested: Rests) -> Pairs:
    """Gate pairs and score what does not depend on the overpass's common error."""
    n = max(len(at), 1)
    near = np.array(gated_pairs(seen, at), np.intp)
    d_rest, v_rest, density = beside_rests(rested, seen.xy, n)
    key = np.union1d(near[0] * n + near[1], d_rest * n + v_rest)
    d, v = (key // n).astype(np.intp), (key % n).astype(np.intp)
    rest = np.zeros(len(key))
    rest[np.searchsorted(key, d_rest * n + v_rest)] = density
    return Pairs(d, v, _log_axis(seen, at, d, v), _log_attributes(seen, declared, d, v), rest)


def log_position(pairs: Pairs, seen: Seen, at: Prediction, common_sd_m: float) -> Array:
    """Return the log position density of each pair, per m2."""
    d, v = pairs.detection, pairs.vessel
    declared = log_density(at, v, seen.xy[d], seen.later_s[d], common_sd_m)
    return np.asarray(np.logaddexp(declared, np.log(np.maximum(pairs.rest_density, 1e-300))))


def _log_axis(seen: Seen, at: Prediction, d: Index, v: Index) -> Array:
    """Return log density of the seen axis given the heading, over that of a hull without AIS at its place."""
    # A box two pixels wide turns by about one pixel over its length.
    box = np.degrees(np.arctan2(15.0, seen.length_m[d]))
    sd = np.minimum(np.hypot(at.heading_sd_deg[v], box), 60.0)
    fits = _axis_ratio(seen.grid_axis_deg[d], at.heading_deg[v], sd)
    habit = seen.axis_habit[d]
    ratio = (1 - WRONG_AXIS_SHARE) * fits + WRONG_AXIS_SHARE * habit
    return np.where(np.isnan(fits), 0.0, np.log(ratio / habit))


def _log_attributes(seen: Seen, declared: Declared, d: Index, v: Index) -> Array:
    fits = _length_ratio(seen, declared, d, v) * class_ratio(seen.p_class[d], declared.ship_type[v])
    return np.asarray(np.log((1 - WRONG_DATA_SHARE) * fits + WRONG_DATA_SHARE))


def _log_normal_pdf(x: Array, of: tuple[float, float]) -> Array:
    z = (np.log(x) - of[0]) / of[1]
    return np.asarray(np.exp(-(z**2) / 2) / (x * of[1] * np.sqrt(2 * np.pi)))


def _t_pdf(z: Array, dof: float) -> Array:
    scale = np.exp(gammaln((dof + 1) / 2) - gammaln(dof / 2)) / np.sqrt(dof * np.pi)
    return np.asarray(scale * (1 + z**2 / dof) ** (-(dof + 1) / 2))


def length_sd(seen_sd_m: Array, declared_m: Array) -> Array:
    """Return the standard error between seen and declared length: measuring, and rounded declarations."""
    return np.sqrt(seen_sd_m**2 + (0.03 * declared_m) ** 2 + 3.0**2)


def _length_ratio(seen: Seen, declared: Declared, d: Index, v: Index) -> Array:
    """Return the density of the seen length given the vessel over that of the population."""
    x, said = seen.length_m[d], declared.length_m[v]
    sd = length_sd(seen.length_sd_m[d], said)
    any_hull = _log_normal_pdf(x, POPULATION_LOG_LENGTH)
    told = _t_pdf((x - said) / sd, LENGTH_DOF) / sd
    small = 0.9 * _log_normal_pdf(x, SMALL_LOG_LENGTH) + 0.1 * any_hull
    untold = np.where(declared.class_b[v], small, any_hull)
    return np.asarray(np.where(np.isfinite(said), told, untold) / any_hull)


_TYPE_CLASSES: tuple[tuple[range, tuple[float, float, float]], ...] = (
    (range(20, 30), (0.02, 0.01, 0.97)),
    (range(30, 31), (0.02, 0.01, 0.97)),
    (range(31, 33), (0.30, 0.05, 0.65)),
    (range(33, 36), (0.20, 0.10, 0.70)),
    (range(36, 38), (0.01, 0.01, 0.98)),
    (range(40, 70), (0.05, 0.03, 0.92)),
    (range(70, 80), (0.20, 0.45, 0.35)),
    (range(80, 90), (0.08, 0.12, 0.80)),
)
"""P(barge, bulk_carrier, other_vessel | type code), our judgement; codes: ITU-R M.1371-5 table 53."""


def _class_table() -> Array:
    table = np.tile(CLASS_PRIOR, (101, 1))
    for codes, shares in _TYPE_CLASSES:
        table[codes.start : codes.stop] = shares
    return table


_CLASS_OF_TYPE = _class_table()


def class_ratio(p_class: Array, ship_type: Array) -> Array:
    """Return how much likelier the seen class is under the type code than in the population, bounded."""
    return np.asarray(np.clip(raw_class_ratio(p_class, ship_type), *CLASS_BOUNDS))


def raw_class_ratio(p_class: Array, ship_type: Array) -> Array:
    """Return the same without bounds."""
    row = np.where(np.isfinite(ship_type), ship_type, 100).astype(int)
    return np.asarray((p_class * _CLASS_OF_TYPE[row] / CLASS_PRIOR).sum(axis=1))
