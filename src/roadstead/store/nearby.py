"""What lies around a finding in space and time: other looks at the same place, and the vessels heard there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import ColumnElement, Connection, Select, and_, select

from roadstead.core.geo import Bounds
from roadstead.store import schema
from roadstead.store.conditions import SCENE, touches
from roadstead.store.rows import table_of

if TYPE_CHECKING:
    from roadstead.store.store import Store

POSITION, VESSEL = table_of(schema.Position), table_of(schema.Vessel)
Row = dict[str, Any]
MOST_REPORTS = 4000
"""Reports of vessels nearby that are read, those nearest in time to the overpass."""
MOST_LOOKS = 400
"""Looks at a place that are tried for a clear one: more than a year of both satellites."""


class Nearby:
    """What a store holds around a place and a moment."""

    def __init__(self, store: Store) -> None:
        """Take an open store."""
        self._store = store

    def clear_looks(
        self, port: str, overpass_id: str, place: tuple[float, float], when: datetime, sensor: str
    ) -> tuple[Row | None, Row | None]:
        """Return the scene before and the one after in which a place (lon, lat) was searched, of other overpasses.

        A place counts as clear where it lies in the area that was searched: valid, imaged and not under cloud.
        """
        lon, lat = place
        own = and_(
            SCENE.c.port == port,
            SCENE.c.sensor == sensor,
            SCENE.c.overpass_id != overpass_id,
            *touches(SCENE, (lon, lat, lon, lat)),
        )
        chosen = select(
            SCENE.c.overpass_id, SCENE.c.scene_id, SCENE.c.acquired, SCENE.c.simulated, SCENE.c.valid_area
        ).where(own)
        before = chosen.where(SCENE.c.acquired < when).order_by(SCENE.c.acquired.desc())
        after = chosen.where(SCENE.c.acquired > when).order_by(SCENE.c.acquired)
        point = shapely.Point(lon, lat)
        with self._store.transaction(writes=False) as connection:
            return _first_clear(connection, before, point), _first_clear(connection, after, point)

    def reports(
        self, port: str, overpass_id: str, when: datetime, reach: timedelta, within: Bounds
    ) -> tuple[list[Row], bool]:
        """Return position reports kept with an overpass inside bounds, and whether some were left out.

        Those nearest in time come first in being kept; they are returned oldest first.
        """
        west, south, east, north = within
        own = and_(
            POSITION.c.port == port,
            POSITION.c.overpass_id == overpass_id,
            POSITION.c.lon.between(west, east),
            POSITION.c.lat.between(south, north),
        )
        time, half = POSITION.c.time, MOST_REPORTS // 2
        early = select(POSITION).where(own, time <= when, time >= when - reach).order_by(time.desc())
        late = select(POSITION).where(own, time > when, time <= when + reach).order_by(time)
        with self._store.transaction(writes=False) as connection:
            parts = [_rows(connection, part.limit(half + 1)) for part in (early, late)]
        cut = any(len(part) > half for part in parts)
        return [*reversed(parts[0][:half]), *parts[1][:half]], cut

    def of_vessels(self, port: str, overpass_id: str, mmsis: Sequence[str]) -> list[Row]:
        """Return all reports of some vessels kept with an overpass, oldest first."""
        own = _kept_with(POSITION, port, overpass_id, mmsis)
        with self._store.transaction(writes=False) as connection:
            return _rows(connection, select(POSITION).where(own).order_by(POSITION.c.time))

    def static(self, port: str, overpass_id: str, mmsis: Sequence[str]) -> list[Row]:
        """Return what some vessels declared of themselves, as kept with an overpass, oldest first."""
        own = _kept_with(VESSEL, port, overpass_id, mmsis)
        with self._store.transaction(writes=False) as connection:
            return _rows(connection, select(VESSEL).where(own).order_by(VESSEL.c.time))


def _kept_with(table: Any, port: str, overpass_id: str, mmsis: Sequence[str]) -> ColumnElement[bool]:  # noqa: ANN401 - a table
    named = table.c.mmsi.in_(list(mmsis))
    return and_(table.c.port == port, table.c.overpass_id == overpass_id, named)


def _first_clear(connection: Connection, chosen: Select[Any], point: shapely.Point) -> Row | None:
    for row in connection.execute(chosen.limit(MOST_LOOKS)).mappings():
        if shapely.covers(row["valid_area"], point):
            return {name: value for name, value in row.items() if name != "valid_area"}
    return None


def _rows(connection: Connection, chosen: Select[Any]) -> list[Row]:
    return [dict(row) for row in connection.execute(chosen).mappings()]
