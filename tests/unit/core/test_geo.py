import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st

from roadstead.core.geo import (
    Grid,
    Window,
    axis_difference_deg,
    convergence_deg,
    destination_lonlat,
    distance_m,
    lonlat_to_xy,
    utm_crs,
    xy_to_lonlat,
)

NAMPO = (125.4, 38.717)


def grid(col: int = 400, row: int = 300) -> Grid:
    return Grid("EPSG:32651", Affine(10, 0, 700_000, 0, -10, 4_290_000), col, row)


@given(st.floats(-500, 5000), st.floats(-500, 5000))
def test_pixels_survive_the_trip_to_the_map_and_back(col: float, row: float) -> None:
    there = grid().colrow_to_xy(np.array([[col, row]]))
    assert np.allclose(grid().xy_to_colrow(there), [[col, row]], atol=1e-6)


@given(st.floats(121.0, 126.9), st.floats(28.0, 40.0))
def test_a_point_survives_the_trip_to_utm_and_back(lon: float, lat: float) -> None:
    crs = utm_crs(lon, lat)
    there = xy_to_lonlat(lonlat_to_xy(np.array([[lon, lat]]), crs), crs)
    assert np.allclose(there, [[lon, lat]], atol=1e-8)


@given(st.integers(0, 300), st.integers(0, 200), st.integers(1, 100), st.integers(1, 100))
def test_a_crop_keeps_every_pixel_where_it_was(col: int, row: int, width: int, height: int) -> None:
    part = grid().crop(Window(col, row, width, height))
    assert np.allclose(part.colrow_to_xy(np.array([[0.0, 0.0]])), grid().colrow_to_xy(np.array([[col, row]])))
    assert (part.width, part.height) == (width, height)


@pytest.mark.parametrize(
    ("lon", "lat", "crs"),
    [
        (125.4, 38.7, "EPSG:32651"),
        (121.85, 29.9, "EPSG:32651"),
        (31.0, -29.9, "EPSG:32736"),
        (180.0, 0.0, "EPSG:32660"),
    ],
)
def test_utm_zones_are_the_standard_ones(lon: float, lat: float, crs: str) -> None:
    assert utm_crs(lon, lat) == crs


@given(st.floats(0.0, 359.9))
def test_axes_are_true_north_not_grid_north(bearing: float) -> None:
    """A geodesic line drawn at a true bearing comes back with that axis, although the grid is turned there."""
    start = np.array([NAMPO])
    end = destination_lonlat(start, np.array([bearing]), np.array([150.0]))
    dx, dy = (lonlat_to_xy(end, "EPSG:32651") - lonlat_to_xy(start, "EPSG:32651"))[0]
    on_the_grid = np.degrees(np.arctan2(dx, dy))
    assert axis_difference_deg(on_the_grid + convergence_deg(*NAMPO, "EPSG:32651"), bearing) < 0.05


def test_convergence_at_nampo_is_about_one_and_a_half_degrees() -> None:
    assert 1.3 < convergence_deg(*NAMPO, "EPSG:32651") < 1.7


@given(st.floats(0, 360), st.floats(0, 360))
def test_axis_difference_ignores_which_end_is_the_bow(a: float, b: float) -> None:
    d = axis_difference_deg(a, b)
    assert 0 <= d <= 90
    assert d == pytest.approx(axis_difference_deg(a + 180, b), abs=1e-9)


def test_distance_of_a_minute_of_latitude_is_a_nautical_mile() -> None:
    d = distance_m(np.array([[125.0, 38.0]]), np.array([[125.0, 38.0 + 1 / 60]]))
    assert d[0] == pytest.approx(1852, abs=3)


@pytest.mark.parametrize(
    ("crs", "transform", "size"),
    [
        ("EPSG:4326", Affine(0.1, 0, 0, 0, -0.1, 0), (5, 5)),
        ("EPSG:32651", Affine(10, 1, 0, 0, -10, 0), (5, 5)),
        ("EPSG:32651", Affine(10, 0, 0, 0, 10, 0), (5, 5)),
        ("EPSG:32651", Affine(10, 0, 0, 0, -10, 0), (0, 5)),
    ],
)
def test_a_grid_refuses_degrees_rotation_and_emptiness(
    crs: str, transform: Affine, size: tuple[int, int]
) -> None:
    with pytest.raises(ValueError, match="grid"):
        Grid(crs, transform, *size)
