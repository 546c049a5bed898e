"""AIS as JSON: aisstream.io, AIS-catcher (sentences or decoded fields), and flat records by the names of their keys.

One object a line is read in bounded memory; an array, or one document over several lines, is read whole and may not
be larger than `LARGEST_DOCUMENT`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from roadstead.ais.readers.batch import Batch, Fault
from roadstead.ais.readers.fields import named
from roadstead.ais.readers.layouts import ColumnMapping, Layout
from roadstead.ais.readers.message_kinds import BITS, checksum
from roadstead.ais.readers.nmea import read_nmea
from roadstead.ais.readers.open_files import HEAD_BYTES, Opened
from roadstead.ais.readers.presets import AIS_CATCHER, layout_of
from roadstead.ais.readers.time_forms import with_time_form
from roadstead.core.errors import AisError

BATCH_RECORDS = 20_000
LARGEST_DOCUMENT = 256 << 20
"""Bytes of JSON that is not one object a line."""
_SAMPLE = 50
_STATIC_KINDS = {5, 24}
LONG_RANGE, _NO_LONG_RANGE_SPEED = 27, 63
_AISSTREAM = Layout(
    "aisstream.io",
    {
        name: name
        for name in (
            "mmsi time lon lat sog_kn cog_deg heading_deg nav_status message imo name callsign ship_type to_bow_m "
            "to_stern_m to_port_m to_starboard_m draught_m destination"
        ).split()
    },
    known_from="documentation: aisstream.io, API message models",
)
_KINDS = {
    "PositionReport": None,
    "StandardClassBPositionReport": 18,
    "ExtendedClassBPositionReport": 19,
    "LongRangeAisBroadcastMessage": 27,
    "ShipStaticData": 5,
    "StaticDataReport": 24,
    "BaseStationReport": 4,
    "AidsToNavigationReport": 21,
    "StandardSearchAndRescueAircraftReport": 9,
}
"""Message of aisstream.io that we read -> its number; None where the message says."""
_FIX = {"Longitude": "lon", "Latitude": "lat", "Sog": "sog_kn", "Cog": "cog_deg", "TrueHeading": "heading_deg",
        "NavigationalStatus": "nav_status"}  # fmt: skip
_SAID = {"ImoNumber": "imo", "Name": "name", "CallSign": "callsign", "Type": "ship_type", "ShipType": "ship_type",
         "MaximumStaticDraught": "draught_m", "Destination": "destination"}  # fmt: skip
_SIDES = {"A": "to_bow_m", "B": "to_stern_m", "C": "to_port_m", "D": "to_starboard_m"}
_NOT_SENT = {4: (), 9: (), 21: ("Name", "Type")}
"""Fields of stations that say nothing of a ship."""
Record = Mapping[str, Any]


@dataclass(frozen=True)
class _Line:
    """One object of a file, or what is none."""

    row: int
    text: str
    record: Record | None


def read_json(file: Opened, path: Path, mapping: ColumnMapping | None = None) -> Iterator[Batch]:
    """Yield the rows of a file of JSON.

    Raises:
        AisError: it is no JSON, too large for what is not one object a line, or its keys are none that we know.
    """
    head = file.stream.peek(HEAD_BYTES)
    lines = _objects(file, path, head)
    first = []
    for line in lines:
        first.append(line)
        if len(first) >= _SAMPLE:
            break
    records = [line.record for line in first if line.record is not None]
    if not records:
        raise AisError(f"{path}: no line of this JSON is an object")
    every = _chained(first, lines)
    if any("MetaData" in record or "Metadata" in record for record in records):
        yield from _batches(every, path, _AISSTREAM, file.tell, _aisstream)
    elif any("nmea" in record for record in records) and mapping is None:
        yield from read_nmea(map(_sentences, every), file.tell)
    elif mapping is None and any("rxuxtime" in record or "rxtime" in record for record in records):
        yield from _batches(every, path, AIS_CATCHER, file.tell, _catcher)
    else:
        keys = list(dict.fromkeys(key for record in records for key in record))
        yield from _batches(every, path, layout_of(keys, path, mapping), file.tell, _as_it_is)


def _chained(first: list[_Line], rest: Iterator[_Line]) -> Iterator[_Line]:
    yield from first
    yield from rest


def _objects(file: Opened, path: Path, head: bytes) -> Iterator[_Line]:
    """Yield the objects of a file, each with the line, or the place in an array, that it has."""
    if _one_a_line(head):
        for row, raw in enumerate(file.stream, 1):
            yield from _line(row, raw)
        return
    content = file.stream.read(LARGEST_DOCUMENT + 1)
    if len(content) > LARGEST_DOCUMENT:
        raise AisError(
            f"{path}: one JSON document of more than {LARGEST_DOCUMENT >> 20} MB: write one object a line (jq -c '.[]')"
        )
    try:
        document = json.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        raise AisError(f"{path} is no whole JSON document: {error}") from error
    for n, record in enumerate(_members(document), 1):
        yield _Line(n, "", record)


def _one_a_line(head: bytes) -> bool:
    """Say whether a line of the head, without commas and brackets of an array, is an object of its own."""
    lines = [line for line in head.splitlines()[:5] if _bare(line)]
    return any(_parsed(_bare(line)) is not None for line in lines)


def _bare(raw: bytes) -> bytes:
    text = raw.removeprefix(b"\xef\xbb\xbf").strip().strip(b"\x1e").removesuffix(b",")
    if text.startswith(b"[") and not text.endswith(b"]"):
        text = text[1:]
    elif text.endswith(b"]") and text.startswith(b"{"):
        text = text[:-1]
    return text.strip().removeprefix(b",").strip()


def _parsed(text: bytes) -> Record | None:
    try:
        read = json.loads(text)
    except ValueError:  # also bytes that are no UTF-8
        return None
    return read if isinstance(read, dict) else None


def _line(row: int, raw: bytes) -> Iterator[_Line]:
    bare = _bare(raw)
    if not bare or bare in (b"[", b"]"):
        return
    shown, record = raw.strip().decode("utf-8", "backslashreplace"), _parsed(bare)
    if record is None:
        yield _Line(row, shown, None)
        return
    for one in _members(record):
        yield _Line(row, shown, one)


def _members(document: Any) -> Iterator[Record]:  # noqa: ANN401 - any JSON
    """Yield the records of a document: itself, an array's, or those of AIS-catcher's ``msgs``."""
    if isinstance(document, list):
        yield from (one for one in document if isinstance(one, dict))
    elif isinstance(document, dict):
        inside = document.get("msgs")
        yield from (
            (one for one in inside if isinstance(one, dict)) if isinstance(inside, list) else (document,)
        )


def _sentences(line: _Line) -> bytes:
    """Return the sentences of a message of AIS-catcher, each with a tag block that tells the time of reception."""
    record = line.record or {}
    sentences = record.get("nmea")
    if isinstance(sentences, str):
        sentences = [sentences]
    if not isinstance(sentences, list):
        return line.text.encode()
    time = _received(record)
    tag = b"" if time is None else f"c:{time:.3f}".rstrip("0").rstrip(".").encode()
    block = b"\\%s*%02X\\" % (tag, checksum(b"!" + tag + b"*")) if tag else b""
    return b" ".join(block + str(sentence).encode("ascii", "replace") for sentence in sentences)


def _received(record: Record) -> float | None:
    """Return AIS-catcher's time of reception in epoch seconds."""
    try:
        if "rxuxtime" in record:
            return float(record["rxuxtime"])
        stamp = pd.to_datetime(str(record["rxtime"]), format="%Y%m%d%H%M%S", utc=True)
    except (KeyError, TypeError, ValueError):
        return None
    return float(stamp.timestamp())


@dataclass
class _Collected:
    rows: list[int] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    text: dict[int, str] = field(default_factory=dict)
    passed_over: int = 0


def _batches(
    lines: Iterable[_Line],
    path: Path,
    layout: Layout,
    tell: Callable[[], int],
    read: Callable[[Record], Record | None],
) -> Iterator[Batch]:
    """Yield batches of the records that ``read`` makes of objects; None is a kind of message without a ship."""
    kept, formed = _Collected(), None
    for line in lines:
        _take(line, read, kept)
        if len(kept.records) + len(kept.faults) >= BATCH_RECORDS:
            formed = formed or _formed(layout, kept, path)
            yield _batch(kept, formed, tell())
            kept = _Collected()
    yield _batch(kept, formed or _formed(layout, kept, path), tell())


def _take(line: _Line, read: Callable[[Record], Record | None], kept: _Collected) -> None:
    if line.record is None:
        kept.faults.append(Fault(line.row, "line", "not_json", line.text))
        return
    if "error" in line.record and len(line.record) == 1:
        kept.faults.append(Fault(line.row, "line", "error_of_the_feed", line.text))
        return
    record = read(line.record)
    if record is None:
        kept.passed_over += 1
        return
    kept.rows.append(line.row)
    kept.records.append(record)
    kept.text[line.row] = line.text or json.dumps(line.record)


def _formed(layout: Layout, kept: _Collected, path: Path) -> Layout:
    time = layout.columns.get("time", "")
    cells = [value for record in kept.records if isinstance(value := _cell(record, time), str)]
    return with_time_form(layout, cells, path)


def _cell(record: Record, name: str) -> Any:  # noqa: ANN401 - any JSON value
    return next((value for key, value in record.items() if key.strip().lower() == name.lower()), None)


def _batch(kept: _Collected, layout: Layout, bytes_done: int) -> Batch:
    table = pd.DataFrame.from_records(kept.records)
    for theirs in {*layout.columns.values()} - set(table.columns):
        if layout.columns.get("mmsi") == theirs or layout.columns.get("time") == theirs:
            table[theirs] = pd.Series(None, index=table.index, dtype=object)
    made = named(table, layout).assign(row=kept.rows)
    if "positional" in table:
        made["positional"] = table["positional"].astype(bool)
    return Batch(made, lambda row: kept.text.get(row, ""), tuple(kept.faults), bytes_done, kept.passed_over)


def _as_it_is(record: Record) -> Record:
    return {key: value for key, value in record.items() if not isinstance(value, (dict, list))}


def _catcher(record: Record) -> Record | None:
    """Return the fields of a message that AIS-catcher has decoded."""
    kind = record.get("type")
    if kind is not None and kind not in BITS:
        return None
    time = record.get("rxuxtime", record.get("rxtime"))
    return {**_as_it_is(record), "rxuxtime": time, "positional": kind not in _STATIC_KINDS}


def _aisstream(record: Record) -> Record | None:
    """Return the fields of a message of aisstream.io under our names."""
    about = record.get("MetaData") or record.get("Metadata") or {}
    inside = record.get("Message") or {}
    name = str(record.get("MessageType") or next(iter(inside), ""))
    body = inside.get(name)
    if name not in _KINDS or not isinstance(body, dict) or not isinstance(about, dict):
        return None
    number = _KINDS[name] or body.get("MessageID") or 1
    made = {
        "mmsi": about.get("MMSI", body.get("UserID")),
        "time": about.get("time_utc"),
        "message": number,
        "positional": number not in _STATIC_KINDS,
    }
    return made | _fix(body, number) | (_said(body) if number not in _NOT_SENT else {})


def _fix(body: Record, number: int) -> dict[str, Any]:
    made = {ours: body[theirs] for theirs, ours in _FIX.items() if theirs in body}
    if number == LONG_RANGE and made.get("sog_kn") == _NO_LONG_RANGE_SPEED:
        return {name: value for name, value in made.items() if name not in ("sog_kn", "heading_deg")}
    return made


def _said(body: Record) -> dict[str, Any]:
    """Return what a message declares; the two halves of message 24 that are marked invalid were not sent."""
    parts = [body, *(body[half] for half in ("ReportA", "ReportB") if _is_sent(body.get(half)))]
    made = {ours: part[theirs] for part in parts for theirs, ours in _SAID.items() if theirs in part}
    sides: Record = next((part["Dimension"] for part in parts if isinstance(part.get("Dimension"), dict)), {})
    return made | {ours: sides[theirs] for theirs, ours in _SIDES.items() if theirs in sides}


def _is_sent(half: Any) -> bool:  # noqa: ANN401 - any JSON value
    return isinstance(half, dict) and half.get("Valid", True) is True
