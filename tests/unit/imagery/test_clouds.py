import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadstead.imagery.visibility.clouds import Reflectance, check_margin_px, checked_cloud, cloud_mask

SIDE = 100
WATER = (0.03, 0.05, 0.06, 0.01)
SILT = (0.14, 0.14, 0.10, 0.05)
CONCRETE = (0.24, 0.22, 0.20, 0.28)
SOIL = (0.12, 0.10, 0.08, 0.24)
WHITE = (0.55, 0.55, 0.54, 0.56)
CLOUD = (0.62, 0.63, 0.65, 0.66)
Part = tuple[slice, slice]
QUAY: Part = np.s_[0:40, :]
"""Concrete; the quay's edge is at row 40."""


def _seen(*parts: tuple[Part, tuple[float, ...]], water: tuple[float, ...] = WATER) -> Reflectance:
    image = np.empty((4, SIDE, SIDE), np.float32)
    image[:] = np.array(water)[:, None, None]
    for where, level in parts:
        image[(slice(None), *where)] = np.array(level)[:, None, None]
    return Reflectance(*image)


def _scl(*cloud: Part, code: int = 9) -> np.ndarray:
    scl = np.full((SIDE, SIDE), 6, np.uint8)
    for where in cloud:
        scl[where] = code
    return scl


@pytest.mark.parametrize("water", [WATER, SILT])
def test_a_bright_quay_with_the_water_at_its_foot_is_not_cloud(water: tuple[float, ...]) -> None:
    scl, seen = _scl(np.s_[20:46, :]), _seen((QUAY, CONCRETE), water=water)
    assert cloud_mask(scl, 10.0)[20:46].all()
    assert not checked_cloud(scl, seen, 10.0).any()


def test_a_white_ship_at_a_quay_that_scl_calls_cloud_is_seen() -> None:
    ship = np.s_[41:45, 30:60]
    scl = _scl(np.s_[28:48, 20:70])
    assert cloud_mask(scl, 10.0)[ship].all()
    assert not checked_cloud(scl, _seen((QUAY, CONCRETE), (ship, WHITE)), 10.0)[ship].any()


def test_a_small_cloud_over_a_quay_is_cloud() -> None:
    cloud = np.s_[30:50, 40:60]
    found = checked_cloud(_scl(cloud), _seen((QUAY, CONCRETE), (cloud, CLOUD)), 10.0)
    assert found[cloud].all()
    assert found.sum() == 400


def test_thin_cloud_of_medium_probability_off_land_stays_cloud_though_the_water_is_dark() -> None:
    scl = _scl(np.s_[30:60, 30:60], code=8)
    assert checked_cloud(scl, _seen(), 10.0)[30:60, 30:60].all()


def test_cirrus_near_a_quay_stays_cloud() -> None:
    assert checked_cloud(_scl(np.s_[30:60, 30:60], code=10), _seen((QUAY, CONCRETE)), 10.0)[
        30:60, 30:60
    ].all()


@pytest.mark.parametrize("code", [2, 3, 6, 7])
def test_thick_cloud_over_water_that_scl_missed_is_cloud(code: int) -> None:
    cloud = np.s_[30:70, 30:70]
    scl = _scl(cloud, code=code)
    assert checked_cloud(scl, _seen((cloud, CLOUD)), 10.0)[cloud].all()


@pytest.mark.parametrize(
    ("where", "level", "code"),
    [
        pytest.param(np.s_[30:37, 20:60], WHITE, 6, id="the largest white ship"),
        pytest.param(np.s_[30:70, 30:70], WHITE, 5, id="a white roof"),
        pytest.param(np.s_[30:70, 30:70], WHITE, 11, id="sea ice, which SCL tells by short-wave infrared"),
        pytest.param(np.s_[30:70, 30:70], CONCRETE, 7, id="a yard of concrete"),
        pytest.param(np.s_[:, :], SILT, 6, id="silt"),
    ],
)
def test_what_is_bright_and_no_cloud_is_not_missed_cloud(
    where: Part, level: tuple[float, ...], code: int
) -> None:
    assert not checked_cloud(_scl(where, code=code), _seen((where, level)), 10.0).any()


def test_off_land_a_white_cloud_of_a_hundred_metres_is_cloud_and_a_white_ship_is_not() -> None:
    cloud, ship = np.s_[20:30, 20:30], np.s_[60:66, 20:60]
    found = checked_cloud(_scl(cloud, ship), _seen((cloud, CLOUD), (ship, WHITE)), 10.0)
    assert found[cloud].any()
    assert not found[50:].any()


def test_the_ragged_edge_of_a_cloud_is_cloud() -> None:
    cloud, rag = np.s_[20:50, 20:50], np.s_[30:34, 50:60]
    scl = _scl(cloud, rag)
    assert not cloud_mask(scl, 10.0)[rag].any()
    assert checked_cloud(scl, _seen((cloud, CLOUD), (rag, CLOUD)), 10.0)[rag].all()


def test_without_near_infrared_scl_stands_as_it_is() -> None:
    scl = _scl(np.s_[20:46, :])
    assert np.array_equal(checked_cloud(scl, None, 10.0), cloud_mask(scl, 10.0))


@given(st.integers(0, 2**32 - 1), st.sampled_from([10.0, 20.0, 40.0]))
def test_blocks_read_with_the_margin_agree_with_the_whole(seed: int, pixel_m: float) -> None:
    rng, margin = np.random.default_rng(seed), check_margin_px(pixel_m)
    side = 20 + 2 * margin
    coarse = rng.integers(0, 4, (side // 8 + 2,) * 2).repeat(8, axis=0).repeat(8, axis=1)[:side, :side]
    levels = np.array([WATER, CONCRETE, CLOUD, SOIL], np.float32)[coarse]
    levels += rng.normal(0, 0.02, levels.shape).astype(np.float32)
    bands = np.moveaxis(levels, 2, 0)
    scl = rng.choice(np.array([6, 8, 9, 10, 7, 0], np.uint8), (side // 5 + 1,) * 2).repeat(5, axis=0)
    scl = np.ascontiguousarray(scl.repeat(5, axis=1)[:side, :side])
    whole = checked_cloud(scl, Reflectance(*bands), pixel_m)
    cut = np.s_[5 : 5 + 2 * margin + 10, 7 : 7 + 2 * margin + 10]
    part = checked_cloud(scl[cut], Reflectance(*bands[(slice(None), *cut)]), pixel_m)
    inner = np.s_[margin : margin + 10, margin : margin + 10]
    assert np.array_equal(part[inner], whole[cut][inner])
