"""Findings put before an analyst: the queue, all that the store holds of one, and what lies around it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import shapely
from sqlalchemy import (
    ColumnElement,
    ColumnExpressionArgument,
    Connection,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)

from roadstead.core.geo import Bounds
from roadstead.core.leads import LEAD_KINDS, RULES, LeadRule
from roadstead.store import schema
from roadstead.store.rows import ACQUISITION, SCENE, table_of, touches

if TYPE_CHECKING:
    from roadstead.store.store import Store


MATCH, DETECTION, CHIP, QUICKLOOK, VESSEL, POSITION = (
    table_of(entity)
    for entity in (
        schema.Match,
        schema.Detection,
        schema.Chip,
        schema.Quicklook,
        schema.Vessel,
        schema.Position,
    )
)
MOST_ROWS = 500
"""Rows of a vessel's page, of each kind, newest first."""

FINDING = func.coalesce(MATCH.c.detection_id, MATCH.c.mmsi + "@" + MATCH.c.overpass_id)
"""What a finding is known by in its port. A detection's id survives a rerun and another overpass id."""
_HULL = [c.label(f"hull_{c.name}") for c in DETECTION.c if c.name not in ("west", "south", "east", "north")]
_MATCH = [c for c in MATCH.c if c.name not in ("west", "south", "east", "north", "row")]
_MADE = [
    ACQUISITION.c[name]
    for name in (
        "acquired",
        "acquired_sigma_s",
        "model_id",
        "model_sha256",
        "threshold",
        "roadstead_version",
        "inputs_sha256",
        "stored",
        "with_ais",
        "later_failure",
        "tried",
    )
]
Row = dict[str, Any]
MOST_REPORTS = 4000
"""Reports of vessels nearby that are read, those nearest in time to the overpass."""
MOST_LOOKS = 400
"""Looks at a place that are tried for a clear one: more than a year of both satellites."""


@dataclass(frozen=True)
class LeadFilter:
    """Which leads; None and empty mean all."""

    port: str | None = None
    zone: str | None = None
    hull_class: str | None = None
    kind: str | None = None
    """Of `findings.LEAD_KINDS`."""
    code: str | None = None
    """Reason or conflict code."""
    start: datetime | None = None
    end: datetime | None = None
    """[start, end) of the overpass, UTC."""


@dataclass(frozen=True)
class LeadKey:
    """One lead of a queue."""

    port: str
    finding: str
    decided: str | None
    """Kind of the decision that stands."""


class Leads:
    """Findings of a store."""

    def __init__(self, store: Store) -> None:
        """Take an open store."""
        self._store = store

    def rows(self, keys: list[LeadKey]) -> list[Row]:
        """Return the findings of some keys of a queue, in their order; see `one`."""
        if not keys:
            return []
        found = {(row["port"], row["finding"]): row for row in self._findings(named(keys))}
        return [found[key.port, key.finding] for key in keys if (key.port, key.finding) in found]

    def one(self, port: str, finding: str) -> Row | None:
        """Return a finding: columns of its match, of its overpass, and of its detection with ``hull_`` before them."""
        return next(iter(self.rows([LeadKey(port, finding, None)])), None)

    def _findings(self, condition: ColumnElement[bool], most: int | None = None) -> list[Row]:
        chosen = (
            select(FINDING.label("finding"), *_MATCH, *_MADE, *_HULL)
            .select_from(MATCH)
            .join(ACQUISITION, same_overpass(MATCH, ACQUISITION))
            .outerjoin(DETECTION, same_hull())
            .where(condition)
            .order_by(*_order())
            .limit(most)
        )
        return self._all(chosen)

    def counted(self, port: str) -> dict[str, int]:
        """Return kind -> number of leads at a port, of every kind in the order of `findings.LEAD_KINDS`."""
        kinds = select(lead_kind().label("kind")).where(MATCH.c.port == port, is_lead()).subquery()
        chosen = select(kinds.c.kind, func.count()).group_by(kinds.c.kind)
        with self._store.transaction(writes=False) as connection:
            counted = {str(kind): int(n) for kind, n in connection.execute(chosen)}
        return {kind: counted.get(kind, 0) for kind in LEAD_KINDS}

    def scenes(self, port: str, overpass_id: str) -> list[Row]:
        """Return the scenes of an overpass, without their geometry."""
        columns = [c for c in SCENE.c if c.name not in ("geometry", "valid_area")]
        chosen = select(*columns).where(SCENE.c.port == port, SCENE.c.overpass_id == overpass_id)
        return self._all(chosen.order_by(SCENE.c.scene_id))

    def history(self, mmsi: str) -> list[Row]:
        """Return each declaration of a vessel once, newest first."""
        columns = [c for c in VESSEL.c if c.name not in ("port", "overpass_id", "row")]
        chosen = select(*columns).where(VESSEL.c.mmsi == mmsi).distinct()
        return self._all(chosen.order_by(VESSEL.c.time.desc()).limit(MOST_ROWS))

    def sightings(self, mmsi: str) -> list[Row]:
        """Return the findings that name a vessel as partner or candidate, newest overpass first; see `one`."""
        partner = or_(MATCH.c.mmsi == mmsi, _lists(MATCH.c.candidates, mmsi))
        return self._findings(partner, MOST_ROWS)

    def positions(self, mmsi: str) -> list[Row]:
        """Return the position reports of a vessel kept near overpasses, each once, newest first."""
        columns = [c for c in POSITION.c if c.name not in ("overpass_id", "row")]
        chosen = select(*columns).where(POSITION.c.mmsi == mmsi).distinct()
        return self._all(chosen.order_by(POSITION.c.time.desc()).limit(MOST_ROWS))

    def chip(self, port: str, overpass_id: str, detection_id: str) -> bytes | None:
        """Return the cut-out around a hull as stored (WebP); None where there is none."""
        own = and_(
            CHIP.c.port == port, CHIP.c.overpass_id == overpass_id, CHIP.c.detection_id == detection_id
        )
        with self._store.transaction(writes=False) as connection:
            found: bytes | None = connection.scalar(select(CHIP.c.image).where(own))
        return found

    def quicklook(self, port: str, overpass_id: str) -> tuple[bytes, Bounds] | None:
        """Return the picture of an overpass as stored (WebP) and its bounds in degrees."""
        own = and_(QUICKLOOK.c.port == port, QUICKLOOK.c.overpass_id == overpass_id)
        rows = self._all(select(QUICKLOOK).where(own))
        if not rows:
            return None
        (row,) = rows
        return row["image"], (row["west"], row["south"], row["east"], row["north"])

    def around(self, port: str, overpass_ids: Collection[str], within: Bounds) -> list[Row]:
        """Return all findings of some overpasses inside bounds in degrees; see `one`."""
        own = (MATCH.c.port == port, MATCH.c.overpass_id.in_(overpass_ids))
        return self._findings(and_(*own, *touches(MATCH, within)))

    def _all(self, chosen: Select[Any]) -> list[Row]:
        with self._store.transaction(writes=False) as connection:
            return [dict(row) for row in connection.execute(chosen).mappings()]


def named(keys: Sequence[LeadKey]) -> ColumnElement[bool]:
    """Mean the matches of some findings, by columns with an index; of other ports a few more."""
    pairs = [key.finding.rpartition("@")[::2] for key in keys]
    hulls = and_(
        MATCH.c.port.in_({key.port for key in keys}),
        MATCH.c.detection_id.in_([key.finding for key in keys]),
    )
    others = and_(
        MATCH.c.mmsi.in_([mmsi for mmsi, _ in pairs]),
        MATCH.c.overpass_id.in_([overpass for _, overpass in pairs]),
        MATCH.c.detection_id.is_(None),
    )
    return or_(hulls, others)


def is_lead() -> ColumnElement[bool]:
    """Mean matches put before an analyst: those that meet any of `findings.RULES`."""
    return or_(*(_meets(rule) for rule in RULES))


def lead_kind() -> ColumnElement[str | None]:
    """Mean the kind of lead that a match is (`findings.lead_kinds`); null where it is none."""
    return case(*((_meets(rule), literal(rule.kind)) for rule in RULES), else_=None)


def _meets(rule: LeadRule) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = [MATCH.c.probability >= rule.least_probability]
    if rule.status is not None:
        conditions.append(MATCH.c.status == rule.status)
    if rule.conflicting:
        conditions.append(MATCH.c.conflicts != "")
    if rule.of_a_hull:
        conditions.append(MATCH.c.detection_id.is_not(None))
    if rule.reasons:
        conditions.append(or_(*(_lists(MATCH.c.reasons, code) for code in rule.reasons)))
    return and_(*conditions)


def _lists(column: ColumnElement[str], code: str) -> ColumnElement[bool]:
    """Mean rows whose comma-separated codes hold this one."""
    return (literal(",") + column + ",").contains(f",{code},", autoescape=True)


def _order() -> list[ColumnExpressionArgument[Any]]:
    return [ACQUISITION.c.acquired.desc(), MATCH.c.port, MATCH.c.probability.desc(), MATCH.c.row]


def same_overpass(one: Any, other: Any) -> ColumnElement[bool]:  # noqa: ANN401 - two tables
    """Mean rows of the same overpass."""
    return and_(one.c.port == other.c.port, one.c.overpass_id == other.c.overpass_id)


def same_hull() -> ColumnElement[bool]:
    """Mean a match and its detection."""
    return and_(MATCH.c.port == DETECTION.c.port, MATCH.c.detection_id == DETECTION.c.detection_id)


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
