"""From marginal probabilities to who is matched, who is ambiguous, and who is left alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from roadstead.core.geo import Array
from roadstead.reconcile.assignment import Index, Marginals, best_assignment
from roadstead.reconcile.score import Pairs

MIN_MATCH = 0.98
"""A pair is `matched` from this posterior on ..."""
CLOSE_ALTERNATIVE = 0.02
"""... if no other pairing of its detection or its vessel is likelier than this."""
MIN_ALONE_DETECTION = 0.95
"""A detection has no partner among the declared from this posterior on; below it is ambiguous."""
MIN_ALONE_VESSEL = 0.9
"""A vessel made no detection from this posterior on; below it is ambiguous."""
MIN_CANDIDATE = 0.02
MOST_CANDIDATES = 8


@dataclass(frozen=True)
class Decision:
    """Pair indices of the two kinds of pairing; who is in neither is contested or alone."""

    matched: Index
    """Pairs named as the same hull; one-to-one."""
    ambiguous: Index
    """As many pairs as can be told apart in number, one-to-one: which they are is left open."""
    contested_detections: Index
    contested_vessels: Index


def decide(pairs: Pairs, found: Marginals, mmsi: NDArray[np.object_]) -> Decision:
    """Name the pairs that can be named and say of the others what can be said.

    Of detections and vessels that compete, as many of each are ambiguous as can be paired; the rest are
    contested, so that ambiguous detections and ambiguous vessels are equal in number and both sums of the
    counts hold with one figure.
    """
    m, n = len(found.detection_alone), len(found.vessel_alone)
    d, v = pairs.detection, pairs.vessel
    chosen = best_assignment(d, v, found.pair, m, n)
    rival = _runner_up(d, found.pair, m)[d], _runner_up(v, found.pair, n)[v]
    clear = (found.pair >= MIN_MATCH) & (np.maximum(*rival) <= CLOSE_ALTERNATIVE)
    matched = _one_per_mmsi(chosen[clear[chosen]], v, found.pair, mmsi)
    open_d = _open(found.detection_alone < MIN_ALONE_DETECTION, d[matched])
    open_v = _open(found.vessel_alone < MIN_ALONE_VESSEL, v[matched])
    compete = np.flatnonzero(open_d[d] & open_v[v] & (found.pair > 0))
    ambiguous = compete[best_assignment(d[compete], v[compete], found.pair[compete], m, n)]
    return Decision(
        matched,
        ambiguous,
        np.flatnonzero(_open(open_d, d[ambiguous])),
        np.flatnonzero(_open(open_v, v[ambiguous])),
    )


def _one_per_mmsi(matched: Index, vessel: Index, pair: Array, mmsi: NDArray[np.object_]) -> Index:
    """Keep the likeliest match of each MMSI: several hulls that share one cannot all be it."""
    best: dict[str, int] = {}
    for p in matched[np.argsort(-pair[matched], kind="stable")].tolist():
        best.setdefault(str(mmsi[vessel[p]]), p)
    return np.array(sorted(best.values()), dtype=np.intp)


def _open(those: NDArray[np.bool_], taken: Index) -> NDArray[np.bool_]:
    left = those.copy()
    left[taken] = False
    return left


def _runner_up(group: Index, pair: Array, size: int) -> Array:
    """Return the second greatest probability in each group."""
    second = np.zeros(size)
    order = np.lexsort((-pair, group))
    ranked = group[order]
    start = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]) if len(ranked) else np.empty(0, int)
    following = start + 1
    has = following < len(ranked)
    has[has] = ranked[following[has]] == ranked[start[has]]
    second[ranked[start[has]]] = pair[order][following[has]]
    return second


def candidates_of(own: Index, other: Index, pair: Array, who: int) -> Index:
    """Return the likeliest partners of ``who``, best first."""
    rows = np.flatnonzero(own == who)
    rows = rows[np.argsort(-pair[rows], kind="stable")][:MOST_CANDIDATES]
    likely = rows[pair[rows] >= MIN_CANDIDATE]
    return other[likely if len(likely) else rows[:1]]
