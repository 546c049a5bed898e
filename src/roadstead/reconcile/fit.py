"""Fit to one overpass what its pairs share, and associate: position error, silent share, detection rate.

Three numbers are learnt from the overpass itself, each with a prior worth a few vessels, by expectation and
maximisation over the association's marginals: a common position error, the share of hulls that no
declaration explains, and how many of the declared hulls in view are detected at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roadstead.core.geo import Array
from roadstead.reconcile.assignment import Marginals, marginals, propagate
from roadstead.reconcile.density import Prediction
from roadstead.reconcile.position import GEOREFERENCE_SD_M
from roadstead.reconcile.score import RAFT_SD_M, Pairs, Seen, log_position, rafted_vessels

ROUNDS = 6
COMMON_SD_GRID_M = np.geomspace(10.0, 250.0, 12)
COMMON_SD_PRIOR = (float(np.log(GEOREFERENCE_SD_M)), 0.8)
"""Log-normal prior of the common position error, metres."""
SILENT_PRIOR = (1.0, 4.0)
"""Beta prior of the share of hulls without a declaration: a fifth, worth five hulls."""
LEFT_OVER_ODDS = {False: 2.0, True: 0.5}
"""How many times the odds of a hull, among detections without a partner, are those of the whole overpass: on open
water, by quays, where jetties, cranes and rocks are. Our judgement."""
LEFT_OVER_WORTH = 20.0
"""Detections that the prior of that share is worth."""
LEFT_OVER_ROUNDS = 30
RATE_PRIOR = (3.6, 0.4)
"""Beta prior of the share of visible declared hulls that are detected, next to recall by length."""


@dataclass(frozen=True)
class Fit:
    """What was learnt, and the association under it."""

    p_hull: Array
    """(m,) probability that a detection is a hull at all, if no declared vessel made it: most hulls declare
    themselves, false alarms never do."""
    full: Marginals
    """With attributes."""
    kinematic: Marginals
    """By position and axis alone."""


def associate(pairs: Pairs, seen: Seen, at: Prediction, in_view: Array, recall: Array) -> Fit:
    """Learn the common numbers and return marginals of all pairs.

    Args:
        pairs: gated pairs.
        seen: the m detections.
        at: densities of the n vessels.
        in_view: (n,) probability that each vessel was in the searched water.
        recall: (n,) probability that a visible hull of its length is detected.
    """
    silent, rate = SILENT_PRIOR[0] / sum(SILENT_PRIOR), 0.9
    m, n = len(seen), len(at)
    rafts = _rafts(pairs, seen, at)
    log_f = log_position(pairs, seen, at, GEOREFERENCE_SD_M)
    position = [log_position(pairs, seen, at, sd) for sd in COMMON_SD_GRID_M]
    for _ in range(ROUNDS if len(pairs) else 0):
        weight = _weight(pairs, seen, rafts, log_f, silent, rate * recall, in_view, attributes=True)
        found = propagate(pairs.detection, pairs.vessel, weight, m, n)
        log_f = position[_common_sd(position, found.pair)]
        silent = _silent_share(seen.p_vessel, found.detection_alone, silent)
        rate = _rate(found.vessel_alone, in_view * recall)
    full, kinematic = (
        marginals(
            pairs.detection,
            pairs.vessel,
            _weight(pairs, seen, rafts, log_f, silent, rate * recall, in_view, attributes=attributes),
            m,
            n,
            _sweep_coordinate(seen.xy),
        )
        for attributes in (True, False)
    )
    return Fit(hull_if_alone(seen, full.detection_alone, silent), full, kinematic)


@dataclass(frozen=True)
class _Rafts:
    """Of each pair, what does not change while numbers are learnt."""

    rafted: Array
    """How much hulls lie alongside one another there."""
    beside: Array
    """Density of a hull alongside the vessel, at the detection."""


def _rafts(pairs: Pairs, seen: Seen, at: Prediction) -> _Rafts:
    rafted = np.maximum(seen.rafted[pairs.detection], rafted_vessels(at)[pairs.vessel])
    return _Rafts(rafted, np.exp(log_position(pairs, seen, at, RAFT_SD_M)))


def hull_if_alone(seen: Seen, alone: Array, silent: float) -> Array:
    """Return (m,) the probability that each detection is a hull if no declared vessel made it.

    Most hulls declare themselves and false alarms never do, so among what is left over false alarms abound. Their
    share there is learnt, by quays and on open water apart, from how surely the detector takes them for hulls: its
    ``p_vessel``, stated for all detections together, is a likelihood ratio against the share of hulls among all.
    """
    every = float(seen.p_vessel.mean()) if len(seen) else 0.5
    ratio = seen.p_vessel / (1 - seen.p_vessel) * (1 - every) / every
    out = np.zeros(len(seen))
    for quay, times in LEFT_OVER_ODDS.items():
        here = seen.by_quay == quay
        odds = times * silent * every / (1 - every)
        a, b = LEFT_OVER_WORTH * odds / (1 + odds), LEFT_OVER_WORTH / (1 + odds)
        share, left = a / (a + b), alone[here]
        for _ in range(LEFT_OVER_ROUNDS):
            hull = share * ratio[here] / (share * ratio[here] + 1 - share)
            share = (float((left * hull).sum()) + a) / (float(left.sum()) + a + b)
        out[here] = share * ratio[here] / (share * ratio[here] + 1 - share)
    return out


def _silent_share(p_vessel: Array, alone: Array, silent: float) -> float:
    hull = p_vessel * silent / (p_vessel * silent + 1 - p_vessel)
    quiet = float((alone * hull).sum()) + SILENT_PRIOR[0]
    return quiet / (quiet + float((1 - alone).sum()) + SILENT_PRIOR[1])


def _weight(
    pairs: Pairs,
    seen: Seen,
    rafts: _Rafts,
    log_f: Array,
    silent: float,
    detected: Array,
    in_view: Array,
    *,
    attributes: bool,
) -> Array:
    """Return each pair's likelihood ratio against a hull without AIS and a vessel that was missed."""
    d, v = pairs.detection, pairs.vessel
    # Per detection that is a hull: hulls without AIS, and false alarms of this look.
    others = seen.density * (silent + (1 - seen.p_vessel) / seen.p_vessel)
    alongside = silent / (1 - silent) * rafts.rafted * rafts.beside
    alone = np.log(others[d] + alongside) + np.log1p(-np.minimum(detected * in_view, 0.995))[v]
    score = log_f + np.log(detected)[v] + pairs.log_axis - alone
    return np.asarray(np.exp(np.clip(score + (pairs.log_attributes if attributes else 0.0), -60, 60)))


def _common_sd(position: list[Array], pair: Array) -> int:
    """Return which value of `COMMON_SD_GRID_M` fits best."""
    prior = -((np.log(COMMON_SD_GRID_M) - COMMON_SD_PRIOR[0]) ** 2) / (2 * COMMON_SD_PRIOR[1] ** 2)
    score = np.array([float(pair @ log_f) for log_f in position]) + prior
    return int(np.argmax(score))


def _rate(vessel_alone: Array, expected: Array) -> float:
    a, b = RATE_PRIOR
    found = float((1 - vessel_alone).sum())
    return float(np.clip((found + a) / (expected.sum() + a + b), 0.02, 1.0))


def _sweep_coordinate(xy: Array) -> Array:
    """Return each detection's place along the long axis of the scatter, so that few vessels stay open at once."""
    if len(xy) < 2:
        return np.zeros(len(xy))
    centred = xy - xy.mean(axis=0)
    return np.asarray(centred @ np.linalg.svd(centred, full_matrices=False)[2][0])
