"""Whether hulls and tracks are of one time and place, and what is said where they are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from roadstead.ais import AisData
from roadstead.core.leads import leads_of
from roadstead.reconcile import CONFLICTS, REASONS, Reconciled, reconcile, reconcile_checked
from roadstead.reconcile.alignment import Alignment
from roadstead.reconcile.doubt import doubt_of, place_offset_words, time_words
from tests.unit.builders import detections, header
from tests.unit.reconcile.declarations import ais, hull, moored, offset, port, report, vessel

OVERPASS = "nampo_s2_20201103T022541"
SPEED = 5.0
"""m/s of ships under way."""
Place = tuple[float, float]


def spots(n: int, seed: int = 1) -> list[Place]:
    """Return places strewn over 12 km square, metres."""
    return [tuple(p) for p in np.random.default_rng(seed).uniform(-6_000, 6_000, (n, 2))]


def mmsi(k: int) -> str:
    return f"4450001{k:02d}"


def sailing(k: int, at: Place) -> list[dict]:
    """Return two hours of reports each two minutes of a ship that passes a place at the overpass."""
    course = 37.0 * k % 360.0
    way = SPEED * np.array([np.sin(np.radians(course)), np.cos(np.radians(course))])
    return [
        report(
            s,
            mmsi(k),
            offset(*(at + way * s)),
            sog_kn=SPEED * 3600 / 1852,
            cog_deg=course,
            heading_deg=course,
        )
        for s in np.arange(-3590.0, 3600.0, 120.0)
    ]


def moving(k: int, before: Place, after: Place, hour: float) -> list[dict]:
    """Return a day of reports of a ship that shifts its berth within ten minutes, some hours after the overpass."""
    seconds = np.arange(-13 * 3600.0 + 60, 13 * 3600.0, 600.0)
    return [report(s, mmsi(k), offset(*(before if s < hour * 3600 else after))) for s in seconds]


def fleet(tracks: Sequence[list[dict]]) -> AisData:
    return ais([row for track in tracks for row in track], [vessel(mmsi(k)) for k in range(len(tracks))])


def under_way(places: Sequence[Place]) -> AisData:
    return fleet([sailing(k, place) for k, place in enumerate(places)])


def at_anchor(places: Sequence[Place]) -> AisData:
    return fleet([moored(mmsi(k), offset(*place)) for k, place in enumerate(places)])


def stamped_later(said: AisData, seconds: float) -> AisData:
    return replace(
        said, positions=said.positions.assign(time=said.positions["time"] + pd.Timedelta(seconds=seconds))
    )


def hulls(places: Sequence[Place], moves: bool = False) -> list[dict]:
    return [hull(k, *place, axis_deg=37.0 * k % 180.0 if moves else 90.0) for k, place in enumerate(places)]


def run(found: list[dict], said: AisData | None, **scene: Any) -> Reconciled:
    return reconcile_checked(detections(found), header(**scene), said, port=port())


def assert_supports_no_lead(held: Reconciled, n: int, code: str) -> None:
    matches = held.matches
    seen = matches["detection_id"].notna()
    assert seen.sum() == n, "every hull has its row"
    assert set(matches.loc[seen, "status"]) <= {"matched", "no_coverage"}
    assert set(matches.loc[~seen, "status"]) <= {"not_visible"}
    assert all(code in reasons.split(",") for reasons in matches["reasons"])
    assert set(matches["conflicts"]) == {""}


def test_ships_and_image_of_one_time_and_place_raise_no_doubt() -> None:
    places = spots(10)
    held = run(hulls(places, moves=True), under_way(places))
    assert held.doubts == {}
    assert set(held.matches["status"]) == {"matched"}
    assert (held.alignments[OVERPASS].ships, held.alignments[OVERPASS].movers) == (10, 10)


@pytest.mark.parametrize(("seconds", "words"), [(300.0, "5 min later"), (-600.0, "10 min earlier")])
def test_ais_whose_clock_is_minutes_off_is_told_by_ships_under_way(seconds: float, words: str) -> None:
    places = spots(8)
    held = run(hulls(places, moves=True), stamped_later(under_way(places), seconds))
    assert held.doubts[OVERPASS].codes == ("time_offset_suspected",)
    assert held.doubts[OVERPASS].words == f"AIS reports fit best {words} than the image's time"
    assert_supports_no_lead(held, 8, "time_offset_suspected")


def test_a_fleet_that_lies_still_tells_nothing_of_minutes_and_stays_matched() -> None:
    places = spots(10)
    held = run(hulls(places), stamped_later(at_anchor(places), 300.0))
    assert held.doubts == {} and held.alignments[OVERPASS].movers == 0
    assert set(held.matches["status"]) == {"matched"}


@pytest.mark.parametrize("hours", [8.0, -9.0])
def test_ais_in_local_time_is_told_by_ships_that_shifted_in_between(hours: float) -> None:
    before, after = spots(8), spots(8, seed=2)
    shift = -hours / 2  # after the overpass: in between its own time and the time that the reports give
    said = fleet([moving(k, *pair, shift) for k, pair in enumerate(zip(before, after, strict=True))])
    there = after if shift < 0 else before
    assert run(hulls(there), said).doubts == {}
    held = run(hulls(there), stamped_later(said, hours * 3600))
    least, most = sorted(held.alignments[OVERPASS].offsets_s, key=abs)
    assert abs(least) <= abs(hours) * 3600 <= abs(most) and least * hours > 0, "it lies among those that fit"
    assert " to " in held.doubts[OVERPASS].words, "ships that lie still tell no closer"
    assert_supports_no_lead(held, 8, "time_offset_suspected")


def test_what_is_matched_at_either_time_stays_matched() -> None:
    before, after, lying = spots(6), spots(6, seed=2), spots(3, seed=3)
    tracks = [moving(k, *pair, -4.0) for k, pair in enumerate(zip(before, after, strict=True))]
    tracks += [moving(6 + k, place, place, 0.0) for k, place in enumerate(lying)]
    held = run(hulls([*after, *lying]), stamped_later(fleet(tracks), 8 * 3600))
    matched = held.matches[held.matches["status"] == "matched"]
    assert set(matched["detection_id"]) == {"d6", "d7", "d8"}
    assert_supports_no_lead(held, 9, "time_offset_suspected")


def test_an_image_a_kilometre_off_is_told_by_ships_at_anchor() -> None:
    places = spots(10)
    moved = [(x + 707.0, y + 707.0) for x, y in places]
    held = run(hulls(moved), at_anchor(places))
    assert held.doubts[OVERPASS].words == "the image seems to lie 1.0 km NE of the declared ships"
    assert_supports_no_lead(held, 10, "place_offset_suspected")


@pytest.mark.parametrize("n", [3, 20])
def test_hulls_that_fit_no_track_at_any_time_or_place_are_no_offset(n: int) -> None:
    held = run(hulls(spots(20, seed=4)), at_anchor(spots(n, seed=5)))
    codes = held.doubts[OVERPASS].codes if held.doubts else ()
    assert codes == (() if n == 3 else ("image_and_ais_disagree",))


def test_image_and_ais_of_different_days_support_no_lead_though_no_offset_helps() -> None:
    held = run(hulls(spots(12, seed=4)), at_anchor(spots(12, seed=5)))
    assert held.doubts[OVERPASS].words.startswith(
        "of 12 declared vessels in clear searched water 0 were seen"
    )
    assert_supports_no_lead(held, 12, "image_and_ais_disagree")


def test_under_unknown_cloud_that_few_are_seen_says_nothing_of_time() -> None:
    assert run(hulls(spots(12, seed=4)), at_anchor(spots(12, seed=5)), cloud="unknown").doubts == {}


@pytest.mark.parametrize("heard", [True, False])
def test_an_image_whose_time_contradicts_its_product_supports_no_lead(heard: bool) -> None:
    places = spots(6)
    held = run(hulls(places), at_anchor(places) if heard else None, acquired_sigma_s=6 * 3600.0)
    assert held.doubts[OVERPASS].codes == ("time_contradicted",)
    assert set(held.matches.dropna(subset="detection_id")["status"]) == {"no_coverage"}
    assert_supports_no_lead(held, 6, "time_contradicted")
    assert leads_of(held.matches).empty


def test_an_offset_within_the_error_of_the_images_own_time_is_none() -> None:
    places = spots(8)
    held = run(hulls(places, moves=True), stamped_later(under_way(places), 300.0), acquired_sigma_s=180.0)
    assert held.doubts == {}


def test_two_ships_are_too_few_to_say_that_a_clock_is_off() -> None:
    places = spots(2)
    assert run(hulls(places, moves=True), stamped_later(under_way(places), 300.0)).doubts == {}


def test_reconcile_returns_the_same_matches() -> None:
    places = spots(4)
    found, said = detections(hulls(places)), at_anchor(places)
    held = reconcile_checked(found, header(), said)
    pd.testing.assert_frame_equal(held.matches, reconcile(found, header(), said))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (60.0, "1 min later"),
        (-90.0, "2 min earlier"),
        (28_800.0, "8 h 00 min later"),
        (-86_400.0, "24 h 00 min earlier"),
    ],
)
def test_an_offset_in_time_is_said_in_hours_and_minutes(seconds: float, words: str) -> None:
    assert time_words(seconds) == words


def test_an_offset_in_place_is_said_with_its_direction() -> None:
    assert place_offset_words(-300.0, 0.0) == "0.3 km W"
    assert place_offset_words(0.0, -2_000.0) == "2.0 km S"


def test_every_doubt_has_a_reason_in_words() -> None:
    all_of_them = Alignment(300.0, (300.0, 300.0), east_m=900.0, expected=9, disagree=True)
    doubt = doubt_of(all_of_them, 6 * 3600.0)
    assert doubt is not None and len(doubt.codes) == 4
    assert set(doubt.codes) <= set(REASONS) - set(CONFLICTS)
