"""Pages of the store's tables, for the OGC API: filtered, counted and cut in the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select

from roadstead.core.geo import Bounds
from roadstead.core.schemas import ACQUISITIONS, COUNTS, DETECTIONS, MATCHES, POSITIONS
from roadstead.store import schema
from roadstead.store.leads import DETECTION, MATCH, POSITION, same_overpass
from roadstead.store.rows import ACQUISITION, SCENE, frame, geo_frame, table_of, touches

if TYPE_CHECKING:
    from roadstead.store.store import Store

COUNT = table_of(schema.Count)
_KEPT = DETECTION.c.dropped_because.is_(None)
Extent = tuple[Bounds | None, datetime | None, datetime | None]
"""Bounds in degrees, first and last moment; None where there is nothing."""


@dataclass(frozen=True)
class FeatureQuery:
    """Which rows, and which page of them."""

    equals: Mapping[str, str] = field(default_factory=dict)
    """Column -> value."""
    boxes: tuple[Bounds, ...] = ()
    """Bounds in degrees (west, south, east, north), two where they cross the 180th meridian; empty: everywhere."""
    start: datetime | None = None
    end: datetime | None = None
    """[start, end], both inside, UTC."""
    limit: int = 100
    offset: int = 0


class Features:
    """Rows of a store, in pages: each method returns a page and how many rows there are on all pages."""

    def __init__(self, store: Store) -> None:
        """Take an open store."""
        self._store = store

    def detections(self, query: FeatureQuery) -> tuple[gpd.GeoDataFrame, int]:
        """Return `schemas.DETECTIONS` of kept hulls."""
        where = [_KEPT, *_equal(DETECTION, query), *_at(DETECTION.c.acquired, query), *_in(DETECTION, query)]
        chosen = select(DETECTION).where(*where).order_by(*DETECTION.primary_key)
        rows, matched = self._page(chosen, select(func.count()).select_from(DETECTION).where(*where), query)
        return geo_frame(rows, DETECTIONS), matched

    def matches(self, query: FeatureQuery) -> tuple[gpd.GeoDataFrame, int]:
        """Return `schemas.MATCHES`, with the ``row`` that each is known by in its overpass."""
        where = [*_equal(MATCH, query), *_at(ACQUISITION.c.acquired, query), *_in(MATCH, query)]
        chosen = select(MATCH).where(*where).order_by(*MATCH.primary_key)
        counted = select(func.count()).select_from(MATCH).where(*where)
        if query.start or query.end:
            same = same_overpass(MATCH, ACQUISITION)
            chosen, counted = chosen.join(ACQUISITION, same), counted.join(ACQUISITION, same)
        rows, matched = self._page(chosen, counted, query)
        return geo_frame(rows, MATCHES, "row"), matched

    def counts(self, query: FeatureQuery, zones: Collection[str]) -> tuple[pd.DataFrame, int]:
        """Return `schemas.COUNTS` of a page of zones at overpasses: all rows of each.

        Args:
            query: Its page is one of (overpass, zone); its boxes are not looked at.
            zones: Ids of the zones to return.
        """
        of_zone = [COUNT.c.port, COUNT.c.overpass_id, COUNT.c.zone]
        where = [COUNT.c.zone.in_(zones), *_equal(COUNT, query), *_at(COUNT.c.acquired, query)]
        keys = select(*of_zone).where(*where).group_by(*of_zone)
        page = keys.order_by(*of_zone).limit(query.limit).offset(query.offset).subquery()
        same = and_(*(page.c[c.name] == c for c in of_zone))
        chosen = (
            select(COUNT).join(page, same).where(COUNT.c.length_bin == "all").order_by(*COUNT.primary_key)
        )
        rows, matched = self._both(chosen, select(func.count()).select_from(keys.subquery()))
        return frame(rows, COUNTS), matched

    def positions(self, query: FeatureQuery) -> tuple[pd.DataFrame, int]:
        """Return `schemas.POSITIONS` with ``overpass_id``, ``port`` and ``simulated`` of a page of tracks.

        A track is one vessel's reports near one overpass; it fits a box that its bounds touch, and a time that it
        overlaps.
        """
        of_track = [POSITION.c.port, POSITION.c.overpass_id, POSITION.c.mmsi]
        keys = select(*of_track).where(*_equal(POSITION, query)).group_by(*of_track)
        keys = keys.having(*_track_conditions(query)) if _track_conditions(query) else keys
        page = keys.order_by(*of_track).limit(query.limit).offset(query.offset).subquery()
        same = and_(*(page.c[c.name] == c for c in of_track))
        chosen = select(POSITION).join(page, same).order_by(*of_track, POSITION.c.row)
        rows, matched = self._both(chosen, select(func.count()).select_from(keys.subquery()))
        table = frame(rows, POSITIONS, "simulated", "overpass_id", "port").astype({"simulated": bool})
        return table.drop_duplicates(ignore_index=True), matched

    def overpasses(self, query: FeatureQuery) -> tuple[gpd.GeoDataFrame, int]:
        """Return `schemas.ACQUISITIONS`; the geometry is what their scenes cover, null where none could be read."""
        where = [*_equal(ACQUISITION, query), *_at(ACQUISITION.c.acquired, query)]
        if query.boxes:
            covered = select(SCENE.c.port, SCENE.c.overpass_id).where(or_(*_in(SCENE, query)))
            held = covered.subquery()
            where.append(select(held.c.port).where(same_overpass(held, ACQUISITION)).exists())
        chosen = select(ACQUISITION).where(*where).order_by(*ACQUISITION.primary_key)
        rows, matched = self._page(chosen, select(func.count()).select_from(ACQUISITION).where(*where), query)
        table = frame(rows, ACQUISITIONS)
        return gpd.GeoDataFrame(table, geometry=self._covered(rows), crs="EPSG:4326"), matched

    def extent(self, name: str) -> Extent:
        """Return where and when the rows of detections, matches, counts, tracks or overpasses lie."""
        p, of = POSITION.c, {"detections": DETECTION, "matches": MATCH, "counts": MATCH, "overpasses": SCENE}
        moment = {"detections": DETECTION.c.acquired, "counts": COUNT.c.acquired, "tracks": p.time}.get(
            name, ACQUISITION.c.acquired
        )
        if name == "tracks":
            places = select(func.min(p.lon), func.min(p.lat), func.max(p.lon), func.max(p.lat))
        else:
            c = of[name].c
            places = select(func.min(c.west), func.min(c.south), func.max(c.east), func.max(c.north))
        if name == "detections":
            places = places.where(_KEPT)
        with self._store.transaction(writes=False) as connection:
            west, south, east, north = connection.execute(places).one()
            first, last = connection.execute(select(func.min(moment), func.max(moment))).one()
        bounds = None if west is None else (west, south, east, north)
        return bounds, first, last

    def _covered(self, rows: list[dict[str, Any]]) -> gpd.GeoSeries:
        keys = [(row["port"], row["overpass_id"]) for row in rows]
        ports = {port for port, _ in keys}
        chosen = select(SCENE.c.port, SCENE.c.overpass_id, SCENE.c.geometry).where(
            SCENE.c.port.in_(ports), SCENE.c.overpass_id.in_([name for _, name in keys])
        )
        with self._store.transaction(writes=False) as connection:
            found = [tuple(row) for row in connection.execute(chosen)]
        parts = gpd.GeoDataFrame(found, columns=["port", "overpass_id", "geometry"], geometry="geometry")
        whole = {} if parts.empty else parts.dissolve(by=["port", "overpass_id"]).geometry.to_dict()
        return gpd.GeoSeries([whole.get(key) for key in keys], crs="EPSG:4326")

    def _page(
        self, chosen: Select[Any], counted: Select[tuple[int]], query: FeatureQuery
    ) -> tuple[list[dict[str, Any]], int]:
        return self._both(chosen.limit(query.limit).offset(query.offset), counted)

    def _both(self, chosen: Select[Any], counted: Select[tuple[int]]) -> tuple[list[dict[str, Any]], int]:
        with self._store.transaction(writes=False) as connection:
            matched = connection.scalar(counted) or 0
            return [dict(row) for row in connection.execute(chosen).mappings()], matched


def _equal(table: Any, query: FeatureQuery) -> list[ColumnElement[bool]]:  # noqa: ANN401 - a table
    """Mean rows whose columns hold the values asked for; a column of numbers holds no other text."""
    told: list[ColumnElement[bool]] = []
    for name, value in query.equals.items():
        column = table.c[name]
        if column.type.python_type is int:
            told.append(column == int(value) if value.isascii() and value.isdigit() else false())
        else:
            told.append(column == value)
    return told


def _at(column: ColumnElement[datetime | None], query: FeatureQuery) -> list[ColumnElement[bool]]:
    limits = [column >= query.start] if query.start else []
    return limits + ([column <= query.end] if query.end else [])


def _in(table: Any, query: FeatureQuery) -> list[ColumnElement[bool]]:  # noqa: ANN401 - a table
    return [or_(*(and_(*touches(table, box)) for box in query.boxes))] if query.boxes else []


def _track_conditions(query: FeatureQuery) -> list[ColumnElement[bool]]:
    c = POSITION.c
    told: list[ColumnElement[bool]] = []
    if query.start:
        told.append(func.max(c.time) >= query.start)
    if query.end:
        told.append(func.min(c.time) <= query.end)
    boxes = [
        and_(
            func.min(c.lon) <= east,
            func.max(c.lon) >= west,
            func.min(c.lat) <= north,
            func.max(c.lat) >= south,
        )
        for west, south, east, north in query.boxes
    ]
    return [*told, or_(*boxes)] if boxes else told
