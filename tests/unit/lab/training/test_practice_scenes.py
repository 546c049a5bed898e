"""Practice scenes as training sees them."""

from pathlib import Path

import numpy as np
import pytest

from roadstead.core.schemas import CLASSES
from roadstead_lab.simulate.practice.scene import PracticeScene, practice_scene
from roadstead_lab.training.evaluate import compared
from roadstead_lab.training.practice import as_training, labelled_hulls, practice_scenes
from roadstead_lab.training.stamps import LABEL_LONGER_M, LABEL_WIDER_M


@pytest.fixture(scope="module")
def scene() -> PracticeScene:
    return next(s for s in (practice_scene(3, n, 200) for n in range(20)) if len(list(labelled_hulls(s))) > 5)


def test_a_box_is_the_hull_with_the_margins_of_labels(scene: PracticeScene) -> None:
    taught, hulls = as_training("practice-3", scene), list(labelled_hulls(scene))
    assert len(taught.corners) == len(hulls)
    for box, class_, hull in zip(taught.corners, taught.classes, hulls, strict=True):
        assert CLASSES[class_] == hull.spec.class_
        assert np.hypot(*(box[0] - box[3])) * 10 == pytest.approx(
            hull.spec.length_m + LABEL_LONGER_M, abs=0.1
        )
        assert np.hypot(*(box[0] - box[1])) * 10 == pytest.approx(hull.spec.beam_m + LABEL_WIDER_M, abs=0.1)
        np.testing.assert_allclose(box.mean(0), hull.corners.mean(0), atol=1e-3)


def test_hulls_too_small_to_label_or_under_opaque_cloud_are_left_out(scene: PracticeScene) -> None:
    assert all(hull.spec.length_m >= 25 for hull in labelled_hulls(scene))
    scene.scl[:] = 9
    assert list(labelled_hulls(scene)) == []
    scene.scl[:] = 6


def test_water_is_neither_land_nor_hull(scene: PracticeScene) -> None:
    taught = as_training("practice-3", scene)
    assert not taught.water[scene.land_share > 0].any()
    for hull in labelled_hulls(scene):
        col, row = hull.corners.mean(0).astype(int)
        assert not taught.water[row, col]


def test_a_drawn_scene_is_read_from_the_cache_as_it_was(tmp_path: Path) -> None:
    (first,) = practice_scenes(tmp_path, 5, 1, workers=1)
    (again,) = practice_scenes(tmp_path, 5, 1, workers=1)
    np.testing.assert_array_equal(first.rgb, again.rgb)
    np.testing.assert_array_equal(first.corners, again.corners)


def test_a_model_held_against_another_gives_the_ratio_with_its_interval() -> None:
    def figures(recall: float, alarms: int, f1: float) -> dict[str, object]:
        strict = {"recall": recall, "n_ships": 100, "n_false_alarms": alarms, "f1": f1, "f1_95": [0.0, 1.0]}
        return {"model_id": "m", "sha256": "ab", "unseen": {"strict": strict}}

    held = compared(figures(0.5, 50, 0.5), figures(0.8, 20, 0.8))
    assert held["strict_f1_share"] == 0.625
    low, high = held["strict_f1_share_95"]
    assert 0.45 < low < 0.625 < high < 0.8
    assert held["n_ships"] == 100
