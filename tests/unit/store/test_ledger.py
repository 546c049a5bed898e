from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from roadstead.core.schemas import LEDGER, checked
from roadstead.store import MissingPass, Store
from tests.unit.builders import ACQUIRED
from tests.unit.store import builders as b


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        yield opened


def missing(when: datetime, state: str = "missing", platform: str = "sentinel-2a") -> MissingPass:
    return MissingPass(platform, when, state, "in no catalogue asked: one, two")


def states(store: Store) -> list[tuple[str, str]]:
    table = checked(store.ledger("nampo"), LEDGER, "ledger")
    return [(f"{row.acquired:%m-%d}", row.state) for row in table.itertuples()]


def test_every_pass_is_there_once_in_one_state_by_time(store: Store) -> None:
    b.put(store)
    store.record_failure("nampo", "later", ACQUIRED + timedelta(days=5), "HTTP 403")
    store.record_missing(
        "nampo", [missing(ACQUIRED + timedelta(days=2)), missing(ACQUIRED - timedelta(days=3))]
    )
    assert states(store) == [
        ("10-31", "missing"), ("11-03", "processed"), ("11-05", "missing"), ("11-08", "failed"),
    ]  # fmt: skip
    within = store.ledger("nampo", ACQUIRED, ACQUIRED + timedelta(days=4))
    assert list(within["state"]) == ["processed", "missing"]
    assert store.ledger("durban").empty


def test_a_pass_that_is_still_missing_is_not_listed_twice(store: Store) -> None:
    store.record_missing("nampo", [missing(ACQUIRED)])
    store.record_missing("nampo", [missing(ACQUIRED + timedelta(seconds=40), "not_acquired")])
    assert states(store) == [("11-03", "not_acquired")]


def test_a_pass_that_arrives_is_missing_no_longer(store: Store) -> None:
    store.record_missing("nampo", [missing(ACQUIRED), missing(ACQUIRED, platform="sentinel-2b")])
    b.put(store)
    assert states(store) == [("11-03", "processed"), ("11-03", "missing")], "the other satellite's is"


def test_a_pass_over_another_port_stays_missing(store: Store) -> None:
    store.record_missing("ningbo-zhoushan", [missing(ACQUIRED)])
    b.put(store)
    assert list(store.ledger("ningbo-zhoushan")["state"]) == ["missing"]


def test_what_a_result_came_from_is_kept(store: Store) -> None:
    scene = replace(b.scene(), provider="planetary-computer")
    b.put(store, b.overpass(b.OVERPASS_ID, scene), inputs_sha256="f" * 64, tried="earth-search: not listed")
    row = store.acquisitions("nampo").iloc[0]
    assert (row["provider"], row["tried"]) == ("planetary-computer", "earth-search: not listed")
    assert timedelta(0) <= datetime.now(UTC) - row["stored"] < timedelta(minutes=5)
    standing = store.standing("nampo", b.OVERPASS_ID, [scene.scene_id])
    assert standing is not None and standing.inputs_sha256 == "f" * 64
    assert "earth-search: not listed" in store.ledger("nampo").iloc[0]["reason"]


def test_a_zone_under_cloud_is_too_cloudy(store: Store) -> None:
    b.put(store, counts=b.counts(None))
    assert states(store) == [("11-03", "too_cloudy")]


def test_the_ports_of_a_store(store: Store) -> None:
    assert store.ports() == ()
    b.put(store)
    store.record_missing("durban", [missing(ACQUIRED)])
    assert store.ports() == ("durban", "nampo")


def test_a_pass_that_the_store_holds_images_of_is_not_missing(store: Store) -> None:
    b.put(store)
    store.record_missing("nampo", [missing(ACQUIRED)])
    assert states(store) == [("11-03", "processed")]
