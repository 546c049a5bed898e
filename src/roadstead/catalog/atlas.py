"""What a map of everything shows: places of findings, and what changed last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, select

from roadstead.catalog import model
from roadstead.catalog.leads import DETECTION, FINDING, MATCH
from roadstead.catalog.rows import table_of

if TYPE_CHECKING:
    from roadstead.catalog.store import Store

ACQUISITION = table_of(model.Acquisition)


class Atlas:
    """Places of a store."""

    def __init__(self, store: Store) -> None:
        """Take an open store."""
        self._store = store

    def place(self, port: str, finding: str) -> tuple[float, float] | None:
        """Return longitude and latitude of a finding: its hull's middle, else where it declared to be."""
        hull = select(DETECTION.c.lon, DETECTION.c.lat).where(
            DETECTION.c.port == port, DETECTION.c.detection_id == finding
        )
        declared = select(MATCH.c.west, MATCH.c.south).where(and_(MATCH.c.port == port, FINDING == finding))
        with self._store.transaction(writes=False) as connection:
            found = connection.execute(hull).first() or connection.execute(declared).first()
        return None if found is None else (float(found[0]), float(found[1]))

    def stamp(self, port: str, overpass_id: str) -> str | None:
        """Return what changes when an overpass is stored anew; None where the store has no result of it."""
        own = and_(ACQUISITION.c.port == port, ACQUISITION.c.overpass_id == overpass_id)
        with self._store.transaction(writes=False) as connection:
            row = connection.execute(
                select(ACQUISITION.c.stored, ACQUISITION.c.inputs_sha256).where(own)
            ).first()
        return None if row is None or row[0] is None else f"{row[0].isoformat()} {row[1] or ''}"
