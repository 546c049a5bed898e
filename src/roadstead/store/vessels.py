"""Declared vessels of a store: finding them by what they say of themselves, and what is kept of each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, case, func, select, union

from roadstead.core.geo import Bounds
from roadstead.store.leads import MATCH, POSITION, VESSEL, same_overpass
from roadstead.store.rows import ACQUISITION

if TYPE_CHECKING:
    from roadstead.store.store import Store

Row = dict[str, Any]
MOST_FOUND = 50
LEAST_LETTERS = 2
MOST_REPORTS = 4000
_IMO = re.compile(r"(?:imo)?\s*(\d{7})", re.IGNORECASE)


class Vessels:
    """What a store keeps of declared vessels."""

    def __init__(self, store: Store) -> None:
        """Take an open store."""
        self._store = store

    def find(self, asked: str) -> list[str]:
        """Return the MMSIs that nine digits, an IMO number (with or without ``IMO``) or a part of a name mean.

        The first letters of names count most; `MOST_FOUND` at most.
        """
        text = " ".join(asked.split())
        if re.fullmatch(r"[0-9]{9}", text):
            named = union(
                *(select(table.c.mmsi).where(table.c.mmsi == text) for table in (VESSEL, POSITION, MATCH))
            )
            return self._column(named)
        imo = _IMO.fullmatch(text)
        if imo:
            of_imo = select(VESSEL.c.mmsi).where(VESSEL.c.imo == imo[1]).distinct().order_by(VESSEL.c.mmsi)
            if found := self._column(of_imo.limit(MOST_FOUND)):
                return found
        if len(text) < LEAST_LETTERS:
            return []
        name = func.lower(VESSEL.c.name)
        part = name.contains(text.lower(), autoescape=True)
        starts = func.max(case((name.startswith(text.lower(), autoescape=True), 1), else_=0))
        chosen = (
            select(VESSEL.c.mmsi).where(part).group_by(VESSEL.c.mmsi).order_by(starts.desc(), VESSEL.c.mmsi)
        )
        return self._column(chosen.limit(MOST_FOUND))

    def last_said(self, mmsis: list[str]) -> dict[str, Row]:
        """Return MMSI -> what it declared last of itself."""
        if not mmsis:
            return {}
        columns = [c for c in VESSEL.c if c.name not in ("port", "overpass_id", "row")]
        chosen = select(*columns).where(VESSEL.c.mmsi.in_(mmsis)).order_by(VESSEL.c.time)
        return {row["mmsi"]: row for row in self._all(chosen)}

    def windows(self, mmsi: str, most: int) -> list[Row]:
        """Return the overpasses that reports of a vessel are kept with, newest first: port, overpass_id, acquired."""
        kept = (
            select(POSITION.c.port, POSITION.c.overpass_id, func.count().label("reports"))
            .where(POSITION.c.mmsi == mmsi)
            .group_by(POSITION.c.port, POSITION.c.overpass_id)
            .subquery()
        )
        chosen = select(kept, ACQUISITION.c.acquired).join(ACQUISITION, same_overpass(kept, ACQUISITION))
        return self._all(chosen.order_by(ACQUISITION.c.acquired.desc()).limit(most))

    def heard(self, port: str, overpass_id: str, mmsi: str, margin_deg: float) -> list[Row]:
        """Return the reports of a vessel kept with an overpass, and those of others around its track; oldest first.

        `MOST_REPORTS` of each at most.
        """
        own = and_(POSITION.c.port == port, POSITION.c.overpass_id == overpass_id)
        track = self._all(
            select(POSITION).where(own, POSITION.c.mmsi == mmsi).order_by(POSITION.c.time).limit(MOST_REPORTS)
        )
        if not track:
            return []
        west, south, east, north = _bounds(track, margin_deg)
        near = POSITION.c.lon.between(west, east) & POSITION.c.lat.between(south, north)
        others = select(POSITION).where(own, POSITION.c.mmsi != mmsi, near).order_by(POSITION.c.time)
        return [*track, *self._all(others.limit(MOST_REPORTS))]

    def _all(self, chosen: Select[Any]) -> list[Row]:
        with self._store.transaction(writes=False) as connection:
            return [dict(row) for row in connection.execute(chosen).mappings()]

    def _column(self, chosen: Any) -> list[str]:  # noqa: ANN401 - a select or a union
        with self._store.transaction(writes=False) as connection:
            return [str(value) for value in connection.scalars(chosen)]


def _bounds(rows: list[Row], margin_deg: float) -> Bounds:
    lons, lats = [row["lon"] for row in rows], [row["lat"] for row in rows]
    return min(lons) - margin_deg, min(lats) - margin_deg, max(lons) + margin_deg, max(lats) + margin_deg
