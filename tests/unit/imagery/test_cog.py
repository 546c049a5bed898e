from pathlib import Path

import numpy as np
import pytest
import rasterio

from roadstead.core.errors import StoreError
from roadstead.imagery import write_cog
from tests import builders as b

FRAME = b.grid(700, 600)
PIXELS = np.arange(2 * 600 * 700, dtype=np.uint32).reshape(2, 600, 700).astype(np.uint16)


def test_a_cog_keeps_pixels_place_names_and_tags(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "a.tif"
    write_cog(
        path,
        PIXELS,
        FRAME,
        nodata=0,
        band_names=["red", "nir"],
        tags={"TIFFTAG_DATETIME": "2020:11:03 02:29:51"},
    )
    with rasterio.open(path) as found:
        assert np.array_equal(found.read(), PIXELS)
        assert (found.crs.to_string(), found.transform) == (FRAME.crs, FRAME.transform)
        assert (found.descriptions, found.nodata) == (("red", "nir"), 0)
        assert found.tags()["TIFFTAG_DATETIME"] == "2020:11:03 02:29:51"
        assert found.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert found.overviews(1)
    assert [file.name for file in path.parent.iterdir()] == ["a.tif"]


def test_overviews_can_be_left_out(tmp_path: Path) -> None:
    write_cog(tmp_path / "a.tif", PIXELS, FRAME, overviews=False)
    with rasterio.open(tmp_path / "a.tif") as found:
        assert found.overviews(1) == []


def test_overviews_of_classes_hold_no_new_classes(tmp_path: Path) -> None:
    scl = np.random.default_rng(0).choice(np.array([4, 9], np.uint8), (1, 600, 700))
    write_cog(tmp_path / "a.tif", scl, FRAME, resampling="nearest")
    with rasterio.open(tmp_path / "a.tif", overview_level=0) as found:
        assert set(np.unique(found.read())) == {4, 9}


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.tif", "b.tif"):
        write_cog(tmp_path / name, PIXELS, FRAME, tags={"k": "v"})
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_an_array_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="on a grid of 600 x 700"):
        write_cog(tmp_path / "a.tif", PIXELS[:, :5], FRAME)


def test_a_file_that_cannot_be_written_leaves_the_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreError, match=r"a\.tif: cannot be written"):
        write_cog(tmp_path / "file" / "a.tif", PIXELS, FRAME)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / ".a.tmp.tif").symlink_to("/dev/full")
    (tmp_path / "a.tif").write_text("earlier", encoding="utf-8")
    with pytest.raises(StoreError, match=r"a\.tif: cannot be written"):
        write_cog(tmp_path / "a.tif", PIXELS, FRAME)
    assert (tmp_path / "a.tif").read_text(encoding="utf-8") == "earlier"
