"""The store in PostGIS: what is put comes back, as from SQLite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pandas.testing import assert_frame_equal

from roadstead.catalog import MissingPass, Store
from tests.integration.postgres import Postgres, lacking, postgres
from tests.unit.builders import ACQUIRED
from tests.unit.catalog import builders as b

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
