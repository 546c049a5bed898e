"""Lengths held against simulated truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from roadstead.core.geo import Grid, xy_to_lonlat
from roadstead.core.schemas import CLASSES
from roadstead_lab.simulate.hulls.spec import Kind, random_hull
from roadstead_lab.simulate.practice.scene import PracticeHull, PracticeScene
from roadstead_lab.simulate.scenario.model import Weather
from roadstead_lab.training import interval_check, raft_check, simulated_check
from roadstead_lab.training.interval_check import (
    SEED,
    MeasuredShip,
    figures,
    is_whole,
    measured_ships,
    practice_image,
    simulated_lengths,
)
from roadstead_lab.training.motion_check import Told, bow_direction
from roadstead_lab.training.practice import TAUGHT, label_box, labelled_hulls
from tests.unit.detection.worlds import lamps
from tests.unit.lab.training.test_scoring import box


@pytest.fixture(scope="module")
def scene() -> PracticeScene:
    """Return empty water on which a barge, a bulk carrier and a tug are said to lie."""
    rng = np.random.default_rng(0)
    places: list[tuple[Kind, float, float]] = [
        ("barge", 80.0, 40.0),
        ("bulk_carrier", 150.0, 100.0),
        ("tug", 30.0, 160.0),
    ]
    hulls = []
    for kind, length, at in places:
        spec = random_hull(rng, kind, length_m=length)
        corners = box(at, 100.0, length=length / 10, width=spec.beam_m / 10, axis=at)
        hulls.append(PracticeHull(spec, "at_anchor", corners))
    return PracticeScene(
        np.full((4, 200, 200), 0.02, np.float32),
        np.ones((200, 200), bool),
        np.zeros((200, 200), np.float32),
        np.full((100, 100), 6, np.uint8),
        tuple(hulls),
        surface=True,
        weather=Weather(),
    )


def table_of(hulls: list[PracticeHull], grid: Grid, *, error_m: float = 0.0) -> gpd.GeoDataFrame:
    """Return what a detector would give that is this far off in length, with an interval of 20 m about it."""
    length = np.array([hull.spec.length_m + error_m for hull in hulls])
    boxes = [shapely.Polygon(xy_to_lonlat(grid.colrow_to_xy(label_box(hull)), grid.crs)) for hull in hulls]
    columns = {
        "class": [hull.spec.class_ for hull in hulls],
        "length_m": length,
        "length_low_m": length - 10,
        "length_high_m": length + 10,
        "p_vessel": np.full(len(hulls), 0.9),
        "bow_deg": [np.degrees(np.arctan2(*(bow_direction(hull) * (1, -1)))) % 360 for hull in hulls],
        "moving": [hull.state == "under_way" for hull in hulls],
        **{f"p_{name}": np.full(len(hulls), 1 / 3) for name in CLASSES},
    }
    return gpd.GeoDataFrame(columns, geometry=boxes, crs="EPSG:4326")


def test_a_perfect_detector_measures_every_whole_ship(scene: PracticeScene) -> None:
    image, hulls = practice_image(scene), list(labelled_hulls(scene))
    whole = [is_whole(hull, scene, image.cloud) for hull in hulls]
    ships = measured_ships(hulls, whole, table_of(hulls, image.grid), image.grid)
    assert [ship and ship.true_class for ship in ships] == ["barge", "bulk_carrier"]
    found = figures([ship for ship in ships if ship], sum(whole))
    assert found["found"] == found["interval_80_coverage"] == found["axis"]["within_10_deg"] == 1.0
    assert found["length_mae_m"] == 0.0
    assert found["interval_80_median_width_m"] == 20.0
    assert found["told"]["bow_right"]["share"] == 1.0
    assert found["told"]["moving_said"] == 1.0


def test_lengths_that_are_off_leave_the_interval(scene: PracticeScene) -> None:
    image, hulls = practice_image(scene), list(labelled_hulls(scene))
    whole = [is_whole(hull, scene, image.cloud) for hull in hulls]
    ships = measured_ships(hulls, whole, table_of(hulls, image.grid, error_m=15.0), image.grid)
    found = figures([ship for ship in ships if ship], sum(whole))
    assert found["interval_80_coverage"] == 0.0
    assert found["length_bias_m"] == pytest.approx(15.0)


def test_whole_ships_without_a_detection_are_told_from_those_measured(scene: PracticeScene) -> None:
    image, hulls = practice_image(scene), list(labelled_hulls(scene))
    whole = [is_whole(hull, scene, image.cloud) for hull in hulls]
    barge, bulk = measured_ships(hulls, whole, table_of(hulls[1:], image.grid), image.grid)
    assert barge is None
    assert bulk is not None and bulk.true_class == "bulk_carrier"


def test_ships_cut_by_the_edge_or_under_cloud_are_not_measured(scene: PracticeScene) -> None:
    barge, bulk, tug = labelled_hulls(scene)
    assert [is_whole(hull, scene, None) for hull in (barge, bulk, tug)] == [True, True, False]
    assert not is_whole(replace(barge, corners=barge.corners - barge.corners.min(0)), scene, None)
    assert not is_whole(barge, scene, np.ones(scene.valid.shape, bool))


def test_figures_tell_class_axis_and_interval_apart() -> None:
    right = MeasuredShip(100.0, "barge", 104.0, 90.0, 118.0, 2.0, "barge", Told(100.0, True, True, 5.0))
    wrong = MeasuredShip(
        120.0, "barge", 90.0, 76.0, 104.0, 30.0, "other_vessel", Told(120.0, False, None, None)
    )
    found = figures([right, right, right, wrong], 8)
    assert (found["n_simulated_ships"], found["n"], found["found"]) == (8, 4, 0.5)
    assert found["interval_80_coverage"] == 0.75
    assert found["length_mae_m"] == pytest.approx((3 * 4 + 30) / 4)
    assert found["axis"]["within_10_deg"] == 0.75
    assert found["axis_over_100m"] == {
        "n": 1,
        "mae": 30.0,
        "mae_95": None,
        "within_10_deg": 0.0,
        "within_10_deg_95": [0.0, 0.7935],
    }
    assert found["class"]["f1"]["barge"]["f1"] == pytest.approx(2 * 3 / (2 * 3 + 1), abs=1e-4)


def test_scenes_seen_through_air_are_true_colour_alone(scene: PracticeScene) -> None:
    assert practice_image(replace(scene, surface=False)).nir is None
    assert practice_image(replace(scene, surface=True)).nir is not None


def test_scenes_are_searched_until_they_have_held_enough_ships(
    scene: PracticeScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hulls = list(labelled_hulls(scene))
    found = table_of(hulls[:0], practice_image(scene).grid)
    monkeypatch.setattr(interval_check, "practice_scene", lambda *_: scene)
    monkeypatch.setattr(interval_check, "detect_simulated", lambda *_: found)
    cloud = practice_image(scene).cloud
    whole = sum(is_whole(hull, scene, cloud) for hull in labelled_hulls(scene))
    result = simulated_lengths(lamps(tmp_path), ships=whole + 1)
    assert (result["n_simulated_scenes"], result["n_simulated_ships"]) == (2, 2 * whole)
    assert (result["n"], result["found"], result["length_mae_m"]) == (0, 0.0, None)
    assert simulated_lengths(lamps(tmp_path), ships=10**6, most_scenes=3)["n_simulated_scenes"] == 3


def test_the_scenes_are_of_no_seed_in_use_elsewhere() -> None:
    assert SEED not in (TAUGHT, simulated_check.SEED, raft_check.SEED)
