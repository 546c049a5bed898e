"""Which band of a plain raster is which, where it was imaged, and what its numbers mean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import ColorInterp

from roadstead.core.errors import SceneError
from roadstead.imagery import Block, Mosaic, group_overpasses, open_geotiff, open_item
from roadstead.imagery.optical.band_roles import (
    BandFacts,
    holds_offset,
    looks_like_water_in_order,
    resolve_roles,
)
from tests import builders as b
from tests.worlds import FRAME, water_with_ships

NAMES = ("red", "green", "blue", "nir")
EDGE = np.s_[:, :40]
"""Rows without data."""


def ships() -> NDArray[np.uint16]:
    """Return reflectance x 10000 of two ships on clear water: red, green, blue, nir."""
    return np.stack([np.clip(band, 1001, None) - 1000 for band in water_with_ships().values()])


def silt() -> NDArray[np.uint16]:
    """Return two ships on water with silt: redder than blue."""
    return (ships() + np.array([900, 700, 300, 300])[:, None, None]).astype(np.uint16)


def eight_bits() -> NDArray[np.uint8]:
    return np.clip(ships() / 3558 * 255, 1, 255).astype(np.uint8)


def read(path: Path, **options: Any) -> Block:
    (overpass,) = group_overpasses([open_geotiff(str(path), **options)], None)
    with Mosaic(overpass) as mosaic:
        return mosaic.read(mosaic.grid.window)


def write(path: Path, dn: NDArray[Any], **changes: Any) -> Path:
    return b.write_tiff(path, dn, **{"transform": FRAME.transform, **changes})


def roles(dn: NDArray[Any], **facts: Any) -> tuple[Mapping[str, int], int | None]:
    count = len(dn)
    told = {"descriptions": [None] * count, "colours": ["undefined"] * count, "scale": 1e-4, **facts}
    found = resolve_roles("a.tif", BandFacts(sample=dn.reshape(count, -1), **told))
    return found.index, found.mask


def in_order(*names: str) -> dict[str, int]:
    return {name: number for number, name in enumerate(names, start=1)}


def test_a_stack_without_names_is_in_our_order_where_its_water_says_so() -> None:
    assert roles(ships()) == (in_order(*NAMES), None)


def test_three_bands_of_eight_bits_without_names_are_true_colour() -> None:
    assert roles(eight_bits()[:3]) == (in_order(*NAMES[:3]), None)


def test_three_bands_of_sixteen_bits_without_names_tell_nothing() -> None:
    """Near infrared, red and green of clear water look like red, green and blue."""
    with pytest.raises(SceneError, match="--bands red=1,green=2,blue=3 or --bands red=3,green=2,blue=1, or"):
        roles(ships()[:3])


@pytest.mark.parametrize("order", [(2, 1, 0, 3), (2, 1, 0), (3, 0, 1, 2), (3, 2, 1, 0)])
@pytest.mark.parametrize("image", [ships, silt])
def test_a_stack_without_names_in_another_order_is_refused(image: Any, order: tuple[int, ...]) -> None:
    with pytest.raises(
        SceneError, match="does not tell in which order they are; name them, with --bands red=1"
    ):
        roles(image()[list(order)])


def test_a_stack_without_names_over_silt_does_not_tell_its_order() -> None:
    with pytest.raises(SceneError, match="does not tell in which order"):
        roles(silt())


@pytest.mark.parametrize("count", [5, 6, 11, 12, 13])
def test_more_than_four_bands_without_names_are_refused(count: int) -> None:
    with pytest.raises(SceneError, match=rf"a\.tif: has {count} bands without names.*--bands red=4"):
        roles(np.resize(ships(), (count, 240, 260)))


def test_named_by_the_user_any_stack_is_read(tmp_path: Path) -> None:
    stack = np.resize(ships(), (12, 240, 260))
    stack[[3, 2, 1, 7]] = ships()
    path = write(tmp_path / "a.tif", stack)
    block = read(path, bands={"red": 4, "green": 3, "blue": 2, "nir": 8})
    assert block.rgb[0, 0, 0] == pytest.approx(stack[3, 0, 0] / 3558, rel=1e-4)
    assert block.nir is not None
    assert block.nir[0, 0] == pytest.approx(stack[7, 0, 0] / 1e4, rel=1e-4)


@pytest.mark.parametrize(
    ("bands", "words"),
    [
        ({"red": 1, "green": 2}, "--bands names no blue"),
        ({"red": 1, "green": 2, "blue": 5}, r"has 4 band\(s\), so blue=5 is none of them"),
    ],
)
def test_bands_that_the_user_names_wrongly_are_said(
    bands: dict[str, int], words: str, tmp_path: Path
) -> None:
    with pytest.raises(SceneError, match=words):
        read(write(tmp_path / "a.tif", ships()), bands=bands)


@pytest.mark.parametrize("values", [(65535,), (1,), (0, 1), (0, 255), (0, 10000), (0, 65535)])
def test_a_mask_at_the_end_is_no_near_infrared_and_hides_what_it_hides(
    values: tuple[int, ...], tmp_path: Path
) -> None:
    dn = ships()
    dn[3] = values[-1]
    if len(values) > 1:
        dn[3][EDGE[1:]] = 0
        dn[:3][EDGE] = 9000
    block = read(write(tmp_path / "a.tif", dn, names=(*NAMES[:3], "")))
    assert block.nir is None
    assert block.valid[40:].all()
    assert block.valid[:40].any() == (len(values) == 1)


@pytest.mark.parametrize("name", ["alpha", "dataMask", "mask"])
def test_a_band_described_as_a_mask_is_one(name: str, tmp_path: Path) -> None:
    dn = np.concatenate([np.ones((1, 240, 260), np.uint16), ships()])
    dn[0, :40] = 0
    block = read(write(tmp_path / "a.tif", dn, names=(name, *NAMES)))
    assert block.nir is not None
    assert not block.valid[:40].any()
    assert block.valid[40:].all()


def test_a_transparent_white_border_is_not_searched(tmp_path: Path) -> None:
    dn = eight_bits()
    dn[3], dn[EDGE] = 255, 255
    dn[3, :40] = 0
    block = read(write(tmp_path / "a.tif", dn, photometric="RGB", alpha="YES"))
    assert not block.valid[:40].any()
    assert block.valid[40:].all()


def test_a_fourth_band_of_eight_bits_that_is_an_image_hides_nothing(tmp_path: Path) -> None:
    """GDAL calls any fourth band of 8 bits alpha."""
    path = write(tmp_path / "a.tif", eight_bits())
    with rasterio.open(path) as dataset:
        assert dataset.colorinterp[3] == ColorInterp.alpha
    block = read(path)
    assert block.nir is None
    assert block.valid.all()


@pytest.mark.parametrize("overviews", [False, True])
def test_the_files_own_mask_is_honoured_in_overviews_too(overviews: bool, tmp_path: Path) -> None:
    dn, seen = eight_bits()[:3], np.full((240, 260), 255, np.uint8)
    dn[EDGE], seen[:40] = 255, 0
    path = tmp_path / "a.tif"
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        write(path, dn)
        with rasterio.open(path, "r+") as dataset:
            dataset.write_mask(seen)
            if overviews:
                dataset.build_overviews([2, 4])
    (overpass,) = group_overpasses([open_geotiff(str(path))], None)
    with Mosaic(overpass) as mosaic:
        block = mosaic.read(mosaic.grid.window)
        frame, area = mosaic.grid.footprint_lonlat, mosaic.valid_area()
    assert not block.valid[:40].any()
    assert block.valid[40:].all()
    assert area.area / frame.area == pytest.approx(200 / 240, abs=0.01)


def test_the_mask_of_an_items_raster_is_honoured(tmp_path: Path) -> None:
    item = b.write_item(tmp_path, "S2", FRAME, water_with_ships(), properties={})
    seen = np.full((240, 260), 255, np.uint8)
    seen[:40] = 0
    for band in NAMES[:3]:
        raster = item.parent / f"{band}.tif"
        raster.unlink()
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
            write(raster, water_with_ships()[band][None])
            with rasterio.open(raster, "r+") as dataset:
                dataset.write_mask(seen)
    (overpass,) = group_overpasses([open_item(str(item))], None)
    with Mosaic(overpass) as mosaic:
        block = mosaic.read(mosaic.grid.window)
    assert not block.valid[:40].any()
    assert block.valid[40:].all()


@pytest.mark.parametrize(
    ("crs", "at"),
    [
        ("EPSG:4326", Affine(0.0001, 0, 124.84, 0, -0.0001, 38.74)),
        (b.CRS, FRAME.transform @ Affine.rotation(20)),
    ],
    ids=["degrees", "rotated"],
)
def test_nothing_of_what_a_mask_hides_is_mixed_into_a_warped_image(
    crs: str, at: Affine, tmp_path: Path
) -> None:
    dn = eight_bits()
    dn[:3, :, :] = np.array([20, 35, 42])[:, None, None]
    dn[3], dn[:3, :40] = 255, 255
    dn[3, :40] = 0
    block = read(write(tmp_path / "a.tif", dn, crs=crs, transform=at, photometric="RGB", alpha="YES"))
    assert 0.45 < block.valid.mean()
    assert block.rgb[:, block.valid].max() < 0.25


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int32])
@pytest.mark.parametrize("mark", [-9999, -32768])
def test_a_mark_of_no_data_that_no_tag_names_is_known_by_being_impossible(
    dtype: Any, mark: int, tmp_path: Path
) -> None:
    dn = ships().astype(dtype) / (1e4 if np.issubdtype(dtype, np.floating) else 1)
    dn = dn.astype(dtype)
    dn[EDGE] = mark
    block = read(write(tmp_path / "a.tif", dn))
    assert not block.valid[:40].any()
    assert block.valid[40:].all()


def test_a_second_mark_of_no_data_beside_the_tagged_one_is_not_searched(tmp_path: Path) -> None:
    dn = ships().astype(np.float32) / 1e4
    dn[EDGE], dn[:, 40:50] = -9999.0, -32768.0
    block = read(write(tmp_path / "a.tif", dn, nodata=-9999.0))
    assert not block.valid[:50].any()
    assert block.valid[50:].all()


@pytest.mark.parametrize("image", [ships, silt])
def test_the_offset_is_taken_off_where_it_is_in_every_band(image: Any, tmp_path: Path) -> None:
    plain = read(write(tmp_path / "a.tif", image(), names=NAMES))
    shifted = read(write(tmp_path / "b.tif", (image() + 1000).astype(np.uint16), names=NAMES))
    assert np.allclose(plain.rgb, shifted.rgb, atol=1e-6)
    assert plain.nir is not None
    assert shifted.nir is not None
    assert np.allclose(plain.nir, shifted.nir, atol=1e-6)


def test_the_order_of_bands_is_told_with_the_offset_in_them(tmp_path: Path) -> None:
    block = read(write(tmp_path / "a.tif", (ships() + 1000).astype(np.uint16)))
    assert np.allclose(block.rgb, np.clip(ships()[:3] / 3558, 0, 1), atol=1e-3)


def test_a_scale_or_offset_that_the_file_tells_is_believed(tmp_path: Path) -> None:
    block = read(write(tmp_path / "a.tif", (ships() + 1000).astype(np.uint16), names=NAMES, scale=5e-5))
    assert block.rgb[0, 0, 0] == pytest.approx((ships()[0, 0, 0] + 1000) * 5e-5 / 0.3558, rel=1e-4)


@pytest.mark.parametrize("gain", [6.5535, 6.5535 * 2.5])
def test_gains_of_a_portal_are_refused(gain: float, tmp_path: Path) -> None:
    """A portal writes 16 bits as reflectance x 65535, at times brightened by 2.5."""
    dn = ships().astype(float)
    dn[:3, 100:130, 100:200] = 4500
    path = write(tmp_path / "a.tif", np.clip(dn * gain, 0, 65535).astype(np.uint16), names=NAMES)
    with pytest.raises(SceneError, match=r"a\.tif: .*a portal's gain"):
        open_geotiff(str(path))


def _real(shared_data: Path) -> list[NDArray[Any]]:
    """Return DN of red, green, blue, nir of every real image that has them, [4, pixels]."""
    found = []
    for folder in sorted((shared_data / "stac").glob("*/*/")):
        if (folder / "nir.tif").exists():
            found.append(np.stack([_first(folder / f"{band}.tif") for band in NAMES]).reshape(4, -1))
    for chip in sorted((shared_data / "s2_ais").glob("*/*.tif")):
        with rasterio.open(chip) as dataset:
            found.append(dataset.read().reshape(4, -1))
    return found


def _first(path: Path) -> NDArray[Any]:
    with rasterio.open(path) as dataset:
        return np.asarray(dataset.read(1))


@pytest.mark.shared_data
def test_no_real_image_is_taken_for_one_in_another_order_or_with_an_offset(shared_data: Path) -> None:
    images = _real(shared_data)
    assert len(images) >= 40
    told = [looks_like_water_in_order(dn * 1e-4) for dn in images]
    assert sum(told) >= 0.7 * len(images)
    for order in ((2, 1, 0, 3), (3, 0, 1, 2)):
        assert not any(looks_like_water_in_order(dn[list(order)] * 1e-4) for dn in images), order
    assert not any(holds_offset(dn) for dn in images)
    shifted = [holds_offset(np.where(dn > 0, dn + 1000, 0)) for dn in images]
    assert sum(shifted) >= len(images) - 1
