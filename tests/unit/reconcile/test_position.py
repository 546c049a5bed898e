"""Where a declared hull was at the overpass."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadstead.core.geo import lonlat_to_xy
from roadstead.reconcile.density import log_density, sample_points
from roadstead.reconcile.position import SNAPSHOT_SD_M, predict, with_hull
from tests.unit.builders import ACQUIRED
from tests.unit.reconcile.declarations import LAT, LON, ais, moored, offset, report, vessel

CRS = "EPSG:32651"
HERE = lonlat_to_xy(np.array([[LON, LAT]]), CRS)[0]


def at_overpass(
    reports: Any, vessels: Any = (), sigma_s: Any = 1.0, snapshot_times: Any = frozenset()
) -> Any:
    data = ais(reports, vessels)
    return predict(
        with_hull(data.positions),
        data.vessels,
        ACQUIRED,
        sigma_s=sigma_s,
        snapshot_times=snapshot_times,
        crs=CRS,
        centre_lonlat=(LON, LAT),
    )[0]


def from_here(at: Any) -> Any:
    return float(np.hypot(*(at.xy[0] - HERE)))


def under_way(seconds: Any, knots: Any = 10.0, course: Any = 90.0) -> Any:
    metres = knots * 1852 / 3600 * seconds
    place = offset(metres * np.sin(np.radians(course)), metres * np.cos(np.radians(course)))
    return report(seconds, at=place, sog_kn=knots, cog_deg=course)


def test_a_ship_between_two_reports_is_put_on_the_line_by_time() -> None:
    at = at_overpass([under_way(-60), under_way(180)])
    assert from_here(at) < 2
    assert at.dt_s[0] == -60


def test_a_ship_after_its_last_report_is_carried_on_by_speed_and_course() -> None:
    assert from_here(at_overpass([under_way(-300)])) < 5


def test_a_ship_before_its_first_report_is_carried_back() -> None:
    assert from_here(at_overpass([under_way(300)])) < 5


def test_spread_grows_with_the_age_of_the_last_report() -> None:
    spread = [at_overpass([under_way(-age)]).spread_m[0] for age in (30, 300, 1800, 7200)]
    assert spread == sorted(spread) and spread[-1] > 2000 and spread[0] < 25


def test_spread_grows_with_the_gap_between_two_reports() -> None:
    spread = [at_overpass([under_way(-gap), under_way(gap)]).spread_m[0] for gap in (15, 300, 1800)]
    assert spread == sorted(spread) and spread[0] < 20 and spread[-1] > 200


def test_a_bridge_is_narrower_than_dead_reckoning_over_the_same_time() -> None:
    assert (
        at_overpass([under_way(-600), under_way(600)]).spread_m[0]
        < at_overpass([under_way(-600)]).spread_m[0]
    )


def test_a_moored_ship_stays_where_it_was_hours_ago_but_may_have_left() -> None:
    at = at_overpass([report(-4 * 3600, nav_status="moored", sog_kn=np.nan)])
    assert from_here(at) < 1 and at.spread_m[0] < 60
    assert at.wide_share[0] > 0.1


def test_a_ship_that_stops_between_two_reports_has_a_wide_bridge() -> None:
    started = report(-1800, sog_kn=0.0, nav_status="at anchor")
    later = report(1800, at=offset(4000, 0), sog_kn=10.0, cog_deg=90.0)
    assert at_overpass([started, later]).spread_m[0] > 500


def test_the_antenna_offset_moves_the_hull_centre_ahead_and_to_starboard() -> None:
    declared = vessel(to_bow_m=130.0, to_stern_m=20.0, to_port_m=5.0, to_starboard_m=15.0)
    at = at_overpass([report(0, heading_deg=0.0)], [declared])
    assert at.xy[0] - HERE == pytest.approx([5.0, 55.0], abs=3.0)


def test_an_unknown_heading_widens_instead_of_moving() -> None:
    declared = vessel(to_bow_m=130.0, to_stern_m=20.0)
    blind = at_overpass([report(0)], [declared])
    assert from_here(blind) < 1
    assert blind.spread_m[0] > at_overpass([report(0, heading_deg=0.0)], [declared]).spread_m[0] + 20


def test_the_error_of_the_acquisition_time_widens_moving_ships_along_their_course_alone() -> None:
    reports = [under_way(-30), under_way(30)]
    sure, unsure = at_overpass(reports), at_overpass(reports, sigma_s=180.0)
    assert unsure.var_along[0] > sure.var_along[0] + (0.9 * 180 * 5.14) ** 2
    assert unsure.var_cross[0] == sure.var_cross[0]
    still = at_overpass(moored(), sigma_s=180.0)
    assert still.spread_m[0] < 30


def test_a_snapshot_counts_as_a_report_at_the_overpass_with_its_makers_error() -> None:
    time = ACQUIRED + timedelta(seconds=400)
    at = at_overpass([report(400, sog_kn=12.0, cog_deg=90.0)], snapshot_times=frozenset([time]))
    assert from_here(at) < 1 and at.snapshot[0]
    assert at.spread_m[0] >= SNAPSHOT_SD_M


def test_a_snapshot_of_another_overpass_says_nothing() -> None:
    time = ACQUIRED + timedelta(seconds=3000)
    assert not len(at_overpass([report(3000)], snapshot_times=frozenset([time])))
    unsure = at_overpass([report(3000)], snapshot_times=frozenset([time]), sigma_s=1800.0)
    assert unsure.snapshot.tolist() == [True]


def test_reports_that_imply_an_impossible_speed_are_flagged_and_not_bridged() -> None:
    at = at_overpass([report(-60), report(120, at=offset(20_000, 0))])
    assert at.jumped[0] and from_here(at) < 1


def test_two_hulls_that_share_an_mmsi_stay_apart() -> None:
    at = at_overpass([report(-60), report(-30, at=offset(9_000, 0), segment=1)])
    assert len(at) == 2 and at.jumped.all() and len(set(at.mmsi)) == 1


@given(st.floats(20, 3000), st.floats(0, 3600), st.floats(1, 80))
@settings(deadline=None, max_examples=12)
def test_the_density_integrates_to_one(age: Any, sigma_s: Any, common: Any) -> None:
    at = at_overpass([under_way(-age)], sigma_s=min(sigma_s, 400))
    side = 12 * (at.spread_m[0] + common) + 4 * at.wide_sd[0]
    axis = np.linspace(-side, side, 501)
    xy = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2) + at.xy[0]
    which = np.zeros(len(xy), np.intp)
    mass = np.exp(log_density(at, which, xy, np.zeros(len(xy)), common)).sum() * (axis[1] - axis[0]) ** 2
    # A grid of 500 steps is coarse for the narrowest cores.
    assert mass == pytest.approx(1.0, abs=0.08)


def test_sampled_places_carry_all_the_probability_and_lie_around_the_mean() -> None:
    at = at_overpass([under_way(-300)])
    points, weights = sample_points(at, 15.0)
    assert weights.sum(axis=1) == pytest.approx(1.0)
    assert (points[0] * weights[0, :, None]).sum(axis=0) == pytest.approx(at.xy[0], abs=30)
