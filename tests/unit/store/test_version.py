"""What is kept in memory notices what another process writes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from roadstead.store import MissingPass, Store
from roadstead.store.ledger import version_of
from roadstead.store.rows import ACQUISITION
from tests.unit.builders import ACQUIRED, detections
from tests.unit.store import builders as b

OTHER = "nampo_s2_20201108T022541"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Return one store opened twice, as two processes do."""
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    with Store.open(url) as one, Store.open(url) as other:
        b.put(one)
        yield one, other


def put_another(store: Store) -> None:
    taken = b.overpass(OTHER, b.scene("S2B_LATER", ACQUIRED + timedelta(days=5)))
    b.put(store, taken, detections=detections([]), matches=b.matches([]), chips={})


def stored_at(store: Store, name: str, **later: float) -> None:
    """Set when a result was stored: a test cannot wait for clocks."""
    own = ACQUISITION.c.overpass_id == name
    with store.transaction(writes=True) as connection:
        connection.execute(update(ACQUISITION).where(own).values(stored=ACQUIRED + timedelta(**later)))


def each_write_is_noticed(here: Store, there: Store) -> None:
    told = [version_of(here)]

    def noticed() -> None:
        told.append(version_of(here))
        assert len(set(told)) == len(told)
        assert version_of(here) == told[-1], "it changes with nothing else"

    b.put(there)
    noticed()
    put_another(there)
    noticed()
    there.record_failure("nampo", "S2A_BAD", ACQUIRED + timedelta(days=2), "asset red: HTTP 403")
    noticed()
    there.record_failure("nampo", "S2A_BAD", ACQUIRED + timedelta(days=2), "asset red: no such file")
    noticed()
    there.record_failure("nampo", b.OVERPASS_ID, ACQUIRED, "asset red: HTTP 403")
    noticed()
    day = ACQUIRED + timedelta(days=7)
    there.record_missing("nampo", [MissingPass("sentinel-2b", day, "missing", "in no catalogue")])
    noticed()
    later = MissingPass("sentinel-2b", day, "missing", "in neither catalogue")
    there.record_missing("nampo", [later])
    noticed()


def a_late_replacement_is_noticed(here: Store, there: Store) -> None:
    stored_at(there, b.OVERPASS_ID, days=10)
    stored_at(there, OTHER, days=20)
    before = version_of(here)
    stored_at(there, b.OVERPASS_ID, days=10, microseconds=1)
    assert version_of(here) != before


def test_each_thing_that_another_process_writes_is_noticed(two: tuple[Store, Store]) -> None:
    each_write_is_noticed(*two)


def test_a_replacement_that_began_before_the_newest_and_was_done_after_it_is_noticed(
    two: tuple[Store, Store],
) -> None:
    put_another(two[1])
    a_late_replacement_is_noticed(*two)
