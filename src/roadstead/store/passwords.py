"""Passwords as Argon2id (RFC 9106), checked by few at a time: each check takes 64 MiB."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cachetools import TTLCache

from roadstead.core.errors import UsageError

SHORTEST, LONGEST = 10, 200
REMEMBERED_S = 300
"""A password that fitted is not checked anew for so long: a client sends it with every page, and a check takes a
quarter of a second and 64 MiB on purpose."""
_HASHER = PasswordHasher()
_FEW = threading.Semaphore(2)


def hashed(password: str) -> str:
    """Return the hash to keep.

    Raises:
        UsageError: the password is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(f"the password has {len(password)} characters: give {SHORTEST} to {LONGEST}")
    with _FEW:
        return _HASHER.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether a password is the one kept; takes as long where none is kept."""
    if len(password) > LONGEST:
        return False
    with _FEW:
        try:
            return _HASHER.verify(kept or _nobody(), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobody() -> str:
    """Return a hash of nobody's password, checked where there is no such user."""
    return _HASHER.hash(secrets.token_urlsafe())


class Remembered:
    """Which name and password fitted which hash, as keyed digests of all three; no password is kept."""

    def __init__(self, key: bytes) -> None:
        """Take the secret of the desk."""
        self._key = key
        self._fitted: TTLCache[bytes, bool] = TTLCache(maxsize=1000, ttl=REMEMBERED_S)
        self._lock = threading.Lock()

    def fits(self, name: str, password: str, kept: str | None) -> bool:
        """Whether a password is the one kept; a new password or a person shut out counts at once."""
        told = "\0".join((name, password, kept or "")).encode()
        mark = hmac.new(self._key, b"basic:" + told, hashlib.sha256).digest()
        with self._lock:
            if kept is not None and mark in self._fitted:
                return True
        found = fits(password, kept)
        if found:
            with self._lock:
                self._fitted[mark] = True
        return found
