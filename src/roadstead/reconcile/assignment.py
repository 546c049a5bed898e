"""Joint one-to-one association: marginal probabilities and the best assignment.

A hypothesis pairs each detection with at most one vessel and each vessel with at most one detection; its
weight is the product of its pairs' weights (an unpaired detection and an unpaired vessel weigh 1). Marginals
are exact, by dynamic programming, in every connected component whose frontier stays small, and by belief
propagation (Williams & Lau 2014, doi 10.1109/TAES.2014.120568) in the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from roadstead.core.geo import Array

Index = NDArray[np.intp]

MAX_FRONTIER = 14
"""Vessels that may be open at once in the exact sum: 2^14 states."""
NEGLIGIBLE = 1e-4
"""Pairs lighter than this against being unpaired are left out: they move no marginal by more."""
UNLIKELY = 1e-3
"""Where a component is too wide, pairs less likely than this by propagation are left out and it is tried again."""
BP_TOLERANCE = 1e-6
BP_ROUNDS = 500


@dataclass(frozen=True)
class Marginals:
    """Posterior probabilities: of each pair, and of each detection and vessel being unpaired."""

    pair: Array
    detection_alone: Array
    vessel_alone: Array


def propagate(detection: Index, vessel: Index, weight: Array, m: int, n: int) -> Marginals:
    """Return marginals by belief propagation over m detections and n vessels; a good guess, quick."""
    back = np.ones_like(weight)
    for _ in range(BP_ROUNDS):
        flow = weight * back
        to_vessel = weight / (1 + np.bincount(detection, flow, m)[detection] - flow)
        new = 1 / (1 + np.bincount(vessel, to_vessel, n)[vessel] - to_vessel)
        done = np.abs(new - back).max(initial=0.0) < BP_TOLERANCE
        back = new
        if done:
            break
    flow = weight * back
    pair = flow / (1 + np.bincount(detection, flow, m)[detection])
    return _with_alone(detection, vessel, pair, m, n)


def _with_alone(detection: Index, vessel: Index, pair: Array, m: int, n: int) -> Marginals:
    return Marginals(
        pair,
        np.clip(1 - np.bincount(detection, pair, m), 0.0, 1.0),
        np.clip(1 - np.bincount(vessel, pair, n), 0.0, 1.0),
    )


def components(detection: Index, vessel: Index, m: int, n: int) -> list[Index]:
    """Return the pair indices of each connected component, components in order of their first detection."""
    graph = coo_matrix((np.ones(len(detection)), (detection, vessel + m)), shape=(m + n, m + n))
    label = connected_components(graph, directed=False)[1][detection]
    order = np.argsort(label, kind="stable")
    cuts = np.flatnonzero(np.diff(label[order])) + 1
    return [part for part in np.split(order, cuts) if len(part)]


def marginals(detection: Index, vessel: Index, weight: Array, m: int, n: int, order_by: Array) -> Marginals:
    """Return marginals, exact wherever the frontier allows.

    Args:
        detection: detection of each pair, 0..m-1.
        vessel: vessel of each pair, 0..n-1.
        weight: likelihood ratio of each pair against both being unpaired.
        m: number of detections.
        n: number of vessels.
        order_by: (m,) sweep coordinate; neighbours in it should be neighbours in space.
    """
    heavy = np.flatnonzero(weight > NEGLIGIBLE)
    pair, done = np.zeros(len(weight)), weight <= NEGLIGIBLE
    pair[heavy] = propagate(detection[heavy], vessel[heavy], weight[heavy], m, n).pair
    for least in (0.0, UNLIKELY):
        rest = np.flatnonzero(~done & (pair >= least))
        d, v, w = detection[rest], vessel[rest], weight[rest]
        for part in components(d, v, m, n):
            exact = _exact(d[part], v[part], w[part], order_by)
            if exact is not None:
                pair[rest[part]], done[rest[part]] = exact, True
    return _with_alone(detection, vessel, pair, m, n)


@dataclass(frozen=True)
class _Step:
    """One detection of the sweep: its pairs, and the vessels open while it is decided and after."""

    pairs: Index
    opened: tuple[int, ...]
    """Vessels that first appear here."""
    open: tuple[int, ...]
    """Axes of the state array while this detection is decided."""
    closed: tuple[int, ...]
    """Vessels that appear here for the last time."""


def _sweep(detection: Index, vessel: Index, order_by: Array) -> list[_Step] | None:
    """Lay the component out detection by detection; None where too many vessels are open at once."""
    turn = sorted(set(detection.tolist()), key=lambda i: (order_by[i], i))
    place = {d: k for k, d in enumerate(turn)}
    step_of = np.array([place[d] for d in detection.tolist()])
    last: dict[int, int] = {}
    for k, v in zip(step_of.tolist(), vessel.tolist(), strict=True):
        last[v] = max(last.get(v, 0), k)
    steps, held = [], ()
    for k in range(len(turn)):
        pairs = np.flatnonzero(step_of == k)
        opened = tuple(v for v in sorted(vessel[pairs].tolist()) if v not in held)
        while_open = held + opened
        if len(while_open) > MAX_FRONTIER:
            return None
        closed = tuple(v for v in while_open if last[v] == k)
        steps.append(_Step(pairs, opened, while_open, closed))
        held = tuple(v for v in while_open if last[v] > k)
    return steps


def _exact(detection: Index, vessel: Index, weight: Array, order_by: Array) -> Array | None:
    """Return exact pair marginals of one component by a forward and a backward sweep, or None if too wide.

    The state is an array with one axis of length 2 (free, taken) for each open vessel.
    """
    steps = _sweep(detection, vessel, order_by)
    if steps is None:
        return None
    forward = _forward(steps, vessel, weight)
    after: Array = np.ones(())
    pair = np.zeros(len(weight))
    for step, before in zip(reversed(steps), reversed(forward), strict=True):
        later = _broadcast(after, step)
        taken = {p: _take(later, step.open.index(vessel[p])) * weight[p] for p in step.pairs.tolist()}
        here = reduce(np.add, taken.values(), later)
        total = float((before * here).sum())
        for p, value in taken.items():
            pair[p] = float((before * value).sum()) / total
        here = here / here.max()
        for v in reversed(step.opened):
            here = here.take(0, axis=step.open.index(v))
        after = here
    return pair


def _take(array: Array, axis: int) -> Array:
    """Return, for states where the vessel of ``axis`` is free, the value with it taken; 0 where it is taken."""
    out = np.zeros_like(array)
    free: list[slice | int] = [slice(None)] * array.ndim
    taken = free.copy()
    free[axis], taken[axis] = 0, 1
    out[tuple(free)] = array[tuple(taken)]
    return out


def _broadcast(after: Array, step: _Step) -> Array:
    """Give the state after a step back the axes of the vessels that closed in it."""
    axes = tuple(k for k, v in enumerate(step.open) if v in step.closed)
    shape = (2,) * len(step.open)
    return np.broadcast_to(np.expand_dims(after, axes), shape)


def _forward(steps: list[_Step], vessel: Index, weight: Array) -> list[Array]:
    """Return the forward state before each step, with the axes open during it."""
    states, state = [], np.ones(())
    for step in steps:
        for _ in step.opened:
            state = np.stack([state, np.zeros_like(state)], axis=-1)
        states.append(state)
        following = state.copy()
        for p in step.pairs.tolist():
            following += weight[p] * _give(state, step.open.index(vessel[p]))
        following = following.sum(axis=tuple(k for k, v in enumerate(step.open) if v in step.closed))
        state = following / following.max()
    return states


def _give(array: Array, axis: int) -> Array:
    """Return the state after the vessel of ``axis``, free before, has been taken."""
    out = np.zeros_like(array)
    free: list[slice | int] = [slice(None)] * array.ndim
    taken = free.copy()
    free[axis], taken[axis] = 0, 1
    out[tuple(taken)] = array[tuple(free)]
    return out


def best_assignment(detection: Index, vessel: Index, score: Array, m: int, n: int) -> Index:
    """Return the pair indices of the one-to-one set with the greatest summed positive score."""
    chosen: list[int] = []
    for part in components(detection, vessel, m, n):
        chosen.extend(_assign(part, detection[part], vessel[part], score[part]))
    return np.array(sorted(chosen), dtype=np.intp)


def _assign(pairs: Index, detection: Index, vessel: Index, score: Array) -> list[int]:
    rows, row = np.unique(detection, return_inverse=True)
    columns, column = np.unique(vessel, return_inverse=True)
    gain = np.zeros((len(rows), len(columns)))
    gain[row, column] = np.maximum(score, 0.0)
    which = np.full(gain.shape, -1)
    which[row, column] = pairs
    chosen = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
    return [int(which[r, c]) for r, c in chosen if gain[r, c] > 0]
