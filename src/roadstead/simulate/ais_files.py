"""AIS as files: NMEA 0183 sentences with tag blocks, and the Danish Maritime Authority's CSV columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path

from pyais.encode import encode_dict

from roadstead.simulate.ais import Message, Report, StaticReport, StationReport
from roadstead.simulate.files import write_text
from roadstead.simulate.fleet import Vessel
from roadstead.simulate.tracks import Status

_NAV_STATUS: Mapping[Status, tuple[int, str]] = {
    "under_way": (0, "Under way using engine"),
    "anchored": (1, "At anchor"),
    "moored": (5, "Moored"),
}
_NO_HEADING = 511
_TYPE_WORDS = {30: "Fishing", 37: "Pleasure", 60: "Passenger", 70: "Cargo", 71: "Cargo", 80: "Tanker"}
CSV_COLUMNS = (
    "# Timestamp",
    "Type of mobile",
    "MMSI",
    "Latitude",
    "Longitude",
    "Navigational status",
    "ROT",
    "SOG",
    "COG",
    "Heading",
    "IMO",
    "Callsign",
    "Name",
    "Ship type",
    "Cargo type",
    "Width",
    "Length",
    "Type of position fixing device",
    "Draught",
    "Destination",
    "ETA",
    "Data source type",
    "A",
    "B",
    "C",
    "D",
)
"""Columns of the Danish Maritime Authority's daily files."""


def write_nmea(path: Path, messages: Sequence[Message], source: str) -> None:
    """Write one sentence a line, each with a tag block that holds its source and time of reception."""
    static: dict[str, list[list[str]]] = {}
    lines: list[str] = []
    for number, message in enumerate(messages):
        for sentences in _sentences(message, static):
            lines.extend(_tagged(sentences, message.time, source, number))
    write_text(path, "".join(f"{line}\r\n" for line in lines))


def _sentences(message: Message, static: dict[str, list[list[str]]]) -> list[list[str]]:
    """Return the sentences of each AIS message; static data are encoded once a ship and kept."""
    if isinstance(message, Report):
        return [encode_dict(_position_fields(message), sentence_type="VDM")]
    if isinstance(message, StationReport):
        return [encode_dict(_station_fields(message), sentence_type="VDM")]
    if message.vessel.mmsi not in static:
        messages = _static_fields(message.vessel)
        static[message.vessel.mmsi] = [encode_dict(m, sentence_type="VDM", seq_id=1) for m in messages]
    return static[message.vessel.mmsi]


def _position_fields(report: Report) -> dict[str, str | int | float | bytes | bool]:
    fields: dict[str, str | int | float | bytes | bool] = {
        "mmsi": int(report.vessel.mmsi),
        "lon": report.lon,
        "lat": report.lat,
        "speed": report.speed_kn,
        "course": report.course_deg,
        "heading": _NO_HEADING if report.heading_deg is None else report.heading_deg,
        "second": report.time % 60,
    }
    if report.vessel.transmitter.ais_class == "B":
        return {"type": 18, **fields}
    return {"type": 1, "status": _NAV_STATUS[report.status][0], "turn": -128, **fields}


def _station_fields(report: StationReport) -> dict[str, str | int | float | bytes | bool]:
    when = datetime.fromtimestamp(report.time, UTC)
    clock = {name: getattr(when, name) for name in ("year", "month", "day", "hour", "minute", "second")}
    return {"type": 4, "mmsi": int(report.mmsi), "lon": report.lon, "lat": report.lat, "epfd": 7, **clock}


def _static_fields(vessel: Vessel) -> list[dict[str, str | int | float | bytes | bool]]:
    unit = vessel.transmitter
    who: dict[str, str | int | float | bytes | bool] = {"mmsi": int(vessel.mmsi)}
    size: dict[str, str | int | float | bytes | bool] = {
        "ship_type": vessel.ship_type,
        "callsign": vessel.callsign,
        "to_bow": unit.to_bow_m,
        "to_stern": unit.to_stern_m,
        "to_port": unit.to_port_m,
        "to_starboard": unit.to_starboard_m,
    }
    if unit.ais_class == "B":
        return [
            {"type": 24, "partno": 0, "shipname": vessel.name, **who},
            {"type": 24, "partno": 1, **who, **size},
        ]
    voyage: dict[str, str | int | float | bytes | bool] = {
        "shipname": vessel.name,
        "draught": vessel.draught_m,
        "destination": vessel.destination,
    }
    return [{"type": 5, **who, **size, **voyage}]


def _tagged(sentences: Sequence[str], time: int, source: str, group: int) -> Iterator[str]:
    """Put an NMEA 4.10 tag block before each sentence; sentences of one message share a group."""
    for part, sentence in enumerate(sentences, start=1):
        group_tag = f"g:{part}-{len(sentences)}-{group % 10_000}," if len(sentences) > 1 else ""
        tag = f"{group_tag}s:{source},c:{time}"
        yield f"\\{tag}*{reduce(lambda a, b: a ^ b, tag.encode()):02X}\\{sentence}"


def write_csv(path: Path, messages: Sequence[Message], source: str) -> None:
    """Write one row a position report; each row repeats the static data, as in the Danish files."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(CSV_COLUMNS)
    for message in messages:
        if not isinstance(message, StaticReport):
            rows.writerow(_csv_row(message, source))
    write_text(path, text.getvalue())


def _csv_row(message: Report | StationReport, source: str) -> list[str]:
    stamp = f"{datetime.fromtimestamp(message.time, UTC):%d/%m/%Y %H:%M:%S}"
    place = [f"{message.lat:.6f}", f"{message.lon:.6f}"]
    if isinstance(message, StationReport):
        blank = [""] * (len(CSV_COLUMNS) - 10)
        return [stamp, "Base Station", message.mmsi, *place, *[""] * 5, *blank[:11], source, *blank[12:]]
    vessel, unit = message.vessel, message.vessel.transmitter
    sides = [str(v) for v in (unit.to_bow_m, unit.to_stern_m, unit.to_port_m, unit.to_starboard_m)]
    return [
        stamp,
        f"Class {unit.ais_class}",
        vessel.mmsi,
        *place,
        _NAV_STATUS[message.status][1] if unit.ais_class == "A" else "Unknown value",
        "",
        f"{message.speed_kn:.1f}",
        f"{message.course_deg:.1f}",
        "" if message.heading_deg is None else str(message.heading_deg),
        "Unknown",
        vessel.callsign,
        vessel.name,
        _TYPE_WORDS[vessel.ship_type],
        "",
        str(unit.to_port_m + unit.to_starboard_m),
        str(unit.length_m),
        "GPS",
        f"{vessel.draught_m:.1f}" if unit.ais_class == "A" else "",
        vessel.destination if unit.ais_class == "A" else "Unknown",
        "",
        source,
        *sides,
    ]
