"""Checking a name and a password: counted before it is hashed, hashed once for many at a time, remembered a while."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from cachetools import TTLCache

from roadstead.apps.desk.login.security import Guess, Limiter
from roadstead.store import fits

REMEMBERED_S = 300
"""A password that fitted is not hashed anew for so long: a client sends it with every page, and a hash takes a
quarter of a second and 64 MiB on purpose."""


@dataclass(frozen=True)
class Checked:
    """What a check of a password found."""

    right: bool
    wait_s: int = 0
    """For how many seconds no try is taken, where this one was not looked at; else 0."""


@dataclass(frozen=True)
class LogIn:
    """A name and a password, as somebody gives them."""

    name: str
    password: str
    address: str


class PasswordCheck:
    """Checks passwords of a desk; keeps keyed digests of those that fitted, and no password."""

    def __init__(self, key: bytes, limiter: Limiter, hash_of: Callable[[str], str | None]) -> None:
        """Take the secret of the desk, what counts guesses, and what gives the hash of a name."""
        self._key, self._limiter, self._hash_of = key, limiter, hash_of
        self._fitted: TTLCache[bytes, bool] = TTLCache(maxsize=1000, ttl=REMEMBERED_S)
        self._under_way: dict[bytes, Future[bool]] = {}
        self._lock = threading.Lock()

    def check(self, given: LogIn, now: datetime) -> Checked:
        """Check a name and a password; a new password, or a person shut out, counts at once.

        The same name and password at once, as a client with several connections sends them, are one guess.

        Raises:
            BusyError: too many passwords are checked already.
        """
        kept = self._hash_of(given.name)
        mark = self._mark(given, kept)
        with self._lock:
            ahead = self._under_way.get(mark)
            if ahead is None:
                begun = self._begun(given, mark, now, kept is not None)
        if ahead is not None:
            return Checked(ahead.result())
        return begun if isinstance(begun, Checked) else self._hashed(given.password, kept, mark, begun)

    def _begun(self, given: LogIn, mark: bytes, now: datetime, is_known: bool) -> Guess | Checked:
        """Return the guess that is to be hashed, or what is found without."""
        wait = self._limiter.wait_s(given.name, given.address, now)
        if wait:
            return Checked(False, wait)
        if is_known and mark in self._fitted:
            return Checked(True)
        guess = self._limiter.reserve(given.name, given.address, now)
        if isinstance(guess, int):
            return Checked(False, guess)
        self._under_way[mark] = Future()
        return guess

    def _hashed(self, password: str, kept: str | None, mark: bytes, guess: Guess) -> Checked:
        try:
            right = fits(password, kept)
        except BaseException as error:
            self._limiter.forget(guess)
            self._ended(mark).set_exception(error)
            raise
        if right:
            self._limiter.succeeded(guess)
        else:
            self._limiter.failed(guess)
        self._ended(mark, right).set_result(right)
        return Checked(right)

    def _ended(self, mark: bytes, right: bool = False) -> Future[bool]:
        with self._lock:
            if right:
                self._fitted[mark] = True
            return self._under_way.pop(mark)

    def _mark(self, given: LogIn, kept: str | None) -> bytes:
        told = "\0".join((given.name.strip().lower(), given.password, kept or "")).encode()
        return hmac.new(self._key, b"basic:" + told, hashlib.sha256).digest()
