import math
from dataclasses import replace

import numpy as np
import pytest

from roadstead.core.geo import Window
from roadstead.imagery.raster.grids import coarser
from roadstead.imagery.visibility.shadow_glint import CELL_M, Coarse, Veils, falls, glint, reach_cells, shadow
from tests import builders as b

SIDE = 140
SUN = (135.0, 45.0)
"""In the south-east: shadows fall to the north-west, as far as clouds are high."""
HEIGHT_M = 1200.0
FALL = round(-HEIGHT_M / CELL_M / math.sqrt(2)), round(-HEIGHT_M / CELL_M / math.sqrt(2))


def _coarse(seed: int = 1, *, level: float = 0.06, nir: float = 0.01) -> Coarse:
    noise = np.random.default_rng(seed).normal(0, 0.02 * level, (SIDE, SIDE))
    size = (SIDE, SIDE)
    return Coarse(
        light=(level + noise).astype(np.float32),
        nir=np.full(size, nir, np.float32),
        cloud=np.zeros(size, bool),
        water=np.ones(size, bool),
        water_scl=np.ones(size, bool),
    )


def _under(cloud: tuple[slice, slice], *, shade: float = 0.6) -> tuple[Coarse, np.ndarray]:
    """Return water with a cloud and its shadow, and where the shadow lies."""
    seen = _coarse()
    seen.cloud[cloud] = True
    seen.water[cloud] = False
    cast = np.roll(seen.cloud, FALL, (0, 1)) & seen.water
    seen.light[cast] *= np.float32(shade)
    return seen, cast


CLOUD = np.s_[80:90, 85:97]


def test_dark_water_where_the_sun_casts_a_clouds_shadow_is_shadow() -> None:
    seen, cast = _under(CLOUD)
    found = shadow(seen, *SUN)
    assert found[cast].mean() > 0.95
    assert (found & ~cast).sum() <= 0.05 * cast.sum()


def test_a_shadow_is_found_where_the_view_leans_clouds_aside() -> None:
    seen = _coarse()
    seen.cloud[CLOUD], seen.water[CLOUD] = True, False
    lean = (FALL[0] + 2, FALL[1] - 2)
    cast = np.roll(seen.cloud, lean, (0, 1)) & seen.water
    seen.light[cast] *= np.float32(0.6)
    assert shadow(seen, *SUN)[cast].mean() > 0.95


def test_a_ship_in_shadow_is_a_gap_that_is_closed() -> None:
    seen, cast = _under(CLOUD)
    row, col = np.argwhere(cast)[len(np.argwhere(cast)) // 2]
    seen.light[row, col] = 0.3
    assert shadow(seen, *SUN)[row, col]


def test_a_dark_patch_far_from_cloud_is_not_shadow() -> None:
    seen, _ = _under(CLOUD)
    silt_free = np.s_[10:30, 100:130]
    seen.light[silt_free] *= np.float32(0.5)
    assert not shadow(seen, *SUN)[silt_free].any()


def test_dark_water_towards_the_sun_is_not_shadow() -> None:
    seen = _coarse()
    seen.cloud[CLOUD], seen.water[CLOUD] = True, False
    seen.light[100:112, 100:112] *= np.float32(0.5)
    assert not shadow(seen, *SUN).any()


def test_cloud_without_darker_water_casts_no_shadow() -> None:
    seen, _ = _under(CLOUD, shade=0.97)
    assert not shadow(seen, *SUN).any()


def test_without_cloud_nothing_is_shadow_however_dark() -> None:
    seen = _coarse()
    seen.light[40:60, 40:60] *= np.float32(0.4)
    assert not shadow(seen, *SUN).any()


def test_slow_change_of_the_water_is_not_shadow() -> None:
    seen = _coarse()
    seen.cloud[CLOUD], seen.water[CLOUD] = True, False
    ramp = np.linspace(0.6, 1.4, SIDE, dtype=np.float32)
    assert not shadow(replace(seen, light=seen.light * ramp[:, None]), *SUN).any()


def test_every_place_a_shadow_may_fall_lies_away_from_the_sun_and_within_reach() -> None:
    places = falls(*SUN)
    far = math.hypot(*(places[np.argmax(np.hypot(*places.T))]))
    assert far <= reach_cells(SUN[1]) * 1.2
    high = places[np.hypot(*places.T) > 20]
    assert (high < 0).all()


def test_strong_glint_hides_and_calm_or_silty_water_does_not() -> None:
    assert glint(_coarse(nir=0.16), 65.0).all()
    assert not glint(_coarse(nir=0.01), 65.0).any()
    assert not glint(_coarse(nir=0.06), 65.0).any()


def test_under_a_low_sun_bright_water_is_ice_and_not_glint() -> None:
    assert not glint(_coarse(nir=0.3), 30.0).any()


def test_land_is_no_water_under_glint_and_a_few_bright_hulls_make_none() -> None:
    seen = _coarse(nir=0.3)
    seen.water_scl[:] = False
    assert not glint(seen, 65.0).any()
    calm = _coarse(nir=0.02)
    calm.nir[::10, ::10] = 0.5
    assert not glint(calm, 65.0).any()


@pytest.mark.parametrize("pixel_m", [10.0, 20.0, 60.0])
def test_pixels_take_the_cell_their_centre_lies_in_whatever_window_they_are_read_in(pixel_m: float) -> None:

    grid = b.grid(180, 120)
    cells = coarser(grid, CELL_M)
    rng = np.random.default_rng(0)
    mask = rng.random((cells.height, cells.width)) < 0.5
    frame = coarser(grid, pixel_m)
    veils = Veils(cells, mask, ~mask)
    whole, other = veils.over(frame)
    assert np.array_equal(other, ~whole)
    times = round(CELL_M / pixel_m)
    expected = mask.repeat(times, axis=0).repeat(times, axis=1)
    assert np.array_equal(whole, expected[: frame.height, : frame.width])
    window = Window(3, 5, 7, 6)
    assert np.array_equal(veils.over(frame.crop(window))[0], whole[window.slices])
