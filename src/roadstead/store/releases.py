"""Asking for release, releasing, correcting, retracting, replies, exports: rows of the chain, with permanent ids."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, and_, select, union

from roadstead.core.errors import UsageError
from roadstead.store import schema
from roadstead.store.chain import DECISION, Decision, alone, append, canonical
from roadstead.store.decisions import OvertakenError
from roadstead.store.desk_schema import ROLES
from roadstead.store.people import USER
from roadstead.store.release_gate import (
    GOES_OUT,
    LONGEST_REPLY,
    LONGEST_SUMMARY,
    Asking,
    Gate,
    Release,
    gate_of,
    own_words,
    releases_of,
)
from roadstead.store.rows import in_parts, table_of

if TYPE_CHECKING:
    from roadstead.store.store import Store


VESSEL = table_of(schema.Vessel)
LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Of a permanent id: 31, a prime, without those that look like others."""
RANDOM_LETTERS = 6


class Releases:
    """What of a store is released, and the steps there; each is one row of the chain."""

    def __init__(self, store: Store) -> None:
        """Take an open store."""
        self._store = store

    def all(self) -> tuple[Release, ...]:
        """Return every release, oldest first."""
        with self._store.transaction(writes=False) as connection:
            return _all(connection)

    def one(self, name: str) -> Release | None:
        """Return a release by its permanent id; None where there is none.

        Raises:
            UsageError: it is no permanent id.
        """
        with self._store.transaction(writes=False) as connection:
            return _named(connection, name)

    def ask(self, asking: Asking, user: str, now: datetime, *, after: int) -> Decision:
        """Ask for release, or for a correction of what is out.

        Args:
            asking: The request.
            user: Who asks.
            now: UTC.
            after: `seq` of the newest row about the finding that the asker had seen.

        Raises:
            OvertakenError: another row was added meanwhile.
            UsageError: it may not be asked for, or something in it is missing or accuses.
        """
        with self._store.transaction(writes=True) as connection:
            alone(connection)
            _person(connection, user)
            told = _told(connection, asking.port, asking.finding)
            if told and told[-1].seq != after:
                raise OvertakenError("something was added to this finding meanwhile; nothing was written")
            gate = gate_of(told, asking.evidence)
            decision = _to_go_out(gate, asking)
            row = {
                **{name: getattr(asking, name) for name in ("port", "overpass_id", "finding", "simulated")},
                "kind": "asked_release",
                "evidence": canonical(asking.evidence),
                "details": canonical(asking.details(decision)),
            }
            return append(connection, row, user, now)

    def release(
        self,
        port: str,
        finding: str,
        evidence: Mapping[str, Any] | None,
        user: str,
        now: datetime,
        *,
        asked: int,
    ) -> Release:
        """Release what was asked for; only a second person may.

        Args:
            port: Slug of the port.
            finding: As the chain names it.
            evidence: The finding as it stands; None where it is gone.
            user: Who releases.
            now: UTC.
            asked: `seq` of the request.

        Raises:
            OvertakenError: the request lapsed or was answered.
            UsageError: this person may not release it.
        """
        with self._store.transaction(writes=True) as connection:
            alone(connection)
            added = _person(connection, user)
            told = _told(connection, port, finding)
            gate = gate_of(told, evidence)
            request = _answerable(gate, asked)
            if why := gate.refusal(user, added):
                raise UsageError(f"not released: {why}")
            details = {**request.more, "asked": request.seq, "asked_by": request.user_name}
            kind = "correction" if "id" in details else "released"
            details.setdefault("id", _unused(connection, now.year))
            made = append(connection, _after(request, kind, details), user, now)
            return next(one for one in releases_of((*told, made)) if one.id == details["id"])

    def send_back(
        self, port: str, finding: str, words: str, user: str, now: datetime, *, asked: int
    ) -> Decision:
        """Send a request back with words; whoever asked may withdraw it so.

        Raises:
            OvertakenError: it was answered.
            UsageError: no words.
        """
        with self._store.transaction(writes=True) as connection:
            alone(connection)
            _person(connection, user)
            gate = gate_of(_told(connection, port, finding), None)
            request = gate.asked or gate.lapsed
            if request is None or request.seq != asked:
                raise OvertakenError("this request was answered meanwhile; nothing was written")
            said = words.replace("\r\n", "\n").strip()
            if not 3 <= len(said) <= LONGEST_SUMMARY:
                raise UsageError(f"say in 3 to {LONGEST_SUMMARY} characters why it goes back")
            return append(
                connection, _after(request, "sent_back", {"asked": request.seq, "words": said}), user, now
            )

    def retract(self, name: str, words: str, user: str, now: datetime) -> Decision:
        """Retract a release with a reason that goes out; one person may, so that it can be done at once.

        Raises:
            UsageError: there is no such release, it is retracted, or the words cannot go out.
        """
        with self._store.transaction(writes=True) as connection:
            alone(connection)
            _person(connection, user)
            release = _out(connection, name)
            if release.retraction is not None:
                raise UsageError(f"{release.id} is retracted already")
            said = own_words("the reason", words, LONGEST_SUMMARY, 10)
            return append(
                connection,
                _after(release.content, "retraction", {"id": release.id, "words": said}),
                user,
                now,
            )

    def reply(self, name: str, sender: str, received: date, text: str, user: str, now: datetime) -> Decision:
        """Enter a reply as it was received, word for word.

        Raises:
            UsageError: there is no such release; sender, day or text is missing; the day is before the overpass or
                still to come; or the same reply is entered already.
        """
        who, said = " ".join(sender.split()), text.replace("\r\n", "\n").strip()
        if not (0 < len(who) <= 200 and 0 < len(said) <= LONGEST_REPLY):
            raise UsageError(
                f"a reply needs who sent it (200 characters) and its text ({LONGEST_REPLY} at most)"
            )
        if received > now.date():
            raise UsageError(f"received {received}: that day is still to come")
        with self._store.transaction(writes=True) as connection:
            alone(connection)
            _person(connection, user)
            release = _out(connection, name)
            told = {"id": release.id, "sender": who, "received": received.isoformat(), "text": said}
            seen = release.content.seen.get("acquired")
            if seen and received < datetime.fromisoformat(seen).date():
                raise UsageError(f"received {received}: that is before the overpass of {seen[:10]}")
            if any(one.more == told for one in release.replies):
                raise UsageError("this reply is entered already: the same sender, day and text")
            return append(connection, _after(release.content, "reply", told), user, now)

    def exported(
        self, port: str, details: Mapping[str, Any], simulated: bool, user: str, now: datetime
    ) -> Decision:
        """Write down that files with identities in them were handed to a person.

        Raises:
            UsageError: this person may not have them.
        """
        with self._store.transaction(writes=True) as connection:
            alone(connection)
            _person(connection, user)
            row: dict[str, Any] = {"kind": "exported", "port": port, "overpass_id": "", "finding": ""}
            row |= {"evidence": "{}", "details": canonical(details), "simulated": simulated}
            return append(connection, row, user, now)

    def names(self) -> frozenset[str]:
        """Return every name and callsign that the store holds; numbers are masked by their form."""
        columns = [VESSEL.c.name, VESSEL.c.callsign]
        with self._store.transaction(writes=False) as connection:
            found = connection.scalars(union(*(select(column) for column in columns)))
            return frozenset(str(value) for value in found if value)


def _person(connection: Connection, user: str) -> datetime:
    """Return when the account of somebody who may decide was made; roles are looked up as the row is written."""
    may = USER.c.role.in_(ROLES[1:])
    chosen = select(USER.c.created).where(USER.c.name == user, USER.c.disabled.is_(False), may)
    created: datetime | None = connection.scalar(chosen)
    if created is None:
        raise UsageError(f"{user!r} is no analyst or admin of this store")
    return created


def _told(connection: Connection, port: str, finding: str) -> tuple[Decision, ...]:
    return tuple(_rows(connection, and_(DECISION.c.port == port, DECISION.c.finding == finding)))


def _to_go_out(gate: Gate, asking: Asking) -> Decision:
    """Return the decision that a request stands on."""
    if gate.held is None or gate.held.kind not in GOES_OUT:
        raise UsageError("nothing can be released: no decision stands that accepts or corrects this finding")
    if gate.asked is not None:
        raise UsageError(f"{gate.asked.user_name} has asked already; it is released or sent back first")
    out = None if gate.release is None else gate.release.id
    if asking.corrects != out:
        raise UsageError(
            f"it is out as {out}: ask for a correction of that"
            if out
            else f"{asking.corrects} is not out, so there is nothing to correct"
        )
    return gate.held


def _answerable(gate: Gate, asked: int) -> Decision:
    if gate.lapsed is not None and gate.lapsed.seq == asked:
        raise OvertakenError(
            "the request lapsed: the finding or its decision has changed since. Look again and ask anew; "
            "nothing was released"
        )
    if gate.asked is None or gate.asked.seq != asked:
        raise OvertakenError("this request was answered or replaced meanwhile; nothing was released")
    return gate.asked


def _all(connection: Connection) -> tuple[Release, ...]:
    """Return every release with the decisions that they stand on."""
    out = _rows(connection, DECISION.c.kind.in_(("released", "correction", "retraction", "reply")))
    on = sorted({row.more["decision"] for row in out if "decision" in row.more})
    decided = [row for part in in_parts(on) for row in _rows(connection, DECISION.c.seq.in_(part))]
    return releases_of((*decided, *out))


def _rows(connection: Connection, condition: ColumnElement[bool]) -> list[Decision]:
    found = connection.execute(select(DECISION).where(condition).order_by(DECISION.c.seq)).mappings()
    return [Decision(**row) for row in found]


def _named(connection: Connection, name: str) -> Release | None:
    key = plain_id(name)
    return next((one for one in _all(connection) if one.id == key), None)


def _out(connection: Connection, name: str) -> Release:
    found = _named(connection, name)
    if found is None:
        raise UsageError(f"nothing was released as {plain_id(name)}")
    return found


def _unused(connection: Connection, year: int) -> str:
    taken = {row.more["id"] for row in _rows(connection, DECISION.c.kind == "released")}
    while (name := new_id(year)) in taken:
        pass
    return name


def _after(row: Decision, kind: str, details: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row about the same finding, with the evidence of that one."""
    same = ("port", "overpass_id", "finding", "evidence", "simulated")
    kept = asdict(row)
    return {**{name: kept[name] for name in same}, "kind": kind, "details": canonical(details)}


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
