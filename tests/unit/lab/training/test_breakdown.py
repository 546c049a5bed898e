"""Figures by length, and stated class probabilities against labels."""

from __future__ import annotations

import pytest

from roadstead_lab.training.breakdown import by_length, class_reliability
from roadstead_lab.training.figures import ScoredScene, score_scene
from tests.unit.lab.training.test_scoring import seen, ship


def scene() -> ScoredScene:
    labels = (
        ship(20, 20, length_m=50.0),
        ship(60, 20, length_m=100.0),
        ship(20, 60, length_m=120.0, class_="barge"),
        ship(60, 60, length_m=110.0, class_="barge", confidence="low"),
    )
    found = (
        seen(60, 20, length_m=170.0),
        seen(20, 60, length_m=120.0),
        seen(60, 60, length_m=110.0),
        seen(90, 90, length_m=300.0),
    )
    return score_scene("s", labels, found)


def test_ships_are_binned_by_their_label_and_false_alarms_by_their_own_length() -> None:
    rows = {row["low_m"]: row["strict"] for row in by_length([scene()])}
    assert (rows[45]["n_ships"], rows[45]["recall"]) == (1, 0.0)
    assert (rows[90]["n_ships"], rows[90]["recall"], rows[90]["n_false_alarms"]) == (3, 1.0, 0)
    assert (rows[170]["n_ships"], rows[170]["n_false_alarms"]) == (0, 0)
    assert (rows[230]["n_ships"], rows[230]["n_false_alarms"]) == (0, 1)


def test_bins_add_up_to_all_ships_that_must_be_found_and_all_false_alarms() -> None:
    one, rows = scene(), by_length([scene()])
    assert sum(row["near_150m"]["n_ships"] for row in rows) == len(one.near.hits) + len(one.near.missed)
    assert sum(row["near_150m"]["n_false_alarms"] for row in rows) == len(one.near.false_alarms)


def test_classes_are_confused_within_a_length_bin_and_low_confidence_is_left_out() -> None:
    (row,) = [row for row in by_length([scene()]) if row["low_m"] == 90]
    assert row["class"]["confusion"]["counts"] == [[0, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert row["class"]["f1"]["barge"]["recall"] == 0.0


def test_a_class_probability_is_held_against_the_class_of_the_label() -> None:
    result = class_reliability([scene()])
    called = {row["low"]: row for row in result["found_class"]}
    assert (called[0.8]["n"], called[0.8]["stated"], called[0.8]["share_right"]) == (2, 0.8, 0.5)
    assert called[0.8]["share_right_95"][0] < 0.5 < called[0.8]["share_right_95"][1]
    barge = result["barge"][0]
    assert (barge["n"], barge["stated"], barge["share_right"]) == (2, 0.1, 0.5)


@pytest.mark.parametrize("name", ["found_class", "barge", "bulk_carrier", "other_vessel"])
def test_every_trusted_match_stands_in_one_bin_of_each_class(name: str) -> None:
    assert sum(row["n"] for row in class_reliability([scene()])[name]) == 2
    assert all(row["stated"] is None for row in class_reliability([])[name])
