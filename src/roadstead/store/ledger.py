"""The acquisition ledger: every pass over a port, each in one state; and what changes whenever it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Float, cast, delete, func, insert, select, tuple_

from roadstead.core.schemas import LEDGER
from roadstead.store import schema
from roadstead.store.rows import ACQUISITION, SCENE, frame, table_of

if TYPE_CHECKING:
    from roadstead.imagery import Scene
    from roadstead.store.store import Store


MISSING = table_of(schema.Missing)
_STATES = {"not_observed": "too_cloudy"}
Version = tuple[Any, ...]


@dataclass(frozen=True)
class MissingPass:
    """A pass that the orbits say took place and that no catalogue lists."""

    platform: str
    """E.g. ``sentinel-2b``."""
    expected: datetime
    """UTC."""
    state: str
    """One of `schemas.MISSING_STATES`."""
    reason: str

    @property
    def day(self) -> str:
        """The UTC date: a satellite sees a port once a day at most."""
        return _day(self.expected)


def _day(when: datetime) -> str:
    return when.astimezone(UTC).date().isoformat()


def _name(platform: str | None) -> str:
    """Return a platform as orbits name it: providers differ in capitals."""
    return str(platform).lower()


def put_missing(connection: Connection, port: str, passes: Sequence[MissingPass]) -> None:
    """Put passes in the place of those of the same platform and day, but for those that the store holds images of."""
    _delete(connection, port, {(one.platform, one.day) for one in passes})
    images = select(SCENE.c.platform, SCENE.c.acquired).where(SCENE.c.port == port)
    held = {(_name(row.platform), _day(row.acquired)) for row in connection.execute(images)}
    rows = [
        {
            "port": port,
            "platform": one.platform,
            "day": one.day,
            "expected": one.expected,
            "state": one.state,
            "reason": one.reason,
        }
        for one in passes
        if (one.platform, one.day) not in held
    ]
    if rows:
        connection.execute(insert(MISSING), rows)


def forget_missing(connection: Connection, port: str, scenes: Iterable[Scene]) -> None:
    """Take out the pass that these scenes are of: it is missing no longer."""
    _delete(connection, port, {(_name(scene.platform), _day(scene.acquired)) for scene in scenes})


def _delete(connection: Connection, port: str, days: Iterable[tuple[str, str]]) -> None:
    listed = tuple_(MISSING.c.platform, MISSING.c.day).in_(sorted(days))
    connection.execute(delete(MISSING).where(MISSING.c.port == port, listed))


def ledger_of(
    connection: Connection,
    port: str,
    start: datetime | None,
    end: datetime | None,
    tried: Sequence[Mapping[str, Any]],
) -> pd.DataFrame:
    """Return `schemas.LEDGER` of the acquisitions ``tried`` and of the passes missing in [start, end)."""
    chosen = select(MISSING).where(MISSING.c.port == port)
    if start is not None:
        chosen = chosen.where(MISSING.c.expected >= start)
    if end is not None:
        chosen = chosen.where(MISSING.c.expected < end)
    of_scene = select(SCENE.c.overpass_id, SCENE.c.platform).where(SCENE.c.port == port)
    platforms = {
        row.overpass_id: row.platform and row.platform.lower() for row in connection.execute(of_scene)
    }
    rows = [{**row, **_tried(row, platforms)} for row in tried]
    blank = dict.fromkeys(LEDGER.columns)
    rows += [
        {**blank, **row, "acquired": row["expected"]} for row in connection.execute(chosen).mappings().all()
    ]
    table = frame(rows, LEDGER)
    return table.sort_values(["acquired", "overpass_id"], kind="stable", ignore_index=True)


def _tried(row: Mapping[str, Any], platforms: Mapping[str, str | None]) -> dict[str, Any]:
    reasons = [row[name] for name in ("reason", "later_failure", "tried") if row[name]]
    return {
        "state": _STATES.get(row["state"], row["state"]),
        "platform": platforms.get(row["overpass_id"]),
        "reason": "; ".join(reasons) or None,
    }


def version_of(store: Store) -> Version:
    """Return what changes whenever an overpass is stored, replaced or taken out, fails, or a pass is missing.

    Times of storing are added up: of two processes that replace overpasses at once, the one that began first may be
    done last, so that the latest time alone would not tell.
    """
    with store.transaction(writes=False) as connection:
        a, m = ACQUISITION.c, MISSING.c
        sqlite = connection.dialect.name == "sqlite"
        tried = select(
            func.count(), func.count(a.stored), func.max(a.stored), _sum(a.stored, sqlite), _letters(a.reason),
            _letters(a.later_failure),
        ).select_from(ACQUISITION)  # fmt: skip
        missing = select(func.count(), _sum(m.expected, sqlite), _letters(m.reason)).select_from(MISSING)
        return (*connection.execute(tried).one(), *connection.execute(missing).one())


def _sum(time: ColumnElement[Any], sqlite: bool) -> ColumnElement[Any]:
    """Return the sum of times; of their seconds and microseconds alone in SQLite, which keeps them as text."""
    return func.sum(cast(func.substr(time, 18), Float) if sqlite else func.extract("epoch", time))


def _letters(text: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.sum(func.length(text))
