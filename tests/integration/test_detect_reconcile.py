"""`roadstead detect` and `roadstead reconcile` on files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from shapely.geometry import Point, shape

from roadstead.imagery import write_cog
from tests.integration.conftest import Run
from tests.worlds import FRAME, HEARD, LENGTH_M, SILENT, World, lonlat_of, water_with_ships


def features(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["features"]
    return found


def chip(path: Path, bands: dict[str, np.ndarray] | None = None) -> Path:
    stacked = np.stack(list((bands or water_with_ships()).values()))
    reflectance = np.where(stacked > 0, np.clip(stacked.astype(int) - 1000, 1, None), 0).astype(np.uint16)
    write_cog(path, reflectance, FRAME, band_names=["red", "green", "blue", "nir"])
    return path


def test_both_ships_are_found_in_an_item_with_their_place_and_length(
    roadstead: Run, world: World, tmp_path: Path
) -> None:
    out = tmp_path / "d.geojson"
    done = roadstead("detect", world.items[0], "-o", out)
    assert done.returncode == 0, done.stderr
    found = features(out)
    assert len(found) == 2
    for place in (HEARD, SILENT):
        here = Point(*lonlat_of(place))
        nearest = min(found, key=lambda f: shape(f["geometry"]).centroid.distance(here))
        assert shape(nearest["geometry"]).contains(here)
        assert (
            nearest["properties"]["length_low_m"] - 40
            < LENGTH_M
            < nearest["properties"]["length_high_m"] + 40
        )


def test_a_geotiff_gives_the_same_ships_as_the_item(roadstead: Run, world: World, tmp_path: Path) -> None:
    tif = chip(tmp_path / "chip.tif")
    done = roadstead("detect", tif, "-o", tmp_path / "t.geojson", "--acquired", "2020-11-03T02:29:51Z")
    assert done.returncode == 0, done.stderr
    roadstead("detect", world.items[0], "-o", tmp_path / "i.geojson")
    centres = [
        sorted(shape(f["geometry"]).centroid.coords[0] for f in features(tmp_path / name))
        for name in ("t.geojson", "i.geojson")
    ]
    assert np.allclose(*centres, atol=1e-4)


def test_a_geotiff_without_a_time_says_which_option_gives_it(roadstead: Run, tmp_path: Path) -> None:
    done = roadstead("detect", chip(tmp_path / "chip.tif"), "-o", tmp_path / "d.geojson")
    assert done.returncode == 3
    assert "--acquired" in done.stderr
    assert not (tmp_path / "d.geojson").exists()


def test_empty_water_is_a_searched_scene_with_no_ship(roadstead: Run, tmp_path: Path) -> None:
    tif = chip(tmp_path / "chip.tif", water_with_ships(places=()))
    roadstead("detect", tif, "-o", tmp_path / "d.geojson", "--acquired", "2020-11-03")
    document = json.loads((tmp_path / "d.geojson").read_text())
    assert document["features"] == []
    assert shape(document["roadstead"]["scenes"][0]["valid_area"]).area > 0


def test_an_image_without_data_was_searched_nowhere(roadstead: Run, tmp_path: Path) -> None:
    nothing = {
        band: np.zeros((FRAME.height, FRAME.width), np.uint16) for band in ("red", "green", "blue", "nir")
    }
    done = roadstead(
        "detect", chip(tmp_path / "c.tif", nothing), "-o", tmp_path / "d.geojson", "--acquired", "2020-11-03"
    )
    assert (done.returncode, "no valid pixel" in done.stderr) == (3, True), done.stderr
    assert not (tmp_path / "d.geojson").exists()


def test_two_images_of_one_name_and_frame_are_never_silently_one(roadstead: Run, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    one = chip(tmp_path / "chip.tif")
    other = chip(tmp_path / "b" / "chip.tif", water_with_ships(places=()))
    out = tmp_path / "d.geojson"
    done = roadstead("detect", other, one, "-o", out, "--acquired", "2020-11-03T02:29:51Z")
    assert done.returncode == 5
    assert "same ground at the same time" in done.stderr
    assert json.loads(out.read_text())["roadstead"]["status"] == "partial"


def test_two_images_of_one_name_at_two_times_are_two_scenes(roadstead: Run, tmp_path: Path) -> None:
    names = [tmp_path / day / "chip.tif" for day in ("03", "08")]
    water = np.stack(list(water_with_ships(places=()).values())) - 1000
    for name in names:
        tags = {"TIFFTAG_DATETIME": f"2020:11:{name.parent.name} 02:29:51"}
        write_cog(name, water, FRAME, band_names=["red", "green", "blue", "nir"], tags=tags)
    done = roadstead("detect", *names, "-o", tmp_path / "d.geojson")
    assert done.returncode == 0, done.stderr
    scenes = json.loads((tmp_path / "d.geojson").read_text())["roadstead"]["scenes"]
    assert len({scene["scene_id"] for scene in scenes}) == 2


def test_a_missing_file_is_bad_input(roadstead: Run, tmp_path: Path) -> None:
    done = roadstead("detect", tmp_path / "none.tif", "-o", tmp_path / "d.geojson")
    assert (done.returncode, "none.tif" in done.stderr) == (3, True)


def test_the_output_never_replaces_an_input_or_a_device(roadstead: Run, tmp_path: Path) -> None:
    tif = chip(tmp_path / "chip.tif")
    before = tif.read_bytes()
    assert roadstead("detect", tif, "-o", tif, "--acquired", "2020-11-03").returncode == 2
    assert tif.read_bytes() == before
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert roadstead("detect", tif, "-o", pipe, "--acquired", "2020-11-03").returncode == 4
    assert pipe.is_fifo()


def test_one_bad_scene_of_three_is_named_and_the_rest_written(
    roadstead: Run, world: World, tmp_path: Path
) -> None:
    (world.items[1].parent / "blue.tif").unlink()
    out = tmp_path / "d.geojson"
    done = roadstead("detect", world.items[0], world.items[1], tmp_path / "none.json", "-o", out)
    assert done.returncode == 5
    assert "S2A_TEST_2" in done.stderr
    assert "none.json" in done.stderr
    document = json.loads(out.read_text())
    assert document["roadstead"]["status"] == "partial"
    assert len(document["features"]) == 2


def test_weights_with_a_wrong_checksum_are_refused_with_the_way_to_mend(
    roadstead: Run, world: World, tmp_path: Path
) -> None:
    import shutil

    from roadstead.core.settings import Settings

    shipped = Settings().models_dir / Settings().model_id
    copy = Path(shutil.copytree(shipped, tmp_path / shipped.name))
    with (copy / "weights.onnx").open("ab") as file:
        file.write(b"x")
    done = roadstead("detect", world.items[0], "-o", tmp_path / "d.geojson", "--model", copy)
    assert done.returncode == 3
    assert "sha256" in done.stderr
    assert "weights.onnx" in done.stderr


def test_reconcile_writes_one_feature_per_detection_with_the_published_names(
    roadstead: Run, world: World, tmp_path: Path
) -> None:
    roadstead("detect", world.items[0], "-o", tmp_path / "d.geojson")
    done = roadstead("reconcile", tmp_path / "d.geojson", "--ais", world.ais, "-o", tmp_path / "m.geojson")
    assert done.returncode == 0, done.stderr
    rows = [f["properties"] for f in features(tmp_path / "m.geojson")]
    seen = [row for row in rows if row["detection_id"] is not None]
    assert {row["detection_id"] for row in seen} == {
        f["properties"]["detection_id"] for f in features(tmp_path / "d.geojson")
    }
    assert {"detection_id", "mmsi", "status", "probability", "reasons"} <= set(rows[0])
    assert sorted(row["status"] for row in seen) == ["matched", "no_ais_partner"]


def test_reconcile_refuses_a_file_that_does_not_say_what_was_searched(
    roadstead: Run, world: World, tmp_path: Path
) -> None:
    (tmp_path / "d.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    done = roadstead("reconcile", tmp_path / "d.geojson", "--ais", world.ais, "-o", tmp_path / "m.geojson")
    assert done.returncode == 3
    assert "roadstead detect" in done.stderr
    assert not (tmp_path / "m.geojson").exists()


def test_bad_ais_rows_are_quarantined_with_file_row_field_and_reason(
    roadstead: Run, world: World, tmp_path: Path
) -> None:
    lines = world.ais.read_text().splitlines()
    lines[5] = lines[5].replace(lines[5].split(",")[3], "123.0", 1)
    world.ais.write_text("\n".join(lines) + "\n")
    done = roadstead("ais", "import", world.ais, "--ais-store", tmp_path / "ais", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["quarantined"] == 1
    quarantine = Path(summary["quarantine"]).read_text()
    assert "ais.csv" in quarantine
    assert "lat" in quarantine
