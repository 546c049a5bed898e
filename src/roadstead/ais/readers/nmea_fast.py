"""Position reports of one sentence (messages 1, 2, 3 and 18: most of any log), many at once.

pyais decodes one message at a time; these four hold the same few fields at fixed bits (ITU-R M.1371-5 annex 8, tables
48 and 70), read here for a whole batch. Whatever is not a flawless sentence of this kind is left to pyais; a test
holds the two against each other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SENTENCE = re.compile(
    rb"\s*(?:\\([^\\]*)\\)?(!(?:[A-Z]{2})VD[MO],1,1,[0-9]?,[AB12]?,([123B][0-W`-w]{27}),0\*([0-9A-F]{2}))\s*"
)
"""Tag block, sentence, payload of 168 bits and checksum."""
_CHARS = 28


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
