import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pystac
import pytest

from roadstead.core.errors import CatalogueError, SceneError
from roadstead.imagery import open_item, open_scene
from roadstead.imagery.stac.item import item_sha256, scene_from_item
from tests import builders as b

FRAME = b.grid(12, 10)


def _changed(path: Path, **changes: Any) -> Path:
    """Rewrite an item with other properties; a value of None takes a key away."""
    document = json.loads(path.read_text(encoding="utf-8"))
    for key, value in changes.items():
        target = document if key in ("geometry", "bbox", "id", "type", "assets") else document["properties"]
        target[key] = value
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_an_item_becomes_a_scene_with_all_that_it_tells(tmp_path: Path) -> None:
    properties = {
        **b.SENSING,
        "view:sun_azimuth": 166.5,
        "view:sun_elevation": 34.2,
        "roadstead:simulated": True,
        "s2:generation_time": "2023-05-01T00:00:00Z",
    }
    path = b.write_item(tmp_path, "SIM_51SXC", FRAME, properties=properties)
    scene = open_item(str(path))
    assert scene.scene_id == "SIM_51SXC"
    assert scene.acquired == datetime(2020, 11, 3, 2, 29, 51, 500000, tzinfo=UTC)
    assert scene.acquired_source == "granule_sensing"
    assert scene.datatake == "GS2B_20201103T022541_019132"
    assert (scene.mgrs_tile, scene.processing_baseline) == ("51SXC", "05.00")
    assert (scene.sun_azimuth_deg, scene.sun_elevation_deg) == (166.5, 34.2)
    assert scene.simulated
    assert scene.processed == datetime(2023, 5, 1, tzinfo=UTC)
    assert scene.provider == "file"
    assert scene.item_href == str(path)
    assert scene.assets["red"].href == str(tmp_path / "SIM_51SXC" / "red.tif")
    assert scene.footprint.equals(FRAME.footprint_lonlat)


def test_a_pystac_item_gives_the_same_scene_as_its_file(tmp_path: Path) -> None:
    path = b.write_item(tmp_path, "S2", FRAME)
    assert open_item(pystac.Item.from_file(str(path))).assets == open_scene(str(path)).assets


def test_only_a_plain_true_means_simulated(tmp_path: Path) -> None:
    assert not open_item(str(b.write_item(tmp_path, "S2", FRAME))).simulated


@pytest.mark.parametrize(
    ("properties", "tile"),
    [
        ({"grid:code": "MGRS-51SXC"}, "51SXC"),
        ({"s2:mgrs_tile": "51SXC"}, "51SXC"),
        ({"s2:tile_id": "S2B_OPER_MSI_L2A_TL_2BPS_20230623T101205_A032879_T39QTA_N05.09"}, "39QTA"),
        ({"mgrs:utm_zone": 7, "mgrs:latitude_band": "S", "mgrs:grid_square": "XC"}, "07SXC"),
        ({"grid:code": "WRS2-011031"}, None),
    ],
)
def test_the_mgrs_tile_is_found_under_each_providers_key(
    tmp_path: Path, properties: dict[str, Any], tile: str | None
) -> None:
    assert open_item(str(b.write_item(tmp_path, "S2", FRAME, properties=properties))).mgrs_tile == tile


def test_a_zenith_angle_becomes_an_elevation(tmp_path: Path) -> None:
    path = b.write_item(tmp_path, "S2", FRAME, properties={"s2:mean_solar_zenith": 50.0})
    assert open_item(str(path)).sun_elevation_deg == 40.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"datetime": None}, "item S2: has no datetime"),
        ({"datetime": "last Tuesday"}, "item S2: datetime 'last Tuesday' is no time"),
        ({"geometry": None, "bbox": None}, "item S2: has neither geometry nor bbox"),
        ({"geometry": {"type": "Polygon", "coordinates": "?"}}, "item S2: its geometry is broken"),
        ({"assets": {"red": {"href": "red.tif"}}}, "item S2: no asset for green, blue"),
        ({"assets": {"red": {}, "green": {}, "blue": {}}}, "item S2: is no valid STAC item"),
        ({"s2:generation_time": "soon"}, "item S2: is no valid STAC item"),
        ({"type": "Collection"}, "is a STAC Collection, not an item"),
    ],
)
def test_an_item_that_cannot_be_used_is_named_with_its_fault(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    path = _changed(b.write_item(tmp_path, "S2", FRAME), **changes)
    with pytest.raises(SceneError, match=message):
        open_item(str(path))


def test_an_item_that_is_not_there_is_a_catalogue_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"none\.json: cannot be read"):
        open_scene(str(tmp_path / "none.json"))


def test_an_item_that_is_no_json_is_a_scene_error(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("<html>", encoding="utf-8")
    with pytest.raises(SceneError, match=r"a\.json: is not JSON"):
        open_scene(str(tmp_path / "a.json"))


def test_the_checksum_follows_content_and_not_links() -> None:
    item = {"id": "a", "properties": {"x": 1}, "links": [{"rel": "self", "href": "/here"}]}
    elsewhere = {**item, "links": []}
    changed = {**item, "properties": {"x": 2}}
    assert item_sha256(item) == item_sha256(elsewhere) != item_sha256(changed)


@pytest.mark.parametrize(
    ("href", "provider"),
    [
        ("https://earth-search.aws.element84.com/v1/collections/c/items/i", "earth-search"),
        ("https://stac.example.org/i.json", "stac.example.org"),
        (None, "file"),
    ],
)
def test_the_provider_goes_by_the_catalogues_host(tmp_path: Path, href: str | None, provider: str) -> None:
    document = json.loads(b.write_item(tmp_path, "S2", FRAME).read_text(encoding="utf-8"))
    assert scene_from_item(document, href).provider == provider
