from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely.geometry import Polygon, shape

from roadstead.core.errors import StoreError
from roadstead.core.schemas import DETECTIONS, MATCHES
from roadstead.publish import counts_by_zone, write_geojson, write_geojson_products
from roadstead.publish.formats.geojson import by_the_rules
from tests.unit.builders import detections
from tests.unit.publish import builders as e
from tests.unit.store import builders as b


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


@pytest.fixture
def products(tmp_path: Path) -> dict[str, dict[str, Any]]:
    paths = write_geojson_products(tmp_path / "out", e.port(), e.hulls(), e.matches(), e.counts())
    return {path.stem.removeprefix("nampo-"): read(path) for path in paths}


def rings(document: dict[str, Any]) -> Iterator[tuple[bool, list[list[float]]]]:
    """Yield (is outer, positions) of every ring."""
    for feature in document["features"]:
        kind, coordinates = feature["geometry"]["type"], feature["geometry"]["coordinates"]
        polygons = {"Polygon": [coordinates], "MultiPolygon": coordinates}.get(kind, [])
        for polygon in polygons:
            for index, ring in enumerate(polygon):
                yield index == 0, ring


def test_each_product_is_a_feature_collection_without_crs(products: dict[str, Any]) -> None:
    assert list(products) == ["detections", "matches", "counts", "zones"]
    for document in products.values():
        assert document["type"] == "FeatureCollection"
        assert "crs" not in document
        assert len(document["bbox"]) == 4


def test_properties_are_flat_and_named_as_in_the_tables(products: dict[str, Any]) -> None:
    for document in products.values():
        for feature in document["features"]:
            assert not [v for v in feature["properties"].values() if isinstance(v, (dict, list))]
    first = products["detections"]["features"][0]["properties"]
    assert set(first) == set(DETECTIONS.columns) - {"geometry"}
    assert set(products["matches"]["features"][0]["properties"]) == set(MATCHES.columns) - {"geometry"}
    assert first["acquired"] == "2020-11-03T02:25:41.000000Z"


def test_rings_follow_the_right_hand_rule(products: dict[str, Any]) -> None:
    found = [
        (outer, shapely.LinearRing(ring).is_ccw) for name in products for outer, ring in rings(products[name])
    ]
    assert (False, False) in found, "the zone with a hole is there"
    assert all(outer == counterclockwise for outer, counterclockwise in found)


def test_positions_have_at_most_7_decimals(tmp_path: Path) -> None:
    third = Polygon([(125.0, 38.0), (125 + 1 / 3, 38.0), (125 + 1 / 3, 38 + 1 / 3)])
    table = gpd.GeoDataFrame({"a": [1]}, geometry=[third], crs="EPSG:4326")
    (_, ring), *_ = rings(read(write_geojson(table, tmp_path / "a.geojson")))
    assert all(round(value, 7) == value for position in ring for value in position)


def test_other_crs_are_brought_to_wgs84(tmp_path: Path) -> None:
    document = read(write_geojson(e.hulls().to_crs("EPSG:32651"), tmp_path / "a.geojson"))
    moved = shape(document["features"][0]["geometry"])
    assert moved.hausdorff_distance(e.hulls().geometry.iloc[0]) < 2e-7


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=4, max_size=8, unique=True),
    st.booleans(),
)
def test_any_hull_is_wound_right_and_stays_in_place(
    points: list[tuple[float, float]], backwards: bool
) -> None:
    hull = shapely.MultiPoint(points).convex_hull
    assume(hull.area > 1e-4)
    table = gpd.GeoDataFrame({"a": [1]}, geometry=[hull.reverse() if backwards else hull], crs="EPSG:4326")
    wound = by_the_rules(table).geometry.iloc[0]
    assert wound.exterior.is_ccw
    assert wound.hausdorff_distance(hull) < 1e-7


def test_a_zone_not_observed_has_null_counts_and_never_zero(products: dict[str, Any]) -> None:
    by = {
        (f["properties"]["overpass_id"], f["properties"]["zone"]): f["properties"]
        for f in products["counts"]["features"]
    }
    roads, quay = by[e.SEEN, e.ROADS], by[e.SEEN, e.QUAY]
    assert roads["bulk_carrier_observed"] == 2.0
    assert (roads["dry_cargo_observed_low"], roads["dry_cargo_observed_high"]) == (2.0, 4.0)
    assert roads["all_declared"] == 2.0
    assert "dry_cargo_declared" not in roads, "an unmatched declaration has no seen class"
    assert quay["observed_at_all"] is False
    assert {value for name, value in quay.items() if "observed" in name or "declared" in name} == {
        None,
        False,
    }


def test_no_bare_difference_is_exported(products: dict[str, Any]) -> None:
    names = set(products["counts"]["features"][0]["properties"])
    assert not [name for name in names if "diff" in name or "gap" in name or "minus" in name]


def test_a_zone_polygon_comes_with_its_counts() -> None:
    table = counts_by_zone(e.counts(), e.port())
    assert len(table) == 4
    assert table.geometry.iloc[0].equals(e.port().zones[1].polygon)


def test_nothing_found_is_an_empty_collection(tmp_path: Path) -> None:
    document = read(write_geojson(detections([]), tmp_path / "none.geojson"))
    assert document["features"] == []
    assert "bbox" not in document
    written = write_geojson_products(tmp_path, e.port(), detections([]), b.matches([]), e.counts()[:0])
    assert len(written) == 4


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file, not a folder")
    with pytest.raises(StoreError, match=r"out/a\.geojson: cannot be written"):
        write_geojson(e.hulls(), tmp_path / "out" / "a.geojson")
