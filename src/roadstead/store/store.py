"""Putting overpasses into the store and reading tables back."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy import URL, ColumnElement, Connection, Engine, Table, delete, insert, or_, select, union

from roadstead.core.detections_file import DetectionsHeader
from roadstead.core.errors import StoreError
from roadstead.core.geo import Bounds
from roadstead.core.schemas import ACQUISITIONS, COUNTS, DETECTIONS, MATCHES, POSITIONS, SCENES, VESSELS
from roadstead.store import schema
from roadstead.store.engine import READ_ONLY, open_engine, store_errors
from roadstead.store.ledger import MISSING, MissingPass, forget_missing, ledger_of, put_missing
from roadstead.store.rows import (
    ACQUISITION,
    SCENE,
    Picture,
    Rows,
    between,
    failure_row,
    frame,
    geo_frame,
    is_it,
    keep_apart,
    overpass_rows,
    picture_of,
    replaced,
    result_stands,
    table_of,
    touches,
    unpacked,
)

if TYPE_CHECKING:
    from roadstead.imagery import Overpass

DETECTION, MATCH, COUNT, POSITION, VESSEL, QUICKLOOK, CHIP = (
    table_of(entity)
    for entity in (
        schema.Detection,
        schema.Match,
        schema.Count,
        schema.Position,
        schema.Vessel,
        schema.Quicklook,
        schema.Chip,
    )
)


@dataclass(frozen=True)
class Standing:
    """A result that the store holds."""

    overpass_id: str
    scene_ids: frozenset[str]
    with_ais: bool
    """Whether any AIS report lay around it."""
    inputs_sha256: str | None = None
    """Of everything that it was made from."""


class Store:
    """All that was observed and declared, by port and overpass.

    Times of readers are [start, end) in UTC and mean the overpass's acquisition; None leaves a side open.
    """

    def __init__(self, engine: Engine, url: URL, read_only: bool = False) -> None:
        """Take an engine whose database holds the newest schema; see `open`."""
        self._engine = engine
        self._url = url
        self.read_only = read_only
        """Whether it lies where it can only be read."""

    @classmethod
    def open(cls, url: str, *, writes: bool = True) -> Self:
        """Open a store, making it or bringing its schema up to date where needed.

        Args:
            url: SQLAlchemy URL, e.g. ``sqlite:///roadstead.sqlite`` or ``postgresql+psycopg://...``.
            writes: False: one on a read-only file system, or without permission to write, is opened all the same;
                to write into it is refused.

        Raises:
            UsageError: the URL is wrong or its driver is not installed.
            StoreError: it cannot be opened, or its schema is unknown here, as a newer Roadstead's is.
        """
        return cls(*open_engine(url, writes))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    @contextmanager
    def transaction(self, writes: bool) -> Iterator[Connection]:
        """Give a connection in a transaction; for the modules of this package."""
        if writes and self.read_only:
            raise StoreError(f"store {self._url.render_as_string()}: {READ_ONLY}")
        with (
            store_errors(self._url),
            self._engine.execution_options(writes=writes).begin() as connection,
        ):
            yield connection

    def put_overpass(
        self,
        overpass: Overpass,
        *,
        port: str,
        header: DetectionsHeader,
        detections: gpd.GeoDataFrame,
        matches: gpd.GeoDataFrame,
        counts: pd.DataFrame,
        positions: pd.DataFrame,
        vessels: pd.DataFrame,
        quicklook: Picture | None = None,
        chips: Mapping[str, np.ndarray] | None = None,
        model_sha256: str | None = None,
        with_ais: bool = False,
        inputs_sha256: str | None = None,
        tried: str | None = None,
        doubt: str | None = None,
    ) -> None:
        """Store one overpass of a port in one transaction, replacing it whole.

        Doing it again changes nothing. Any other overpass of the port that holds one of its scenes goes:
        a late scene can regroup an overpass under another id, and no ship may be counted twice.

        Args:
            overpass: The overpass and its scenes.
            port: Slug of the port.
            header: What was searched and with which model.
            detections: `schemas.DETECTIONS`.
            matches: `schemas.MATCHES`.
            counts: `schemas.COUNTS`.
            positions: `schemas.POSITIONS` near the overpass, kept as evidence; may have no columns if empty.
            vessels: `schemas.VESSELS` of the vessels named; may have no columns if empty.
            quicklook: Picture and its bounds in degrees.
            chips: Detection id -> cut-out around it, uint8 RGB [H, W, 3].
            model_sha256: Checksum of the weights.
            with_ais: Whether any AIS report lay around the overpass.
            inputs_sha256: Of everything that the result was made from.
            tried: Providers asked before, and why they could not serve the pixels.
            doubt: Why nothing of it supports a lead; stands as the reason of the acquisition.

        Raises:
            TableError: a table breaks its schema or holds rows of another overpass.
            UsageError: it is simulated and would take the place of a real one, or the other way about.
            StoreError: the database failed; the store is as it was.
        """
        rows = overpass_rows(
            overpass,
            port,
            header,
            detections,
            matches,
            counts,
            positions,
            vessels,
            quicklook,
            chips or {},
            model_sha256,
            with_ais,
            inputs_sha256,
            tried,
            doubt,
        )
        gone = replaced(port, overpass.overpass_id, [scene.scene_id for scene in overpass.scenes])
        with self.transaction(writes=True) as connection:
            keep_apart(connection, gone, rows)
            connection.execute(delete(ACQUISITION).where(gone))
            _insert(connection, rows)
            forget_missing(connection, port, overpass.scenes)

    def record_failure(self, port: str, name: str, acquired: datetime | None, reason: str) -> None:
        """List an overpass, or an item that cannot be used, as failed: never as zero ships.

        An earlier result of that overpass stands, and its row says why the later attempt failed.

        Raises:
            StoreError: the database failed; the store is as it was.
        """
        row = failure_row(port, name, acquired, reason)
        with self.transaction(writes=True) as connection:
            if result_stands(connection, port, name):
                noted = ACQUISITION.update().where(is_it(port, name)).values(later_failure=reason)
                connection.execute(noted)
            else:
                connection.execute(delete(ACQUISITION).where(replaced(port, name, [])))
                connection.execute(insert(ACQUISITION), [row])

    def still_stands(self, port: str, overpass_id: str) -> None:
        """Forget that a later attempt failed: the result was found to be what there is now.

        Raises:
            StoreError: the database failed; the store is as it was.
        """
        noted = is_it(port, overpass_id) & ACQUISITION.c.later_failure.is_not(None)
        with self.transaction(writes=True) as connection:
            connection.execute(ACQUISITION.update().where(noted).values(later_failure=None))

    def standing(self, port: str, overpass_id: str, scene_ids: Collection[str]) -> Standing | None:
        """Return the stored result of an overpass, or that used any of these scenes; None where there is none."""
        own_id = SCENE.c.overpass_id == overpass_id
        holders = select(SCENE.c.overpass_id).where(
            SCENE.c.port == port, or_(own_id, SCENE.c.scene_id.in_(scene_ids))
        )
        with self.transaction(writes=False) as connection:
            found = connection.scalar(holders.order_by(own_id.desc(), SCENE.c.overpass_id))
            if found is None:
                return None
            own = (SCENE.c.port == port) & (SCENE.c.overpass_id == found)
            used: frozenset[str] = frozenset(connection.scalars(select(SCENE.c.scene_id).where(own)))
            made = select(ACQUISITION.c.with_ais, ACQUISITION.c.inputs_sha256).where(is_it(port, found))
            with_ais, inputs = connection.execute(made).one()
        return Standing(found, used, bool(with_ais), inputs)

    def acquisitions(
        self, port: str, start: datetime | None = None, end: datetime | None = None
    ) -> pd.DataFrame:
        """Return every overpass tried (`schemas.ACQUISITIONS`); those of unknown time always."""
        rows = self._rows(ACQUISITION, port, start, end, or_none=True)
        return frame(rows, ACQUISITIONS)

    def record_missing(self, port: str, passes: Sequence[MissingPass]) -> None:
        """List passes that no catalogue lists; what was listed of the same days before is replaced.

        Raises:
            StoreError: the database failed; the store is as it was.
        """
        if passes:
            with self.transaction(writes=True) as connection:
                put_missing(connection, port, passes)

    def ledger(self, port: str, start: datetime | None = None, end: datetime | None = None) -> pd.DataFrame:
        """Return every pass over a port (`schemas.LEDGER`), each in one state, by time."""
        tried = self._rows(ACQUISITION, port, start, end, or_none=True)
        with self.transaction(writes=False) as connection:
            return ledger_of(connection, port, start, end, tried)

    def ports(self) -> tuple[str, ...]:
        """Return the slugs of all ports that the store holds anything of."""
        with self.transaction(writes=False) as connection:
            return tuple(
                sorted(connection.scalars(union(select(ACQUISITION.c.port), select(MISSING.c.port))))
            )

    def scenes(
        self, port: str, start: datetime | None = None, end: datetime | None = None
    ) -> gpd.GeoDataFrame:
        """Return `schemas.SCENES` with footprint, `valid_area` and `visible_fraction`."""
        rows = self._rows(SCENE, port, start, end)
        return geo_frame(rows, SCENES, "valid_area", "visible_fraction", "geometry")

    def detections(
        self,
        port: str,
        start: datetime | None = None,
        end: datetime | None = None,
        within: Bounds | None = None,
        *,
        unfiltered: bool = False,
        named: Collection[str] | None = None,
    ) -> gpd.GeoDataFrame:
        """Return `schemas.DETECTIONS`, those that touch ``within`` (w, s, e, n in degrees) if given.

        With ``unfiltered`` also those that are kept with the reason why they were dropped; with ``named`` those of
        these ids alone.
        """
        wanted = [] if unfiltered else [DETECTION.c.dropped_because.is_(None)]
        wanted += [] if named is None else [DETECTION.c.detection_id.in_(named)]
        return geo_frame(self._rows(DETECTION, port, start, end, within, wanted), DETECTIONS)

    def matches(
        self,
        port: str,
        start: datetime | None = None,
        end: datetime | None = None,
        within: Bounds | None = None,
    ) -> gpd.GeoDataFrame:
        """Return `schemas.MATCHES`, those inside ``within`` (w, s, e, n in degrees) if given."""
        return geo_frame(self._rows(MATCH, port, start, end, within), MATCHES)

    def counts(self, port: str, start: datetime | None = None, end: datetime | None = None) -> pd.DataFrame:
        """Return `schemas.COUNTS`."""
        return frame(self._rows(COUNT, port, start, end), COUNTS)

    def positions(
        self, port: str, start: datetime | None = None, end: datetime | None = None
    ) -> pd.DataFrame:
        """Return the position reports kept as evidence (`schemas.POSITIONS`)."""
        table = frame(self._rows(POSITION, port, start, end), POSITIONS, "simulated")
        return table.drop_duplicates(ignore_index=True)

    def evidence(self, port: str, start: datetime | None = None, end: datetime | None = None) -> pd.DataFrame:
        """Return `positions` with the ``overpass_id`` that each was kept with."""
        table = frame(self._rows(POSITION, port, start, end), POSITIONS, "simulated", "overpass_id")
        return table.astype({"simulated": bool}).drop_duplicates(ignore_index=True)

    def vessels(self, port: str, start: datetime | None = None, end: datetime | None = None) -> pd.DataFrame:
        """Return the static data kept with the overpasses (`schemas.VESSELS`), each declaration once."""
        table = frame(self._rows(VESSEL, port, start, end), VESSELS, "simulated")
        return table.drop_duplicates(ignore_index=True)

    def quicklook(self, port: str, overpass_id: str) -> Picture | None:
        """Return the picture of an overpass and its bounds in degrees; None where there is none."""
        chosen = select(QUICKLOOK).where(QUICKLOOK.c.port == port, QUICKLOOK.c.overpass_id == overpass_id)
        with self.transaction(writes=False) as connection:
            row = connection.execute(chosen).mappings().one_or_none()
        return None if row is None else picture_of(dict(row))

    def chips(self, port: str, overpass_id: str) -> dict[str, np.ndarray]:
        """Return detection id -> cut-out around the hull, uint8 RGB [H, W, 3]."""
        chosen = select(CHIP).where(CHIP.c.port == port, CHIP.c.overpass_id == overpass_id)
        with self.transaction(writes=False) as connection:
            rows = connection.execute(chosen.order_by(CHIP.c.detection_id)).mappings()
            return {row["detection_id"]: unpacked(row["image"]) for row in rows}

    def _rows(
        self,
        table: Table,
        port: str,
        start: datetime | None,
        end: datetime | None,
        within: Bounds | None = None,
        wanted: Sequence[ColumnElement[bool]] = (),
        or_none: bool = False,
    ) -> list[dict[str, Any]]:
        order = [ACQUISITION.c.acquired, *table.primary_key]
        chosen = select(table).where(table.c.port == port).order_by(*order)
        if table is not ACQUISITION:
            chosen = chosen.join_from(table, ACQUISITION)
        for condition in (*between(start, end, or_none), *touches(table, within), *wanted):
            chosen = chosen.where(condition)
        with self.transaction(writes=False) as connection:
            return [dict(row) for row in connection.execute(chosen).mappings()]


def _insert(connection: Connection, rows: Rows) -> None:
    for table, values in rows.items():
        if values:
            connection.execute(insert(table), values)
