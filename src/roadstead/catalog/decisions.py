"""Decisions: an append-only chain, each row holding the hash of the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, select, text, tuple_

from roadstead.catalog import review_model
from roadstead.catalog.review_model import BECAUSE, FIXED_STRUCTURE, RELEASES
from roadstead.catalog.review_model import DECISIONS as KINDS
from roadstead.catalog.rows import table_of
from roadstead.errors import UsageError
from roadstead.tables import CLASSES

if TYPE_CHECKING:
    from roadstead.catalog.store import Store

DECISION = table_of(review_model.Decision)
LATER = ("geometry", "attachment", "details")
"""Columns added after the first chains were made: where null they are no part of a row's hash."""
GENESIS = "0" * 64
"""What stands before the first row."""
LONGEST_NOTE = 4000
_AT_ONCE = 500
"""Values that one statement asks for."""
DECIDE_NOTHING = ("undone", "attached", *RELEASES)
"""Kinds of rows that never stand as a decision."""
KIND_SAID = {
    "undone": "took back a decision about",
    "attached": "attached a file to",
    "asked_release": "asked for release of",
    "sent_back": "sent back",
    "correction": "released a correction of",
    "retraction": "retracted",
    "reply": "entered a reply about",
}
"""Kind -> what its row did to a finding, where its name does not say it."""


class OvertakenError(UsageError):
    """Somebody else decided the finding in the meantime; nothing was written."""


@dataclass(frozen=True)
class Verdict:
    """What an analyst says of one finding."""

    kind: str
    """``accepted``, ``rejected`` or ``corrected``."""
    port: str
    overpass_id: str
    finding: str
    evidence: Mapping[str, Any]
    """The finding as it was seen, JSON-ready."""
    simulated: bool
    hull_class: str | None = None
    linked_mmsi: str | None = None
    because: str | None = None
    note: str = ""
    geometry: str | None = None
    """Oriented box as drawn: WKT polygon, EPSG:4326."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.kind not in KINDS[:3]:
            raise UsageError(f"decision {self.kind!r}: choose from {', '.join(KINDS[:3])}")
        if self.hull_class is not None and self.hull_class not in CLASSES:
            raise UsageError(f"class {self.hull_class!r}: choose from {', '.join(CLASSES)}")
        if self.linked_mmsi is not None and not (
            len(self.linked_mmsi) == 9 and self.linked_mmsi.isascii() and self.linked_mmsi.isdigit()
        ):
            raise UsageError(f"MMSI {self.linked_mmsi!r}: write its nine digits")
        if self.because is not None and self.because not in BECAUSE:
            raise UsageError(f"reason {self.because!r}: choose from {', '.join(BECAUSE)}")
        if len(self.note) > LONGEST_NOTE:
            raise UsageError(f"the note has {len(self.note)} characters: {LONGEST_NOTE} at most")
        if self.geometry is not None:
            _box(self.geometry)
        changes = self.hull_class or self.linked_mmsi or self.geometry
        if self.kind == "corrected" and not (changes or self.note):
            raise UsageError("a correction needs a box, a class, an MMSI or a note")
        if self.kind != "corrected" and changes:
            raise UsageError("a box, a class or an MMSI makes it a correction")
        if self.evidence.get("hull") is None and (self.geometry or self.because == FIXED_STRUCTURE):
            raise UsageError("nothing was seen there: there is no box to correct and no structure to mark")
        if self.kind != "rejected" and self.because:
            raise UsageError("only a rejection has a reason of its own")


@dataclass(frozen=True)
class Decision:
    """One row of the chain."""

    seq: int
    previous_sha256: str
    sha256: str
    decided: datetime
    user_name: str
    kind: str
    port: str
    overpass_id: str
    finding: str
    hull_class: str | None
    linked_mmsi: str | None
    because: str | None
    note: str
    undoes: int | None
    evidence: str
    """Canonical JSON."""
    simulated: bool
    geometry: str | None = None
    """WKT polygon, EPSG:4326, of a box drawn anew."""
    attachment: str | None = None
    """Canonical JSON."""
    details: str | None = None
    """Canonical JSON of what a row on the way to the outside says; see `releases`."""

    @property
    def more(self) -> dict[str, Any]:
        """What `details` holds; empty of a decision."""
        document: dict[str, Any] = json.loads(self.details) if self.details else {}
        return document

    @property
    def said(self) -> list[str]:
        """The words of people in it: note, summary, what was wrong, reply."""
        more = self.more
        told = (more.get(name) for name in ("summary", "changed", "words", "sender", "text"))
        return [text for text in (self.note, *told) if text]

    @cached_property
    def seen(self) -> dict[str, Any]:
        """The finding as it was when decided."""
        document: dict[str, Any] = json.loads(self.evidence)
        return document

    @property
    def box(self) -> list[list[float]] | None:
        """The ring (lon, lat) of a box drawn anew, closed; None where none was drawn."""
        if self.geometry is None:
            return None
        return [[float(x), float(y)] for x, y in _box(self.geometry).exterior.coords]

    @property
    def file(self) -> dict[str, Any]:
        """What is said of an attached file; empty of other rows."""
        document: dict[str, Any] = json.loads(self.attachment) if self.attachment else {}
        return document


@dataclass(frozen=True)
class Verified:
    """What a check of the chain found."""

    rows: int
    head: str
    """Hash of the last row; `GENESIS` where there is none."""
    faults: tuple[str, ...]
    """One line a row at fault, naming it."""
    hashes: frozenset[str]


def canonical(document: Mapping[str, Any]) -> str:
    """Return JSON that is the same for the same content: keys sorted, no spaces, UTF-8 as it is."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(row: Mapping[str, Any]) -> str:
    """Return the sha256 of a row, its own hash left out and the hash of the row before it included.

    Columns added later (`LATER`) count where they hold something, so rows made before them keep their hashes.
    """
    body = {
        name: value
        for name, value in row.items()
        if name != "sha256" and not (name in LATER and value is None)
    }
    body["decided"] = body["decided"].astimezone(UTC).isoformat(timespec="microseconds")
    body["simulated"] = bool(body["simulated"])
    return hashlib.sha256(canonical(body).encode()).hexdigest()


def stands() -> ColumnElement[bool]:
    """Mean decisions that were not taken back."""
    back = select(DECISION.c.undoes).where(DECISION.c.undoes.is_not(None))
    return and_(DECISION.c.kind.not_in(DECIDE_NOTHING), DECISION.c.seq.not_in(back))


def standing() -> Select[tuple[str, str, int]]:
    """Choose (port, finding, seq) of the decision that stands for each finding that has one."""
    return (
        select(DECISION.c.port, DECISION.c.finding, func.max(DECISION.c.seq).label("seq"))
        .where(stands())
        .group_by(DECISION.c.port, DECISION.c.finding)
    )


def held(told: Sequence[Decision]) -> Decision | None:
    """Return which of the rows about a finding stands; `stands` in Python."""
    back = {row.undoes for row in told}
    return next(
        (row for row in reversed(told) if row.kind not in DECIDE_NOTHING and row.seq not in back), None
    )


class Decisions:
    """The chain of a store."""

    def __init__(self, store: Store) -> None:
        """Take an open store."""
        self._store = store

    def add(self, verdict: Verdict, user: str, now: datetime, *, after: int) -> Decision:
        """Add a decision.

        Args:
            verdict: What is said.
            user: By whom.
            now: UTC.
            after: `seq` of the newest row about this finding that the analyst had seen, 0 where there was none.

        Raises:
            OvertakenError: somebody decided it in the meantime.
            StoreError: the database failed; the chain is as it was.
        """
        blank = {"undoes": None, "attachment": None, "details": None}
        row = {**asdict(verdict), "evidence": canonical(verdict.evidence), **blank}
        with self._store.transaction(writes=True) as connection:
            alone(connection)
            newest = _newest(connection, verdict.port, verdict.finding)
            if newest is not None and newest.seq != after:
                raise OvertakenError(
                    f"{newest.user_name} {KIND_SAID.get(newest.kind, newest.kind)} this finding at "
                    f"{newest.decided:%Y-%m-%d %H:%M:%S} UTC, "
                    "after your page was made; nothing was written"
                )
            return append(connection, row, user, now)

    def undo(self, seq: int, user: str, now: datetime, *, others: bool = False) -> Decision:
        """Take back a decision by a new row; what stood before it stands again.

        Args:
            seq: Of the decision.
            user: Who takes it back.
            now: UTC.
            others: Whether decisions of others may be taken back.

        Raises:
            UsageError: no such decision, it does not stand, or it is another's.
        """
        with self._store.transaction(writes=True) as connection:
            alone(connection)
            found = connection.execute(select(DECISION).where(DECISION.c.seq == seq, stands())).mappings()
            row = found.one_or_none()
            if row is None:
                raise OvertakenError(f"decision {seq} does not stand: it was taken back, or never made")
            if row["user_name"] != user and not others:
                raise UsageError(f"decision {seq} is {row['user_name']}'s: they or an admin can take it back")
            taken = dict.fromkeys(("hull_class", "linked_mmsi", "because", *LATER)) | {
                "note": "",
                "undoes": seq,
            }
            return append(connection, {**row, **taken, "kind": "undone"}, user, now)

    def about(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[Decision, ...]]:
        """Return all rows about each of some findings (port, finding), oldest first."""
        chosen = select(DECISION).where(tuple_(DECISION.c.port, DECISION.c.finding).in_(keys))
        told: dict[tuple[str, str], tuple[Decision, ...]] = dict.fromkeys(keys, ())
        for row in self._read(chosen.order_by(DECISION.c.seq)):
            told[row.port, row.finding] += (row,)
        return told

    def of(self, port: str, finding: str) -> tuple[Decision, ...]:
        """Return all rows about a finding, oldest first."""
        return self.about([(port, finding)])[port, finding]

    def standing(self) -> tuple[Decision, ...]:
        """Return the decision that stands for each finding that has one, in their order."""
        newest = standing().subquery()
        chosen = select(DECISION).join(newest, newest.c.seq == DECISION.c.seq)
        return tuple(self._read(chosen.order_by(DECISION.c.seq)))

    def standing_numbers(self) -> list[int]:
        """Return `seq` of the decisions that stand, in their order."""
        newest = standing().subquery()
        with self._store.transaction(writes=False) as connection:
            return list(connection.scalars(select(newest.c.seq).order_by(newest.c.seq)))

    def some(self, numbers: Sequence[int]) -> Iterator[Decision]:
        """Yield rows by their numbers."""
        for first in range(0, len(numbers), _AT_ONCE):
            part = numbers[first : first + _AT_ONCE]
            yield from self._read(select(DECISION).where(DECISION.c.seq.in_(part)))

    def fixed_structures(self, port: str) -> tuple[Decision, ...]:
        """Return the decisions that stand and call something at a port a fixed structure, in their order."""
        newest = standing().subquery()
        chosen = select(DECISION).join(newest, newest.c.seq == DECISION.c.seq)
        fixed = chosen.where(DECISION.c.port == port, DECISION.c.because == FIXED_STRUCTURE)
        return tuple(self._read(fixed.order_by(DECISION.c.seq)))

    def one(self, seq: int) -> Decision | None:
        """Return a row by its number."""
        return next(self._read(select(DECISION).where(DECISION.c.seq == seq)), None)

    def newest(self, most: int, before: int | None = None) -> tuple[Decision, ...]:
        """Return the newest rows, newest first, those ``before`` a number where given."""
        chosen = select(DECISION).order_by(DECISION.c.seq.desc()).limit(most)
        if before is not None:
            chosen = chosen.where(DECISION.c.seq < before)
        return tuple(self._read(chosen))

    def since(self, when: datetime, but: str) -> int:
        """Return how many rows others than ``but`` have added since a moment."""
        chosen = select(func.count()).where(DECISION.c.decided >= when, DECISION.c.user_name != but)
        with self._store.transaction(writes=False) as connection:
            return connection.scalar(chosen) or 0

    def verify(self) -> Verified:
        """Check every row's hash and its link to the row before; see docs/review.md for what that shows."""
        faults, hashes, previous, expected = [], set(), GENESIS, 1
        for row in self._read(select(DECISION).order_by(DECISION.c.seq)):
            wrong = []
            if row.seq != expected:
                wrong.append(
                    f"row {expected} is missing before it" if row.seq > expected else "its number repeats"
                )
            if digest(asdict(row)) != row.sha256:
                wrong.append("its content does not have the hash that it carries")
            if row.previous_sha256 != previous:
                wrong.append("it does not follow the row before it")
            if wrong:
                faults.append(f"decision {row.seq} ({row.user_name}, {row.finding}): {'; '.join(wrong)}")
            hashes.add(row.sha256)
            previous, expected = row.sha256, row.seq + 1
        return Verified(len(hashes), previous, tuple(faults), frozenset(hashes))

    def _read(self, chosen: Select[Any]) -> Iterator[Decision]:
        with self._store.transaction(writes=False) as connection:
            rows: Sequence[Mapping[str, Any]] = [dict(r) for r in connection.execute(chosen).mappings()]
        return (Decision(**row) for row in rows)


def _box(wkt: str) -> shapely.Polygon:
    """Return the box that a WKT text means.

    Raises:
        UsageError: it is no oriented box in degrees.
    """
    try:
        box = shapely.from_wkt(wkt)
    except shapely.errors.GEOSException as error:
        raise UsageError("the box cannot be read") from error
    if not (
        isinstance(box, shapely.Polygon) and len(box.exterior.coords) == 5 and box.is_valid and box.area > 0
    ):
        raise UsageError("a box is a polygon with four corners")
    west, south, east, north = box.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise UsageError("the box does not lie on the earth")
    return box


def alone(connection: Connection, table: str = "decisions") -> None:
    """Let one writer at a time look at a table's end; SQLite does so by itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))


def _newest(connection: Connection, port: str, finding: str) -> Decision | None:
    own = select(DECISION).where(DECISION.c.port == port, DECISION.c.finding == finding)
    row = connection.execute(own.order_by(DECISION.c.seq.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else Decision(**row)


def append(connection: Connection, given: Mapping[str, Any], user: str, now: datetime) -> Decision:
    """Add a row to the chain, in the transaction of a writer."""
    alone(connection)
    last = connection.execute(
        select(DECISION.c.seq, DECISION.c.sha256).order_by(DECISION.c.seq.desc()).limit(1)
    ).one_or_none()
    row = {
        **given,
        "seq": 1 if last is None else last.seq + 1,
        "previous_sha256": GENESIS if last is None else last.sha256,
        "decided": now.astimezone(UTC),
        "user_name": user,
    }
    row["sha256"] = digest(row)
    connection.execute(insert(DECISION), [row])
    return Decision(**row)
