"""Hulls side by side away from quays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from shapely.geometry import MultiPolygon, Polygon, box

from roadstead.core.geo import destination_lonlat
from roadstead.core.ports import Zone
from roadstead.reconcile import PAIR_REASONS, alongside_pairs
from tests.unit.builders import detections
from tests.unit.reconcile.declarations import hull, offset, port


def ship(
    index: int,
    east_m: float,
    north_m: float = 0.0,
    length_m: float = 120.0,
    axis_deg: float = 0.0,
    **changes: Any,
) -> dict[str, Any]:
    beam = 20.0
    lon, lat = offset(east_m, north_m)
    corners = [
        (beam / 2, length_m / 2),
        (beam / 2, -length_m / 2),
        (-beam / 2, -length_m / 2),
        (-beam / 2, length_m / 2),
    ]
    turned = [np.degrees(np.arctan2(x, y)) + axis_deg for x, y in corners]
    reach = [np.hypot(x, y) for x, y in corners]
    outline = Polygon(destination_lonlat(np.tile([[lon, lat]], (4, 1)), np.array(turned), np.array(reach)))
    return hull(
        index, east_m, north_m, length_m=length_m, axis_deg=axis_deg, beam_m=beam, geometry=outline, **changes
    )


def test_two_hulls_side_by_side_are_one_pair_with_the_longer_first() -> None:
    pairs = alongside_pairs(
        detections([ship(0, 0, length_m=100.0), ship(1, 30, length_m=180.0, axis_deg=175.0)])
    )
    assert len(pairs) == 1
    row = pairs.iloc[0]
    assert (row["detection_a"], row["detection_b"]) == ("d1", "d0")
    assert row["axis_difference_deg"] == pytest.approx(5.0)
    assert 0 < row["gap_m"] < 15 and row["overlap"] > 0.9
    assert set(row["reasons"].split(",")) <= set(PAIR_REASONS)


@pytest.mark.parametrize(
    "other",
    [
        {"east_m": 80.0},  # a berth's width apart
        {"east_m": 35.0, "axis_deg": 60.0},  # across
        {"east_m": 0.0, "north_m": 130.0},  # in line
        {"east_m": 30.0, "length_m": 30.0},  # a launch
        {"east_m": 30.0, "dropped_because": "fixed_structure"},
    ],
)
def test_others_are_no_pair(other: dict) -> None:
    pairs = alongside_pairs(detections([ship(0, 0), ship(1, **other)]))
    assert len(pairs) == 0 and "gap_m" in pairs


def test_hulls_at_a_quay_are_no_pair_and_hulls_of_two_overpasses_are_none() -> None:
    quay = Zone("nampo/quay", "berth", MultiPolygon([box(125.29, 38.69, 125.31, 38.71)]))
    both = [ship(0, 0), ship(1, 30)]
    assert len(alongside_pairs(detections(both), port())) == 1
    assert len(alongside_pairs(detections(both), port(quay))) == 0
    assert len(alongside_pairs(detections([both[0], {**both[1], "overpass_id": "later"}]))) == 0


def test_boxes_that_overlap_may_be_one_hull() -> None:
    pairs = alongside_pairs(detections([ship(0, 0), ship(1, 12, length_m=50.0)]))
    assert pairs["reasons"].iloc[0] == "side_by_side,one_or_two,tug_size"
