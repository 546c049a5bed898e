"""Audits: cells drawn at random and what reviewers boxed in them, all of it only ever added."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, Select, func, insert, select

from roadstead.core.errors import UsageError
from roadstead.core.geo import Array, Grid, lonlat_to_xy
from roadstead.core.schemas import CLASSES
from roadstead.store import desk_schema, schema
from roadstead.store.chain import alone
from roadstead.store.decisions import LONGEST_NOTE, OvertakenError
from roadstead.store.desk_schema import ANSWERS
from roadstead.store.ledger import version_of
from roadstead.store.rows import ACQUISITION, table_of

if TYPE_CHECKING:
    from roadstead.store.store import Store

DRAW, CELL, ANSWER, BOX = (
    table_of(entity)
    for entity in (
        desk_schema.AuditDraw,
        desk_schema.AuditCell,
        desk_schema.AuditAnswer,
        desk_schema.AuditBox,
    )
)
DETECTION = table_of(schema.Detection)
Place = tuple[str, str, str, int, int]
"""Port, zone, overpass, column and row of the square."""


@dataclass(frozen=True)
class AuditDraw:
    """One draw; see `audit_model.AuditDraw`."""

    draw: int
    drawn: datetime
    seed: int
    wanted: int
    frame: dict[str, Any]


@dataclass(frozen=True)
class AuditCell:
    """One cell without its picture; see `audit_model.AuditCell`."""

    cell: str
    draw: int
    place: int
    port: str
    zone: str
    kind: str
    overpass_id: str
    acquired: datetime
    scene_id: str
    col: int
    row: int
    found: bool
    inclusion: float
    second: bool
    area: BaseGeometry
    crs: str
    left: float
    top: float
    pixel_m: float
    width: int
    height: int
    output: dict[str, Any]
    simulated: bool

    @cached_property
    def grid(self) -> Grid:
        """Frame of the picture."""
        at = Affine(self.pixel_m, 0.0, self.left, 0.0, -self.pixel_m, self.top)
        return Grid(self.crs, at, self.width, self.height)

    @property
    def reviewers(self) -> int:
        """How many look at it."""
        return 2 if self.second else 1

    def pixels(self, lonlat: Array) -> Array:
        """Map (n, 2) longitude/latitude to (n, 2) pixels (column, row) of the picture."""
        return self.grid.xy_to_colrow(lonlat_to_xy(np.asarray(lonlat, float), self.crs))


@dataclass(frozen=True)
class AuditBox:
    """One ship as boxed."""

    hull_class: str | None
    """None: the reviewer cannot tell."""
    length_m: float
    width_m: float
    axis_deg: float
    lon: float
    lat: float
    geometry: BaseGeometry
    """Bow first, EPSG:4326."""
    pixels: str
    """JSON [[x, y] * 4] in the picture, as drawn."""

    def __post_init__(self) -> None:
        """Refuse an unknown class."""
        if self.hull_class is not None and self.hull_class not in CLASSES:
            raise UsageError(f"class {self.hull_class!r}: choose from {', '.join(CLASSES)}")


@dataclass(frozen=True)
class AuditAnswer:
    """What one reviewer said of one cell."""

    answer: int
    cell: str
    reviewer: int
    turn: int
    user_name: str
    submitted: datetime
    kind: str
    note: str
    corrects: int | None
    boxes: tuple[AuditBox, ...] = ()


_CELL = [CELL.c[field.name] for field in fields(AuditCell)]
_HULL = ("class", "length_m", "p_vessel")


def hull_record(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a detection of `schemas.DETECTIONS`: its box in degrees, class, length, probability."""
    corners = [[float(x), float(y)] for x, y in row["geometry"].exterior.coords][:-1]
    return {"box": corners, "class": str(row["class"])} | {name: float(row[name]) for name in _HULL[1:]}


def newest(answers: Sequence[AuditAnswer]) -> dict[int, AuditAnswer]:
    """Return reviewer -> the answer that stands, of the answers to one cell, oldest first."""
    return {answer.reviewer: answer for answer in answers}


class Audits:
    """The audits of a store."""

    def __init__(self, store: Store) -> None:
        """Take an open store."""
        self._store = store

    def add_draw(
        self,
        seed: int,
        wanted: int,
        frame: Mapping[str, Any],
        cells: Sequence[Mapping[str, Any]],
        now: datetime,
    ) -> AuditDraw:
        """Add a draw with its cells, given as rows of `audit_model.AuditCell` without ``draw``.

        Raises:
            StoreError: a cell was drawn before, or the database failed; nothing is added.
        """
        with self._store.transaction(writes=True) as connection:
            alone(connection, "audit_draws")
            number = (connection.scalar(select(func.max(DRAW.c.draw))) or 0) + 1
            row = {"draw": number, "drawn": now.astimezone(UTC), "seed": seed, "wanted": wanted}
            connection.execute(insert(DRAW), [{**row, "frame": dict(frame)}])
            if cells:
                connection.execute(insert(CELL), [{**cell, "draw": number} for cell in cells])
        return AuditDraw(number, now.astimezone(UTC), seed, wanted, dict(frame))

    def draws(self) -> tuple[AuditDraw, ...]:
        """Return all draws, oldest first."""
        return tuple(AuditDraw(**row) for row in self._rows(select(DRAW).order_by(DRAW.c.draw)))

    def drawn(self) -> frozenset[Place]:
        """Return where cells were drawn."""
        place = select(CELL.c.port, CELL.c.zone, CELL.c.overpass_id, CELL.c.col, CELL.c.row)
        with self._store.transaction(writes=False) as connection:
            return frozenset((p, z, o, c, r) for p, z, o, c, r in connection.execute(place))

    def cells(self, port: str | None = None) -> tuple[AuditCell, ...]:
        """Return cells, by draw and place in it."""
        chosen = select(*_CELL).order_by(CELL.c.draw, CELL.c.place)
        if port is not None:
            chosen = chosen.where(CELL.c.port == port)
        return tuple(AuditCell(**row) for row in self._rows(chosen))

    def cell(self, name: str) -> AuditCell | None:
        """Return a cell by its name."""
        rows = self._rows(select(*_CELL).where(CELL.c.cell == name))
        return AuditCell(**rows[0]) if rows else None

    def image(self, name: str) -> bytes | None:
        """Return a cell's picture (lossless WebP)."""
        with self._store.transaction(writes=False) as connection:
            found: bytes | None = connection.scalar(select(CELL.c.image).where(CELL.c.cell == name))
        return found

    def answers(self, cell: str | None = None) -> dict[str, tuple[AuditAnswer, ...]]:
        """Return cell -> its answers, oldest first; of one cell, or of all."""
        chosen, boxed = (
            select(ANSWER).order_by(ANSWER.c.answer),
            select(BOX).order_by(BOX.c.answer, BOX.c.row),
        )
        if cell is not None:
            chosen = chosen.where(ANSWER.c.cell == cell)
            boxed = boxed.where(BOX.c.answer.in_(select(ANSWER.c.answer).where(ANSWER.c.cell == cell)))
        boxes: dict[int, tuple[AuditBox, ...]] = {}
        for row in self._rows(boxed):
            number, kind = row.pop("answer"), row.pop("class")
            row.pop("row")
            boxes[number] = (*boxes.get(number, ()), AuditBox(hull_class=kind, **row))
        told: dict[str, tuple[AuditAnswer, ...]] = {}
        for row in self._rows(chosen):
            made = AuditAnswer(**row, boxes=boxes.get(row["answer"], ()))
            told[made.cell] = (*told.get(made.cell, ()), made)
        return told

    def submit(
        self,
        cell: AuditCell,
        user: str,
        kind: str,
        boxes: Sequence[AuditBox],
        now: datetime,
        *,
        note: str = "",
        corrects: int | None = None,
    ) -> AuditAnswer:
        """Add an answer to a cell; with ``corrects``, one that takes the place of the user's own newest.

        Raises:
            UsageError: it contradicts itself.
            OvertakenError: the cell has all its answers, or the user has answered it already.
            StoreError: the database failed; nothing is added.
        """
        _check(kind, boxes, note)
        with self._store.transaction(writes=True) as connection:
            alone(connection, "audit_answers")
            reviewer, turn = _place(connection, cell, user, corrects)
            number = (connection.scalar(select(func.max(ANSWER.c.answer))) or 0) + 1
            row: dict[str, Any] = {
                "answer": number, "cell": cell.cell, "reviewer": reviewer, "turn": turn, "user_name": user,
                "submitted": now.astimezone(UTC), "kind": kind, "note": note, "corrects": corrects,
            }  # fmt: skip
            connection.execute(insert(ANSWER), [row])
            rows = [_box_row(number, place, box) for place, box in enumerate(boxes)]
            if rows:
                connection.execute(insert(BOX), rows)
        return AuditAnswer(**row, boxes=tuple(boxes))

    def outputs(self, overpasses: Collection[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
        """Return what the model gives now for overpasses (port, id): ``model_id``, ``model_sha256``, ``hulls``.

        Overpasses that the store no longer holds are left out.
        """
        names = {name for _, name in overpasses}
        own = ACQUISITION.c.overpass_id.in_(names) & (ACQUISITION.c.state == "processed")
        columns = [ACQUISITION.c[n] for n in ("port", "overpass_id", "model_id", "model_sha256")]
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for row in self._rows(select(*columns).where(own)):
            key = row.pop("port"), row.pop("overpass_id")
            if key in overpasses:
                found[key] = {**row, "hulls": []}
        kept = DETECTION.c.overpass_id.in_(names) & DETECTION.c.dropped_because.is_(None)
        for row in self._rows(select(DETECTION).where(kept).order_by(DETECTION.c.detection_id)):
            if (key := (row["port"], row["overpass_id"])) in found:
                found[key]["hulls"].append(hull_record(row))
        return found

    def mark(self) -> tuple[Any, ...]:
        """Return what changes whenever a result of the audits may: answers, cells, what the store holds."""
        with self._store.transaction(writes=False) as connection:
            answers = connection.scalar(select(func.max(ANSWER.c.answer))) or 0
            cells = connection.scalar(select(func.count()).select_from(CELL)) or 0
        return answers, cells, version_of(self._store)

    def _rows(self, chosen: Select[Any]) -> list[dict[str, Any]]:
        with self._store.transaction(writes=False) as connection:
            return [dict(row) for row in connection.execute(chosen).mappings()]


def _check(kind: str, boxes: Sequence[AuditBox], note: str) -> None:
    if kind not in ANSWERS:
        raise UsageError(f"answer {kind!r}: choose from {', '.join(ANSWERS)}")
    if kind == "boxes" and not boxes:
        raise UsageError("no ship is boxed: box them, or say that no ship is there")
    if kind != "boxes" and boxes:
        raise UsageError(
            f"{len(boxes)} ships are boxed, so the answer cannot be that there is none to be seen"
        )
    if len(note) > LONGEST_NOTE:
        raise UsageError(f"the note has {len(note)} characters: {LONGEST_NOTE} at most")


def _place(connection: Connection, cell: AuditCell, user: str, corrects: int | None) -> tuple[int, int]:
    """Return which reviewer of the cell this is, and which turn."""
    told = connection.execute(
        select(ANSWER.c.answer, ANSWER.c.reviewer, ANSWER.c.turn, ANSWER.c.user_name)
        .where(ANSWER.c.cell == cell.cell)
        .order_by(ANSWER.c.answer)
    ).all()
    own = [row for row in told if row.user_name == user]
    if corrects is not None:
        if not own or own[-1].answer != corrects:
            raise OvertakenError("the answer to be corrected is not your newest to this cell: load it again")
        return own[-1].reviewer, own[-1].turn + 1
    if own:
        raise OvertakenError("you have answered this cell: correct your answer instead; nothing was written")
    others = {row.reviewer for row in told}
    if len(others) >= cell.reviewers:
        raise OvertakenError("others have answered this cell meanwhile; nothing was written")
    return len(others) + 1, 1


def _box_row(number: int, place: int, box: AuditBox) -> dict[str, Any]:
    given = {field.name: getattr(box, field.name) for field in fields(box)}
    return {"answer": number, "row": place, "class": given.pop("hull_class"), **given}
