"""NMEA sentences become reports with a receive time, or a line of the quarantine with a reason."""

import gzip
from functools import reduce
from operator import xor
from pathlib import Path

import pytest

from roadstead.ais import AisData, read_ais
from roadstead.ais.data import Window
from roadstead.ais.read import Reading
from roadstead.ais.readers.nmea import read_nmea
from roadstead.core.errors import AisError
from tests.unit.ais.messages import SHIP, T0, at, nmea, position, voyage, write


def checksummed(body: str) -> str:
    return f"!{body}*{reduce(xor, body.encode()):02X}"


def read(tmp_path: Path, *messages: list[str], name: str = "log.nmea") -> AisData:
    return read_ais([write(tmp_path / name, [line for message in messages for line in message])])


def reasons(data: AisData) -> list[tuple[int, str]]:
    return list(data.quarantine[["row", "reason"]].itertuples(index=False, name=None))


def test_the_tag_block_gives_the_time_and_the_source(tmp_path: Path) -> None:
    (row,) = read(tmp_path, position(30, station="rNampo")).positions.to_dict("records")
    assert (row["mmsi"], row["time"], row["source"]) == (str(SHIP), at(30), "rNampo")
    assert (row["lon"], row["lat"]) == pytest.approx((125.2, 38.7), abs=1e-6)
    assert (row["sog_kn"], row["cog_deg"], row["heading_deg"]) == (8.0, 90.0, 91.0)
    assert (row["nav_status"], row["ais_class"]) == ("under way using engine", "A")


def test_without_a_station_in_the_tag_block_the_file_is_the_source(tmp_path: Path) -> None:
    body = f"c:{T0}"
    line = f"\\{body}*{reduce(xor, body.encode()):02X}\\{position(None)[0]}"
    assert set(read(tmp_path, [line]).positions["source"]) == {"log.nmea"}


def test_tag_block_times_may_be_milliseconds(tmp_path: Path) -> None:
    body = f"c:{T0}500"
    line = f"\\{body}*{reduce(xor, body.encode()):02X}\\{position(None)[0]}"
    assert list(read(tmp_path, [line]).positions["time"]) == [at(0.5)]


def test_an_epoch_and_station_after_the_checksum_give_time_and_source(tmp_path: Path) -> None:
    data = read(tmp_path, [f"{position(None)[0]},r003669945,{T0 + 7}"])
    assert list(data.positions["time"]) == [at(7)]
    assert list(data.positions["source"]) == ["r003669945"]


def test_a_gatehouse_sentence_gives_the_time_of_the_message_after_it(tmp_path: Path) -> None:
    body = "PGHP,1,2020,11,3,2,20,5,0,219,219,2190047,1,4A"
    gatehouse = f"${body}*{reduce(xor, body.encode()):02X}"
    data = read(tmp_path, [gatehouse, *position(None), *position(9, mmsi=SHIP + 1)])
    assert list(data.positions["time"]) == [at(5), at(9)]


def test_a_file_wholly_without_times_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(AisError, match=r"log\.nmea: no sentence has a receive time"):
        read(tmp_path, position(None), voyage(None))


def test_one_message_without_a_time_among_others_is_quarantined_with_its_line(tmp_path: Path) -> None:
    data = read(tmp_path, position(0), position(None), position(20))
    assert len(data.positions) == 2
    assert reasons(data) == [(2, "no_receive_time")]
    assert data.quarantine["content"][0] == position(None)[0]
    assert data.quarantine["file"][0] == str(tmp_path / "log.nmea")


def test_a_bad_checksum_and_a_bad_bit_count_are_quarantined(tmp_path: Path) -> None:
    sent = position(10)[0]
    broken = sent[:-1] + ("0" if sent[-1] != "0" else "1")
    short = position(None)[0].split(",")
    payload = checksummed(",".join([short[0][1:], *short[1:5], short[5][:-3], "0"]))
    body = f"c:{T0}"
    tagged = f"\\{body}*{reduce(xor, body.encode()):02X}\\{payload}"
    data = read(tmp_path, position(0), [broken], [tagged])
    assert reasons(data) == [(2, "bad_checksum"), (3, "bad_bit_count")]
    assert len(data.positions) == 1


def test_a_damaged_tag_block_is_not_trusted_for_the_time(tmp_path: Path) -> None:
    damaged = position(10)[0].replace(str(T0 + 10), str(T0 + 99))
    assert reasons(read(tmp_path, position(0), [damaged])) == [(2, "bad_tag_block_checksum")]


def test_characters_outside_the_ais_alphabet_are_not_read_as_zeros(tmp_path: Path) -> None:
    body = f"c:{T0}"
    sentence = checksummed("AIVDM,1,1,,A,1" + "x" * 27 + ",0")
    line = f"\\{body}*{reduce(xor, body.encode()):02X}\\{sentence}"
    assert reasons(read(tmp_path, [line])) == [(1, "payload_not_armoured")]


def test_lines_that_are_no_sentences_are_quarantined_but_comments_and_other_instruments_are_passed_over(
    tmp_path: Path,
) -> None:
    gps = "$GPGGA,1*00"
    data = read(tmp_path, position(0), ["# log of a test", "", gps, "garbage"])
    assert reasons(data) == [(5, "not_an_nmea_sentence")]


def test_multipart_messages_of_two_stations_that_interleave_are_told_apart(tmp_path: Path) -> None:
    one = voyage(0, station="r1", mmsi=SHIP, shipname="GREY HERON")
    two = voyage(1, station="r2", mmsi=SHIP + 1, shipname="WHITE HERON")
    mixed = [one[0], two[0], one[1], two[1]]
    data = read(tmp_path, mixed, position(5), position(6, mmsi=SHIP + 1))
    assert dict(zip(data.vessels["mmsi"], data.vessels["name"], strict=True)) == {
        str(SHIP): "GREY HERON",
        str(SHIP + 1): "WHITE HERON",
    }


def test_parts_out_of_order_are_put_together(tmp_path: Path) -> None:
    data = read(tmp_path, voyage(0)[::-1])
    assert list(data.vessels["name"]) == ["GREY HERON"]


def test_a_part_without_its_others_is_quarantined(tmp_path: Path) -> None:
    data = read(tmp_path, position(0), voyage(0)[:1])
    assert reasons(data) == [(2, "part_of_message_missing")]
    assert data.vessels.empty


def test_a_part_is_not_joined_to_one_from_long_before(tmp_path: Path) -> None:
    data = read(tmp_path, voyage(0)[:1], voyage(600)[1:], position(700))
    assert sorted(reasons(data)) == [(1, "part_of_message_missing"), (2, "part_of_message_missing")]


def test_two_sentences_on_one_line_are_both_read(tmp_path: Path) -> None:
    data = read(tmp_path, [position(0)[0] + position(9)[0]])
    assert list(data.positions["time"]) == [at(0), at(9)]


def test_class_b_and_long_range_reports_are_positions_too(tmp_path: Path) -> None:
    class_b = nmea(0, type=18, lon=125.1, lat=38.6, speed=3.0, course=10.0, heading=511)
    long_range = nmea(0, type=27, mmsi=SHIP + 1, lon=125.1, lat=38.6, speed=63, course=511, status=15)
    data = read(tmp_path, class_b, long_range)
    assert list(data.positions["ais_class"]) == ["B", "A"]
    assert data.positions[["heading_deg"]].isna().all(axis=None)
    assert data.positions.loc[1, ["sog_kn", "cog_deg", "nav_status"]].isna().all()


def test_the_two_halves_of_message_24_make_one_description(tmp_path: Path) -> None:
    name = nmea(0, type=24, partno=0, shipname="SMALL BARGE")
    rest = nmea(
        60,
        type=24,
        partno=1,
        ship_type=70,
        callsign="BTST1",
        to_bow=40,
        to_stern=12,
        to_port=4,
        to_starboard=5,
    )
    fix = nmea(70, type=18, lon=125.1, lat=38.6, speed=3.0, course=10.0)
    last = read(tmp_path, name, rest, fix).vessels.iloc[-1]
    assert (last["name"], last["callsign"], last["ship_type"]) == ("SMALL BARGE", "BTST1", 70)
    assert (last["length_m"], last["beam_m"]) == (52.0, 9.0)


def test_base_stations_aids_and_aircraft_are_stations_not_ships(tmp_path: Path) -> None:
    data = read(
        tmp_path,
        nmea(0, type=4, mmsi="004451234", lon=125.1, lat=38.6),
        nmea(0, type=21, mmsi="994451234", lon=125.1, lat=38.6, name="N 7"),
        nmea(0, type=9, mmsi="111445123", lon=125.1, lat=38.6, speed=120),
    )
    assert data.positions.empty
    assert list(data.stations["kind"]) == ["base_station", "sar_aircraft", "aid_to_navigation"]


def test_gzip_is_told_by_content(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(gzip.compress("\n".join(position(0)).encode()))
    assert len(read_ais([path]).positions) == 1


def test_a_truncated_archive_is_an_error_and_not_a_short_file(tmp_path: Path) -> None:
    whole = gzip.compress("\n".join(line for n in range(500) for line in position(n)).encode())
    (tmp_path / "log.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AisError, match=r"log\.gz cannot be read to its end"):
        read_ais([tmp_path / "log.gz"])


def test_a_long_log_is_read_in_batches_with_nothing_lost() -> None:
    lines = [line.encode() for n in range(3000) for line in (*position(n, mmsi=SHIP + n % 50), *voyage(n))]
    batches = list(read_nmea(lines))
    assert sum(len(batch.rows) for batch in batches) == 6000
    assert not any(batch.faults for batch in batches)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "positions", "vessels", "stations", "refused"),
    [
        ("bad-tagblock-group", 0, 0, 1, {}),
        ("bad-type5", 0, 0, 0, {"bad_bit_count": 3, "not_an_nmea_sentence": 3}),
        ("ee-multiline", 6, 2, 0, {}),
        ("errors", 1, 0, 0, {"bad_bit_count": 2, "bad_checksum": 2}),
        ("sample", 1, 2, 0, {}),
        ("single-message-type-5", 0, 0, 0, {"bad_checksum": 1}),
        ("spire-test", 0, 0, 0, {"bad_tag_block_checksum": 4}),
        ("type1-bad-bitcount", 0, 0, 0, {"bad_bit_count": 12}),
    ],
)
def test_real_logs_give_what_they_hold(
    shared_data: Path, name: str, positions: int, vessels: int, stations: int, refused: dict[str, int]
) -> None:
    data = read_ais([shared_data / f"ais/nmea/{name}.nmea"])
    assert (len(data.positions), len(data.vessels), len(data.stations)) == (positions, vessels, stations)
    assert data.quarantine["reason"].value_counts().to_dict() == refused


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["greece_sample", "mixed_types", "multi-part", "type8"])
def test_real_logs_without_times_are_refused_whole(shared_data: Path, name: str) -> None:
    with pytest.raises(AisError, match="no sentence has a receive time"):
        read_ais([shared_data / f"ais/nmea/{name}.nmea"])


@pytest.mark.shared_data
def test_every_report_of_a_real_log_is_kept_once_it_has_times(shared_data: Path, tmp_path: Path) -> None:
    lines = (shared_data / "ais/nmea/greece_sample.nmea").read_text().splitlines()
    timed = [f"{line},{T0 + n}" for n, line in enumerate(lines) if line.startswith("!")]
    data = read_ais([write(tmp_path / "timed.nmea", timed)])
    kept = len(data.positions) + len(data.stations) + data.duplicates
    by_reason = data.quarantine["reason"].value_counts()
    unplaced = by_reason.get("position_not_available", 0) + by_reason.get("impossible_speed", 0)
    assert 760 < kept + unplaced <= 771
    assert set(by_reason.index) <= {
        "part_of_message_missing",
        "position_not_available",
        "impossible_speed",
        "out_of_range_field_dropped",
        "mmsi_invalid",
        "bad_bit_count",
    }


def test_reports_stand_in_the_order_of_their_lines_whatever_their_kind(tmp_path: Path) -> None:
    """Position reports are decoded many at once, the others one by one."""
    lines = []
    for step in range(6):
        kind = {"type": 18} if step % 2 else {"type": 19, "shipname": "GREY HERON", "ship_type": 37}
        lines += nmea(10 * step, lon=125.1 + step / 1000, lat=38.6, speed=5.0, course=90.0, mmsi=SHIP, **kind)
    reading = Reading(write(tmp_path / "log.nmea", lines), Window())
    done = list(reading)
    assert sum(len(part.positions) for part in done) == 6
    assert reading.notes["out_of_order"] == 0
