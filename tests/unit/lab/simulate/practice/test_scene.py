"""Practice scenes: made-up harbours whose truth is complete."""

from itertools import combinations

import numpy as np
import pytest
from shapely.geometry import Polygon

from roadstead_lab.simulate.practice.scene import PracticeScene, practice_scene

SIDE = 200


@pytest.fixture(scope="module")
def scenes() -> list[PracticeScene]:
    return [practice_scene(3, number, SIDE) for number in range(10)]


def test_the_same_number_gives_the_same_scene_whatever_was_drawn_before(scenes: list[PracticeScene]) -> None:
    again = practice_scene(3, 5, SIDE)
    np.testing.assert_array_equal(again.reflectance, scenes[5].reflectance)
    assert again.hulls[0].spec == scenes[5].hulls[0].spec
    assert not np.array_equal(practice_scene(4, 5, SIDE).reflectance, scenes[5].reflectance)


def test_no_two_hulls_overlap_and_none_lies_on_land(scenes: list[PracticeScene]) -> None:
    for scene in scenes:
        outlines = [Polygon(hull.corners) for hull in scene.hulls]
        assert all(a.distance(b) > 0.05 for a, b in combinations(outlines, 2))
        for hull in scene.hulls:
            col, row = hull.corners.mean(0).astype(int)
            if 0 <= row < SIDE and 0 <= col < SIDE and hull.spec.beam_m > 12:
                assert scene.land_share[row, col] <= 0.5


def test_scenes_hold_ships_at_quay_at_anchor_and_under_way(scenes: list[PracticeScene]) -> None:
    states = [hull.state for scene in scenes for hull in scene.hulls if hull.spec.length_m > 45]
    assert {"at_quay", "at_anchor", "under_way"} == set(states)
    kinds = {hull.spec.class_ for scene in scenes for hull in scene.hulls}
    assert kinds == {"barge", "bulk_carrier", "other_vessel"}


def test_hulls_stand_out_from_the_water_where_the_truth_says(scenes: list[PracticeScene]) -> None:
    """Measured on clear scenes: the middle of a hull of 100 m against the median of all open water."""
    seen = []
    for scene in scenes:
        water = scene.valid & (scene.land_share == 0)
        if not water.any() or not np.isin(scene.scl, (4, 5, 6)).all():
            continue
        level = np.median(scene.reflectance[3][water])
        for hull in scene.hulls:
            col, row = hull.corners.mean(0).astype(int)
            if hull.spec.length_m > 100 and 0 <= row < SIDE and 0 <= col < SIDE:
                seen.append(scene.reflectance[3, row, col] > level + 0.02)
    assert len(seen) > 8
    assert np.mean(seen) > 0.95


def test_land_is_brighter_in_the_near_infrared_than_water(scenes: list[PracticeScene]) -> None:
    clear = [s for s in scenes if np.isin(s.scl, (4, 5, 6)).all() and (s.land_share == 1).mean() > 0.1]
    assert clear
    for scene in clear:
        nir, land, water = scene.reflectance[3], scene.land_share == 1, scene.land_share == 0
        assert np.median(nir[land]) > np.median(nir[water & scene.valid]) + 0.05
