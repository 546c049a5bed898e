"""The tables of what people add: users, decisions and files of the desk; draws, cells and boxes of the audit.

None hangs on an acquisition: a rerun that replaces an overpass leaves them alone. Rows of the chain and of the audit
are only ever added.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shapely.geometry.base import BaseGeometry
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
ANSWERS = ("boxes", "none", "unjudged")
"""Ships were boxed; no ship is there; it cannot be judged (cloud, haze, ice)."""


class User(Base):
    """One person of this store."""

    __tablename__ = "users"
    __table_args__ = (
        one_of("role", ROLES),
        UniqueConstraint("oidc_issuer", "oidc_subject", name="uq_users_account"),
    )

    name: Mapped[str] = mapped_column(primary_key=True)
    """Lower case."""
    role: Mapped[str]
    password_hash: Mapped[str]
    """Argon2id, with its parameters and salt."""
    created: Mapped[datetime]
    disabled: Mapped[bool]
    """A person who left: the name stays, so that nobody else decides under it."""
    oidc_issuer: Mapped[str | None]
    """With `oidc_subject`, the account at a provider that logged in under this name first; null before that. The two
    together are what stays of an account there, names and addresses do not (OpenID Connect Core 1.0, 5.7)."""
    oidc_subject: Mapped[str | None]


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


class AuditDraw(Base):
    """One draw of cells."""

    __tablename__ = "audit_draws"

    draw: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, 2, 3, ..."""
    drawn: Mapped[datetime]
    seed: Mapped[int]
    wanted: Mapped[int]
    """Cells asked for at each port."""
    frame: Mapped[dict[str, Any]]
    """``strata``: of each its ``port``, ``kind``, ``found``, and how many cells it had that were not drawn before
    (``cells``), were ``drawn`` and were ``unread``; ``overpasses``: port -> those that the cells lay in; ``unread``:
    the cells that were next in the random order and whose image could not be read, and why."""


class AuditCell(Base):
    """One cell drawn: a square of a zone at an overpass, with its picture."""

    __tablename__ = "audit_cells"
    __table_args__ = (
        ForeignKeyConstraint(["draw"], ["audit_draws.draw"]),
        UniqueConstraint("port", "zone", "overpass_id", "col", "row", name="uq_audit_cells_place"),
    )

    cell: Mapped[str] = mapped_column(primary_key=True)
    """Tells nothing of what is in it."""
    draw: Mapped[int]
    place: Mapped[int]
    """In the order of the draw, which is random."""
    port: Mapped[str]
    zone: Mapped[str]
    kind: Mapped[str]
    """Of the zone."""
    overpass_id: Mapped[str]
    acquired: Mapped[datetime]
    scene_id: Mapped[str]
    """The scene that shows most of it."""
    col: Mapped[int]
    row: Mapped[int]
    """Of the square, in squares of the port's grid."""
    found: Mapped[bool]
    """Stratum: whether the model found any hull in it. Never shown to a reviewer."""
    inclusion: Mapped[float]
    """Probability that this draw took it."""
    second: Mapped[bool]
    """Whether a second reviewer looks at it too."""
    area: Mapped[BaseGeometry]
    """What is audited: the zone's own water in the square that was searched; EPSG:4326."""
    crs: Mapped[str]
    """Of the picture: EPSG code, metres."""
    left: Mapped[float]
    top: Mapped[float]
    """Upper-left corner of the picture in the CRS."""
    pixel_m: Mapped[float]
    width: Mapped[int]
    height: Mapped[int]
    image: Mapped[bytes]
    """Lossless WebP, RGB, north up: the square and a margin around it."""
    output: Mapped[dict[str, Any]]
    """What the model gave when it was drawn: ``model_id``, ``model_sha256``, ``hulls``. Never shown to a reviewer."""
    simulated: Mapped[bool]


class AuditAnswer(Base):
    """What one reviewer said of one cell; a correction is another answer."""

    __tablename__ = "audit_answers"
    __table_args__ = (
        ForeignKeyConstraint(["cell"], ["audit_cells.cell"]),
        one_of("kind", ANSWERS),
        UniqueConstraint("cell", "reviewer", "turn", name="uq_audit_answers_turn"),
        UniqueConstraint("corrects", name="uq_audit_answers_corrects"),
    )

    answer: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """1, 2, 3, ... over all cells."""
    cell: Mapped[str]
    reviewer: Mapped[int]
    """1 or 2: who came first."""
    turn: Mapped[int]
    """1 for the first answer of a reviewer, 2 for its first correction."""
    user_name: Mapped[str]
    submitted: Mapped[datetime]
    kind: Mapped[str]
    note: Mapped[str]
    corrects: Mapped[int | None]
    """`answer` that this one takes the place of."""


class AuditBox(Base):
    """One ship of an answer."""

    __tablename__ = "audit_boxes"
    __table_args__ = (ForeignKeyConstraint(["answer"], ["audit_answers.answer"]),)

    answer: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hull_class: Mapped[str | None] = mapped_column("class")
    """Null: the reviewer cannot tell."""
    length_m: Mapped[float]
    width_m: Mapped[float]
    axis_deg: Mapped[float]
    lon: Mapped[float]
    lat: Mapped[float]
    geometry: Mapped[BaseGeometry]
    """The oriented box, bow first; EPSG:4326."""
    pixels: Mapped[str]
    """Its corners in the picture, as drawn: JSON [[x, y] * 4]."""
