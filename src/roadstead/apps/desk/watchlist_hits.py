"""Leads that name a vessel which a watchlist names too, as of the day of the overpass; neither says what it did."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from roadstead.ais.identity.watchlists import Identifiers, ListMatch, Watchlist, matches
from roadstead.store.lead_queue import Key, LeadTable, Queue
from roadstead.store.ledger import Version

HIT, MMSI_ALONE = 2, 1
"""How well a vessel fits a list: by IMO number or two identifiers; by its MMSI alone, which another ship may use."""
_ON_IT = ("listed", "listing_date_unknown")


@dataclass(frozen=True)
class Told:
    """What lists say of the vessels that the leads of one state of the store name."""

    version: Version | None
    found: Mapping[Key, tuple[ListMatch, ...]]

    @cached_property
    def ranks(self) -> Mapping[Key, int]:
        """How well each lead's vessel fits a list; those that fit none are left out."""
        return {key: max(map(rank, matches)) for key, matches in self.found.items()}

    def words(self, key: Key) -> list[str]:
        """Return what lists say of the vessels that a lead names, in words."""
        return [words(match) for match in self.found.get(key, ())]


class Listed:
    """What lists say of the vessels that leads name, worked out once for each state of the store."""

    def __init__(self, queue: Queue, lists: Sequence[Watchlist]) -> None:
        """Take the leads and the lists."""
        self._queue, self._lists = queue, lists
        self._lock = threading.Lock()
        self._told = Told(None, {})

    def of(self, table: LeadTable) -> Told:
        """Return it for the leads of a state of the store."""
        with self._lock:
            if self._lists and self._told.version != table.version:
                self._told = Told(table.version, dict(_found(table, self._queue, self._lists)))
            return self._told


def rank(match: ListMatch) -> int:
    """Return `HIT` or `MMSI_ALONE`."""
    return HIT if match.kind == "hit" else MMSI_ALONE


def words(match: ListMatch) -> str:
    """Say what a list says, and how sure it is that it means this vessel."""
    when = f"list of {match.retrieved:%Y-%m-%d}" + (
        ", older than the overpass" if match.list_is_older else ""
    )
    since = f", listed {match.entry.listed:%Y-%m-%d}" if match.entry.listed else ", listing date not given"
    by = " and ".join(_NAMES[name] for name in match.basis)
    sure = "" if match.kind == "hit" else ": one identifier, which another ship may use"
    return f"on a list as of the overpass: {match.list_name} ({when}{since}), by {by}{sure}"


_NAMES = {"imo": "IMO number", "mmsi": "MMSI", "callsign": "call sign", "name": "name"}


def _found(
    table: LeadTable, queue: Queue, lists: Sequence[Watchlist]
) -> Iterator[tuple[Key, tuple[ListMatch, ...]]]:
    by_imo, by_mmsi = _by_number(lists, "imo"), _by_number(lists, "mmsi")
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in queue.declarations(by_imo, by_mmsi):
        told[row["mmsi"]].append(row)
    c = table.columns
    for i, key in enumerate(table.keys):
        named = [c["mmsi"][i]] if c["mmsi"][i] else c["candidates"][i].split(",")
        found = [
            match
            for mmsi in named
            if mmsi in told or mmsi in by_mmsi
            for match in _of_vessel(mmsi, told.get(mmsi, []), c["acquired"][i], by_imo, by_mmsi)
        ]
        if found:
            yield key, tuple(sorted(found, key=rank, reverse=True))


def _by_number(lists: Sequence[Watchlist], name: str) -> Mapping[str, list[Watchlist]]:
    """Return IMO number or MMSI -> each entry that has it, as a list of that entry alone."""
    found: dict[str, list[Watchlist]] = defaultdict(list)
    for one in lists:
        for entry in one.entries:
            numbers = entry.mmsis if name == "mmsi" else (entry.imo,)
            alone = Watchlist(one.name, one.retrieved, one.retrieved_from, (entry,))
            for number in filter(None, numbers):
                found[number].append(alone)
    return found


def _of_vessel(
    mmsi: str,
    told: Sequence[Mapping[str, Any]],
    acquired: float,
    by_imo: Mapping[str, list[Watchlist]],
    by_mmsi: Mapping[str, list[Watchlist]],
) -> list[ListMatch]:
    """Return the entries that name a vessel as it had declared itself by the overpass, and that stood then."""
    moment = datetime.fromtimestamp(acquired, UTC)
    before = [row for row in told if row["time"] <= moment] or list(told[:1])
    last = {
        name: next((row[name] for row in reversed(before) if row[name]), None)
        for name in ("imo", "name", "callsign")
    }
    entries = {
        id(one.entries[0]): one for one in (*by_mmsi.get(mmsi, ()), *by_imo.get(last["imo"] or "", ()))
    }
    found = matches(Identifiers(mmsi, **last), list(entries.values()), moment.date())
    return [match for match in found if match.kind in ("hit", "one_identifier") and match.standing in _ON_IT]
