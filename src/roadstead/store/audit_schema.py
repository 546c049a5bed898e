"""The tables of the audit: draws, their cells, and what reviewers boxed in them. Rows are only ever added.

None hangs on an acquisition: a rerun that replaces an overpass leaves an audit alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shapely.geometry.base import BaseGeometry
from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from roadstead.store.schema import Base, one_of

ANSWERS = ("boxes", "none", "unjudged")
"""Ships were boxed; no ship is there; it cannot be judged (cloud, haze, ice)."""


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
