"""A catalogue that lies makes us ask nobody else and read no file of ours: when it is watched, and at the desk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from roadstead.apps.desk.overpass_pictures import Imagery, PictureError
from roadstead.core.errors import RoadsteadError
from roadstead.core.geo import lonlat_to_xy
from roadstead.core.ports import Port, named_port
from roadstead.core.settings import settings
from roadstead.detection import load_model
from roadstead.imagery.map_tiles import tile_grid
from roadstead.imagery.remote import range_files
from roadstead.store import Store
from roadstead.workflows.dossier import find_findings
from roadstead.workflows.watch import Watched, watch
from roadstead.workflows.watch_search import WatchRequest
from tests.faults.lying import Document, Scene, hrefs, item, put_api, put_catalogue, scene
from tests.unit.apps.desk import builders as r
from tests.worlds import SILENT, lonlat_of, write_aoi

FIRST = date(2020, 11, 1)
RANGE = datetime(2020, 10, 31, tzinfo=UTC), datetime(2021, 3, 1, tzinfo=UTC)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setenv("ROADSTEAD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ROADSTEAD_ALLOWED_HOSTS", raising=False)
    settings.cache_clear()
    range_files._versions.clear()
    with scene(tmp_path) as one:
        yield one
    settings.cache_clear()


@pytest.fixture
def port(tmp_path: Path) -> Port:
    return named_port("testport", write_aoi(tmp_path / "aoi.geojson"))


def request(port: Port, catalog: str, store: Path) -> WatchRequest:
    base = settings()
    return WatchRequest(port, *RANGE, catalog, load_model(base.model_id), base, f"sqlite:///{store}")


def watched(port: Port, catalog: str, store: Path) -> Watched | RoadsteadError:
    try:
        return watch(request(port, catalog, store))
    except RoadsteadError as error:
        return error


def failed(ended: Watched | RoadsteadError) -> bool:
    return isinstance(ended, RoadsteadError) or bool(ended.failures and not ended.done)


def day(number: int) -> str:
    return (FIRST + timedelta(days=number)).isoformat()


def test_that_files_are_opened_and_others_asked_would_be_seen(made: Scene) -> None:
    assert made.leaks() == []
    (made.secrets / "secret.txt").read_text()
    assert made.leaks() == ["secret.txt"]


def test_whatever_assets_are_named_nothing_but_the_catalogue_is_asked_and_each_image_fails(
    made: Scene, port: Port, tmp_path: Path
) -> None:
    kinds = hrefs(made)
    assert len(kinds) >= 40
    items: dict[str, Document] = {
        f"/lie-{number}.json": item(made, name, day(number), red=href)
        for number, (name, href) in enumerate(kinds.items())
    }
    items["/honest.json"] = item(made, "honest", day(len(kinds)))
    made.opened.names()
    ended = watched(port, put_catalogue(made, items), tmp_path / "s.sqlite")
    assert made.leaks() == []
    assert isinstance(ended, Watched)
    assert len(ended.done) == 1 and len(ended.failures) == len(kinds), "the honest one alone was done"
    assert all(reason for reason in ended.failures.values())
    with Store.open(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        assert store.detections("testport").groupby("overpass_id").size().to_list() == [2]


def _self(href: str) -> Any:
    def change(kind: str, page: Document) -> Document:
        if kind != "page":
            return page
        assets = {key: {"href": f"./{key}.tif"} for key in ("red", "green", "blue", "nir")}
        lying = {"links": [{"rel": "self", "href": href}], "assets": assets}
        return {**page, "features": [{**one, **lying} for one in page["features"]]}

    return change


def _linking(where: str, rel: str, href: str, **more: Any) -> Any:
    def change(kind: str, page: Document) -> Document:
        kept = [link for link in page["links"] if link["rel"] != rel]
        return {**page, "links": [*kept, {"rel": rel, "href": href, **more}]} if kind == where else page

    return change


def _api_lies(made: Scene) -> dict[str, Any]:
    other, secret = made.others[0].url, made.secrets
    targets = {
        "another port": f"{other}/api", "a file": f"{secret}/item.json", "file:": f"file://{secret}/item.json",
        "localhost": other.replace("127.0.0.1", "localhost"), "ftp": "ftp://127.0.0.1/x",
        "vsicurl": f"/vsicurl/{other}/red.tif", "no host": f"http:{secret}/item.json",
    }  # fmt: skip
    lies = {}
    for name, href in targets.items():
        lies[f"self: {name}"] = _self(href)
        lies[f"next: {name}"] = _linking("page", "next", href)
        lies[f"next by POST: {name}"] = _linking(
            "page", "next", href, method="POST", body={}, headers={"X": "y"}
        )
        lies[f"search: {name}"] = _linking("root", "search", href, type="application/geo+json")
        lies[f"data: {name}"] = _linking("root", "data", href)
    return lies


def test_links_of_an_api_lead_nowhere_else(made: Scene, port: Port, tmp_path: Path) -> None:
    for name, change in _api_lies(made).items():
        ended = watched(port, put_api(made, [item(made, "one", day(0))], change), tmp_path / "s.sqlite")
        assert made.leaks() == [], name
        if not name.startswith("data:"):  # a collection may be asked for without it
            assert failed(ended), name


def test_links_of_a_static_catalogue_lead_nowhere_else(made: Scene, port: Port, tmp_path: Path) -> None:
    other, secret = made.others[0].url, made.secrets
    made.liar.documents["/away.json"] = ("redirect", f"{other}/item.json")
    targets = [
        f"{other}/catalog.json", f"{secret}/item.json", f"file://{secret}/item.json", f"/vsicurl/{other}/item.json",
        "/away.json", f"http:{secret}/item.json", other.replace("127.0.0.1", "localhost") + "/item.json",
    ]  # fmt: skip
    for href in targets:
        for rel in ("item", "child"):
            catalog = put_catalogue(made, {}, {"rel": rel, "href": href})
            assert failed(watched(port, catalog, tmp_path / "s.sqlite")), href
            assert made.leaks() == [], f"{rel} {href}"


def test_the_granules_own_metadata_are_read_nowhere_else(made: Scene, port: Port, tmp_path: Path) -> None:
    kinds = {name: href.replace("red.tif", "secret.txt") for name, href in hrefs(made).items()}
    items = {
        f"/lie-{number}.json": item(made, name, day(number), granule_metadata=href, red=f"{made.liar.url}/none.tif")
        for number, (name, href) in enumerate(kinds.items())
    }  # fmt: skip
    made.opened.names()
    watched(port, put_catalogue(made, items), tmp_path / "s.sqlite")
    assert made.leaks() == []


def test_an_item_that_turns_later_does_nothing_at_the_desk_nor_in_a_dossier(
    made: Scene, port: Port, tmp_path: Path
) -> None:
    ended = watched(
        port, put_catalogue(made, {"/one.json": item(made, "one", day(0))}), tmp_path / "s.sqlite"
    )
    assert isinstance(ended, Watched)
    (overpass,) = ended.done
    with Store.open(f"sqlite:///{tmp_path / 's.sqlite'}") as store:
        hull = store.detections("testport")["detection_id"].iloc[0]
        made.leaks()
        assert _seen_again(store, port, overpass, hull) == "shown", "the honest item is"
        for name, href in hrefs(made).items():
            made.liar.documents["/one.json"] = item(made, "one", day(0), red=href)
            made.opened.names()
            assert _seen_again(store, port, overpass, hull) == "refused", name
            assert made.leaks() == [], name


def _seen_again(store: Store, port: Port, overpass: str, hull: str) -> str:
    """Look at a picture of the desk, a tile of its map, and the pixels of a dossier; return what became of all."""
    range_files._versions.clear()
    desk = r.desk(store, ports={"testport": port})
    imagery = Imagery(desk)
    told = {_asked(imagery, imagery.window("testport", overpass, "true-colour", hull))}
    again = Imagery(desk)
    lon, lat = lonlat_of(SILENT)
    told.add(_asked(again, again.tile("testport", overpass, "true-colour", 14, *_tile(lon, lat))))
    (finding,) = find_findings(store, [hull])
    told.add("shown" if finding.imagery.pixels is not None else "refused")
    (one,) = told
    return one


def _asked(imagery: Imagery, what: Any) -> str:
    try:
        return "shown" if imagery.made(what) else "empty"
    except PictureError:
        return "refused"


def _tile(lon: float, lat: float) -> tuple[int, int]:
    grid = tile_grid(0, 0, 0, 256 * 2**14)
    col, row = grid.xy_to_colrow(lonlat_to_xy(np.array([[lon, lat]]), grid.crs))[0]
    return int(col // 256), int(row // 256)
