"""What is measured is what the product found, in the scene's own pixels."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine

from roadstead.core.errors import BadInputError
from roadstead.core.geo import Grid, xy_to_lonlat
from roadstead_lab.training.pixels import scene_overpass
from roadstead_lab.training.product import found_in
from tests.unit.lab.training.test_scoring import box


def test_a_detection_comes_back_to_the_pixels_it_was_found_in() -> None:
    grid = Grid("EPSG:32634", Affine(10, 0, 721_000, 0, -10, 4_209_000), 400, 300)
    corners = box(120.0, 80.0, axis=30.0)
    lonlat = xy_to_lonlat(grid.colrow_to_xy(corners), grid.crs)
    table = gpd.GeoDataFrame(
        {
            "class": ["barge"],
            "length_m": [91.0],
            "p_vessel": [0.7],
            "p_barge": [0.6],
            "p_bulk_carrier": [0.3],
            "p_other_vessel": [0.1],
        },
        geometry=[shapely.Polygon(lonlat)],
        crs="EPSG:4326",
    )
    (found,) = found_in(table, grid)
    np.testing.assert_allclose(found.corners, corners, atol=1e-3)
    assert (found.class_, found.length_m, found.p_vessel) == ("barge", 91.0, 0.7)
    assert found.p_class == (0.6, 0.3, 0.1)


def test_labels_without_an_image_are_named(tmp_path: Path) -> None:
    (tmp_path / "stac").mkdir()
    with pytest.raises(BadInputError, match="athens"):
        scene_overpass(tmp_path, "athens")


@pytest.mark.shared_data
def test_the_8_bit_pixels_of_a_band_scene_follow_its_reflectance(shared_data: Path, tmp_path: Path) -> None:
    from roadstead_lab.training.pixels import cache_pixels

    path = cache_pixels(shared_data, tmp_path, "casablanca")
    pixels = np.load(path)
    assert pixels["rgb"].shape == (*pixels["valid"].shape, 3)
    assert pixels["nir"].shape == pixels["valid"].shape
    # The near infrared is not clipped and water is dark in it: most of this harbour scene is below 0.35.
    assert 0 < float(np.median(pixels["nir"][pixels["valid"]])) < 0.35
    assert cache_pixels(shared_data, tmp_path, "casablanca") == path
