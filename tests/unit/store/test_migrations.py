from __future__ import annotations

import io
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import column, create_engine, insert, inspect, select, table, text
from sqlalchemy.dialects import postgresql

from roadstead.core.errors import StoreError
from roadstead.core.schemas import DETECTIONS, checked
from roadstead.store import Attachment, Decisions, Releases, Store
from roadstead.store.engine import MIGRATIONS
from roadstead.store.rows import table_of
from roadstead.store.schema import SCHEMA_VERSION, Base, Detection
from tests.unit.apps.desk import builders as r
from tests.unit.apps.desk import releasing as q
from tests.unit.store import builders as b

LATER_INDICES = (
    "ix_matches_port_detection_id",
    "ix_matches_mmsi",
    "ix_positions_port_overpass_id_mmsi_time_lon_lat",
)
OLD_ROW = {
    "seq": 1,
    "previous_sha256": "0" * 64,
    "decided": "2026-03-01 12:00:00.000000",
    "user_name": "ana",
    "kind": "accepted",
    "port": "nampo",
    "overpass_id": "o",
    "finding": "d0",
    "hull_class": None,
    "linked_mmsi": None,
    "because": None,
    "note": "before",
    "undoes": None,
    "evidence": '{"hull":null}',
    "simulated": True,
    # As Roadstead 0.1.0 hashed it, with no word of the columns that came later.
    "sha256": "1d49224a57198c81020ba6111e5f5bb633748af773f338fde3e25371436b8b1a",
}
"""A row of the chain before there were releases, corrections and files."""
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
        for name in LATER_INDICES:
            connection.execute(f"DROP INDEX {name}")
        for table in (*AUDIT, "attached_files", "missing", "decisions", "visits", "sessions", "users"):
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
    hulls = table_of(Detection)
    dialect = postgresql.dialect()
    assert "ST_GeomFromWKB(%(geometry)s, " in str(insert(hulls).compile(dialect=dialect))
    assert "ST_AsBinary(detections.geometry)" in str(select(hulls.c.geometry).compile(dialect=dialect))


def test_a_chain_made_before_corrections_still_verifies_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    engine = create_engine(f"sqlite:///{path}")
    old = config()
    with engine.begin() as connection:
        old.attributes["connection"] = connection
        command.upgrade(old, "0004")
    with engine.begin() as connection:
        connection.execute(insert(table("decisions", *map(column, OLD_ROW))), [OLD_ROW])
    engine.dispose()
    with Store.open(f"sqlite:///{path}") as store:
        chain = Decisions(store)
        assert chain.verify().faults == ()
        assert chain.verify().head == OLD_ROW["sha256"]
        chain.undo(1, "ana", datetime(2026, 3, 2, tzinfo=UTC))
        assert (chain.verify().rows, chain.verify().faults) == (2, ())
        for statement in (
            "UPDATE decisions SET note = ''",
            "DELETE FROM decisions",
            "INSERT OR REPLACE INTO decisions SELECT * FROM decisions WHERE seq = 1",
        ):
            with pytest.raises(StoreError, match="only ever added"), store.transaction(True) as connection:
                connection.execute(text(statement))


def test_a_chain_with_releases_goes_through_the_later_migrations_whole(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    url = f"sqlite:///{path}"
    with Store.open(url) as store:
        r.fill(store)
        r.people(store)
        ana, bob = q.browsers(r.desk(store), "ana", "bob")
        q.release(ana, bob, "d0")
        ana.decide("d3", kind="accepted")
        ana.undo(store_head(store))
        before = Decisions(store).verify()
        kinds = [row.kind for row in Decisions(store).newest(9)]
    assert kinds == ["undone", "accepted", "released", "asked_release", "accepted"]
    engine = create_engine(url)
    with engine.begin() as connection:
        back = config()
        back.attributes["connection"] = connection
        command.downgrade(back, "0006")
        assert "geometry" not in {one["name"] for one in inspect(connection).get_columns("decisions")}
    engine.dispose()
    with Store.open(url) as store:
        after = Decisions(store).verify()
        assert (after.rows, after.head, after.faults) == (5, before.head, ())
        assert len(Releases(store).all()) == 1
        for statement in (
            "UPDATE decisions SET note = ''",
            "DELETE FROM decisions",
            "DELETE FROM attached_files",
        ):
            if "files" in statement:
                file = Attachment("a.txt", "text/plain", b"a", None, "CC0 1.0", True, "")
                about = {"port": "nampo", "overpass_id": b.OVERPASS_ID, "finding": "d1", "evidence": {}}
                r.desk(store).attachments.add(file, **about, simulated=True, user="ana", now=r.NOW)
            with pytest.raises(StoreError, match="only ever added"), store.transaction(True) as connection:
                connection.execute(text(statement))
        assert Decisions(store).verify().faults == ()


def store_head(store: Store) -> int:
    return Decisions(store).newest(1)[0].seq


def test_the_kinds_of_decisions_are_still_checked(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        with store.transaction(False) as connection:
            ddl = connection.scalar(text("SELECT sql FROM sqlite_master WHERE name = 'decisions'"))
        assert "CONSTRAINT ck_decisions_ck_decisions_kind CHECK" in ddl
        assert "'attached'" in ddl
        assert ddl.count("CHECK") == 1


def test_corrections_can_be_taken_out_again(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    Store.open(f"sqlite:///{path}").close()
    engine = create_engine(f"sqlite:///{path}")
    back = config()
    with engine.begin() as connection:
        back.attributes["connection"] = connection
        command.downgrade(back, "0004")
        columns = [one["name"] for one in inspect(connection).get_columns("decisions")]
        triggers = connection.scalar(text("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"))
    engine.dispose()
    assert "geometry" not in columns
    assert triggers == 3
