from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rasterio.errors import NotGeoreferencedWarning

from roadstead.core.errors import ReadError, SceneError
from roadstead.imagery import SIGMA_S, Mosaic, group_overpasses, open_geotiff, open_scene
from roadstead.imagery.optical.stack import Block
from tests import builders as b

SEEN = datetime(2022, 8, 12, 10, 30, 31, tzinfo=UTC)


def _write(path: Path, dn: np.ndarray, **changes: Any) -> str:
    if dn.dtype != np.uint8 and len(np.unique(dn[-1])) < 3:
        changes = {"names": ("red", "green", "blue", "nir")[: len(dn)], **changes}
    return str(b.write_tiff(path, dn, **changes))


def _dn(*values: int, dtype: Any = np.uint16) -> np.ndarray:
    return np.stack([np.full((20, 30), value, dtype) for value in values])


def _read(path: str) -> Block:
    (overpass,) = group_overpasses([open_geotiff(path)], None)
    with Mosaic(overpass) as mosaic:
        return mosaic.read(mosaic.grid.window)


def test_bands_go_by_description_in_any_order_and_by_either_name(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.tif", _dn(40, 10, 20, 30), names=("B08", "blue", "green", "B04"))
    assets = open_geotiff(path).assets
    assert {name: asset.band for name, asset in assets.items()} == {"nir": 1, "blue": 2, "green": 3, "red": 4}


def test_bands_go_by_the_names_that_earth_engine_gives(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.tif", _dn(20, 30, 40, 50), names=("B2", "B3", "B4", "B8"))
    assets = open_geotiff(path).assets
    assert {name: asset.band for name, asset in assets.items()} == {"blue": 1, "green": 2, "red": 3, "nir": 4}


def test_bands_of_other_names_are_not_taken_by_order(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"no band red, green, blue; .* described as swir16, swir22, lwir"):
        open_geotiff(_write(tmp_path / "a.tif", _dn(1, 2, 3), names=("swir16", "swir22", "lwir")))


def test_bands_without_description_are_red_green_blue_nir(tmp_path: Path) -> None:
    dn = _dn(300, 500, 600, 100)
    dn[3, 5, 5:8] = 90, 80, 70
    block = _read(_write(tmp_path / "a.tif", dn))
    assert block.rgb[:, 0, 0] == pytest.approx(np.array([0.03, 0.05, 0.06]) / 0.3558, rel=1e-5)
    assert block.nir is not None
    assert block.nir[0, 0] == pytest.approx(0.01)


def test_a_scale_tag_wins_over_the_default(tmp_path: Path) -> None:
    block = _read(_write(tmp_path / "a.tif", _dn(100, 200, 300), scale=0.0002))
    assert block.rgb[0, 0, 0] == pytest.approx(0.02 / 0.3558, rel=1e-5)


def test_floats_are_reflectance_already(tmp_path: Path) -> None:
    dn = _dn(0, 0, 0, dtype=np.float32) + np.float32(0.1779)
    dn[:, 0] = np.nan
    block = _read(_write(tmp_path / "a.tif", dn, nodata=np.nan))
    assert block.rgb[:, 5, 5] == pytest.approx([0.5] * 3, rel=1e-5)
    assert not block.valid[0].any()
    assert block.valid[1:].all()


def test_three_bands_of_eight_bits_are_true_colour(tmp_path: Path) -> None:
    block = _read(_write(tmp_path / "a.tif", _dn(255, 51, 102, dtype=np.uint8)))
    assert block.rgb[:, 0, 0] == pytest.approx([1.0, 0.2, 0.4], abs=1e-6)
    assert block.nir is None


def test_eight_bits_go_by_description_too_and_leave_near_infrared_out(tmp_path: Path) -> None:
    dn = _dn(9, 102, 51, 255, dtype=np.uint8)
    block = _read(_write(tmp_path / "a.tif", dn, names=("nir", "blue", "green", "red")))
    assert block.rgb[:, 0, 0] == pytest.approx([1.0, 0.2, 0.4], abs=1e-6)
    assert block.nir is None


def test_infinite_numbers_are_no_data(tmp_path: Path) -> None:
    dn = _dn(0, 0, 0, dtype=np.float32) + np.float32(0.1779)
    dn[:, 0] = np.inf
    block = _read(_write(tmp_path / "a.tif", dn))
    assert not block.valid[0].any()
    assert block.valid[1:].all()


def test_no_data_wedges_are_honoured(tmp_path: Path) -> None:
    dn = _dn(100, 200, 300, 50)
    dn[:, :5] = 0
    dn[0, 10] = 0
    for nodata in (0, None):
        block = _read(_write(tmp_path / "a.tif", dn, nodata=nodata))
        assert not block.valid[:5].any()
        assert block.valid[5:].all()


def test_another_no_data_value_is_honoured(tmp_path: Path) -> None:
    dn = _dn(100, 200, 300, 50)
    dn[:, :5] = 65535
    block = _read(_write(tmp_path / "a.tif", dn, nodata=65535))
    assert not block.valid[:5].any()
    assert block.valid[5:].all()


@pytest.mark.parametrize(
    "text",
    ["2022:08:12 10:30:31", "2022-08-12T10:30:31Z", "2022-08-12 10:30:31", "2022-08-12T12:30:31+02:00"],
)
def test_the_time_is_read_from_the_tag_as_utc(tmp_path: Path, text: str) -> None:
    scene = open_geotiff(_write(tmp_path / "a.tif", _dn(1, 2, 3), time=text))
    assert scene.acquired == SEEN
    assert (scene.acquired_source, scene.acquired_sigma_s) == ("datatake_start", SIGMA_S["datatake_start"])


def test_a_given_time_wins(tmp_path: Path) -> None:
    given = datetime(2020, 1, 1, 2, 3, tzinfo=UTC)
    scene = open_scene(_write(tmp_path / "a.tif", _dn(1, 2, 3)), acquired=given)
    assert (scene.acquired, scene.acquired_sigma_s) == (given, 60.0)


@pytest.mark.parametrize("text", [None, "yesterday"])
def test_without_a_time_the_error_says_which_flag_to_give(tmp_path: Path, text: str | None) -> None:
    path = _write(tmp_path / "a.tif", _dn(1, 2, 3), time=text)
    with pytest.raises(SceneError, match=r"a\.tif.*TIFFTAG_DATETIME.*--acquired"):
        open_geotiff(path)


def test_too_few_bands_are_named(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"a\.tif: no band green, blue; it has 1 band"):
        open_geotiff(_write(tmp_path / "a.tif", _dn(7), names=None))


def test_a_geotiff_without_crs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"a\.tif: has no CRS"):
        open_geotiff(_write(tmp_path / "a.tif", _dn(1, 2, 3), crs=None))
    with pytest.warns(NotGeoreferencedWarning):
        placeless = _write(tmp_path / "b.tif", _dn(1, 2, 3), transform=None)
    with pytest.raises(SceneError, match=r"b\.tif: has no geotransform"):
        open_geotiff(placeless)


def test_a_file_that_is_not_there_or_no_raster_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"none\.tif: cannot be read"):
        open_scene(str(tmp_path / "none.tif"))
    (tmp_path / "text.tif").write_text("not a raster", encoding="utf-8")
    with pytest.raises(ReadError, match=r"text\.tif: cannot be read"):
        open_scene(str(tmp_path / "text.tif"))
