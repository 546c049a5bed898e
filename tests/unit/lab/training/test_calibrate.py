"""Calibration recovers what made the data and never turns order round."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from roadstead.detection.measure import class_probabilities, fitted
from roadstead.detection.model import SizeFit
from roadstead_lab.training.ais_check import leave_one_out
from roadstead_lab.training.calibrate import (
    Floats,
    best_threshold,
    fit_classes,
    fit_platt,
    fit_size,
    shifted_to_ais,
)
from roadstead_lab.training.figures import score_scene
from tests.unit.lab.training.test_scoring import seen, ship


def test_platt_scaling_recovers_the_probabilities_behind_the_scores() -> None:
    rng = np.random.default_rng(0)
    score = rng.uniform(0.05, 0.95, 4000)
    truth = special.expit(1.8 * special.logit(score) + 0.7)
    fitted = fit_platt(score, rng.random(4000) < truth)
    assert np.abs(fitted(score) - truth).max() < 0.05


def test_a_higher_score_never_gets_a_lower_probability() -> None:
    rng = np.random.default_rng(1)
    score = rng.uniform(0.05, 0.95, 60)
    fitted = fit_platt(score, score < 0.5)  # worse than chance on purpose
    assert (np.diff(fitted(np.linspace(0, 1, 50))) >= 0).all()


def test_calibration_refuses_data_without_false_alarms() -> None:
    with pytest.raises(ValueError, match="both ships and false alarms"):
        fit_platt(np.array([0.5, 0.6]), np.array([True, True]))


def test_temperature_scaling_recovers_the_class_probabilities_behind_the_scores() -> None:
    rng = np.random.default_rng(4)
    scores = rng.dirichlet((1.0, 1.0, 1.0), 6000)
    share = np.sqrt(scores)  # too sure
    truth = share / share.sum(axis=1, keepdims=True)
    drawn = (rng.random((6000, 1)) > truth.cumsum(axis=1)).sum(axis=1)
    fit = fit_classes(scores, drawn)
    assert np.abs(class_probabilities(scores, fit) - truth).mean() < 0.02
    assert fit.power == pytest.approx(0.5, abs=0.05)


def test_no_ships_change_no_class_probability() -> None:
    assert fit_classes(np.zeros((0, 3)), np.zeros(0, np.intp)).power == pytest.approx(1.0, abs=0.01)


def test_size_fit_recovers_a_line_despite_wild_boxes_and_its_interval_covers_80_percent() -> None:
    rng = np.random.default_rng(2)
    true = rng.uniform(50, 300, 2000)
    box = (true + 9 + rng.normal(0, 8, 2000)) / 1.02
    box[:40] += 200
    fit = fit_size(box, true)
    assert fit.slope == pytest.approx(1.02, abs=0.03)
    assert fit.growth < 0.35
    assert held(fit, box, true).mean() == pytest.approx(0.8, abs=0.02)


def test_an_interval_grows_where_errors_do_and_covers_short_and_long_hulls_alike() -> None:
    rng = np.random.default_rng(5)
    true = rng.uniform(45, 350, 8000)
    box = true + rng.normal(0, 1, 8000) * 0.06 * true
    fit = fit_size(box, true)
    assert fit.growth == pytest.approx(1.0, abs=0.15)
    inside = held(fit, box, true)
    assert [inside[true < 100].mean(), inside[true > 250].mean()] == pytest.approx([0.8, 0.8], abs=0.05)


def held(fit: SizeFit, box_m: Floats, true_m: Floats) -> NDArray[np.bool_]:
    _, low, high = fitted(box_m, fit, 0.0)
    return np.asarray((true_m >= low) & (true_m <= high))


def test_the_threshold_cuts_false_alarms_but_keeps_ships() -> None:
    labels = tuple(ship(20 + 40 * k, 20) for k in range(5))
    found = tuple(seen(20 + 40 * k, 20, p=0.5) for k in range(5))
    alarms = tuple(seen(20 + 40 * k, 90, p=0.25) for k in range(5))
    threshold, rows = best_threshold([score_scene("s", labels, found + alarms)])
    assert 0.25 < threshold <= 0.5
    assert max(row["strict_f1"] or 0.0 for row in rows) == 1.0


def test_the_offset_follows_ais_and_the_interval_holds_four_vessels_in_five() -> None:
    rng = np.random.default_rng(3)
    ais = rng.uniform(60, 250, 50)
    measured = ais + 12 + rng.normal(0, 10, 50)
    fit = shifted_to_ais(SizeFit(low=-5.0, high=5.0, growth=0.5), measured, ais)
    assert np.median(measured + fit.intercept - ais) == pytest.approx(0, abs=1e-3)
    assert held(fit, measured, ais).mean() == pytest.approx(0.8, abs=0.03)


def test_an_interval_that_is_wide_enough_is_not_narrowed() -> None:
    fit = shifted_to_ais(SizeFit(low=-50.0, high=50.0), np.array([97.0, 100, 103]), np.full(3, 100.0))
    assert (fit.low, fit.high) == (-50.0, 50.0)


def test_leaving_one_out_does_not_let_a_vessel_correct_itself() -> None:
    np.testing.assert_allclose(leave_one_out(np.array([10.0, 10.0, 10.0])), 0)
    assert abs(leave_one_out(np.array([0.0, 0.0, 30.0]))[2]) == 30
