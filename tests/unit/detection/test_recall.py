"""Recall by length and by the kind of zone a hull lies in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from roadstead.detection.recall import (
    BORROWED_HULLS,
    DEFAULT_RECALL,
    recall_at,
    recall_of,
    recall_of_declared,
)


def row(low_m: float, recall: float, n: float, where: str | None = None) -> dict[str, Any]:
    return {"where": where, "low_m": low_m, "high_m": None, "recall": recall, "n": n}


MEASURED = [
    row(0.0, 0.5, 100),
    row(90.0, 0.8, 100),
    row(0.0, 0.2, 40, "berth"),
    row(90.0, 0.9, 1000, "open"),
]


@pytest.mark.parametrize(
    ("kind", "same_as"), [("lock", "berth"), ("fairway", "anchorage"), ("anchorage", "fairway")]
)
def test_locks_have_quays_and_fairways_are_open_water(kind: Any, same_as: Any) -> None:
    recall = recall_of(MEASURED)
    assert recall.of_zone(kind) == recall.of_zone(same_as)
    assert recall.of_zone("berth") != recall.of_zone("anchorage")


def test_few_hulls_in_a_berth_borrow_from_all_and_many_on_open_water_hardly_do() -> None:
    recall = recall_of(MEASURED)
    pooled = (0.2 * 40 + 0.5 * BORROWED_HULLS) / (40 + BORROWED_HULLS)
    assert recall.berth[0].recall == pytest.approx(pooled)
    assert recall.berth[0].n == 40 + BORROWED_HULLS
    assert recall.open[1].recall == pytest.approx(0.9, abs=0.002)


def test_a_length_that_was_never_in_a_berth_has_the_recall_of_all_hulls_and_less_certainty() -> None:
    recall = recall_of(MEASURED)
    assert (recall.berth[1].recall, recall.berth[1].n) == (0.8, BORROWED_HULLS)


def test_one_hull_missed_at_a_quay_does_not_make_every_hull_invisible() -> None:
    recall = recall_of([row(0.0, 0.8, 100), row(0.0, 0.0, 1, "berth")])
    assert recall.berth[0].recall > 0.7


@pytest.mark.parametrize("given", [None, [], [row(0.0, 0.4, 9), row(60.0, 0.7, 9)]])
def test_a_card_that_tells_no_places_apart_has_one_recall_for_all(given: list[dict[str, Any]] | None) -> None:
    recall = recall_of(given)
    assert recall.berth == recall.open == recall.anywhere
    assert given or recall.anywhere == DEFAULT_RECALL


def test_a_declared_vessel_has_the_recall_of_its_length_and_zone() -> None:
    recall = recall_of(MEASURED)
    lengths, kinds = np.array([80.0, 80.0, 80.0, 200.0]), ["berth", "anchorage", None, "anchorage"]
    told = recall_at(lengths, kinds, recall)  # type: ignore[arg-type]
    assert told[0] < told[1] == told[2] == 0.5 < told[3]
    class_b = np.zeros(4, bool)
    lengths[0] = np.nan
    assert recall_of_declared(lengths, class_b, kinds, recall)[0] == 0.75  # type: ignore[arg-type]
