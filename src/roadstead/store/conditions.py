"""Which rows of the store are meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from roadstead.core.errors import UsageError
from roadstead.core.geo import Bounds
from roadstead.store import schema
from roadstead.store.rows import Rows, table_of

ACQUISITION, SCENE = table_of(schema.Acquisition), table_of(schema.Scene)
AT_ONCE = 500
"""Values that one statement asks for: databases bound how many it may hold."""
_Value = TypeVar("_Value")


def in_parts(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    """Yield values in parts that a statement may ask for."""
    return (values[first : first + AT_ONCE] for first in range(0, len(values), AT_ONCE))


def is_it(port: str, overpass_id: str) -> ColumnElement[bool]:
    """Mean one acquisition."""
    return (ACQUISITION.c.port == port) & (ACQUISITION.c.overpass_id == overpass_id)


def between(start: datetime | None, end: datetime | None, or_none: bool) -> list[ColumnElement[bool]]:
    """Mean acquisitions in [start, end), with ``or_none`` those of unknown time too."""
    acquired = ACQUISITION.c.acquired
    limits = [acquired >= start] if start else []
    limits += [acquired < end] if end else []
    return [or_(limit, acquired.is_(None)) for limit in limits] if or_none else limits


def touches(table: Table, within: Bounds | None) -> list[ColumnElement[bool]]:
    """Mean rows whose box touches bounds in degrees."""
    if within is None:
        return []
    west, south, east, north = within
    c = table.c
    return [c.west <= east, c.east >= west, c.south <= north, c.north >= south]


def result_stands(connection: Connection, port: str, overpass_id: str) -> bool:
    """Return whether an overpass has a result."""
    chosen = select(ACQUISITION.c.state).where(is_it(port, overpass_id))
    return connection.scalar(chosen) not in (None, "failed")


def replaced(port: str, overpass_id: str, scene_ids: Sequence[str]) -> ColumnElement[bool]:
    """Mean an overpass, those that hold one of its scenes, and scenes listed as failed by themselves."""
    holders = select(SCENE.c.overpass_id).where(SCENE.c.port == port, SCENE.c.scene_id.in_(scene_ids))
    named = ACQUISITION.c.overpass_id.in_([overpass_id, *scene_ids])
    return and_(ACQUISITION.c.port == port, or_(named, ACQUISITION.c.overpass_id.in_(holders)))


def keep_apart(connection: Connection, replaced: ColumnElement[bool], rows: Rows) -> None:
    """Refuse to put a simulated result in the place of a real one, or a real in the place of a simulated."""
    (new,) = rows[ACQUISITION]
    names = {True: "simulated", False: "real"}
    other = ACQUISITION.c.simulated.is_not(None) & (ACQUISITION.c.simulated != new["simulated"])
    standing = connection.scalar(select(ACQUISITION.c.overpass_id).where(replaced, other))
    if standing is not None:
        raise UsageError(
            f"overpass {new['overpass_id']} is {names[new['simulated']]}, and the store holds {standing}, which is "
            f"{names[not new['simulated']]}, in its place: give simulated data a store of its own (--store)"
        )
