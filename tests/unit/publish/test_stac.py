"""A static STAC catalogue: valid, self-contained, and its files are what it says they are."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import geopandas as gpd
import pystac
import pytest
from pystac.stac_object import STACObjectType
from pystac.validation.stac_validator import JsonSchemaSTACValidator

from roadstead.core.leads import with_lead_kind
from roadstead.core.settings import DEFAULT_MODEL_ID, settings
from roadstead.publish.formats.stac import write_stac
from tests.unit.publish import builders as e
from tests.unit.publish.roundtrip import assert_same

SCHEMAS = Path(__file__).parents[2] / "schemas"
OURS = {
    "Catalog": STACObjectType.CATALOG,
    "Collection": STACObjectType.COLLECTION,
    "Feature": STACObjectType.ITEM,
}


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a catalogue, and move it, so that a link that is not relative leads nowhere."""
    made, moved = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("moved")
    report = e.port_report(acquisitions=e.acquisitions().assign(model_id=DEFAULT_MODEL_ID))
    write_stac(made, report, {DEFAULT_MODEL_ID: settings().models_dir / DEFAULT_MODEL_ID})
    shutil.move(made / "nampo-stac", moved)
    return moved / "nampo-stac"


def documents(catalogue: Path) -> dict[Path, dict[str, Any]]:
    return {path: json.loads(path.read_text()) for path in catalogue.rglob("*.json")}


def validator() -> JsonSchemaSTACValidator:
    """Return pystac's validator with our own schemas of extensions; it has no network to ask for others."""
    made = JsonSchemaSTACValidator()
    for path in SCHEMAS.glob("*.json"):
        schema = json.loads(path.read_text())
        made.schema_cache[schema["$id"]] = schema
    return made


def test_every_document_fits_stac_and_its_extensions(catalogue: Path) -> None:
    found = documents(catalogue)
    assert sorted(d["type"] for d in found.values()) == [
        "Catalog",
        "Collection",
        "Feature",
        "Feature",
        "Feature",
    ]
    for document in found.values():
        extensions = document.get("stac_extensions", [])
        validator().validate(document, OURS[document["type"]], "1.1.0", extensions)


@pytest.mark.parametrize("damage", ["processing:software", "processing:lineage"])
def test_the_schemas_would_notice(catalogue: Path, damage: str) -> None:
    item = json.loads((catalogue / "detections" / e.SEEN / f"{e.SEEN}.json").read_text())
    del item["properties"][damage]
    with pytest.raises(pystac.STACValidationError):
        validator().validate(item, STACObjectType.ITEM, "1.1.0", item["stac_extensions"])


def test_every_link_and_asset_is_relative_and_leads_somewhere(catalogue: Path) -> None:
    for path, document in documents(catalogue).items():
        hrefs = [link["href"] for link in document["links"]]
        hrefs += [asset["href"] for asset in document.get("assets", {}).values()]
        for href in hrefs:
            assert href.startswith(("./", "../"))
            assert (path.parent / href).resolve().is_file(), href


def test_pystac_walks_from_the_catalogue_to_every_overpass_that_was_seen_or_looked_at(
    catalogue: Path,
) -> None:
    root = pystac.Catalog.from_file(str(catalogue / "catalog.json"))
    (collection,) = root.get_children()
    assert {item.id for item in collection.get_items()} == {e.SEEN, e.BLIND}, "what failed was not seen"
    blind = next(item for item in collection.get_items() if item.id == e.BLIND)
    assert blind.properties["roadstead:state"] == "not_observed"
    assert "not zero" in blind.properties["description"]
    assert [item.id for item in root.get_items()] == [DEFAULT_MODEL_ID]


def test_an_item_says_how_it_was_made(catalogue: Path) -> None:
    item = json.loads((catalogue / "detections" / e.SEEN / f"{e.SEEN}.json").read_text())
    told = item["properties"]
    assert told["processing:expression"]["format"] == "stac-mlm"
    assert told["roadstead:scenes"] == ["S2A_TEST"]
    assert (told["roadstead:detections"], told["roadstead:matches"]) == (3, 4)
    assert told["roadstead:simulated"] is True
    assert told["title"].startswith("SIMULATED")


def test_its_files_hold_the_rows_and_have_the_checksums_told(catalogue: Path) -> None:
    folder = catalogue / "detections" / e.SEEN
    assert_same(gpd.read_file(folder / "detections.geojson"), e.hulls())
    assert_same(gpd.read_file(folder / "matches.geojson"), with_lead_kind(e.matches()))
    for path, document in documents(catalogue).items():
        for asset in document.get("assets", {}).values():
            digest = hashlib.sha256((path.parent / asset["href"]).read_bytes()).hexdigest()
            assert asset["file:checksum"] == f"1220{digest}"


def test_a_model_that_is_not_at_hand_is_named_and_not_linked(tmp_path: Path) -> None:
    paths = write_stac(tmp_path, e.port_report(), {})
    item = json.loads((tmp_path / "nampo-stac" / "detections" / e.SEEN / f"{e.SEEN}.json").read_text())
    assert item["properties"]["roadstead:model_id"] == "test-model"
    assert "processing:expression" not in item["properties"]
    assert paths[0].name == "catalog.json"
    assert all(path.is_file() for path in paths)


def test_where_images_lie_on_a_disk_is_not_told_and_where_they_lie_in_public_is(tmp_path: Path) -> None:
    for href, links in (
        ("/home/me/item.json", []),
        ("https://example.org/item.json", ["https://example.org/item.json"]),
    ):
        write_stac(tmp_path, e.port_report(scenes=e.scenes().assign(item_href=href)), {})
        text = (tmp_path / "nampo-stac" / "detections" / e.SEEN / f"{e.SEEN}.json").read_text()
        found = [link["href"] for link in json.loads(text)["links"] if link["rel"] == "derived_from"]
        assert (found, "/home/me" in text) == (links, False)


def test_a_rerun_gives_the_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_stac(tmp_path, e.port_report(), {})]
    assert [path.read_bytes() for path in write_stac(tmp_path, e.port_report(), {})] == first
