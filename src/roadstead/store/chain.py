"""The chain that decisions are kept in: its rows, their hashes, and adding one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import shapely
from sqlalchemy import Connection, insert, select, text

from roadstead.core.errors import UsageError
from roadstead.store import desk_schema
from roadstead.store.rows import table_of

DECISION = table_of(desk_schema.Decision)
LATER = ("geometry", "attachment", "details")
"""Columns added after the first chains were made: where null they are no part of a row's hash."""
BLANK: Mapping[str, Any] = {
    **dict.fromkeys(("hull_class", "linked_mmsi", "because", "undoes", *LATER)),
    "note": "",
}
"""What a column holds that a row says nothing in."""
GENESIS = "0" * 64
"""What stands before the first row."""


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
        return [[float(x), float(y)] for x, y in box_of(self.geometry).exterior.coords]

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


def box_of(wkt: str) -> shapely.Polygon:
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


def append(connection: Connection, given: Mapping[str, Any], user: str, now: datetime) -> Decision:
    """Add a row to the chain, in the transaction of a writer; columns that are not given are `BLANK`."""
    alone(connection)
    last = connection.execute(
        select(DECISION.c.seq, DECISION.c.sha256).order_by(DECISION.c.seq.desc()).limit(1)
    ).one_or_none()
    row = {
        **BLANK,
        **given,
        "seq": 1 if last is None else last.seq + 1,
        "previous_sha256": GENESIS if last is None else last.sha256,
        "decided": now.astimezone(UTC),
        "user_name": user,
    }
    row["sha256"] = digest(row)
    connection.execute(insert(DECISION), [row])
    return Decision(**row)


def verified(rows: Iterable[Decision]) -> Verified:
    """Check the hash of every row of the chain, oldest first, and its link to the row before."""
    faults, hashes, previous, expected = [], set(), GENESIS, 1
    for row in rows:
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
