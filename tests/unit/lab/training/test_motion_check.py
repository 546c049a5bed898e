"""Bow and motion are fitted on the truth, and what is said is held against it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.detection.decode import points_in
from roadstead_lab.training import interval_check, motion_check
from roadstead_lab.training.motion_check import SEED, Told, bow_error_deg, box_shape, told_rates
from roadstead_lab.training.practice import TAUGHT


@given(st.floats(0, 3.1), st.floats(5, 40), st.floats(2, 4.5))
def test_the_shape_of_a_box_gives_its_corners_again(angle: float, length: float, beam: float) -> None:
    shape = np.array([[50.0, 60.0, length, beam, angle]])
    corners = points_in(shape, np.array([[0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5]]))[0]
    found = box_shape(corners)
    np.testing.assert_allclose(found[:4], shape[0, :4])
    assert abs(np.sin(found[4] - angle)) < 1e-9


def test_weights_follow_what_tells_the_truth_and_leave_what_does_not() -> None:
    rng = np.random.default_rng(0)
    inputs = np.column_stack([np.ones(2000), rng.normal(size=(2000, 2))])
    truth = rng.random(2000) < 1 / (1 + np.exp(-(2.0 * inputs[:, 1] - 1.0)))
    assert motion_check._logistic(inputs, truth) == pytest.approx((-1.0, 2.0, 0.0), abs=0.25)


def test_rates_are_of_what_is_said() -> None:
    told = [
        Told(60.0, True, True, 10.0),
        Told(60.0, False, True, 170.0),
        Told(100.0, False, False, None),
        Told(200.0, True, None, 5.0),
    ]
    rates = told_rates(told)
    assert (rates["n"], rates["moving_said"], rates["bow_said"]) == (4, 0.75, 0.75)
    assert (rates["said_moving_right"]["n"], rates["said_moving_right"]["share"]) == (2, 0.5)
    assert (rates["said_still_right"]["n"], rates["said_still_right"]["share"]) == (1, 1.0)
    assert rates["bow_right"]["share"] == pytest.approx(2 / 3, abs=1e-4)
    assert [row["n"] for row in rates["by_length"]] == [2, 1, 1]
    assert told_rates([])["bow_right"]["share"] is None


@pytest.mark.parametrize(
    ("told", "true", "error"), [(350.0, 10.0, 20.0), (90.0, 270.0, 180.0), (5.0, 5.0, 0.0)]
)
def test_bows_are_apart_by_the_shorter_way_round(told: float, true: float, error: float) -> None:
    assert bow_error_deg(told, true) == pytest.approx(error)
    assert bow_error_deg(float("nan"), true) is None


def test_scenes_that_fit_neither_teach_nor_measure() -> None:
    assert SEED not in (TAUGHT, interval_check.SEED)
