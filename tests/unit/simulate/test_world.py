"""A simulated world on disk: reproducible, labelled, and consistent with its truth."""

import csv
import hashlib
import json
from itertools import combinations, pairwise
from pathlib import Path

import pystac
import pytest
import rasterio
from pystac.validation import validate_dict
from shapely.geometry import shape

from roadstead.errors import StoreError
from roadstead.geo import project
from roadstead.simulate.small import SMALL_SCENARIO, small_port
from roadstead.simulate.world import SimulatedWorld, simulate_scenarios

from .conftest import SEED, START


def fingerprints(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def hulls(small_files: SimulatedWorld) -> list[dict]:
    return json.loads((small_files.truth / "hulls.geojson").read_text())["features"]


def test_the_same_seed_gives_the_same_bytes_in_any_folder(small_folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "some other" / "folder"
    simulate_scenarios(elsewhere, [(small_port(), SMALL_SCENARIO)], SEED, START)
    assert fingerprints(elsewhere) == fingerprints(small_folder)


def test_another_seed_gives_another_world(small_folder: Path, tmp_path: Path) -> None:
    simulate_scenarios(tmp_path, [(small_port(), SMALL_SCENARIO)], SEED + 1, START)
    ours, other = fingerprints(small_folder), fingerprints(tmp_path)
    assert ours.keys() == other.keys()
    assert [name for name in ours if name.endswith(".tif") and ours[name] == other[name]] == []


def test_no_file_tells_where_it_was_made(small_folder: Path) -> None:
    for path in small_folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert str(small_folder).encode() not in content
            assert b"/tmp/" not in content
            assert not path.name.startswith("."), "nothing temporary is left"


def test_everything_is_labelled_as_simulated(small_folder: Path, hulls: list[dict]) -> None:
    catalog = pystac.Catalog.from_file(str(small_folder / "catalog.json"))
    (collection,) = catalog.get_children()
    for thing in (catalog, collection):
        assert thing.extra_fields["roadstead:simulated"] is True
        assert thing.extra_fields["roadstead:seed"] == SEED
    for item in catalog.get_items(recursive=True):
        assert item.id.startswith("SIM_")
        assert item.properties["roadstead:simulated"] is True
        assert item.properties["roadstead:seed"] == SEED
        for asset in item.assets.values():
            with rasterio.open(asset.get_absolute_href()) as dataset:
                assert dataset.tags()["ROADSTEAD_SIMULATED"] == "true"
                assert "SIMULATED" in dataset.tags()["TIFFTAG_IMAGEDESCRIPTION"]
    assert all(hull["properties"]["simulated"] is True for hull in hulls)
    assert "SIMULATED" in (small_folder / "README.txt").read_text()
    assert all("simulated" in path.name for path in (small_folder / "ais").iterdir())
    (nmea,) = (small_folder / "ais").iterdir()
    assert all("s:SIM-" in line for line in nmea.read_text("ascii").splitlines())


def test_the_catalogue_is_static_relative_and_whole(small_folder: Path) -> None:
    catalog = pystac.Catalog.from_file(str(small_folder / "catalog.json"))
    items = list(catalog.get_items(recursive=True))
    assert len(items) == 4, "two overpasses on two tiles"
    for path in small_folder.rglob("*.json"):
        document = json.loads(path.read_text())
        hrefs = [link["href"] for link in document["links"]]
        hrefs += [asset["href"] for asset in document.get("assets", {}).values()]
        assert all(href.startswith("./") or href.startswith("../") for href in hrefs), path.name
        assert all((path.parent / href).exists() for href in hrefs), path.name
    for item in items:
        assert item.to_dict()["type"] == "Feature"
        assert shape(item.geometry).is_valid
        assert item.bbox == pytest.approx(list(shape(item.geometry).bounds))


def test_catalogue_collection_and_items_fit_the_stac_schemas(small_folder: Path) -> None:
    catalog = pystac.Catalog.from_file(str(small_folder / "catalog.json"))
    validate_dict(catalog.to_dict(), extensions=[])
    for collection in catalog.get_children():
        validate_dict(collection.to_dict(), extensions=[])
    for item in catalog.get_items(recursive=True):
        validate_dict(item.to_dict(), extensions=[])


def test_the_truth_is_apart_from_the_catalogue(small_files: SimulatedWorld, small_folder: Path) -> None:
    assert small_files.truth == small_folder / "truth"
    for path in small_folder.rglob("*.json"):
        assert "truth" not in path.read_text()


def test_true_hulls_overlap_only_where_rafted(hulls: list[dict]) -> None:
    by_time: dict[str, list[dict]] = {}
    for hull in hulls:
        by_time.setdefault(hull["properties"]["acquired"], []).append(hull)
    assert len(by_time) == len(SMALL_SCENARIO.overpasses)
    for present in by_time.values():
        for a, b in combinations(present, 2):
            pa, pb = a["properties"], b["properties"]
            close = pb["vessel_id"] == pa["alongside"] or pa["vessel_id"] == pb["alongside"]
            gap = project(shape(a["geometry"]), "EPSG:4326", "EPSG:32651").distance(
                project(shape(b["geometry"]), "EPSG:4326", "EPSG:32651")
            )
            assert gap < 3.0 if close else gap > 5.0


def test_true_hulls_have_the_stated_place_length_axis_and_zone(hulls: list[dict]) -> None:
    port = small_port()
    for hull in hulls:
        truth = hull["properties"]
        outline = project(shape(hull["geometry"]), "EPSG:4326", "EPSG:32651")
        assert outline.area == pytest.approx(truth["length_m"] * truth["beam_m"], rel=0.02)
        if truth["status"] == "moored":
            assert port.zone_of([[truth["lon"], truth["lat"]]]) == [truth["zone"]]
        assert 0 <= truth["axis_deg"] < 180
        assert truth["class"] in ("barge", "bulk_carrier", "other_vessel")


def test_true_hulls_say_what_ais_told_of_them(hulls: list[dict]) -> None:
    for hull in hulls:
        truth = hull["properties"]
        if truth["behaviour"] == "silent":
            assert (truth["transmitting"], truth["declared_length_m"], truth["reports_within_6h"]) == (
                False,
                None,
                0,
            )
        if truth["behaviour"] == "honest":
            assert truth["transmitting"]
            assert truth["declared_length_m"] == pytest.approx(truth["length_m"], abs=1.0)
            assert truth["reports_within_6h"] > 0


def test_true_hulls_say_whether_they_could_be_seen(hulls: list[dict]) -> None:
    seen: dict[str, set[str]] = {}
    for hull in hulls:
        seen.setdefault(hull["properties"]["acquired"], set()).add(hull["properties"]["visibility"])
    clear, cloudy = (seen[when] for when in sorted(seen))
    assert clear == {"clear"}
    assert cloudy - {"clear"} <= {"no_data", "cloud", "thin_cloud", "shadow"}


def test_voyages_tell_every_leg_and_stay_in_order(small_files: SimulatedWorld) -> None:
    with (small_files.truth / "voyages.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    ships = {row["vessel_id"] for row in rows}
    assert len(ships) == 7
    for ship in ships:
        parts = [row for row in rows if row["vessel_id"] == ship]
        assert [int(row["part"]) for row in parts] == list(range(1, len(parts) + 1))
        assert all(a["end"] == b["start"] for a, b in pairwise(parts))
    assert {row["what"] for row in rows} == {"leg", "anchored", "moored"}


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(StoreError, match="file"):
        simulate_scenarios(blocked, [(small_port(), SMALL_SCENARIO)], SEED, START)
    assert blocked.read_text() == "in the way"
