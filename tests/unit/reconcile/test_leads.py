"""What a lead needs besides reception: a hull, a length; and what a match says against itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from roadstead.reconcile import CONFLICTS, REASONS, reconcile
from roadstead.reconcile.fit import hull_if_alone
from roadstead.reconcile.score import seen_of
from tests.unit.builders import detections, header
from tests.unit.reconcile.declarations import MMSI, ais, hull, moored, neighbours, vessel


def row(reports: list, vessels: list, **changes: Any) -> pd.Series:
    around, more = neighbours(24)
    matches = reconcile(detections([hull(0, **changes)]), header(), ais(reports + around, vessels + more))
    return matches[matches["detection_id"] == "d0"].iloc[0]


def test_a_likely_hull_without_a_partner_is_a_lead_with_the_probability_of_being_both() -> None:
    sure, less = row([], [], p_vessel=0.99), row([], [], p_vessel=0.9)
    assert sure["status"] == "no_ais_partner" and sure["probability"] > less["probability"]


def test_what_may_be_no_hull_is_no_lead() -> None:
    told = row([], [], p_vessel=0.5)
    assert (told["status"], told["reasons"]) == ("no_coverage", "perhaps_no_hull")


def test_what_is_short_is_no_lead() -> None:
    told = row([], [], p_vessel=0.99, length_m=30.0, length_low_m=20.0, length_high_m=40.0)
    assert told["status"] == "no_coverage"


def _seen(p: list[float], **changes: Any):  # noqa: ANN202
    table = detections([hull(k, 100.0 * k, p_vessel=value) for k, value in enumerate(p)])
    xy = np.column_stack([100.0 * np.arange(len(p)), np.zeros(len(p))])
    return seen_of(table, xy, np.zeros(len(p)), 0.0, 1e8, **changes)


def test_among_many_with_partners_a_doubtful_one_without_is_hardly_a_hull() -> None:
    p = [0.9] * 20
    alone = np.r_[1.0, np.zeros(19)]
    few = hull_if_alone(_seen(p), alone, silent=0.03)[0]
    many = hull_if_alone(_seen(p), alone, silent=0.3)[0]
    assert few < 0.5 < many < 0.95


def test_by_quays_what_is_left_over_is_less_often_a_hull() -> None:
    p, alone = [0.9] * 10, np.ones(10)
    quay = np.ones(10, bool)
    assert (hull_if_alone(_seen(p, by_quay=quay), alone, 0.2) < hull_if_alone(_seen(p), alone, 0.2)).all()


@pytest.mark.parametrize(
    ("changes", "static", "code"),
    [
        ({}, {"flag": "PA"}, "flag"),
        ({}, {"mmsi": "123456789"}, "mmsi_unassigned"),
        ({"p_barge": 0.01, "p_bulk_carrier": 0.98, "p_other_vessel": 0.01}, {"ship_type": 60}, "class"),
    ],
)
def test_a_match_says_what_conflicts_and_stays_a_match(changes: dict, static: dict, code: str) -> None:
    mmsi = static.get("mmsi", MMSI)
    told = row(moored(mmsi), [vessel(**{"mmsi": mmsi, **static})], **changes)
    assert told["status"] == "matched" and code in told["conflicts"].split(",")
    assert code in CONFLICTS


@pytest.mark.parametrize("name", ["p_barge", "p_bulk_carrier"])
def test_barge_or_bulk_carrier_never_conflicts_with_cargo(name: str) -> None:
    shares = {"p_barge": 0.005, "p_bulk_carrier": 0.005, "p_other_vessel": 0.005, name: 0.99}
    told = row(moored(), [vessel(ship_type=70)], **shares)
    assert told["conflicts"] == ""


def test_an_honest_match_has_no_conflict() -> None:
    assert row(moored(), [vessel(flag="KP")])["conflicts"] == ""


def test_words_never_accuse() -> None:
    words = " ".join([*REASONS.values(), *CONFLICTS.values()]).lower()
    assert not any(bad in words for bad in ("illegal", "smuggl", "violation", "dark ship"))
