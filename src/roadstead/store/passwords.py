"""Passwords as Argon2id (RFC 9106), checked by few at a time: each check takes 64 MiB."""

from __future__ import annotations

import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from roadstead.core.errors import UsageError
from roadstead.core.turnstile import Turnstile

SHORTEST, LONGEST = 10, 200
AT_ONCE, WAITING = 2, 8
"""Checks at once, 128 MiB in all, and threads that wait for one."""
_HASHER = PasswordHasher()
_FEW = Turnstile("passwords are checked", AT_ONCE, WAITING)


def hashed(password: str) -> str:
    """Return the hash to keep.

    Raises:
        UsageError: the password is too short or too long.
        BusyError: too many passwords are checked already.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(f"the password has {len(password)} characters: give {SHORTEST} to {LONGEST}")
    with _FEW.turn():
        return _HASHER.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether a password is the one kept; takes as long where none is kept.

    Raises:
        BusyError: too many passwords are checked already.
    """
    if len(password) > LONGEST:
        return False
    with _FEW.turn():
        try:
            return _HASHER.verify(kept or _nobody(), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobody() -> str:
    """Return a hash of nobody's password, checked where there is no such user."""
    return _HASHER.hash(secrets.token_urlsafe())
