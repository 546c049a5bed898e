"""Rafts are counted hull by hull: one box round several hulls is one hull."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from roadstead_lab.training import simulated_check
from roadstead_lab.training.places import Label
from roadstead_lab.training.practice import TAUGHT
from roadstead_lab.training.raft_check import SEED, CountedRaft, Raft, count_rafts, figures, raft_scene
from roadstead_lab.training.scoring import Found
from roadstead_lab.training.simulated_image import SimulatedImage
from roadstead_lab.training.stamps import LABEL_LONGER_M
from tests.unit.lab.training.test_scoring import seen, ship

THREE = Raft("at_quay", (ship(50, 50), ship(50, 52), ship(50, 54)))


def count(*found: Found) -> tuple[int, int]:
    (counted,) = count_rafts([THREE], found)
    return counted.right, counted.counted


def test_a_raft_is_right_when_each_hull_has_its_own_box() -> None:
    assert count(seen(50, 50), seen(50, 52), seen(50, 54)) == (3, 3)


def test_one_box_round_the_whole_raft_counts_once() -> None:
    assert count(seen(50, 52, width=6.0)) == (1, 1)


def test_a_box_too_many_spoils_the_raft_but_no_hull() -> None:
    assert count(seen(50, 50), seen(50, 52), seen(50, 54), seen(52, 53, axis=0.0)) == (3, 4)


def test_neither_a_speck_nor_a_box_far_off_counts_with_the_raft() -> None:
    speck = seen(52, 53, axis=0.0, length_m=40.0)
    assert count(seen(50, 50), speck, seen(90, 90)) == (1, 1)


def test_two_rafts_keep_their_own_hulls() -> None:
    other = Raft("at_anchor", (ship(150, 50), ship(150, 52)))
    first, second = count_rafts([THREE, other], [seen(150, 50), seen(150, 52), seen(50, 50)])
    assert (first.right, second.right) == (1, 2)


def test_figures_fall_when_hulls_are_missed() -> None:
    good = figures([CountedRaft("at_quay", 4, 4, 4)] * 5 + [CountedRaft("at_anchor", 2, 2, 2)] * 5)
    bad = figures([CountedRaft("at_quay", 4, 1, 1)] * 5 + [CountedRaft("at_anchor", 2, 2, 2)] * 5)
    assert (good["hulls_right"], good["rafts_exact"], good["mean_excess"]) == (1.0, 1.0, 0.0)
    assert (bad["hulls_right"], bad["rafts_exact"], bad["mean_excess"]) == (0.5, 0.5, -1.5)
    assert bad["n_simulated_hulls"] == 30
    assert bad["by_place"]["at_anchor"]["hulls_right"] == 1.0
    assert [(row["hulls"], row["rafts_exact"]) for row in bad["by_hulls"]] == [(2, 1.0), (4, 0.0)]
    by_raft, by_hull = bad["hulls_right_95_by_raft"], bad["hulls_right_95"]
    assert by_raft[1] - by_raft[0] > by_hull[1] - by_hull[0]


def test_no_raft_gives_no_figure_rather_than_zero() -> None:
    nothing = figures([])
    assert nothing["hulls_right"] is None
    assert nothing["mean_excess_95"] is None


@pytest.fixture(scope="module")
def drawn() -> tuple[SimulatedImage, tuple[Raft, ...]]:
    return raft_scene(SEED, 0)


def test_simulated_rafts_lie_inside_the_image_and_no_hull_on_another(
    drawn: tuple[SimulatedImage, tuple[Raft, ...]],
) -> None:
    assert [raft.state for raft in drawn[1]] == ["at_quay", "at_quay", "at_anchor", "at_anchor"]
    for raft in drawn[1]:
        assert 2 <= len(raft.labels) <= 6
        assert all(label.required and label.class_ in ("barge", "bulk_carrier") for label in raft.labels)
        assert all(((label.corners > 0) & (label.corners < 320)).all() for label in raft.labels)
        gaps = [
            shapely.Polygon(a.corners).centroid.distance(shapely.Polygon(b.corners).centroid)
            for a, b in zip(raft.labels, raft.labels[1:], strict=False)
        ]
        assert min(gaps) > 0.8


def test_a_simulated_label_is_longer_than_its_hull_as_labels_are(
    drawn: tuple[SimulatedImage, tuple[Raft, ...]],
) -> None:
    label: Label = drawn[1][0].labels[0]
    sides = np.hypot(*(label.corners - np.roll(label.corners, 1, 0)).T) * 10
    assert sides.max() == pytest.approx(label.length_m + LABEL_LONGER_M, abs=0.1)


def test_the_hulls_lie_where_their_labels_are(drawn: tuple[SimulatedImage, tuple[Raft, ...]]) -> None:
    image, rafts = drawn
    bright = np.abs(image.rgb.sum(0) - np.median(image.rgb.sum(0)))
    free = [label for raft in rafts if raft.state == "at_anchor" for label in raft.labels]
    for label in free:
        col, row = label.corners.mean(0).astype(int)
        assert bright[row - 1 : row + 2, col - 1 : col + 2].max() > 3 * np.median(bright)


def test_the_rafts_are_of_no_seed_that_teaches_or_calibrates() -> None:
    assert SEED not in (TAUGHT, simulated_check.SEED)
