"""AIS as files: NMEA with tag blocks and the Danish columns, read back by others and by ourselves."""

import csv
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyais
import pytest
from pyais.encode import encode_dict

from roadstead.ais import read_ais
from roadstead_lab.simulate.ais.armour import checksummed, decimals, payloads, text
from roadstead_lab.simulate.ais.csv_file import CSV_COLUMNS
from roadstead_lab.simulate.ais.files import write_ais
from roadstead_lab.simulate.ais.received import Received, received
from roadstead_lab.simulate.scenario.model import FleetRow, PortScenario
from roadstead_lab.simulate.traffic.sea import PortWorld
from tests.unit.lab.simulate.ais.builders import MIDDLE, at_anchor, calling, receiver, satellite, world_of

SHIPS = 6


@pytest.fixture(scope="module")
def world() -> PortWorld:
    """Ships of both classes, gear buoys, a base station and a satellite."""
    x, y = MIDDLE
    row = FleetRow(
        "bulk_carrier",
        (90.0, 160.0),
        {"call": 4, "at_anchor": 2},
        ais_class={"A": 0.67, "B": 0.33},
        flags=(445,),
    )
    sources = (receiver(thin_s=600, range_nm=4.0), satellite(thin_s=0, heard=0.3))
    port = PortScenario(
        port="open-sea", name="TEST", fleet=(row,), receivers=sources, gear_buoys=2, entries="S"
    )
    tracks = [calling() for _ in range(4)] + [at_anchor((x + 700.0 * i, y), days=3.0) for i in (1, 2)]
    return world_of(port, tracks, days=3)


@pytest.fixture(scope="module")
def heard(world: PortWorld) -> dict[str, Received]:
    return received(world)


@pytest.fixture(scope="module")
def files(
    world: PortWorld, heard: dict[str, Received], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    return {path.name: path for path in write_ais(tmp_path_factory.mktemp("ais"), world, heard)}


def decoded(path: Path) -> list[Any]:
    with pyais.FileReaderStream(str(path)) as stream:
        return [message.decode() for message in stream]


def test_each_source_has_a_file_in_each_of_its_formats(files: dict[str, Path]) -> None:
    assert sorted(files) == [
        "open-sea-sim-sat.csv",
        "open-sea-sim-sat.nmea",
        "open-sea-sim-test.csv",
        "open-sea-sim-test.nmea",
    ]


@pytest.mark.parametrize("source", ["SIM-TEST", "SIM-SAT"])
@pytest.mark.parametrize("form", ["nmea", "csv"])
def test_our_readers_get_the_positions_that_were_heard(
    heard: dict[str, Received], files: dict[str, Path], source: str, form: str
) -> None:
    data = read_ais([files[f"open-sea-{source.lower()}.{form}"]])
    assert data.quarantine.empty
    table, identities = heard[source].messages, heard[source].identities
    sent = table[table["message"].isin((1, 18, 27))].copy()
    sent["mmsi"] = [identities[number].mmsi for number in sent["identity"]]
    sent = sent[~sent["mmsi"].str.startswith("900")].sort_values(["mmsi", "time", "lon", "lat"])
    got = data.positions.sort_values(["mmsi", "time", "lon", "lat"])
    assert got["mmsi"].tolist() == sent["mmsi"].tolist()
    assert (got["time"].astype("int64") // 10**9).tolist() == sent["time"].tolist()
    assert got[["lon", "lat"]].to_numpy() == pytest.approx(sent[["lon", "lat"]].to_numpy(), abs=1e-6)
    assert got["sog_kn"].to_numpy() == pytest.approx(sent["sog_kn"].to_numpy(), abs=1e-6)
    assert got["cog_deg"].to_numpy() == pytest.approx(sent["cog_deg"].to_numpy(), abs=1e-6)
    np.testing.assert_array_equal(got["heading_deg"].to_numpy(float), sent["heading_deg"].to_numpy(float))


@pytest.mark.parametrize("form", ["nmea", "csv"])
def test_our_readers_get_what_ships_declared(world: PortWorld, files: dict[str, Path], form: str) -> None:
    vessels = read_ais([files[f"open-sea-sim-test.{form}"]]).vessels
    for sailing in world.sailings:
        told = sailing.vessel.declared
        row = vessels[vessels["mmsi"] == told.mmsi].iloc[-1]
        assert (row["name"], row["callsign"], row["ship_type"]) == (told.name, told.callsign, told.ship_type)
        assert (row["length_m"], row["beam_m"]) == (told.length_m, told.beam_m)
        assert (row["to_bow_m"], row["to_port_m"]) == (told.to_bow_m, told.to_port_m)
        if sailing.vessel.ais_class == "A":
            assert row["imo"] == told.imo
            assert row["draught_m"] == pytest.approx(told.draught_m)


@pytest.mark.parametrize("form", ["nmea", "csv"])
def test_a_change_of_destination_is_in_the_files(world: PortWorld, files: dict[str, Path], form: str) -> None:
    vessels = read_ais([files[f"open-sea-sim-test.{form}"]]).vessels
    caller = next(s for s in world.sailings if s.vessel.ais_class == "A" and len(s.track.parts) > 1)
    rows = vessels[vessels["mmsi"] == caller.vessel.mmsi]
    assert rows["destination"].iloc[0] == "TEST"
    assert rows["destination"].nunique() == 2


@pytest.mark.parametrize("form", ["nmea", "csv"])
def test_stations_and_gear_buoys_are_no_ships(files: dict[str, Path], form: str) -> None:
    data = read_ais([files[f"open-sea-{source}.{form}"] for source in ("sim-test", "sim-sat")])
    assert data.positions["mmsi"].nunique() == SHIPS
    assert set(data.stations["kind"]) == {"base_station", "gear_buoy"}


def test_every_tag_block_holds_source_and_time_under_a_right_checksum(files: dict[str, Path]) -> None:
    times = []
    for line in files["open-sea-sim-test.nmea"].read_bytes().decode("ascii").splitlines():
        _, tagged, sentence = line.split("\\")
        tag, checksum = tagged.split("*")
        assert reduce(lambda a, b: a ^ b, tag.encode()) == int(checksum, 16)
        body, checksum = sentence[1:].split("*")
        assert reduce(lambda a, b: a ^ b, body.encode()) == int(checksum, 16)
        told = dict(part.split(":", 1) for part in tag.split(","))
        assert told["s"] == "SIM-TEST"
        times.append(int(told["c"]))
        assert ("g" in told) == (not body.startswith("AIVDM,1,"))
    assert times == sorted(times)


def test_others_decode_every_message_of_the_nmea(heard: dict[str, Received], files: dict[str, Path]) -> None:
    for source in ("SIM-TEST", "SIM-SAT"):
        found = pd.Series(
            [m.msg_type for m in decoded(files[f"open-sea-{source.lower()}.nmea"])]
        ).value_counts()
        expected = heard[source].messages["message"].value_counts()
        # Message 24 comes in two parts.
        assert found.to_dict() == {n: c * (2 if n == 24 else 1) for n, c in expected.items()}


def test_position_reports_hold_status_and_second(heard: dict[str, Received], files: dict[str, Path]) -> None:
    messages = decoded(files["open-sea-sim-test.nmea"])
    got = [m for m in messages if m.msg_type == 1]
    table = heard["SIM-TEST"].messages
    sent = table[table["message"] == 1]
    assert [int(m.status) for m in got] == [(0, 1, 5)[n] for n in sent["status"]]
    assert [m.second for m in got] == [time % 60 for time in sent["time"]]
    clock = next(m for m in messages if m.msg_type == 4)
    assert (clock.year, clock.month, clock.day) == (2020, 11, 1)


def test_csv_has_the_danish_columns_and_says_that_it_is_simulated(
    heard: dict[str, Received], files: dict[str, Path]
) -> None:
    with files["open-sea-sim-test.csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) == (~heard["SIM-TEST"].messages["message"].isin((5, 24))).sum()
    assert all(None not in row and None not in row.values() for row in rows), "no row is short or long"
    assert {row["Data source type"] for row in rows} == {"SIM-TEST"}
    assert {row["Type of mobile"] for row in rows} == {"Class A", "Class B", "Base Station"}
    for row in rows:
        if row["A"]:
            assert int(row["A"]) + int(row["B"]) == int(row["Length"])
            assert int(row["C"]) + int(row["D"]) == int(row["Width"])


def test_the_same_seed_gives_the_same_bytes_in_another_folder(
    world: PortWorld, files: dict[str, Path], tmp_path: Path
) -> None:
    for path in write_ais(tmp_path / "elsewhere", world, received(world)):
        assert path.read_bytes() == files[path.name].read_bytes()


@pytest.mark.parametrize("kind", [1, 18, 27])
def test_many_messages_are_packed_as_pyais_packs_one(kind: int) -> None:
    steps, tenth = (600, 1) if kind == 27 else (600_000, 10)
    rng = np.random.default_rng(kind)
    lon, lat = rng.integers(-180 * steps, 180 * steps, 40), rng.integers(-90 * steps, 90 * steps, 40)
    speed, course = rng.integers(0, 60, 40), rng.integers(0, 360, 40)
    mmsi = rng.integers(200_000_000, 775_999_999, 40)
    mine = payloads(
        kind, {"mmsi": mmsi, "lon": lon, "lat": lat, "speed": speed * tenth, "course": course * tenth}
    )
    for i in range(40):
        fields: dict[str, Any] = {
            "type": kind, "mmsi": int(mmsi[i]), "lon": lon[i] / steps, "lat": lat[i] / steps,
            "speed": int(speed[i]), "course": int(course[i]), "status": 0, "turn": 0, "maneuver": 0,
        }  # fmt: skip
        (sentence,) = encode_dict(fields, sentence_type="VDM")
        theirs = pyais.decode(sentence)
        body = checksummed(
            text(b"!", 1), np.hstack([text(b"AIVDM,1,1,,A,", 1), mine[i : i + 1], text(b",0", 1)])
        )
        ours = pyais.decode(body.tobytes())
        assert ours.asdict() | {"lon": 0, "lat": 0} == theirs.asdict() | {"lon": 0, "lat": 0}
        # pyais cuts a place to a whole step where we round: one step apart at most.
        assert (ours.lon, ours.lat) == pytest.approx((theirs.lon, theirs.lat), abs=1.01 / steps)
        assert (ours.lon, ours.lat) == pytest.approx((lon[i] / steps, lat[i] / steps), abs=1e-6)


def test_a_field_that_a_message_has_not_is_refused() -> None:
    with pytest.raises(KeyError, match="message 27 has no field"):
        payloads(27, {"heading": np.array([1])})


def test_decimals_keep_leading_zeros() -> None:
    assert [row.tobytes() for row in decimals(np.array([7, 1234]), 4)] == [b"0007", b"1234"]
