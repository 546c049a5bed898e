"""What stays put for most of a year is a structure; ships that come and go, or lie long, are not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from roadstead.core.detections_file import SceneHeader
from roadstead.core.geo import destination_lonlat
from roadstead.core.schemas import STRUCTURES, checked
from roadstead.detection.fixed_structures import (
    FIXED_STRUCTURE,
    LEAST_LOOKS,
    NEAR_STRUCTURE,
    beside,
    learn,
    mark,
    presence_low,
)
from tests.unit.builders import ACQUIRED, detection, detections, header

JETTY = (125.40, 38.72)
FRAME = box(125.0, 38.5, 125.6, 38.9)
NOW = pd.Timestamp(ACQUIRED) + timedelta(days=400)


def finding(
    number: int,
    day: int,
    *,
    east_m: float = 0.0,
    north_m: float = 0.0,
    length: float = 120.0,
    axis: float = 45.0,
) -> dict[str, Any]:
    """Return a detection so far off the jetty's place, of a look on some day."""
    place = np.array([JETTY])
    place = destination_lonlat(place, np.array([90.0]), np.array([east_m]))
    ((lon, lat),) = destination_lonlat(place, np.array([0.0]), np.array([north_m]))
    return detection(
        number, float(lon), float(lat), overpass_id=f"o{day}", acquired=pd.Timestamp(ACQUIRED) + timedelta(days=day),
        length_m=length, beam_m=20.0, axis_deg=axis, geometry=box(lon - 6e-4, lat - 1e-4, lon + 6e-4, lat + 1e-4),
    )  # fmt: skip


def looks(days: range, area: Any = FRAME) -> gpd.GeoDataFrame:
    times = pd.to_datetime([pd.Timestamp(ACQUIRED) + timedelta(days=day) for day in days], utc=True)
    table = {"overpass_id": [f"o{day}" for day in days], "acquired": times.astype("datetime64[ns, UTC]")}
    return gpd.GeoDataFrame(table, geometry=[area] * len(days), crs="EPSG:4326")


DAYS = range(50, 390, 10)


def jittered(days: range = DAYS, seed: int = 0) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [
        finding(
            n, day, east_m=rng.normal(0, 4), north_m=rng.normal(0, 4), length=120 + rng.normal(0, 5),
            axis=45 + rng.normal(0, 3),
        )
        for n, day in enumerate(days)
    ]  # fmt: skip


def learnt(rows: list[dict[str, Any]], days: range = DAYS) -> gpd.GeoDataFrame:
    return learn(detections(rows), looks(days), NOW)


def test_what_lies_in_nearly_every_look_is_a_structure() -> None:
    known = learnt(jittered())
    row = checked(known, STRUCTURES, "learnt").iloc[0]
    assert len(known) == 1
    assert (row["looks"], row["seen"]) == (34, 34)
    assert row["length_m"] == pytest.approx(120, abs=3) and row["axis_deg"] == pytest.approx(45, abs=2)
    assert row["presence_low"] > 0.9


def test_a_structure_may_be_missed_now_and_then_and_clouded_looks_do_not_count() -> None:
    assert len(learnt([row for n, row in enumerate(jittered()) if n % 6])) == 1
    half = jittered()[::2]
    assert learnt(half).empty
    clouded = looks(DAYS)
    clouded.loc[1::2, "geometry"] = box(125.0, 38.5, 125.1, 38.6)
    assert len(learn(detections(half), clouded, NOW)) == 1


def one_after_another(day: int, stay: int) -> dict[str, float]:
    rng = np.random.default_rng(day // stay)
    return {"east_m": float(rng.normal(0, 15)), "length": float(rng.uniform(80, 160))}


@pytest.mark.parametrize("stay", [10, 20, 40])
def test_a_berth_that_is_always_taken_by_one_ship_after_another_is_no_structure(stay: int) -> None:
    assert learnt([finding(n, day, **one_after_another(day, stay)) for n, day in enumerate(DAYS)]).empty


def test_a_ship_laid_up_for_a_winter_is_no_structure() -> None:
    assert learnt(jittered(range(100, 220, 10)), range(100, 220, 10)).empty
    assert learnt(jittered(range(100, 220, 10))).empty


def test_the_future_and_what_is_long_past_tell_nothing() -> None:
    rows = detections(jittered())
    assert learn(rows, looks(DAYS), pd.Timestamp(ACQUIRED) + timedelta(days=120)).empty
    assert learn(rows, looks(DAYS), NOW + timedelta(days=300)).empty


@given(st.integers(0, 10**6))
def test_the_order_of_rows_and_what_was_dropped_before_play_no_part(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = jittered()
    again = [rows[k] for k in rng.permutation(len(rows))]
    for row in again[: len(rows) // 2]:
        row["dropped_because"] = FIXED_STRUCTURE
    first, second = learnt(rows), learnt(again)
    pd.testing.assert_frame_equal(pd.DataFrame(first), pd.DataFrame(second))


@pytest.mark.parametrize(
    ("found", "dropped", "flag"),
    [
        (finding(0, 395, east_m=5.0), FIXED_STRUCTURE, ""),
        (finding(0, 395, length=160.0), None, NEAR_STRUCTURE),
        (finding(0, 395, north_m=22.0), None, NEAR_STRUCTURE),
        (finding(0, 395, axis=90.0), None, NEAR_STRUCTURE),
        (finding(0, 395, north_m=300.0), None, ""),
    ],
)
def test_only_what_lies_on_a_structure_and_is_like_it_is_dropped(
    found: dict[str, Any], dropped: str | None, flag: str
) -> None:
    row = mark(detections([found]), learnt(jittered())).iloc[0]
    assert row["dropped_because"] == dropped
    assert row["flags"] == flag


def test_of_two_findings_on_one_structure_the_nearer_is_it_and_the_other_a_ship() -> None:
    marked = mark(detections([finding(0, 395, east_m=8.0), finding(1, 395)]), learnt(jittered()))
    assert marked["dropped_because"].tolist() == [None, FIXED_STRUCTURE]
    assert marked["flags"].tolist() == [NEAR_STRUCTURE, ""]


def test_what_was_dropped_already_and_ports_without_structures_stay_as_they_are() -> None:
    cloudy = detections([finding(0, 395) | {"dropped_because": "cloud"}])
    pd.testing.assert_frame_equal(mark(cloudy, learnt(jittered())), cloudy)
    plain = detections([finding(0, 395)])
    pd.testing.assert_frame_equal(mark(plain, learnt([])), plain)


def test_nobody_may_say_that_no_ship_lay_where_a_structure_does() -> None:
    scene: SceneHeader = header().scenes[0]
    found = detections([finding(0, 395) | {"overpass_id": scene.overpass_id}])
    (left,) = beside([scene], mark(found, learnt(jittered())))
    assert scene.valid_area.contains(found.geometry.iloc[0].centroid)
    assert not left.valid_area.intersects(found.geometry.iloc[0].centroid)
    assert beside([scene], found) == (scene,)


def test_fewer_looks_than_the_least_never_suffice() -> None:
    assert presence_low(LEAST_LOOKS, LEAST_LOOKS) > presence_low(LEAST_LOOKS - 1, LEAST_LOOKS)
    few = range(0, 390, 39)
    assert len(few) < LEAST_LOOKS
    assert learnt(jittered(few), few).empty
