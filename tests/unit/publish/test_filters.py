"""Filters leave the rows that fit, the same ones in every format."""

from __future__ import annotations

from dataclasses import replace

import pytest

from roadstead.core.errors import UsageError
from roadstead.publish import Filters, PortReport, chosen
from tests.unit.builders import detections
from tests.unit.publish import builders as e


def kept(filters: Filters, report: PortReport | None = None) -> tuple[list[str], list[str]]:
    """Return the detections and the statuses of the matches that are left."""
    left = chosen(report or e.port_report(), filters)
    return list(left.detections["detection_id"]), list(left.matches["status"])


def test_no_filter_keeps_everything() -> None:
    assert chosen(e.port_report(), Filters()) is not None
    assert kept(Filters()) == (["d0", "d1", "d2"], ["no_ais_partner", "matched", "no_coverage", "unseen"])


def test_a_zone_goes_by_its_id_or_by_its_name_in_the_port() -> None:
    hulls = detections([e.hull(0), e.hull(1, zone=e.QUAY), e.hull(2, zone=None)])
    matches = e.matches().assign(zone=[e.ROADS, e.QUAY, None, e.QUAY])
    report = e.port_report(detections=hulls, matches=matches)
    assert kept(Filters(zones=("quay",)), report) == (["d1"], ["matched", "unseen"])
    assert kept(Filters(zones=(e.QUAY, e.ROADS)), report)[0] == ["d0", "d1"]
    assert set(chosen(report, Filters(zones=("quay",))).counts["zone"]) == {e.QUAY}


def test_a_class_leaves_out_vessels_that_no_hull_was_seen_of() -> None:
    assert kept(Filters(classes=("barge",))) == (["d1"], ["matched"])


def test_a_status_goes_with_its_hull() -> None:
    assert kept(Filters(statuses=("no_ais_partner", "unseen"))) == (["d0"], ["no_ais_partner", "unseen"])


def test_a_least_probability_holds_for_the_hull_and_for_its_match() -> None:
    assert kept(Filters(min_probability=0.8)) == (["d1"], ["matched", "unseen"])
    doubtful = e.port_report(detections=e.hulls().assign(p_vessel=[0.9, 0.5, 0.9]))
    assert kept(Filters(min_probability=0.8), doubtful) == ([], ["unseen"])


def test_what_was_dropped_has_no_match_and_so_no_status() -> None:
    hulls = detections([e.hull(0), e.hull(9, dropped_because="fixed_structure")])
    report = e.port_report(detections=hulls)
    assert kept(Filters(classes=("bulk_carrier",)), report)[0] == ["d0", "d9"]
    assert kept(Filters(statuses=("no_ais_partner",)), report)[0] == ["d0"]


def test_positions_of_vessels_named_by_no_kept_match_stay_behind() -> None:
    left = chosen(e.port_report(), Filters(statuses=("unseen",)))
    assert set(left.positions["mmsi"]) == {"413000002"}
    candidate = e.matches().assign(candidates=["", "", "412000001", ""])
    report = replace(e.port_report(), matches=candidate)
    assert set(chosen(report, Filters(statuses=("no_coverage",))).positions["mmsi"]) == {"412000001"}


def test_counts_are_sums_over_all_hulls_and_are_left_whole() -> None:
    assert len(chosen(e.port_report(), Filters(classes=("barge",))).counts) == len(e.counts())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"classes": ("bargee",)}, "did you mean barge"),
        ({"statuses": ("dark",)}, "--status dark: choose from matched"),
        ({"min_probability": 1.5}, "from 0 to 1"),
    ],
)
def test_what_names_nothing_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Filters(**given)  # type: ignore[arg-type]


def test_a_zone_that_the_port_lacks_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean nampo/quay"):
        chosen(e.port_report(), Filters(zones=("quai",)))


def test_filters_say_what_they_are() -> None:
    given = Filters(("quay",), ("barge",), ("unseen", "matched"), 0.5)
    assert given.words == "zone quay; class barge; status unseen or matched; probability of 0.5 or more"
