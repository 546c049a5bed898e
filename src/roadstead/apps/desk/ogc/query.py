"""What the OGC API serves, given from outside, and what the query of an address asks of a collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Protocol

from roadstead.core.errors import UsageError
from roadstead.core.geo import Bounds
from roadstead.store.feature_pages import Extent, FeatureQuery

DEFAULT_LIMIT, MOST_LIMIT, MOST_OFFSET = 100, 10_000, 10_000_000
OWN = ("limit", "offset", "bbox", "datetime")
"""Parameters of every collection beside its queryables."""
Feature = dict[str, Any]
"""A GeoJSON feature with an ``id``."""


def query_of(collection: FeatureCollection, given: Sequence[tuple[str, str]]) -> FeatureQuery:
    """Read the parameters of ``/items``.

    A limit above `MOST_LIMIT` is taken as that, as the standard wants.

    Raises:
        UsageError: a parameter is unknown, given twice or cannot be read.
    """
    fields = only(given, (*OWN, *collection.queryables))
    start, end = _interval(fields["datetime"]) if "datetime" in fields else (None, None)
    return FeatureQuery(
        equals={
            name: _value(collection, name, fields[name]) for name in collection.queryables if name in fields
        },
        boxes=_boxes(fields["bbox"]) if "bbox" in fields else (),
        start=start,
        end=end,
        limit=min(_number(fields, "limit", DEFAULT_LIMIT, 1), MOST_LIMIT),
        offset=_number(fields, "offset", 0, 0),
    )


def only(given: Sequence[tuple[str, str]], known: Sequence[str]) -> Mapping[str, str]:
    """Return parameters as a mapping.

    Raises:
        UsageError: one is not known, or given twice.
    """
    fields = dict(given)
    strange = sorted(set(fields) - set(known))
    if strange:
        raise UsageError(
            f"unknown parameter {', '.join(strange)}: choose from {', '.join(known)}"
            if known
            else f"unknown parameter {', '.join(strange)}: none is taken here"
        )
    if len(fields) < len(given):
        raise UsageError("a parameter is given twice")
    return fields


def _value(collection: FeatureCollection, name: str, value: str) -> str:
    choices = collection.queryables[name].get("enum")
    if choices and value not in choices:
        raise UsageError(f"{name}: choose from {', '.join(choices)}")
    if "\0" in value:
        raise UsageError(f"{name}: cannot be read")
    return value


def _number(fields: Mapping[str, str], name: str, default: int, least: int) -> int:
    text = fields.get(name)
    if text is None:
        return default
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1
    if number < least or (name == "offset" and number > MOST_OFFSET):
        raise UsageError(f"{name}: write a whole number from {least} on")
    return number


def _boxes(text: str) -> tuple[Bounds, ...]:
    """Return the boxes of ``west,south,east,north`` or, with heights that are not looked at, six numbers."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(_BBOX) from error
    if len(numbers) not in (4, 6) or not all(isfinite(number) for number in numbers):
        raise UsageError(_BBOX)
    west, south, *_ = numbers
    east, north = numbers[len(numbers) // 2 : len(numbers) // 2 + 2]
    if south > north or not all(-90 <= edge <= 90 for edge in (south, north)):
        raise UsageError(_BBOX)
    if not all(-180 <= edge <= 180 for edge in (west, east)):
        raise UsageError(_BBOX)
    if west > east:
        return (west, south, 180.0, north), (-180.0, south, east, north)
    return ((west, south, east, north),)


_BBOX = "bbox: write west,south,east,north in degrees of WGS84, longitude first"


def _interval(text: str) -> tuple[datetime | None, datetime | None]:
    """Return the ends of a moment or an interval of RFC 3339; ``..`` or nothing leaves an end open."""
    parts = text.split("/")
    if len(parts) > 2 or (len(parts) == 1 and parts[0] in ("", "..")):
        raise UsageError(_TIMES)
    ends = [None if part in ("", "..") else _moment(part) for part in parts]
    start, end = ends[0], ends[-1]
    if len(parts) == 2 and start is not None and end is not None and start > end:
        raise UsageError("datetime: the interval ends before it begins")
    return start, end


_TIMES = "datetime: write a moment like 2020-11-03T02:25:41Z, or an interval START/END, an open end as '..'"


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("z", "Z").replace("t", "T"))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(_TIMES) from error


@dataclass(frozen=True)
class FeatureCollection:
    """One collection."""

    id: str
    title: str
    description: str
    geometry: str
    """GeoJSON type of its features: Point, LineString, Polygon or MultiPolygon."""
    properties: Mapping[str, Mapping[str, Any]]
    """Property -> JSON schema of OpenAPI 3.0."""
    queryables: Mapping[str, Mapping[str, Any]]
    """Query parameter that asks for features of one value -> its schema."""
    nullable_geometry: bool = False


@dataclass(frozen=True)
class Page:
    """Some features of a collection."""

    features: Sequence[Feature]
    matched: int
    """Features on all pages."""


class FeatureSource(Protocol):
    """Where features come from."""

    @property
    def collections(self) -> Mapping[str, FeatureCollection]:
        """The collections by id."""

    def page(self, collection: str, query: FeatureQuery) -> Page:
        """Return the features asked for."""

    def one(self, collection: str, feature: str) -> Feature | None:
        """Return a feature by its id; None where there is none."""

    def extent(self, collection: str) -> Extent:
        """Return where and when the features of a collection lie."""
