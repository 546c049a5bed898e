"""The scoring rules of the data README, on boxes made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.core.geo import axis_difference_deg
from roadstead.core.oriented_boxes import oriented_iou
from roadstead.core.schemas import CLASSES
from roadstead_lab.training.figures import count_figures, f1, f1_interval, score_scene, summary, wilson
from roadstead_lab.training.places import Label
from roadstead_lab.training.scoring import Found, axis_deg, score


def box(col: float, row: float, length: float = 10.0, width: float = 2.0, axis: float = 90.0) -> np.ndarray:
    angle = np.radians(axis)
    along = np.array([np.sin(angle), -np.cos(angle)]) * length / 2
    across = np.array([np.cos(angle), np.sin(angle)]) * width / 2
    sides = np.array([along - across, along + across, -along + across, -along - across])
    return sides + np.array([col, row])


def ship(
    col: float,
    row: float,
    *,
    use: str = "yes",
    class_: str = "bulk_carrier",
    kind: str = "bulk_carrier",
    confidence: str = "high",
    length_m: float = 100.0,
    **shape: float,
) -> Label:
    return Label("x", use, class_, kind, confidence, length_m, box(col, row, **shape))  # type: ignore[arg-type]


def seen(
    col: float,
    row: float,
    *,
    class_: str = "bulk_carrier",
    length_m: float = 100.0,
    p: float = 0.9,
    **shape: float,
) -> Found:
    """Return a detection of some class, whose probability is 0.8."""
    p_class = tuple(0.8 if name == class_ else 0.1 for name in CLASSES)
    return Found(box(col, row, **shape), class_, length_m, p, p_class)


def test_a_box_on_a_ship_is_a_hit_and_one_elsewhere_a_false_alarm() -> None:
    outcome = score([ship(20, 20), ship(60, 60)], [seen(20.5, 20), seen(90, 90)], "strict")
    assert outcome.hits == ((0, 0),)
    assert outcome.missed == (1,)
    assert outcome.false_alarms == (1,)


def test_a_box_100_m_off_is_near_but_not_strict() -> None:
    labels, found = [ship(20, 20)], [seen(20, 30)]
    assert score(labels, found, "near").hits == ((0, 0),)
    assert score(labels, found, "strict").missed == (0,)
    assert score(labels, found, "strict").false_alarms == (0,)


def test_a_box_160_m_off_is_not_near() -> None:
    assert score([ship(20, 20)], [seen(20, 36)], "near").hits == ()


def test_two_boxes_on_one_ship_are_one_hit_and_one_false_alarm() -> None:
    outcome = score([ship(20, 20)], [seen(20, 20), seen(20, 20.5)], "strict")
    assert len(outcome.hits) == len(outcome.false_alarms) == 1


def test_rafted_ships_are_paired_each_with_its_own_box() -> None:
    outcome = score([ship(20, 20), ship(20, 23)], [seen(20, 23), seen(20, 20)], "strict")
    assert set(outcome.hits) == {(0, 1), (1, 0)}


@pytest.mark.parametrize("optional", [{"kind": "small_craft"}, {"length_m": 44.0}])
def test_a_box_on_an_optional_ship_counts_neither_way(optional: dict[str, object]) -> None:
    outcome = score([ship(20, 20, **optional)], [seen(20, 20)], "strict")  # type: ignore[arg-type]
    assert outcome.hits == outcome.missed == outcome.false_alarms == ()
    assert outcome.neutral == (0,)


def test_a_box_within_10_m_of_ignored_ground_is_dropped_and_one_beyond_is_not() -> None:
    labels = [ship(20, 20, use="ignore", length=10, width=10)]
    found = [seen(20, 25.9), seen(20, 26.1)]
    assert score(labels, found, "strict").false_alarms == (1,)


def test_a_box_on_ignored_ground_cannot_be_a_hit() -> None:
    outcome = score([ship(20, 20), ship(20, 20, use="ignore")], [seen(20, 20)], "strict")
    assert outcome.hits == ()
    assert outcome.missed == (0,)


def test_unsearched_ground_gives_no_false_alarms_but_keeps_its_hits() -> None:
    ground = ship(50, 50, use="unsearched", length=100, width=100)
    outcome = score([ground, ship(20, 20)], [seen(20, 20), seen(70, 70)], "strict")
    assert outcome.hits == ((1, 0),)
    assert outcome.false_alarms == ()


def test_an_unmatched_box_shorter_than_45_m_is_no_false_alarm() -> None:
    assert score([], [seen(20, 20, length_m=44), seen(50, 50, length_m=45)], "strict").false_alarms == (1,)


def test_identical_boxes_have_an_iou_of_one_and_crossed_ones_little() -> None:
    boxes = [box(20, 20, axis=0), box(20, 20, axis=90)]
    iou = oriented_iou(boxes, boxes)
    np.testing.assert_allclose(np.diag(iou), 1)
    assert iou[0, 1] == pytest.approx(4 / 36)


@given(st.floats(0, 179.9), st.floats(1, 90))
def test_axis_error_is_the_turn_between_two_boxes_whichever_way_they_point(axis: float, turn: float) -> None:
    first, second = axis_deg(box(0, 0, axis=axis)), axis_deg(box(0, 0, axis=axis + turn + 180))
    assert axis_difference_deg(first, second) == pytest.approx(turn, abs=1e-6)


def test_f1_of_nothing_is_unknown_rather_than_zero() -> None:
    assert f1(0, 0, 0) is None
    assert f1_interval(0, 0, 0) is None
    assert wilson(0, 0) is None
    assert f1(3, 1, 1) == 0.75


def test_intervals_hold_their_figure_and_narrow_with_more_ships() -> None:
    few, many = f1_interval(6, 2, 2), f1_interval(600, 200, 200)
    assert few is not None and many is not None
    assert few[0] < many[0] < 0.75 < many[1] < few[1]
    assert wilson(85, 100) == [0.7672, 0.9069]


def test_class_figures_leave_low_confidence_labels_out() -> None:
    labels = (
        ship(20, 20),
        ship(50, 50, confidence="low", class_="barge"),
        ship(80, 80, class_="other_vessel", kind="tanker", confidence="med"),
    )
    found = (seen(20, 20), seen(50, 50), seen(80, 80))
    figures = summary([score_scene("s", labels, found)])["class"]
    assert figures["n"] == 2
    assert figures["f1"]["bulk_carrier"]["f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["f1"]["barge"]["f1"] is None
    assert figures["confusion"]["counts"] == [[0, 0, 0], [0, 1, 0], [0, 1, 0]]


def test_counts_leave_optional_ships_out_and_false_alarms_in() -> None:
    labels = (ship(20, 20), ship(50, 50, kind="small_craft", class_="other_vessel"))
    found = (seen(20, 20), seen(50, 50, class_="other_vessel"), seen(90, 90, class_="barge"))
    counts = summary([score_scene("s", labels, found)])["count_mae"]
    assert {key: value for key, value in counts.items() if not key.endswith("_95")} == {
        "n_scenes": 1,
        "barge": 1.0,
        "bulk_carrier": 0.0,
        "other_vessel": 0.0,
        "dry_cargo": 1.0,
        "dry_cargo_60_170m": 1.0,
        "all": 1.0,
    }
    assert all(counts[key] is None for key in counts if key.endswith("_95"))


def test_counts_of_60_to_170_m_go_by_the_label_and_for_false_alarms_by_their_own_length() -> None:
    labels = (ship(20, 20, length_m=60.0), ship(50, 50, length_m=171.0), ship(80, 20, length_m=59.0))
    right = (seen(20, 20, length_m=50.0), seen(50, 50, length_m=160.0), seen(80, 20, length_m=70.0))

    def error(*found: Found) -> float | None:
        value: float | None = count_figures([score_scene("s", labels, found)])["dry_cargo_60_170m"]
        return value

    assert error(*right) == 0.0
    assert error(*right[1:]) == 1.0
    assert error(*right, seen(20, 80, length_m=90.0)) == 1.0
    assert error(*right, seen(20, 80, length_m=180.0)) == 0.0
    assert error(*right, seen(20, 80, length_m=90.0, class_="other_vessel")) == 0.0


def test_the_interval_of_a_count_error_draws_the_scenes_anew() -> None:
    exact = score_scene("a", (ship(20, 20),), (seen(20, 20),))
    off = score_scene("b", (ship(20, 20),), (seen(20, 20), seen(60, 60), seen(90, 90)))
    counts = count_figures([exact, off] * 5)
    assert counts["all"] == 1.0
    assert counts["all_95"][0] < 1.0 < counts["all_95"][1]
    assert count_figures([exact] * 5)["all_95"] == [0.0, 0.0]


def test_recall_is_binned_by_the_labels_length() -> None:
    labels = (ship(20, 20, length_m=50), ship(60, 60, length_m=200), ship(95, 95, length_m=30))
    rows = summary([score_scene("s", labels, (seen(60, 60), seen(95, 95)))])["recall_by_length"]
    by_low = {row["low_m"]: (row["recall"], row["n"]) for row in rows}
    assert by_low[45] == (0.0, 1)
    assert by_low[0] == (1.0, 1)
    assert by_low[170] == (1.0, 1)
    assert by_low[90] == (None, 0)
