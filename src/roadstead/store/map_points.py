"""What a map of everything shows: places of all findings as columns, AIS reports of an overpass, what changed last."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_, select

from roadstead.core.schemas import CLASSES, STATUSES
from roadstead.store.leads import DETECTION, FINDING, MATCH, POSITION, LeadKey, named, same_hull
from roadstead.store.ledger import version_of
from roadstead.store.rows import ACQUISITION, is_it

if TYPE_CHECKING:
    from roadstead.store.store import Store


@dataclass(frozen=True)
class Pass:
    """One overpass that has a result."""

    port: str
    overpass_id: str
    acquired: datetime
    state: str
    simulated: bool


@dataclass(frozen=True)
class Points:
    """Every finding as a point, as columns of one length; about 100 bytes each."""

    passes: tuple[Pass, ...]
    """By time, then port."""
    of: NDArray[np.int32]
    """Place of each point's overpass in `passes`."""
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    status: NDArray[np.int8]
    """Place in `schemas.STATUSES`."""
    hull_class: NDArray[np.int8]
    """Place in `schemas.CLASSES`; -1 where no hull was found."""
    conflict: NDArray[np.bool_]
    findings: tuple[str, ...]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.findings)


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
        key = LeadKey(port, finding, None)
        declared = select(MATCH.c.west, MATCH.c.south).where(MATCH.c.port == port, named([key]))
        with self._store.transaction(writes=False) as connection:
            found = connection.execute(hull).first() or connection.execute(declared).first()
        return None if found is None else (float(found[0]), float(found[1]))

    def stamp(self, port: str, overpass_id: str) -> str | None:
        """Return what changes when an overpass is stored anew; None where the store has no result of it."""
        with self._store.transaction(writes=False) as connection:
            row = connection.execute(
                select(ACQUISITION.c.stored, ACQUISITION.c.inputs_sha256).where(is_it(port, overpass_id))
            ).first()
        return None if row is None or row[0] is None else f"{row[0].isoformat()} {row[1] or ''}"

    def version(self) -> str:
        """Return a digest that changes whenever an overpass is stored, replaced or taken out."""
        return hashlib.sha256(repr(version_of(self._store)).encode()).hexdigest()

    def points(self) -> Points:
        """Return every finding of every overpass; detections that were dropped are none."""
        passes = self.passes()
        number = {(one.port, one.overpass_id): index for index, one in enumerate(passes)}
        status = {name: index for index, name in enumerate(STATUSES)}
        kind: dict[str | None, int] = {name: index for index, name in enumerate(CLASSES)} | {None: -1}
        m = MATCH.c
        chosen = select(
            m.port, m.overpass_id, m.west, m.south, m.status, DETECTION.c["class"], m.conflicts != "", FINDING
        ).outerjoin(DETECTION, same_hull())
        with self._store.transaction(writes=False) as connection:
            rows = [row for row in connection.execute(chosen) if (row[0], row[1]) in number]
        columns: list[Any] = list(zip(*rows, strict=True)) or [()] * 8
        ports, overpasses, lon, lat, statuses, classes, conflicts, findings = columns
        return Points(
            passes,
            np.array([number[key] for key in zip(ports, overpasses, strict=True)], np.int32),
            np.array(lon, float),
            np.array(lat, float),
            np.array([status[name] for name in statuses], np.int8),
            np.array([kind[name] for name in classes], np.int8),
            np.array(conflicts, bool),
            tuple(findings),
        )

    def passes(self) -> tuple[Pass, ...]:
        """Return every overpass that has a result, by time, then port."""
        c = ACQUISITION.c
        chosen = select(c.port, c.overpass_id, c.acquired, c.state, c.simulated).where(
            c.acquired.is_not(None), c.stored.is_not(None)
        )
        with self._store.transaction(writes=False) as connection:
            rows = connection.execute(chosen.order_by(c.acquired, c.port, c.overpass_id)).all()
        return tuple(
            Pass(port, name, acquired, state, bool(made_up)) for port, name, acquired, state, made_up in rows
        )

    def hulls(self, port: str, overpass_id: str) -> list[tuple[str, Any]]:
        """Return (detection id, oriented box) of the hulls of an overpass, without those that were dropped."""
        c = DETECTION.c
        own = and_(c.port == port, c.overpass_id == overpass_id, c.dropped_because.is_(None))
        with self._store.transaction(writes=False) as connection:
            return [
                (name, box) for name, box in connection.execute(select(c.detection_id, c.geometry).where(own))
            ]

    def reports(self, port: str, overpass_id: str, most: int) -> list[tuple[str, float, float, datetime]]:
        """Return (MMSI, longitude, latitude, time) of reports kept with an overpass, by vessel and time."""
        c = POSITION.c
        chosen = (
            select(c.mmsi, c.lon, c.lat, c.time)
            .where(c.port == port, c.overpass_id == overpass_id)
            .order_by(c.mmsi, c.time)
            .limit(most)
        )
        with self._store.transaction(writes=False) as connection:
            return [(mmsi, lon, lat, time) for mmsi, lon, lat, time in connection.execute(chosen)]
