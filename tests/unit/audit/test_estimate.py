"""Shares, means and kappas of a sample, and how often their intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from roadstead.audit.estimate import agreement, cohen, mean, positive_agreement, share
from roadstead.audit.frame import allocation


def test_of_cells_of_one_ship_each_it_is_the_interval_of_clopper_and_pearson() -> None:
    hit = np.array([1] * 32 + [0] * 8)
    found = share(hit, np.ones(40), np.full(40, 1e9), ["a"] * 40)
    exact = binomtest(32, 40).proportion_ci(0.95, method="exact")
    assert found.value == pytest.approx(0.8)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=0.01)


def test_a_cell_that_was_less_likely_to_be_drawn_weighs_more() -> None:
    found = share([1, 0, 0, 1], [1, 1, 1, 1], [1, 1, 9, 9], ["a", "a", "b", "b"])
    assert found.value == pytest.approx(0.5)
    found = share([1, 1, 0, 0], [1, 1, 1, 1], [1, 1, 9, 9], ["a", "a", "b", "b"])
    assert found.value == pytest.approx(0.1)


def test_ships_that_lie_together_tell_less_than_as_many_apart() -> None:
    hits = np.array([10, 10, 10, 0, 0, 10, 10, 0])
    together = share(hits, np.full(8, 10), np.full(8, 50.0), ["a"] * 8)
    apart = share(np.repeat(hits / 10, 10), np.ones(80), np.full(80, 50.0), ["a"] * 80)
    assert together.low is not None
    assert apart.low is not None
    assert together.low < apart.low


def test_where_all_were_found_recall_may_still_be_less_than_one() -> None:
    found = share(np.ones(12), np.ones(12), np.full(12, 9.0), ["a"] * 12)
    assert found.high == 1.0
    assert found.low is not None
    assert 0.7 < found.low < 0.8


def test_of_no_ship_there_is_no_recall() -> None:
    assert share([0, 0], [0, 0], [1, 1], ["a", "a"]).value is None
    assert share([], [], [], []).cells == 0


def population(rng: np.random.Generator, recall: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return stratum, ships and hits of 900 cells: few with ships, their recall differing between them."""
    stratum = np.repeat([0, 1, 2, 3], [60, 240, 150, 450])
    mean_ships = np.array([5.0, 2.0, 0.3, 0.1])[stratum]
    ships = rng.negative_binomial(1.0, 1.0 / (1.0 + mean_ships))
    own = rng.beta(12 * recall, 12 * (1 - recall), 900)
    # Where the model found nothing there is nothing but misses.
    own = np.where(stratum >= 2, 0.0, own)
    return stratum, ships, rng.binomial(ships, own)


@pytest.mark.parametrize(("recall", "cells"), [(0.75, 60), (0.9, 60), (0.9, 35), (0.97, 100), (0.6, 30)])
def test_the_interval_of_recall_holds_the_truth_about_as_often_as_it_says(recall: float, cells: int) -> None:
    rng = np.random.default_rng(11)
    names = [("berth", True), ("anchorage", True), ("berth", False), ("anchorage", False)]
    held, runs = 0, 400
    for _ in range(runs):
        stratum, ships, hits = population(rng, recall)
        truth = hits.sum() / ships.sum()
        sizes = {name: int((stratum == k).sum()) for k, name in enumerate(names)}
        given = allocation(sizes, cells)
        rows = np.concatenate(
            [rng.choice(np.flatnonzero(stratum == k), given[name], False) for k, name in enumerate(names)]
        )
        weight = np.array([sizes[names[k]] / given[names[k]] for k in stratum[rows]])
        found = share(hits[rows], ships[rows], weight, list(stratum[rows]))
        held += found.low is None or found.low <= truth <= (found.high or 0.0)
    assert 0.92 <= held / runs, f"{held} of {runs}"


def test_the_interval_of_a_bias_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    held, runs = 0, 400
    for _ in range(runs):
        stratum = np.repeat([0, 1], [200, 600])
        value = np.where(stratum == 0, rng.poisson(2.0, 800) - 1.5, rng.poisson(0.3, 800))
        rows = np.concatenate([rng.choice(np.flatnonzero(stratum == k), 25, False) for k in (0, 1)])
        found = mean(value[rows], np.where(stratum[rows] == 0, 8.0, 24.0), list(stratum[rows]))
        assert found.low is not None
        assert found.high is not None
        held += found.low <= value.mean() <= found.high
    assert 0.92 <= held / runs <= 0.98, f"{held} of {runs}"


def test_kappa_is_as_its_author_works_it_out() -> None:
    # Cohen 1960, table 1.
    table = np.array([[25, 13, 12], [12, 2, 16], [3, 15, 2]])
    agreed, chance = 29 / 100, (50 * 40 + 30 * 30 + 20 * 30) / 1e4
    assert cohen(table) == pytest.approx((agreed - chance) / (1 - chance))
    assert cohen([[10, 0], [0, 10]]) == 1.0
    assert cohen([[10, 0], [0, 0]]) is None, "who always says the same agrees by chance"


def test_agreement_on_boxes_is_what_kappa_comes_to_where_empty_places_are_beyond_number() -> None:
    assert positive_agreement([[8, 1], [3, 0]]) == pytest.approx(cohen([[8, 1], [3, 1e9]]), abs=1e-6)


def test_agreement_has_an_interval_over_cells_and_says_the_same_each_time() -> None:
    tables = [np.array([[3, 0], [1, 0]])] * 6 + [np.array([[1, 2], [0, 0]])] * 6
    found, again = (agreement(tables, positive_agreement) for _ in range(2))
    assert found == again
    assert found.low is not None
    assert found.value is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    mixed = [np.array([[3, 0], [1, 0]])]
    assert agreement(mixed, positive_agreement).low is None, "of one cell there is no interval"


def test_where_nothing_differs_the_interval_still_has_a_width() -> None:
    found = mean(np.zeros(20), np.full(20, 3.0), ["a"] * 20)
    assert found.low is not None
    assert found.low == pytest.approx(-(1 - 0.025 ** (1 / 20)))
    boxes = agreement([np.array([[2, 0], [0, 0]])] * 5, positive_agreement)
    assert boxes.low is not None
    assert boxes.low == pytest.approx(2 * 0.6915 / 1.6915, abs=1e-3), "of ten boxes"
    cells = agreement([np.array([[1, 0], [0, 1]])] * 5)
    assert (cells.value, cells.high) == (1.0, 1.0)
    assert cells.low is not None
    assert cells.low == pytest.approx((0.6915 - 0.5) / 0.5, abs=1e-3)
