"""The store in PostGIS: what is put comes back, as from SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy import text

from roadstead.audit import results
from roadstead.core.errors import StoreError
from roadstead.store import Audits, Decisions, MissingPass, Store
from roadstead.workflows.audit import draw_cells
from tests.integration.postgres import Postgres, lacking, postgres
from tests.unit.apps.desk import builders as r
from tests.unit.apps.desk import releasing as q
from tests.unit.audit import builders as a
from tests.unit.builders import ACQUIRED
from tests.unit.store import builders as b
from tests.unit.store.test_version import a_late_replacement_is_noticed, each_write_is_noticed

WHY = lacking()
pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY or "none")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("postgis") / "server") as running:
        yield running


def test_every_table_comes_back_as_from_sqlite(
    server: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 's.sqlite'}"
    with Store.open(server.create("same")) as there, Store.open(file) as here:
        for store in (there, here):
            b.put(store)
            b.put(store)
            store.record_failure("nampo", "later", ACQUIRED, "HTTP 403")
            store.record_missing(
                "nampo", [MissingPass("sentinel-2b", ACQUIRED, "missing", "in no catalogue asked")]
            )
        for name in ("scenes", "detections", "matches", "counts", "positions", "vessels"):
            assert_frame_equal(getattr(there, name)("nampo"), getattr(here, name)("nampo"), check_like=True)
        for name in ("acquisitions", "ledger"):
            both = [getattr(store, name)("nampo").drop(columns="stored") for store in (there, here)]
            assert_frame_equal(*both)
        assert there.ports() == here.ports() == ("nampo",)


def test_a_box_is_searched_in_postgis_too(server: Postgres) -> None:
    with Store.open(server.create("boxes")) as store:
        b.put(store)
        assert len(store.detections("nampo", within=(125.0, 38.0, 126.0, 39.0))) == 2
        assert store.detections("nampo", within=(0.0, 0.0, 1.0, 1.0)).empty


def test_what_another_process_writes_is_noticed(server: Postgres) -> None:
    url = server.create("version")
    with Store.open(url) as here, Store.open(url) as there:
        b.put(there)
        each_write_is_noticed(here, there)
        a_late_replacement_is_noticed(here, there)


def test_the_desk_works_over_postgis(server: Postgres) -> None:
    with Store.open(server.create("desk")) as store:
        r.fill(store)
        r.people(store)
        browser = r.Browser(r.desk(store))
        assert browser.log_in("ana").status_code == 303
        for path in ("/", "/leads?code=length&class=barge", "/finding/nampo/d1", "/vessel/412000001"):
            assert browser.get(path).status_code == 200, path
        assert browser.decide("d0", kind="accepted").status_code == 303
        assert browser.decide("d0", kind="accepted", after="0").status_code == 409
        assert browser.undo(1).status_code == 303
        for path in ("/leads?decided=all", "/finding/nampo/d0", "/precision", "/log"):
            assert browser.get(path).status_code == 200, path
        found = Decisions(store).verify()
        assert (found.rows, found.faults) == (2, ())
        bob = r.Browser(browser.desk, app=browser.app)
        assert bob.log_in("bob").status_code == 303
        name = q.release(browser, bob, "d0")
        for path in (f"/released/{name}", "/released", "/finding/nampo/d0", "/log"):
            assert browser.get(path).status_code == 200, path
        assert Decisions(store).verify().faults == ()
        changes = ["UPDATE decisions SET note = 'x'", "DELETE FROM decisions", "TRUNCATE decisions"]
        for change in (*changes, "TRUNCATE attached_files"):
            with (
                pytest.raises(StoreError, match="only ever added"),
                store.transaction(writes=True) as connection,
            ):
                connection.execute(text(change))


def test_audits_work_over_postgis(server: Postgres, tmp_path: Path) -> None:
    with Store.open(server.create("audit")) as store:
        a.put(store, a.write_image(tmp_path))
        r.people(store)
        drawn = draw_cells(store, [a.port()], 8, 1, a.NOW)
        assert drawn.cells == 8
        a.answer_all(store)
        (model,) = results(store).models
        assert (model.cells, model.recall.value) == (8, 1.0)
        browser = r.Browser(r.desk(store, ports={"nampo": a.port()}))
        assert browser.log_in("ana").status_code == 303
        cell = Audits(store).cells()[0]
        for path in ("/audit", "/audit/results", f"/audit/{cell.cell}", f"/audit/{cell.cell}/picture.webp"):
            assert browser.get(path).status_code == 200, path
        for table in ("audit_draws", "audit_cells", "audit_answers", "audit_boxes"):
            for change in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):  # noqa: S608
                with (
                    pytest.raises(StoreError, match="only ever added"),
                    store.transaction(writes=True) as connection,
                ):
                    connection.execute(text(change))
