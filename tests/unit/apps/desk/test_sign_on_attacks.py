"""A provider that lies, answers without end, or is mixed up with another; and browsers that somebody else steers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from roadstead.apps.desk.login.openid import Client
from roadstead.apps.desk.login.openid import Provider as Named
from roadstead.apps.desk.login.openid_answers import Exchanges, TooManyError
from roadstead.core.errors import LogInError, UpstreamError, UsageError
from roadstead.store import People, Store
from roadstead.store.people import SESSION
from tests.unit.apps.desk import builders as r
from tests.unit.apps.desk import provider as p
from tests.unit.apps.desk.test_sign_on import away, fault, log_in

ABOUT, TOKEN, JWKS = "/.well-known/openid-configuration", "/token", "/jwks"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return a store with people and nothing to look at."""
    with Store.open(f"sqlite:///{tmp_path / 'people.sqlite'}") as opened:
        r.people(opened, {"ana": "analyst", "kim": "admin"})
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
    """Return a browser at a desk that gives the provider a second for each answer."""
    client = Client(named, Exchanges(within_s=1.0))
    return r.Browser(r.desk(store, clock=clock, log_in=client))


def deep(_: int = 0) -> Response:
    return Response("[" * 100_000, media_type="application/json")


async def dripped() -> AsyncIterator[bytes]:
    for _ in range(60):
        yield b" "
        await asyncio.sleep(0.05)


async def endless() -> AsyncIterator[bytes]:
    for _ in range(100):
        yield b" " * 1_000_000
        await asyncio.sleep(0)


ANSWERS = {
    "drips": lambda: StreamingResponse(dripped()),
    "is endless": lambda: StreamingResponse(endless()),
    "is packed": lambda: Response(b"x", headers={"content-encoding": "gzip"}),
    "is nested without end": deep,
    "is a list": lambda: JSONResponse([1]),
    "is a number": lambda: JSONResponse(1),
    "is null": lambda: JSONResponse(None),
    "is no JSON": lambda: Response("<html>", media_type="text/html"),
    "is empty": lambda: Response(""),
    "leads elsewhere": lambda: RedirectResponse("http://127.0.0.1:1/keys", 307),
}


@pytest.mark.parametrize("path", [ABOUT, TOKEN, JWKS])
@pytest.mark.parametrize("how", ANSWERS)
def test_an_answer_that_is_none_lets_nobody_in_and_ends_in_time(
    browser: r.Browser, provider: p.Provider, path: str, how: str
) -> None:
    provider.instead[path] = ANSWERS[how]
    began = time.monotonic()
    answer = browser.get("/login/oidc")
    answer = answer if answer.status_code != 303 else browser.get(away(browser))
    assert answer.status_code in (403, 503)
    assert fault(answer).startswith("No log-in through the harbour office: ")
    assert time.monotonic() - began < 10
    assert browser.get("/leads").status_code == 303, "nobody is logged in"


def test_a_redirect_is_not_followed_wherever_it_leads(browser: r.Browser, provider: p.Provider) -> None:
    provider.instead[JWKS] = lambda: RedirectResponse("/other-keys", 302)
    assert log_in(browser).status_code == 503
    assert "/other-keys" not in provider.asked


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:4200", "localhost", "[::1]", "169.254.169.254", "0.0.0.0", "desk.localhost"],  # noqa: S104
)
def test_a_provider_elsewhere_sends_us_to_nothing_of_this_machine(name: str, host: str) -> None:
    """Prefect's pages, which have no log-in, are on this machine; a cloud's secrets are on 169.254.169.254."""
    issuer = "https://id.example"
    about = {key: f"{issuer}/x" for key in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    client = Client(Named(issuer, p.CLIENT, label="id.example"))
    url = issuer + ABOUT
    client._documents[url] = (time.monotonic(), {"issuer": issuer, **about, name: f"https://{host}/x"})
    with pytest.raises(UpstreamError, match=f"names a {name} on this machine"):
        client.address("https://desk.example/back", "s", "n", "v" * 43)


def test_a_provider_may_have_other_hosts_of_its_own() -> None:
    """As Google has."""
    issuer = "https://id.example"
    about = {
        key: f"https://{key}.example/" for key in ("authorization_endpoint", "token_endpoint", "jwks_uri")
    }
    client = Client(Named(issuer, p.CLIENT))
    client._documents[issuer + ABOUT] = (time.monotonic(), {"issuer": issuer, **about})
    assert client.address("https://desk.example/back", "s", "n", "v" * 43).startswith("https://authorization")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [p.CLIENT, "another"], "azp": p.CLIENT},
        {"aud": [p.CLIENT, "another"]},
        {"aud": ["another"], "azp": p.CLIENT},
        {"aud": p.CLIENT, "azp": "another"},
        {"aud": []},
        {"aud": {p.CLIENT: 1}},
        {"aud": p.CLIENT.upper()},
        {"aud": p.CLIENT + " "},
    ],
)
def test_a_token_that_others_could_hold_too_is_refused(
    browser: r.Browser, provider: p.Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    assert log_in(browser).status_code == 403


def test_a_token_for_us_alone_is_taken_as_a_list_too(browser: r.Browser, provider: p.Provider) -> None:
    provider.claims = {"aud": [p.CLIENT], "azp": p.CLIENT}
    assert log_in(browser).headers["location"] == "/"


STRANGE = (None, True, -1, 0, 2**70, 1e400, "soon", "", [], {}, [[]], {"a": 1}, "\u0000", "\ud800")


@pytest.mark.parametrize(
    "claim", ["iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "at_hash", "azp", "amr"]
)
def test_no_strange_value_of_a_claim_is_a_fault_of_ours(claim: str) -> None:
    client = Client(Named("https://id.example", p.CLIENT))
    now, there = int(r.NOW.timestamp()), "https://id.example/x"
    about = {key: there for key in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    client._documents["https://id.example" + ABOUT] = (
        time.monotonic(),
        {"issuer": "https://id.example", **about},
    )
    client._documents[there] = time.monotonic(), {"keys": [p.signing_key().as_dict(private=False)]}
    right = {
        "iss": "https://id.example", "sub": "1", "aud": p.CLIENT, "iat": now, "exp": now + 60, "nonce": "n",
    }  # fmt: skip
    for value in STRANGE:
        token = {"access_token": "a", "id_token": p.signed({**right, claim: value}, p.signing_key())}
        try:
            client._claims(token, "n", r.NOW)
        except LogInError as error:
            assert "the ID token" in str(error)
        else:
            assert claim not in ("iss", "aud", "nonce"), f"{claim} {value!r} was taken"


@pytest.mark.parametrize(
    ("claims", "taken"),
    [
        ({"exp": int(r.NOW.timestamp()) - 59}, True),
        ({"exp": int(r.NOW.timestamp()) - 61}, False),
        ({"nbf": int(r.NOW.timestamp()) + 59}, True),
        ({"nbf": int(r.NOW.timestamp()) + 120}, False),
        ({"iat": int(r.NOW.timestamp()) + 120}, False),
        ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, False),
        ({"nonce": ""}, False),
    ],
)
def test_times_hold_but_for_a_minute_between_clocks(
    browser: r.Browser, provider: p.Provider, claims: dict[str, Any], taken: bool
) -> None:
    provider.claims = claims
    assert (log_in(browser).status_code == 303) is taken


@pytest.mark.parametrize("sign", [p.by_a_key_in_its_head, p.with_critical_words])
def test_a_token_that_says_itself_how_it_is_to_be_read_is_refused(
    browser: r.Browser, provider: p.Provider, sign: Any
) -> None:
    provider.sign = sign
    assert log_in(browser).status_code == 403


def test_a_key_that_cannot_be_read_does_not_spoil_the_others(
    browser: r.Browser, provider: p.Provider
) -> None:
    good = provider.key.as_dict(private=False)
    broken = [
        {"kty": "RSA", "kid": "a"},
        {"kty": "EC", "crv": "P-0", "x": 1, "y": []},
        {"kty": "OKP"},
        "x",
        None,
    ]
    provider.instead[JWKS] = lambda: JSONResponse({"keys": [*broken, good]})
    assert log_in(browser).headers["location"] == "/"


def test_a_key_that_the_provider_took_back_signs_nobody_in_once_its_keys_are_read_anew(
    browser: r.Browser, provider: p.Provider
) -> None:
    log_in(browser)
    old, provider.key = provider.key, p.signing_key("two")
    log_in(r.Browser(browser.desk, app=browser.app))
    provider.sign = lambda claims: p.signed(claims, old)
    assert log_in(r.Browser(browser.desk, app=browser.app)).status_code == 403


@pytest.mark.parametrize("given", ["&code=mine", "&state=mine", "&iss=https%3A%2F%2Fid.example"])
def test_an_answer_that_says_something_twice_is_refused(browser: r.Browser, given: str) -> None:
    assert "says something twice" in fault(browser.get(away(browser) + given))


def test_an_answer_of_another_provider_is_refused(browser: r.Browser, provider: p.Provider) -> None:
    provider.names_itself = False
    path = away(browser)
    assert "is from another issuer" in fault(browser.get(path + "&iss=https%3A%2F%2Fevil.example"))


def test_a_provider_that_names_itself_in_its_answers_must_do_so(
    browser: r.Browser, provider: p.Provider
) -> None:
    """RFC 9207: else whoever mixes in another one's answer leaves the name out."""
    provider.names_itself = False
    assert log_in(browser).headers["location"] == "/", "this one does not say that it does"
    provider.document = {"authorization_response_iss_parameter_supported": True}
    client = Client(replace(browser.desk.log_in.provider), Exchanges())  # type: ignore[union-attr]
    other = r.Browser(replace(browser.desk, log_in=client))
    assert "does not say its issuer" in fault(log_in(other))


@pytest.mark.parametrize(
    "name", ["\u212aim", "kim\u200b", "ｋim", "kim\u0000", "\ud800", " kim", "kim ", "kim@harbour.example"]
)
def test_a_name_that_only_looks_like_one_of_ours_is_not_taken_for_it(
    browser: r.Browser, provider: p.Provider, name: str
) -> None:
    """The Kelvin sign is a k in lower case; whoever may choose a name at the provider could be an admin here."""
    provider.claims = {"preferred_username": name}
    assert log_in(browser).status_code == 403


def test_an_address_that_the_provider_says_it_did_not_check_is_not_taken_from_any_claim(
    store: Store, clock: r.Clock, named: Named, provider: p.Provider
) -> None:
    client = Client(replace(named, domain="harbour.example"))
    browser = r.Browser(r.desk(store, clock=clock, log_in=client))
    provider.claims = {"preferred_username": "ana@harbour.example", "email_verified": False}
    assert "has not checked" in fault(log_in(browser))
    provider.claims = {"preferred_username": "ana@harbour.example"}
    assert log_in(browser).status_code == 303


def test_a_session_of_before_ends_with_the_log_in_and_a_planted_one_is_not_taken_over(
    browser: r.Browser, provider: p.Provider
) -> None:
    log_in(browser)
    planted = browser.client.cookies["roadstead_session"]
    provider.person = "kim"
    log_in(browser)
    assert browser.client.cookies["roadstead_session"] != planted
    thief = r.Browser(browser.desk, "10.0.0.9", browser.app)
    thief.client.cookies.set("roadstead_session", planted)
    assert thief.get("/leads").status_code == 303, "neither Kim nor Ana"


def test_logging_out_ends_the_session_at_the_desk(browser: r.Browser, store: Store) -> None:
    log_in(browser)
    kept = browser.client.cookies["roadstead_session"]
    csrf = r.tokens(browser.get("/leads").text)["csrf"]
    assert browser.post("/logout", {"csrf": csrf}).status_code == 303
    browser.client.cookies.set("roadstead_session", kept)
    assert browser.get("/leads").status_code == 303
    assert [person.name for person in People(store).all()] == ["ana", "kim"]


def test_many_who_wait_for_a_slow_provider_are_few_and_the_others_hear_so_at_once() -> None:
    exchanges, go = Exchanges(within_s=0.1, at_once=2), threading.Event()

    def ask(_: int) -> str:
        try:
            exchanges.run(go.wait)
        except TooManyError:
            return "too many"
        except requests.RequestException:
            return "too slow"
        return "answered"

    with ThreadPoolExecutor(6) as many:
        assert sorted(many.map(ask, range(6))) == ["too many"] * 4 + ["too slow"] * 2
    go.set()
    until = time.monotonic() + 5
    while ask(0) == "too many" and time.monotonic() < until:
        time.sleep(0.01)
    assert ask(0) == "answered", "places of those that came to an end are free again"


def test_whoever_cannot_be_asked_because_many_do_is_told_so(named: Named) -> None:
    busy = Exchanges(at_once=1)
    assert busy._places.acquire()
    with pytest.raises(UpstreamError, match="is asked by many at once: try again in a moment"):
        Client(named, busy).address("https://desk.example/back", "s", "n", "v" * 43)


# Whose account it is --------------------------------------------------------------------------------------


def test_a_second_account_of_the_same_name_gets_in_as_nobody(
    browser: r.Browser, provider: p.Provider
) -> None:
    """Whoever leaves may leave a name that the provider gives to somebody else."""
    assert log_in(browser).headers["location"] == "/"
    browser.post("/logout", {})
    provider.claims = {"sub": "somebody else's"}
    answer = log_in(browser)
    assert answer.status_code == 403
    assert "'ana' logs in with another account" in fault(answer)
    assert "roadstead review untie-user ana" in fault(answer)
    provider.claims = {}
    assert log_in(browser).headers["location"] == "/", "the first account still gets in"


def test_an_account_whose_name_changes_stays_the_person_that_it_was(
    browser: r.Browser, provider: p.Provider, store: Store
) -> None:
    assert log_in(browser).headers["location"] == "/"
    browser.post("/logout", {})
    provider.claims = {"sub": "id of ana", "preferred_username": "kim"}
    assert log_in(browser).headers["location"] == "/"
    assert store_sessions(store) == {"ana"}, "the name of an admin makes no admin of an analyst"


def test_the_same_subject_of_another_issuer_is_another_account(store: Store) -> None:
    people = People(store)
    people.of_account("https://id.example", "1", "ana")
    with pytest.raises(LogInError, match="another account"):
        people.of_account("https://id.other", "1", "ana")
    assert people.of_account("https://id.other", "1", "kim").name == "kim"


def test_an_account_of_somebody_shut_out_gets_in_under_no_name(store: Store) -> None:
    people = People(store)
    people.of_account("https://id.example", "1", "ana")
    people.disable("ana")
    for name in ("ana", "kim"):
        with pytest.raises(LogInError, match="may log in no longer"):
            people.of_account("https://id.example", "1", name)


@pytest.mark.parametrize("again", ["untied", "replaced"])
def test_an_admin_lets_another_account_in_by_forgetting_the_first(store: Store, again: str) -> None:
    people = People(store)
    people.of_account("https://id.example", "1", "ana")
    people.start_session("ana", "t", r.NOW, r.NOW + timedelta(hours=1))
    if again == "untied":
        people.untie("ana")
    else:
        people.add("ana", "viewer", "x", r.NOW, replace=True)
    assert people.of_session("t", r.NOW) is None, "sessions of the first account end"
    assert people.of_account("https://id.example", "2", "ana").name == "ana"
    with pytest.raises(LogInError, match="another account"):
        people.of_account("https://id.example", "1", "ana")


def test_forgetting_what_is_not_tied_is_a_usage_error(store: Store) -> None:
    with pytest.raises(UsageError, match="no account of a provider is tied to 'ana'"):
        People(store).untie("ana")
    with pytest.raises(UsageError, match="there is no user 'eve'"):
        People(store).untie("eve")


@pytest.mark.parametrize("subject", [None, "", 7, ["id"], "x" * 256, "a\u0000", "\u212a"])
def test_a_token_without_a_subject_that_can_be_one_lets_nobody_in(
    browser: r.Browser, provider: p.Provider, subject: object
) -> None:
    provider.claims = {"sub": subject}
    assert log_in(browser).status_code == 403


def store_sessions(store: Store) -> set[str]:
    """Return who has a session."""
    with store.transaction(writes=False) as connection:
        return set(connection.scalars(select(SESSION.c.user_name)))
