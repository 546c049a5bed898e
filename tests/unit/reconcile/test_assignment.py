"""Marginal probabilities of a one-to-one association."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadstead.reconcile import assignment
from roadstead.reconcile.assignment import best_assignment, marginals, propagate


@st.composite
def problems(draw: Any) -> Any:
    m, n = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    cells = [cell for cell in product(range(m), range(n)) if draw(st.booleans())]
    weight = np.array([draw(st.floats(0.01, 1000.0)) for _ in cells])
    d = np.array([i for i, _ in cells], dtype=np.intp)
    v = np.array([j for _, j in cells], dtype=np.intp)
    return d, v, weight, m, n


def by_listing(d: Any, v: Any, w: Any, m: Any, n: Any) -> Any:
    """Sum over every one-to-one hypothesis."""
    pair, total = np.zeros(len(w)), 0.0
    for chosen in product((False, True), repeat=len(w)):
        on = np.flatnonzero(chosen)
        if len(set(d[on])) == len(on) == len(set(v[on])):
            mass = float(np.prod(w[on]))
            pair[on] += mass
            total += mass
    return pair / total


@given(problems(), st.permutations(range(4)))
@settings(deadline=None, max_examples=150)
def test_marginals_equal_the_sum_over_every_hypothesis(problem: Any, order: Any) -> None:
    d, v, w, m, n = problem
    found = marginals(d, v, w, m, n, np.array(order[:m], float))
    assert found.pair == pytest.approx(by_listing(d, v, w, m, n), abs=1e-3)
    assert found.detection_alone == pytest.approx(1 - np.bincount(d, found.pair, m), abs=1e-6)


def test_propagation_stays_near_the_exact_marginals() -> None:
    rng = np.random.default_rng(0)
    d, v = (a.ravel() for a in np.indices((4, 4)))
    off = []
    for _ in range(30):
        w = np.exp(rng.normal(0, 3, 16))
        off.append(np.abs(propagate(d, v, w, 4, 4).pair - marginals(d, v, w, 4, 4, np.arange(4.0)).pair))
    assert np.mean(off) < 0.02 and np.max(off) < 0.25


def test_propagation_is_exact_where_nothing_loops() -> None:
    d, v, w = np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([3.0, 2.0, 5.0])
    assert propagate(d, v, w, 2, 2).pair == pytest.approx(by_listing(d, v, w, 2, 2), abs=1e-5)


def test_a_component_too_wide_for_the_exact_sum_falls_back_to_propagation(monkeypatch: Any) -> None:
    d, v = (a.ravel() for a in np.indices((3, 3)))
    w = np.linspace(1.0, 9.0, 9)
    monkeypatch.setattr(assignment, "MAX_FRONTIER", 2)
    found = marginals(d, v, w, 3, 3, np.arange(3.0))
    assert found.pair == pytest.approx(propagate(d, v, w, 3, 3).pair)


def test_a_negligible_pair_gets_no_probability() -> None:
    one = np.zeros(1, np.intp)
    assert marginals(one, one, np.array([1e-6]), 1, 1, np.zeros(1)).detection_alone[0] == 1.0


def test_the_best_assignment_prefers_two_good_pairs_to_one_better_one() -> None:
    d, v = np.array([0, 0, 1]), np.array([0, 1, 0])
    assert best_assignment(d, v, np.array([0.6, 0.4, 0.5]), 2, 2).tolist() == [1, 2]
