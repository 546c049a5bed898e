"""Stamps and crops: boxes stay on their hulls through every turn, and ships only lie where there is water."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from roadstead_lab.training.boxes import box_corners, long_side_first
from roadstead_lab.training.config import TrainConfig, simulated_share
from roadstead_lab.training.crops import CROP_PX, Composer, _Canvas, _lay_surf, _weights
from roadstead_lab.training.places import Label
from roadstead_lab.training.scenes import TrainingScene, prepare_scene
from roadstead_lab.training.stamps import Stamp, real_stamps, simulated_stamp, turned
from roadstead_lab.training.train import collate


def square(col: float, row: float, half: float) -> np.ndarray:
    return np.array(
        [
            [col - half, row - half],
            [col + half, row - half],
            [col + half, row + half],
            [col - half, row + half],
        ]
    )


def label(use: str, corners: np.ndarray) -> Label:
    return Label("x", use, "barge", "barge", "high", 100.0, corners)  # type: ignore[arg-type]


def harbour() -> TrainingScene:
    """Dark water to the right of a bright quay, with one bright barge on it."""
    rgb = np.full((300, 300, 3), (10, 25, 30), np.uint8)
    rgb[:, :100] = 180
    rgb[148:152, 195:205] = (120, 60, 50)
    nir = np.full((300, 300), 0.01, np.float32)
    nir[:, :100] = 0.4
    corners = np.array([[195, 148], [205, 148], [205, 152], [195, 152]], float)
    return prepare_scene("gdynia", rgb, np.ones((300, 300), bool), nir, (label("yes", corners),))


@pytest.fixture(scope="module")
def stamps() -> list[Stamp]:
    rng = np.random.default_rng(0)
    return [simulated_stamp(rng) for _ in range(25)]


def test_ignored_ground_is_painted_over_and_unsearched_ground_is_no_data() -> None:
    rgb = np.full((60, 60, 3), 30, np.uint8)
    rgb[18:23, 18:23] = 250
    labels = (label("ignore", square(20.5, 20.5, 3)), label("unsearched", square(50, 50, 5)))
    scene = prepare_scene("genoa", rgb, np.ones((60, 60), bool), None, labels)
    assert scene.rgb[15:26, 15:26].max() < 60
    assert scene.rgb[50, 50].max() == 0
    assert len(scene.corners) == 0


def test_water_leaves_out_quays_and_labelled_ships() -> None:
    scene = harbour()
    assert scene.water[50, 200]
    assert not scene.water[50, 50]
    assert not scene.water[150, 200]


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turned_stamps_box_still_holds_its_hull(stamps: list[Stamp], turns: int, mirrored: bool) -> None:
    for stamp in (s for s in stamps if len(s.hulls) == 1 and s.through.shape[0] > 9):
        moved = turned(stamp, turns, mirrored=mirrored)
        taken = 1 - moved.through.mean(-1)
        covered = np.where(taken > 0.5, taken, 0)
        if covered.sum() < 4:
            continue
        rows, cols = np.indices(covered.shape) - covered.shape[0] // 2
        centre = np.array([(cols * covered).sum(), (rows * covered).sum()]) / covered.sum()
        np.testing.assert_allclose(centre, moved.hulls[0].mean(0), atol=2.0)


def test_four_quarter_turns_change_nothing(stamps: list[Stamp]) -> None:
    moved = turned(turned(stamps[0], 3, mirrored=False), 1, mirrored=False)
    np.testing.assert_array_equal(moved.light, stamps[0].light)
    np.testing.assert_allclose(moved.corners, stamps[0].corners, atol=1e-5)


def test_real_ships_that_lie_free_are_cut_with_their_boxes() -> None:
    cut = list(real_stamps(harbour(), np.random.default_rng(1), variants=3))
    assert len(cut) == 3
    for stamp in cut:
        middle = stamp.through.shape[0] // 2
        assert stamp.through[middle, middle].max() < 0.2
        assert stamp.through[0, 0].min() == 1.0


def test_the_same_number_gives_the_same_crop_and_another_number_another(stamps: list[Stamp]) -> None:
    composer = Composer([harbour()], stamps, [])
    first, again, other = (composer.compose(np.random.default_rng([1, n]), 1.0) for n in (5, 5, 6))
    np.testing.assert_array_equal(first.image, again.image)
    assert (first.image != other.image).any()


def test_every_box_has_its_centre_in_the_crop_and_a_class(stamps: list[Stamp]) -> None:
    composer = Composer([harbour()], stamps, list(real_stamps(harbour(), np.random.default_rng(1))))
    boxes = 0
    for number in range(40):
        crop = composer.compose(np.random.default_rng([2, number]), 1.0)
        assert crop.image.shape == (CROP_PX, CROP_PX, 3)
        assert len(crop.corners) == len(crop.classes)
        centres = crop.corners.mean(1)
        assert ((centres > 0) & (centres < CROP_PX)).all()
        boxes += len(crop.classes)
    assert boxes > 40


def test_no_simulated_hull_is_laid_on_land(stamps: list[Stamp]) -> None:
    red = np.full((300, 300, 3), (200, 10, 10), np.uint8)
    land = TrainingScene(
        "gdynia", red, np.zeros((300, 300), bool), np.zeros((0, 4, 2), np.float32), np.zeros(0, np.int64)
    )
    crops = [Composer([land], stamps, []).compose(np.random.default_rng([3, n]), 1.0) for n in range(30)]
    on_land = [crop for crop in crops if np.median(crop.image[..., 0]) > 4 * np.median(crop.image[..., 2])]
    assert len(on_land) > 15
    assert all(len(crop.classes) == 0 for crop in on_land)


def test_boxes_are_written_long_side_first_at_any_turn() -> None:
    for angle in np.linspace(0, np.pi, 9):
        along = np.array([np.cos(angle), np.sin(angle)]) * 10
        across = np.array([-np.sin(angle), np.cos(angle)]) * 2
        corners = np.array([[along + across, along - across, -along - across, -along + across]])
        for start in range(4):
            ((_, _, length, width, turn),) = long_side_first(np.roll(corners, start, axis=1))
            assert (length, width) == (pytest.approx(20), pytest.approx(4))
            assert -np.pi / 4 <= turn < 3 * np.pi / 4 + 1e-9
            assert np.sin(turn - angle) == pytest.approx(0, abs=1e-9)


def test_corners_and_sides_are_two_ways_to_write_one_box() -> None:
    boxes = np.array([[10.0, 20.0, 8.0, 2.0, 0.4], [30.0, 5.0, 12.0, 3.0, 2.0]])
    np.testing.assert_allclose(long_side_first(box_corners(boxes)), boxes, atol=1e-9)


def test_a_batch_keeps_which_box_belongs_to_which_crop(stamps: list[Stamp]) -> None:
    composer = Composer([harbour()], stamps, [])
    crops = [composer.compose(np.random.default_rng([4, n]), 1.0) for n in range(6)]
    images, targets = collate(crops)
    assert images.shape == (6, 3, CROP_PX, CROP_PX)
    counts = np.bincount(targets["batch_idx"].int().numpy(), minlength=6)
    assert counts.tolist() == [len(crop.classes) for crop in crops]
    assert float(targets["bboxes"][:, :4].max()) < 3.0


def test_simulated_hulls_come_first_and_real_ones_last() -> None:
    config = TrainConfig()
    assert simulated_share(0, config) > simulated_share(config.steps - 1, config)


def test_surf_breaks_along_the_shore_and_nowhere_else_and_no_hull_lies_in_it() -> None:
    water = np.zeros((CROP_PX, CROP_PX), bool)
    water[:, 60:] = True
    for seed in range(20):
        canvas = _Canvas(
            np.where(water, 0.05, 0.4).astype(np.float32)[..., None].repeat(3, -1), water.copy(), [], []
        )
        _lay_surf(canvas, np.random.default_rng(seed))
        risen = canvas.image[..., 0] - np.where(water, 0.05, 0.4) > 0.2
        assert not risen[:, :58].any()
        assert not risen[:, 95:].any()
        assert not (canvas.water & risen).any()
        if risen.any():
            return
    pytest.fail("no surf in 20 crops")


def test_surf_needs_a_shore() -> None:
    canvas = _Canvas(
        np.full((CROP_PX, CROP_PX, 3), 0.05, np.float32), np.ones((CROP_PX, CROP_PX), bool), [], []
    )
    _lay_surf(canvas, np.random.default_rng(0))
    assert canvas.water.all()
    assert np.ptp(canvas.image) == 0


def test_practice_scenes_weigh_together_as_one_real_place() -> None:
    scenes = [
        replace(harbour(), scene_id=name) for name in ("gdynia_a", "gdynia_b", "practice-7-1", "practice-7-2")
    ]
    assert _weights(scenes) == pytest.approx([0.25] * 4)
    assert _weights([*scenes, replace(harbour(), scene_id="practice-7-3")]) == pytest.approx(
        [0.25, 0.25, 1 / 6, 1 / 6, 1 / 6]
    )
