"""The real images of ../shared/data."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio

from roadstead.core.geo import Window
from roadstead.core.ports import load_port
from roadstead.imagery import Mosaic, group_overpasses, open_scene, search

pytestmark = pytest.mark.shared_data
ALL_YEARS = datetime(2015, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)


def _items(shared_data: Path) -> list[Path]:
    return sorted((shared_data / "stac").glob("*/*/*.json"))


def test_all_26_items_open_with_their_own_pixels(shared_data: Path) -> None:
    items = _items(shared_data)
    assert len(items) == 26
    for path in items:
        scene = open_scene(str(path))
        (overpass,) = group_overpasses([scene], None)
        with Mosaic(overpass) as mosaic, rasterio.open(scene.assets["red"].href) as red:
            assert (mosaic.grid.width, mosaic.grid.height) == (red.width, red.height)
            assert mosaic.cloud == "unknown"
            window = Window(red.width // 3, red.height // 4, 64, 64)
            block = mosaic.read(window)
            dn = red.read(scene.assets["red"].band)[window.slices]
        full = 255.0 if red.dtypes[0] == "uint8" else 3558.0
        assert np.allclose(block.rgb[0], np.where(block.valid, np.clip(dn / full, 0, 1), 0), atol=1e-5)


@pytest.mark.parametrize(
    ("port", "overpasses", "source"),
    [
        ("durban", 1, "assumed"),
        ("athens", 1, "assumed"),
        ("klang", 1, "assumed"),
        ("houston", 7, "datatake_start"),
        ("vancouver", 5, "datatake_start"),
    ],
)
def test_each_port_is_found_grouped_and_seen(
    shared_data: Path, port: str, overpasses: int, source: str
) -> None:
    place = load_port(shared_data / "aoi" / f"{port}.geojson")
    found = search(str(shared_data / "stac/catalog.json"), place, *ALL_YEARS, "sentinel-2-l2a")
    grouped = group_overpasses(found.scenes, place)
    assert (len(grouped), dict(found.rejected)) == (overpasses, {})
    assert {scene.acquired_source for scene in found.scenes} == {source}
    with Mosaic(grouped[0], place.grid()) as mosaic:
        seen = mosaic.visibility({zone.id: zone.polygon for zone in place.zones})
        grid = mosaic.grid
        middle = Window(grid.width // 2 - 50, grid.height // 3, 100, 100)
        assert mosaic.read(middle).valid.shape == (100, 100)
    assert min(seen.values()) > 0.94


def test_27_percent_of_houstons_frame_is_imaged(shared_data: Path) -> None:
    path = next(path for path in _items(shared_data) if "houston" in path.stem)
    (overpass,) = group_overpasses([open_scene(str(path))], None)
    with Mosaic(overpass) as mosaic:
        valid = mosaic.read(mosaic.grid.window).valid.mean()
        seen = mosaic.valid_area()
        frame = mosaic.grid.footprint_lonlat
    assert valid == pytest.approx(0.27, abs=0.01)
    assert seen.area / frame.area == pytest.approx(valid, abs=0.01)
    assert seen.intersection(overpass.scenes[0].footprint).area == pytest.approx(seen.area, rel=0.02)


def test_the_chips_are_read_with_their_no_data_wedges(shared_data: Path) -> None:
    chips = sorted((shared_data / "s2_ais/2022-08-12").glob("*.tif"))
    assert len(chips) == 33
    for path in chips:
        scene = open_scene(str(path))
        assert scene.acquired == datetime(2022, 8, 12, 10, 30, 31, tzinfo=UTC)
        (overpass,) = group_overpasses([scene], None)
        with Mosaic(overpass) as mosaic:
            block = mosaic.read(mosaic.grid.window)
        with rasterio.open(path) as chip:
            empty = (chip.read() == 0).all(axis=0)
        assert np.array_equal(block.valid, ~empty)
        assert 0.90 < block.valid.mean() < 0.99
        assert block.nir is not None
