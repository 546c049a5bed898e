"""Simulated hulls have the size, place and look that their truth says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from roadstead_lab.simulate.hulls.draw import draw_hull
from roadstead_lab.simulate.hulls.sample import hull_corners, paste_hull, sample_hull
from roadstead_lab.simulate.hulls.spec import KINDS, Kind, class_of, loaded, random_hull
from roadstead_lab.simulate.light import Light


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_longer_than_wide_and_of_its_class(kind: Kind) -> None:
    for seed in range(30):
        spec = random_hull(rng(seed), kind)
        assert 2.4 < spec.length_m / spec.beam_m < 8 or spec.beam_m == 4.0
        assert spec.class_ == class_of(kind)
        assert all(0 < band < 1 for band in (*spec.deck, *spec.hatch, *spec.house))


def test_the_same_seed_gives_the_same_hull_and_pixels() -> None:
    first, second = (random_hull(rng(3), "container") for _ in range(2))
    assert first == second
    patches = [draw_hull(first, 30, rng(4)).reflectance for _ in range(2)]
    np.testing.assert_array_equal(*patches)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 360), st.sampled_from(KINDS), st.integers(0, 1000))
def test_a_drawn_hull_lies_in_its_true_box_and_fills_most_of_it(
    heading: float, kind: Kind, seed: int
) -> None:
    spec = random_hull(rng(seed), kind)
    patch = draw_hull(spec, heading, rng(seed))
    area = patch.alpha.sum() * patch.resolution_m**2
    assert 0.6 * spec.length_m * spec.beam_m < area < 1.1 * spec.length_m * spec.beam_m
    rows, cols = np.nonzero(patch.alpha > 0.99)
    metres = (np.column_stack([cols, rows]) + 0.5 - patch.alpha.shape[0] / 2) * patch.resolution_m
    box = shapely.Polygon(hull_corners(spec, heading, 0, 0, pixel_m=1.0)).buffer(patch.resolution_m)
    assert shapely.covers(box, shapely.points(metres)).all()


@settings(max_examples=25, deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.floats(0, 360))
def test_sampling_keeps_the_hulls_area_and_sub_pixel_place(south: float, east: float, heading: float) -> None:
    spec = random_hull(rng(5), "barge", length_m=80)
    patch = draw_hull(spec, heading, rng(5), resolution_m=1.0)
    patch = replace(patch, shade=np.zeros_like(patch.shade))
    taken = 1 - sample_hull(patch, offset_px=(south, east)).through[..., 0]
    assert taken.shape[0] % 2 == 1
    assert taken.sum() * 100 == pytest.approx(patch.alpha.sum(), rel=0.01)
    places = np.indices(taken.shape) - taken.shape[0] // 2
    centre = (places * taken).sum((1, 2)) / taken.sum()
    drawn = (np.indices(patch.alpha.shape) * patch.alpha).sum((1, 2)) / patch.alpha.sum()
    own_centre = (drawn + 0.5 - patch.alpha.shape[0] / 2) / 10
    np.testing.assert_allclose(centre - own_centre, (south, east), atol=0.06)


def test_bands_look_one_after_the_other_so_a_moving_hull_lies_elsewhere_in_each() -> None:
    """B02 looks first and B04 1.005 s later (Heiselberg 2016): 5.2 m at 10 kn."""
    patch = draw_hull(random_hull(rng(5), "barge", length_m=80), 90.0, rng(5), resolution_m=1.0)
    seen = sample_hull(patch, drift_px_s=(0.0, 0.5144))
    columns = np.arange(seen.light.shape[1])
    taken = 1 - seen.through
    east = [float((taken[..., band].sum(0) * columns).sum() / taken[..., band].sum()) for band in range(4)]
    assert east[0] - east[2] == pytest.approx(0.517, abs=0.06)
    assert east[2] < east[3] < east[1] < east[0]


def test_a_still_hull_lies_at_one_place_in_all_bands() -> None:
    seen = sample_hull(draw_hull(random_hull(rng(5), "barge", length_m=80), 90.0, rng(5)))
    assert (seen.through == seen.through[..., :1]).all()


def test_sampling_refuses_a_pixel_that_is_no_multiple_of_the_drawing() -> None:
    patch = draw_hull(random_hull(rng(1), "barge"), 0, rng(1), resolution_m=2.0)
    with pytest.raises(ValueError, match="not a multiple"):
        sample_hull(patch, pixel_m=5.0)


def test_a_coal_laden_hold_is_darker_than_an_empty_one_is_darker_than_sand() -> None:
    hatches = {}
    for seed in range(200):
        spec = random_hull(rng(seed), "barge")
        hatches.setdefault(spec.hold, []).append(np.mean(spec.hatch[:3]))
    means = {hold: np.mean(values) for hold, values in hatches.items()}
    assert means["coal"] < means["empty"] < means["sand"]


def test_an_open_barge_shows_coal_when_laden_and_its_bare_hold_in_ballast() -> None:
    barges = [random_hull(rng(seed), "barge") for seed in range(60)]
    for barge in barges:
        laden, ballast = loaded(barge, True), loaded(barge, False)
        assert laden.height_m < barge.height_m < ballast.height_m
        if barge.hold == "covered":
            assert laden.hatch == ballast.hatch == barge.hatch
        else:
            assert ballast.hold == "empty"
            assert laden.hold == ("sand" if barge.hold == "sand" else "coal")
    assert {"coal", "sand", "empty", "covered"} == {barge.hold for barge in barges}


def test_only_a_moving_hull_trails_foam_and_it_lies_astern() -> None:
    still = draw_hull(random_hull(rng(2), "tanker", length_m=100), 0, rng(2))
    assert set(np.unique(still.alpha)) <= {0.0, 1.0}
    spec = random_hull(rng(2), "tanker", length_m=100, moving=True)
    moving = draw_hull(spec, 0, rng(2))
    foam = np.where(moving.alpha < 1, moving.alpha, 0)
    middle = foam.shape[0] // 2
    assert foam[middle:].sum() > 3 * foam[:middle].sum() > 0


def test_the_shadow_falls_away_from_the_sun() -> None:
    spec = random_hull(rng(7), "ro_ro", length_m=150)
    patch = draw_hull(spec, 0, rng(7), light=Light(sun_azimuth_deg=90, sun_elevation_deg=30))
    middle = patch.shade.shape[0] // 2
    assert patch.shade[:, :middle].sum() > 10 * patch.shade[:, middle:].sum()


def test_a_hull_pasted_over_the_edge_is_cut_and_one_outside_changes_nothing() -> None:
    patch = sample_hull(draw_hull(random_hull(rng(8), "ro_ro", length_m=200), 90, rng(8)))
    image = np.full((30, 30, 4), 0.05, np.float32)
    paste_hull(image, patch, -100, -100)
    assert (image == np.float32(0.05)).all()
    paste_hull(image, patch, 15, 0)
    assert image[15, :9, 0].min() > 0.15
    assert image[15, 20:].max() < 0.06
    assert image.min() >= 0


def test_three_bands_can_be_pasted_as_well_as_four() -> None:
    patch = sample_hull(draw_hull(random_hull(rng(9), "tanker"), 10, rng(9)))
    four = np.full((60, 60, 4), 0.04, np.float32)
    three = four[..., :3].copy()
    paste_hull(four, patch, 30, 30)
    paste_hull(three, patch, 30, 30)
    np.testing.assert_array_equal(three, four[..., :3])
