"""Statuses of detections and declared vessels."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon, box

from roadstead.core.detections_file import DetectionsHeader
from roadstead.core.errors import DetectionsError
from roadstead.core.schemas import STATUSES
from roadstead.reconcile import CONFLICTS, REASONS, reconcile
from tests.unit.builders import ACQUIRED, detections, header
from tests.unit.reconcile.declarations import (
    LAT,
    LON,
    MMSI,
    ais,
    hull,
    moored,
    neighbours,
    offset,
    port,
    report,
)
from tests.unit.reconcile.declarations import vessel as static


def run(hulls: Any, declared: Any, **kw: Any) -> Any:
    return reconcile(detections(hulls), kw.pop("header", header()), declared, **kw)


def seen(matches: Any, detection_id: Any = "d0") -> Any:
    return matches[matches["detection_id"] == detection_id].iloc[0]


def said(matches: Any, mmsi: Any = MMSI) -> Any:
    return matches[(matches["mmsi"] == mmsi) & matches["detection_id"].isna()].iloc[0]


def test_a_hull_where_a_ship_declares_itself_is_matched() -> None:
    row = seen(run([hull()], ais(moored(), [static()])))
    assert (row["status"], row["mmsi"], row["conflicts"]) == ("matched", MMSI, "")
    assert row["probability"] >= 0.95 and row["p_kinematic"] >= 0.9
    assert row["distance_m"] < 5 and abs(row["dt_s"]) < 600


@pytest.mark.parametrize(("scene", "source"), [(False, "SIM-NAMPO"), (True, "test"), (False, "test")])
def test_a_match_is_simulated_where_its_image_or_the_ais_around_it_is(scene: bool, source: str) -> None:
    away = moored("445000002", offset(6000, 0), source=source)
    said = ais(moored(source=source) + away, [static(), static("445000002")])
    matches = run([hull(simulated=scene)], said, header=header(simulated=scene))
    assert set(matches["detection_id"].isna()) == {True, False}, "a detection and a vessel that none took"
    assert set(matches["simulated"]) == {scene or source.startswith("SIM-")}


def test_a_matched_vessel_gets_no_second_row() -> None:
    assert len(run([hull()], ais(moored(), [static()]))) == 1


def test_a_moving_ship_is_matched_where_it_was_at_the_overpass_not_where_it_reported() -> None:
    speed = 12 * 1852 / 3600
    reports = [
        report(s, at=offset(speed * s, 0), sog_kn=12.0, cog_deg=90.0) for s in (-400.0, -200.0, 100.0, 300.0)
    ]
    row = seen(run([hull(axis_deg=90.0)], ais(reports, [static()])))
    assert row["status"] == "matched"


def test_detections_of_a_later_scene_are_held_against_the_place_at_their_own_time() -> None:
    speed = 20 * 1852 / 3600
    reports = [
        report(s, at=offset(speed * s, 0), sog_kn=20.0, cog_deg=90.0) for s in np.arange(-300.0, 300, 30)
    ]
    late = pd.Timestamp(ACQUIRED + timedelta(seconds=60))
    row = seen(run([hull(east_m=60 * speed, acquired=late, axis_deg=90.0)], ais(reports, [static()])))
    assert row["status"] == "matched" and row["distance_m"] < 20


@given(st.floats(5_000, 15_000), st.floats(0, 360))
@settings(deadline=None, max_examples=15)
def test_a_declaration_shifted_far_away_matches_nothing(metres: Any, bearing: Any) -> None:
    angle = np.radians(bearing)
    at = offset(metres * np.sin(angle), metres * np.cos(angle))
    assert seen(run([hull()], ais(moored(at=at), [static()])))["status"] != "matched"


def test_a_borrowed_identity_is_one_match_with_a_conflict_and_not_a_silent_hull_and_an_unseen_ship() -> None:
    matches = run([hull()], ais(moored(heading_deg=45.0), [static(length_m=45.0)]))
    assert len(matches) == 1
    assert (matches["status"][0], matches["conflicts"][0]) == ("matched", "length")


def test_a_hull_cut_by_the_edge_of_the_image_raises_no_length_conflict() -> None:
    row = seen(run([hull(flags="at_edge", length_m=80.0, length_low_m=70.0, length_high_m=90.0)],
                   ais(moored(), [static()])))  # fmt: skip
    assert (row["status"], row["conflicts"]) == ("matched", "")


def test_barge_against_bulk_carrier_raises_no_conflict() -> None:
    barge = {"p_barge": 0.97, "p_bulk_carrier": 0.02, "p_other_vessel": 0.01, "class": "barge"}
    assert seen(run([hull(**barge)], ais(moored(), [static()])))["conflicts"] == ""


def test_an_imo_number_without_its_check_digit_is_a_conflict() -> None:
    assert seen(run([hull()], ais(moored(), [static(imo="9074728")])))["conflicts"] == "imo_check_digit"
    assert seen(run([hull()], ais(moored(), [static(imo="9074729")])))["conflicts"] == ""


def test_two_ships_equally_near_one_hull_are_ambiguous_and_both_are_named() -> None:
    other = "445000002"
    reports = moored(at=offset(60, 0)) + moored(other, offset(-60, 0))
    matches = run([hull()], ais(reports, [static(), static(other)]))
    row = seen(matches)
    assert (row["status"], row["mmsi"]) == ("ambiguous", None)
    assert set(row["candidates"].split(",")) == {MMSI, other}
    left = matches[matches["detection_id"].isna()]
    assert sorted(left["status"]) == ["ambiguous", "not_visible"]
    assert set(left["candidates"]) == {"d0"}


def test_two_hulls_equally_near_one_ship_give_no_lead() -> None:
    reports, vessels = neighbours(12)
    matches = run([hull(0, 50), hull(1, -50)], ais(reports + moored(), [*vessels, static()]))
    status = set(matches[matches["detection_id"].notna()]["status"])
    assert status == {"ambiguous", "no_coverage"}
    assert "contested" in set(matches["reasons"])


def test_length_tells_two_near_ships_apart() -> None:
    other = "445000002"
    reports = moored(at=offset(60, 0)) + moored(other, offset(-60, 0))
    short = hull(1, -60, length_m=70.0, length_low_m=62.0, length_high_m=78.0)
    matches = run([hull(0, 60), short], ais(reports, [static(), static(other, length_m=70.0)]))
    assert seen(matches, "d0")["mmsi"] == MMSI and seen(matches, "d1")["mmsi"] == other


def test_without_ais_every_detection_is_no_coverage() -> None:
    matches = run([hull(0), hull(1, 900)], None)
    assert set(matches["status"]) == {"no_coverage"} and set(matches["reasons"]) == {"no_ais_given"}
    assert matches["p_heard_class_a"].isna().all()


def test_ais_of_another_day_is_no_coverage_too() -> None:
    old = [report(-48 * 3600), report(-47 * 3600)]
    for declared in (ais([]), ais(old)):
        matches = run([hull()], declared)
        assert (matches["status"][0], matches["reasons"][0]) == ("no_coverage", "no_ais_in_window")
        assert len(matches) == 1


def test_a_silent_hull_is_a_lead_only_where_a_transmitting_one_would_have_been_heard() -> None:
    row = seen(run([hull()], ais(*neighbours(12))))
    assert (row["status"], row["reasons"]) == ("no_ais_partner", "no_vessel_fits")
    # One detection at a p_vessel of 0.9 may be no hull, and its probability says so.
    assert row["p_heard_class_a"] >= 0.9 and 0.75 <= row["probability"] < 0.9


@pytest.mark.parametrize("n", [0, 1, 4])
def test_too_few_neighbours_leave_reception_unknown(n: Any) -> None:
    reports, vessels = neighbours(n) if n else (moored(at=offset(9_000, 0)), [])
    row = seen(run([hull()], ais(reports, vessels)))
    assert (row["status"], row["reasons"]) == ("no_coverage", "reception_unknown")
    assert np.isnan(row["p_heard_class_a"])


def test_seven_neighbours_all_heard_are_not_yet_enough_for_a_lead() -> None:
    assert seen(run([hull()], ais(*neighbours(7))))["reasons"] == "reception_low"


def test_poor_reception_is_no_coverage() -> None:
    row = seen(run([hull()], ais(*neighbours(20, silent=5))))
    assert (row["status"], row["reasons"]) == ("no_coverage", "reception_low")
    assert row["p_heard_class_a"] == pytest.approx(16 / 22)


def test_a_short_hull_needs_class_b_reception() -> None:
    short = hull(length_m=40.0, length_low_m=32.0, length_high_m=48.0)
    row = seen(run([short], ais(*neighbours(12))))
    assert row["reasons"] == "reception_unknown" and row["p_heard_class_a"] >= 0.9


def test_a_snapshot_alone_leaves_reception_unknown() -> None:
    reports = [report(0, f"4777770{k:02d}", offset(5_000 + 300 * k, 0)) for k in range(20)]
    row = seen(run([hull()], ais(reports, snapshot_times=frozenset([ACQUIRED]))))
    assert (row["status"], row["reasons"]) == ("no_coverage", "reception_unknown")


def test_a_declared_ship_on_clear_water_without_a_detection_is_unseen() -> None:
    row = said(run([], ais(moored(), [static()])))
    assert (row["status"], row["reasons"]) == ("unseen", "clear_no_detection")
    assert row["probability"] >= 0.9


CLOUD_HERE = box(125.0, 38.5, 125.6, 38.9) - box(LON - 0.05, LAT - 0.05, LON + 0.05, LAT + 0.05)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"valid_area": CLOUD_HERE}, "cloud_or_no_data"),
        ({"valid_area": Polygon()}, "cloud_or_no_data"),
        ({"cloud": "unknown"}, "cloud_unknown"),
    ],
)
def test_a_declared_ship_that_could_not_be_seen_is_not_visible(changes: Any, reason: Any) -> None:
    row = said(run([], ais(moored(), [static()]), header=header(**changes), port=port()))
    assert (row["status"], row["reasons"]) == ("not_visible", reason)


@pytest.mark.parametrize("declared", [[], [static(length_m=30.0)], [static(length_m=np.nan)]])
def test_a_ship_too_short_or_of_unknown_length_is_not_visible(declared: Any) -> None:
    row = said(run([], ais(moored(), declared)))
    assert row["status"] == "not_visible" and row["reasons"].startswith("too_small")


def test_a_class_b_craft_is_not_visible() -> None:
    assert said(run([], ais(moored(ais_class="B"), [static()])))["reasons"] == "too_small"


def test_a_ship_last_heard_hours_ago_under_way_is_too_uncertain() -> None:
    row = said(run([], ais([report(-1500, sog_kn=12.0, cog_deg=0.0, at=offset(0, -9000))], [static()]),
                   header=header(valid_area=box(125.2, 38.69, 125.4, 38.71))))  # fmt: skip
    assert (row["status"], row["reasons"]) == ("not_visible", "position_too_uncertain")


def test_a_ship_at_the_edge_of_the_searched_zones_is_outside_the_searched_area() -> None:
    zone_edge = (125.4, 38.7)
    row = said(run([], ais(moored(at=zone_edge), [static()]), port=port()))
    assert (row["status"], row["reasons"]) == ("not_visible", "outside_searched_area")


def test_ships_far_from_the_frame_get_no_row() -> None:
    assert run([], ais(moored(at=(126.5, 38.7)), [static()])).empty


def test_an_mmsi_used_by_two_hulls_is_matched_once_and_the_match_says_so() -> None:
    reports = moored() + moored(at=offset(3_000, 0), segment=1)
    matches = run([hull(0), hull(1, 3_000)], ais(reports, [static()]))
    matched = matches[matches["status"] == "matched"]
    assert len(matched) == 1 and matched["conflicts"].iloc[0] == "two_places"


def test_each_overpass_is_reconciled_by_itself() -> None:
    first, later = header().scenes[0], ACQUIRED + timedelta(days=5)
    second = replace(first, scene_id="S2B_TEST", overpass_id="second", acquired=later)
    both = DetectionsHeader((first, second), "test-model", 0.4)
    again = hull(1, scene_id="S2B_TEST", overpass_id="second", acquired=pd.Timestamp(later))
    matches = run([hull(0), again], ais(moored(), [static()]), header=both)
    assert seen(matches, "d0")["status"] == "matched"
    assert seen(matches, "d1")["reasons"] == "no_ais_in_window"


def test_a_detection_of_an_overpass_that_the_header_does_not_know_is_refused() -> None:
    with pytest.raises(DetectionsError, match="elsewhere"):
        run([hull(overpass_id="elsewhere")], None)


def test_detections_that_the_filters_dropped_are_left_out() -> None:
    assert run([hull(dropped_because="land")], None).empty


@st.composite
def roads(draw: Any) -> Any:
    """Return hulls and declared ships strewn over a few hundred metres."""
    place = st.tuples(st.floats(-600, 600), st.floats(-600, 600))
    hulls = [hull(k, *xy, length_m=draw(st.sampled_from([60.0, 150.0])), length_low_m=50.0, length_high_m=160.0)
             for k, xy in enumerate(draw(st.lists(place, max_size=6)))]  # fmt: skip
    reports, vessels = neighbours(10)
    for k, xy in enumerate(draw(st.lists(place, max_size=6))):
        mmsi = f"44500000{k}"
        reports += moored(mmsi, offset(*xy), hours=0.4)
        vessels.append(static(mmsi, draw(st.sampled_from([60.0, 150.0]))))
    return hulls, reports, vessels


@given(roads())
@settings(deadline=None, max_examples=25)
def test_statuses_partition_and_nobody_is_matched_twice(world: Any) -> None:
    hulls, reports, vessels = world
    matches = run(hulls, ais(reports, vessels))
    of_detections = matches[matches["detection_id"].notna()]
    assert sorted(of_detections["detection_id"]) == sorted(h["detection_id"] for h in hulls)
    assert matches["mmsi"].dropna().is_unique
    assert set(matches["mmsi"].dropna()) | _candidates(matches) >= {v["mmsi"] for v in vessels}
    assert set(matches["status"]) <= set(STATUSES)
    pairs = [(matches["status"] == "ambiguous") & side for side in (matches["detection_id"].notna(), matches["detection_id"].isna())]  # fmt: skip  # noqa: E501
    assert pairs[0].sum() == pairs[1].sum()
    for codes, table in (("reasons", REASONS), ("conflicts", CONFLICTS)):
        assert {c for text in matches[codes] for c in text.split(",") if c} <= set(table)


def _candidates(matches: Any) -> Any:
    return {c for text in matches["candidates"] for c in text.split(",") if c}


@given(roads(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=15)
def test_order_and_time_zone_of_the_input_alter_nothing(world: Any, random: Any) -> None:
    hulls, reports, vessels = world
    before = run(hulls, ais(reports, vessels))
    for rows in (hulls, reports, vessels):
        random.shuffle(rows)
    shuffled = ais(reports, vessels)
    after = run(hulls, shuffled)
    pd.testing.assert_frame_equal(pd.DataFrame(before), pd.DataFrame(after), rtol=1e-6)


def test_five_hundred_hulls_against_five_thousand_vessels_take_seconds() -> None:
    import time

    rng = np.random.default_rng(1)
    places = rng.uniform(-12_000, 12_000, (5000, 2))
    reports = [
        report(s, f"{412_000_000 + k}", offset(*xy)) for k, xy in enumerate(places) for s in (-90.0, 80.0)
    ]
    vessels = [static(f"{412_000_000 + k}") for k in range(5000)]
    hulls = [hull(k, *(places[k] + rng.normal(0, 20, 2))) for k in range(500)]
    declared = ais(reports, vessels)
    start = time.process_time()
    matches = run(hulls, declared)
    assert time.process_time() - start < 10
    assert (matches["status"] == "matched").sum() > 200
