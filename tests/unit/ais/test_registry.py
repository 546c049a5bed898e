"""What an MMSI and an IMO number say by themselves."""

import csv
from pathlib import Path

import pytest

from roadstead.ais import flag_of, imo_is_valid, mid_is_assigned
from roadstead.ais.identity.registry import is_distress_beacon, mid_table, station_kind
from tests.unit.ais.messages import BAD_IMO, GOOD_IMO


@pytest.mark.parametrize(
    ("mmsi", "flag"),
    [
        ("445111000", "KP"),
        ("413000001", "CN"),
        ("416000001", "TW"),
        ("477000001", "HK"),
        ("004451234", "KP"),
        ("994401234", "KR"),
        ("111232501", "GB"),
        ("984131234", "CN"),
        ("200000001", None),
        ("123456789", None),
    ],
)
def test_the_flag_is_read_from_the_digits_where_the_form_of_the_number_has_them(
    mmsi: str, flag: str | None
) -> None:
    assert flag_of(mmsi) == flag


def test_a_mid_that_several_territories_share_names_no_flag_but_is_assigned() -> None:
    assert flag_of("306123000") is None
    assert mid_is_assigned("306123000")


def test_a_nonexistent_flag_state_is_told_from_an_assigned_one() -> None:
    assert not mid_is_assigned("400123000")
    assert mid_is_assigned("445123000")


@pytest.mark.parametrize(
    ("mmsi", "kind"),
    [
        ("002190075", "base_station"),
        ("994136001", "aid_to_navigation"),
        ("111413001", "sar_aircraft"),
        ("445111000", None),
        ("001193046", None),
        ("100900123", None),
    ],
)
def test_stations_are_told_by_the_form_of_their_number_and_odd_numbers_stay_ships(
    mmsi: str, kind: str | None
) -> None:
    assert station_kind(mmsi) == kind


def test_distress_beacons_are_told_by_their_number() -> None:
    assert is_distress_beacon("970123456")
    assert is_distress_beacon("974123456")
    assert not is_distress_beacon("977123456")


def test_the_check_digit_of_an_imo_number_is_the_weighted_sum_of_the_others() -> None:
    assert imo_is_valid(GOOD_IMO)
    assert not imo_is_valid(BAD_IMO)
    assert not imo_is_valid("999999")
    assert not imo_is_valid("IMO9999")


@pytest.mark.shared_data
def test_every_mid_of_the_itu_table_is_in_ours_and_no_other(shared_data: Path) -> None:
    path = shared_data / "reference/itu_maritime_identification_digits.csv"
    with path.open(encoding="utf-8-sig", newline="") as stream:
        itu = {row["MID"] for row in csv.DictReader(stream)}
    assert itu == set(mid_table())
    assert {code for code in mid_table().values() if code and len(code) != 2} == set()


@pytest.mark.shared_data
def test_listed_vessels_have_imo_numbers_with_a_right_check_digit(shared_data: Path) -> None:
    listed = next((shared_data / "reference").glob("*dprk*.csv"))
    with listed.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    numbers = [value for row in rows for key, value in row.items() if key and "imo" in key.lower() and value]
    assert len(numbers) > 50
    assert sum(map(imo_is_valid, numbers)) / len(numbers) > 0.95
