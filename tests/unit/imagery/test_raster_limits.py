"""A raster that would exhaust whoever reads it, or that names other files, is refused before a pixel is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from roadstead.core.errors import SceneError
from roadstead.imagery import Mosaic, Overpass, group_overpasses, open_geotiff, open_item
from roadstead.imagery.raster.reading import Raster, check_thinned
from tests import builders as b

FRAME = b.grid(120, 100)
PORT = b.port(FRAME)


def sparse(path: Path, side: int, pixel_m: float = 10.0, **changes: Any) -> Path:
    """Write a few kilobytes that say they are a raster of ``side`` x ``side`` pixels around the port."""
    corner = (b.LEFT - side * pixel_m / 2, b.TOP + side * pixel_m / 2)
    profile = {
        "driver": "GTiff", "width": side, "height": side, "count": 4, "dtype": "uint16", "crs": b.CRS,
        "transform": Affine(pixel_m, 0.0, corner[0], 0.0, -pixel_m, corner[1]), "SPARSE_OK": True, "BIGTIFF": "YES",
        "compress": "deflate", "tiled": True, "blockxsize": 4096, "blockysize": 4096, **changes,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        out.update_tags(TIFFTAG_DATETIME="2020:11:03 02:29:51")
    return path


def overpass(path: Path) -> Overpass:
    (found,) = group_overpasses([open_geotiff(str(path))], PORT)
    return found


def test_a_port_in_a_sparse_raster_of_160_billion_pixels_is_read_and_was_not_seen(tmp_path: Path) -> None:
    one = overpass(sparse(tmp_path / "a.tif", 400_000))
    with Mosaic(one, PORT.grid()) as mosaic:
        assert mosaic.visibility({"all": PORT.footprint}) == {"all": 0.0}


def test_the_whole_of_such_a_raster_is_not_looked_through(tmp_path: Path) -> None:
    one = overpass(sparse(tmp_path / "a.tif", 400_000))
    with pytest.raises(SceneError, match="160,000,000,000 pixels would have to be read"), Mosaic(one):
        pass


def test_too_many_pixels_in_one_zone_are_refused(tmp_path: Path) -> None:
    one = overpass(sparse(tmp_path / "a.tif", 400_000, 0.01))
    with pytest.raises(SceneError, match=r"pixels would have to be read.*larger pixels"):
        with Mosaic(one, PORT.grid()) as mosaic:
            mosaic.read(mosaic.grid.window)


@pytest.mark.parametrize(
    ("side", "changes", "said"),
    [
        (400_000, {"blockxsize": 32768, "blockysize": 32768}, "its blocks of 32768 x 32768 pixels take 8,590 MB"),
        (20_000, {"tiled": False, "blockxsize": None, "blockysize": 20_000}, "its blocks of 20000 x 20000 pixels"),
        (80_000, {"blockxsize": 16, "blockysize": 16, "count": 1}, "has 25,000,000 blocks of 16 x 16 pixels"),
        (16, {"count": 600, "blockxsize": 16, "blockysize": 16}, "has 600 bands"),
    ],
)  # fmt: skip
def test_absurd_blocks_and_bands_are_refused(
    tmp_path: Path, side: int, changes: dict[str, Any], said: str
) -> None:
    kept = {name: value for name, value in changes.items() if value is not None}
    if changes.get("tiled") is False:
        kept["blockxsize"] = side
    with pytest.raises(SceneError, match=said):
        Raster(str(sparse(tmp_path / "a.tif", side, **kept)))


@pytest.mark.parametrize("domain", ["OVERVIEWS", "GEOLOCATION"])
def test_a_raster_that_names_other_files_is_refused(tmp_path: Path, domain: str) -> None:
    path = b.write_item(tmp_path, "S2", FRAME).parent / "red.tif"
    other = b.write_tiff(tmp_path / "other.tif", np.ones((1, 50, 60), np.uint16))
    names = {"OVERVIEW_FILE": str(other), "X_DATASET": str(other)}
    with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as out:
        out.update_tags(ns=domain, **names)
    with pytest.raises(SceneError, match=rf"names other files \({domain}\)"):
        Raster(str(path))
    with pytest.raises(SceneError, match="names other files"):
        Raster(str(path), overview=0)


def test_a_vrt_is_opened_under_no_ending(tmp_path: Path) -> None:
    folder = b.write_item(tmp_path, "S2", FRAME).parent
    vrt = f"""<VRTDataset rasterXSize="120" rasterYSize="100"><VRTRasterBand dataType="UInt16" band="1"><SimpleSource>
    <SourceFilename>{folder}/green.tif</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"""
    for ending in (".tif", ".jp2", ".vrt", ""):
        (folder / f"lie{ending}").write_text(vrt)
        with pytest.raises(Exception, match="cannot be read"):
            Raster(str(folder / f"lie{ending}"))


def test_a_thin_view_is_read_from_overviews_or_not_at_all(tmp_path: Path) -> None:
    whole = b.write_tiff(tmp_path / "whole.tif", np.ones((1, 100, 120), np.uint16))
    with rasterio.open(whole) as dataset:
        check_thinned(dataset, 50, "a")
    with rasterio.open(sparse(tmp_path / "a.tif", 100_000, count=1)) as dataset:
        with pytest.raises(SceneError, match="10,000,000,000 pixels"):
            check_thinned(dataset, 256, "a")


def test_one_absurd_band_of_an_item_fails_the_item(tmp_path: Path) -> None:
    path = b.write_item(tmp_path, "S2", FRAME)
    sparse(path.parent / "nir.tif", 400_000, 0.01, count=1)
    (one,) = group_overpasses([open_item(str(path))], PORT)
    with pytest.raises(SceneError, match=r"nir\.tif: .* pixels would have to be read"):
        with Mosaic(one, PORT.grid()):
            pass
