"""What the OGC API serves, given from outside: collections, and pages of their features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from roadstead.store.feature_pages import Extent, FeatureQuery

Feature = dict[str, Any]
"""A GeoJSON feature with an ``id``."""


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
