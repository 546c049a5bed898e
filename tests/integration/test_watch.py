"""The main job through the command line, on real files."""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest

from tests import builders as b
from tests.integration.conftest import Run
from tests.worlds import FRAME, MMSI, World

RANGE = ("--from", "2020-11-01", "--to", "2020-11-14")


def watch(roadstead: Run, world: World, *more: object) -> Any:
    return roadstead("watch", "testport", "--aoi", world.aoi, "--catalog", world.catalog, *RANGE, *more)


def document(done: Any) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def dump(store: Path) -> str:
    with sqlite3.connect(store) as connection:
        return "\n".join(connection.iterdump())


def test_two_ships_are_seen_and_the_one_that_declares_itself_is_matched(roadstead: Run, world: World) -> None:
    done = watch(roadstead, world, "--ais", world.ais, "--json")
    assert done.returncode == 0, done.stderr
    report = document(done)
    assert [o["state"] for o in report["overpasses"]] == ["processed", "processed"]
    assert report["detections"] == 4
    first = [m for m in report["matches"] if m["overpass_id"] == report["overpasses"][0]["overpass_id"]]
    by_status = {m["status"]: m for m in first}
    assert set(by_status) == {"matched", "no_ais_partner"}
    assert by_status["matched"]["mmsi"] == MMSI
    assert by_status["matched"]["probability"] > 0.9
    assert by_status["no_ais_partner"]["p_heard_class_a"] >= 0.9


def test_the_second_overpass_without_ais_around_it_is_no_coverage(roadstead: Run, world: World) -> None:
    report = document(watch(roadstead, world, "--ais", world.ais, "--json"))
    last = [m for m in report["matches"] if m["overpass_id"] == report["overpasses"][1]["overpass_id"]]
    assert {m["status"] for m in last} == {"no_coverage"}


def test_without_ais_every_detection_is_no_coverage_and_counts_still_come(
    roadstead: Run, world: World
) -> None:
    done = watch(roadstead, world, "--json")
    report = document(done)
    assert {m["status"] for m in report["matches"]} == {"no_coverage"}
    assert "counts only" in str(report["ais"])
    found = [
        c for c in report["counts"]
        if (c["quantity"], c["class"], c["length_bin"]) == ("observed", "all", "all")
    ]  # fmt: skip
    assert [c["value"] for c in found] == [2, 2]
    assert all(c["low"] <= 2 <= c["high"] for c in found)


def test_watching_again_changes_nothing_in_the_store(roadstead: Run, world: World, tmp_path: Path) -> None:
    store = tmp_path / "s.sqlite"
    watch(roadstead, world, "--ais", world.ais, "--store", f"sqlite:///{store}")
    before = dump(store)
    assert "S2B_TEST_1" in before
    watch(roadstead, world, "--ais", world.ais, "--store", f"sqlite:///{store}")
    assert dump(store) == before


def test_simulated_data_never_takes_the_place_of_what_was_really_seen(
    roadstead: Run, world: World, tmp_path: Path
) -> None:
    store = tmp_path / "s.sqlite"
    watch(roadstead, world, "--store", f"sqlite:///{store}")
    before = dump(store)
    item = json.loads(world.items[0].read_text())
    item["properties"]["roadstead:simulated"] = True
    world.items[0].write_text(json.dumps(item))
    done = watch(roadstead, world, "--store", f"sqlite:///{store}")
    assert done.returncode == 2
    assert "is simulated" in done.stderr and "which is real" in done.stderr and "--store" in done.stderr
    assert dump(store) == before
    assert watch(roadstead, world, "--store", f"sqlite:///{tmp_path / 'own.sqlite'}").returncode == 0


def test_what_is_held_against_simulated_ais_says_simulated(roadstead: Run, world: World) -> None:
    head, *rows = world.ais.read_text().splitlines()
    world.ais.write_text("\n".join([f"{head},source", *(f"{row},SIM-TEST" for row in rows)]))
    done = watch(roadstead, world, "--ais", world.ais, "--json")
    assert done.returncode == 0, done.stderr
    first, second = (o["overpass_id"] for o in document(done)["overpasses"])
    for table in ("matches", "counts"):
        said = {(row["overpass_id"], row["simulated"]) for row in document(done)[table]}
        assert said == {(first, True), (second, False)}, "the second has no AIS around it"


def test_a_run_without_ais_leaves_what_was_held_against_ais(roadstead: Run, world: World) -> None:
    watch(roadstead, world, "--ais", world.ais)
    done = watch(roadstead, world)
    assert "stay as stored" in done.stderr
    report = document(watch(roadstead, world, "--json"))
    assert "matched" in {match["status"] for match in report["matches"]}
    assert len(report["kept_with_ais"]) == 1


def test_ais_that_arrives_later_replaces_the_counts_only_result(roadstead: Run, world: World) -> None:
    watch(roadstead, world)
    report = document(watch(roadstead, world, "--ais", world.ais, "--json"))
    assert "matched" in {match["status"] for match in report["matches"]}
    assert len(report["overpasses_without_ais_around"]) == 1


def test_without_ais_nothing_is_known_to_be_declared_rather_than_zero(roadstead: Run, world: World) -> None:
    counts = document(watch(roadstead, world, "--json"))["counts"]
    declared = [c["value"] for c in counts if c["quantity"] in ("declared", "unseen", "not_visible")]
    assert declared
    assert set(declared) == {None}


def test_a_truncated_image_fails_its_overpass_alone_and_is_never_zero_ships(
    roadstead: Run, world: World
) -> None:
    red = world.items[0].parent / "red.tif"
    red.write_bytes(red.read_bytes()[:2000])
    done = watch(roadstead, world, "--json")
    assert done.returncode == 5
    assert "S2B_TEST_1" in done.stderr
    assert "red" in done.stderr
    report = document(done)
    assert sorted(o["state"] for o in report["overpasses"]) == ["failed", "processed"]
    assert {c["acquired"][:10] for c in report["counts"]} == {"2020-11-08"}


def test_an_image_in_which_no_ship_could_have_shown_fails_its_overpass_alone(
    roadstead: Run, world: World
) -> None:
    folder = world.items[1].parent
    for band, dn in b.water(FRAME).items():
        b.write_cog(folder / f"{band}.tif", dn[None], FRAME)
    done = watch(roadstead, world, "--json")
    assert done.returncode == 5
    assert "S2A_TEST_2: band red is 0.0300 everywhere; nothing could have been found in it" in done.stderr
    states = {o["overpass_id"]: o["state"] for o in document(done)["overpasses"]}
    assert sorted(states.values()) == ["failed", "processed"]


def test_a_failure_does_not_wipe_an_earlier_result(roadstead: Run, world: World) -> None:
    watch(roadstead, world)
    red = world.items[0].parent / "red.tif"
    whole, stat = red.read_bytes(), red.stat()
    red.write_bytes(b"II*\0 no longer a TIFF")
    done = watch(roadstead, world, "--json")
    assert done.returncode == 5
    assert {c["acquired"][:10] for c in document(done)["counts"]} == {"2020-11-03", "2020-11-08"}
    assert "red.tif" in document(done)["overpasses"][0]["later_failure"]
    red.write_bytes(whole)
    os.utime(red, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    report = document(watch(roadstead, world, "--json"))
    assert len(report["unchanged"]) == 2, "all is as it was when they were stored"
    assert report["overpasses"][0]["later_failure"] is None


def test_when_every_image_fails_nothing_was_observed(roadstead: Run, world: World) -> None:
    for item in world.items:
        (item.parent / "red.tif").unlink()
    done = watch(roadstead, world, "--json")
    assert done.returncode == 4
    assert "S2B_TEST_1" in done.stderr
    assert "S2A_TEST_2" in done.stderr
    assert document(done)["counts"] == []


def test_an_item_without_datetime_is_named_and_the_others_are_done(roadstead: Run, world: World) -> None:
    item = json.loads(world.items[0].read_text())
    item["properties"]["datetime"] = None
    world.items[0].write_text(json.dumps(item))
    done = watch(roadstead, world, "--json")
    assert done.returncode == 5
    assert "S2B_TEST_1" in done.stderr
    assert "datetime" in done.stderr
    states = {o["overpass_id"]: o["state"] for o in document(done)["overpasses"]}
    assert states.pop("S2B_TEST_1") == "failed"
    assert set(states.values()) == {"processed"}


def test_an_item_an_hour_off_its_own_datatake_supports_no_lead_and_that_is_said(
    roadstead: Run, world: World
) -> None:
    item = json.loads(world.items[0].read_text())
    when = datetime.fromisoformat(item["properties"]["datetime"]) - timedelta(hours=1)
    item["properties"]["datetime"] = when.isoformat()
    world.items[0].write_text(json.dumps(item))
    report = document(watch(roadstead, world, "--ais", world.ais, "--json"))
    first = report["overpasses"][0]
    assert first["state"] == "processed" and "contradicts its own product" in first["reason"]
    rows = [m for m in report["matches"] if m["overpass_id"] == first["overpass_id"]]
    assert {m["status"] for m in rows} <= {"no_coverage", "not_visible"}
    assert all("time_contradicted" in m["reasons"] for m in rows if m["detection_id"])
    said = watch(roadstead, world, "--ais", world.ais).stderr
    assert "Nothing in it supports a lead" in " ".join(said.split())


def test_a_missing_band_is_named(roadstead: Run, world: World) -> None:
    item = json.loads(world.items[0].read_text())
    del item["assets"]["green"]
    world.items[0].write_text(json.dumps(item))
    done = watch(roadstead, world)
    assert done.returncode == 5
    assert "green" in done.stderr


def test_an_empty_search_says_so_and_names_port_and_range(roadstead: Run, world: World) -> None:
    done = roadstead(
        "watch",
        "testport",
        "--aoi",
        world.aoi,
        "--catalog",
        world.catalog,
        "--from",
        "2019-01-01",
        "--to",
        "2019-01-31",
    )
    assert done.returncode == 3
    assert "testport" in done.stderr
    assert "2019-01-01" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("watch", "nowhere", *RANGE), 2, "nampo"),
        (("watch", "nampo", "--from", "yesterday", "--to", "2020-11-02"), 2, "yesterday"),
        (("watch", "nampo", "--from", "2020-11-05", "--to", "2020-11-02"), 2, "before"),
        (("watch", "nampo"), 2, "--from"),
        (("watch", "nampo", *RANGE, "--catalog", "no/such/catalog.json"), 4, "no/such/catalog.json"),
        (("watch", "nampo", *RANGE, "--model", "no-such-model"), 3, "no-such-model"),
        (("nonsense",), 2, "nonsense"),
        (("counts", "namppo"), 2, "did you mean 'nampo'"),
        (("counts", "nampo", "--store", "sqlite://"), 2, "in memory"),
    ],
)
def test_a_wrong_call_names_what_is_wrong(
    roadstead: Run, words: tuple[str, ...], code: int, named: str
) -> None:
    done = roadstead(*words)
    assert (done.returncode, named in done.stderr.replace("\n", "")) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


def test_ais_in_another_encoding_or_of_no_known_kind_is_named_and_nothing_is_stored(
    roadstead: Run, world: World, tmp_path: Path
) -> None:
    (tmp_path / "odd.csv").write_text("ship,when\nx,y\n", encoding="utf-16")
    done = watch(roadstead, world, "--ais", tmp_path / "odd.csv")
    assert done.returncode == 3
    assert "odd.csv" in done.stderr
    assert roadstead("counts", "testport", "--json").returncode == 2  # no port of ours, and none in the store


def test_impossible_ais_rows_are_quarantined_with_their_reason_and_the_good_ones_used(
    roadstead: Run, world: World
) -> None:
    with world.ais.open("a") as file:
        file.write(f"{MMSI},2020-11-03T02:30:00+00:00,125.0,123.0,0,,,,A,SIM,70,190,30\n")
    report = document(watch(roadstead, world, "--ais", world.ais, "--json"))
    assert report["ais_rows_quarantined"] == 1
    quarantine = Path(report["ais_quarantine"]).read_text()
    assert "ais.csv" in quarantine
    assert "lat" in quarantine
    assert "matched" in {match["status"] for match in report["matches"]}


def test_json_output_is_one_document_and_progress_goes_to_standard_error(
    roadstead: Run, world: World
) -> None:
    done = watch(roadstead, world, "--json")
    assert document(done)["port"] == "testport"
    assert "2020-11-03" in done.stderr


def test_counts_and_export_read_what_watch_stored(roadstead: Run, world: World, tmp_path: Path) -> None:
    watch(roadstead, world, "--ais", world.ais)
    table = roadstead("counts", "testport")
    assert "roads" in table.stdout
    done = roadstead("export", "testport", "--aoi", world.aoi, *RANGE, "-o", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    written = {Path(name).suffix for name in json.loads(done.stdout)}
    assert written == {".geojson", ".gpkg", ".html"}


def seen_for_months_before(store: Path) -> None:
    """Copy the first overpass, with the first of its two detections, to fifteen dates before it."""
    with sqlite3.connect(store) as connection:
        connection.row_factory = sqlite3.Row
        first = connection.execute("SELECT * FROM acquisitions ORDER BY acquired").fetchone()["overpass_id"]
        for table, key in (
            ("acquisitions", "overpass_id"),
            ("scenes", "scene_id"),
            ("detections", "detection_id"),
        ):
            one = f"SELECT * FROM {table} WHERE overpass_id = ? ORDER BY {key} LIMIT 1"  # noqa: S608 - our own names
            row = dict(connection.execute(one, (first,)).fetchone())
            for number in range(1, 16):
                acquired = datetime.fromisoformat(row["acquired"]) - timedelta(days=15 * number)
                earlier = row | {"overpass_id": f"{first}-{number}", "acquired": acquired.isoformat(sep=" ")}
                if key != "overpass_id":
                    earlier[key] = f"{row[key]}-{number}"
                places = ", ".join("?" * len(earlier))
                names = ", ".join(f'"{name}"' for name in earlier)
                connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", list(earlier.values()))  # noqa: S608
    connection.close()


def test_what_lay_there_for_months_is_a_structure_that_only_an_unfiltered_export_shows(
    roadstead: Run, world: World, tmp_path: Path
) -> None:
    store = tmp_path / "s.sqlite"
    url = ("--store", f"sqlite:///{store}")
    before = document(watch(roadstead, world, "--json", *url))
    assert (before["detections"], before["on_fixed_structures"]) == (4, 0)
    seen_for_months_before(store)
    done = watch(roadstead, world, *url)
    assert "2 findings lie on fixed structures and are left out" in done.stderr
    after = document(watch(roadstead, world, "--json", *url))
    assert (after["detections"], after["on_fixed_structures"]) == (2, 2)
    assert sum(c["value"] for c in after["counts"] if _all_observed(c)) == 2
    place = ("testport", "--aoi", world.aoi, *RANGE, *url)
    for more, reasons in (
        ((), [None, None]),
        (("--unfiltered",), [None, None, "fixed_structure", "fixed_structure"]),
    ):
        out = tmp_path / f"out{len(more)}"
        assert roadstead("export", *place, "-o", out, *more).returncode == 0
        features = json.loads((out / "testport-detections.geojson").read_text())["features"]
        assert sorted((f["properties"]["dropped_because"] for f in features), key=str) == sorted(
            reasons, key=str
        )


def _all_observed(count: dict[str, Any]) -> bool:
    return (count["quantity"], count["class"], count["length_bin"]) == ("observed", "all", "all")


def test_detected_again_a_finding_is_that_of_its_dossier(
    roadstead: Run, world: World, tmp_path: Path
) -> None:
    """As docs/exports.md states: the same id, p within 0.01, length within 1 m, the box within 1 m."""
    url = f"sqlite:///{tmp_path / 's.sqlite'}"
    found = document(watch(roadstead, world, "--ais", world.ais, "--store", url, "--json"))
    keys = [m["detection_id"] for m in found["matches"]]
    assert roadstead("dossier", *keys, "-o", tmp_path / "out", "--store", url).returncode == 0
    again = tmp_path / "again.geojson"
    done = roadstead("detect", *world.items, "--aoi", world.aoi, "-o", again)
    assert done.returncode == 0, done.stderr
    new = gpd.read_file(again).set_index("detection_id")
    assert set(keys) == set(new.index)
    for key in keys:
        kept = gpd.read_file(tmp_path / "out" / key / "finding.geojson").iloc[0]
        assert kept["p_vessel"] == pytest.approx(new["p_vessel"][key], abs=0.01)
        assert kept["length_m"] == pytest.approx(new["length_m"][key], abs=1.0)
        boxes = gpd.GeoSeries([kept.geometry, new.geometry[key]], crs=4326).to_crs(32651)
        assert boxes[0].hausdorff_distance(boxes[1]) < 1.0
