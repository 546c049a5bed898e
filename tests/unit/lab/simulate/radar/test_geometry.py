"""Where the ground lies in a radar image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.core.geo import KNOT
from roadstead_lab.simulate.radar.geometry import (
    OrbitState,
    RadarGeometry,
    geometry_of,
    ground_range_m,
    incidence_deg,
    slant_range_m,
    track_heading_deg,
)
from tests.unit.lab.simulate.radar.builders import MIDDLE, open_sea, radar_pass

ORBITS: tuple[OrbitState, OrbitState] = ("ascending", "descending")


def geometry(orbit_state: OrbitState) -> RadarGeometry:
    return geometry_of(open_sea().grid, radar_pass(orbit_state))


def test_the_iw_swath_has_its_known_distances_and_angles() -> None:
    ground = ground_range_m(np.array([800_000.0, 958_000.0]))
    assert incidence_deg(ground) == pytest.approx([31.0, 46.0], abs=1.0)
    assert np.ptp(ground) == pytest.approx(250_000.0, rel=0.1), "the swath is 250 km wide"


def test_the_track_heads_as_sentinel_1_does() -> None:
    assert track_heading_deg(45.5, "ascending") == pytest.approx(-14.2, abs=0.5), "a real product there"
    for lat in (0.0, 38.7):
        north, south = (track_heading_deg(lat, orbit) for orbit in ORBITS)
        assert -14.0 < north < -11.0 and south == pytest.approx(-180.0 - north)


@given(
    st.sampled_from(ORBITS), st.floats(0, 6000), st.floats(0, 6000), st.floats(0, 500, allow_subnormal=False)
)
def test_map_to_pixel_and_back_is_exact_at_any_height(
    orbit: OrbitState, x: float, y: float, height: float
) -> None:
    here = geometry(orbit)
    xy = np.array([[MIDDLE[0] - 3000 + x, MIDDLE[1] - 3000 + y]])
    back = here.colrow_to_xy(here.xy_to_colrow(xy, height), height)
    assert back == pytest.approx(xy, abs=1e-3)


@pytest.mark.parametrize("orbit", ORBITS)
def test_the_frame_covers_the_ground_and_is_no_larger_than_needed(orbit: OrbitState) -> None:
    here = geometry(orbit)
    xmin, ymin, xmax, ymax = open_sea().grid.bounds_xy
    colrow = here.xy_to_colrow(np.array([[xmin, ymin], [xmin, ymax], [xmax, ymin], [xmax, ymax]]))
    assert colrow.min(axis=0) == pytest.approx([0, 0], abs=1e-3)
    assert colrow.max(axis=0) == pytest.approx([here.width, here.height], abs=1.0)
    assert here.incidence_deg(np.array([here.width / 2])) == pytest.approx(38.0, abs=0.01)


def test_time_runs_down_the_rows_and_range_to_the_right_of_the_flight() -> None:
    x, y = MIDDLE
    for orbit, sign in (("ascending", 1), ("descending", -1)):
        here, north, east = geometry(orbit).xy_to_colrow(np.array([(x, y), (x, y + 1000), (x + 1000, y)]))
        assert sign * (north[1] - here[1]) > 90, "ascending, north is flown over later; descending, before"
        assert sign * (east[0] - here[0]) > 90, "ascending, the radar looks east; descending, west"


def test_raised_ground_is_imaged_nearer_the_radar() -> None:
    here = geometry("ascending")
    flat, raised = (here.xy_to_colrow(np.array([MIDDLE]), height)[0] for height in (0.0, 100.0))
    incidence = np.radians(here.incidence_deg(flat[:1])[0])
    assert (flat[0] - raised[0]) * 10.0 == pytest.approx(100.0 / np.tan(incidence), rel=0.01)
    assert raised[1] == pytest.approx(flat[1])


@pytest.mark.parametrize(("incidence", "metres"), [(30.0, 270.0), (46.0, 470.0)])
def test_ten_knots_across_the_track_shift_a_ship_by_270_to_470_m(incidence: float, metres: float) -> None:
    near = np.interp(incidence, incidence_deg(np.arange(3e5, 9e5, 100.0)), np.arange(3e5, 9e5, 100.0))
    here = RadarGeometry("EPSG:32651", (0.0, 0.0), -12.0, float(near), 10, 10)
    away = here.azimuth_shift_m(np.array([0.0]), 10 * KNOT, here.look_deg)
    towards = here.azimuth_shift_m(np.array([0.0]), 10 * KNOT, here.look_deg + 180)
    along = here.azimuth_shift_m(np.array([0.0]), 10 * KNOT, here.heading_deg)
    assert away == pytest.approx(-metres, rel=0.02)
    assert towards == pytest.approx(metres, rel=0.02)
    assert along == pytest.approx(0.0, abs=1e-6)


@given(st.floats(1e5, 1.2e6), st.floats(0, 1000, allow_subnormal=False))
def test_slant_and_ground_range_undo_each_other(ground: float, height: float) -> None:
    there = slant_range_m(np.array([ground]), height)
    assert ground_range_m(there, height) == pytest.approx(ground, abs=1e-3)
