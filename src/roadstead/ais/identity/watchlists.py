"""Who is on a list, on what date, and on what evidence; what a ship does is never mixed in.

A hit needs the IMO number, or two independent identifiers of MMSI, call sign and name. A name alone is a similar name
and never a hit. Where two valid IMO numbers differ it is another hull, whatever else agrees.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from difflib import SequenceMatcher
from typing import Literal

from roadstead.ais.identity.registry import imo_is_valid

Kind = Literal["hit", "one_identifier", "similar_name", "other_hull"]
Standing = Literal["listed", "not_yet_listed", "delisted", "listing_date_unknown"]
SIMILAR = 0.85
"""Names are similar from this ratio of matching characters on."""
_PREFIX = re.compile(r"^(?:M/?V|M/?T|S/?S)[ .]+")
_OTHER = re.compile(r"[^A-Z0-9]+")
_ORDER: tuple[Kind, ...] = ("hit", "one_identifier", "other_hull", "similar_name")


@dataclass(frozen=True)
class Entry:
    """One vessel on a list."""

    names: tuple[str, ...]
    """The name and its aliases."""
    imo: str | None = None
    mmsi: str | None = None
    callsign: str | None = None
    listed: date | None = None
    """None: the file does not say."""
    delisted: date | None = None
    programme: str | None = None
    other_mmsis: tuple[str, ...] = ()
    """Further MMSIs that the list names."""

    @property
    def mmsis(self) -> tuple[str, ...]:
        """All MMSIs."""
        return (*((self.mmsi,) if self.mmsi else ()), *self.other_mmsis)

    def standing(self, at: date) -> Standing:
        """Return how the entry stood on a day."""
        if self.delisted is not None and at >= self.delisted:
            return "delisted"
        if self.listed is None:
            return "listing_date_unknown"
        return "listed" if at >= self.listed else "not_yet_listed"


@dataclass(frozen=True)
class Watchlist:
    """One file of one list."""

    name: str
    retrieved: date
    retrieved_from: Literal["told", "file", "file time"]
    """Whether the user, the file itself, or only the file's time tells when it was retrieved."""
    entries: tuple[Entry, ...]
    form: str = ""
    """What kind of file it is, in words."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our field to the column, or element, that it was read from."""
    counted: Mapping[str, int] = field(default_factory=dict)
    """What was passed over or could not be used, in words, and how often."""

    @property
    def words(self) -> str:
        """What was read, from which columns, how many vessels came of it, and what was passed over."""
        read = ", ".join(f"{ours} from {theirs!r}" for ours, theirs in self.columns.items())
        over = ", ".join(f"{what}: {count}" for what, count in self.counted.items() if count)
        vessels = f"{len(self.entries)} vessel{'' if len(self.entries) == 1 else 's'}"
        return (
            f"{self.name} ({self.form or 'list'}, of {self.retrieved}): {vessels}"
            + (f"; read: {read}" if read else "")
            + (f"; not used: {over}" if over else "")
        )


@dataclass(frozen=True)
class Identifiers:
    """What a vessel declared, as of some moment."""

    mmsi: str | None = None
    imo: str | None = None
    name: str | None = None
    callsign: str | None = None


@dataclass(frozen=True)
class ListMatch:
    """An entry that a vessel may be."""

    kind: Kind
    basis: tuple[str, ...]
    """Identifiers that agree."""
    standing: Standing
    entry: Entry
    list_name: str
    retrieved: date
    retrieved_from: str
    list_is_older: bool
    """The list was retrieved before the day asked about: later listings and delistings are not in it."""

    @property
    def is_hit(self) -> bool:
        """True for a hit that was listed on the day asked about, or whose day of listing is not known."""
        return self.kind == "hit" and self.standing in ("listed", "listing_date_unknown")


def plain_name(name: str | None) -> str:
    """Return a name as it is compared: upper case, letters and digits alone, without M/V and the like."""
    return _OTHER.sub("", _PREFIX.sub("", (name or "").strip().upper()))


def matches(vessel: Identifiers, lists: Iterable[Watchlist], at: date) -> list[ListMatch]:
    """Return the entries that a vessel may be, hits first.

    Args:
        vessel: what it declared, as of the sighting.
        lists: the lists.
        at: the day of the sighting.
    """
    found = [
        ListMatch(
            *told,
            standing=entry.standing(at),
            entry=entry,
            list_name=listing.name,
            retrieved=listing.retrieved,
            retrieved_from=listing.retrieved_from,
            list_is_older=listing.retrieved < at,
        )
        for listing in lists
        for entry in listing.entries
        if (told := _compared(vessel, entry)) is not None
    ]
    return sorted(found, key=lambda match: (_ORDER.index(match.kind), match.list_name, match.entry.names))


def rank(found: Sequence[ListMatch]) -> int:
    """Return how many lists have a hit: similar names and single identifiers count nothing."""
    return len({match.list_name for match in found if match.is_hit})


def _compared(vessel: Identifiers, entry: Entry) -> tuple[Kind, tuple[str, ...]] | None:
    """Return what an entry is to a vessel and which identifiers agree; None where nothing does."""
    basis = _agreeing(vessel, entry)
    if "imo" in basis:
        return "hit", basis
    if basis and _other_imo(vessel.imo, entry.imo):
        return "other_hull", basis
    if len(basis) >= 2:
        return "hit", basis
    if basis and basis != ("name",):
        return "one_identifier", basis
    return ("similar_name", ("name",)) if _similar(vessel.name, entry.names) else None


def _agreeing(vessel: Identifiers, entry: Entry) -> tuple[str, ...]:
    names = {plain_name(name) for name in entry.names} - {""}
    agree = {
        "imo": vessel.imo is not None and vessel.imo == entry.imo and imo_is_valid(vessel.imo),
        "mmsi": vessel.mmsi is not None and vessel.mmsi in entry.mmsis,
        "callsign": bool(plain_name(vessel.callsign))
        and plain_name(vessel.callsign) == plain_name(entry.callsign),
        "name": plain_name(vessel.name) in names,
    }
    return tuple(name for name, same in agree.items() if same)


def _other_imo(one: str | None, other: str | None) -> bool:
    return bool(one and other) and one != other and imo_is_valid(str(one)) and imo_is_valid(str(other))


def _similar(name: str | None, others: Sequence[str]) -> bool:
    ours = plain_name(name)
    if len(ours) < 4:
        return False
    return any(_ratio(ours, plain_name(other)) >= SIMILAR for other in others)


def _ratio(one: str, other: str) -> float:
    compared = SequenceMatcher(None, one, other, autojunk=False)
    if compared.real_quick_ratio() < SIMILAR or compared.quick_ratio() < SIMILAR:
        return 0.0
    return compared.ratio()
