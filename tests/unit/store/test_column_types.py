"""How columns are read from each database."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from roadstead.store import schema
from roadstead.store.column_types import Geometry
from roadstead.store.rows import table_of


def test_a_geometry_of_postgis_comes_as_wkb_and_is_read_as_a_geometry() -> None:
    compiled = select(table_of(schema.Match).c.geometry).compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    assert "ST_AsBinary(matches.geometry)" in str(compiled)
    (column,) = compiled._result_columns
    assert isinstance(column.type, Geometry), "of another type it would stay bytes"


def test_a_geometry_of_sqlite_is_read_as_it_is() -> None:
    assert "ST_" not in str(select(table_of(schema.Match).c.geometry).compile(dialect=sqlite.dialect()))  # type: ignore[no-untyped-call]
