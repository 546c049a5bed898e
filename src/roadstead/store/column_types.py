"""Column types that SQLite and PostGIS store each in its own way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import BindParameter, ColumnElement, DateTime, Dialect, LargeBinary, func
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType


class PostgisGeometry(UserDefinedType[bytes]):
    """``geometry(Geometry,4326)``, written and read as WKB."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:  # noqa: ANN401 - SQLAlchemy's signature
        """Return the type's name in DDL."""
        return "geometry(Geometry,4326)"

    def bind_expression(self, bindvalue: BindParameter[bytes]) -> ColumnElement[bytes]:
        """Turn WKB into a geometry."""
        return func.ST_GeomFromWKB(bindvalue, 4326, type_=self)


class Geometry(TypeDecorator[BaseGeometry]):
    """A geometry in EPSG:4326: WKB in SQLite, ``geometry(Geometry,4326)`` in PostGIS."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return how this database stores it."""
        return dialect.type_descriptor(PostgisGeometry() if dialect.name == "postgresql" else LargeBinary())

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Have PostGIS give WKB, of this type still: of any other it would stay bytes."""
        if isinstance(self.impl_instance, PostgisGeometry):
            return func.ST_AsBinary(column, type_=Geometry())
        return column

    def process_bind_param(self, value: BaseGeometry | None, dialect: Dialect) -> bytes | None:
        """Return little-endian WKB, the same bytes for the same geometry on every machine."""
        return None if value is None else bytes(shapely.to_wkb(value, byte_order=1))

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> BaseGeometry | None:
        """Return the geometry."""
        return None if value is None else shapely.from_wkb(bytes(value))


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC to the microsecond; SQLite has no time zones, so it is stored there without."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC; refuse one without a time zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
