import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from roadstead.imagery.visibility.clouds import cloud_margin_px, cloud_mask, land_like, resolve_valid


def _scl(shape: tuple[int, int] = (60, 60)) -> np.ndarray:
    return np.full(shape, 6, np.uint8)


def test_a_cloud_is_cloud_and_a_white_ship_is_not() -> None:
    scl = _scl()
    scl[5:30, 5:30] = 9
    scl[40:44, 10:40] = 9  # 40 m x 300 m
    cloud = cloud_mask(scl, 10.0)
    assert cloud[5:30, 5:30].all()
    assert not cloud[35:].any()


def test_cirrus_hides_ships_and_cloud_shadow_does_not() -> None:
    for code, hidden in ((10, True), (8, True), (9, True), (3, False), (1, False), (6, False), (0, False)):
        assert cloud_mask(np.full((40, 40), code, np.uint8), 10.0).all() == hidden


def test_a_cloud_cut_off_by_the_image_edge_stays_cloud() -> None:
    scl = _scl()
    scl[:, :20] = 0
    scl[10:40, 20:25] = 9
    assert cloud_mask(scl, 10.0)[10:40, 20:25].all()


@given(
    arrays(np.uint8, (40, 44), elements=st.sampled_from([0, 3, 6, 8, 9, 10])), st.sampled_from([20.0, 40.0])
)
def test_blocks_read_with_the_margin_agree_with_the_whole(scl: np.ndarray, pixel_m: float) -> None:
    m = cloud_margin_px(pixel_m)
    whole = cloud_mask(np.pad(scl, m), pixel_m)
    part = cloud_mask(np.pad(scl, m)[10 : 30 + 2 * m, 4 : 24 + 2 * m], pixel_m)
    assert (part[m:-m, m:-m] == whole[10 + m : 30 + m, 4 + m : 24 + m]).all()


def test_dark_water_clipped_to_zero_in_one_band_is_data_where_no_offset_keeps_it_off_zero() -> None:
    dn = np.array([[[0, 0, 5]], [[0, 3, 5]], [[0, 4, 5]]], np.uint16)
    assert resolve_valid(dn, 0.0, each_band=False).tolist() == [[False, True, True]]
    assert resolve_valid(dn, 0.0, each_band=True).tolist() == [[False, False, True]]


def test_not_a_number_in_any_of_red_green_and_blue_is_no_data() -> None:
    dn = np.full((4, 1, 4), 0.05, np.float32)
    dn[:3, 0, 0] = np.nan
    dn[1, 0, 1] = np.inf
    dn[3, 0, 2] = np.nan  # near infrared, without which a ship is still seen
    assert resolve_valid(dn, None, each_band=False).tolist() == [[False, False, True, True]]


def test_land_is_brighter_in_near_infrared_and_silt_foam_and_darkness_are_not_land() -> None:
    green_nir = {
        "grass": (0.08, 0.40, True),
        "concrete": (0.20, 0.26, True),
        "clear water": (0.04, 0.01, False),
        "silt": (0.14, 0.10, False),
        "cloud": (0.35, 0.35, False),
        "dark water clipped at zero": (0.0, 0.0, False),
        "no near infrared": (0.1, np.nan, False),
    }
    for name, (green, nir, land) in green_nir.items():
        found = land_like(np.full((1, 1), green, np.float32), np.full((1, 1), nir, np.float32))
        assert found.item() is land, name
