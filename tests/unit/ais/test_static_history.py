"""What a vessel declares is a history, and its hull lies about its antenna."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roadstead.ais import AisData, hull_centre, read_ais
from roadstead.core.geo import distance_m
from roadstead.core.schemas import VESSELS, checked, empty
from tests.unit.ais.messages import BAD_IMO, SHIP, at, position, report, reports, voyage, write


def read(tmp_path: Path, *messages: list[str]) -> AisData:
    return read_ais([write(tmp_path / "log.nmea", [line for message in messages for line in message])])


def vessel(seconds: float = 0.0, **changes: Any) -> dict[str, Any]:
    row = dict.fromkeys(VESSELS.columns)
    sides = {"to_bow_m": 120.0, "to_stern_m": 30.0, "to_port_m": 8.0, "to_starboard_m": 14.0}
    return {**row, "mmsi": str(SHIP), "time": at(seconds), "source": "test", **sides, **changes}


def test_static_data_said_again_adds_no_row(tmp_path: Path) -> None:
    data = read(tmp_path, position(0), *(voyage(360 * n) for n in range(5)))
    assert list(data.vessels["time"]) == [at(0)]


def test_each_change_adds_a_row_from_when_it_was_first_heard(tmp_path: Path) -> None:
    data = read(
        tmp_path,
        position(0),
        voyage(0),
        voyage(360, destination="TIANJIN"),
        voyage(720, destination="TIANJIN"),
        voyage(1080, destination="TIANJIN", shipname="BLUE HERON"),
    )
    assert data.vessels[["time", "name", "destination"]].to_numpy().tolist() == [
        [at(0), "GREY HERON", "NAMPO"],
        [at(360), "GREY HERON", "TIANJIN"],
        [at(1080), "BLUE HERON", "TIANJIN"],
    ]


def test_a_name_that_changes_and_changes_back_is_three_rows(tmp_path: Path) -> None:
    data = read(tmp_path, position(0), voyage(0), voyage(60, shipname="BLUE HERON"), voyage(120))
    assert list(data.vessels["name"]) == ["GREY HERON", "BLUE HERON", "GREY HERON"]


def test_an_imo_number_with_a_wrong_check_digit_is_kept_as_declared(tmp_path: Path) -> None:
    assert list(read(tmp_path, position(), voyage(imo=int(BAD_IMO))).vessels["imo"]) == [BAD_IMO]


def test_the_history_fits_the_table_schema(tmp_path: Path) -> None:
    checked(read(tmp_path, position(), voyage()).vessels, VESSELS, "vessels")


@pytest.mark.parametrize(
    ("heading", "ahead_east_m", "ahead_north_m"),
    [(0.0, 3.0, 45.0), (90.0, 45.0, -3.0), (180.0, -3.0, -45.0), (270.0, -45.0, 3.0)],
)
def test_the_hull_centre_lies_half_the_difference_ahead_and_to_starboard(
    heading: float, ahead_east_m: float, ahead_north_m: float
) -> None:
    table = reports([report(heading_deg=heading)])
    centre = hull_centre(table, pd.DataFrame([vessel()]))
    metre_lat = 1 / 111_014.0
    metre_lon = 1 / (111_320.0 * np.cos(np.radians(38.7)))
    moved = (centre[0] - [125.2, 38.7]) / [metre_lon, metre_lat]
    assert moved == pytest.approx([ahead_east_m, ahead_north_m], abs=0.3)


def test_under_way_the_course_stands_in_for_the_heading_and_at_rest_nothing_does() -> None:
    table = reports([report(heading_deg=None, sog_kn=8.0), report(heading_deg=None, sog_kn=0.3, seconds=60)])
    table["heading_deg"] = table["heading_deg"].astype(float)
    moved = distance_m(hull_centre(table, pd.DataFrame([vessel()])), table[["lon", "lat"]].to_numpy())
    assert moved == pytest.approx([np.hypot(45, 3), 0.0], abs=0.01)


def test_without_dimensions_the_reported_position_is_returned() -> None:
    table = reports([report()])
    assert hull_centre(table, empty(VESSELS)).tolist() == [[125.2, 38.7]]


def test_the_antenna_is_that_declared_last_before_the_report_else_first_after_it() -> None:
    static = pd.DataFrame(
        [vessel(100), vessel(1000, to_bow_m=30.0, to_stern_m=30.0, to_port_m=None, to_starboard_m=None)]
    )
    table = reports([report(seconds=2000), report(seconds=0), report(seconds=500), report("445999000", 0)])
    moved = distance_m(hull_centre(table, static), table[["lon", "lat"]].to_numpy())
    assert moved == pytest.approx([0.0, np.hypot(45, 3), np.hypot(45, 3), 0.0], abs=0.01)


@settings(deadline=None, max_examples=50)
@given(
    st.floats(0, 359.9),
    st.tuples(*[st.floats(0, 200)] * 2),
    st.tuples(*[st.floats(0, 40)] * 2),
    st.floats(-80, 80),
)
def test_the_shift_has_the_length_of_the_offset_whatever_the_heading(
    heading: float, along: tuple[float, float], across: tuple[float, float], lat: float
) -> None:
    sides = dict(
        zip(("to_bow_m", "to_stern_m", "to_port_m", "to_starboard_m"), (*along, *across), strict=True)
    )
    table = reports([report(heading_deg=heading, lat=lat)])
    centre = hull_centre(table, pd.DataFrame([vessel(**sides)]))
    offset = np.hypot((along[0] - along[1]) / 2, (across[1] - across[0]) / 2)
    assert distance_m(centre, table[["lon", "lat"]].to_numpy())[0] == pytest.approx(offset, abs=0.01)
