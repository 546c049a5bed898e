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
from sqlalchemy import Connection, column, create_engine, insert, inspect, select, table, text
from sqlalchemy.dialects import postgresql

from roadstead.core.errors import StoreError
from roadstead.store import Attachment, Decisions, Store
from roadstead.store.engine import MIGRATIONS
from roadstead.store.rows import table_of
from roadstead.store.schema import SCHEMA_VERSION, Base, Detection
from tests.unit.apps.desk import builders as r
from tests.unit.store import builders as b

ONLY_ADDED = {
    "decisions": "decisions",
    "attached_files": "attached_files",
    "audit_draws": "audits",
    "audit_cells": "audits",
    "audit_answers": "audits",
    "audit_boxes": "audits",
}
CHAIN_TEXTS = (
    "previous_sha256", "sha256", "user_name", "port", "overpass_id", "finding", "note", "evidence",
)  # fmt: skip


def config(**options: str) -> Config:
    made = Config(output_buffer=io.StringIO())
    made.set_main_option("script_location", str(MIGRATIONS))
    for name, value in options.items():
        made.set_main_option(name, value)
    return made


def test_the_code_knows_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(config()).get_heads() == [SCHEMA_VERSION]


def test_opening_again_keeps_what_is_stored(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    with Store.open(url) as store:
        b.put(store)
    with Store.open(url) as store:
        assert len(store.detections("nampo")) == 2


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
    hulls = table_of(Detection)
    dialect = postgresql.dialect()
    assert "ST_GeomFromWKB(%(geometry)s, " in str(insert(hulls).compile(dialect=dialect))
    assert "ST_AsBinary(detections.geometry)" in str(select(hulls.c.geometry).compile(dialect=dialect))


def test_the_migration_makes_the_tables_of_the_model(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    Store.open(url).close()
    engine, plain = create_engine(url), create_engine("sqlite://")
    Base.metadata.create_all(plain)
    with engine.connect() as made, plain.connect() as model:
        context = MigrationContext.configure(made, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        for name in Base.metadata.tables:
            assert constraints(made, name) == constraints(model, name), name
    engine.dispose()
    plain.dispose()


def constraints(connection: Connection, name: str) -> list[str]:
    """Return what a table's DDL says of keys and allowed values, which Alembic compares in part alone."""
    ddl = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": name})
    return sorted(line.strip().rstrip(",") for line in ddl.splitlines() if "CONSTRAINT" in line)


@pytest.mark.parametrize("version", ["0008", "9999"])
def test_a_store_of_a_schema_that_is_unknown_here_is_refused(tmp_path: Path, version: str) -> None:
    path = tmp_path / "store.sqlite"
    Store.open(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [version])
    connection.close()
    refusal = rf"store\.sqlite: its schema is unknown here .*'{version}'.*update Roadstead if a newer .*anew"
    with pytest.raises(StoreError, match=refusal):
        Store.open(f"sqlite:///{path}")


def test_the_migration_can_be_undone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    Store.open(f"sqlite:///{path}").close()
    engine = create_engine(f"sqlite:///{path}")
    back = config()
    with engine.begin() as connection:
        back.attributes["connection"] = connection
        command.downgrade(back, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
    engine.dispose()


def test_in_postgis_triggers_refuse_changes_too() -> None:
    offline = config(dialect="postgresql")
    command.upgrade(offline, "head", sql=True)
    ddl = offline.output_buffer.getvalue()
    assert ddl.index("CREATE FUNCTION refuse_change()") < ddl.index("CREATE TRIGGER")
    for name, rows in ONLY_ADDED.items():
        assert f"CREATE TRIGGER {name}_only_added BEFORE UPDATE OR DELETE ON {name}" in ddl
        assert f"CREATE TRIGGER {name}_not_emptied BEFORE TRUNCATE ON {name}" in ddl
        assert ddl.count(f"refuse_change('{rows}')") == 2 * list(ONLY_ADDED.values()).count(rows)
    assert "SERIAL" not in ddl


@pytest.mark.parametrize("rows", ["decisions", "attached_files"])
def test_a_chain_and_its_files_are_only_ever_added(tmp_path: Path, rows: str) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        r.fill(store)
        r.people(store)
        desk = r.desk(store)
        file = Attachment("a.txt", "text/plain", b"a", None, "CC0 1.0", True, "")
        about = {"port": "nampo", "overpass_id": b.OVERPASS_ID, "finding": "d1", "evidence": {}}
        desk.attachments.add(file, **about, simulated=True, user="ana", now=r.NOW)
        for change in (
            f"UPDATE {rows} SET sha256 = ''",  # noqa: S608
            f"DELETE FROM {rows}",  # noqa: S608
            f"INSERT OR REPLACE INTO {rows} SELECT * FROM {rows}",  # noqa: S608
        ):
            with pytest.raises(StoreError, match="only ever added"), store.transaction(True) as connection:
                connection.execute(text(change))
        assert (Decisions(store).verify().rows, Decisions(store).verify().faults) == (1, ())


def test_the_kinds_of_decisions_are_checked(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        row = {**dict.fromkeys(CHAIN_TEXTS, "x"), "seq": 1, "kind": "invented", "simulated": True}
        with pytest.raises(StoreError, match="ck_decisions_kind"), store.transaction(True) as connection:
            decided = {**row, "decided": "2026-03-01 12:00:00.000000"}
            connection.execute(insert(table("decisions", *map(column, decided))), [decided])
