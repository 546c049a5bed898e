"""Pictures of overpasses: the scenes' pixels at their place, for who has logged in, and of no other host."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from roadstead.apps.desk import overpass_pictures as module
from roadstead.core.geo import lonlat_to_xy
from roadstead.imagery.map_tiles import MERCATOR, tile_grid
from roadstead.imagery.picture_styles import MASK_LOOKS
from roadstead.store import Store
from tests.unit.apps.desk import builders as r
from tests.unit.apps.desk import scenes as s

ZOOM = 14


@pytest.fixture
def read(tmp_path: Path) -> Iterator[r.Browser]:
    """Return a browser of an analyst over scenes that lie on disk."""
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        s.fill(store, tmp_path / "items")
        r.people(store)
        browser = r.Browser(s.desk(store))
        browser.log_in("ana")
        yield browser
        browser.app.state.imagery.close()


def at(col: float, row: float, zoom: int = ZOOM) -> tuple[int, int, int, int]:
    """Return tile x, y and the pixel in it of a place given in pixels of the frame."""
    xy = lonlat_to_xy(np.array([s.lonlat(col, row)]), MERCATOR)
    px = tile_grid(0, 0, 0, 256 * 2**zoom).xy_to_colrow(xy)[0]
    x, y = (int(v // 256) for v in px)
    return x, y, int(px[0] % 256), int(px[1] % 256)


def pixel(browser: r.Browser, look: str, col: float, row: float, overpass: str = s.FIRST) -> tuple[int, ...]:
    x, y, across, down = at(col, row)
    answer = browser.get(f"/tiles/nampo/{overpass}/{look}/{ZOOM}/{x}/{y}.webp")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/webp"
    return tuple(int(v) for v in picture(answer.content)[down, across])


def picture(body: bytes) -> np.ndarray:
    with Image.open(BytesIO(body)) as opened:
        return np.asarray(opened.convert("RGBA"))


def rgb(name: str) -> tuple[int, int, int, int]:
    return (*MASK_LOOKS[name].rgb, 255)


def test_a_tile_shows_the_pixels_at_their_place(read: r.Browser) -> None:
    hull = pixel(read, "true-colour", 100.5, 80.5)
    water = pixel(read, "true-colour", 100.5, 100.5)
    # DN 3000 is reflectance 0.2, of 0.25 that is white; water's red, DN 1300, is 0.03.
    assert hull[0] == pytest.approx((0.2 / 0.25) ** 0.65 * 255, abs=8)
    assert water[0] == pytest.approx((0.03 / 0.25) ** 0.65 * 255, abs=8)
    assert hull[3] == water[3] == 255
    later = pixel(read, "true-colour", 100.5, 80.5, s.SECOND)
    assert later[0] == pytest.approx(water[0], abs=8), "the hull is gone five days later"


def test_near_infrared_shows_land_bright_and_water_dark(read: r.Browser) -> None:
    assert pixel(read, "nir", 20, 30)[0] == 255
    assert pixel(read, "nir", 120, 30)[0] < 50


def test_the_mask_tells_water_land_and_cloud_in_colours_of_its_legend(read: r.Browser) -> None:
    assert pixel(read, "mask", 120, 30) == rgb("water")
    assert pixel(read, "mask", 20, 30) == rgb("land")
    assert pixel(read, "mask", 100, 130) == rgb("cloud")


@pytest.mark.parametrize("look", ["true-colour", "nir", "mask"])
def test_what_was_not_imaged_is_transparent(read: r.Browser, look: str) -> None:
    assert pixel(read, look, 180, 40)[3] == 0
    assert pixel(read, look, 300, 40)[3] == 0, "beside the scene"


@pytest.mark.parametrize(
    "place",
    ["14/x/1", "14/-1/1", "23/0/0", "2/4/0", "2/0/4", "014/1/1", "14/1/99999999999", "14/1.5/1", "8/1/1"],
)
def test_there_is_no_such_tile(read: r.Browser, place: str) -> None:
    assert read.get(f"/tiles/nampo/{s.FIRST}/mask/{place}.webp").status_code == 404


HOSTILE = [
    "..",
    "%2e%2e",
    "..%2f..%2fetc%2fpasswd",
    "http:%2f%2f192.0.2.1%2fx.tif",
    "%2fetc%2fpasswd",
    "nampo%00",
    "'--",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_part_of_a_path_names_a_file_or_another_host(
    read: r.Browser, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(module, "read_again", asked.append)
    for path in (
        f"/tiles/{name}/{s.FIRST}/mask/14/1/1.webp",
        f"/tiles/nampo/{name}/mask/14/1/1.webp",
        f"/tiles/nampo/{s.FIRST}/{name}/14/1/1.webp",
        f"/tiles/nampo/{name}/about.json",
        f"/tiles/nampo/{name}/stored/14/1/1.webp",
        f"/window/nampo/{name}/nir/d0.webp",
        f"/window/nampo/{s.FIRST}/nir/{name}.webp",
        f"/window/nampo/{s.FIRST}/{name}/d0.webp",
    ):
        assert read.get(path).status_code == 404, path
    assert asked == []


def test_an_address_in_the_query_is_not_looked_at(read: r.Browser) -> None:
    x, y, *_ = at(100, 80)
    path = f"/tiles/nampo/{s.FIRST}/mask/{ZOOM}/{x}/{y}.webp"
    plain = read.get(path).content
    assert read.get(path + "?url=http://192.0.2.1/x.tif&href=/etc/passwd").content == plain


def test_pictures_are_for_people_who_have_logged_in(read: r.Browser) -> None:
    stranger = r.Browser(read.desk, app=read.app)
    for path in (
        f"/tiles/nampo/{s.FIRST}/mask/14/1/1.webp",
        f"/tiles/nampo/{s.FIRST}/stored/14/1/1.webp",
        f"/tiles/nampo/{s.FIRST}/about.json",
        f"/window/nampo/{s.FIRST}/mask/d0.webp",
    ):
        answer = stranger.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login")


def test_a_window_shows_the_place_of_a_finding_on_another_overpass(read: r.Browser) -> None:
    own = picture(read.get(f"/window/nampo/{s.FIRST}/true-colour/d0.webp").content)
    other = picture(read.get(f"/window/nampo/{s.SECOND}/true-colour/d0.webp").content)
    assert own.shape == other.shape == (64, 64, 4)
    # The hull's middle lies in pixel 32 of both; 12 columns by 3 rows are bright in the first alone.
    bright = own[..., 0] > 200
    rows, cols = np.nonzero(bright)
    assert (rows.min(), rows.max(), cols.min(), cols.max()) == (31, 33, 26, 37)
    assert not (other[..., 0] > 200).any()


def test_a_window_of_a_place_that_was_not_imaged_is_none(read: r.Browser) -> None:
    with read.desk.store.transaction(writes=True) as connection:
        lon, lat = s.lonlat(280, 80)
        connection.exec_driver_sql("UPDATE detections SET lon=?, lat=? WHERE detection_id='d9'", (lon, lat))
    assert read.get(f"/window/nampo/{s.FIRST}/nir/d9.webp").status_code == 404
    assert read.get(f"/window/nampo/{s.FIRST}/nir/d77.webp").status_code == 404


def test_a_picture_is_sent_once_and_anew_when_the_overpass_is_stored_anew(
    read: r.Browser, tmp_path: Path
) -> None:
    path = f"/window/nampo/{s.FIRST}/mask/d0.webp"
    first = read.get(path)
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    assert read.get(path, headers={"if-none-match": etag}).status_code == 304
    s.fill(read.desk.store, tmp_path / "again")
    anew = read.get(path, headers={"if-none-match": etag})
    assert anew.status_code == 200
    assert anew.headers["etag"] != etag


def test_a_scene_that_is_gone_is_said_in_words_and_the_stored_picture_stays(
    read: r.Browser, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "items" / "S2_0")
    x, y, across, down = at(100, 80)
    lost = read.get(f"/tiles/nampo/{s.FIRST}/true-colour/{ZOOM}/{x}/{y}.webp")
    assert lost.status_code == 503
    assert "cannot be read" in lost.text
    assert read.get(f"/window/nampo/{s.FIRST}/true-colour/d0.webp").status_code == 503
    told = read.get(f"/tiles/nampo/{s.FIRST}/about.json").json()
    assert told["looks"] == []
    assert "cannot be read" in told["why"]
    assert told["stored"]
    kept = read.get(f"/tiles/nampo/{s.FIRST}/stored/{ZOOM}/{x}/{y}.webp")
    assert picture(kept.content)[down, across, :3] == pytest.approx([90, 90, 90], abs=3)


def test_an_overpass_says_which_looks_it_has(read: r.Browser) -> None:
    told = read.get(f"/tiles/nampo/{s.FIRST}/about.json").json()
    assert told["looks"] == ["true-colour", "nir", "mask"]
    assert told["changed"] is False
    assert told["why"] is None


def test_an_item_that_changed_since_is_told(read: r.Browser, tmp_path: Path) -> None:
    item = next((tmp_path / "items" / "S2_0").glob("*.json"))
    item.write_text(item.read_text().replace('"collection": "', '"collection": "other-'))
    assert read.get(f"/tiles/nampo/{s.FIRST}/about.json").json()["changed"] is True


def test_a_server_that_hangs_is_given_up_and_pages_go_on(
    read: r.Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    read.app.state.imagery.timeout_s = 0.2
    real, go, calls = module.read_again, threading.Event(), []

    def slow(kept: Any) -> Any:
        calls.append(kept)
        assert go.wait(60)
        return real(kept)

    monkeypatch.setattr(module, "read_again", slow)
    path = f"/window/nampo/{s.FIRST}/nir/d0.webp"
    assert "not answered" in read.get(path).text
    assert "not answered" in read.get(path).text
    assert len(calls) == 1, "the second ask is not made while the first hangs"
    assert read.get("/leads").status_code == 200
    go.set()
    until = time.monotonic() + 30
    while read.get(path).status_code != 200:
        assert time.monotonic() < until, "what came late is used"
        time.sleep(0.05)
    assert len(calls) == 1
