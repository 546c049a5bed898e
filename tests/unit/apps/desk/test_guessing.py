"""Guessing at passwords: many at once are no more than many in a row, and they do not stop the desk."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from roadstead.apps.desk import ReviewServer, review_app
from roadstead.apps.desk.login import password_check
from roadstead.apps.desk.login.password_check import Checked, LogIn, PasswordCheck
from roadstead.apps.desk.login.security import Guess, Limiter
from roadstead.core.errors import BusyError
from roadstead.core.turnstile import Turnstile
from roadstead.store import Store, people
from tests.unit.apps.desk import builders as r

ADDRESS = "192.0.2.7"


@contextmanager
def served(desk: Any) -> Iterator[str]:
    server = ReviewServer(review_app(desk), "127.0.0.1", 0)
    server.start()
    try:
        yield server.address
    finally:
        server.stop()


def checks(limiter: Limiter | None = None) -> PasswordCheck:
    """Return a check of a desk that knows Ana alone."""
    return PasswordCheck(b"k", limiter or Limiter(), {"ana": r.password_hash()}.get)


def check(one: PasswordCheck, password: str, name: str = "ana", address: str = ADDRESS) -> Checked:
    return one.check(LogIn(name, password, address), r.NOW)


def test_of_sixty_guesses_at_once_five_are_looked_at_and_the_right_one_does_not_get_in(store: Store) -> None:
    with served(r.desk(store)) as address, httpx2.Client(base_url=address) as client:
        csrf = r.tokens(client.get("/login").text)["csrf"]

        def guess(index: int) -> int:
            password = r.PASSWORD if index == 30 else f"guess {index} of many"
            form = {"csrf": csrf, "name": "ana", "password": password}
            return client.post("/login", data=form, headers={"origin": address}).status_code

        with ThreadPoolExecutor(12) as many:
            answers = list(many.map(guess, range(60)))
    assert sorted(set(answers)) == [401, 429]
    assert answers.count(401) == 5, "no more than one after the other"


def test_a_guess_counts_while_it_is_looked_at() -> None:
    limiter = Limiter(per_name=2)
    first, second = (limiter.reserve("ana", ADDRESS, r.NOW) for _ in range(2))
    assert isinstance(first, Guess) and isinstance(second, Guess)
    assert limiter.reserve("ANA ", "192.0.2.8", r.NOW) == 900
    limiter.forget(first)
    assert limiter.wait_s("ana", ADDRESS, r.NOW) == 0, "it was not looked at after all"


def test_whoever_gets_in_forgives_what_failed_and_not_what_is_still_looked_at() -> None:
    limiter = Limiter(per_name=3)
    failed, pending, right = (limiter.reserve("ana", ADDRESS, r.NOW) for _ in range(3))
    assert isinstance(failed, Guess) and isinstance(pending, Guess) and isinstance(right, Guess)
    limiter.failed(failed)
    limiter.succeeded(right)
    assert isinstance(limiter.reserve("ana", ADDRESS, r.NOW), Guess)
    assert isinstance(limiter.reserve("ana", ADDRESS, r.NOW), Guess)
    assert limiter.reserve("ana", ADDRESS, r.NOW) == 900, "two new ones and that under way"


def test_failures_of_an_address_stay_when_one_of_its_names_gets_in() -> None:
    limiter = Limiter(per_address=2)
    failed, right = (limiter.reserve(name, ADDRESS, r.NOW) for name in ("eve", "ana"))
    assert isinstance(failed, Guess) and isinstance(right, Guess)
    limiter.failed(failed)
    limiter.succeeded(right)
    assert isinstance(limiter.reserve("eve", ADDRESS, r.NOW), Guess)
    assert limiter.reserve("ana", ADDRESS, r.NOW) == 900
    assert limiter.wait_s("ana", ADDRESS, r.NOW + timedelta(minutes=15)) == 0


def test_all_addresses_of_one_ipv6_network_count_as_one() -> None:
    limiter = Limiter(per_address=2)
    for end in ("1", "ffff:1"):
        assert isinstance(limiter.reserve(f"name{end}", f"2001:db8::{end}", r.NOW), Guess)
    assert limiter.reserve("ana", "2001:db8::7", r.NOW) == 900
    assert limiter.wait_s("ana", "2001:db8:0:1::7", r.NOW) == 0, "another network"


def test_a_client_that_sends_one_password_over_many_connections_is_one_guess_and_one_hash(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """QGIS asks over six connections at once, with the password in each."""
    hashed, all_sent = [], threading.Event()

    def slow(password: str, kept: str | None) -> bool:
        hashed.append(password)
        assert all_sent.wait(10)
        return people.fits(password, kept)

    monkeypatch.setattr(password_check, "fits", slow)
    one = checks(Limiter(per_name=1))
    with ThreadPoolExecutor(8) as many:
        sent = [many.submit(check, one, r.PASSWORD) for _ in range(8)]
        while not hashed:
            time.sleep(0.01)
        all_sent.set()
        assert {one.result() for one in sent} == {Checked(True)}
    assert hashed == [r.PASSWORD], "and remembered"


def test_a_password_that_fitted_is_no_way_around_the_limit() -> None:
    """Else the one guess that is answered while a name waits would tell that it is right."""
    one = checks(Limiter(per_name=2))
    assert check(one, r.PASSWORD).right
    assert [check(one, f"guess {n}").wait_s for n in range(3)] == [0, 0, 900]
    assert check(one, r.PASSWORD) == Checked(False, 900)


def test_a_guess_that_finds_no_place_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    one = checks(Limiter(per_name=1))
    monkeypatch.setattr(people, "_FEW", Turnstile("passwords are checked", at_once=0, waiting=0))
    for _ in range(3):
        with pytest.raises(BusyError, match="too many passwords are checked at once: try again"):
            check(one, "wrong")
    monkeypatch.undo()
    assert check(one, r.PASSWORD) == Checked(True)


def test_passwords_are_checked_two_at_a_time_and_ten_threads_wait_at_most() -> None:
    turnstile, inside, most = Turnstile("guesses", 2, 8), 0, 0
    lock, go = threading.Lock(), threading.Event()

    def work(_: int) -> str:
        nonlocal inside, most
        try:
            with turnstile.turn():
                with lock:
                    inside += 1
                    most = max(most, inside)
                assert go.wait(10)
                with lock:
                    inside -= 1
                return "done"
        except BusyError:
            done = "busy"
        return done

    with ThreadPoolExecutor(20) as many:
        running = [many.submit(work, n) for n in range(20)]
        while sum(one.done() for one in running) < 10:
            time.sleep(0.01)
        go.set()
        answers = [one.result() for one in running]
    assert (answers.count("done"), answers.count("busy"), most) == (10, 10, 2)


def test_a_desk_with_too_much_to_do_says_when_to_come_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "_FEW", Turnstile("passwords are checked", at_once=0, waiting=0))
    browser = r.Browser(r.desk(store))
    answer = browser.log_in("ana")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Too much at once" in answer.text and "try again in a few seconds" in answer.text
    basic = browser.client.get("/ogc/collections", auth=("ana", r.PASSWORD))
    assert (basic.status_code, basic.headers["retry-after"]) == (503, "5")
