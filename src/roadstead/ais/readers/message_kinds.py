"""The kinds of message that we read, to rows: by pyais one at a time, or many position reports at once.

Position reports of one sentence (messages 1, 2, 3 and 18: most of any log), many at once.

pyais decodes one message at a time; these four hold the same few fields at fixed bits (ITU-R M.1371-5 annex 8, tables
48 and 70), read here for a whole batch. Whatever is not a flawless sentence of this kind is left to pyais; a test
holds the two against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BITS = {
    1: (168, 168),
    2: (168, 168),
    3: (168, 168),
    4: (168, 168),
    5: (422, 426),
    9: (168, 168),
    18: (168, 168),
    19: (312, 312),
    21: (272, 364),
    24: (160, 168),
    27: (96, 168),
}
"""Least and most bits of the messages we read (ITU-R M.1371-5 annex 8; 422 and 426 are fill-bit habits of
receivers, and 168 that of satellite relays of message 27, as gpsd accepts them). Other messages hold neither
a position nor static data of a ship and are passed over."""

Row = tuple[Any, ...]
"""MMSI and the values of `FIX`, then a dict of static data or None."""
FIX = ("positional", "lon", "lat", "sog_kn", "cog_deg", "heading_deg", "nav_status", "ais_class", "message")
_STATIC_NAMES = {
    "imo": "imo",
    "shipname": "name",
    "callsign": "callsign",
    "ship_type": "ship_type",
    "to_bow": "to_bow_m",
    "to_stern": "to_stern_m",
    "to_port": "to_port_m",
    "to_starboard": "to_starboard_m",
    "draught": "draught_m",
    "destination": "destination",
}
SENTENCE = re.compile(
    rb"\s*(?:\\([^\\]*)\\)?(!(?:[A-Z]{2})VD[MO],1,1,[0-9]?,[AB12]?,([123B][0-W`-w]{27}),0\*([0-9A-F]{2}))\s*"
)
"""Tag block, sentence, payload of 168 bits and checksum."""
_CHARS = 28


def _class_a(m: Any) -> Row:  # noqa: ANN401 - pyais message classes share no typed base
    return m.mmsi, True, m.lon, m.lat, m.speed, m.course, m.heading, int(m.status), "A", None, None


def _class_b(m: Any) -> Row:  # noqa: ANN401
    return m.mmsi, True, m.lon, m.lat, m.speed, m.course, m.heading, None, "B", None, None


def _extended_b(m: Any) -> Row:  # noqa: ANN401
    return (*_class_b(m)[:-1], _static(m))


def _long_range(m: Any) -> Row:  # noqa: ANN401
    speed = None if m.speed >= 63 else m.speed  # 63 is "not available" here, 511 is for the course
    return m.mmsi, True, m.lon, m.lat, speed, m.course, None, int(m.status), "A", 27, None


def _declared(ais_class: str) -> Callable[[Any], Row]:
    return lambda m: (m.mmsi, False, None, None, None, None, None, None, ais_class, None, _static(m))


def _static(m: Any) -> dict[str, Any]:  # noqa: ANN401
    return {ours: getattr(m, theirs) for theirs, ours in _STATIC_NAMES.items() if hasattr(m, theirs)}


def _station(kind: str) -> Callable[[Any], Row]:
    return lambda m: (m.mmsi, True, m.lon, m.lat, None, None, None, None, kind, None, None)


READ: dict[int, Callable[[Any], Row]] = {
    1: _class_a,
    2: _class_a,
    3: _class_a,
    4: _station("base station"),
    5: _declared("A"),
    9: _station("sar aircraft"),
    18: _class_b,
    19: _extended_b,
    21: _station("aton"),
    24: _declared("B"),
    27: _long_range,
}
"""Message number to our columns."""


@dataclass(frozen=True)
class _Bits:
    """Where the fields of a message lie: (first bit, number of bits)."""

    speed: int
    lon: int
    lat: int
    course: int
    heading: int


_CLASS_A = _Bits(50, 61, 89, 116, 128)
_CLASS_B = _Bits(46, 57, 85, 112, 124)


def checksum(raw: bytes) -> int:
    """Return the XOR of the bytes between the first and the last ``*``, folded as one number."""
    body = int.from_bytes(raw[1 : raw.rindex(b"*")], "little")
    for bits in (512, 256, 128, 64, 32, 16, 8):
        while body >> bits:
            body = (body >> bits) ^ (body & ((1 << bits) - 1))
    return body


def decoded(payloads: list[bytes]) -> pd.DataFrame:
    """Return the fields of armoured payloads of 28 characters, under our names."""
    bits = _bits_of(payloads)
    is_b = _number(bits, 0, 6) == 18
    both = [_fields(bits, where) for where in (_CLASS_A, _CLASS_B)]
    made = {name: np.where(is_b, both[1][name], both[0][name]) for name in both[0]}
    status = _number(bits, 38, 4).astype(object)
    status[is_b] = None
    return pd.DataFrame(
        {
            "mmsi": _number(bits, 8, 30),
            "positional": True,
            **made,
            "nav_status": status,
            "ais_class": np.where(is_b, "B", "A").astype(object),
        }
    )


def _bits_of(payloads: list[bytes]) -> NDArray[np.uint8]:
    sixes = np.frombuffer(b"".join(payloads), np.uint8).reshape(-1, _CHARS) - 48
    sixes = np.where(sixes > 40, sixes - 8, sixes).astype(np.uint8)
    return np.unpackbits(sixes[:, :, None], axis=2)[:, :, 2:].reshape(len(payloads), -1)


def _number(bits: NDArray[np.uint8], first: int, length: int, signed: bool = False) -> NDArray[np.int64]:
    value = np.zeros(len(bits), dtype=np.int64)
    for place in range(first, first + length):
        value = (value << 1) | bits[:, place]
    return value - (bits[:, first].astype(np.int64) << length) if signed else value


def _fields(bits: NDArray[np.uint8], where: _Bits) -> dict[str, NDArray[np.float64]]:
    return {
        "lon": np.round(_number(bits, where.lon, 28, signed=True) / 600_000.0, 6),
        "lat": np.round(_number(bits, where.lat, 27, signed=True) / 600_000.0, 6),
        "sog_kn": _number(bits, where.speed, 10) / 10.0,
        "cog_deg": _number(bits, where.course, 12) / 10.0,
        "heading_deg": _number(bits, where.heading, 9).astype(float),
    }
