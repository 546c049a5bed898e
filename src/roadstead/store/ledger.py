"""The acquisition ledger: every pass over a port, each in one state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import Connection, delete, insert, select, tuple_

from roadstead.core.schemas import LEDGER
from roadstead.store import schema
from roadstead.store.conditions import SCENE
from roadstead.store.rows import frame, table_of

if TYPE_CHECKING:
    from roadstead.imagery import Scene

MISSING = table_of(schema.Missing)
_STATES = {"not_observed": "too_cloudy"}


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
