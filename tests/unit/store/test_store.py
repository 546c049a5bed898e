from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy import create_engine, select

from roadstead import __version__
from roadstead.core.errors import TableError, UsageError
from roadstead.core.schemas import (
    ACQUISITIONS,
    COUNTS,
    DETECTIONS,
    MATCHES,
    POSITIONS,
    SCENES,
    VESSELS,
    checked,
)
from roadstead.store import MissingPass, Store
from roadstead.store.schema import Base
from tests.unit.builders import ACQUIRED, detection, detections
from tests.unit.store import builders as b

DESK = (
    "users", "sessions", "visits", "decisions", "attached_files",
    "audit_draws", "audit_cells", "audit_answers", "audit_boxes",
)  # fmt: skip
"""Filled by people, not by overpasses."""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.sqlite'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


def dump(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table, but for when it was stored."""
    engine = create_engine(url)
    with engine.connect() as connection:
        tables = {
            name: [
                tuple(row)
                for row in connection.execute(
                    select(*[c for c in table.c if c.name != "stored"]).order_by(*table.primary_key)
                )
            ]
            for name, table in Base.metadata.tables.items()
        }
    engine.dispose()
    return tables


def test_what_is_put_comes_back_as_the_tables_of_the_design(store: Store) -> None:
    b.put(store)
    expected = detections([detection(0), detection(1, lon=125.4, zone=None)])
    assert_frame_equal(store.detections("nampo"), expected)
    for table, schema in (
        (store.scenes("nampo"), SCENES),
        (store.detections("nampo"), DETECTIONS),
        (store.matches("nampo"), MATCHES),
        (store.counts("nampo"), COUNTS),
        (store.positions("nampo"), POSITIONS),
        (store.vessels("nampo"), VESSELS),
        (store.acquisitions("nampo"), ACQUISITIONS),
    ):
        assert len(checked(table, schema, "read back")) > 0
        assert list(table.columns)[: len(schema.columns)] == list(schema.columns)


def test_tables_of_a_port_never_watched_are_empty_and_keep_their_types(store: Store) -> None:
    for table, schema in (
        (store.scenes("durban"), SCENES),
        (store.detections("durban"), DETECTIONS),
        (store.matches("durban"), MATCHES),
        (store.counts("durban"), COUNTS),
        (store.positions("durban"), POSITIONS),
        (store.vessels("durban"), VESSELS),
        (store.acquisitions("durban"), ACQUISITIONS),
    ):
        assert checked(table, schema, "empty").empty


def test_a_scene_keeps_where_it_was_searched_and_how_much_of_each_zone_was_seen(store: Store) -> None:
    b.put(store)
    scene = store.scenes("nampo").iloc[0]
    assert scene["visible_fraction"] == {"nampo/roads": 1.0}
    assert scene["valid_area"].equals(b.FRAME)
    assert scene.geometry.equals(b.FRAME)


def test_running_the_same_overpass_twice_changes_nothing(store: Store, url: str) -> None:
    b.put(store)
    store.record_missing(
        "nampo",
        [MissingPass("sentinel-2b", ACQUIRED + timedelta(days=5), "missing", "in no catalogue asked")],
    )
    before = dump(url)
    b.put(store)
    assert dump(url) == before
    assert all(before[name] for name in before if name not in DESK)


def test_an_overpass_is_replaced_whole(store: Store) -> None:
    b.put(store)
    b.put(store, detections=detections([detection(7)]), matches=b.matches([{"detection_id": "d7"}]))
    assert list(store.detections("nampo")["detection_id"]) == ["d7"]
    assert list(store.matches("nampo")["detection_id"]) == ["d7"]


def test_the_same_scene_watched_for_two_ports_is_kept_for_both(store: Store) -> None:
    b.put(store)
    b.put(store, port="songnim")
    assert len(store.detections("nampo")) == len(store.detections("songnim")) == 2


def test_an_overpass_regrouped_with_a_late_scene_replaces_the_one_that_held_its_scenes(store: Store) -> None:
    b.put(store)
    earlier = b.scene("S2A_LATE_LISTED", ACQUIRED - timedelta(seconds=9))
    regrouped = b.overpass("nampo_s2_20201103T022532", b.scene(), earlier)
    b.put(store, regrouped)
    assert list(store.acquisitions("nampo")["overpass_id"]) == [regrouped.overpass_id]
    assert len(store.detections("nampo")) == 2
    assert set(store.scenes("nampo")["scene_id"]) == {"S2A_TEST", "S2A_LATE_LISTED"}


def test_each_overpass_says_with_which_model_threshold_and_version_it_was_processed(store: Store) -> None:
    b.put(store)
    row = store.acquisitions("nampo").iloc[0]
    assert (row["model_id"], row["model_sha256"], row["threshold"]) == ("test-model", "a" * 64, 0.4)
    assert row["roadstead_version"] == __version__
    assert row["state"] == "processed"


def test_an_overpass_that_supports_no_lead_says_why_in_the_store_and_the_ledger(store: Store) -> None:
    b.put(store, doubt="AIS reports fit best 8 h 00 min later than the image's time")
    for table in (store.acquisitions("nampo"), store.ledger("nampo")):
        assert table["state"].iloc[0] in ("processed", "observed")
        assert "8 h 00 min later" in table["reason"].iloc[0]
    b.put(store)
    assert store.acquisitions("nampo")["reason"].isna().all(), "mended, it is forgotten"


def test_everything_simulated_says_so(store: Store, url: str) -> None:
    b.put(store)
    for name, table in Base.metadata.tables.items():
        if "simulated" in table.columns:
            place = list(table.columns.keys()).index("simulated")
            assert [row[place] for row in dump(url)[name]] == [True] * len(dump(url)[name])


@pytest.mark.parametrize("standing", [True, False])
def test_simulated_and_real_never_take_each_others_place(store: Store, url: str, standing: bool) -> None:
    put_as(store, standing)
    before = dump(url)
    with pytest.raises(UsageError, match=r"store of its own \(--store\)"):
        put_as(store, not standing)
    assert dump(url) == before
    put_as(store, standing)
    assert dump(url) == before


@pytest.mark.parametrize("simulated", [True, False])
def test_either_may_follow_a_failure(store: Store, simulated: bool) -> None:
    store.record_failure("nampo", b.OVERPASS_ID, ACQUIRED, "band red: HTTP 403")
    put_as(store, simulated)
    assert list(store.acquisitions("nampo")["simulated"]) == [simulated]


def put_as(store: Store, simulated: bool) -> None:
    key = {"overpass_id": b.OVERPASS_ID, "simulated": simulated}
    b.put(
        store,
        header=b.headers(b.overpass(), simulated=simulated),
        matches=b.matches([{**key, "detection_id": "d0"}]),
        detections=detections([detection(0, **key)]),
    )


def test_a_failed_overpass_is_listed_as_failed_and_has_no_counts(store: Store) -> None:
    store.record_failure("nampo", b.OVERPASS_ID, ACQUIRED, "band red: HTTP 403")
    row = store.acquisitions("nampo").iloc[0]
    assert (row["state"], row["reason"]) == ("failed", "band red: HTTP 403")
    assert store.counts("nampo").empty


def test_a_failure_does_not_wipe_an_earlier_success_but_is_noted(store: Store, url: str) -> None:
    b.put(store)
    before = dump(url)
    store.record_failure("nampo", b.OVERPASS_ID, ACQUIRED, "band red: HTTP 403")
    after = dump(url)
    assert store.acquisitions("nampo").iloc[0]["later_failure"] == "band red: HTTP 403"
    assert store.acquisitions("nampo").iloc[0]["state"] == "processed"
    store.still_stands("nampo", b.OVERPASS_ID)
    assert store.acquisitions("nampo").iloc[0]["later_failure"] is None
    assert {k: v for k, v in after.items() if k != "acquisitions"} == {
        k: v for k, v in before.items() if k != "acquisitions"
    }
    b.put(store)
    assert dump(url) == before


def test_a_success_clears_the_failure_of_the_overpass_and_of_its_items(store: Store) -> None:
    store.record_failure("nampo", b.OVERPASS_ID, ACQUIRED, "timeout")
    store.record_failure("nampo", "S2A_TEST", None, "item has no datetime")
    b.put(store)
    assert list(store.acquisitions("nampo")["state"]) == ["processed"]


def test_an_item_without_a_time_is_listed_whatever_the_range(store: Store) -> None:
    store.record_failure("nampo", "S2X", None, "item has no datetime")
    later = datetime(2024, 1, 1, tzinfo=UTC)
    listed = store.acquisitions("nampo", later, later + timedelta(days=1))
    assert list(listed["overpass_id"]) == ["S2X"]
    assert listed["acquired"].isna().all()


def test_an_overpass_that_saw_no_zone_is_not_observed_rather_than_empty(store: Store) -> None:
    nothing = detections([])
    b.put(store, detections=nothing, matches=b.matches([]), counts=b.counts(None, visible=0.05))
    row = store.acquisitions("nampo").iloc[0]
    assert row["state"] == "not_observed"
    assert "cloud" in row["reason"]
    assert store.counts("nampo")["value"].isna().all()


def test_a_range_takes_its_first_moment_and_leaves_its_last(store: Store) -> None:
    b.put(store)
    assert len(store.detections("nampo", ACQUIRED, ACQUIRED + timedelta(seconds=1))) == 2
    assert store.detections("nampo", ACQUIRED - timedelta(days=1), ACQUIRED).empty
    assert store.matches("nampo", ACQUIRED + timedelta(seconds=1), None).empty
    assert store.counts("nampo", None, ACQUIRED).empty


def test_a_box_takes_what_touches_it(store: Store) -> None:
    b.put(store)
    around_the_first = (125.2985, 38.699, 125.3005, 38.701)
    assert list(store.detections("nampo", within=around_the_first)["detection_id"]) == ["d0"]
    assert list(store.matches("nampo", within=(125.39, 38.6, 125.41, 38.8))["detection_id"]) == ["d1"]


def test_without_ais_evidence_tables_may_lack_columns(store: Store) -> None:
    b.put(store, positions=pd.DataFrame(), vessels=pd.DataFrame())
    assert store.positions("nampo").empty
    assert store.vessels("nampo").empty


def test_static_data_declared_once_and_used_by_two_overpasses_is_one_row(store: Store) -> None:
    b.put(store)
    day = timedelta(days=5)
    second = b.overpass("nampo_s2_20201108T022541", b.scene("S2B_TEST", ACQUIRED + day))
    key = {"overpass_id": second.overpass_id}
    b.put(
        store,
        second,
        detections=detections([detection(2, **key)]),
        matches=b.matches([{**key, "detection_id": "d2"}]),
    )
    assert len(store.vessels("nampo")) == 1


def test_a_quicklook_comes_back_at_its_place(store: Store) -> None:
    b.put(store)
    found = store.quicklook("nampo", b.OVERPASS_ID)
    assert found is not None
    image, bounds = found
    assert image.shape == (8, 12, 3)
    assert abs(int(image[4, 6, 2]) - 120) <= 4
    assert bounds == b.quicklook()[1]
    assert store.quicklook("nampo", "other") is None


def test_a_cut_out_comes_back_with_its_detection(store: Store) -> None:
    b.put(store)
    chips = store.chips("nampo", b.OVERPASS_ID)
    assert {name: chip.shape for name, chip in chips.items()} == {"d0": (8, 8, 3)}
    assert store.chips("nampo", "other") == {}


def test_rows_of_another_overpass_are_refused_and_nothing_is_stored(store: Store) -> None:
    with pytest.raises(TableError, match="matches: rows of other given with nampo_s2"):
        b.put(store, matches=b.matches([{"overpass_id": "other"}]))
    assert store.acquisitions("nampo").empty


def test_two_hulls_of_one_id_are_refused(store: Store) -> None:
    with pytest.raises(TableError, match="detection_id"):
        b.put(store, detections=detections([detection(1), detection(1)]))


def test_times_are_kept_to_the_microsecond(store: Store) -> None:
    exact = datetime(2020, 11, 3, 2, 25, 41, 24123, tzinfo=UTC)
    table = detections([detection(0, acquired=pd.Timestamp(exact))])
    b.put(store, detections=table, matches=b.matches([{"detection_id": "d0"}]))
    assert store.detections("nampo")["acquired"].iloc[0].to_pydatetime() == exact
