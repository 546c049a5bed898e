from pathlib import Path

import numpy as np
import pytest
import rasterio

from roadstead.core.errors import StoreError
from roadstead.imagery import write_gcp_tiff

PIXELS = (np.arange(600 * 700) % 65_000).astype(np.uint16).reshape(600, 700)
COLROW = np.array([[col, row] for row in (0.0, 300.0, 600.0) for col in (0.0, 350.5, 700.0)])
LONLAT = np.column_stack([125.0 + COLROW[:, 0] / 9e3, 38.0 - COLROW[:, 1] / 1.1e4])
HEIGHT = np.arange(9.0)


def test_the_file_is_placed_by_its_points_alone(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "vv.tif"
    write_gcp_tiff(path, PIXELS, COLROW, LONLAT, HEIGHT, tags={"TIFFTAG_DATETIME": "2020:11:03 09:40:12"})
    with rasterio.open(path) as found:
        points, crs = found.gcps
        assert found.crs is None and found.transform.is_identity and crs.to_epsg() == 4326
        assert np.array_equal(found.read(1), PIXELS) and found.nodata == 0
        assert found.tags()["TIFFTAG_DATETIME"] == "2020:11:03 09:40:12"
        assert found.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    told = np.array([[p.col, p.row, p.x, p.y, p.z] for p in points])
    assert told == pytest.approx(np.column_stack([COLROW, LONLAT, HEIGHT]), abs=1e-12)
    assert [file.name for file in path.parent.iterdir()] == ["vv.tif"]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.tif", "b.tif"):
        write_gcp_tiff(tmp_path / name, PIXELS, COLROW, LONLAT, HEIGHT)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_points_that_cannot_place_the_pixels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="control points of shapes"):
        write_gcp_tiff(tmp_path / "a.tif", PIXELS, COLROW, LONLAT, HEIGHT[:5])
    with pytest.raises(ValueError, match="control points of shapes"):
        write_gcp_tiff(tmp_path / "a.tif", PIXELS, COLROW[:2], LONLAT[:2], HEIGHT[:2])
    with pytest.raises(ValueError, match="is not one band"):
        write_gcp_tiff(tmp_path / "a.tif", PIXELS[None], COLROW, LONLAT, HEIGHT)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreError, match=r"a\.tif: cannot be written"):
        write_gcp_tiff(tmp_path / "file" / "a.tif", PIXELS, COLROW, LONLAT, HEIGHT)
