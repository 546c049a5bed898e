"""Hulls in time."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, Point

from roadstead.core.geo import KNOT
from roadstead_lab.simulate.traffic.tracks import STATUSES, Leg, Stay, Track, hull_outline, leg, moved

coordinate = st.floats(-20_000, 20_000)
corners = st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=6).filter(
    lambda way: all(math.dist(a, b) > 5.0 for a, b in itertools.pairwise(way))
)


@given(corners, st.floats(1.0, 20.0), st.floats(0.0, 1.0))
def test_a_hull_under_way_is_on_its_line_at_its_speed(
    way: list[tuple[float, float]], speed_kn: float, share: float
) -> None:
    run = leg(way, 1000.0, speed_kn)
    time = run.start + share * (run.end - run.start)
    motion = run.at(time)
    line = LineString(way)
    assert line.distance(Point(motion.xy)) < 1e-3
    assert run.end - run.start == pytest.approx(line.length / (speed_kn * KNOT))
    assert math.dist(motion.xy, line.interpolate(share, normalized=True).coords[0]) < 1e-3


def test_a_hull_heads_where_it_goes() -> None:
    run = leg([(0.0, 0.0), (100.0, 0.0), (100.0, -100.0)], 0.0, 10.0)
    assert run.at(1.0).heading_deg == pytest.approx(90.0)
    assert run.at(run.end - 1.0).heading_deg == pytest.approx(180.0)


def test_an_anchored_hull_swings_round_its_anchor_and_points_at_it() -> None:
    stay = Stay("p/roads", "anchored", (0.0, 0.0), 30.0, 0.0, 1e6, scope_m=150.0, swing_deg=12.0)
    for hour in range(0, 48, 3):
        motion = stay.at(hour * 3600.0)
        assert math.hypot(*motion.xy) == pytest.approx(150.0)
        assert math.dist(moved(motion.xy, motion.heading_deg, 150.0), (0.0, 0.0)) < 1e-6
        assert abs(motion.heading_deg - 30.0) <= 12.0 + 1e-9


def test_hulls_rafted_at_anchor_keep_their_distance_while_they_swing() -> None:
    host = Stay("p/roads", "anchored", (0.0, 0.0), 30.0, 0.0, 1e6, scope_m=150.0, swing_deg=12.0)
    guest = Stay("p/roads", "anchored", (0.0, 0.0), 30.0, 0.0, 1e6, 150.0, 12.0, abeam_m=22.0)
    for hour in range(0, 24, 2):
        assert math.dist(host.at(hour * 3600.0).xy, guest.at(hour * 3600.0).xy) == pytest.approx(22.0)


def test_a_track_is_nowhere_before_it_comes_and_after_it_left() -> None:
    coming = leg([(0.0, 0.0), (1000.0, 0.0)], 0.0, 10.0)
    stay = Stay("p/quay", "moored", (1000.0, 0.0), 0.0, coming.end, coming.end + 100.0)
    track = Track((coming, stay))
    assert track.at(-1.0) is None
    assert track.at(track.end) is None
    moored, under_way = track.at(coming.end), track.at(coming.end - 0.1)
    assert moored is not None
    assert under_way is not None
    assert (moored.status, moored.zone) == ("moored", "p/quay")
    assert (under_way.status, under_way.zone) == ("under_way", None)
    assert track.stays == (stay,)


@given(st.floats(0, 360), st.floats(20, 400), st.floats(5, 60))
def test_a_hull_outline_has_the_hulls_length_beam_and_axis(
    heading: float, length: float, beam: float
) -> None:
    outline = hull_outline((10.0, 20.0), heading, length, beam)
    port_bow, starboard_bow, _, port_stern = outline.exterior.coords[:4]
    assert math.dist(port_bow, starboard_bow) == pytest.approx(beam)
    assert math.dist(port_bow, port_stern) == pytest.approx(length)
    assert outline.centroid.distance(Point(10.0, 20.0)) < 1e-6
    bearing = math.degrees(math.atan2(port_bow[0] - port_stern[0], port_bow[1] - port_stern[1]))
    assert math.cos(math.radians(bearing - heading)) == pytest.approx(1.0)


def test_corners_that_repeat_are_one_corner() -> None:
    run = leg([(0.0, 0.0), (0.2, 0.1), (500.0, 0.0), (500.0, 0.0)], 0.0, 8.0)
    assert isinstance(run, Leg)
    assert len(run.corners) == 2


def test_many_moments_at_once_are_what_single_moments_are() -> None:
    coming = leg([(0.0, 0.0), (1000.0, 0.0), (1500.0, 900.0)], 0.0, 10.0)
    stay = Stay("p/roads", "anchored", (1500.0, 1000.0), 30.0, coming.end, coming.end + 9e4, 120.0, 12.0)
    going = leg([stay.at(stay.end).xy, (0.0, -500.0)], stay.end, 6.0)
    track = Track((coming, stay, going))
    times = np.array([*np.linspace(1.0, track.end - 1.0, 57)[::-1], -5.0, track.end])
    many = track.at_many(times)
    assert many.inside.tolist() == [True] * 57 + [False] * 2
    for i, time in enumerate(times[:57]):
        one = track.at(float(time))
        assert one is not None
        assert many.xy[i] == pytest.approx(one.xy, abs=1e-6)
        assert many.heading_deg[i] == pytest.approx(one.heading_deg)
        assert many.speed_kn[i] == one.speed_kn
        assert STATUSES[many.status[i]] == one.status
