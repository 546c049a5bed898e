"""Values that mean "not available" become null; impossible ones are refused with a reason."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from roadstead.ais import AisData, read_ais
from roadstead.ais.codes import is_gear_name, nav_status, ship_type
from tests.unit.ais.messages import at, nmea, position, voyage, write

HEADER = (
    "mmsi,time,lon,lat,sog_kn,cog_deg,heading_deg,nav_status,ship_type,length_m,"
    "to_bow_m,to_stern_m,to_port_m,to_starboard_m"
)


def row(**changes: str) -> str:
    known = {"mmsi": "445111000", "time": "2020-11-03T02:20:00Z", "lon": "125.2", "lat": "38.7"}
    return ",".join({**known, **changes}.get(name, "") for name in HEADER.split(","))


def read(tmp_path: Path, *rows: str, **kept: Any) -> AisData:
    return read_ais([write(tmp_path / "ais.csv", [HEADER, *rows])], **kept)


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"lon": "181", "lat": "91"}, "lon", "position_not_available"),
        ({"lon": "", "lat": "38.7"}, "lon", "position_not_available"),
        ({"lon": "200.5"}, "lon", "lon_out_of_range"),
        ({"lat": "-90.5"}, "lat", "lat_out_of_range"),
        ({"lon": "0", "lat": "0"}, "lon", "null_island"),
        ({"mmsi": "0"}, "mmsi", "mmsi_invalid"),
        ({"mmsi": "4451110001"}, "mmsi", "mmsi_invalid"),
        ({"mmsi": "ship"}, "mmsi", "mmsi_invalid"),
        ({"mmsi": "972123456"}, "mmsi", "distress_beacon"),
        ({"time": "yesterday"}, "time", "time_not_understood"),
        ({"time": "1970-01-01T00:00:00Z"}, "time", "time_before_ais"),
        ({"time": (datetime.now(UTC) + timedelta(days=3)).isoformat()}, "time", "time_in_future"),
    ],
)
def test_an_impossible_row_is_quarantined_and_the_good_row_kept(
    tmp_path: Path, changes: dict[str, str], field: str, reason: str
) -> None:
    data = read(tmp_path, row(), row(**changes))
    assert list(data.positions["time"]) == [at(0)]
    (refused,) = data.quarantine.to_dict("records")
    assert (refused["row"], refused["field"], refused["reason"]) == (3, field, reason)
    assert refused["content"] == row(**changes)
    assert refused["file"].endswith("ais.csv")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("sog_kn", "102.3"),
        ("cog_deg", "360.0"),
        ("heading_deg", "511"),
        ("nav_status", "15"),
        ("nav_status", "Unknown value"),
    ],
)
def test_values_that_mean_not_available_become_null_without_a_fault(
    tmp_path: Path, column: str, value: str
) -> None:
    data = read(tmp_path, row(**{column: value}))
    assert data.positions[column].isna().all()
    assert data.quarantine.empty


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("sog_kn", "140", "out_of_range_field_dropped"),
        ("cog_deg", "400", "out_of_range_field_dropped"),
        ("heading_deg", "-5", "out_of_range_field_dropped"),
        ("nav_status", "dancing", "not_understood_field_dropped"),
        ("length_m", "900", "out_of_range_field_dropped"),
        ("ship_type", "spaceship", "not_understood_field_dropped"),
    ],
)
def test_an_impossible_field_is_dropped_and_said_so_while_the_position_stays(
    tmp_path: Path, column: str, value: str, reason: str
) -> None:
    data = read(tmp_path, row(**{column: value}))
    assert len(data.positions) == 1
    assert data.quarantine[["field", "reason"]].to_numpy().tolist() == [[column, reason]]
    held = data.positions if column in data.positions else data.vessels
    assert held.get(column, pd.Series(dtype=float)).isna().all()


def test_speeds_at_the_top_of_the_scale_are_kept(tmp_path: Path) -> None:
    assert list(read(tmp_path, row(sog_kn="102.2")).positions["sog_kn"]) == [102.2]


def test_a_heading_of_360_is_north(tmp_path: Path) -> None:
    assert list(read(tmp_path, row(heading_deg="360")).positions["heading_deg"]) == [0.0]


def test_odd_transmitter_numbers_stay_ships_so_that_no_heard_hull_is_called_silent(tmp_path: Path) -> None:
    data = read(tmp_path, row(mmsi="123456789"), row(mmsi="1193046"))
    assert list(data.positions["mmsi"]) == ["001193046", "123456789"]


def test_exact_duplicates_are_dropped_and_counted(tmp_path: Path) -> None:
    data = read(tmp_path, row(), row(), row(sog_kn="3"))
    assert len(data.positions) == 2
    assert data.duplicates == 1


def test_only_the_box_and_the_time_range_are_kept_and_the_rest_is_no_fault(tmp_path: Path) -> None:
    rows = [row(), row(lon="126.9"), row(time="2020-11-03T09:00:00Z")]
    data = read(
        tmp_path,
        *rows,
        within=(125.0, 38.0, 126.0, 39.0),
        start=datetime(2020, 11, 3, 2, tzinfo=UTC),
        end=datetime(2020, 11, 3, 3, tzinfo=UTC),
    )
    assert list(data.positions["time"]) == [at(0)]
    assert data.quarantine.empty


def test_a_box_may_cross_the_180th_meridian(tmp_path: Path) -> None:
    data = read(
        tmp_path, row(lon="179.9"), row(lon="-179.9"), row(lon="0.5"), within=(179.0, 38.0, -179.0, 39.0)
    )
    assert sorted(data.positions["lon"]) == [-179.9, 179.9]


def test_static_data_from_before_the_time_range_is_kept_for_the_vessels_in_it(tmp_path: Path) -> None:
    log = write(tmp_path / "log.nmea", [*voyage(-7200), *voyage(-7200, mmsi=445111009), *position(0)])
    data = read_ais([log], start=at(-60), end=at(60))
    assert list(data.vessels["mmsi"]) == ["445111000"]
    assert list(data.vessels["time"]) == [at(-7200)]


def test_an_unset_antenna_leaves_length_and_beam(tmp_path: Path) -> None:
    sides = {"to_bow_m": "0", "to_stern_m": "150", "to_port_m": "0", "to_starboard_m": "22"}
    (vessel,) = read(tmp_path, row(**sides)).vessels.to_dict("records")
    assert (vessel["length_m"], vessel["beam_m"]) == (150.0, 22.0)
    assert pd.isna([vessel[side] for side in sides]).all()


def test_an_antenna_at_the_bow_is_no_unset_antenna(tmp_path: Path) -> None:
    sides = {"to_bow_m": "0", "to_stern_m": "150", "to_port_m": "11", "to_starboard_m": "11"}
    (vessel,) = read(tmp_path, row(**sides)).vessels.to_dict("records")
    assert (vessel["to_bow_m"], vessel["to_stern_m"]) == (0.0, 150.0)


def test_zeros_and_padding_in_static_messages_are_null(tmp_path: Path) -> None:
    empty = voyage(
        imo=0,
        callsign="",
        shipname="",
        ship_type=0,
        to_bow=0,
        to_stern=0,
        to_port=0,
        to_starboard=0,
        draught=0,
        destination="",
    )
    data = read_ais([write(tmp_path / "log.nmea", [*position(), *empty])])
    assert data.vessels.empty


def test_numbers_of_other_registers_in_the_imo_field_are_not_taken_for_imo_numbers(tmp_path: Path) -> None:
    data = read_ais([write(tmp_path / "log.nmea", [*position(), *voyage(imo=999999)])])
    assert data.vessels["imo"].isna().all()


@pytest.mark.parametrize(
    "name", ["NET-82542-84%", "NET MARK 12", "FISHING NET 3", "BUOY-0071-90%", "SS-2-12.4V", "GEAR 4"]
)
def test_names_of_fishing_gear_are_told(name: str) -> None:
    assert is_gear_name(name)


@pytest.mark.parametrize("name", ["GREY HERON", "BUOYANT 7", "NETTIE 2", "HAI 98", "GEARHART", "KANG 86 V"])
def test_names_of_ships_are_not_taken_for_gear(name: str) -> None:
    assert not is_gear_name(name)


def test_gear_buoys_become_stations_and_a_ship_of_that_name_stays_a_ship(tmp_path: Path) -> None:
    buoy, ship = 445111777, 445111778
    lines = [
        *nmea(0, type=18, mmsi=buoy, lon=125.1, lat=38.6, speed=0.1, course=0.0),
        *nmea(1, type=24, mmsi=buoy, partno=0, shipname="NET-82542-84%"),
        *position(2, mmsi=ship),
        *voyage(3, mmsi=ship, shipname="NET-82542-84%"),
    ]
    data = read_ais([write(tmp_path / "log.nmea", lines)])
    assert data.stations[["mmsi", "kind"]].to_numpy().tolist() == [[str(buoy), "gear_buoy"]]
    assert set(data.positions["mmsi"]) == {str(ship)}
    assert set(data.vessels["mmsi"]) == {str(ship)}


def test_codes_and_words_of_status_and_type_agree() -> None:
    assert nav_status(5) == nav_status("Moored") == nav_status("5.0") == "moored"
    assert nav_status("Restricted maneuverability") == nav_status(3)
    assert nav_status(9) is None
    assert nav_status("Reserved for future use [11]") is None
    assert ship_type("Cargo") == ship_type("70") == ship_type("70.0") == 70
    assert ship_type(1004) is None
    with pytest.raises(ValueError, match="16"):
        nav_status("16")
