"""Permanent ids of released findings: random, with a check letter."""

from __future__ import annotations

import secrets

from roadstead.core.errors import UsageError

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Of a permanent id: 31, a prime, without those that look like others."""
RANDOM_LETTERS = 6


def check_letter(year: int, letters: str) -> str:
    """Return the letter that makes the weighted sum of year and letters 0 modulo 31.

    One wrong letter or digit, or two neighbouring letters exchanged, give another sum: 31 is a prime and the weights
    differ (ISO/IEC 7064 pure systems work alike).
    """
    total = year * (len(letters) + 2)
    total += sum(LETTERS.index(c) * (at + 2) for at, c in enumerate(reversed(letters)))
    return LETTERS[-total % len(LETTERS)]


def plain_id(text: str) -> str:
    """Return a permanent id as it is stored.

    Raises:
        UsageError: it is none, or its last letter does not fit the rest.
    """
    parts = text.strip().upper().split("-")
    if len(parts) != 3 or parts[0] != "RS" or not (parts[1].isascii() and parts[1].isdigit()):
        raise UsageError(f"{text[:40]!r} is no permanent id; one looks like RS-2026-7K3QF2M")
    letters = parts[2]
    if len(parts[1]) != 4 or len(letters) != RANDOM_LETTERS + 1 or set(letters) - set(LETTERS):
        raise UsageError(f"{text[:40]!r} is no permanent id; one looks like RS-2026-7K3QF2M")
    if check_letter(int(parts[1]), letters[:-1]) != letters[-1]:
        raise UsageError(f"{text[:40]}: its last letter does not fit the rest; it was mistyped somewhere")
    return "-".join(parts)


def new_id(year: int) -> str:
    """Return a random permanent id, e.g. ``RS-2026-7K3QF2M``: 31^6 a year, and a check letter."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(RANDOM_LETTERS))
    return f"RS-{year:04d}-{letters}{check_letter(year, letters)}"
