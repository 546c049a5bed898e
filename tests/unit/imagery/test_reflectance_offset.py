from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from roadstead.imagery.optical.reflectance_offset import offset_is_applied, with_checked_offset
from roadstead.imagery.stac.item import open_item
from tests import builders as b

FRAME = b.grid(120, 100)
FLAG = "earthsearch:boa_offset_applied"


def item(folder: Path, *, offset_in_pixels: bool, says_applied: bool | None) -> str:
    shift = 0 if offset_in_pixels else -1000
    dn = {band: (image.astype(int) + shift).astype(np.uint16) for band, image in b.water(FRAME).items()}
    flags = {} if says_applied is None else {FLAG: says_applied}
    return str(b.write_item(folder, "x", FRAME, dn, properties={**b.SENSING, **flags}))


@pytest.mark.parametrize("says_applied", [True, False])
@pytest.mark.parametrize("offset_in_pixels", [True, False])
def test_the_pixels_are_believed_where_the_item_may_be_wrong(
    tmp_path: Path, offset_in_pixels: bool, says_applied: bool
) -> None:
    scene = with_checked_offset(
        open_item(item(tmp_path, offset_in_pixels=offset_in_pixels, says_applied=says_applied))
    )
    expected = -0.1 if offset_in_pixels else 0.0
    assert {scene.assets[band].offset for band in ("red", "green", "blue", "nir")} == {expected}


def test_an_item_that_says_nothing_of_the_kind_is_not_read(tmp_path: Path) -> None:
    scene = open_item(item(tmp_path, offset_in_pixels=True, says_applied=None))
    assert with_checked_offset(scene) is scene


def test_before_baseline_4_there_is_no_offset_to_ask_for(tmp_path: Path) -> None:
    path = b.write_item(
        tmp_path, "old", FRAME, properties={**b.SENSING, "s2:processing_baseline": "02.14", FLAG: False}
    )
    scene = open_item(str(path))
    assert with_checked_offset(scene) is scene


def test_a_bright_scene_cannot_tell() -> None:
    assert offset_is_applied(np.full((50, 50), 4000, np.uint16)) is None
    assert offset_is_applied(np.zeros((50, 50), np.uint16)) is None


@pytest.mark.parametrize("offset_in_pixels", [True, False])
def test_where_an_item_says_nothing_the_pixels_tell(tmp_path: Path, offset_in_pixels: bool) -> None:
    shift = 0 if offset_in_pixels else 1000
    dn = {band: (image - shift).astype(np.uint16) for band, image in b.water(FRAME).items()}
    scene = with_checked_offset(
        open_item(str(b.write_item(tmp_path, "x", FRAME, dn, properties={}, raster={})))
    )
    assert {scene.assets[band].offset for band in ("red", "green", "blue", "nir")} == {
        -0.1 if offset_in_pixels else 0.0
    }


def test_a_scale_that_an_item_states_is_believed(tmp_path: Path) -> None:
    scene = open_item(str(b.write_item(tmp_path, "x", FRAME, properties={}, raster={"scale": 0.0001})))
    assert with_checked_offset(scene) is scene
