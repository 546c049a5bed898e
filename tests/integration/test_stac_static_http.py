"""A static STAC catalogue and its COGs over HTTP with byte ranges."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import stamina

from roadstead.core.errors import CatalogueError, ReadError
from roadstead.core.geo import Window
from roadstead.imagery import Mosaic, Overpass, group_overpasses, open_item, open_scene, search
from tests import builders as b
from tests.integration.stac_servers import FileServer, file_server, free_port

FRAME = b.grid(1500, 1200)
PORT = b.port(FRAME, "nampo")
NOVEMBER = datetime(2020, 11, 1, tzinfo=UTC), datetime(2020, 12, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = tmp_path_factory.mktemp("catalogue")
    rng = np.random.default_rng(0)
    bands = {
        name: rng.integers(1001, 3000, (FRAME.height, FRAME.width), np.uint16)
        for name in ("red", "green", "blue", "nir")
    }
    item = b.write_item(here, "S2", FRAME, bands, scl=np.full((600, 750), 6, np.uint8))
    b.write_catalog(here, [item])
    return here


@pytest.fixture
def server(folder: Path) -> Iterator[FileServer]:
    with file_server(folder) as running, stamina.set_testing(True, attempts=3, cap=True):
        yield running


def _overpass(server: FileServer) -> Overpass:
    found = search(f"{server.url}/catalog.json", PORT, *NOVEMBER, "any")
    (overpass,) = group_overpasses(found.scenes, PORT)
    return overpass


def test_a_catalogue_over_http_reads_like_the_one_on_disk(server: FileServer, folder: Path) -> None:
    overpass = _overpass(server)
    assert overpass.overpass_id == "nampo_s2_20201103T022541"
    assert overpass.scenes[0].assets["red"].href == f"{server.url}/S2/red.tif"
    assert overpass.scenes[0].provider == server.url.removeprefix("http://")
    window = Window(300, 200, 400, 300)
    with Mosaic(overpass, FRAME) as far:
        remote = far.read(window)
        seen = far.visibility({zone.id: zone.polygon for zone in PORT.zones})
    local_scene = open_item(str(folder / "S2/S2.json"))
    with Mosaic(group_overpasses([local_scene], PORT)[0], FRAME) as near:
        local = near.read(window)
    assert np.array_equal(remote.rgb, local.rgb)
    assert remote.valid.all()
    assert seen["nampo/all"] == pytest.approx(1.0)


def test_a_window_is_read_by_byte_ranges_and_not_whole_files(server: FileServer, folder: Path) -> None:
    with Mosaic(_overpass(server), FRAME) as mosaic:
        server.seen.clear()
        mosaic.read(Window(0, 0, 64, 64))
    ranges = [span for path, span in server.seen if path.endswith(".tif")]
    assert ranges
    assert all(span and span.startswith("bytes=") for span in ranges)
    asked = sum(int(span.split("-")[1]) - int(span[6:].split("-")[0]) + 1 for span in ranges if span)
    whole = sum(path.stat().st_size for path in folder.glob("S2/*.tif"))
    assert asked < whole / 5


def test_a_server_that_fails_once_is_asked_again(server: FileServer) -> None:
    overpass = _overpass(server)
    server.failing["red.tif"] = (403, 1)
    with Mosaic(overpass, FRAME) as mosaic:
        assert mosaic.read(Window(0, 0, 64, 64)).valid.all()


def test_a_read_that_fails_once_is_read_again(server: FileServer) -> None:
    with Mosaic(_overpass(server), FRAME) as mosaic:
        server.failing["green.tif"] = (500, 4)  # more than GDAL itself retries
        assert mosaic.read(Window(700, 700, 300, 300)).valid.all()


def test_an_asset_that_is_gone_or_forbidden_is_a_failed_read_that_names_it(server: FileServer) -> None:
    overpass = _overpass(server)
    for status in (403, 404):
        server.failing["blue.tif"] = (status, 10_000)
        with pytest.raises(ReadError, match=r"scene S2: http://.*/S2/blue\.tif"), Mosaic(overpass, FRAME):
            pass


def test_a_file_truncated_on_the_server_is_a_failed_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "S2").mkdir()
    for path in folder.glob("S2/*"):
        raw = path.read_bytes()
        (tmp_path / "S2" / path.name).write_bytes(raw[: len(raw) // 2] if path.name == "nir.tif" else raw)
    with file_server(tmp_path) as server, stamina.set_testing(True, attempts=2, cap=True):
        scene = open_scene(f"{server.url}/S2/S2.json")
        with Mosaic(group_overpasses([scene], PORT)[0], FRAME) as mosaic:
            with pytest.raises(ReadError, match=r"S2/nir\.tif: cannot be read"):
                mosaic.read(FRAME.window)


def test_an_item_missing_on_the_server_is_named_and_the_others_kept(folder: Path, tmp_path: Path) -> None:
    for name in ("catalog.json", "collection.json", "S2/S2.json"):
        target = tmp_path / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((folder / name).read_bytes())
    collection = json.loads((tmp_path / "collection.json").read_text(encoding="utf-8"))
    collection["links"].append({"rel": "item", "href": "./gone.json"})
    (tmp_path / "collection.json").write_text(json.dumps(collection), encoding="utf-8")
    with file_server(tmp_path) as server:
        found = search(f"{server.url}/catalog.json", PORT, *NOVEMBER, "any")
    assert [scene.scene_id for scene in found.scenes] == ["S2"]
    assert list(found.rejected) == [f"{server.url}/gone.json"]


def test_a_catalogue_that_is_missing_or_unreachable_is_a_catalogue_error(server: FileServer) -> None:
    for url in (f"{server.url}/none.json", f"http://127.0.0.1:{free_port()}/catalog.json"):
        with pytest.raises(CatalogueError, match="cannot be read"):
            search(url, PORT, *NOVEMBER, "any")


def test_a_catalogue_that_is_busy_is_asked_again(server: FileServer) -> None:
    server.failing["catalog.json"] = (503, 2)
    assert len(search(f"{server.url}/catalog.json", PORT, *NOVEMBER, "any").scenes) == 1
