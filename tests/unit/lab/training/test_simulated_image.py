"""Simulated images reach the detector as files do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from roadstead.core.geo import Window
from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead_lab.training.product import found_in
from roadstead_lab.training.simulated_image import SimulatedImage, detect_simulated, simulated_image
from tests.unit.detection.worlds import lamps


def reflectance(bands: int = 4) -> np.ndarray:
    """Return 200 pixels of black water with one lamp: a box of 150 m, 0.9 sure, at column 120, row 80."""
    image = np.zeros((bands, 200, 200), np.float32)
    image[:3, 80, 120] = np.array([0.9, 0.15, 0.25], np.float32) * VISUAL_FULL_SCALE
    return image


def found(image: SimulatedImage, folder: Path) -> list[tuple[int, int]]:
    model = lamps(folder)
    table = detect_simulated(image, model)
    assert table["simulated"].all()
    return [tuple(one.corners.mean(0).astype(int)) for one in found_in(table, image.grid)]


def test_a_hull_is_found_where_it_lies_and_said_to_be_simulated(tmp_path: Path) -> None:
    assert found(simulated_image(reflectance()), tmp_path) == [(120, 80)]


def test_what_is_not_valid_or_under_known_cloud_is_not_found(tmp_path: Path) -> None:
    valid = np.ones((200, 200), bool)
    valid[:, 100:] = False
    assert found(simulated_image(reflectance(), valid), tmp_path) == []
    cloudy = np.full((100, 100), 9, np.uint8)
    assert found(simulated_image(reflectance(), None, cloudy), tmp_path) == []


def test_near_infrared_is_reflectance_and_absent_from_true_colour() -> None:
    image = reflectance()
    image[3] = 0.3
    valid = np.ones((200, 200), bool)
    valid[0] = False
    block = simulated_image(image, valid).read(Window(10, 0, 20, 30))
    assert block.nir is not None
    assert np.isnan(block.nir[0]).all()
    assert block.nir[1:] == pytest.approx(0.3)
    assert block.scene_index[0, 0] == -1
    assert simulated_image(reflectance(3)).nir is None
