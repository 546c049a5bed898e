"""Who gets in, and what nobody gets."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from roadstead.apps.desk import review_app
from roadstead.apps.desk.login.security import MOST_BODY
from roadstead.core.errors import UsageError
from roadstead.store import People, Store, fits, hashed
from tests.unit.apps.desk import builders as r

PAGES = [
    "/",
    "/leads",
    "/finding/nampo/d0",
    "/vessel/412000001",
    "/vessels",
    "/precision",
    "/log",
    "/released",
    "/audit",
    "/audit/results",
    "/brief/nampo",
]
"""That every role may read, but for the map."""


def test_who_logs_in_comes_back_to_the_page_asked_for(browser: r.Browser) -> None:
    sent = browser.get("/leads?port=nampo").headers["location"]
    assert sent == "/login?next=%2Fleads%3Fport%3Dnampo"
    page = browser.get(sent)
    assert browser.log_in("ana", next=r.tokens(page.text)["next"]).headers["location"] == "/leads?port=nampo"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "/a\nb"]
)
def test_nobody_is_led_elsewhere(browser: r.Browser, elsewhere: str) -> None:
    assert browser.log_in("ana", next=elsewhere).headers["location"] == "/"


def test_a_wrong_password_and_a_wrong_name_read_the_same(browser: r.Browser) -> None:
    wrong, nobody = browser.log_in("ana", "wrong"), browser.log_in("nobody", "wrong")
    assert wrong.status_code == nobody.status_code == 401
    assert "Name or password is wrong." in wrong.text
    assert wrong.text.replace('value="ana"', "") == nobody.text.replace('value="nobody"', "")
    assert browser.get("/").status_code == 303


def test_after_five_wrong_tries_a_name_waits_a_quarter_of_an_hour(store: Store) -> None:
    clock = r.Clock()
    browser = r.Browser(r.desk(store, clock=clock))
    for _ in range(5):
        assert browser.log_in("Ana", "wrong").status_code == 401
    refused = browser.log_in("ana")
    assert refused.status_code == 429, "even with the right password"
    assert int(refused.headers["retry-after"]) <= 15 * 60
    assert browser.log_in("bob").status_code == 303, "others still get in"
    elsewhere = r.Browser(browser.desk, "10.0.0.9", browser.app)
    assert elsewhere.log_in("ana").status_code == 429
    clock.pass_by(minutes=16)
    assert elsewhere.log_in("ana").status_code == 303


def test_an_address_that_tries_many_names_waits_too(store: Store) -> None:
    browser = r.Browser(r.desk(store))
    for index in range(20):
        assert browser.log_in(f"name{index}", "x" * 300).status_code == 401
    assert browser.log_in("bob").status_code == 429
    assert r.Browser(browser.desk, "10.0.0.9", browser.app).log_in("bob").status_code == 303


def test_the_cookie_is_signed_and_out_of_reach_of_scripts_and_other_sites(browser: r.Browser) -> None:
    cookie = next(c for c in browser.log_in("ana").headers.get_list("set-cookie") if "session" in c)
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    name, value = cookie.split(";")[0].split("=", 1)
    other = r.Browser(browser.desk, app=browser.app)
    other.client.cookies.set(name, value)
    assert other.get("/").status_code == 200
    token, seal = value.rsplit(".", 1)
    for forged in (f"{token}.{'A' if seal[0] != 'A' else 'B'}{seal[1:]}", f"x{value}", token, ""):
        fresh = r.Browser(browser.desk, app=browser.app)
        fresh.client.cookies.set(name, forged)
        assert fresh.get("/").status_code == 303


def test_over_https_the_cookie_is_for_https_alone(store: Store) -> None:
    browser = r.Browser(r.desk(store))
    browser.client.base_url = "https://127.0.0.1"  # type: ignore[assignment]
    csrf = r.tokens(browser.get("/login").text)["csrf"]
    data = {"csrf": csrf, "name": "ana", "password": r.PASSWORD}
    answer = browser.client.post("/login", data=data, headers={"origin": "https://127.0.0.1"})
    assert all("Secure" in c for c in answer.headers.get_list("set-cookie") if "roadstead_session" in c)
    assert answer.status_code == 303


def test_behind_a_proxy_that_ends_tls_forms_of_ours_are_taken_and_the_cookie_is_for_https(
    store: Store,
) -> None:
    """The proxy speaks plain HTTP to us; the browser's own scheme stands in Origin alone."""
    browser = r.Browser(r.desk(store))
    csrf = r.tokens(browser.get("/login").text)["csrf"]
    data = {"csrf": csrf, "name": "ana", "password": r.PASSWORD}
    answer = browser.client.post("/login", data=data, headers={"origin": "https://127.0.0.1"})
    assert answer.status_code == 303
    assert all("Secure" in c for c in answer.headers.get_list("set-cookie") if "roadstead_session" in c)


def test_a_session_ends_at_the_server(store: Store, tmp_path: Path) -> None:
    clock = r.Clock()
    browser = r.Browser(r.desk(store, clock=clock))
    browser.log_in("ana")
    clock.pass_by(hours=11, minutes=59)
    assert browser.get("/").status_code == 200
    clock.pass_by(minutes=2)
    assert browser.get("/").status_code == 303


def test_logging_out_ends_the_session_for_whoever_kept_the_cookie(ana: r.Browser) -> None:
    kept = dict(ana.client.cookies)
    ana.post("/logout", {"csrf": r.tokens(ana.get("/log").text)["csrf"]})
    thief = r.Browser(ana.desk, app=ana.app)
    thief.client.cookies.update(kept)
    assert thief.get("/").status_code == 303


def test_who_is_shut_out_is_out_at_once(ana: r.Browser, store: Store) -> None:
    People(store).disable("ana")
    assert ana.get("/").status_code == 303
    assert ana.log_in("ana").status_code == 401


def test_the_store_holds_neither_passwords_nor_tokens(ana: r.Browser, tmp_path: Path) -> None:
    token = ana.client.cookies["roadstead_session"].split(".")[0]
    with sqlite3.connect(tmp_path / "store.sqlite") as connection:
        kept = str(connection.execute("SELECT * FROM sessions").fetchall())
        hashes = [row[0] for row in connection.execute("SELECT password_hash FROM users")]
    connection.close()
    assert token not in kept
    assert all(text.startswith("$argon2id$") for text in hashes)


def test_short_passwords_are_refused_and_long_ones_never_hashed() -> None:
    with pytest.raises(UsageError, match="10 to 200"):
        hashed("short")
    assert not fits("x" * 201, r.password_hash())
    assert not fits("anything", None)
    assert not fits("anything", "damaged")


def test_a_form_of_another_session_or_site_is_refused(ana: r.Browser) -> None:
    bob = r.Browser(ana.desk, app=ana.app)
    bob.log_in("bob")
    foreign = r.tokens(bob.get("/log").text)["csrf"]
    own = r.tokens(ana.get("/log").text)["csrf"]
    assert ana.post("/logout", {"csrf": foreign}).status_code == 403
    for origin in ("http://evil.example", "null", "http://127.0.0.1:81"):
        assert ana.client.post("/logout", data={"csrf": own}, headers={"origin": origin}).status_code == 403
    assert ana.get("/").status_code == 200


def test_json_multipart_huge_and_unsized_posts_are_refused(ana: r.Browser) -> None:
    own = r.tokens(ana.get("/log").text)["csrf"]
    assert ana.client.post("/logout", json={"csrf": own}).status_code == 415
    assert ana.client.post("/logout", files={"csrf": own.encode()}).status_code == 415
    assert ana.client.post("/logout", data={"csrf": "x" * MOST_BODY}).status_code == 413
    assert ana.client.post("/logout", content=iter([b"csrf=1"])).status_code == 411
    assert ana.client.put("/logout").status_code == 405


def test_pages_hold_no_script_style_or_address_of_their_own(ana: r.Browser) -> None:
    ana.decide("d0", kind="accepted")
    for path in [*PAGES, "/leads?decided=all", "/finding/nampo/d1"]:
        page = ana.get(path).text
        assert " style=" not in page
        assert "<style" not in page
        assert page.count("<script") == len(
            re.findall(r'<script src="/static/[a-z]+\.js" defer></script>', page)
        )
        assert " onclick" not in page
        assert "http://" not in page.replace("http://www.w3.org", "")
        assert "https://" not in page


def test_the_map_holds_no_script_style_or_address_of_its_own_either(ana: r.Browser) -> None:
    page = ana.get("/map").text
    assert page.count("<script") == page.count("<script src=") == 2
    assert " style=" not in page and "<style" not in page and " onclick" not in page
    assert "http://" not in page and "https://" not in page


def test_another_name_for_this_machine_is_not_answered(ana: r.Browser) -> None:
    refused = ana.get("/", headers={"host": "evil.example"})
    assert refused.status_code == 400
    assert "content-security-policy" in refused.headers
    named = r.Browser(r.desk(ana.desk.store, allowed_hosts=("desk.example",)))
    assert named.get("/", headers={"host": "desk.example"}).status_code == 303


def test_a_viewer_reads_and_decides_nothing(browser: r.Browser) -> None:
    browser.log_in("vic")
    page = browser.get("/finding/nampo/d0").text
    assert "/decide" not in page
    assert "Analysts decide; you read." in page
    csrf = r.tokens(page)["csrf"]
    refused = browser.post("/finding/nampo/d0/decide", {"csrf": csrf, "kind": "accepted", "after": "0"})
    assert refused.status_code == 403
    assert browser.post("/undo", {"csrf": csrf, "seq": "1"}).status_code == 403
    assert browser.get("/people").status_code == 403


def test_an_analyst_keeps_no_list_of_people_and_an_admin_does(ana: r.Browser, store: Store) -> None:
    csrf = r.tokens(ana.get("/log").text)["csrf"]
    new = {"name": "new", "role": "admin", "password": r.PASSWORD}
    assert ana.post("/people/add", {"csrf": csrf, **new}).status_code == 403
    ada = r.Browser(ana.desk, app=ana.app)
    ada.log_in("ada")
    csrf = r.tokens(ada.get("/people").text)["csrf"]
    assert ada.post("/people/add", {"csrf": csrf, **new}).status_code == 303
    assert ada.post("/people/add", {"csrf": csrf, **new}).status_code == 400, "a name is nobody else's"
    assert ada.post("/people/add", {"csrf": csrf, **new, "name": "../x"}).status_code == 400
    assert ada.post("/people/disable", {"csrf": csrf, "name": "new"}).status_code == 303
    refused = ada.post("/people/disable", {"csrf": csrf, "name": "ada"})
    assert "last admin" in refused.text
    assert {p.name: p.disabled for p in People(store).all()}["new"]


def test_open_lets_this_machine_read_and_nothing_more(store: Store) -> None:
    browser = r.Browser(r.desk(store, open=True))
    for path in PAGES:
        assert browser.get(path).status_code == 200
    assert r.path_of(browser.get("/people")) == "/login"
    assert r.path_of(browser.post("/finding/nampo/d0/decide", {"csrf": "x"})) == "/login"
    assert r.Browser(browser.desk, "192.168.1.7", browser.app).get("/").status_code == 303
    with pytest.raises(UsageError, match="--open"):
        review_app(r.desk(store, open=True, host="0.0.0.0"))  # noqa: S104
    with pytest.raises(UsageError, match="--allowed-host"):
        review_app(r.desk(store, open=True, allowed_hosts=("review.example",)))


def test_an_address_with_a_value_that_cannot_be_read_is_a_page_and_no_trace(ana: r.Browser) -> None:
    answer = ana.get("/leads?page=x")
    assert answer.status_code == 422 and "cannot be read" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def set_up(browser: r.Browser, token: str, **changes: str) -> int:
    csrf = r.tokens(browser.get("/setup").text).get("csrf", "")
    given = {"csrf": csrf, "token": token, "name": "ada", "password": r.PASSWORD, "again": r.PASSWORD}
    return browser.post("/setup", {**given, **changes}).status_code


def test_the_first_admin_needs_the_token_of_the_terminal_once(bare: Store) -> None:
    browser = r.Browser(r.desk(bare, setup_token="the-token"))  # noqa: S106
    assert r.path_of(browser.get("/login")) == "/setup"
    assert set_up(browser, "wrong") == 403
    assert set_up(browser, "the-token", again="other password") == 400
    assert set_up(browser, "the-token", password="short", again="short") == 400  # noqa: S106
    assert not People(bare).any()
    assert set_up(browser, "the-token") == 303
    assert browser.get("/people").status_code == 200, "logged in at once"
    second = r.Browser(browser.desk, app=browser.app)
    assert r.path_of(second.get("/setup")) == "/login"
    csrf = r.tokens(second.get("/login").text)["csrf"]
    given = {"csrf": csrf, "token": "the-token", "name": "eve", "password": r.PASSWORD, "again": r.PASSWORD}
    assert r.path_of(second.post("/setup", given)) == "/login"
    assert [person.name for person in People(bare).all()] == ["ada"]


def test_the_setup_page_is_for_this_machine_and_guessing_ends(bare: Store) -> None:
    desk = r.desk(bare, setup_token="the-token")  # noqa: S106
    far = r.Browser(desk, "192.168.1.7")
    assert far.get("/setup").status_code == 403
    near = r.Browser(desk, app=far.app)
    assert [set_up(near, f"guess{n}") for n in range(6)] == [403] * 5 + [429]
    assert set_up(near, "the-token") == 429


def test_without_a_token_nobody_is_set_up(bare: Store) -> None:
    browser = r.Browser(r.desk(bare))
    assert browser.get("/setup").status_code == 403
    assert set_up(browser, "") == 403
    assert not People(bare).any()


@pytest.mark.parametrize(
    "path",
    [
        "/chip/nampo/../../store.sqlite",
        "/chip/nampo/..%2f..%2f/d0.webp",
        "/chip/%2e%2e/%2e%2e/%2e%2e%2fetc%2fpasswd.webp",
        "/chip/nampo/' OR 1=1 --/d0.webp",
        "/chip/other/nampo_s2_20201103T022541/d0.webp",
        "/quicklook/nampo/..%2f..%2fstore.sqlite.webp",
        "/quicklook/nampo/none.webp",
        "/static/..%2f..%2fapp.py",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/finding/nampo/..%2f..%2fx",
        "/vessel/..%2f..%2fx",
        "/vessel/41200000%D9%A1",
    ],
)
def test_no_path_leads_out_of_the_pictures(ana: r.Browser, path: str) -> None:
    answer = ana.get(path)
    assert answer.status_code == 404
    assert "SQLite" not in answer.text
    assert "def " not in answer.text
