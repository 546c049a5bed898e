import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.env import get_gdal_config
from shapely.geometry import box

from roadstead.core.errors import ReadError, SceneError
from roadstead.core.geo import Grid, Window, project
from roadstead.imagery import Block, Mosaic, Overpass, group_overpasses, open_geotiff, open_item, write_cog
from roadstead.imagery.raster.reading import Raster
from tests import builders as b

FRAME = b.grid()


def _overpass(*items: Path) -> Overpass:
    (found,) = group_overpasses([open_item(str(item)) for item in items], b.port(FRAME))
    return found


def _patterned(frame: Grid, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        band: rng.integers(1001, 3000, (frame.height, frame.width), np.uint16)
        for band in ("red", "green", "blue", "nir")
    }


def test_pixels_on_the_same_grid_are_the_files_own(tmp_path: Path) -> None:
    dn = _patterned(FRAME)
    with Mosaic(_overpass(b.write_item(tmp_path, "S2", FRAME, dn)), b.grid(200, 150, -30, -20)) as mosaic:
        block = mosaic.read(mosaic.grid.window)
    inside = np.s_[20:120, 30:150]
    expected = (dn["red"] * np.float32(1e-4) - np.float32(0.1)) / np.float32(0.3558)
    assert np.array_equal(block.rgb[0][inside], np.clip(expected, 0, 1))
    assert block.nir is not None
    assert np.allclose(block.nir[inside], dn["nir"] * 1e-4 - 0.1)
    assert block.valid[inside].all()
    assert block.valid.sum() == FRAME.width * FRAME.height
    assert (block.rgb[:, ~block.valid] == 0).all()
    assert np.isnan(block.nir[~block.valid]).all()


def test_reflectance_is_scaled_clipped_and_never_offset_twice(tmp_path: Path) -> None:
    dn = b.water(FRAME, red=1000 + 3558, green=1000 + 1779, blue=9000)
    with Mosaic(_overpass(b.write_item(tmp_path, "S2", FRAME, dn))) as mosaic:
        rgb = mosaic.read(Window(0, 0, 1, 1)).rgb[:, 0, 0]
    assert rgb == pytest.approx([1.0, 0.5, 1.0], abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_window_is_a_cut_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    mosaic = _opened(tmp_path_factory)
    col, row = data.draw(st.integers(0, 139)), data.draw(st.integers(0, 119))
    window = Window(col, row, data.draw(st.integers(1, 140 - col)), data.draw(st.integers(1, 120 - row)))
    with mosaic:
        whole, part = mosaic.read(mosaic.grid.window), mosaic.read(window)
    rows, cols = window.slices
    assert np.array_equal(part.rgb, whole.rgb[:, rows, cols])
    assert whole.cloud is not None
    assert part.cloud is not None
    for name in ("valid", "cloud", "water", "scene_index"):
        assert np.array_equal(getattr(part, name), getattr(whole, name)[rows, cols])


def _opened(factory: pytest.TempPathFactory) -> Mosaic:
    """Two tiles that overlap, one of another UTM zone, with clouds; written once."""
    folder = factory.getbasetemp() / "windows"
    if not folder.exists():
        scl = np.full((50, 60), 6, np.uint8)
        scl[20:40, 30:50] = 9
        b.write_item(folder, "A", FRAME, _patterned(FRAME), scl=scl)
        other = _neighbour(FRAME)
        b.write_item(folder, "B", other, _patterned(other, 1), scl=np.full((60, 70), 6, np.uint8))
    scenes = [open_item(str(folder / name / f"{name}.json")) for name in "AB"]
    (overpass,) = group_overpasses([replace(s, mgrs_tile=None) for s in scenes], b.port(FRAME))
    return Mosaic(overpass, b.grid(140, 120, -10, -10))


def _neighbour(frame: Grid) -> Grid:
    """Return a grid of the next UTM zone that covers most of a grid of this one."""
    west, _, _, north = project(box(*frame.bounds_xy), frame.crs, "EPSG:32652").bounds
    return Grid("EPSG:32652", Affine(10, 0, round(west, -1) + 300, 0, -10, round(north, -1)), 140, 120)


def test_ground_in_two_tiles_is_there_once(tmp_path: Path) -> None:
    left, right = b.grid(80, 100), b.grid(80, 100, col=40)
    one = b.write_item(tmp_path, "A", left, b.water(left, red=2000))
    two = b.write_item(
        tmp_path, "B", right, b.water(right, red=3000), properties={**b.SENSING, "grid:code": "MGRS-51SYC"}
    )
    with Mosaic(_overpass(one, two), FRAME) as mosaic:
        block = mosaic.read(FRAME.window)
        assert [scene.scene_id for scene in mosaic.scenes] == ["A", "B"]
    assert block.valid.all()
    assert (block.scene_index[:, :80] == 0).all()
    assert (block.scene_index[:, 80:] == 1).all()
    assert np.unique(block.rgb[0][:, :80]).size == 1


def test_a_second_tile_fills_the_no_data_of_the_first(tmp_path: Path) -> None:
    holed = b.water(FRAME)
    for dn in holed.values():
        dn[10:50, 10:50] = 0
    one = b.write_item(tmp_path, "A", FRAME, holed)
    other = {**b.SENSING, "grid:code": "MGRS-51SYC"}
    two = b.write_item(tmp_path, "B", FRAME, properties=other)
    with Mosaic(_overpass(one, two), FRAME) as mosaic:
        block = mosaic.read(FRAME.window)
    assert block.valid.all()
    assert (block.scene_index[10:50, 10:50] == 1).all()
    assert (block.scene_index == 1).sum() == 1600


def test_a_tile_of_the_ports_own_zone_lies_above_one_that_must_be_warped(tmp_path: Path) -> None:
    other = _neighbour(FRAME)
    warped = b.write_item(tmp_path, "A", other, properties={**b.SENSING, "grid:code": "MGRS-52SBH"})
    own = b.write_item(tmp_path, "B", FRAME)
    with Mosaic(_overpass(warped, own), FRAME) as mosaic:
        assert [scene.scene_id for scene in mosaic.scenes] == ["B", "A"]


def test_cloud_without_scl_is_unknown_rather_than_none(tmp_path: Path) -> None:
    with Mosaic(_overpass(b.write_item(tmp_path, "S2", FRAME))) as mosaic:
        block = mosaic.read(mosaic.grid.window)
        assert mosaic.cloud == "unknown"
    assert block.cloud is None
    assert block.water is None


def test_scl_is_read_onto_ten_metres_without_mixing_classes(tmp_path: Path) -> None:
    scl = np.full((50, 60), 6, np.uint8)
    scl[:, 30:] = 5
    scl[20:40, :20] = 9
    scl[:5] = 0
    with Mosaic(_overpass(b.write_item(tmp_path, "S2", FRAME, scl=scl))) as mosaic:
        block = mosaic.read(mosaic.grid.window)
        assert mosaic.cloud == "known"
    fine = np.kron(scl, np.ones((2, 2), np.uint8))
    assert block.water is not None
    assert block.cloud is not None
    assert np.array_equal(block.water, fine == 6)
    assert np.array_equal(block.cloud, fine == 9)
    assert np.array_equal(block.valid, fine != 0)


def test_a_raster_of_another_pixel_origin_keeps_its_place(tmp_path: Path) -> None:
    shifted = replace(FRAME, transform=Affine(10, 0, b.LEFT + 4.0, 0, -10, b.TOP + 3.0))
    dn = b.water(shifted)
    dn["red"][40:60, 50:53] = 4000  # a hull 30 m x 200 m
    with Mosaic(_overpass(b.write_item(tmp_path, "S2", shifted, dn)), FRAME) as mosaic:
        red = mosaic.read(FRAME.window).rgb[0]
    bright = (red - 0.3 / 3.558)[30:70, 40:65].clip(0)
    cols, rows = bright.sum(axis=0), bright.sum(axis=1)
    assert np.average(np.arange(40, 65) + 0.5, weights=cols) == pytest.approx(51.5 + 0.4, abs=0.05)
    assert np.average(np.arange(30, 70) + 0.5, weights=rows) == pytest.approx(50.0 - 0.3, abs=0.05)


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        ("EPSG:4326", Affine(0.0001, 0, 124.84, 0, -0.0001, 38.74)),
        ("EPSG:3857", Affine(13, 0, 13_897_000, 0, -13, 4_685_000)),
        (b.CRS, Affine.translation(b.LEFT, b.TOP) @ Affine.rotation(20) @ Affine.scale(10, -10)),
        (b.CRS, Affine(20, 0, b.LEFT, 0, -20, b.TOP)),
    ],
    ids=["degrees", "web-mercator", "rotated", "20 m"],
)
def test_a_raster_in_another_frame_is_warped_to_utm_at_ten_metres(
    tmp_path: Path, crs: str, transform: Affine
) -> None:
    dn = np.full((4, 90, 100), 1500, np.uint16)
    dn[:, 40:50, 45:55] = 4000
    scene = _geotiff(tmp_path / "odd.tif", dn, crs, transform)
    (overpass,) = group_overpasses([scene], None)
    with Mosaic(overpass) as mosaic:
        grid, block = mosaic.grid, mosaic.read(mosaic.grid.window)
    assert (grid.crs, grid.pixel_m) == (b.CRS, 10.0)
    rows, cols = np.nonzero(block.rgb[0] > 0.9)
    seen = grid.colrow_to_xy(np.array([[cols.mean() + 0.5, rows.mean() + 0.5]]))[0]
    centre = project(box(*(transform @ (49, 44)), *(transform @ (51, 46))).centroid, crs, grid.crs)
    assert np.hypot(seen[0] - centre.x, seen[1] - centre.y) < 15.0
    footprint = project(scene.footprint, "EPSG:4326", grid.crs)
    assert block.valid.sum() * 100.0 == pytest.approx(footprint.area, rel=0.03)


def _geotiff(path: Path, dn: np.ndarray, crs: str | None, transform: Affine) -> object:
    profile = {"driver": "GTiff", "count": len(dn), "height": dn.shape[1], "width": dn.shape[2]}
    with rasterio.open(path, "w", dtype=dn.dtype, crs=crs, transform=transform, **profile) as out:
        out.write(dn)
        out.descriptions = ("red", "green", "blue", "nir")
        out.update_tags(TIFFTAG_DATETIME="2020:11:03 02:29:51")
    return open_geotiff(str(path))


def test_an_image_without_data_is_valid_nowhere(tmp_path: Path) -> None:
    item = b.write_item(tmp_path, "S2", FRAME, {band: dn * 0 for band, dn in b.water(FRAME).items()})
    with Mosaic(_overpass(item), FRAME) as mosaic:
        assert not mosaic.read(FRAME.window).valid.any()
        assert mosaic.visibility({"z": FRAME.footprint_lonlat}) == {"z": 0.0}
        assert mosaic.valid_area().is_empty
        assert (mosaic.quicklook()[0] == 225).all()


def test_a_raster_of_one_pixel_can_be_read(tmp_path: Path) -> None:
    tiny = b.grid(1, 1)
    with Mosaic(_overpass(b.write_item(tmp_path, "S2", tiny))) as mosaic:
        assert mosaic.grid == tiny
        assert mosaic.read(tiny.window).valid.all()
        assert mosaic.visibility({"z": tiny.footprint_lonlat})["z"] == pytest.approx(1.0)
        assert mosaic.quicklook()[0].shape[2] == 3


def test_threads_that_share_a_mosaic_read_the_same_pixels(tmp_path: Path) -> None:
    frame = b.grid(600, 600)
    item = b.write_item(tmp_path, "S2", frame, _patterned(frame), scl=np.full((300, 300), 6, np.uint8))
    shifted = replace(frame, transform=Affine(10, 0, b.LEFT + 5.0, 0, -10, b.TOP))
    windows = [Window(col, row, 100, 100) for col in range(0, 600, 100) for row in range(0, 600, 100)]
    with Mosaic(_overpass(item), shifted) as mosaic, ThreadPoolExecutor(4) as pool:
        alone = [mosaic.read(window).rgb for window in windows]
        together = [block.rgb for block in pool.map(mosaic.read, windows)]
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


def test_windows_beyond_the_grid_are_refused(tmp_path: Path) -> None:
    with Mosaic(_overpass(b.write_item(tmp_path, "S2", FRAME)), FRAME) as mosaic:
        for window in (Window(-1, 0, 5, 5), Window(0, 0, 121, 5), Window(0, 96, 5, 5), Window(0, 0, 0, 5)):
            with pytest.raises(ValueError, match="not wholly inside the grid of 120 x 100"):
                mosaic.read(window)


def test_a_mosaic_is_read_inside_its_with_block_only(tmp_path: Path) -> None:
    mosaic = Mosaic(_overpass(b.write_item(tmp_path, "S2", FRAME)), FRAME)
    with pytest.raises(ValueError, match="'with' block"):
        mosaic.read(FRAME.window)


def test_the_own_grid_of_several_scenes_holds_them_all(tmp_path: Path) -> None:
    right = b.grid(50, 60, col=100, row=-15)
    other = {**b.SENSING, "grid:code": "MGRS-51SYC"}
    items = b.write_item(tmp_path, "A", FRAME), b.write_item(tmp_path, "B", right, properties=other)
    with Mosaic(_overpass(*items)) as mosaic:
        assert mosaic.grid == b.grid(150, 115, row=-15)
        assert mosaic.read(mosaic.grid.window).valid.sum() == 120 * 100 + 50 * 60 - 20 * 45


def test_true_colour_alone_gives_its_own_numbers_and_no_nir(tmp_path: Path) -> None:
    visual = np.random.default_rng(0).integers(0, 256, (3, 100, 120), np.uint8)
    visual[:, :10] = 0
    visual[0, 50] = 0
    visual[1:, 50] = 9
    with Mosaic(_overpass(b.write_item(tmp_path, "S2", FRAME, visual=visual))) as mosaic:
        block = mosaic.read(mosaic.grid.window)
    assert block.nir is None
    assert not block.valid[:10].any()
    assert block.valid[50].all()
    assert np.allclose(block.rgb, visual / 255.0, atol=1e-6)


def _damaged(item: Path, name: str, size: int | None, at: int | None = None) -> None:
    path = item.parent / name
    raw = bytearray(path.read_bytes())
    if at is not None:
        raw[at:] = bytes(b"\x55" * (len(raw) - at))
    path.write_bytes(raw[:size])


def test_a_missing_raster_is_a_failed_read_that_names_scene_and_file(tmp_path: Path) -> None:
    item = b.write_item(tmp_path, "S2", FRAME)
    (item.parent / "green.tif").unlink()
    with pytest.raises(ReadError, match=r"scene S2: .*green\.tif"), Mosaic(_overpass(item)):
        pass


@pytest.mark.parametrize("grid", [FRAME, b.grid(120, 100, pixel_m=7.0)], ids=["same grid", "warped"])
@pytest.mark.parametrize("damage", ["truncated", "corrupt"])
def test_a_damaged_raster_is_a_failed_read_and_never_zeros(tmp_path: Path, grid: Grid, damage: str) -> None:
    big = b.grid(600, 600)
    item = b.write_item(tmp_path, "S2", big, _patterned(big))
    size = (item.parent / "red.tif").stat().st_size
    _damaged(item, "red.tif", *((size // 2, None) if damage == "truncated" else (None, size // 2)))
    with Mosaic(_overpass(item), replace(grid, width=500, height=500)) as mosaic:
        with pytest.raises(ReadError, match=r"scene S2: .*red\.tif: cannot be read: \w+"):
            mosaic.read(mosaic.grid.window)
        (item.parent / "red.tif").unlink()
        with pytest.raises(ReadError, match=r"red\.tif"):
            mosaic.visibility({"z": big.footprint_lonlat})


def test_a_file_that_is_no_raster_is_a_failed_read(tmp_path: Path) -> None:
    item = b.write_item(tmp_path, "S2", FRAME)
    (item.parent / "blue.tif").write_text("<html>403 Forbidden</html>", encoding="utf-8")
    with pytest.raises(ReadError, match=r"blue\.tif: cannot be read"), Mosaic(_overpass(item)):
        pass


def test_an_asset_that_is_a_virtual_raster_is_not_opened(tmp_path: Path) -> None:
    item = b.write_item(tmp_path, "S2", FRAME)
    with rasterio.open(item.parent / "red.tif") as source:
        rasterio.shutil.copy(source, item.parent / "blue.tif", driver="VRT")
    with pytest.raises(ReadError, match=r"blue\.tif"), Mosaic(_overpass(item)):
        pass


def test_a_raster_without_crs_is_refused_by_name(tmp_path: Path) -> None:
    item = b.write_item(tmp_path, "S2", FRAME)
    profile = {"driver": "GTiff", "count": 1, "width": 120, "height": 100, "dtype": "uint16"}
    with rasterio.open(item.parent / "red.tif", "w", transform=FRAME.transform, **profile) as out:
        out.write(np.ones((1, 100, 120), np.uint16))
    with pytest.raises(SceneError, match=r"red\.tif: has no CRS"), Mosaic(_overpass(item)):
        pass


def test_a_band_that_the_file_lacks_is_a_failed_read(tmp_path: Path) -> None:
    item = b.write_item(tmp_path, "S2", FRAME, visual=np.ones((3, 100, 120), np.uint8))
    write_cog(item.parent / "visual.tif", np.ones((1, 100, 120), np.uint8), FRAME)
    with Mosaic(_overpass(item)) as mosaic, pytest.raises(ReadError, match="has 1 bands, band 3 is wanted"):
        mosaic.read(FRAME.window)


def test_a_port_grid_of_170_by_190_km_is_read_without_being_held(tmp_path: Path) -> None:
    item = b.write_item(tmp_path, "S2", FRAME, scl=np.full((50, 60), 6, np.uint8))
    huge = b.grid(19_000, 17_000, col=-9_000, row=-8_000)
    zone = b.area(FRAME, 10, 10, 110, 90)
    tracemalloc.start()
    with Mosaic(_overpass(item), huge) as mosaic:
        assert mosaic.read(Window(9_000, 8_000, 120, 100)).valid.all()
        assert not mosaic.read(Window(0, 0, 64, 64)).valid.any()
        assert mosaic.visibility({"z": zone})["z"] == pytest.approx(1.0)
        assert mosaic.valid_area(zone).area == pytest.approx(zone.area, rel=0.02)
        picture, _ = mosaic.quicklook(800)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert max(picture.shape) <= 800
    assert peak < 100e6  # the grid in one float32 band is 1.3 GB


def test_the_decoded_blocks_that_gdal_keeps_are_bounded_whatever_the_memory_of_the_machine(
    tmp_path: Path,
) -> None:
    write_cog(tmp_path / "a.tif", np.ones((1, 100, 120), np.uint16), FRAME)
    with Raster(str(tmp_path / "a.tif")) as raster:
        assert raster.attempts(lambda dataset: get_gdal_config("GDAL_CACHEMAX")) == 256 * 2**20


def test_what_saturates_true_colour_is_no_land_for_that() -> None:
    shape = (1, 3)
    white, sand, unknown = (1.0, 0.6), (0.2 / 0.3558, 0.3), (0.2, np.nan)
    pixels = np.array([white, sand, unknown], np.float32)
    block = Block(
        rgb=np.broadcast_to(pixels[:, 0], (3, *shape)),
        nir=pixels[:, 1].reshape(shape),
        valid=np.ones(shape, bool),
        cloud=None,
        water=None,
        scene_index=np.zeros(shape, np.int16),
    )
    assert block.land is not None
    assert block.land.tolist() == [[False, True, False]]
    assert block.land_known.tolist() == [[True, True, False]]
