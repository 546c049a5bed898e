from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from roadstead.core.geo import to_lonlat, xy_to_lonlat
from roadstead.imagery import Mosaic, group_overpasses, imaged_part, open_item
from tests import builders as b

FRAME = b.grid(240, 200)


def _mosaic(item: Path) -> Mosaic:
    (overpass,) = group_overpasses([open_item(str(item))], b.port(FRAME))
    return Mosaic(overpass, FRAME)


def _half_cloudy(folder: Path) -> Path:
    scl = np.full((100, 120), 6, np.uint8)
    scl[:, :60] = 9
    return b.write_item(folder, "S2", FRAME, scl=scl)


def test_the_visible_share_of_a_zone_is_what_is_imaged_and_clear(tmp_path: Path) -> None:
    zones = {
        "cloudy": b.area(FRAME, 10, 10, 110, 190),
        "clear": b.area(FRAME, 130, 10, 230, 190),
        "half": b.area(FRAME, 60, 20, 180, 180),
        "half outside": b.area(FRAME, 180, 0, 300, 200),
        "elsewhere": b.area(FRAME, 400, 0, 500, 100),
    }
    with _mosaic(_half_cloudy(tmp_path)) as mosaic:
        seen = mosaic.visibility(zones)
    assert seen["cloudy"] == 0.0
    assert seen["clear"] == 1.0
    assert seen["half"] == pytest.approx(0.5, abs=0.01)
    assert seen["half outside"] == pytest.approx(0.5, abs=0.01)
    assert seen["elsewhere"] == 0.0


def test_unknown_cloud_counts_as_clear_and_says_so(tmp_path: Path) -> None:
    with _mosaic(b.write_item(tmp_path, "S2", FRAME)) as mosaic:
        assert mosaic.visibility({"z": b.area(FRAME, 10, 10, 110, 190)}) == {"z": 1.0}
        assert mosaic.cloud == "unknown"


def test_a_zone_narrower_than_a_cell_is_still_looked_at(tmp_path: Path) -> None:
    _, bottom, right, top = FRAME.bounds_xy
    strip = to_lonlat(box(right - 605.0, bottom + 100.0, right - 602.0, top - 100.0), FRAME.crs)
    with _mosaic(_half_cloudy(tmp_path)) as mosaic:
        assert mosaic.visibility({"z": strip}) == {"z": 1.0}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 200), st.integers(0, 160), st.integers(20, 100), st.integers(20, 100))
def test_the_share_follows_the_geometry(
    tmp_path_factory: pytest.TempPathFactory, col: int, row: int, width: int, height: int
) -> None:
    folder = tmp_path_factory.getbasetemp() / "shares"
    item = folder / "S2/S2.json" if folder.exists() else _half_cloudy(folder)
    left, right = min(col, 240), min(col + width, 240)
    clear = max(right - max(left, 120), 0) / width
    down = max(min(row + height, 200) - row, 0) / height
    with _mosaic(item) as mosaic:
        seen = mosaic.visibility({"z": b.area(FRAME, col, row, col + width, row + height)})["z"]
    assert seen == pytest.approx(clear * down, abs=0.06)


def test_the_valid_area_is_the_clear_imaged_part(tmp_path: Path) -> None:
    with _mosaic(_half_cloudy(tmp_path)) as mosaic:
        seen = mosaic.valid_area()
    assert seen.geom_type == "MultiPolygon"
    assert seen.is_valid
    clear = b.area(FRAME, 120, 0, 240, 200)
    assert seen.symmetric_difference(clear).area < 0.02 * clear.area


def test_the_valid_area_can_be_looked_up_in_a_part_alone(tmp_path: Path) -> None:
    part = b.area(FRAME, 100, 50, 160, 100)
    with _mosaic(_half_cloudy(tmp_path)) as mosaic:
        seen = mosaic.valid_area(part)
    assert seen.area == pytest.approx(b.area(FRAME, 120, 50, 160, 100).area, rel=0.03)


def test_specks_are_left_out_of_the_valid_area(tmp_path: Path) -> None:
    dn = b.water(FRAME)
    for band in dn.values():
        band[100, 100:103] = 0
    with _mosaic(b.write_item(tmp_path, "S2", FRAME, dn)) as mosaic:
        seen = mosaic.valid_area()
    assert [len(part.interiors) for part in seen.geoms] == [0]


def test_a_quicklook_shows_a_hull_where_its_bounds_say(tmp_path: Path) -> None:
    dn = b.water(FRAME)
    dn["red"][40:60, 170:176] = 4000
    with _mosaic(b.write_item(tmp_path, "S2", FRAME, dn)) as mosaic:
        picture, (west, south, east, north) = mosaic.quicklook()
    assert picture.dtype == np.uint8
    rows, cols = np.nonzero(picture[..., 0].astype(int) > picture[..., 2].astype(int) + 50)
    lon = west + (cols.mean() + 0.5) / picture.shape[1] * (east - west)
    lat = north - (rows.mean() + 0.5) / picture.shape[0] * (north - south)
    expected = xy_to_lonlat(FRAME.colrow_to_xy(np.array([[173.0, 50.0]])), FRAME.crs)[0]
    assert abs(lon - expected[0]) * 87_000 < 15.0
    assert abs(lat - expected[1]) * 111_000 < 15.0
    assert tuple(picture[0, 0]) == (225, 225, 225)  # the corner of a turned frame


def test_of_a_picture_the_part_that_was_imaged_is_known_and_never_a_sliver() -> None:
    shown = np.full((200, 400, 3), 225, np.uint8)
    assert imaged_part(shown) == (0, 0, 400, 200)
    shown[100:160, 200:300] = (20, 40, 60)
    left, top, right, bottom = imaged_part(shown)
    assert 195 <= left <= 200 and 300 <= right <= 305 and 95 <= top <= 100 and 160 <= bottom <= 165
    shown[100:160, 200:300] = 230  # as near to the grey as a lossy picture makes it
    shown[150, 250] = 0
    left, top, right, bottom = imaged_part(shown)
    assert right - left >= 100 and bottom - top >= 50 and left <= 250 < right and top <= 150 < bottom
