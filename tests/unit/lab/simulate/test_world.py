"""A simulated world on disk: reproducible, labelled, and consistent with its truth."""

import csv
import hashlib
import json
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
from pystac.validation import validate_dict
from shapely.geometry import shape

from roadstead.core.detections_file import read_detections
from roadstead.core.errors import StoreError, UsageError
from roadstead.core.geo import project
from roadstead_lab.simulate.files import MARK, refuse_foreign
from roadstead_lab.simulate.scenario.file import LoadedScenario, ScenarioError, load_scenario
from roadstead_lab.simulate.scenario.model import Scenario
from roadstead_lab.simulate.small import SMALL_SCENARIO, SMALL_WORLD, small_port
from roadstead_lab.simulate.world import SimulatedWorld, simulate

from .conftest import SEED


def fingerprints(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def hulls(small_files: SimulatedWorld) -> list[dict]:
    return json.loads((small_files.truth / "hulls.geojson").read_text())["features"]


def test_the_same_seed_gives_the_same_bytes_in_any_folder(
    small_folder: Path, small_loaded: LoadedScenario, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "some other" / "folder.of mine"
    simulate(elsewhere, small_loaded, SEED)
    assert fingerprints(elsewhere) == fingerprints(small_folder)


def test_the_copy_of_the_scenario_makes_the_same_world_again(small_folder: Path, tmp_path: Path) -> None:
    simulate(tmp_path / "again", load_scenario(small_folder / "scenario.yaml"), SEED)
    assert fingerprints(tmp_path / "again") == fingerprints(small_folder)


def test_another_seed_gives_another_world(
    small_folder: Path, small_loaded: LoadedScenario, tmp_path: Path
) -> None:
    simulate(tmp_path, small_loaded, SEED + 1)
    ours, other = fingerprints(small_folder), fingerprints(tmp_path)
    assert ours.keys() == other.keys()
    drawn = [name for name in ours if name.endswith((".tif", ".nmea", "hulls.geojson"))]
    assert len(drawn) > 25
    assert [name for name in drawn if ours[name] == other[name]] == []


def test_no_file_tells_where_it_was_made(small_folder: Path) -> None:
    for path in small_folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert str(small_folder).encode() not in content
            assert b"/tmp/" not in content
            assert b"partial" not in content
            assert path.name == MARK or not path.name.startswith("."), "nothing temporary is left"
    assert [path.name for path in small_folder.parent.iterdir()] == [small_folder.name]


def test_everything_is_labelled_as_simulated(small_folder: Path, hulls: list[dict]) -> None:
    catalog = pystac.Catalog.from_file(str(small_folder / "catalog.json"))
    collections = list(catalog.get_children())
    assert {collection.id for collection in collections} == {"sentinel-2-c1-l2a", "sentinel-1-grd"}
    for thing in (catalog, *collections):
        assert thing.extra_fields["roadstead:simulated"] is True
        assert thing.extra_fields["roadstead:seed"] == SEED
    for item in catalog.get_items(recursive=True):
        assert item.id.startswith("SIM_")
        assert item.properties["roadstead:simulated"] is True
        assert item.properties["roadstead:seed"] == SEED
        for asset in item.assets.values():
            if not asset.href.endswith(".tif"):
                assert "SIMULATED" in Path(asset.get_absolute_href() or "").read_text("utf-8")
                continue
            with rasterio.open(asset.get_absolute_href()) as dataset:
                assert dataset.tags()["ROADSTEAD_SIMULATED"] == "true"
                assert "SIMULATED" in dataset.tags()["TIFFTAG_IMAGEDESCRIPTION"]
    assert all(hull["properties"]["simulated"] is True for hull in hulls)
    readme = (small_folder / "README.txt").read_text()
    assert readme.startswith("SIMULATED")
    assert f"--seed {SEED}" in readme
    for table in (small_folder / "truth").glob("*.csv"):
        assert table.read_text().startswith("simulated")


def test_every_ais_file_says_in_each_line_that_it_is_simulated(small_folder: Path) -> None:
    nmea, table = (next((small_folder / "ais").glob(f"*.{kind}")) for kind in ("nmea", "csv"))
    assert all("s:SIM-" in line for line in nmea.read_text("ascii").splitlines())
    assert all("SIM-SMALL" in line for line in table.read_text("utf-8").splitlines()[1:])


def test_the_catalogue_is_static_relative_and_whole(small_folder: Path) -> None:
    catalog = pystac.Catalog.from_file(str(small_folder / "catalog.json"))
    items = list(catalog.get_items(recursive=True))
    assert len(items) == 5, "two overpasses on two tiles, and one radar pass"
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
    assert len(by_time) == len(SMALL_SCENARIO.overpasses) + len(SMALL_SCENARIO.radar)
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
    clear, radar, cloudy = (seen[when] for when in sorted(seen))
    assert clear == radar == {"clear"}
    assert cloudy - {"clear"} <= {"no_data", "cloud", "thin_cloud", "shadow"}


def test_true_hulls_at_a_radar_pass_say_where_the_image_shows_them(
    small_folder: Path, hulls: list[dict]
) -> None:
    (vv,) = small_folder.rglob("vv.tif")
    with rasterio.open(vv) as dataset:
        amplitude = dataset.read(1)
    seen = [hull["properties"] for hull in hulls if hull["properties"]["sensor"] == "s1"]
    assert len(seen) >= 5
    for truth in seen:
        col, row = round(truth["col"]), round(truth["row"])
        assert amplitude[row - 3 : row + 4, col - 3 : col + 4].max() > 4 * np.median(amplitude)
    assert all("col" not in hull["properties"] for hull in hulls if hull["properties"]["sensor"] == "s2")


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


def test_a_second_run_replaces_the_first_whole(small_loaded: LoadedScenario, tmp_path: Path) -> None:
    bare = replace(
        SMALL_WORLD, ports=(replace(SMALL_SCENARIO, overpasses=SMALL_SCENARIO.overpasses[:1], radar=()),)
    )
    out = tmp_path / "world"
    simulate(out, LoadedScenario(bare, (small_port(),)), SEED)
    (out / "truth" / "left-over.csv").touch()
    simulate(out, LoadedScenario(bare, (small_port(),)), SEED + 1)
    assert not (out / "truth" / "left-over.csv").exists()
    assert not (out / "sentinel-1-grd").exists(), "a collection without items is left out"
    assert f"--seed {SEED + 1}" in (out / "README.txt").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["world"]


def test_a_folder_that_no_simulation_made_is_left_alone(small_loaded: LoadedScenario, tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(UsageError, match="no simulation made"):
        simulate(tmp_path, small_loaded, SEED)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_a_file_in_the_place_of_the_folder_is_left_alone(
    small_loaded: LoadedScenario, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(UsageError, match="file is no folder"):
        simulate(blocked, small_loaded, SEED)
    assert blocked.read_text() == "in the way"


def test_a_folder_that_cannot_be_made_is_one_clear_error(
    small_loaded: LoadedScenario, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        simulate(tmp_path / "file" / "world", small_loaded, SEED)


def test_a_run_that_fails_leaves_the_earlier_world_as_it_was(
    small_loaded: LoadedScenario, tmp_path: Path
) -> None:
    out = tmp_path / "world"
    (out / "truth").mkdir(parents=True)
    (out / MARK).write_text("truth\n")
    with pytest.raises(ScenarioError):
        simulate(out, LoadedScenario(crowded(), (small_port(),)), SEED)
    assert sorted(path.name for path in out.iterdir()) == [MARK, "truth"]
    assert [path.name for path in tmp_path.iterdir()] == ["world"]


def crowded() -> Scenario:
    fleet = (SMALL_SCENARIO.fleet[0], replace(SMALL_SCENARIO.fleet[1], rafts=0.0, ships={"at_berth": 300}))
    return replace(SMALL_WORLD, ports=(replace(SMALL_SCENARIO, fleet=fleet),))


def test_a_fleet_without_room_is_told_with_its_line(small_folder: Path, tmp_path: Path) -> None:
    text = (
        (small_folder / "scenario.yaml").read_text().replace("{at_berth: 2, at_anchor: 2}", "{at_berth: 300}")
    )
    path = tmp_path / "crowded.yaml"
    path.write_text(text.replace("rafts: 0.6", "rafts: 0.0"))
    (tmp_path / "small-port.geojson").write_bytes((small_folder / "small-port.geojson").read_bytes())
    line = 1 + text.splitlines().index("  - kind: barge")
    with pytest.raises(ScenarioError, match=rf"{path}:{line}: ports\[0\].fleet\[1\]: no free place"):
        simulate(tmp_path / "out", load_scenario(path), SEED)


def test_a_port_without_water_is_told_with_its_line(small_folder: Path, tmp_path: Path) -> None:
    text = (small_folder / "scenario.yaml").read_text().replace("entries: S", "entries: N")
    (tmp_path / "dry.yaml").write_text(text)
    (tmp_path / "small-port.geojson").write_bytes((small_folder / "small-port.geojson").read_bytes())
    line = 1 + text.splitlines().index("- port: small-port")
    with pytest.raises(ScenarioError, match=rf"dry.yaml:{line}: ports\[0\]: no navigable water"):
        simulate(tmp_path / "out", load_scenario(tmp_path / "dry.yaml"), SEED)


def test_a_world_without_pixels_has_detections_that_can_be_reconciled(
    small_loaded: LoadedScenario, tmp_path: Path
) -> None:
    world = simulate(tmp_path / "a", small_loaded, SEED, mode="detections")
    simulate(tmp_path / "b", small_loaded, SEED, mode="detections")
    assert fingerprints(tmp_path / "a") == fingerprints(tmp_path / "b")
    assert world.catalog is None
    assert list(world.out.rglob("*.tif")) == []
    table, header = read_detections(world.detections["small-port"])
    assert len(table) == world.numbers["small-port"]["detections"]
    assert all(scene.simulated for scene in header.scenes)
    seen = {
        h["properties"]["acquired"]
        for h in json.loads((world.truth / "hulls.geojson").read_text())["features"]
    }
    assert len(seen) == 3
    assert "no pixels" in (world.out / "README.txt").read_text()


def test_progress_counts_every_pass(small_loaded: LoadedScenario, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    simulate(tmp_path / "world", small_loaded, SEED, progress=lambda *step: told.append(step))
    assert [done for _, done, _ in told] == [0, 1, 2, 3]
    assert {total for *_, total in told} == {3}
    assert "small-port 2020-11-03 02:18" in [what for what, *_ in told]


def test_a_simulation_to_which_somebody_added_a_file_is_not_replaced(tmp_path: Path) -> None:
    """Notes and QGIS projects end up beside the data."""
    (tmp_path / "world" / "ais").mkdir(parents=True)
    (tmp_path / "world" / MARK).write_text("ais\n")
    refuse_foreign(tmp_path / "world")
    (tmp_path / "world" / "my.qgz").write_text("work of days")
    with pytest.raises(UsageError, match=r"holds my\.qgz"):
        refuse_foreign(tmp_path / "world")
    assert (tmp_path / "world" / "my.qgz").read_text() == "work of days"
