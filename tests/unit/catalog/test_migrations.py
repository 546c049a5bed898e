from __future__ import annotations

import io
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, insert, select
from sqlalchemy.dialects import postgresql

from roadstead.catalog import Store
from roadstead.catalog.engine import MIGRATIONS
from roadstead.catalog.model import SCHEMA_VERSION, Base, Detection
from roadstead.catalog.rows import table_of
from roadstead.errors import StoreError
from roadstead.tables import DETECTIONS, checked
from tests.unit.catalog import builders as b

AUDIT = ("audit_boxes", "audit_answers", "audit_cells", "audit_draws")


def config(**options: str) -> Config:
    made = Config(output_buffer=io.StringIO())
    made.set_main_option("script_location", str(MIGRATIONS))
    for name, value in options.items():
        made.set_main_option(name, value)
    return made


def test_the_code_knows_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(config()).get_heads() == [SCHEMA_VERSION]


def test_migrations_make_the_tables_of_the_model(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    Store.open(url).close()
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_opening_again_keeps_what_is_stored(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    with Store.open(url) as store:
        b.put(store)
    with Store.open(url) as store:
        assert len(store.detections("nampo")) == 2


def test_a_store_of_the_first_schema_is_brought_up_to_date_with_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    url = f"sqlite:///{path}"
    with Store.open(url) as store:
        b.put(store)
    with sqlite3.connect(path) as connection:
        for column in ("bow_deg", "p_bow", "moving", "p_moving"):
            connection.execute(f"ALTER TABLE detections DROP COLUMN {column}")
        for column in ("stored", "inputs_sha256", "provider", "tried"):
            connection.execute(f"ALTER TABLE acquisitions DROP COLUMN {column}")
        for table in (*AUDIT, "missing", "decisions", "visits", "sessions", "users"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    connection.close()
    with Store.open(url) as store:
        found = store.detections("nampo")
        assert len(checked(found, DETECTIONS, "brought up to date")) == 2
        assert found[["bow_deg", "moving"]].isna().all(axis=None)
        assert store.acquisitions("nampo")[["stored", "provider"]].isna().all(axis=None)
        assert list(store.ledger("nampo")["state"]) == ["processed"]


def test_a_store_made_by_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    Store.open(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(StoreError, match=r"store\.sqlite: a newer Roadstead made it .*; update Roadstead"):
        Store.open(f"sqlite:///{path}")


def test_a_migration_that_fails_leaves_no_half_made_store(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE scenes (mine TEXT)")
    connection.close()
    with pytest.raises(StoreError, match="already exists"):
        Store.open(f"sqlite:///{path}")
    with sqlite3.connect(path) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    connection.close()
    assert names == ["scenes"]


def test_in_postgis_geometry_is_a_geometry_in_wgs84() -> None:
    offline = config(dialect="postgresql")
    command.upgrade(offline, "head", sql=True)
    ddl = offline.output_buffer.getvalue()
    assert "geometry geometry(Geometry,4326) NOT NULL" in ddl
    assert "acquired TIMESTAMP WITH TIME ZONE" in ddl
    table = table_of(Detection)
    dialect = postgresql.dialect()
    assert "ST_GeomFromWKB(%(geometry)s, " in str(insert(table).compile(dialect=dialect))
    assert "ST_AsBinary(detections.geometry)" in str(select(table.c.geometry).compile(dialect=dialect))
