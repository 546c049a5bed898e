"""Passwords as Argon2id (RFC 9106), checked by few at a time: each check takes 64 MiB."""

from __future__ import annotations

import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from roadstead.errors import UsageError

SHORTEST, LONGEST = 10, 200
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
