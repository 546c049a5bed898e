"""How many hulls there were, from detections alone."""

from __future__ import annotations

import numpy as np
import pytest

from roadstead.counting.posterior import Known, population


def fleet(rng: np.random.Generator, n: int) -> Known:
    length = np.exp(rng.normal(np.log(55), 0.5, n))
    found = rng.random(n) < 1 / (1 + np.exp(-2.5 * (np.log(length) - np.log(38))))
    seen = np.where(found, length * np.exp(rng.normal(0.1, 0.25, n)), np.nan)
    return Known(length, found.astype(float), seen)


def test_its_interval_holds_the_truth_and_its_value_is_near() -> None:
    rng = np.random.default_rng(3)
    held, error = [], []
    for _ in range(40):
        known, other = fleet(rng, 250), fleet(rng, 120)
        there = population(known, other.seen_m[other.detected > 0], rng)
        held.append(there.low <= 120 <= there.high)
        error.append(abs(there.value - 120) / 120)
    assert np.mean(held) >= 0.85 and np.mean(error) < 0.09


def test_it_says_as_many_as_were_found_at_least() -> None:
    rng = np.random.default_rng(4)
    there = population(fleet(rng, 200), np.full(30, 60.0), rng)
    assert 30 <= there.low <= there.value <= there.high


def test_nothing_found_and_nothing_to_learn_from() -> None:
    rng = np.random.default_rng(5)
    known = fleet(rng, 50)
    assert population(known, np.empty(0), rng).value == 0
    with pytest.raises(ValueError, match="detected"):
        population(Known(known.length_m, np.zeros(50), known.seen_m), np.array([50.0]), rng)
