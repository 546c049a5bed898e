"""The OGC API: what it serves, whom it lets in, and what it refuses."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import shapely
from httpx2 import Response

from roadstead.apps.desk.ogc.features import COLLECTIONS, CatalogFeatures
from roadstead.core.leads import with_lead_kind
from roadstead.publish.formats.geojson import write_geojson_products
from roadstead.publish.formats.layers import tracks_table
from roadstead.store import Store
from roadstead.workflows.export import port_report
from tests.unit.apps.desk import builders as r
from tests.unit.builders import ACQUIRED
from tests.unit.publish import builders as e

WRONG = "wrong horse battery"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        r.fill(opened)
        r.people(opened)
        yield opened


@pytest.fixture
def browser(store: Store) -> r.Browser:
    return r.Browser(r.desk(store, features=CatalogFeatures(store, {"nampo": e.port()})))


def basic(name: str = "vic", password: str = r.PASSWORD) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def ask(browser: r.Browser, path: str, **kw: Any) -> Response:
    return browser.get(f"/ogc{path}", headers=basic(**kw))


def features(browser: r.Browser, name: str, query: str = "") -> list[dict[str, Any]]:
    answer = ask(browser, f"/collections/{name}/items{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/geo+json"
    found = answer.json()
    assert found["numberReturned"] == len(found["features"])
    return list(found["features"])


def test_features_are_those_of_the_geojson_export(browser: r.Browser, store: Store, tmp_path: Path) -> None:
    start, end = ACQUIRED.replace(year=2000), ACQUIRED.replace(year=2030)
    report = port_report(store, e.port(), start, end, pictures=False)
    tracks = tracks_table(report.positions)
    tables = (report.detections, with_lead_kind(report.matches), report.counts, tracks)
    write_geojson_products(tmp_path, e.port(), *tables)
    for name in ("detections", "matches", "counts", "zones", "tracks"):
        written = to_features_of(tmp_path / f"nampo-{name}.geojson")
        served = features(browser, name)
        assert len(served) == len(written) > 0, name
        by = sorted(range(len(written)), key=lambda i: str(written[i]["properties"]))
        order = sorted(range(len(served)), key=lambda i: str(served[i]["properties"]))
        for i, j in zip(by, order, strict=True):
            assert served[j]["properties"] == written[i]["properties"], name
            assert served[j]["geometry"] == written[i]["geometry"], name
        assert set(served[0]["properties"]) == set(COLLECTIONS[name].properties)


def to_features_of(path: Path) -> list[dict[str, Any]]:
    import json

    return list(json.loads(path.read_text())["features"])


def test_overpasses_say_their_state_and_what_they_cover(browser: r.Browser, store: Store) -> None:
    found = {one["properties"]["state"]: one for one in features(browser, "overpasses")}
    assert set(found) == {"processed", "failed"}
    assert found["failed"]["geometry"] is None
    footprint = store.scenes("nampo").geometry.union_all()
    assert shapely.geometry.shape(found["processed"]["geometry"]).equals(footprint)
    assert set(found["failed"]["properties"]) == set(COLLECTIONS["overpasses"].properties)


def test_every_feature_is_found_again_by_its_id(browser: r.Browser) -> None:
    for name in COLLECTIONS:
        served = features(browser, name)
        assert len({one["id"] for one in served}) == len(served), name
        for one in served:
            answer = ask(browser, f"/collections/{name}/items/{one['id']}")
            assert answer.status_code == 200, one["id"]
            assert {**answer.json(), "links": None} == {**one, "links": None}
        for other in ("nampo:none", "none", "nampo:x:99", "x:y:z", "%00"):
            assert ask(browser, f"/collections/{name}/items/{other}").status_code == 404


def test_pages_follow_one_another_without_loss(browser: r.Browser) -> None:
    whole = [one["id"] for one in features(browser, "matches")]
    path, seen = "/collections/matches/items?limit=3&port=nampo", list[str]()
    while path:
        page = ask(browser, path).json()
        assert page["numberMatched"] == len(whole)
        seen += [one["id"] for one in page["features"]]
        links = {link["rel"]: link["href"] for link in page["links"]}
        path = links.get("next", "").removeprefix(f"{r.ORIGIN}/ogc")
    assert seen == whole and len(whole) > 3


def test_filters_keep_what_they_name(browser: r.Browser) -> None:
    for name, query, key, value in (
        ("detections", "?class=barge", "class", "barge"),
        ("matches", "?status=no_ais_partner", "status", "no_ais_partner"),
        ("matches", f"?zone={e.ROADS}", "zone", e.ROADS),
        ("counts", f"?zone={e.ROADS}", "zone", e.ROADS),
        ("zones", "?kind=anchorage", "kind", "anchorage"),
        ("overpasses", "?state=failed", "state", "failed"),
        ("tracks", "?mmsi=412000001", "mmsi", "412000001"),
    ):
        kept, whole = features(browser, name, query), features(browser, name)
        assert kept == [one for one in whole if one["properties"][key] == value], name
        assert kept, name
    for name in COLLECTIONS:
        assert features(browser, name, "?port=elsewhere") == []


def test_a_box_and_a_time_keep_what_lies_in_them(browser: r.Browser) -> None:
    east = [one for one in features(browser, "detections") if one["properties"]["lon"] > 125.28]
    assert features(browser, "detections", "?bbox=125.281,38,126,39") == east and east
    assert features(browser, "detections", "?bbox=125.281,38,-100,126,39,100") == east
    assert features(browser, "detections", "?bbox=170,38,126,39") == features(browser, "detections")
    for name in COLLECTIONS:
        everything = features(browser, name)
        assert features(browser, name, "?bbox=-10,-10,-9,-9") == []
        if name == "zones":
            continue
        assert features(browser, name, "?datetime=2019-01-01T00:00:00Z/2019-02-01T00:00:00Z") == []
        assert features(browser, name, "?datetime=2020-01-01T00:00:00Z/..") == everything
        assert features(browser, name, "?datetime=../2021-01-01T00:00:00Z") == everything
    acquired = features(browser, "detections")[0]["properties"]["acquired"]
    assert features(browser, "detections", f"?datetime={acquired}") == features(browser, "detections")


@pytest.mark.parametrize(
    "query",
    [
        "colour=red", "limit=0", "limit=-1", "limit=x", "limit=1&limit=2", "offset=-1", "bbox=1,2,3", "bbox=a,b,c,d",
        "bbox=0,10,1,5", "bbox=nan,0,1,1", "bbox=0,0,400,1", "datetime=yesterday", "datetime=..", "datetime=",
        "datetime=2021-01-01T00:00:00Z/2020-01-01T00:00:00Z", "datetime=a/b/c", "class=submarine", "port=%00",
        "datetime=0001-01-01T00:00:00%2B12:00",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_json(browser: r.Browser, query: str) -> None:
    answer = ask(browser, f"/collections/detections/items?{query}")
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"code", "description"}


def test_unknown_parameters_are_refused_everywhere(browser: r.Browser) -> None:
    for path in (
        "",
        "/",
        "/conformance",
        "/api",
        "/collections",
        "/collections/zones",
        "/collections/zones/schema",
    ):
        assert ask(browser, path).status_code == 200, path
        assert ask(browser, f"{path}?x=1").status_code == 400, path
    assert ask(browser, "/collections/ships").status_code == 404
    assert ask(browser, "/nothing").json()["code"] == "404"


def test_a_limit_above_the_largest_is_taken_as_the_largest(browser: r.Browser) -> None:
    page = ask(browser, "/collections/detections/items?limit=99999").json()
    assert "limit=10000" in page["links"][0]["href"]


def test_nothing_is_read_without_login_and_a_session_or_a_password_opens_it(browser: r.Browser) -> None:
    for path in (
        "/ogc",
        "/ogc/api",
        "/ogc/conformance",
        "/ogc/collections/zones/items",
        "/ogc/collections/zones",
    ):
        answer = browser.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert "nampo" not in answer.text
    assert ask(browser, "/collections", password=WRONG).status_code == 401
    for header in ("Basic !!", "Basic", "Bearer x", "Basic " + base64.b64encode(b"vic").decode()):
        assert browser.get("/ogc", headers={"authorization": header}).status_code == 401
    assert ask(browser, "/collections").status_code == 200
    browser.log_in("vic")
    assert browser.get("/ogc/collections").status_code == 200


def test_a_password_that_fitted_counts_no_longer_once_its_person_is_shut_out(
    browser: r.Browser, store: Store
) -> None:
    assert ask(browser, "/collections").status_code == 200
    browser.desk.people.disable("vic")
    assert ask(browser, "/collections").status_code == 401


def test_guessing_is_stopped_as_at_the_log_in_page(browser: r.Browser) -> None:
    for _ in range(5):
        assert ask(browser, "", password=WRONG).status_code == 401
    answer = ask(browser, "")
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0
    assert browser.log_in("vic").status_code == 429, "both doors count together"


def test_open_desks_are_read_on_this_machine_without_login(store: Store) -> None:
    desk = r.desk(store, features=CatalogFeatures(store, {"nampo": e.port()}), open=True)
    assert r.Browser(desk).get("/ogc/collections").status_code == 200
    assert r.Browser(desk, address="192.0.2.7").get("/ogc/collections").status_code == 401


def test_links_lead_back_through_a_proxy_with_tls(browser: r.Browser) -> None:
    desk = replace(browser.desk, allowed_hosts=("desk.example",))
    answer = r.Browser(desk).get("/ogc/", headers={**basic(), "host": "desk.example"})
    assert {link["href"].split("/ogc")[0] for link in answer.json()["links"]} == {"https://desk.example"}


def test_every_column_of_the_document_is_of_the_type_that_is_served(browser: r.Browser) -> None:
    api = ask(browser, "/api")
    assert api.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    schemas = api.json()["components"]["schemas"]
    kinds = {"string": str, "number": (int, float), "integer": int, "boolean": bool}
    for name in COLLECTIONS:
        told = schemas[f"{name}-feature"]["properties"]["properties"]["properties"]
        for one in features(browser, name):
            for key, value in one["properties"].items():
                if value is None:
                    assert told[key].get("nullable"), (name, key)
                else:
                    assert isinstance(value, kinds[told[key]["type"]]), (name, key)
                    assert isinstance(value, bool) == (told[key]["type"] == "boolean"), (name, key)
