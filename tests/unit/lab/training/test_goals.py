"""What a figure reaches, and what its whole interval does."""

from __future__ import annotations

from typing import Any

import pytest

from roadstead_lab.training.goals import SOURCES, Target, goal_rows

F1 = Target("least", 0.75, 0.88)
ERROR = Target("most", 2.0, 0.8)
COVERAGE = Target("within", (0.75, 0.85), (0.78, 0.82))


@pytest.mark.parametrize(
    ("target", "value", "reached"),
    [
        (F1, 0.74, "no"),
        (F1, 0.75, "must"),
        (F1, 0.88, "goal"),
        (ERROR, 2.1, "no"),
        (ERROR, 2.0, "must"),
        (ERROR, 0.8, "goal"),
        (COVERAGE, 0.9, "no"),
        (COVERAGE, 0.7, "no"),
        (COVERAGE, 0.84, "must"),
        (COVERAGE, 0.8, "goal"),
    ],
)
def test_a_figure_reaches_its_target_from_the_right_side(target: Target, value: float, reached: str) -> None:
    assert target.reached(value) == reached


@pytest.mark.parametrize(
    ("target", "interval", "reached"),
    [
        (F1, (0.7, 0.9), "no"),
        (F1, (0.8, 0.9), "must"),
        (F1, (0.88, 0.9), "goal"),
        (COVERAGE, (0.79, 0.86), "no"),
    ],
)
def test_an_interval_reaches_no_more_than_its_worse_end(
    target: Target, interval: tuple[float, float], reached: str
) -> None:
    assert target.reached_by_all(interval) == reached


def metrics() -> dict[str, Any]:
    return {
        "unseen": {"strict": {"f1": 0.8, "f1_95": [0.7, 0.9], "n_ships": 388}},
        "unseen_harbours": {"count_mae": {"barge": 0.5, "barge_95": None, "n_scenes": 1}},
    }


def test_figures_that_were_measured_have_a_row_with_n_and_interval() -> None:
    strict, barges = goal_rows(metrics())
    assert (strict.n, strict.interval, strict.met, strict.surely_met) == (
        "388 ships",
        (0.7, 0.9),
        "must",
        "no",
    )
    assert barges.figure == "count MAE per scene, barge, without Vancouver and Houston"
    assert (barges.met, barges.surely_met) == ("goal", None)


def test_a_figure_without_a_value_has_no_row() -> None:
    assert goal_rows({"unseen": {"strict": {"f1": None, "f1_95": None, "n_ships": 0}}}) == []


def test_no_two_figures_are_the_same() -> None:
    assert len({source.value for source in SOURCES}) == len({s.figure for s in SOURCES}) == len(SOURCES)
