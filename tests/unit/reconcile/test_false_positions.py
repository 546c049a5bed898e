"""Hulls whose declared position is false: they count against calling a hull one without AIS partner."""

from __future__ import annotations

import numpy as np
import pandas as pd

from roadstead.reconcile import reconcile
from roadstead.reconcile.false_positions import unsound
from roadstead.reconcile.position import with_hull
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
    report,
    vessel,
)

CRS = "EPSG:32651"


def run(reports: list, vessels: list, **changes):  # noqa: ANN201, ANN003
    around, more = neighbours(24)
    seen = detections([hull(0, p_vessel=0.99, **changes)])
    matches = reconcile(seen, header(), ais(reports + around, vessels + more))
    return matches[matches["detection_id"] == "d0"].iloc[0]


def resting_here(hours_ago: tuple[float, float] = (30.0, 10.0)) -> list:
    return [report(-3600 * h, at=(LON, LAT)) for h in np.linspace(*hours_ago, 40)]


def afar(east_m: float = 60_000.0, **changes) -> list:  # noqa: ANN003
    return moored(at=offset(east_m, 0), hours=4.0, **changes)


def test_without_any_doubt_the_hull_is_a_lead() -> None:
    assert run([], [])["status"] == "no_ais_partner"


def test_a_hull_that_lay_here_yesterday_and_declares_to_be_far_off_may_still_be_here() -> None:
    row = run(resting_here() + afar(), [vessel()])
    assert row["status"] != "no_ais_partner"
    assert row["status"] == "matched" or MMSI in row["candidates"]


def test_its_match_says_that_it_declares_another_place() -> None:
    jumped = [{**r, "segment": 1} for r in afar()]
    row = run(resting_here() + jumped, [vessel()])
    assert row["status"] in ("matched", "ambiguous")
    assert row["status"] != "matched" or "declared_elsewhere" in row["conflicts"]


def test_a_hull_of_another_size_that_lay_here_explains_nothing() -> None:
    row = run(
        resting_here() + afar(),
        [vessel(length_m=40.0)],
        length_m=250.0,
        length_low_m=240.0,
        length_high_m=260.0,
    )
    assert row["status"] == "no_ais_partner"


def circling(radius_m: float = 1_500.0) -> list:
    """Reports on a ring, fast, by a ship that says it is at anchor."""
    out = []
    for s in np.arange(-10_800.0, 10_800.0, 300.0):
        angle = 25 * 0.514 / radius_m * s
        at = offset(20_000 + radius_m * np.sin(angle), radius_m * np.cos(angle))
        out.append(
            report(s, at=at, sog_kn=25.0, cog_deg=(np.degrees(angle) + 90) % 360, nav_status="At anchor")
        )
    return out


def test_a_track_that_sails_at_anchor_contradicts_itself_and_a_sound_one_does_not() -> None:
    ring = with_hull(pd.DataFrame(circling()))
    assert unsound(ring, np.array([f"{MMSI}:0"], object), CRS).all()
    straight = [
        report(s, at=offset(5.0 * s, 0), sog_kn=5.0 / 0.5144, cog_deg=90.0)
        for s in np.arange(-3600.0, 3600.0, 180.0)
    ]
    for sound in (straight, moored()):
        assert not unsound(with_hull(pd.DataFrame(sound)), np.array([f"{MMSI}:0"], object), CRS).any()


def test_a_ship_whose_position_circles_is_not_missed_where_it_lay() -> None:
    row = run(resting_here() + [{**r, "segment": 1} for r in circling()], [vessel()])
    assert row["status"] != "no_ais_partner"


def test_a_rest_of_another_week_speaks_for_nothing() -> None:
    row = run(resting_here((200.0, 190.0)) + afar(), [vessel()])
    assert row["status"] == "no_ais_partner"
    assert pd.Timestamp(ACQUIRED).tzinfo is not None
