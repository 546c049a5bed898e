"""Taking identities and exact places out of free text that goes to the outside.

What is known is masked: numbers that could be an MMSI or IMO number, coordinates, and the names and callsigns that the
store holds. A name that the store does not hold, or that is described rather than said, passes: a person reads the text
before it is released.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from roadstead.core.wording import plain_text

MASK = "[withheld]"
SHORTEST_NAME = 3
"""Letters and digits of a name that is looked for; shorter ones are in every text."""
MOST_WORDS = 20
"""An AIS name has 20 characters (ITU-R M.1371), so no more words than that."""
_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?![\d\-])")
_PLACE = re.compile(
    r"[+\-−]?\d{1,3}\s*(?:°|º|deg\b|degrees?\b)\s*\d+(?:[.,]\d+)?(?:\s*['’′m]\s*(?:\d+(?:[.,]\d+)?\s*[\"”″s]?)?)?"
    r"|[+\-−]?\d{1,3}[.,]\d{3,}",
    re.IGNORECASE,
)
"""Degrees with minutes, or with three decimals (a hundred metres) or more."""
_NUMBER = re.compile(r"\d(?:[^\w\n]{0,2}\d){6,}")
"""Seven digits or more, whatever single marks stand between them."""
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Known:
    """Names that must not pass, without spaces, marks and accents, in one case."""

    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: Iterable[str | None]) -> Known:
        """Take names, callsigns and numbers as they are declared."""
        squeezed = {_squeezed(name) for name in names if name}
        return cls(frozenset(name for name in squeezed if len(name) >= SHORTEST_NAME))


def masked(text: str, known: Known) -> str:
    """Return text with identities and exact places replaced by `MASK`."""
    plain = _without_names(plain_text(text), known)
    parts, at = [], 0
    for found in _DATE.finditer(plain):
        if _is_date(found):
            parts += [_without_numbers(plain[at : found.start()]), found.group(0)]
            at = found.end()
    return "".join([*parts, _without_numbers(plain[at:])])


def _without_numbers(text: str) -> str:
    return _NUMBER.sub(MASK, _PLACE.sub(MASK, text))


def _without_names(text: str, known: Known) -> str:
    """Mask names however their letters are parted: SEA STAR, Sea-Star, S E A S T A R."""
    if not known.names:
        return text
    longest = max(map(len, known.names))
    words = [(found.start(), found.end(), _squeezed(found.group(0))) for found in _WORD.finditer(text)]
    parts, at, index = [], 0, 0
    while index < len(words):
        end = _longest_name(words, index, known, longest)
        if end is None:
            index += 1
            continue
        parts += [text[at : words[index][0]], MASK]
        at, index = words[end][1], end + 1
    return "".join([*parts, text[at:]])


def _longest_name(words: list[tuple[int, int, str]], first: int, known: Known, longest: int) -> int | None:
    """Return the last word of the longest name that begins at a word; None where none does."""
    joined, found = "", None
    for index in range(first, min(first + MOST_WORDS, len(words))):
        joined += words[index][2]
        if len(joined) > longest:
            break
        if joined in known.names:
            found = index
    return found


def _squeezed(text: str) -> str:
    parts = unicodedata.normalize("NFKD", plain_text(text)).casefold()
    return "".join(c for c in parts if c.isalnum())


def _is_date(found: re.Match[str]) -> bool:
    try:
        return 1990 <= date(*map(int, found.groups())).year <= 2100
    except ValueError:
        return False
