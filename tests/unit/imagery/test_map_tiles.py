"""Map tiles and squares: the project's own pixels on web frames, and nothing where nothing was imaged."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from roadstead.core.errors import CatalogueError, SceneError
from roadstead.core.geo import lonlat_to_xy, xy_to_lonlat
from roadstead.imagery import Mosaic, Overpass, StoredScene, open_item
from roadstead.imagery.map_tiles import (
    MERCATOR,
    mask_classes,
    of_quicklook,
    read_again,
    square,
    square_grid,
    tile,
    tile_grid,
    webp,
)
from roadstead.imagery.picture_styles import MASK_LOOKS
from tests import builders as b

FRAME = b.grid(120, 100)


def lonlat(col: float, row: float) -> tuple[float, float]:
    lon, lat = xy_to_lonlat(FRAME.colrow_to_xy(np.array([[col, row]])), FRAME.crs)[0]
    return float(lon), float(lat)


def place(zoom: int, lon: float, lat: float) -> tuple[int, int, int, int]:
    """Return tile x, y and the column and row in it of a place."""
    xy = lonlat_to_xy(np.array([[lon, lat]]), MERCATOR)
    col, row = tile_grid(0, 0, 0, 256 * 2**zoom).xy_to_colrow(xy)[0]
    return int(col // 256), int(row // 256), int(col % 256), int(row % 256)


def bounds_of(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """Return west, south, east and north of a tile in degrees."""
    left, bottom, right, top = tile_grid(z, x, y).bounds_xy
    (west, south), (east, north) = xy_to_lonlat(np.array([[left, bottom], [right, top]]), MERCATOR)
    return float(west), float(south), float(east), float(north)


@given(st.integers(0, 18), st.floats(0, 0.999), st.floats(0, 0.999))
def test_a_tile_meets_its_neighbours_and_parts_into_four(z: int, a: float, c: float) -> None:
    x, y = int(a * 2**z), int(c * 2**z)
    west, south, east, north = bounds_of(z, x, y)
    assert -180.0 <= west < east <= 180.0 + 1e-9
    assert -85.06 < south < north < 85.06
    first = bounds_of(z + 1, 2 * x, 2 * y)
    last = bounds_of(z + 1, 2 * x + 1, 2 * y + 1)
    assert (first[0], first[3]) == pytest.approx((west, north), abs=1e-9)
    assert (last[2], last[1]) == pytest.approx((east, south), abs=1e-9)


@pytest.mark.parametrize("wrong", [(-1, 0, 0), (23, 0, 0), (1, 2, 0), (1, 0, -1)])
def test_there_is_no_such_tile(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="there is no tile"):
        tile_grid(*wrong)


def test_a_tile_has_the_pixel_of_the_scene_that_lies_there(tmp_path: Path) -> None:
    dn = b.water(FRAME)
    for index, band in enumerate(("red", "green", "blue")):
        dn[band][40, 60] = 1400 + 300 * index
    scene = open_item(str(b.write_item(tmp_path, "S2", FRAME, dn)))
    x, y, col, row = place(16, *lonlat(60.5, 40.5))
    shown = tile((scene,), "true-colour", tile_grid(16, x, y))
    reflectance = np.array([0.04, 0.07, 0.10])
    assert shown[row, col, :3] == pytest.approx((reflectance / 0.25) ** 0.65 * 255, abs=2)


def test_neighbouring_tiles_are_equally_bright(tmp_path: Path) -> None:
    dn = b.water(FRAME)
    dn["red"][:, 60:] = 4000
    scene = open_item(str(b.write_item(tmp_path, "S2", FRAME, dn)))
    waters = []
    for col in (10.5, 55.5):
        x, y, across, down = place(17, *lonlat(col, 40.5))
        waters.append(tuple(tile((scene,), "true-colour", tile_grid(17, x, y))[down, across]))
    assert waters[0] == waters[1]


def test_two_scenes_of_an_overpass_lie_on_each_other_as_in_the_mosaic(tmp_path: Path) -> None:
    other = b.grid(120, 100, col=60)
    first = open_item(str(b.write_item(tmp_path, "S2_A", FRAME, b.water(FRAME, red=2000))))
    second = open_item(str(b.write_item(tmp_path, "S2_B", other, b.water(other, red=3000))))
    overpass = Overpass("o", None, first.acquired, 1.0, (first, second))
    with Mosaic(overpass, b.grid(180, 100)) as mosaic:
        block = mosaic.read(mosaic.grid.window)
    for col in (30.5, 90.5, 150.5):
        x, y, across, down = place(16, *lonlat(col, 50.5))
        shown = tile((second, first), "true-colour", tile_grid(16, x, y))[down, across, 0]
        true = block.rgb[0, 50, int(col)] * 0.3558
        assert shown == pytest.approx((true / 0.25) ** 0.65 * 255, abs=2)


def test_a_square_is_the_cut_out_of_the_mosaic(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    dn = {band: rng.integers(1100, 2500, (100, 120), np.uint16) for band in ("red", "green", "blue", "nir")}
    scene = open_item(str(b.write_item(tmp_path, "S2", FRAME, dn)))
    lon, lat = lonlat(60.3, 50.7)
    with Mosaic(Overpass("o", None, scene.acquired, 1.0, (scene,)), FRAME) as mosaic:
        chip = mosaic.chip(lon, lat)
    shown = square((scene,), "true-colour", square_grid(lon, lat, 64, FRAME))
    assert np.array_equal(shown[..., :3], chip)
    assert (shown[..., 3] == 255).all()
    free = square_grid(lon, lat, 64)
    assert np.array_equal(square((scene,), "true-colour", free)[..., :3], chip), (
        "the port's grid is not known"
    )


def test_a_square_outside_of_the_frame_is_none() -> None:
    with pytest.raises(SceneError, match="outside of the port's frame"):
        square_grid(*lonlat(400, 50), 64, FRAME)


def test_without_scl_the_mask_tells_water_by_near_infrared_and_no_cloud(tmp_path: Path) -> None:
    dn = b.water(FRAME)
    dn["nir"][:, :40] = 5000
    scene = open_item(str(b.write_item(tmp_path, "S2", FRAME, dn)))
    with Mosaic(Overpass("o", None, scene.acquired, 1.0, (scene,)), FRAME) as mosaic:
        told = mask_classes(mosaic.read(FRAME.window))
    names = [None, *MASK_LOOKS]
    assert names[told[50, 20]] == "land"
    assert names[told[50, 80]] == "water"


def test_where_nothing_tells_water_from_land_the_mask_says_so(tmp_path: Path) -> None:
    visual = np.full((3, 100, 120), 90, np.uint8)
    scene = open_item(str(b.write_item(tmp_path, "S2", FRAME, visual=visual)))
    with Mosaic(Overpass("o", None, scene.acquired, 1.0, (scene,)), FRAME) as mosaic:
        told = mask_classes(mosaic.read(FRAME.window))
    assert [None, *MASK_LOOKS][told[50, 50]] == "untold"
    with pytest.raises(SceneError, match="no scene of the overpass has near infrared"):
        tile((scene,), "nir", tile_grid(16, *place(16, *lonlat(60, 50))[:2]))


def test_the_colours_of_the_mask_are_told_apart_in_grey_too() -> None:
    grey = sorted(0.2126 * r + 0.7152 * g + 0.0722 * bl for r, g, bl in (m.rgb for m in MASK_LOOKS.values()))
    assert min(np.diff(grey)) > 15


def test_a_stored_picture_lies_where_its_bounds_say() -> None:
    image = np.zeros((100, 100, 3), np.uint8)
    image[:50, :, 0] = 200
    image[:, 50:, 1] = 200
    bounds = (125.0, 38.0, 126.0, 39.0)
    for lon, lat, colour in ((125.2, 38.8, (200, 0)), (125.8, 38.8, (200, 200)), (125.8, 38.2, (0, 200))):
        x, y, col, row = place(9, lon, lat)
        shown = of_quicklook(image, bounds, tile_grid(9, x, y))
        assert tuple(shown[row, col]) == (*colour, 0, 255)
    x, y, col, row = place(9, 126.1, 38.5)
    assert of_quicklook(image, bounds, tile_grid(9, x, y))[row, col, 3] == 0


def test_transparency_survives_webp() -> None:
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[:32] = 255
    with Image.open(BytesIO(webp(picture))) as opened:
        alpha = np.asarray(opened)[..., 3]
    assert (alpha[:32] == 255).all() and (alpha[32:] == 0).all()


def test_scenes_are_opened_again_and_a_changed_item_is_told(tmp_path: Path) -> None:
    path = b.write_item(tmp_path, "S2", FRAME)
    scene = open_item(str(path))
    kept = StoredScene("S2", str(path), scene.item_sha256, scene.acquired)
    assert read_again([kept]).changed is False
    assert read_again([replace(kept, item_sha256="0" * 64)]).changed is True
    assert read_again([kept]).looks == ("true-colour", "nir", "mask")


def test_a_scene_without_an_address_or_that_is_gone_cannot_be_opened(tmp_path: Path) -> None:
    moment = open_item(str(b.write_item(tmp_path, "S2", FRAME))).acquired
    with pytest.raises(SceneError, match="does not say where it lies"):
        read_again([StoredScene("S2", None, None, moment)])
    with pytest.raises(CatalogueError, match="cannot be read"):
        read_again([StoredScene("S2", str(tmp_path / "gone.json"), None, moment)])


def test_a_bare_raster_is_opened_again_as_the_scene_it_was(tmp_path: Path) -> None:
    dn = np.full((4, 100, 120), 1500, np.uint16)
    path = b.write_tiff(
        tmp_path / "a.tif", dn, names=("red", "green", "blue", "nir"), transform=FRAME.transform
    )
    moment = open_item(str(b.write_item(tmp_path, "S2", FRAME))).acquired
    (scene,) = read_again([StoredScene("its-name", str(path), None, moment)]).scenes
    assert (scene.scene_id, scene.acquired) == ("its-name", moment)


def test_scenes_that_do_not_reach_a_tile_stay_closed_and_the_picture_is_the_same(tmp_path: Path) -> None:
    other = b.grid(120, 100, col=120)
    scenes = [
        open_item(str(b.write_item(tmp_path, f"S2_{n}", f, b.water(f)))) for n, f in enumerate((FRAME, other))
    ]
    paths = [str(next((tmp_path / f"S2_{n}").glob("*.json"))) for n in range(2)]
    again = read_again(
        [StoredScene(s.scene_id, path, None, s.acquired) for s, path in zip(scenes, paths, strict=True)]
    )
    west = tile_grid(17, *place(17, *lonlat(20, 50))[:2])
    edge = tile_grid(15, *place(15, *lonlat(120, 50))[:2])
    assert [scene.scene_id for scene in again.over(west)] == ["S2_0"]
    assert len(again.over(edge)) == 2
    assert np.array_equal(tile(again.over(west), "nir", west), tile(again.scenes, "nir", west))
    far = tile_grid(15, 0, 0)
    assert again.over(far) == ()
    assert not tile(again.over(far), "nir", far).any()
