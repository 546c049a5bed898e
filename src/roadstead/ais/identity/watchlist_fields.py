"""Cells and texts of watchlists to identifiers, names, kinds and dates; what cannot be used is counted or refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from roadstead.ais.identity.registry import imo_is_valid
from roadstead.ais.identity.watchlists import Entry

NO_VESSEL = "entries that are no vessels"
NAME_ALONE = "vessels with a name alone, which can be no hit"
BAD_IMO = "IMO numbers that can be none (length or check digit)"
BAD_MMSI = "MMSIs that can be none"
Kind = Literal["vessel", "other"]

_NOTHING = {
    "",
    "-0-",
    "-",
    "--",
    "n/a",
    "na",
    "none",
    "null",
    "nil",
    "unknown",
    "not known",
    "nan",
    "nat",
    "tbc",
    "?",
}
_VESSELS = {"ship", "ships", "vessel", "vessels", "v", "boat"}
_OTHERS = {
    "individual", "individuals", "person", "people", "p", "i", "e", "entity", "entities", "organization",
    "organisation", "company", "legalentity", "publicbody", "enterprise", "aircraft", "airplane", "address",
    "cryptowallet", "security", "asset", "port", "-0-",
}  # fmt: skip
_COMPANY = re.compile(
    r"\b(?:ltd|limited|llc|inc|incorporated|corp|corporation|company|gmbh|plc|pjsc|jsc|ojsc|pte|sdn bhd|ministry|"
    r"holdings?)\b|\bco\.(?=\W|$)|\bs\.a\.|\bco ltd\b",
    re.IGNORECASE,
)
"""Legal forms and the like; not `bank` or `SA`, which ships are called, too."""
_IMO = re.compile(r"(?<![\d.,])(\d{7})(?:[.,]0*)?(?![\d])")
_MMSI = re.compile(r"(?<![\d.,])(\d{9})(?:[.,]0*)?(?![\d])")
_IMO_IN_TEXT = re.compile(
    r"\bIMO(?:\s*(?:ship|vessel))?(?:\s*(?:numbers?|no|nr|id))?[\s.:#)]*(?:IMO)?\s*(\d+)", re.IGNORECASE
)
_MMSI_IN_TEXT = re.compile(r"\bMMSI(?:\s*(?:numbers?|no|nr))?[\s.:#)]*(\d{9})(?!\d)", re.IGNORECASE)
_CALLSIGN_IN_TEXT = re.compile(r"\bcall[ -]?sign\s*[:)]?\s*([A-Z0-9]{4,7})\b", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\(([^()]*)\)")
_AKA = re.compile(r";|\n|\b(?:a\.?k\.?a\.?|f\.?k\.?a\.?)\b:?", re.IGNORECASE)
_DATE_FORMS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y", "%d-%B-%Y", "%d %b. %Y",
    "%B %d, %Y", "%b %d, %Y", "%d.%m.%y",
)  # fmt: skip
"""Forms that mean one day only."""
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_CLOCK = re.compile(r"[T ]\d{1,2}:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?(?: ?[AP]M)?$")
_EXCEL_DAY_0 = date(1899, 12, 30)
_EXCEL_DAYS = range(20_000, 60_000)
"""Excel's number of a day from 1954 to 2064."""


def known(cell: str) -> str | None:
    """Return a cell's text without outer blanks; None for words that mean "nothing"."""
    text = " ".join(cell.replace("\x1a", "").split())
    return None if text.lower() in _NOTHING else text


def kind_of(cell: str) -> Kind | None:
    """Return whether a word for the kind of an entry means a vessel or something else; None for other words."""
    word = cell.strip().lower()
    if word in _VESSELS:
        return "vessel"
    return "other" if word in _OTHERS else None


def names_a_company(name: str) -> bool:
    """Say whether a name holds the legal form, or the like, of an organisation."""
    return _COMPANY.search(name) is not None


def imos_of(cell: str, counted: Counter[str]) -> tuple[str, ...]:
    """Return the IMO numbers of a cell that is for them; what is none is counted."""
    found = tuple(dict.fromkeys(imo for imo in _IMO.findall(cell) if imo_is_valid(imo)))
    if not found and known(cell) is not None:
        counted[BAD_IMO] += 1
    return found


def mmsis_of(cell: str, counted: Counter[str]) -> tuple[str, ...]:
    """Return the MMSIs of a cell that is for them; what is none is counted."""
    found = tuple(dict.fromkeys(_MMSI.findall(cell)))
    if not found and known(cell) is not None:
        counted[BAD_MMSI] += 1
    return found


def imos_in(text: str, counted: Counter[str]) -> tuple[str, ...]:
    """Return the IMO numbers that a text calls so."""
    called = _IMO_IN_TEXT.findall(text)
    counted[BAD_IMO] += sum(not imo_is_valid(number) for number in called)
    return tuple(dict.fromkeys(number for number in called if imo_is_valid(number)))


def mmsis_in(text: str) -> tuple[str, ...]:
    """Return the MMSIs that a text calls so."""
    return tuple(dict.fromkeys(_MMSI_IN_TEXT.findall(text)))


def callsign_in(text: str) -> str | None:
    """Return the call sign that a text calls so."""
    found = _CALLSIGN_IN_TEXT.search(text)
    return found[1] if found else None


def names_of(name: str, *aliases: str) -> tuple[str, ...]:
    """Return a name and its aliases, those in brackets included: ``NEW (OLD) (OLDER)``."""
    told = [
        _IN_BRACKETS.sub(" ", name),
        *_IN_BRACKETS.findall(name),
        *(n for a in aliases for n in _AKA.split(a)),
    ]
    return tuple(dict.fromkeys(text for each in told if (text := known(each.strip(" .,'\""))) is not None))


def entries_of(
    names: tuple[str, ...],
    imos: Sequence[str],
    mmsis: Sequence[str],
    counted: Counter[str],
    *,
    callsign: str | None = None,
    listed: date | None = None,
    delisted: date | None = None,
    programme: str | None = None,
) -> list[Entry]:
    """Return a vessel as an entry for each of its IMO numbers; none without a name and an identifier."""
    if not (names or imos or mmsis):
        return []
    if not (imos or mmsis or callsign):
        counted[NAME_ALONE] += 1
    return [
        Entry(
            names=names,
            imo=imo,
            mmsi=mmsis[0] if mmsis else None,
            callsign=callsign,
            listed=listed,
            delisted=delisted,
            programme=programme,
            other_mmsis=tuple(mmsis[1:]),
        )
        for imo in (imos or (None,))
    ]


class DateError(ValueError):
    """A date of a list cannot be read; the message says which and why."""


def date_of(cell: str, day_first: bool | None = None) -> date | None:
    """Return the day in a cell; None where the cell says nothing.

    Args:
        cell: text.
        day_first: what comes first in ``03/05/2023``; None where nothing tells.

    Raises:
        DateError: the text is no day, or may be two.
    """
    text = known(cell)
    if text is None:
        return None
    text = _CLOCK.sub("", _IN_BRACKETS.sub(" ", text).strip()).strip()
    if re.fullmatch(r"\d{5}(?:[.,]\d+)?", text) and int(text[:5]) in _EXCEL_DAYS:
        return _EXCEL_DAY_0 + timedelta(days=int(text[:5]))
    if slashed := _SLASHED.fullmatch(text):
        return _slashed(slashed, cell, day_first)
    for form in _DATE_FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise DateError(f"{cell.strip()!r} is no date; write 2023-05-03")


def _slashed(found: re.Match[str], cell: str, day_first: bool | None) -> date:
    one, two, year = map(int, found.groups())
    if day_first is None and one != two and max(one, two) <= 12:
        raise DateError(f"{cell.strip()!r} may have the day or the month first; write 2023-05-03")
    first = one > 12 or (day_first if day_first is not None else False)
    day, month = (one, two) if first and two <= 12 else (two, one)
    try:
        return date(year, month, day)
    except ValueError as error:
        raise DateError(f"{cell.strip()!r} is no date: {error}") from error


def day_comes_first(cells: Iterable[str]) -> bool | None:
    """Return what comes first in dates such as 13/05/2023, told by those of the same column; None where none tells."""
    pairs = [(int(found[1]), int(found[2])) for cell in cells if (found := _SLASHED.match(cell.strip()))]
    first, second = (max((pair[n] for pair in pairs), default=0) for n in (0, 1))
    if (first > 12) == (second > 12):
        return None
    return first > 12
