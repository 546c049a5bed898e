"""Pixels of a simulated overpass."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
from numpy.typing import NDArray
from shapely.geometry import shape

from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.land import land_surface
from roadstead_lab.simulate.light import Light
from roadstead_lab.simulate.optical.atmosphere import draw_sky
from roadstead_lab.simulate.optical.render import DN_OFFSET, PlacedHull, digital_numbers, render
from roadstead_lab.simulate.scenario.model import OverpassPlan, Weather
from roadstead_lab.simulate.small import CLEAR, open_water, place, simulate_overpass

LIGHT = Light(sun_azimuth_deg=180.0, sun_elevation_deg=40.0)
WATERS = ((0.03, 0.05, 0.04, 0.01), (0.08, 0.09, 0.07, 0.03))


def seen(*hulls: PlacedHull, plan: OverpassPlan = CLEAR) -> NDArray[np.float64]:
    """Return [4, H, W] reflectance of the small frame with some hulls, read back from numbers."""
    ground = open_water()
    land = land_surface(ground, generator(0, "land"))
    frame = render(ground, land, hulls, plan, LIGHT, WATERS, generator(0, "overpass"))
    return frame.dn * 1e-4 - 0.1


def test_numbers_hold_reflectance_with_the_offset_of_new_baselines() -> None:
    reflectance = np.array([[[0.0, 0.0421], [-0.02, -0.5]]], np.float32)
    dn = digital_numbers(reflectance, np.ones((2, 2), bool))
    assert dn.tolist() == [[[DN_OFFSET, 1421], [800, 1]]]
    assert digital_numbers(reflectance, np.zeros((2, 2), bool)).tolist() == [[[0, 0], [0, 0]]]


def test_a_hull_is_seen_where_it_is_placed() -> None:
    hull = place("bulk_carrier", 180.0, (200.4, 130.7), 65.0)
    with_hull, without = seen(hull), seen()
    change = np.abs(with_hull - without).sum(axis=0)
    row, col = np.argwhere(change > 0.03).mean(axis=0) + 0.5
    assert (col, row) == pytest.approx((200.4, 130.7), abs=2.0)
    assert change[300:].max() < 1e-6, "far water is untouched"


def test_a_moving_hull_trails_a_wake_and_a_moored_one_none() -> None:
    still = place("general_cargo", 90.0, (250.0, 250.0), 0.0)
    moving = replace(still, speed_kn=12.0)
    astern = (slice(None), slice(262, 275), slice(249, 252))
    assert seen(moving)[astern].mean() > seen(still)[astern].mean() + 0.01


def test_clear_water_has_the_level_and_grain_of_real_water() -> None:
    red, _, _, nir = seen()
    assert 0.03 < red.mean() < 0.09
    assert nir.mean() < red.mean()
    grain = np.median(np.abs(np.diff(red, axis=1))) * 1.48 / np.sqrt(2)
    assert 0.0003 < grain < 0.002, "real scenes: 0.00025-0.002"


def test_cloud_shadow_falls_away_from_the_sun() -> None:
    sky = draw_sky(Weather(cloud="patches"), LIGHT, (400, 400), generator(1, "sky"))
    shift = round(1500.0 / np.tan(np.radians(40.0)) / 10.0)
    north = np.roll(sky.opacity(0, 400), -shift, axis=0)[: 400 - shift]
    agree = np.corrcoef(north.ravel(), sky.shadow(0, 400)[: 400 - shift].ravel())[0, 1]
    assert agree > 0.75


def items_of(catalog: Path) -> list[pystac.Item]:
    return sorted(pystac.Catalog.from_file(str(catalog)).get_items(recursive=True), key=lambda i: i.id)


def pixels(item: pystac.Item, key: str) -> NDArray[np.uint16]:
    with rasterio.open(item.assets[key].get_absolute_href()) as dataset:
        return np.asarray(dataset.read(1))


def test_an_overcast_scene_says_cloud_everywhere(tmp_path: Path) -> None:
    plan = replace(CLEAR, weather=Weather(cloud="overcast"))
    for item in items_of(simulate_overpass(tmp_path, [], plan=plan)):
        assert np.isin(pixels(item, "scl"), (8, 9)).all()
        assert item.properties["eo:cloud_cover"] == 100.0


def test_a_clear_scene_of_open_water_says_water(tmp_path: Path) -> None:
    for item in items_of(simulate_overpass(tmp_path, [])):
        assert (pixels(item, "scl") == 6).all()
        assert item.properties["eo:cloud_cover"] == 0.0


def test_no_data_is_zero_in_all_bands_and_outside_the_footprint(tmp_path: Path) -> None:
    item = items_of(simulate_overpass(tmp_path, [], plan=replace(CLEAR, no_data_wedge=True)))[0]
    empty = pixels(item, "red") == 0
    assert 0.05 < empty.mean() < 0.5
    for band in ("green", "blue", "nir"):
        assert ((pixels(item, band) == 0) == empty).all()
    assert ((pixels(item, "scl") == 0) == empty[::2, ::2]).all()
    assert item.properties["s2:nodata_pixel_percentage"] == pytest.approx(100 * empty.mean(), abs=1e-3)
    with rasterio.open(item.assets["red"].get_absolute_href()) as dataset:
        whole = (dataset.bounds.right - dataset.bounds.left) * (dataset.bounds.top - dataset.bounds.bottom)
    degree = 111_320.0**2 * np.cos(np.radians(38.7))
    assert shape(item.geometry).area * degree == pytest.approx(whole * (1 - empty.mean()), rel=0.02)


def test_both_tiles_show_the_same_pixels_where_they_overlap(tmp_path: Path) -> None:
    west, east = items_of(simulate_overpass(tmp_path, [place("barge", 90.0, (380.0, 200.0), 10.0)]))
    assert (west.properties["grid:code"], east.properties["grid:code"]) == ("MGRS-51SXC", "MGRS-51SYC")
    assert west.properties["s2:datatake_id"] == east.properties["s2:datatake_id"]
    offset = pixels(west, "red").shape[1] - pixels(east, "red").shape[1]
    assert offset == 256
    for key, scale in (("red", 1), ("nir", 1), ("scl", 2)):
        assert (pixels(west, key)[:, offset // scale :] == pixels(east, key)).all()


def test_items_have_the_shape_of_earth_search(tmp_path: Path) -> None:
    item = items_of(simulate_overpass(tmp_path, []))[0]
    assert item.datetime == datetime(2020, 11, 2, 2, 28, 31, tzinfo=UTC)
    assert item.collection_id == "sentinel-2-c1-l2a"
    assert set(item.assets) == {"red", "green", "blue", "nir", "visual", "scl"}
    assert item.properties["platform"] == "sentinel-2a"
    assert item.properties["s2:datatake_id"].startswith("GS2A_20201102T022421_")
    assert item.properties["s2:processing_baseline"] == "05.00"
    assert item.properties["proj:code"] == "EPSG:32651"
    assert item.properties["mgrs:utm_zone"] == 51
    for key in ("red", "green", "blue", "nir"):
        (band,) = item.assets[key].extra_fields["raster:bands"]
        assert (band["scale"], band["offset"], band["nodata"]) == (0.0001, -0.1, 0)
        with rasterio.open(item.assets[key].get_absolute_href()) as dataset:
            assert item.assets[key].extra_fields["proj:shape"] == [dataset.height, dataset.width]
            assert item.assets[key].extra_fields["proj:transform"] == list(dataset.transform)[:6]
            assert (dataset.crs.to_epsg(), dataset.dtypes[0]) == (32651, "uint16")
    orbit = int(item.properties["s2:datatake_id"].split("_")[2])
    assert (orbit - 3) % 143 + 1 == CLEAR.relative_orbit


def test_old_baselines_have_no_offset_and_say_so(tmp_path: Path) -> None:
    old = items_of(simulate_overpass(tmp_path / "old", [], plan=replace(CLEAR, baseline="02.14")))[0]
    new = items_of(simulate_overpass(tmp_path / "new", []))[0]
    assert old.assets["red"].extra_fields["raster:bands"][0]["offset"] == 0.0
    assert old.properties["s2:processing_baseline"] == "02.14"
    np.testing.assert_array_equal(pixels(new, "red") - pixels(old, "red"), 1000)


def test_the_true_colour_image_shows_the_bands(tmp_path: Path) -> None:
    item = items_of(simulate_overpass(tmp_path, [place("tanker", 150.0, (120.0, 120.0), 20.0)]))[0]
    with rasterio.open(item.assets["visual"].get_absolute_href()) as dataset:
        shown = dataset.read()
    assert (shown.shape[0], shown.dtype) == (3, np.uint8)
    for band, key in zip(shown, ("red", "green", "blue"), strict=True):
        level = np.clip(np.rint((pixels(item, key) - 1000.0) / 10_000 / 0.3558 * 255), 1, 255)
        np.testing.assert_allclose(band, level, atol=1)


def test_neighbouring_pixels_of_water_share_their_light_as_the_point_spread_makes_them() -> None:
    red = seen()[0]
    fine = red - np.mean([np.roll(red, shift, axis) for shift in (-8, 8) for axis in (0, 1)], axis=0)
    lag = np.corrcoef(fine[20:-20, 20:-21].ravel(), fine[20:-20, 21:-20].ravel())[0, 1]
    assert 0.4 < lag < 0.9, "real scenes: 0.42-0.82"


def test_strips_meet_without_a_seam() -> None:
    red = seen()[0]
    steps = np.abs(np.diff(red, axis=0)).mean(axis=1)
    assert steps[255] < steps.mean() + 4 * steps.std()
