"""The map of everything: its tiles hold what the store holds, and nothing of it comes from another host."""

from __future__ import annotations

import hashlib
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest

from roadstead.apps.desk import map_data
from roadstead.apps.desk.map_data import Point, layer_tile
from roadstead.core.geo import lonlat_to_xy
from roadstead.core.schemas import STATUSES
from roadstead.store import Store
from tests.unit.apps.desk import builders as r
from tests.unit.apps.desk.test_tiles import HOSTILE
from tests.unit.builders import ACQUIRED
from tests.unit.store import builders as b

WORLD = "0/0/0"
SECOND = int(ACQUIRED.timestamp())


def read(body: bytes, place: str, folder: Path) -> gpd.GeoDataFrame:
    """Return a tile as GDAL reads it, EPSG:3857."""
    z, x, y = place.split("/")
    path = folder / f"{z}-{x}-{y}.mvt"
    path.write_bytes(body)
    return pyogrio.read_dataframe(path, layer="findings", Z=z, X=x, Y=y, CLIP="NO")


def tile(browser: r.Browser, folder: Path, query: str = "", place: str = WORLD) -> gpd.GeoDataFrame:
    answer = browser.get(f"/map/data/{place}.mvt?{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    return read(answer.content, place, folder) if answer.content else gpd.GeoDataFrame({"f": []})


def expected(store: Store) -> dict[str, dict[str, Any]]:
    hulls = store.detections("nampo").set_index("detection_id")
    told = {}
    for row in store.matches("nampo").to_dict("records"):
        hull = row["detection_id"]
        name = hull or f"{row['mmsi']}@{row['overpass_id']}"
        told[name] = row | {"class": hulls.loc[hull, "class"] if hull else "none"}
    return told


def test_a_tile_holds_the_findings_of_the_store_at_their_places(ana: r.Browser, tmp_path: Path) -> None:
    rows = expected(ana.desk.store)
    found = tile(ana, tmp_path).set_index("f")
    assert set(found.index) == set(rows)
    assert len(rows) == 8
    deep = {}
    for name, row in rows.items():
        assert found.loc[name, "s"] == row["status"]
        assert found.loc[name, "c"] == row["class"]
        assert found.loc[name, "p"] == "nampo"
        place = np.array([[row["geometry"].x, row["geometry"].y]])
        x, y = lonlat_to_xy(place, "EPSG:3857")[0]
        deep[name] = (x, y, *_tile_of(x, y, 16))
    for name, (x, y, col, line) in deep.items():
        one = tile(ana, tmp_path, place=f"16/{col}/{line}").set_index("f").loc[[name]].geometry.iloc[0]
        assert (one.x, one.y) == pytest.approx((x, y), abs=0.2), "a 4096th of a tile of 611 m"


def _tile_of(x: float, y: float, zoom: int) -> tuple[int, int]:
    half = 20037508.342789244
    return int((x + half) / (2 * half) * 2**zoom), int((half - y) / (2 * half) * 2**zoom)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("status=unseen", lambda row: row["status"] == "unseen"),
        ("class=barge", lambda row: row["class"] == "barge"),
        ("class=none", lambda row: row["class"] == "none"),
        ("status=conflict", lambda row: row["conflicts"] != ""),
        ("port=nampo&status=no_ais_partner", lambda row: row["status"] == "no_ais_partner"),
        (f"from={SECOND}&to={SECOND}", lambda row: True),
        (f"from={SECOND + 1}", lambda row: False),
        (f"to={SECOND - 1}", lambda row: False),
        ("port=ningbo-zhoushan", lambda row: False),
    ],
)
def test_filters_leave_the_same_rows_as_the_store(
    ana: r.Browser, tmp_path: Path, query: str, wanted: Any
) -> None:
    left = {name for name, row in expected(ana.desk.store).items() if wanted(row)}
    assert set(tile(ana, tmp_path, query)["f"]) == left
    told = ana.get(f"/map/counts.json?{query}").json()
    assert (told["shown"], told["total"]) == (len(left), 8)
    assert sum(told["statuses"].values()) == len(left)


def test_many_findings_are_shown_as_groups_that_say_how_many_they_hold(
    ana: r.Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_data, "MOST_SINGLE", 3)
    found = tile(ana, tmp_path, place=WORLD)
    assert len(found) == 1, "all lie in one cell of the whole world"
    assert found["n"].iloc[0] == 8
    rows = [row["status"] for row in expected(ana.desk.store).values()]
    for status in set(rows):
        assert found[status].iloc[0] == rows.count(status)
    assert not set(STATUSES) - set(rows) & set(found.columns)


def test_a_place_with_more_than_a_tile_takes_is_grouped_at_any_zoom(
    ana: r.Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_data, "MOST_IN_TILE", 2)
    place = "/".join(
        map(str, (13, *_tile_of(*lonlat_to_xy(np.array([[125.30, 38.71]]), "EPSG:3857")[0], 13)))
    )
    found = tile(ana, tmp_path, place=place)
    held = found["n"].fillna(1).sum() if "n" in found else len(found)
    with monkeypatch.context() as undone:
        undone.setattr(map_data, "MOST_IN_TILE", 2000)
        undone.setattr(map_data, "BUFFER", 0)
        ana.app.state.map_data._tiles.clear()
        plain = tile(ana, tmp_path, place=place)
    assert held == len(plain) > 2


def test_gdal_reads_what_was_put_into_a_tile(tmp_path: Path) -> None:
    points = [Point(x, 4095 - x, {"f": f"é{x}", "n": 70_000 * x}) for x in (0, 1, 200, 4095)]
    points.append(Point(-100, 4200, {"f": "outside", "n": 0}))
    found = read(layer_tile("findings", points), WORLD, tmp_path)
    assert list(found["f"]) == ["é0", "é1", "é200", "é4095", "outside"]
    assert list(found["n"]) == [0, 70_000, 14_000_000, 286_650_000, 0]
    assert layer_tile("findings", []) == b""


def test_a_tile_is_sent_once_and_anew_when_the_store_changes(
    ana: r.Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_data, "VERSION_S", 0.0)
    first = ana.get(f"/map/data/{WORLD}.mvt")
    etag = {"if-none-match": first.headers["etag"]}
    assert ana.get(f"/map/data/{WORLD}.mvt", headers=etag).status_code == 304
    assert ana.get(f"/map/data/{WORLD}.mvt?class=barge", headers=etag).status_code == 200
    later = b.overpass("nampo_s2_20201201T022541", b.scene("S2A_LATER"))
    key = {"overpass_id": later.overpass_id}
    own = r.hulls().iloc[:1].assign(detection_id="late", **key)
    put = r.matches().iloc[:1].assign(detection_id="late", **key)
    b.put(ana.desk.store, later, detections=own, matches=put, chips={})
    anew = ana.get(f"/map/data/{WORLD}.mvt", headers=etag)
    assert anew.status_code == 200
    assert "late" in set(read(anew.content, WORLD, tmp_path)["f"])


@pytest.mark.parametrize("place", ["x/0/0", "0/1/0", "23/0/0", "0/0/-1", "00/0/0", "0/0/0.5"])
def test_there_is_no_such_tile(ana: r.Browser, place: str) -> None:
    assert ana.get(f"/map/data/{place}.mvt").status_code == 404


@pytest.mark.parametrize("query", ["class=tanker", "status=x", "from=yesterday", "to=-1", "from=1e9"])
def test_a_filter_that_is_none_is_refused(ana: r.Browser, query: str) -> None:
    for path in (f"/map/data/{WORLD}.mvt", "/map", "/map/counts.json"):
        assert ana.get(f"{path}?{query}").status_code == 400


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_find_nothing(ana: r.Browser, name: str) -> None:
    assert ana.get(f"/map/overpass/nampo/{name}.json").status_code == 404
    assert ana.get(f"/map/card/nampo/{name}").status_code == 404
    page = ana.get(f"/map?finding={name}&port={name}")
    assert page.status_code == 200
    assert "no such finding" in page.text


def test_over_the_picture_lie_the_hulls_and_the_reports_of_that_overpass_in_order_of_time(
    ana: r.Browser,
) -> None:
    told = ana.get(f"/map/overpass/nampo/{b.OVERPASS_ID}.json").json()
    assert told["cut_off"] is False
    (line,) = [f for f in told["features"] if f["properties"]["layer"] == "track"]
    assert line["properties"]["mmsi"] == "412000001"
    hulls = {f["properties"].get("f") for f in told["features"] if f["properties"]["layer"] == "hull"}
    assert hulls == {f"d{index}" for index in range(7)}
    assert line["geometry"]["coordinates"] == [[125.30, 38.70], [125.31, 38.70]]


def test_more_reports_than_are_drawn_are_said_to_be_more(
    ana: r.Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roadstead.apps.desk.pages.mapping.MOST_REPORTS", 1)
    told = ana.get(f"/map/overpass/nampo/{b.OVERPASS_ID}.json").json()
    assert told["cut_off"] is True
    assert len([f for f in told["features"] if f["properties"]["layer"] == "track"]) == 1


def test_the_card_says_what_it_is_in_words_and_leads_to_its_page(ana: r.Browser) -> None:
    card = ana.get("/map/card/nampo/d0").text
    assert 'href="/finding/nampo/d0"' in card
    assert "no AIS partner" in card
    assert "may carry no AIS" in card
    assert "simulated" in card
    declared = ana.get(f"/map/card/nampo/413000002@{b.OVERPASS_ID}").text
    assert "Declared vessel, MMSI 413000002" in declared


def test_zones_have_names_and_the_coast_is_drawn(ana: r.Browser) -> None:
    told = ana.get("/map/zones.json").json()["features"]
    by = {layer: [f for f in told if f["properties"]["layer"] == layer] for layer in ("zone", "name", "land")}
    assert [f["properties"]["name"] for f in by["name"]] == ["Nampo roads", "quay"]
    assert len(by["zone"]) == 2
    assert by["land"][0]["geometry"]["type"] == "MultiPolygon"


def test_the_page_begins_at_the_finding_or_port_asked_for(ana: r.Browser) -> None:
    assert 'data-place="125.32,38.7"' in ana.get("/map?finding=d0").text
    assert 'data-finding-port="nampo"' in ana.get("/map?finding=d0&port=nampo").text
    assert 'data-place=""' in ana.get("/map?finding=d0&port=elsewhere").text
    bounds = ",".join(str(v) for v in ana.desk.ports["nampo"].bounds)
    assert f'data-bounds="{bounds}"' in ana.get("/map?port=nampo").text


def test_the_page_is_marked_as_simulated_and_leads_elsewhere_without_javascript(ana: r.Browser) -> None:
    page = ana.get("/map").text
    assert "SIMULATED DATA" in page
    noscript = re.search(r"<noscript>(.*?)</noscript>", page, re.S)
    assert noscript is not None
    assert 'href="/leads?decided=all"' in noscript.group(1)


def test_an_empty_store_has_an_empty_map(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'empty.sqlite'}") as store:
        r.people(store)
        browser = r.Browser(r.desk(store))
        browser.log_in()
        assert browser.get("/map").status_code == 200
        assert browser.get(f"/map/data/{WORLD}.mvt").content == b""
        assert browser.get("/map/setup.json").json()["passes"] == []


def test_only_the_map_may_fetch_and_start_workers_and_from_here_alone(ana: r.Browser) -> None:
    for path in ("/map", "/static/vendor/maplibre/maplibre-gl-worker.mjs"):
        policy = ana.get(path).headers["content-security-policy"]
        assert "worker-src 'self'; connect-src 'self'" in policy
        assert (
            "http" not in policy and "unsafe" not in policy and "blob" not in policy and "data:" not in policy
        )
    for path in ("/leads", "/static/map.js", "/map/card/nampo/d0"):
        assert "connect-src" not in ana.get(path).headers["content-security-policy"]


def test_the_vendored_library_is_what_was_published(ana: r.Browser) -> None:
    folder = Path(str(resources.files("roadstead.apps.desk") / "static/vendor/maplibre"))
    listed = dict(re.findall(r"^\| (\S+) \| ([0-9a-f]{64}) \|$", (folder / "README.md").read_text(), re.M))
    assert {file.name for file in folder.iterdir()} == {*listed, "README.md"}
    for name, digest in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    served = ana.get("/static/vendor/maplibre/maplibre-gl.mjs")
    assert served.headers["content-type"].split(";")[0] in ("text/javascript", "application/javascript")


def test_setup_lists_overpasses_in_the_order_of_the_tiles(ana: r.Browser, tmp_path: Path) -> None:
    told = json.loads(ana.get("/map/setup.json").content)
    (one,) = told["passes"]
    assert (one["id"], one["t"]) == (b.OVERPASS_ID, SECOND)
    assert set(tile(ana, tmp_path)["o"]) == {0}
    assert told["statuses"]["no_ais_partner"]["marker"] == "triangle"
