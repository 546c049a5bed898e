"""How a port is doing, from the store alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from roadstead.publish.charts import overpass_map
from roadstead.store import Store
from roadstead.workflows.status import PortStatus, metrics_text, port_status
from tests.unit.builders import ACQUIRED
from tests.unit.store import builders as b

PORT = "nampo"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 's.sqlite'}") as opened:
        yield opened


def gauges(*statuses: PortStatus) -> dict[tuple[str, ...], float]:
    """Return name and label values -> value of a metrics page, read as Prometheus reads it."""
    families = text_string_to_metric_families(metrics_text(statuses).decode())
    return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}


def test_a_port_that_was_never_watched_has_no_times_and_is_unobserved_without_end(store: Store) -> None:
    status = port_status(store, PORT)
    assert (status.last_seen, status.last_processed, status.unobserved_days) == (None, None, None)
    assert (status.lag, status.failures, dict(status.overpasses)) == (None, (), {})
    found = gauges(status)
    assert found["roadstead_port_unobserved_days", PORT] == float("inf")
    assert not [name for name in found if "timestamp" in name[0]]


def test_days_unobserved_count_from_the_last_processed_overpass_not_from_the_last_tried(store: Store) -> None:
    b.put(store)
    later = ACQUIRED + timedelta(days=5)
    store.record_failure(PORT, "later", later, "the image server gave 503")
    status = port_status(store, PORT, ACQUIRED + timedelta(days=12))
    assert status.last_seen == later
    assert status.last_processed == ACQUIRED
    assert status.unobserved_days == pytest.approx(12)
    found = gauges(status)
    assert found["roadstead_port_unobserved_days", PORT] == pytest.approx(12)
    assert found["roadstead_last_processed_timestamp_seconds", PORT] == ACQUIRED.timestamp()
    assert found["roadstead_last_overpass_timestamp_seconds", PORT] == later.timestamp()
    assert found["roadstead_overpasses", PORT, "processed"] == 1
    assert found["roadstead_overpasses", "failed", PORT] == 1
    assert found["roadstead_overpasses_failing", PORT] == 1


def test_where_nothing_was_ever_processed_days_count_from_the_first_try(store: Store) -> None:
    for day in (0, 3):
        store.record_failure(PORT, f"try-{day}", ACQUIRED + timedelta(days=day), "503")
    assert port_status(store, PORT, ACQUIRED + timedelta(days=11)).unobserved_days == pytest.approx(11)


def test_the_newest_failures_are_named_with_their_reason_and_whether_a_result_stands(store: Store) -> None:
    b.put(store)
    store.record_failure(PORT, b.OVERPASS_ID, ACQUIRED, "cannot be read now")
    for day in range(1, 4):
        store.record_failure(PORT, f"failed-{day}", ACQUIRED + timedelta(days=day), f"reason {day}")
    store.record_failure(PORT, "of-unknown-time", None, "no datetime")
    status = port_status(store, PORT)
    assert status.failed == 5
    assert [(f.overpass_id, f.reason) for f in status.failures] == [
        ("failed-3", "reason 3"), ("failed-2", "reason 2"), ("failed-1", "reason 1")
    ]  # fmt: skip
    only = port_status(store, PORT)
    assert not any(f.result_stands for f in only.failures)


def test_a_later_failure_says_that_the_result_stands(store: Store) -> None:
    b.put(store)
    store.record_failure(PORT, b.OVERPASS_ID, ACQUIRED, "cannot be read now")
    (failure,) = port_status(store, PORT).failures
    assert (failure.reason, failure.result_stands) == ("cannot be read now", True)


def test_lag_is_from_acquisition_to_the_time_of_storing(store: Store) -> None:
    b.put(store)
    stored = store.acquisitions(PORT)["stored"].iloc[0]
    lag = port_status(store, PORT).lag
    assert lag is not None
    assert (lag.n, lag.p50_h, lag.p90_h) == (
        1,
        *[pytest.approx((stored - ACQUIRED).total_seconds() / 3600)] * 2,
    )
    found = gauges(port_status(store, PORT))
    assert found["roadstead_lag_seconds", "0.5", PORT] == pytest.approx((stored - ACQUIRED).total_seconds())


def test_the_next_pass_is_one_repeat_cycle_after_a_recent_one(store: Store) -> None:
    b.put(store)
    now = ACQUIRED + timedelta(days=12)
    assert port_status(store, PORT, now).next_expected == ACQUIRED + timedelta(days=20)
    assert port_status(store, PORT, ACQUIRED + timedelta(days=60)).next_expected is None, (
        "too long ago to promise"
    )


def test_the_document_is_json_and_says_simulated(store: Store) -> None:
    b.put(store)
    document = json.loads(json.dumps(port_status(store, PORT, datetime(2020, 11, 13, tzinfo=UTC)).document()))
    assert document["last_processed"].startswith("2020-11-03T")
    assert document["simulated"] is True
    assert 9 < document["unobserved_days"] < 10


def test_the_map_of_an_overpass_is_an_image_and_there_is_none_of_an_unknown_one(store: Store) -> None:
    b.put(store)
    assert overpass_map(store, PORT, "unknown", "caption") is None
    made = overpass_map(store, PORT, b.OVERPASS_ID, "caption")
    assert made is not None
    assert made[:4] == b"RIFF" and made[8:12] == b"WEBP"
