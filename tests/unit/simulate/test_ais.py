"""AIS of a simulated port."""

import csv
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pyais
import pytest

from roadstead.geo import lonlat_to_xy
from roadstead.simulate.ais import (
    POSITION_SIGMA_M,
    Report,
    StaticReport,
    StationReport,
    antenna_xy,
    received,
)
from roadstead.simulate.ais_files import CSV_COLUMNS, write_csv, write_nmea
from roadstead.simulate.sea import PortWorld
from roadstead.simulate.tracks import moved
from roadstead.simulate.traffic import HOUR


@pytest.fixture(scope="module")
def reports(small_world: PortWorld) -> list[Report]:
    return [m for m in received(small_world) if isinstance(m, Report)]


def test_reported_positions_are_the_antennas_within_the_declared_error(
    small_world: PortWorld, reports: list[Report]
) -> None:
    crs = small_world.ground.grid.crs
    by_id = {s.vessel.vessel_id: s for s in small_world.sailings}
    errors = []
    for report in reports:
        motion = by_id[report.vessel.vessel_id].at(report.time)
        assert motion is not None, "nobody reports from outside the area"
        xy = lonlat_to_xy(np.array([[report.lon, report.lat]]), crs)[0]
        errors.append(xy - antenna_xy(report.vessel, motion))
    assert np.std(errors, axis=0) == pytest.approx(POSITION_SIGMA_M, rel=0.15)
    assert np.abs(np.mean(errors, axis=0)).max() < 1.0


def test_declared_dimensions_lead_from_the_antenna_to_the_hull(
    small_world: PortWorld, reports: list[Report]
) -> None:
    by_id = {s.vessel.vessel_id: s for s in small_world.sailings}
    for report in reports[::25]:
        unit = report.vessel.transmitter
        if unit.behaviour == "wrong_length":
            continue
        motion = by_id[report.vessel.vessel_id].at(report.time)
        assert motion is not None
        forward, starboard = (unit.to_bow_m - unit.to_stern_m) / 2, (unit.to_starboard_m - unit.to_port_m) / 2
        antenna = antenna_xy(report.vessel, motion)
        centre = moved(moved(antenna, motion.heading_deg, forward), motion.heading_deg + 90.0, starboard)
        assert np.hypot(*np.subtract(centre, motion.xy)) < 1.5, "dimensions are whole metres"
        assert unit.length_m == pytest.approx(report.vessel.hull.length_m, abs=1.0)


def test_silent_ships_never_send_and_others_do(small_world: PortWorld, reports: list[Report]) -> None:
    heard = {report.vessel.vessel_id for report in reports}
    for sailing in small_world.sailings:
        silent = sailing.vessel.transmitter.behaviour == "silent"
        assert (sailing.vessel.vessel_id in heard) != silent


def test_nobody_is_heard_while_switched_off_or_in_an_outage(
    small_world: PortWorld, reports: list[Report]
) -> None:
    assert all(report.vessel.transmitter.sends(report.time) for report in reports)
    hours = [(m.time - small_world.begin_s) / HOUR for m in received(small_world)]
    assert not any(48 <= hour < 54 for hour in hours)
    assert any(54 <= hour < 55 for hour in hours)


def test_a_wrong_length_is_declared_and_the_truth_is_longer(small_world: PortWorld) -> None:
    (vessel,) = [s.vessel for s in small_world.sailings if s.vessel.transmitter.behaviour == "wrong_length"]
    assert vessel.transmitter.length_m < 0.7 * vessel.hull.length_m


def test_moored_ships_report_every_quarter_of_an_hour(small_world: PortWorld, reports: list[Report]) -> None:
    times = [
        r.time for r in reports if r.status == "moored" and r.vessel.vessel_id == reports[0].vessel.vessel_id
    ]
    if len(times) > 10:
        assert np.median(np.diff(times)) == pytest.approx(900, abs=30)
    moving = [r for r in reports if r.status == "under_way"]
    assert all(r.speed_kn > 3 for r in moving)
    assert all(r.speed_kn < 0.3 for r in reports if r.status != "under_way")


def test_class_b_units_have_no_compass_heading(reports: list[Report]) -> None:
    assert {r.heading_deg is None for r in reports if r.vessel.transmitter.ais_class == "B"} == {True}
    assert {r.heading_deg is None for r in reports if r.vessel.transmitter.ais_class == "A"} == {False}


def decode(path: Path) -> list[Any]:
    with pyais.FileReaderStream(str(path)) as stream:
        return [message.decode() for message in stream]


def test_nmea_tells_what_was_received(small_world: PortWorld, tmp_path: Path) -> None:
    messages = received(small_world)[:400]
    path = tmp_path / "a.nmea"
    write_nmea(path, messages, "SIM-SMALL")
    lines = path.read_bytes().decode("ascii").splitlines()
    decoded = decode(path)
    positions = [m for m in decoded if m.msg_type in (1, 18)]
    expected = [m for m in messages if isinstance(m, Report)]
    assert [str(m.mmsi) for m in positions] == [m.vessel.mmsi for m in expected]
    for got, sent in zip(positions, expected, strict=True):
        assert (got.lon, got.lat) == pytest.approx((sent.lon, sent.lat), abs=2e-6)
        assert got.speed == pytest.approx(sent.speed_kn, abs=0.051)
        assert got.course == pytest.approx(sent.course_deg, abs=0.051)
        assert got.heading == (511 if sent.heading_deg is None else sent.heading_deg)
    stations = [m for m in decoded if m.msg_type == 4]
    assert len(stations) == sum(isinstance(m, StationReport) for m in messages)
    assert {str(m.mmsi).zfill(9) for m in stations} == {"004450001"}
    assert all(line.startswith("\\") for line in lines)


def test_every_tag_block_holds_source_and_time_under_a_right_checksum(
    small_world: PortWorld, tmp_path: Path
) -> None:
    messages = received(small_world)[:60]
    path = tmp_path / "a.nmea"
    write_nmea(path, messages, "SIM-SMALL")
    times = []
    for line in path.read_text("ascii").splitlines():
        tag, checksum = line.split("\\")[1].split("*")
        assert reduce(lambda a, b: a ^ b, tag.encode()) == int(checksum, 16)
        fields = dict(part.split(":", 1) for part in tag.split(","))
        assert fields["s"] == "SIM-SMALL"
        times.append(int(fields["c"]))
    assert times == sorted(times)
    assert set(times) == {m.time for m in messages}


def test_static_data_tell_name_type_and_size(small_world: PortWorld, tmp_path: Path) -> None:
    messages = [m for m in received(small_world) if isinstance(m, StaticReport)]
    path = tmp_path / "a.nmea"
    write_nmea(path, messages, "SIM-SMALL")
    decoded = decode(path)
    vessels = {m.vessel.mmsi: m.vessel for m in messages}
    for got in decoded:
        vessel = vessels[str(got.mmsi)]
        if got.msg_type == 5:
            assert got.shipname == vessel.name
            assert got.imo == 0, "no ship is given another's IMO number"
            assert got.to_bow + got.to_stern == vessel.transmitter.length_m
            assert got.ship_type == 70
            assert got.draught == pytest.approx(vessel.draught_m)
    assert {m.msg_type for m in decoded} == {5, 24}


def test_csv_has_the_danish_columns_and_a_row_a_report(small_world: PortWorld, tmp_path: Path) -> None:
    messages = received(small_world)
    path = tmp_path / "a.csv"
    write_csv(path, messages, "SIM-SMALL")
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == CSV_COLUMNS
    sent = [m for m in messages if not isinstance(m, StaticReport)]
    assert len(rows) == len(sent)
    assert all(None not in row and None not in row.values() for row in rows), "no row is short or long"
    for row, message in list(zip(rows, sent, strict=True))[::40]:
        stamp = datetime.strptime(row["# Timestamp"], "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC)
        assert stamp == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=message.time)
        assert row["Data source type"] == "SIM-SMALL"
        assert float(row["Longitude"]) == message.lon
        if isinstance(message, Report):
            unit = message.vessel.transmitter
            assert int(row["A"]) + int(row["B"]) == int(row["Length"]) == unit.length_m
            assert int(row["C"]) + int(row["D"]) == int(row["Width"])
            assert row["Type of mobile"] == f"Class {unit.ais_class}"
        else:
            assert row["Type of mobile"] == "Base Station"
