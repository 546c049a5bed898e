"""From images to every export and to a dossier, through the command line."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pystac
import pytest
import rasterio

from roadstead.core.geo import lonlat_to_xy
from roadstead.publish.wording import check_words
from roadstead.workflows.export import FORMATS
from tests.integration.conftest import Run
from tests.worlds import MMSI, World

RANGE = ("--from", "2020-11-01", "--to", "2020-11-14")


def run(roadstead: Run, *given: object) -> Any:
    done = roadstead(*given, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def exported(roadstead: Run, world: World, tmp_path: Path) -> Path:
    """Watch a small world and write it in every format."""
    run(
        roadstead,
        "watch",
        "testport",
        "--aoi",
        world.aoi,
        "--catalog",
        world.catalog,
        *RANGE,
        "--ais",
        world.ais,
    )
    wanted = [word for name in FORMATS for word in ("--format", name)]
    run(roadstead, "export", "testport", "--aoi", world.aoi, *RANGE, "-o", tmp_path / "out", *wanted)
    return tmp_path / "out"


def test_what_was_found_in_images_leaves_in_every_format_and_as_a_dossier(
    roadstead: Run, exported: Path, tmp_path: Path
) -> None:
    hulls = gpd.read_parquet(exported / "testport-detections.parquet")
    assert len(hulls) == 4 == len(gpd.read_file(exported / "testport.gpkg", layer="detections"))
    tracks = gpd.read_file(exported / "testport.gpkg", layer="tracks")
    assert MMSI in set(tracks["mmsi"])
    assert len(list((exported / "testport-kmz").iterdir())) == 4
    catalogue = pystac.Catalog.from_file(str(exported / "testport-stac" / "catalog.json"))
    items = list(catalogue.get_items(recursive=True))
    assert sum("mlm:name" in item.properties for item in items) == 1
    assert sum(item.properties.get("roadstead:detections", 0) for item in items) == 4
    cues = gpd.read_file(exported / "testport-cues.geojson")
    assert "no_ais_partner" in set(cues["kind"])
    check_words((exported / "report.html").read_text(encoding="utf-8"))

    matches = gpd.read_parquet(exported / "testport-matches.parquet").set_index("detection_id")
    silent = str(matches.index[matches["status"] == "no_ais_partner"][0])
    heard = str(matches.index[matches["status"] == "matched"][0])
    for name in ("one.zip", "two.zip"):
        run(roadstead, "dossier", silent, heard, "-o", tmp_path / name)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    run(roadstead, "dossier", silent, heard, "-o", tmp_path / "folder")
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert {name: (tmp_path / "folder" / name).read_bytes() for name in files} == files
    manifest = json.loads(files["manifest.json"])
    assert {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if "/" in name
    } == manifest["sha256"]
    for finding in (silent, heard):
        assert {f"{finding}/{n}" for n in ("pixels.tif", "item.json", "chip.png", "dossier.pdf")} <= set(
            files
        )
        page = files[f"{finding}/dossier.html"].decode()
        assert "Its item is the one that was used" in page
        with rasterio.open(tmp_path / "folder" / finding / "pixels.tif") as dataset:
            assert dataset.descriptions[:4] == ("red", "green", "blue", "nir")
            hull = hulls.set_index("detection_id").loc[finding]
            x, y = lonlat_to_xy(np.array([[hull["lon"], hull["lat"]]]), dataset.crs.to_string())[0]
            row, col = dataset.index(x, y)
            red = dataset.read(1)
            assert red[row, col] > red[2, 2] + 100, "the hull lies in the middle, brighter than water"
    assert f"{heard}/ais-positions.csv" in files
    assert f"{silent}/ais-positions.csv" not in files
