"""What analysts say of findings, and which of it stands: rows of the chain (`chain`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, tuple_

from roadstead.core.errors import UsageError
from roadstead.core.schemas import CLASSES
from roadstead.store.chain import (
    BLANK,
    DECISION,
    Decision,
    Verified,
    alone,
    append,
    box_of,
    canonical,
    verified,
)
from roadstead.store.desk_schema import BECAUSE, FIXED_STRUCTURE, RELEASES
from roadstead.store.desk_schema import DECISIONS as KINDS
from roadstead.store.rows import in_parts

if TYPE_CHECKING:
    from roadstead.store.store import Store

LONGEST_NOTE = 4000
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
            box_of(self.geometry)
        changes = self.hull_class or self.linked_mmsi or self.geometry
        if self.kind == "corrected" and not (changes or self.note):
            raise UsageError("a correction needs a box, a class, an MMSI or a note")
        if self.kind != "corrected" and changes:
            raise UsageError("a box, a class or an MMSI makes it a correction")
        if self.evidence.get("hull") is None and (self.geometry or self.because == FIXED_STRUCTURE):
            raise UsageError("nothing was seen there: there is no box to correct and no structure to mark")
        if self.kind != "rejected" and self.because:
            raise UsageError("only a rejection has a reason of its own")


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


def _standing_rows() -> Select[Any]:
    newest = standing().subquery()
    return select(DECISION).join(newest, newest.c.seq == DECISION.c.seq).order_by(DECISION.c.seq)


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
        row = {**asdict(verdict), "evidence": canonical(verdict.evidence)}
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
            return append(connection, {**row, **BLANK, "undoes": seq, "kind": "undone"}, user, now)

    def about(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[Decision, ...]]:
        """Return all rows about each of some findings (port, finding), oldest first."""
        told: dict[tuple[str, str], tuple[Decision, ...]] = dict.fromkeys(keys, ())
        chosen = select(DECISION).order_by(DECISION.c.seq)
        for row in self._read(
            *(
                chosen.where(tuple_(DECISION.c.port, DECISION.c.finding).in_(part))
                for part in in_parts(list(told))
            )
        ):
            told[row.port, row.finding] += (row,)
        return told

    def of(self, port: str, finding: str) -> tuple[Decision, ...]:
        """Return all rows about a finding, oldest first."""
        return self.about([(port, finding)])[port, finding]

    def standing(self) -> tuple[Decision, ...]:
        """Return the decision that stands for each finding that has one, in their order."""
        return tuple(self._read(_standing_rows()))

    def standing_numbers(self) -> list[int]:
        """Return `seq` of the decisions that stand, in their order."""
        newest = standing().subquery()
        with self._store.transaction(writes=False) as connection:
            return list(connection.scalars(select(newest.c.seq).order_by(newest.c.seq)))

    def some(self, numbers: Sequence[int]) -> Iterator[Decision]:
        """Return rows by their numbers."""
        return self._read(*(select(DECISION).where(DECISION.c.seq.in_(part)) for part in in_parts(numbers)))

    def fixed_structures(self, port: str) -> tuple[Decision, ...]:
        """Return the decisions that stand and call something at a port a fixed structure, in their order."""
        fixed = _standing_rows().where(DECISION.c.port == port, DECISION.c.because == FIXED_STRUCTURE)
        return tuple(self._read(fixed))

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
        return verified(self._read(select(DECISION).order_by(DECISION.c.seq)))

    def _read(self, *chosen: Select[Any]) -> Iterator[Decision]:
        """Return the rows of some statements, all of one state of the store."""
        with self._store.transaction(writes=False) as connection:
            rows: Sequence[Mapping[str, Any]] = [
                dict(row) for one in chosen for row in connection.execute(one).mappings()
            ]
        return (Decision(**row) for row in rows)


def is_vessel(row: Decision) -> bool | None:
    """Whether a decision says that a vessel is there; None where it says nothing of it."""
    if row.kind == "rejected":
        return {"no_vessel": False, FIXED_STRUCTURE: False, "explained": True}.get(row.because or "")
    return True if row.kind in ("accepted", "corrected") else None


def judged_class(row: Decision) -> str | None:
    """Return the class that a decision gives a hull: its own where accepted, else the corrected one; None: unsaid."""
    hull = row.seen.get("hull")
    if hull is None:
        return None
    if row.kind == "accepted":
        return str(hull["class"])
    return row.hull_class


def _newest(connection: Connection, port: str, finding: str) -> Decision | None:
    own = select(DECISION).where(DECISION.c.port == port, DECISION.c.finding == finding)
    row = connection.execute(own.order_by(DECISION.c.seq.desc()).limit(1)).mappings().one_or_none()
    return None if row is None else Decision(**row)
