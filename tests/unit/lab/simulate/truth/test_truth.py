"""The truth is complete: every hull at every pass once, every delivery with both its ends."""

import csv
import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import shapely
from shapely.geometry import box, shape

from roadstead.core.geo import axis_difference_deg, distance_m
from roadstead_lab.simulate.detections.skies import observations, views
from roadstead_lab.simulate.scenario.model import Behaviour
from roadstead_lab.simulate.traffic.sea import PortWorld, Sea
from roadstead_lab.simulate.truth.files import Observation, hull_features, swath_cover, write_truth
from tests.unit.lab.simulate.traffic.test_voyages import AT_SEA, RUN, sail, world

SEED = 3


@pytest.fixture(scope="module")
def sea() -> Sea:
    """Two ports with deliveries and transfers."""
    behaviours = {"honest": 0.5, "silent": 0.25, "borrowed_identity": 0.25}
    return sail(world(replace(RUN, behaviours=behaviours, hulls=4), AT_SEA), SEED)


@pytest.fixture(scope="module")
def features(sea: Sea) -> list[dict[str, Any]]:
    """Every hull at every pass of both ports."""
    return [
        f for port in sea.worlds for seen in observations(port, views(port)) for f in hull_features(seen, {})
    ]


@pytest.fixture(scope="module")
def folder(sea: Sea, features: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The truth on disk."""
    out = tmp_path_factory.mktemp("truth")
    write_truth(out, sea.worlds, sea.occasions, features, SEED)
    return out


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def test_every_hull_present_at_a_pass_appears_exactly_once(sea: Sea, features: list[dict[str, Any]]) -> None:
    told = Counter(
        (f["properties"]["port"], f["properties"]["acquired"], f["properties"]["vessel_id"]) for f in features
    )
    there = Counter(
        (port.scenario.port, f"{seen.acquired:%Y-%m-%dT%H:%M:%SZ}", sailing.vessel.vessel_id)
        for port in sea.worlds
        for seen in observations(port, views(port))
        for sailing in port.sailings
        if sailing.at(seen.acquired.timestamp()) is not None
    )
    assert told == there
    assert set(told.values()) == {1}


def test_a_hulls_outline_has_its_length_place_and_axis(features: list[dict[str, Any]]) -> None:
    for feature in features:
        told = feature["properties"]
        bow_port, bow_starboard, stern_starboard, _ = np.array(feature["geometry"]["coordinates"][0][:4])
        length = distance_m(bow_starboard[None], stern_starboard[None])[0]
        beam = distance_m(bow_port[None], bow_starboard[None])[0]
        assert length == pytest.approx(told["length_m"], rel=0.002, abs=0.1)
        assert beam == pytest.approx(told["beam_m"], rel=0.01, abs=0.1)
        centre = shape(feature["geometry"]).centroid
        assert (centre.x, centre.y) == pytest.approx((told["lon"], told["lat"]), abs=1e-6)
        assert axis_difference_deg(told["heading_deg"], told["axis_deg"]) < 0.11


def test_every_delivery_has_its_loading_in_the_loadings(folder: Path) -> None:
    loadings = {
        (row["occasion_id"], row["vessel_id"], row["port"]): row for row in rows(folder / "loadings.csv")
    }
    for row in rows(folder / "occasions.csv"):
        found = loadings[row["occasion_id"], row["vessel_id"], row["loading_port"]]
        assert found["zone"] == row["loading_zone"]
        assert (found["start"], found["end"]) == (row["loading_start"], row["loading_end"])
        assert found["from_ship"] == "false"


def test_cargo_taken_at_sea_is_marked_among_the_loadings(folder: Path) -> None:
    taken = {
        (r["occasion_id"], r["vessel_id"]) for r in rows(folder / "loadings.csv") if r["from_ship"] == "true"
    }
    transfers = [r for r in rows(folder / "occasions.csv") if r["kind"] == "transfer_at_sea"]
    assert taken == {(row["occasion_id"], row["receiver_vessel_id"]) for row in transfers}
    assert len(transfers) == 3


def test_every_delivery_has_its_stays_among_the_voyages(folder: Path) -> None:
    parts = {(r["port"], r["vessel_id"], r["start"]): r for r in rows(folder / "voyages.csv")}
    for row in rows(folder / "occasions.csv"):
        deliverer = row["receiver_vessel_id"] if row["delivery_start"] != row["handover_start"] else ""
        ends = [
            (row["loading_port"], row["vessel_id"], "loading"),
            (row["delivery_port"], deliverer or row["vessel_id"], "delivery"),
        ]
        for port, vessel_id, end in ends:
            stay = parts[port, vessel_id, row[f"{end}_start"]]
            assert stay["what"] in ("moored", "anchored")
            assert (stay["zone"], stay["end"]) == (row[f"{end}_zone"], row[f"{end}_end"])
            assert stay["occasion_id"] == row["occasion_id"]


def test_the_times_of_a_delivery_are_in_order(folder: Path) -> None:
    order = ("loading_start", "loading_end", "departure", "arrival", "delivery_start", "delivery_end")
    for row in rows(folder / "occasions.csv"):
        times = [seconds(row[name]) for name in order]
        assert times == sorted(times)
        hours = (seconds(row["arrival"]) - seconds(row["departure"])) / 3600.0
        assert hours == pytest.approx(float(row["sea_nm"]) / float(row["sea_speed_kn"]), rel=0.01)


def test_every_sailing_has_its_identities_for_its_whole_time(sea: Sea, folder: Path) -> None:
    spans: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in rows(folder / "identities.csv"):
        spans.setdefault((row["port"], row["vessel_id"]), []).append(
            (seconds(row["since"]), seconds(row["until"]))
        )
    for port in sea.worlds:
        for sailing in port.sailings:
            told = spans[port.scenario.port, sailing.vessel.vessel_id]
            assert any(start == pytest.approx(sailing.track.start, abs=1.0) for start, _ in told)
            assert any(end == pytest.approx(sailing.track.end, abs=1.0) for _, end in told)


def test_a_borrowed_identity_stands_beside_the_true_one(folder: Path) -> None:
    liars = [row for row in rows(folder / "identities.csv") if row["behaviour"] == "borrowed_identity"]
    assert liars
    assert all(row["declared_mmsi"] != row["true_mmsi"] for row in liars)
    honest = [row for row in rows(folder / "identities.csv") if row["behaviour"] == "honest"]
    assert all(row["declared_mmsi"] == row["true_mmsi"] for row in honest)


def test_silent_ships_transmit_nothing_and_declare_no_length(features: list[dict[str, Any]]) -> None:
    silent = [f["properties"] for f in features if f["properties"]["behaviour"] == "silent"]
    assert silent
    assert not any(told["transmitting"] or told["declared_length_m"] for told in silent)


def test_everything_says_that_it_is_simulated(folder: Path) -> None:
    hulls = json.loads((folder / "hulls.geojson").read_text())
    assert (hulls["roadstead:simulated"], hulls["roadstead:seed"]) == (True, SEED)
    assert all(feature["properties"]["simulated"] for feature in hulls["features"])
    for path in folder.glob("*.csv"):
        assert {row["simulated"] for row in rows(path)} == {"true"}


def test_a_world_without_deliveries_has_their_columns_all_the_same(
    small_world: PortWorld, tmp_path: Path
) -> None:
    write_truth(tmp_path, [small_world], [], [], SEED)
    assert (tmp_path / "occasions.csv").read_text().startswith("simulated,occasion_id,kind,")
    assert rows(tmp_path / "occasions.csv") == []


def test_the_same_world_gives_the_same_bytes(
    sea: Sea, features: list[dict[str, Any]], folder: Path, tmp_path: Path
) -> None:
    write_truth(tmp_path, sea.worlds, sea.occasions, features, SEED)
    for path in sorted(folder.iterdir()):
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_hulls_outside_a_radar_swath_are_not_imaged(small_world: PortWorld) -> None:
    left, bottom, right, top = small_world.ground.grid.bounds_xy
    west = box(left, bottom, (left + right) / 2, top)
    moment = datetime.fromtimestamp(small_world.begin_s + 3600.0, UTC)
    seen = Observation(small_world, moment, "s1", ("SIM",), swath_cover(west))
    told = {f["properties"]["vessel_id"]: f["properties"]["visibility"] for f in hull_features(seen, {})}
    for sailing in small_world.present(moment.timestamp()):
        motion = sailing.at(moment.timestamp())
        assert motion is not None
        expected = "clear" if shapely.contains_xy(west, *motion.xy) else "no_data"
        assert told[sailing.vessel.vessel_id] == expected
    assert set(told.values()) == {"clear", "no_data"}


def test_the_documentation_tells_of_each_column_that_is_written_and_of_no_other(small_folder: Path) -> None:
    page = (Path(__file__).parents[5] / "docs" / "simulation" / "truth.md").read_text(encoding="utf-8")
    told = {title: set(re.findall(r"`(\w+)`", cells)) for title, cells in sections(page)}
    common = told.pop("In every file that tells of ships at a port")
    assert told.pop("Behaviours") == set(get_args(Behaviour))
    written = {path.name: set(header_of(path)) for path in (small_folder / "truth").glob("*.csv")}
    hulls = json.loads((small_folder / "truth" / "hulls.geojson").read_text(encoding="utf-8"))["features"]
    written["hulls.geojson"] = set().union(*(hull["properties"] for hull in hulls))
    assert {name: columns - common for name, columns in written.items()} == told
    assert common <= set().union(*written.values())


def header_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()[0].split(",")


def sections(page: str) -> list[tuple[str, str]]:
    """Return the title of each section, and the first cells of its table's rows."""
    found = re.findall(r"^## ([^:\n]+)[^\n]*\n(.*?)(?=^## |\Z)", page, flags=re.MULTILINE | re.DOTALL)
    return [
        (title, "\n".join(re.findall(r"^\| (`[^|]*) \|", text, flags=re.MULTILINE))) for title, text in found
    ]
