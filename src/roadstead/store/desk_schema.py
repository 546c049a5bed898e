"""The tables of the analyst's desk: users, sessions, visits, decisions and files attached to findings.

None hangs on an acquisition: a rerun that replaces an overpass leaves them alone.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from roadstead.store.schema import Base, one_of

ROLES = ("viewer", "analyst", "admin")
"""Each may do what those before it may: look; decide; undo what others decided and keep the list of people."""
DECISIONS = ("accepted", "rejected", "corrected", "undone", "attached")
"""``attached`` adds a file and decides nothing."""
RELEASES = ("asked_release", "released", "sent_back", "correction", "retraction", "reply", "exported")
"""Further rows of the chain, on the way of a finding to the outside; none is a decision about it."""
FIXED_STRUCTURE = "fixed_structure"
BECAUSE = ("no_vessel", "explained", FIXED_STRUCTURE)
"""Why a lead was rejected, where the analyst says: nothing floats there; a vessel does and the lead is explained; or
what is there stands fixed, and later overpasses of the port leave it out."""


class User(Base):
    """One person of this store."""

    __tablename__ = "users"
    __table_args__ = (one_of("role", ROLES),)

    name: Mapped[str] = mapped_column(primary_key=True)
    """Lower case."""
    role: Mapped[str]
    password_hash: Mapped[str]
    """Argon2id, with its parameters and salt."""
    created: Mapped[datetime]
    disabled: Mapped[bool]
    """A person who left: the name stays, so that nobody else decides under it."""


class Session(Base):
    """One log-in that has not ended."""

    __tablename__ = "sessions"
    __table_args__ = (ForeignKeyConstraint(["user_name"], ["users.name"], ondelete="CASCADE"),)

    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    """Of the cookie's token: who reads the store cannot log in with it."""
    user_name: Mapped[str]
    created: Mapped[datetime]
    expires: Mapped[datetime]


class Visit(Base):
    """One log-in, kept: what is new since the one before is shown."""

    __tablename__ = "visits"
    __table_args__ = (ForeignKeyConstraint(["user_name"], ["users.name"], ondelete="CASCADE"),)

    user_name: Mapped[str] = mapped_column(primary_key=True)
    started: Mapped[datetime] = mapped_column(primary_key=True)


class Decision(Base):
    """One decision about a finding; rows are only ever added, and triggers refuse anything else."""

    __tablename__ = "decisions"
    __table_args__ = (
        one_of("kind", (*DECISIONS, *RELEASES)),
        UniqueConstraint("sha256", name="uq_decisions_sha256"),
        UniqueConstraint("previous_sha256", name="uq_decisions_previous_sha256"),
        Index(None, "port", "finding"),
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, 2, 3, ... without holes."""
    previous_sha256: Mapped[str]
    """`sha256` of the row before; of the first, 64 zeros. Unique: the chain never forks."""
    sha256: Mapped[str]
    """Of the canonical JSON of all other columns."""
    decided: Mapped[datetime]
    user_name: Mapped[str]
    kind: Mapped[str]
    port: Mapped[str]
    overpass_id: Mapped[str]
    finding: Mapped[str]
    """The detection's id, or ``MMSI@overpass`` of a declared vessel without one."""
    hull_class: Mapped[str | None]
    """Class as corrected."""
    linked_mmsi: Mapped[str | None]
    """Declared vessel that the analyst links the hull to."""
    because: Mapped[str | None]
    note: Mapped[str]
    undoes: Mapped[int | None]
    """`seq` of the decision that this row takes back."""
    evidence: Mapped[str]
    """Canonical JSON of the finding as it was when decided; it outlives a rerun."""
    simulated: Mapped[bool]
    geometry: Mapped[str | None]
    """Oriented box as drawn: WKT polygon in EPSG:4326. Null columns from here on are no part of the hash."""
    attachment: Mapped[str | None]
    """Canonical JSON of what is said of a file: its sha256, name, type, size, licence, source."""
    details: Mapped[str | None]
    """Canonical JSON of what `RELEASES` say; part of the hash where it is there."""


class AttachedFile(Base):
    """The bytes of a file that was attached; rows are only ever added, and what is said of them is in the chain."""

    __tablename__ = "attached_files"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    """Of `content`."""
    content: Mapped[bytes]
    """As it was uploaded."""
    shown: Mapped[bytes | None]
    """An image made anew as WebP for pages; null of a document."""
