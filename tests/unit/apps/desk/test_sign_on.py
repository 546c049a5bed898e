"""Logging in through a provider of OpenID Connect that runs on loopback."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from httpx2 import Response

from roadstead.apps.desk.login.openid import Client, client_of
from roadstead.apps.desk.login.openid import Provider as Named
from roadstead.core.errors import BadInputError, UsageError
from roadstead.core.settings import Settings
from roadstead.store import People, Store
from tests.integration.serving import free_port
from tests.unit.apps.desk import builders as r
from tests.unit.apps.desk import provider as p


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return a store with four people and nothing to look at: only who gets in matters here."""
    with Store.open(f"sqlite:///{tmp_path / 'people.sqlite'}") as opened:
        r.people(opened)
        yield opened


@pytest.fixture
def clock() -> r.Clock:
    return r.Clock()


@pytest.fixture
def provider(clock: r.Clock) -> Iterator[p.Provider]:
    with p.running(p.Provider(clock)) as running:
        yield running


@pytest.fixture
def named(provider: p.Provider) -> Named:
    return Named(provider.issuer, p.CLIENT, p.SECRET, label="the harbour office")


@pytest.fixture
def browser(store: Store, clock: r.Clock, named: Named) -> r.Browser:
    """Return a browser in which nobody has logged in, at a desk that asks the provider."""
    return r.Browser(r.desk(store, clock=clock, log_in=Client(named)))


def away(browser: r.Browser, then: str = "") -> str:
    """Go to the provider and return the path that it sends the browser back to."""
    left = browser.get("/login/oidc" + (f"?next={then}" if then else ""))
    assert left.status_code == 303, left.text
    answer = httpx2.get(left.headers["location"], follow_redirects=False)
    there = urlsplit(answer.headers["location"])
    assert f"{there.scheme}://{there.netloc}" == str(browser.client.base_url).rstrip("/")
    return f"{there.path}?{there.query}"


def log_in(browser: r.Browser, then: str = "") -> Response:
    return browser.get(away(browser, then))


def fault(answer: Response) -> str:
    """Return what the log-in page says, of an answer that began no session."""
    assert not any(c.startswith("roadstead_session=") for c in answer.headers.get_list("set-cookie"))
    told = re.search(r'role="alert">([^<]*)<', answer.text)
    assert told, answer.text
    return html.unescape(told[1])


def test_whoever_the_store_knows_gets_in_with_the_role_of_the_store(browser: r.Browser) -> None:
    page = browser.get("/login?next=%2Fleads%3Fport%3Dnampo").text
    link = re.search(r'href="(/login/oidc[^"]*)">Log in with the harbour office<', page)
    assert link and 'name="password"' in page, "the local log-in stays"
    answer = log_in(browser, html.unescape(link[1]).split("next=")[1])
    assert (answer.status_code, answer.headers["location"]) == (303, "/leads?port=nampo")
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("roadstead_session="))
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie
    shown = browser.get("/leads").text
    assert re.search(r"<span>ana <small>analyst</small></span>", shown)
    assert browser.get("/people").status_code == 403, "no more than the store's role"


def test_a_claim_of_a_role_gives_none(browser: r.Browser, provider: p.Provider) -> None:
    provider.person, provider.claims = "vic", {"role": "admin", "roles": ["admin"], "groups": ["admin"]}
    log_in(browser)
    assert "vic <small>viewer</small>" in browser.get("/leads").text


def test_pkce_state_and_nonce_are_new_each_time_and_nothing_secret_is_in_the_address(
    browser: r.Browser, provider: p.Provider
) -> None:
    log_in(browser)
    log_in(r.Browser(browser.desk, app=browser.app))
    one, two = provider.sent
    for name in ("state", "nonce", "code_challenge"):
        assert len(one[name]) >= 43 and one[name] != two[name]
    assert "client_secret" not in one and "code_verifier" not in one
    held = " ".join(browser.client.cookies.values())
    assert one["state"] not in held and one["nonce"] not in held


def test_without_the_proof_of_pkce_the_provider_gives_nothing(
    browser: r.Browser, provider: p.Provider
) -> None:
    path = away(browser)
    for asked in provider._codes.values():
        asked["code_challenge"] = "of another browser"
    assert "did not take the code: invalid_grant" in fault(browser.get(path))


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"nonce": "another"}, "belongs to another log-in"),
        ({"nonce": None}, "lacks nonce"),
        ({"aud": "another-application"}, "is for another application"),
        ({"aud": None}, "lacks aud"),
        ({"aud": [p.CLIENT, "another"], "azp": "another"}, "is for another application"),
        ({"iss": "https://elsewhere.example"}, "is from another issuer"),
        ({"iss": None}, "lacks iss"),
        ({"exp": 1}, "has expired"),
        ({"exp": None}, "lacks exp"),
        ({"iat": 2**40}, "iat"),
        ({"preferred_username": None}, "does not say your name"),
        ({"preferred_username": ["ana"]}, "does not say your name"),
        ({"preferred_username": "nobody"}, "nobody of the name 'nobody' is known here"),
        ({"preferred_username": "ana@elsewhere.example"}, "nobody of the name"),
    ],
)
def test_an_id_token_that_does_not_hold_is_refused_in_words(
    browser: r.Browser, provider: p.Provider, claims: dict[str, Any], words: str
) -> None:
    provider.claims = claims
    answer = log_in(browser)
    assert answer.status_code == 403
    assert words in fault(answer) and fault(answer).startswith("No log-in through the harbour office: ")
    assert browser.get("/leads").status_code == 303, "nobody is logged in"


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        (p.unsigned, "is not signed by a key of the provider"),
        (p.by_public_key, "is not signed by a key of the provider"),
        (lambda told: p.signed(told, p.signing_key("two")), "cannot be read"),
        (
            lambda told: p.signed(told, p.RSAKey.generate_key(2048, {"kid": "one"})),
            "a signature that is not the provider's",
        ),
        (lambda _: "no token", "cannot be read"),
    ],
)
def test_an_id_token_that_the_provider_did_not_sign_is_refused(
    browser: r.Browser, provider: p.Provider, sign: Any, words: str
) -> None:
    provider.sign = sign
    answer = log_in(browser)
    assert (answer.status_code, words in fault(answer)) == (403, True), fault(answer)


def test_a_key_that_is_new_at_the_provider_is_asked_for(browser: r.Browser, provider: p.Provider) -> None:
    log_in(browser)
    provider.key = p.signing_key("two")
    assert log_in(r.Browser(browser.desk, app=browser.app)).headers["location"] == "/"
    assert provider.asked.count("/jwks") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1, "kept"


def test_an_answer_is_taken_once(browser: r.Browser, provider: p.Provider) -> None:
    path = away(browser)
    kept = dict(browser.client.cookies)
    assert browser.get(path).status_code == 303
    thief = r.Browser(browser.desk, "10.0.0.9", browser.app)
    thief.client.cookies.update(kept)
    asked = len(provider.asked)
    assert "the answer was used before" in fault(thief.get(path))
    assert len(provider.asked) == asked, "the provider is not even asked"


def test_an_answer_for_another_browser_or_another_state_is_refused(browser: r.Browser) -> None:
    mine = away(browser)
    other = r.Browser(browser.desk, "10.0.0.9", browser.app)
    assert "This browser began no such log-in" in fault(other.get(mine)), (
        "an attacker's own answer, sent as a link"
    )
    away(other)
    assert "belongs to another log-in" in fault(other.get(mine))
    forged = r.Browser(browser.desk, "10.0.0.9", browser.app)
    forged.client.cookies.set("roadstead_away", "W10.forged")
    assert "This browser began no such log-in" in fault(forged.get(mine))


def test_a_cookie_of_ours_with_another_meaning_begins_no_log_in(browser: r.Browser) -> None:
    path = away(browser)
    browser.get("/login")
    form = browser.client.cookies["roadstead_form"]
    browser.client.cookies.clear()
    browser.client.cookies.set("roadstead_away", form)
    assert "This browser began no such log-in" in fault(browser.get(path))


def test_whoever_takes_too_long_begins_anew(browser: r.Browser, clock: r.Clock) -> None:
    path = away(browser)
    clock.pass_by(minutes=11)
    assert "it took too long" in fault(browser.get(path))


def test_who_is_shut_out_does_not_get_in(browser: r.Browser, store: Store) -> None:
    People(store).disable("ana")
    assert "'ana' may log in no longer" in fault(log_in(browser))


def test_who_is_shut_out_later_is_out_at_once(browser: r.Browser, store: Store) -> None:
    log_in(browser)
    assert browser.get("/leads").status_code == 200
    People(store).disable("ana")
    assert browser.get("/leads").status_code == 303


def test_a_refusal_by_the_provider_is_told(browser: r.Browser, provider: p.Provider) -> None:
    provider.refuses = "access_denied<script>"
    answer = log_in(browser)
    assert "the harbour office refused: access_denied<script>" in fault(answer)
    assert "<script>" not in answer.text.replace("<script src", "")


@pytest.mark.parametrize("down", ["/.well-known/openid-configuration", "/token", "/jwks"])
def test_a_provider_out_of_order_is_told_and_the_local_log_in_goes_on(
    browser: r.Browser, provider: p.Provider, down: str
) -> None:
    provider.down = down
    answer = browser.get("/login/oidc")
    answer = answer if answer.status_code != 303 else browser.get(away(browser))
    assert answer.status_code == 503
    assert "does not answer as it should (HTTP 503)" in fault(answer)
    assert browser.log_in("ana").status_code == 303


def test_a_provider_that_is_gone_is_told_and_not_asked_by_every_click(
    store: Store, clock: r.Clock, named: Named
) -> None:
    gone = replace(named, issuer=f"http://127.0.0.1:{free_port()}")
    browser = r.Browser(r.desk(store, clock=clock, log_in=Client(gone)))
    assert "does not answer as it should (ConnectionError)" in fault(browser.get("/login/oidc"))
    assert "did not answer just now" in fault(browser.get("/login/oidc"))
    assert browser.log_in("ana").status_code == 303


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"issuer": "https://elsewhere.example"}, "another name than oidc_issuer"),
        ({"token_endpoint": "http://elsewhere.example/token"}, "names no token_endpoint by https"),
        ({"authorization_endpoint": None}, "names no authorization_endpoint"),
        ({"jwks_uri": "file:///etc/keys"}, "names no jwks_uri"),
    ],
)
def test_a_provider_that_describes_itself_wrongly_is_not_followed(
    browser: r.Browser, provider: p.Provider, document: dict[str, Any], words: str
) -> None:
    provider.document = document
    answer = browser.get("/login/oidc")
    assert (answer.status_code, words in fault(answer)) == (503, True)


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/", "/\\evil.example", "/" + "a" * 3000]
)
def test_nobody_is_led_elsewhere(browser: r.Browser, elsewhere: str) -> None:
    assert log_in(browser, elsewhere).headers["location"] == "/"


def test_failures_count_for_the_address_and_lock_no_name(browser: r.Browser, provider: p.Provider) -> None:
    provider.person = "nobody"
    for _ in range(20):
        assert log_in(browser).status_code == 403
    assert browser.get("/login/oidc").status_code == 429
    assert browser.log_in("ana").status_code == 429, "the same count as that of passwords"
    provider.person = "ana"
    assert log_in(r.Browser(browser.desk, "10.0.0.9", browser.app)).status_code == 303


def test_an_answer_that_nobody_asked_for_locks_nobody_out(browser: r.Browser) -> None:
    """Any page of the web can send a browser to the address, as a picture even."""
    for _ in range(30):
        assert browser.get("/login/oidc/back?code=x&state=y").status_code == 403
    assert browser.log_in("ana").status_code == 303


def test_behind_a_proxy_with_tls_the_way_back_and_the_cookies_are_for_tls(
    store: Store, clock: r.Clock, named: Named
) -> None:
    desk = r.desk(store, clock=clock, log_in=Client(named), allowed_hosts=("desk.example",))
    browser = r.Browser(desk)
    browser.client.base_url = "http://desk.example"  # type: ignore[assignment]
    left = browser.get("/login/oidc")
    asked = parse_qs(urlsplit(left.headers["location"]).query)
    assert asked["redirect_uri"] == ["https://desk.example/login/oidc/back"]
    assert all("Secure" in c for c in left.headers.get_list("set-cookie"))
    there = urlsplit(httpx2.get(left.headers["location"], follow_redirects=False).headers["location"])
    sealed = left.headers["set-cookie"].split(";")[0]
    answer = browser.get(f"{there.path}?{there.query}", headers={"cookie": sealed})
    assert answer.status_code == 303
    assert any("session" in c and "Secure" in c for c in answer.headers.get_list("set-cookie"))


def test_without_settings_there_is_no_such_page_and_no_link(store: Store) -> None:
    browser = r.Browser(r.desk(store))
    assert "oidc" not in browser.get("/login").text
    assert browser.get("/login/oidc").status_code == browser.get("/login/oidc/back").status_code == 404


def test_while_nobody_may_log_in_the_first_admin_comes_first(
    bare: Store, clock: r.Clock, named: Named
) -> None:
    browser = r.Browser(r.desk(bare, clock=clock, log_in=Client(named)))
    assert r.path_of(browser.get("/login/oidc")) == "/setup"


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"email": "Ana@Harbour.Example", "email_verified": True}, None),
        ({"email": "ana@harbour.example", "email_verified": "true"}, "has not checked"),
        ({"email": "ana@harbour.example"}, "has not checked"),
        ({"email": "ana@elsewhere.example", "email_verified": True}, "is no address of harbour.example"),
        ({"email": "ana@elsewhere.example@harbour.example", "email_verified": True}, "nobody of the name"),
        ({"email": "ana", "email_verified": True}, "is no address of harbour.example"),
    ],
)
def test_an_address_of_the_own_domain_stands_for_a_name(
    store: Store,
    clock: r.Clock,
    named: Named,
    provider: p.Provider,
    claims: dict[str, Any],
    words: str | None,
) -> None:
    client = Client(replace(named, name_claim="email", domain="harbour.example"))
    provider.claims = claims
    answer = log_in(r.Browser(r.desk(store, clock=clock, log_in=client)))
    assert (answer.status_code == 303) if words is None else (words in fault(answer))


def test_settings_make_a_client_and_ask_nobody(tmp_path: Path) -> None:
    assert client_of(Settings()) is None
    file = tmp_path / "secret"
    file.write_text("s3cret\n")
    given: dict[str, Any] = {"oidc_issuer": "https://id.example/realm", "oidc_client_id": "desk"}
    client = client_of(Settings(**given, oidc_client_secret_file=file, oidc_domain="@Harbour.example"))
    assert client is not None
    told = client.provider
    assert (told.client_secret, told.label, told.domain) == ("s3cret", "id.example", "harbour.example")
    assert "s3cret" not in repr(told)
    for wrong in (
        {"oidc_issuer": "https://id.example"},
        {"oidc_client_id": "desk"},
        {**given, "oidc_issuer": "http://id.example"},
        {**given, "oidc_issuer": "https://id.example?x=1"},
        {**given, "oidc_issuer": "id.example"},
    ):
        with pytest.raises(UsageError, match="oidc_"):
            client_of(Settings(**wrong))
    file.write_text("\n")
    for path in (file, tmp_path / "absent"):
        with pytest.raises(BadInputError, match=str(path)):
            client_of(Settings(**given, oidc_client_secret_file=path))
