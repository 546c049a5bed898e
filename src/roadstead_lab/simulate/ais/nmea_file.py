"""What AIS sources heard as NMEA 0183 sentences with tag blocks (4.10): source, time of reception, group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyais.encode import encode_dict

from roadstead_lab.simulate.ais.armour import Bytes, checksummed, decimals, payloads, text
from roadstead_lab.simulate.ais.received import POSITION_MESSAGES, STATIC_MESSAGES, STATION_MESSAGE, Received
from roadstead_lab.simulate.traffic.identities import Identity

NAV_STATUS = (0, 1, 5)
"""Navigational status of `tracks.STATUSES` (M.1371-5, table 48)."""
_NO_HEADING = 511
_NO_TURN = -128
_GPS_SURVEYED = 7
_CHANNEL = {27: b"C"}
"""Message 27 goes out on channels of its own, 75 and 76 (M.1371-5, annex 4); receivers write them C and D."""
_LINE_END = b"\r\n"
Fields = dict[str, str | int | float | bytes | bool]


def nmea_text(heard: Received) -> str:
    """Return one sentence a line in order of time; the lines of one message share a group."""
    table = heard.messages
    lines = np.empty(len(table), object)
    for kind in (*POSITION_MESSAGES, STATION_MESSAGE):
        which = (table["message"] == kind).to_numpy()
        if which.any():
            lines[which] = _sentences(kind, table[which], heard)
    static = table["message"].isin(STATIC_MESSAGES).to_numpy()
    lines[static] = list(_static_lines(table[static], np.flatnonzero(static), heard))
    return b"".join(lines).decode("ascii")


def _sentences(kind: int, rows: pd.DataFrame, heard: Received) -> list[bytes]:
    """Return the line of each message of one kind; all lines have the same length."""
    size = len(rows)
    channel = _CHANNEL.get(kind, b"A")
    body = np.hstack(
        [
            text(b"AIVDM,1,1,," + channel + b",", size),
            payloads(kind, _fields(kind, rows, heard)),
            text(b",0", size),
        ]
    )
    sentences = checksummed(text(b"!", size), body, _LINE_END)
    tag = np.hstack(
        [text(f"s:{heard.receiver.source},c:".encode(), size), decimals(rows["time"].to_numpy(), 10)]
    )
    return _split(np.hstack([checksummed(text(b"\\", size), tag, b"\\"), sentences]))


def _split(lines: Bytes) -> list[bytes]:
    width, whole = lines.shape[1], lines.tobytes()
    return [whole[a:b] for a, b in pairwise(range(0, len(whole) + width, width))]


def _fields(kind: int, rows: pd.DataFrame, heard: Received) -> dict[str, NDArray[np.int64]]:
    """Return the whole numbers in the bits of messages 1, 4, 18 and 27 (M.1371-5, tables 48, 51, 67 and 83)."""
    mmsis = np.array([int(identity.mmsi) for identity in heard.identities])
    steps = 600 if kind == 27 else 600_000
    time = rows["time"].to_numpy()
    common = {
        "mmsi": mmsis[rows["identity"]],
        "lon": _whole(rows["lon"] * steps),
        "lat": _whole(rows["lat"] * steps),
    }
    if kind == STATION_MESSAGE:
        return common | _clock(time) | {"epfd": np.full(len(rows), _GPS_SURVEYED)}
    step = 1 if kind == 27 else 10
    common |= {"speed": _whole(rows["sog_kn"] * step), "course": _whole(rows["cog_deg"] * step)}
    status = np.array(NAV_STATUS)[rows["status"]]
    if kind == 27:
        return common | {"status": status, "repeat": np.full(len(rows), 3)}
    common |= {"heading": _whole(rows["heading_deg"].fillna(_NO_HEADING)), "second": time % 60}
    if kind == 18:
        return common | {"cs": np.ones(len(rows), np.int64)}
    return common | {"status": status, "turn": np.full(len(rows), _NO_TURN)}


def _whole(values: pd.Series) -> NDArray[np.int64]:
    return np.asarray(np.rint(values.to_numpy(float)), np.int64)


def _clock(time: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    when = pd.DatetimeIndex(pd.to_datetime(time, unit="s"))
    names = ("year", "month", "day", "hour", "minute", "second")
    return {name: np.asarray(getattr(when, name), np.int64) for name in names}


def _static_lines(rows: pd.DataFrame, numbers: NDArray[np.int64], heard: Received) -> Iterator[bytes]:
    """Yield the lines of each static report; an identity is encoded once and kept."""
    kept: dict[tuple[int, int], list[list[str]]] = {}
    columns = (rows["time"].tolist(), rows["message"].tolist(), rows["identity"].tolist(), numbers.tolist())
    for time, kind, identity, number in zip(*columns, strict=True):
        if (kind, identity) not in kept:
            kept[kind, identity] = _encoded(kind, heard.identities[identity])
        messages = kept[kind, identity]
        yield b"".join(_tagged(sentences, time, heard.receiver.source, number) for sentences in messages)


def _encoded(kind: int, identity: Identity) -> list[list[str]]:
    messages = _class_a_static(identity) if kind == 5 else _class_b_static(identity)
    return [encode_dict(message, sentence_type="VDM", seq_id=1) for message in messages]


def _class_a_static(identity: Identity) -> list[Fields]:
    voyage: Fields = {
        "type": 5,
        "imo": int(identity.imo or 0),
        "shipname": identity.name,
        "draught": identity.draught_m,
        "destination": identity.destination,
        "epfd": 1,
    }
    return [voyage | _size(identity)]


def _class_b_static(identity: Identity) -> list[Fields]:
    who: Fields = {"type": 24, "mmsi": int(identity.mmsi)}
    return [who | {"partno": 0, "shipname": identity.name}, who | {"partno": 1} | _size(identity)]


def _size(identity: Identity) -> Fields:
    return {
        "mmsi": int(identity.mmsi),
        "ship_type": identity.ship_type,
        "callsign": identity.callsign,
        "to_bow": identity.to_bow_m,
        "to_stern": identity.to_stern_m,
        "to_port": identity.to_port_m,
        "to_starboard": identity.to_starboard_m,
    }


def _tagged(sentences: Sequence[str], time: int, source: str, group: int) -> bytes:
    lines = []
    for part, sentence in enumerate(sentences, start=1):
        group_tag = f"g:{part}-{len(sentences)}-{group % 10_000}," if len(sentences) > 1 else ""
        tag = f"{group_tag}s:{source},c:{time}".encode()
        lines.append(
            b"\\%s*%02X\\%s%s" % (tag, reduce(lambda a, b: a ^ b, tag), sentence.encode(), _LINE_END)
        )
    return b"".join(lines)
