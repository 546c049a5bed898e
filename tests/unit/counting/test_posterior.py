"""How many hulls there were."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.counting.posterior import hulls, interval, poisson_binomial, recall_points

PROBABILITIES = st.lists(st.floats(0, 1), max_size=30)


@given(PROBABILITIES)
def test_a_sum_of_events_has_their_mean(p: Any) -> None:
    mass = poisson_binomial(np.array(p))
    assert mass.sum() == pytest.approx(1.0)
    assert mass @ np.arange(len(mass)) == pytest.approx(sum(p), abs=1e-9)


@given(PROBABILITIES, st.floats(0.3, 1.0))
def test_hulls_there_have_the_mean_of_found_and_missed(p: Any, q: Any) -> None:
    mass = hulls(np.array(p), np.full(len(p), q), q)
    assert mass.sum() == pytest.approx(1.0)
    assert mass @ np.arange(len(mass)) == pytest.approx(sum(p) / q + 0.5 * (1 - q) / q, rel=1e-3, abs=1e-3)


@given(PROBABILITIES, st.floats(0.1, 1.0), st.integers(0, 40))
def test_the_interval_holds_the_value(p: Any, q: Any, value: Any) -> None:
    low, high = interval(hulls(np.array(p), np.full(len(p), q), q), value)
    assert low <= value <= high


def test_nothing_found_leaves_room_for_hulls_missed() -> None:
    low, high = interval(hulls(np.empty(0), np.empty(0), 0.5), 0)
    assert low == 0 and high >= 1


def test_perfect_recall_and_certain_detections_leave_no_doubt() -> None:
    assert interval(hulls(np.ones(5), np.ones(5), 1.0), 5) == (5, 5)


def test_recall_measured_on_few_hulls_is_spread_wider() -> None:
    few, many = (recall_points(0.8, n) for n in (10, 1000))
    assert few[0][0] < many[0][0] < many[2][0] < few[2][0]
    assert sum(weight for _, weight in few) == pytest.approx(1.0)
