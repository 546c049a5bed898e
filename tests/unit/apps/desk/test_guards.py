"""Every route of the desk, asked as those ask who may not: none is left out, since the routes are read from the app."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Match, Route

from roadstead.apps.desk.ogc.features import CatalogFeatures
from roadstead.core.wording import EXPLANATIONS
from roadstead.store import Attachment, Store
from roadstead.workflows.export import week_brief
from tests.unit.apps.desk import builders as r
from tests.unit.apps.desk import releasing as q
from tests.unit.publish import builders as e
from tests.unit.store import builders as b

VALUES = {
    "port": "nampo",
    "finding": "d0",
    "mmsi": "412000001",
    "overpass_id": b.OVERPASS_ID,
    "detection_id": "d0",
    "look": "nir",
    "z": "9",
    "x": "1",
    "y": "1",
    "seq": "1",
    "kind": "csv",
    "name": "RS-2026-2222222",
    "collection": "detections",
    "feature:path": "nampo:d0",
}
"""A value for each part of a path."""
BEFORE_LOGIN = {"/login", "/login/oidc", "/login/oidc/back", "/logout", "/setup"}
ANALYSTS_READ = {"/dossier/{port}/{finding}.zip", "/audit/{name}", "/audit/{name}/picture.webp"}
ADMINS_READ = {"/people"}


def routes(app: Any, method: str) -> list[Route]:
    """Return the routes of an application that take a method, in the order in which they are tried."""
    found = [
        route
        for part in app.router.routes
        for route in [part, *getattr(getattr(part, "original_router", None), "routes", [])]
        if isinstance(route, Route) and method in (route.methods or ())
    ]
    assert len(found) > 10, "routes are found another way now"
    return found


def path_of(route: Route) -> str:
    return re.sub(r"\{([a-z_:]+)\}", lambda part: VALUES[part[1]], route.path)


def whole(store: Store, **changes: Any) -> r.Browser:
    """Return a browser at a desk that has everything a desk may have."""
    features = CatalogFeatures(store, {"nampo": e.port()})
    return r.Browser(
        r.desk(store, features=features, outside=lambda _: b"", dossier=lambda _: b"", **changes)
    )


@pytest.fixture
def open_desk(store: Store) -> r.Browser:
    return whole(store, open=True)


@pytest.fixture
def everybody(store: Store) -> Iterator[dict[str, r.Browser]]:
    """Browsers of a viewer, an analyst and an admin, and of nobody."""
    first = whole(store)
    made = {name: r.Browser(first.desk, app=first.app) for name in ("vic", "ana", "ada")}
    for name, browser in made.items():
        assert browser.log_in(name).status_code == 303
    yield {**made, "nobody": first}


def csrf_of(browser: r.Browser, path: str = "/log") -> str:
    return r.tokens(browser.get(path).text)["csrf"]


def sent(browser: r.Browser, path: str, csrf: str, **headers: str) -> Any:
    """Post a form of the kind that a path takes."""
    given = {"csrf": csrf, "name": "eve", "role": "admin", "kind": "accepted", "password": r.PASSWORD}
    files: Any = {"file": ("a.txt", b"words")} if path.endswith("/attach") else None
    told = {"origin": r.ORIGIN, **headers}
    return browser.client.post(path, data={**given, "licence": "CC0 1.0"}, files=files, headers=told)


def test_each_path_below_is_that_of_its_own_route(open_desk: r.Browser) -> None:
    for method in ("GET", "POST"):
        every = routes(open_desk.app, method)
        for route in every:
            scope = {"type": "http", "path": path_of(route), "method": method, "root_path": ""}
            first = next(one for one in every if one.matches(scope)[0] is Match.FULL)
            assert first.path == route.path


def test_no_form_is_taken_that_is_not_of_a_page_of_ours(
    everybody: dict[str, r.Browser], store: Store
) -> None:
    """CSRF: without the token, with one of another session, or from another site, nobody writes anything anywhere."""
    ada, ana = everybody["ada"], everybody["ana"]
    own, foreign = csrf_of(ada), csrf_of(ana)
    people = [(one.name, one.role, one.disabled) for one in ada.desk.people.all()]
    for route in routes(ada.app, "POST"):
        path = path_of(route)
        for token in ("", "0" * 64, foreign):
            assert sent(ada, path, token).status_code == 403, (path, token)
        for origin in ("http://evil.example", "null", "http://127.0.0.1:81", "http://[", ""):
            assert sent(ada, path, own, origin=origin).status_code == 403, (path, origin)
        plain = ada.client.post(path, json={"csrf": own}, headers={"origin": r.ORIGIN})
        assert plain.status_code == 415, path
    assert ada.desk.decisions.newest(1) == ()
    assert [(one.name, one.role, one.disabled) for one in ada.desk.people.all()] == people
    assert ada.get("/").status_code == 200, "still logged in"


def test_viewers_and_nobody_write_nothing(everybody: dict[str, r.Browser]) -> None:
    vic, nobody = everybody["vic"], everybody["nobody"]
    token, before = csrf_of(vic), csrf_of(nobody, "/login")
    written = [route for route in routes(vic.app, "POST") if route.path not in BEFORE_LOGIN]
    assert len(written) > 10
    for route in written:
        path = path_of(route)
        assert sent(vic, path, token).status_code == 403, path
        refused = sent(nobody, path, before)
        assert (refused.status_code, r.path_of(refused)) == (303, "/login"), path
    assert vic.desk.decisions.newest(1) == ()


def test_the_list_of_people_is_for_admins(everybody: dict[str, r.Browser]) -> None:
    ana = everybody["ana"]
    token = csrf_of(ana)
    for path in ("/people/add", "/people/disable"):
        assert sent(ana, path, token).status_code == 403
    assert ana.get("/people").status_code == 403


def test_what_is_for_analysts_is_not_for_viewers(
    everybody: dict[str, r.Browser], open_desk: r.Browser
) -> None:
    """`--open` shows what viewers may read, and no more."""
    vic, nobody = everybody["vic"], everybody["nobody"]
    for route in routes(vic.app, "GET"):
        path = path_of(route)
        if route.path in BEFORE_LOGIN:
            continue
        if route.path in ANALYSTS_READ | ADMINS_READ:
            assert vic.get(path).status_code == 403, path
            refused = open_desk.get(path)
            assert (refused.status_code, r.path_of(refused)) == (303, "/login"), path
        else:
            unread = (503,) if path.startswith(("/tiles/", "/window/")) else ()  # scenes that do not exist
            assert vic.get(path).status_code in (200, 404, *unread), path
            assert open_desk.get(path).status_code in (200, 404, *unread), path
        answer = nobody.get(path)
        assert answer.status_code == (401 if path.startswith("/ogc") else 303), path
        assert "412000001" not in answer.text
    for route in routes(vic.app, "POST"):
        if route.path not in BEFORE_LOGIN:
            assert r.path_of(sent(open_desk, path_of(route), "x")) == "/login"


def test_no_other_name_for_this_machine_is_answered(everybody: dict[str, r.Browser]) -> None:
    """DNS rebinding: a name that another site points at this machine gets nothing, whatever it asks for."""
    ada = everybody["ada"]
    for route in [*routes(ada.app, "GET"), *routes(ada.app, "POST")]:
        method = "GET" if "GET" in (route.methods or ()) else "POST"
        answer = ada.client.request(
            method, path_of(route), headers={"host": "evil.example", "content-length": "0"}
        )
        assert answer.status_code == 400, route.path
        assert "412000001" not in answer.text
    assert ada.get("/static/review.css", headers={"host": "evil.example"}).status_code == 400


def test_every_answer_of_every_route_has_the_headers(
    everybody: dict[str, r.Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, nobody = everybody["ada"], everybody["nobody"]
    answers = [browser.get(path_of(route)) for route in routes(ada.app, "GET") for browser in (ada, nobody)]
    answers += [sent(ada, path_of(route), "") for route in routes(ada.app, "POST")]
    answers += [ada.client.put("/"), ada.get("/none"), ada.get("/static/none"), ada.get("/static/map.js")]
    answers += [
        ada.get("/", headers={"host": "evil.example"}),
        ada.get("/leads?page=x"),
        ada.get("/leads?from=x"),
    ]
    tile = ada.get("/map/data/0/0/0.mvt")
    assert tile.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    answers += [tile, ada.get("/map/data/0/0/0.mvt", headers={"if-none-match": tile.headers["etag"]})]
    answers.append(ada.client.post("/undo", content=b"x" * 70_000, headers={"origin": r.ORIGIN}))

    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret words")

    monkeypatch.setattr(type(ada.desk.leads), "one", broken)
    quiet = r.TestClient(ada.app, base_url=r.ORIGIN, client=("127.0.0.1", 1), raise_server_exceptions=False)
    quiet.cookies.update(ada.client.cookies)
    trouble = quiet.get("/finding/nampo/d0")
    assert trouble.status_code == 500 and "secret words" not in trouble.text
    answers.append(trouble)
    assert {200, 303, 304, 400, 401, 403, 404, 405, 413, 422, 500} <= {one.status_code for one in answers}
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy, answer.url
        assert "unsafe" not in policy and "*" not in policy and "http" not in policy, answer.url
        assert answer.headers["x-content-type-options"] == "nosniff", answer.url
        assert answer.headers["x-frame-options"] == "DENY", answer.url
        assert answer.headers["referrer-policy"] == "same-origin", answer.url
        assert answer.headers["cross-origin-resource-policy"] == "same-origin", answer.url
        kept = answer.headers.get("cache-control", "")
        assert "/static/" in str(answer.url) or kept in ("no-store", "private, no-cache"), answer.url


EVIL = """</title></textarea><script>alert(1)</script><img src=x onerror=alert(2)>"' onfocus=alert(3) x='\""""


class Elements(HTMLParser):
    """Reads a page as a browser does, and takes nothing in it that would run."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert not any(name.startswith("on") or name == "style" for name in given), (tag, given)
        assert tag != "script" or (given["src"] or "").startswith("/static/")
        for name in ("href", "src", "action"):
            assert (given.get(name) or "/").startswith(("/", "?", "#")), (tag, given)


def test_whatever_ships_and_people_write_is_text_on_every_page(store: Store, tmp_path: Any) -> None:
    """Stored XSS: by AIS, notes, files, requests, replies and retractions."""
    said = {"name": EVIL, "destination": EVIL, "callsign": EVIL, "source": EVIL}
    r.fill(store, vessels=b.vessels().assign(**said))
    made = q.desk(store, tmp_path / "ais", brief=lambda port, end: week_brief(store, e.port(), end))
    ana, bob = q.browsers(made, "ana", "bob")
    ana.decide("d1", kind="corrected", note=EVIL)
    about = {"port": "nampo", "overpass_id": b.OVERPASS_ID, "finding": "d1", "evidence": {}}
    file = Attachment(EVIL, "text/plain", b"words", None, EVIL, True, EVIL, EVIL)
    made.attachments.add(file, **about, simulated=True, user="ana", now=r.NOW)
    why = {f"why.{key}": EVIL for key in EXPLANATIONS}
    out = q.release(ana, bob, "d0", summary=EVIL, **why)
    made.releases.reply(out, EVIL, r.NOW.date(), EVIL, "ana", r.NOW)
    ana.decide("d0", kind="corrected", note=EVIL)
    assert q.ask(ana, "d0", summary=EVIL, changed=EVIL, **why).status_code == 303
    pages = [path_of(route).replace(VALUES["name"], out) for route in routes(ana.app, "GET")]
    pages += [
        "/finding/nampo/d1",
        "/finding/nampo/d1/release",
        "/leads?decided=all",
        "/audit",
        f"/vessels?q={EVIL}",
    ]
    pages += [f"/leads?zone={EVIL}&from={EVIL}", f"/released?port={EVIL}", f"/map?port={EVIL}&finding={EVIL}"]

    def shown() -> str:
        answers = [ana.get(path) for path in pages]
        return "\n".join(
            one.text for one in answers if one.headers.get("content-type", "").startswith("text/html")
        )

    pending = shown()
    assert q.answer(bob, "d0").status_code == 303
    corrected = shown()
    made.releases.retract(out, EVIL, "ana", r.NOW)
    for text in (pending, corrected, shown()):
        assert "<script>alert" not in text and "<img src=x" not in text
        Elements().feed(text)
        assert text.count("&lt;script&gt;alert(1)") > 10, "it is shown, as text"


TAKEN = {
    "/leads": "port zone class kind code from to decided sort page at did".split(),
    "/map/counts.json": "port class status from to".split(),
    "/map": "port finding from".split(),
    "/released": "port state class status".split(),
    "/finding/nampo/d0": "did sort to".split(),
    "/log": ["before"],
    "/brief/nampo": ["to"],
    "/vessels": ["q"],
    "/login": ["next"],
}
"""What pages take of the query."""
ODD = (
    *(
        "9999-12-31",
        "0001-01-01",
        "-1",
        "9" * 30,
        "nan",
        "1e400",
        "%00",
        "%ff",
        "%F0%9F%9A%A2",
        "'",
        "[",
        "%25",
        "..%2f",
    ),
    *("%D9%A1", "a" * 2000, "http:%2f%2f192.0.2.1", "%3Cscript%3E"),
)


def test_no_odd_value_in_an_address_is_a_fault_of_ours(everybody: dict[str, r.Browser]) -> None:
    """A fault would be raised here; what cannot be read is told as such."""
    ada = everybody["ada"]
    told = {200, 303, 307, 400, 404, 405, 409, 422}
    for route in routes(ada.app, "GET"):
        unread = (503,) if route.path.startswith(("/tiles/", "/window/")) else ()
        for value in ODD:
            for part in re.findall(r"\{[a-z_:]+\}", route.path):
                odd = re.sub(r"\{([a-z_:]+)\}", lambda one: VALUES[one[1]], route.path.replace(part, value))
                assert ada.get(odd).status_code in {*told, *unread}, odd
    for path, names in TAKEN.items():
        for name in names:
            for value in ODD:
                assert ada.get(f"{path}?{name}={value}").status_code in told, (path, name, value)


GUIDE = (Path(__file__).parents[4] / "docs" / "review.md").read_text(encoding="utf-8")


def test_every_attack_in_the_guide_has_its_tests() -> None:
    table = GUIDE[GUIDE.index("| attack |") :].split("\n\n")[0]
    rows = [line.split(" | ") for line in table.splitlines()[2:]]
    assert len(rows) >= 10
    code: dict[str, str] = {}
    for path in Path(__file__).parents[3].rglob("test_*.py"):  # two may have one name
        code[path.stem] = code.get(path.stem, "") + path.read_text(encoding="utf-8")
    for attack, _, tests in rows:
        named = re.findall(r"`(test_[a-z_]+)::(test_[a-z0-9_]+)`", tests)
        assert named and len(named) == tests.count("`") // 2, attack
        for file, name in named:
            assert f"def {name}(" in code[file], (attack, file, name)
