"""Pixels around a place are the provider's own numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rasterio.io import MemoryFile

from roadstead.core.errors import SceneError
from roadstead.core.geo import xy_to_lonlat
from roadstead.imagery import cut_out, open_item, open_scene
from tests import builders as b

FRAME = b.grid()


def lonlat(col: float, row: float) -> tuple[float, float]:
    lon, lat = xy_to_lonlat(FRAME.colrow_to_xy(np.array([[col, row]])), FRAME.crs)[0]
    return float(lon), float(lat)


def patterned() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    shape = (FRAME.height, FRAME.width)
    return {band: rng.integers(1001, 3000, shape, np.uint16) for band in ("red", "green", "blue", "nir")}


def test_a_cut_out_holds_every_band_as_it_is_in_the_file(tmp_path: Path) -> None:
    dn = patterned()
    cut = cut_out(open_item(str(b.write_item(tmp_path, "S2", FRAME, dn))), *lonlat(60.5, 50.5), side_px=20)
    assert cut.bands[:4] == ("red", "green", "blue", "nir")
    for index, band in enumerate(cut.bands[:4]):
        assert np.array_equal(cut.dn[index], dn[band][40:60, 50:70])


def test_its_geotiff_lies_where_the_pixels_lie_and_is_the_same_each_time(tmp_path: Path) -> None:
    scene = open_item(str(b.write_item(tmp_path, "S2", FRAME, patterned())))
    cut = cut_out(scene, *lonlat(60.5, 50.5), side_px=20)
    first, again = (cut.geotiff({"ROADSTEAD_SCENE": "S2"}) for _ in range(2))
    assert first == again
    with MemoryFile(first) as memory, memory.open() as dataset:
        assert dataset.crs == FRAME.crs
        assert dataset.descriptions == cut.bands
        assert dataset.tags()["ROADSTEAD_SCENE"] == "S2"
        assert dataset.transform @ (10.5, 10.5) == pytest.approx(FRAME.transform @ (60.5, 50.5))
        assert np.array_equal(dataset.read(), cut.dn)


def test_at_the_edge_of_a_scene_it_is_cut_off_and_outside_there_is_none(tmp_path: Path) -> None:
    scene = open_item(str(b.write_item(tmp_path, "S2", FRAME, patterned())))
    assert cut_out(scene, *lonlat(2.5, 50.5), side_px=20).dn.shape[1:] == (20, 12)
    with pytest.raises(SceneError, match="lies outside"):
        cut_out(scene, *lonlat(-50, 50), side_px=20)


def test_numbers_of_a_float_raster_stay_what_they_are(tmp_path: Path) -> None:
    dn = np.full((4, FRAME.height, FRAME.width), 0.2, np.float32)
    path = b.write_tiff(
        tmp_path / "a.tif", dn, names=("red", "green", "blue", "nir"), transform=FRAME.transform
    )
    cut = cut_out(open_scene(str(path)), *lonlat(60.5, 50.5), side_px=20)
    assert cut.dn.dtype == np.float32 and np.allclose(cut.dn, 0.2)
    with MemoryFile(cut.geotiff()) as memory, memory.open() as dataset:
        assert np.allclose(dataset.read(), 0.2)


def test_a_place_beside_the_scene_has_no_cut_out_that_does_not_hold_it(tmp_path: Path) -> None:
    scene = open_item(str(b.write_item(tmp_path, "S2", FRAME, patterned())))
    assert cut_out(scene, *lonlat(0.0, 50.5), side_px=20).grid.width == 10
    with pytest.raises(SceneError, match="lies outside of it"):
        cut_out(scene, *lonlat(-8.0, 50.5), side_px=20)
