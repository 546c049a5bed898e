"""Measures of realism on images whose answer is known."""

import numpy as np
import pytest
from scipy import ndimage, special

from roadstead_lab.training.realism.edges import (
    TEN_TO_NINETY,
    fit_bar,
    fit_edge,
    measure_hull,
    shore_edges,
    state_of,
)
from roadstead_lab.training.realism.ground import (
    land_fine_texture,
    land_grain,
    land_level,
    land_nir_over_red,
    water_autocorrelation,
    water_band_correlation,
    water_change,
    water_level,
    water_noise,
)
from roadstead_lab.training.realism.views import Hull, State, View

WATER = (0.02, 0.03, 0.04, 0.015)
LAND = (0.10, 0.11, 0.09, 0.22)
DECK = (0.24, 0.16, 0.12, 0.26)
SIZE = 160
STEP = 10
"""Drawing pixels a sensor pixel."""


def colour(values: tuple[float, ...]) -> np.ndarray:
    """Return [4, 1, 1]."""
    return np.array(values)[:, None, None]


def sea(sigma: float = 0.0, *, smooth: float = 0.0, together: bool = False, seed: int = 0) -> np.ndarray:
    """Return [4, 160, 160] water with grain of this deviation, the same in all bands or each its own."""
    rng = np.random.default_rng(seed)
    grain = rng.standard_normal((1 if together else 4, SIZE, SIZE))
    if smooth:
        grain = ndimage.gaussian_filter(grain, (0, smooth, smooth))
    return np.asarray(colour(WATER) + sigma * grain / grain.std())


def view(image: np.ndarray, *hulls: Hull) -> View:
    """Return an image as a view of a port."""
    return View("port", "port", "ports", image.astype(np.float32), hulls)


def ship(
    length_m: float = 200.0, beam_m: float = 40.0, angle_deg: float = 25.0, state: State | None = None
) -> Hull:
    """Return a bulk carrier at the middle of the image."""
    turn = np.radians(angle_deg)
    along = np.array([np.cos(turn), np.sin(turn)]) * length_m / 20
    across = np.array([-np.sin(turn), np.cos(turn)]) * beam_m / 20
    corners = 80.3 + np.array([along - across, along + across, -along + across, -along - across])
    return Hull("s", corners, "bulk_carrier", "bulk_carrier", state, length_m, beam_m, certain=True)


def box_share(hull: Hull, blur_px: float) -> np.ndarray:
    """Return [160, 160] share of the hull in each pixel, blurred; drawn finely."""
    fine = (np.arange(SIZE * STEP) + 0.5) / STEP
    cols, rows = np.meshgrid(fine, fine)
    ahead, beside = hull.axes
    col, row = cols - hull.centre[0], rows - hull.centre[1]
    inside = (np.abs(col * ahead[0] + row * ahead[1]) < hull.length_m / 20) & (
        np.abs(col * beside[0] + row * beside[1]) < hull.beam_m / 20
    )
    seen = ndimage.gaussian_filter(inside.astype(np.float32), blur_px * STEP)
    return np.asarray(seen.reshape(SIZE, STEP, SIZE, STEP).mean((1, 3)))


def with_ship(hull: Hull, blur_px: float = 0.5, seed: int = 0) -> np.ndarray:
    """Return water with a plain hull on it."""
    share = box_share(hull, blur_px)
    return np.asarray(sea(0.0005, seed=seed) * (1 - share) + colour(DECK) * share)


def coast(blur_px: float, slope: float = 0.3) -> np.ndarray:
    """Return land in the south, its straight edge blurred."""
    rows, cols = np.mgrid[0:SIZE, 0:SIZE] + 0.5
    distance = (rows - 80 - slope * (cols - 80)) / np.hypot(1, slope)
    share = 0.5 * (1 + special.erf(distance / (np.sqrt(2) * blur_px)))
    return np.asarray(sea(0.0004) * (1 - share) + colour(LAND) * share)


@pytest.mark.parametrize("sigma", [0.0005, 0.002])
def test_white_noise_of_known_deviation_is_measured(sigma: float) -> None:
    assert np.median(water_noise(view(sea(sigma))), axis=0) == pytest.approx(sigma, rel=0.05)


def test_a_slope_of_the_water_is_no_noise() -> None:
    slope = np.linspace(0, 0.02, SIZE)[None, None] * np.ones((4, SIZE, 1))
    assert np.median(water_noise(view(sea(0.001) + slope)), axis=0) == pytest.approx(0.001, rel=0.05)


def test_water_level_is_its_reflectance() -> None:
    assert water_level(view(sea(0.001))).mean(0) == pytest.approx(WATER, rel=0.01)


def test_white_grain_is_uncorrelated_and_smooth_grain_is_not() -> None:
    white = np.median(water_autocorrelation(view(sea(0.001))))
    smooth = np.median(water_autocorrelation(view(sea(0.001, smooth=0.8))))
    assert white == pytest.approx(0.0, abs=0.04)
    # A Gaussian blur of s pixels gives exp(-1 / (4 s^2)) at lag 1.
    assert smooth == pytest.approx(np.exp(-1 / (4 * 0.8**2)), abs=0.05)


def test_waves_move_all_bands_and_sensor_noise_each_its_own() -> None:
    waves = np.nanmedian(water_band_correlation(view(sea(0.001, together=True))))
    noise = np.nanmedian(water_band_correlation(view(sea(0.001))))
    assert waves == pytest.approx(1.0, abs=0.01)
    assert noise == pytest.approx(0.0, abs=0.05)


def test_neighbouring_squares_differ_by_the_step_between_them() -> None:
    image = sea()
    image[:, :, 96:] += 0.004
    steps = water_change(view(image))
    assert steps.max() == pytest.approx(0.004, rel=0.01)
    assert np.median(steps) == pytest.approx(0.0, abs=1e-6)


def test_water_near_a_ship_is_left_out_of_open_water() -> None:
    hull = ship()
    assert water_level(view(with_ship(hull), hull)).max() < 0.045


def test_land_of_white_texture_is_measured() -> None:
    rng = np.random.default_rng(0)
    land = view(colour(LAND) + rng.normal(0, 0.01, (4, SIZE, SIZE)))
    assert land_level(land).mean(0) == pytest.approx(LAND, rel=0.01)
    assert np.median(land_fine_texture(land), axis=0) == pytest.approx(0.01, rel=0.05)
    assert np.median(land_grain(land), axis=0) == pytest.approx(1.0, abs=0.05)
    assert np.nanmedian(land_nir_over_red(land)) == pytest.approx(2.2, rel=0.02)


@pytest.mark.parametrize("sigma_px", [0.5, 0.8, 1.4])
def test_an_edge_of_known_width_is_measured_within_a_tenth(sigma_px: float) -> None:
    rows, cols = np.mgrid[-6:7, -6:7].astype(float)
    true = np.radians(35)
    distance = cols * np.cos(true) + rows * np.sin(true) - 0.4
    step = 0.02 + 0.2 * 0.5 * (1 + special.erf(distance / (np.sqrt(2) * sigma_px)))
    width, explained = fit_edge(cols.ravel(), rows.ravel(), step.ravel(), np.radians(20))
    assert width == pytest.approx(TEN_TO_NINETY * sigma_px * 10, rel=0.1)
    assert explained > 0.99


@pytest.mark.parametrize("blur_px", [0.6, 1.0])
def test_a_straight_shore_is_as_blurred_as_it_was_drawn(blur_px: float) -> None:
    widths = shore_edges(view(coast(blur_px)), np.random.default_rng(0))
    assert len(widths) > 20
    assert np.median(widths) == pytest.approx(TEN_TO_NINETY * blur_px * 10, rel=0.1)


def test_a_blurred_bar_is_as_wide_as_it_was() -> None:
    x = np.linspace(-8, 8, 200)
    edges = (special.erf((x + s * 2.0) / (np.sqrt(2) * 0.6)) for s in (1, -1))
    rise, fall = edges
    width_m, size = fit_bar(x, 0.02 + 0.1 * (rise - fall), 5.0)
    assert size == pytest.approx(4.0, rel=0.02)
    assert width_m == pytest.approx(TEN_TO_NINETY * 0.6 * 10, rel=0.02)


def test_a_profile_without_a_bar_gives_no_width() -> None:
    noise = np.random.default_rng(0).normal(0, 1, 200)
    assert np.isnan(fit_bar(np.linspace(-8, 8, 200), noise, 4.0)).all()


def test_a_ships_level_edge_and_size_are_measured() -> None:
    hull = ship()
    measured = measure_hull(view(with_ship(hull, blur_px=0.5), hull), hull)
    assert measured is not None
    assert measured.level == pytest.approx(DECK, rel=0.05)
    assert measured.water == pytest.approx(WATER, rel=0.05)
    assert measured.contrast == pytest.approx(np.subtract(DECK, WATER), rel=0.05)
    # Blur and the square pixel add up in quadrature.
    assert measured.edge_m == pytest.approx(TEN_TO_NINETY * 10 * np.hypot(0.5, 1 / np.sqrt(12)), rel=0.1)
    assert measured.width_ratio == pytest.approx(1.0, abs=0.05)
    assert measured.length_ratio == pytest.approx(1.0, abs=0.05)
    assert measured.unevenness.max() < 0.05


def test_a_label_beside_its_ship_still_finds_the_deck() -> None:
    hull = ship()
    moved = Hull("s", hull.corners + hull.axes[1], "bulk_carrier", "bulk_carrier", None, 200.0, 40.0, False)
    measured = measure_hull(view(with_ship(hull), moved), moved)
    assert measured is not None
    assert measured.level == pytest.approx(DECK, rel=0.1)


def test_hatches_make_a_deck_uneven() -> None:
    hull = ship(angle_deg=0)
    image = with_ship(hull)
    image[:, 78:83, 72:90:4] *= 0.5
    plain = measure_hull(view(with_ship(hull), hull), hull)
    hatched = measure_hull(view(image, hull), hull)
    assert plain is not None
    assert hatched is not None
    assert hatched.unevenness.mean() > 4 * plain.unevenness.mean()


def wake_of(hull: Hull) -> np.ndarray:
    """Return water with the ship and 150 m of foam astern."""
    image = with_ship(hull)
    image[:, 79:82, 92:108] += 0.05
    return image


def test_a_ship_with_foam_astern_is_under_way_and_one_without_at_anchor() -> None:
    hull = ship(angle_deg=0)
    assert state_of(view(wake_of(hull), hull), hull) == "under_way"
    assert state_of(view(with_ship(hull), hull), hull) == "at_anchor"


def test_a_ship_along_a_quay_is_at_quay() -> None:
    hull = ship(angle_deg=0)
    image = with_ship(hull)
    image[:, 84:] = colour(LAND)
    assert state_of(view(image, hull), hull) == "at_quay"


def test_a_ship_rafted_to_another_is_at_no_quay() -> None:
    hull = ship(angle_deg=0)
    image = with_ship(hull)
    image[:, 83:87, 71:90] = colour(DECK)
    beside = Hull(
        "b", hull.corners + np.array([0, 5]), "bulk_carrier", "bulk_carrier", None, 200.0, 40.0, True
    )
    assert state_of(view(image, hull, beside), hull) == "at_anchor"


def test_a_bow_towards_a_quay_is_no_berth() -> None:
    hull = ship(angle_deg=0)
    image = with_ship(hull)
    image[:, :, 92:] = colour(LAND)
    assert state_of(view(image, hull), hull) != "at_quay"


def test_what_truth_or_ais_says_of_a_ship_is_kept() -> None:
    hull = ship(angle_deg=0, state="under_way")
    assert state_of(view(with_ship(hull), hull), hull) == "under_way"


def test_a_ship_cut_by_the_frame_is_not_measured() -> None:
    hull = ship()
    gone = Hull(
        "s", hull.corners + np.array([75, 0]), "bulk_carrier", "bulk_carrier", None, 200.0, 40.0, True
    )
    image = with_ship(hull)
    image[:, :, 150:] = np.nan
    assert measure_hull(view(image, gone), gone) is None


def test_a_view_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[4, H, W\]"):
        View("a", "a", "ports", np.zeros((3, 8, 8), np.float32))
