"""The queue of leads in memory: read once for each state of the store, then filtered and sorted there.

Leads change only when an overpass is stored, and decisions are only ever added; so a page reads a version, the rows
added to the chain since the last page, and the few findings that it shows.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from cachetools import LRUCache
from sqlalchemy import select

from roadstead.core.errors import UsageError
from roadstead.core.leads import lead_probability
from roadstead.store.chain import DECISION
from roadstead.store.decisions import DECIDE_NOTHING
from roadstead.store.leads import (
    DETECTION,
    FINDING,
    MATCH,
    VESSEL,
    LeadFilter,
    LeadKey,
    is_lead,
    lead_kind,
    same_hull,
    same_overpass,
)
from roadstead.store.ledger import Version, version_of
from roadstead.store.rows import ACQUISITION, in_parts

if TYPE_CHECKING:
    from roadstead.store.store import Store

Key = tuple[str, str]
"""Port and finding."""
SORTS = ("matters", "newest", "likeliest", "longest")
STEP = 0.05
"""Leads whose probabilities fall into the same step of this width count as equally likely where size decides."""
_TEXTS = ("port", "zone", "hull_class", "kind", "conflicts", "mmsi", "candidates", "overpass_id")
_COLUMNS = (
    *("finding", "port", "zone", "hull_class", "kind", "reasons", "conflicts", "mmsi", "candidates"),
    *("overpass_id", "acquired", "stored", "probability", "p_vessel", "length_m"),
)
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LeadTable:
    """Every lead of one state of the store, newest overpass first."""

    version: Version
    keys: tuple[Key, ...]
    columns: Mapping[str, np.ndarray]
    """By name, in the order of `keys`: port, zone, hull_class, kind, codes, conflicts, mmsi, candidates, overpass_id,
    acquired, stored, probability (`findings.lead_probability`), length_m."""

    @cached_property
    def place(self) -> Mapping[Key, int]:
        """Place of each lead in `keys`."""
        return {key: i for i, key in enumerate(self.keys)}

    def zones(self, port: str | None) -> tuple[str, ...]:
        """Return the zones that leads lie in, of one port where named."""
        zones = self.columns["zone"]
        return tuple(sorted(set(zones[self.columns["port"] == port] if port else zones) - {None}))

    def open(self, decided: Mapping[Key, str]) -> np.ndarray:
        """Return which leads have no decision, bool [n]; what was decided is gone through, since that is less."""
        found = np.ones(len(self.keys), bool)
        found[[self.place[key] for key in decided if key in self.place]] = False
        return found


@dataclass(frozen=True)
class Ranked:
    """The leads that fit a filter, in an order, and what was decided of them."""

    table: LeadTable
    order: np.ndarray
    """Places in `table`, int64 [n]."""
    decided: Mapping[Key, str]
    """Kind of the decision that stands, of every finding that has one."""
    since: datetime | None = None
    """What was stored from then on is new to whom they are ranked for."""

    def __len__(self) -> int:
        """Return how many fit."""
        return len(self.order)

    def key(self, number: int) -> LeadKey:
        """Return a lead by its place in the order, from 0."""
        port, finding = self.table.keys[int(self.order[number])]
        return LeadKey(port, finding, self.decided.get((port, finding)))

    @cached_property
    def undecided(self) -> np.ndarray:
        """Places in the order of those without a decision."""
        return np.flatnonzero(self.table.open(self.decided)[self.order])

    def next_undecided(self, at: int) -> int | None:
        """Return the place of the next lead without a decision, from the start again after the last; not ``at``.

        Looked for step by step: the next is mostly near, and what was decided may be much.
        """
        keys, order, decided = self.table.keys, self.order, self.decided
        places = chain(range(at + 1, len(order)), range(min(max(at, 0), len(order))))
        return next((n for n in places if keys[order[n]] not in decided), None)

    def number(self, port: str, finding: str) -> int | None:
        """Return the place of a finding in the order; None where it does not fit."""
        at = self.table.place.get((port, finding))
        if at is None:
            return None
        found = np.flatnonzero(self.order == at)
        return int(found[0]) if len(found) else None


class Queue:
    """The leads of a store."""

    def __init__(self, store: Store) -> None:
        """Take an open store."""
        self._store = store
        self._lock = threading.Lock()
        self._table: LeadTable | None = None
        self._orders: LRUCache[Any, tuple[np.ndarray, Mapping[Key, int] | None]] = LRUCache(maxsize=200)
        self._chain = _Chain()

    def table(self) -> LeadTable:
        """Return every lead as the store is now."""
        version = version_of(self._store)
        with self._lock:
            if self._table is None or self._table.version != version:
                self._table = self._read(version)
                self._orders.clear()
            return self._table

    def ranked(
        self,
        wanted: LeadFilter,
        sort: str = "matters",
        since: datetime | None = None,
        ranks: Mapping[Key, int] | None = None,
        table: LeadTable | None = None,
    ) -> Ranked:
        """Return the leads that fit, in an order.

        Args:
            wanted: Which.
            sort: ``newest`` overpass first; ``likeliest`` first; ``longest`` hull first; or what ``matters``: those on
                a list, then those of which AIS says something, then those stored since a moment, then the likelier by
                steps of `STEP`, then the longer. Equal ones: newest overpass first.
            since: What is stored from then on is new.
            ranks: Lead -> how well what it names fits a list; 0 where left out.
            table: The leads, where they were read just now.

        Raises:
            UsageError: no such order.
        """
        if sort not in SORTS:
            raise UsageError(f"sort {sort!r}: choose from {', '.join(SORTS)}")
        table, decided = table or self.table(), self._decided()
        key = (table.version, wanted, sort, since, id(ranks))
        with self._lock:
            order, _ = self._orders.get(key, (None, None))
        if order is None:
            order = _order(table, wanted, sort, since, ranks or {})
            with self._lock:
                self._orders[key] = order, ranks  # kept with it, so that no other mapping gets its id
        return Ranked(table, order, decided, since)

    def counted(self, since: datetime | None = None) -> Mapping[str, tuple[int, int]]:
        """Return port -> leads and those of them undecided, of overpasses stored since a moment where given."""
        table, decided = self.table(), self._decided()
        kept = table.columns["stored"] >= since.timestamp() if since else np.ones(len(table.keys), bool)
        open_, ports = table.open(decided) & kept, table.columns["port"]
        return {
            str(port): (int((kept & (ports == port)).sum()), int((open_ & (ports == port)).sum()))
            for port in sorted(set(ports[kept]))
        }

    def declarations(self, imos: Collection[str], mmsis: Collection[str]) -> list[dict[str, Any]]:
        """Return all that was declared under MMSIs that are named, or that ever gave one of these IMO numbers.

        Rows of mmsi, time, imo, name and callsign, oldest first.
        """
        columns = [VESSEL.c[name] for name in ("mmsi", "time", "imo", "name", "callsign")]
        found = set[str]()
        with self._store.transaction(writes=False) as connection:
            for column, values in ((VESSEL.c.imo, imos), (VESSEL.c.mmsi, mmsis)):
                for part in in_parts(sorted(values)):
                    found |= set(connection.scalars(select(VESSEL.c.mmsi).where(column.in_(part)).distinct()))
            rows: list[dict[str, Any]] = []
            for part in in_parts(sorted(found)):
                chosen = select(*columns).where(VESSEL.c.mmsi.in_(part)).distinct()
                rows += [dict(row) for row in connection.execute(chosen).mappings()]
        return sorted(rows, key=lambda row: row["time"])

    def _read(self, version: Version) -> LeadTable:
        m, d, a = MATCH.c, DETECTION.c, ACQUISITION.c
        chosen = (
            select(
                FINDING, m.port, m.zone, d["class"], lead_kind(), m.reasons, m.conflicts, m.mmsi, m.candidates,
                m.overpass_id, a.acquired, a.stored, m.probability, d.p_vessel, d.length_m,
            )
            .select_from(MATCH)
            .join(ACQUISITION, same_overpass(MATCH, ACQUISITION))
            .outerjoin(DETECTION, same_hull())
            .where(is_lead())
            .order_by(a.acquired.desc(), m.port, m.probability.desc(), m.row)
        )  # fmt: skip
        with self._store.transaction(writes=False) as connection:
            rows = [tuple(row) for row in connection.execute(chosen)]
        given = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True)) if rows else {}
        codes = zip(given.get("reasons", ()), given.get("conflicts", ()), strict=True)
        columns = {name: np.array(given.get(name, ()), object) for name in _TEXTS}
        columns["codes"] = np.array([f",{one},{other}," for one, other in codes], object)
        for name in ("acquired", "stored"):
            columns[name] = np.array([(t or _NEVER).timestamp() for t in given.get(name, ())], float)
        likely = zip(given.get("probability", ()), given.get("p_vessel", ()), strict=True)
        columns["probability"] = np.array([lead_probability(*one) for one in likely], float)
        columns["length_m"] = np.array([value or 0.0 for value in given.get("length_m", ())], float)
        keys = zip(given.get("port", ()), given.get("finding", ()), strict=True)
        return LeadTable(version, tuple(keys), columns)

    def _decided(self) -> Mapping[Key, str]:
        """Return the kind of the decision that stands for each finding that has one."""
        with self._lock:
            after = self._chain.last
        columns = [DECISION.c[name] for name in ("seq", "port", "finding", "kind", "undoes")]
        with self._store.transaction(writes=False) as connection:
            rows = [
                tuple(row)
                for row in connection.execute(
                    select(*columns).where(DECISION.c.seq > after).order_by(DECISION.c.seq)
                )
            ]
        with self._lock:
            return self._chain.grown(rows)


class _Chain:
    """What stands after each row of the chain of decisions, read once."""

    def __init__(self) -> None:
        self.last = 0
        self._held: dict[Key, dict[int, str]] = {}
        self._standing: Mapping[Key, str] = {}

    def grown(self, rows: Sequence[tuple[Any, ...]]) -> Mapping[Key, str]:
        """Take new rows, oldest first, and return what stands; rows taken before are passed over."""
        new = [row for row in rows if row[0] > self.last]
        if new:
            standing = dict(self._standing)
            for seq, port, finding, kind, undoes in new:
                held = self._held.setdefault((port, finding), {})
                if kind == "undone":
                    held.pop(undoes, None)
                elif kind not in DECIDE_NOTHING:
                    held[seq] = kind
                if held:
                    standing[port, finding] = held[max(held)]
                else:
                    standing.pop((port, finding), None)
            self.last, self._standing = new[-1][0], standing
        return self._standing


def _order(
    table: LeadTable, wanted: LeadFilter, sort: str, since: datetime | None, ranks: Mapping[Key, int]
) -> np.ndarray:
    c = table.columns
    kept = np.flatnonzero(_fits(table, wanted))
    likely, length = c["probability"][kept], c["length_m"][kept]
    falling: list[np.ndarray] = {
        "newest": [],
        "likeliest": [likely],
        "longest": [length],
        "matters": [
            np.array([ranks.get(table.keys[i], 0) for i in kept], float),
            c["kind"][kept] != "hull",
            c["stored"][kept] >= since.timestamp() if since else np.zeros(len(kept)),
            np.floor(likely / STEP + 1e-9),
            length,
        ],
    }[sort]
    # lexsort is stable and takes its first key last: equal ones stay newest first.
    return kept[np.lexsort([-column.astype(float) for column in reversed(falling)])] if falling else kept


def _fits(table: LeadTable, wanted: LeadFilter) -> np.ndarray:
    c = table.columns
    fits = np.ones(len(table.keys), bool)
    for name in ("port", "zone", "hull_class", "kind"):
        if value := getattr(wanted, name):
            fits &= c[name] == value
    if wanted.code:
        mark = f",{wanted.code},"
        fits &= np.array([mark in codes for codes in c["codes"]], bool)
    if wanted.start:
        fits &= c["acquired"] >= wanted.start.timestamp()
    if wanted.end:
        fits &= c["acquired"] < wanted.end.timestamp()
    return fits
