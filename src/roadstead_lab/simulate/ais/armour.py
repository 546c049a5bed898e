"""Many AIS messages of one kind to NMEA payloads at once; the bit layout is that of pyais's message classes.

pyais encodes one message in about 50 microseconds; a year of two ports has several hundred thousand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyais.messages import MSG_CLASS

Bytes = NDArray[np.uint8]
_SIX = 6


def payloads(kind: int, values: Mapping[str, NDArray[np.int64]]) -> Bytes:
    """Return [n, characters] ASCII of the six-bit payloads of n messages.

    Args:
        kind: Message number; of a fixed length that is a multiple of six bits.
        values: Field of pyais's message class -> [n] whole numbers as they stand in the bits (two's complement where
            negative); fields that are left out are 0.

    Raises:
        KeyError: a field that the message has not.
    """
    fields: list[Any] = list(MSG_CLASS[kind].fields())
    unknown = set(values) - {field.name for field in fields}
    if unknown:
        raise KeyError(f"message {kind} has no field {sorted(unknown)}")
    size = len(next(iter(values.values())))
    told = {**values, "msg_type": np.full(size, kind)}
    none = np.zeros(size, np.int64)
    bits = np.hstack([_bits(told.get(field.name, none), field.metadata["width"]) for field in fields])
    return _armoured(bits)


def _bits(values: NDArray[np.int64], width: int) -> Bytes:
    """Return [n, width] bits, the highest first."""
    shifts = np.arange(width - 1, -1, -1)
    return np.asarray((values.astype(np.int64)[:, None] >> shifts) & 1, np.uint8)


def _armoured(bits: Bytes) -> Bytes:
    """Six bits to a character (NMEA 0183, as IEC 61162-1 has it): 48 and up, leaving out 88 to 95."""
    weights = (1 << np.arange(_SIX - 1, -1, -1)).astype(np.uint8)
    six = (bits.reshape(len(bits), -1, _SIX) * weights).sum(axis=2, dtype=np.uint8)
    return np.asarray(np.where(six < 40, six + 48, six + 56), np.uint8)


def checksummed(lead: Bytes, body: Bytes, after: bytes = b"") -> Bytes:
    """Return [n, m] ASCII: a lead-in, a body, ``*``, the two hexadecimal digits of the body's checksum, and more.

    The checksum is the exclusive or of all characters of the body (NMEA 0183).
    """
    total = np.bitwise_xor.reduce(body, axis=1)
    digits = np.frombuffer(b"0123456789ABCDEF", np.uint8)
    end = np.column_stack([text(b"*", len(body)), digits[total >> 4], digits[total & 15]])
    return np.hstack([lead, body, end, text(after, len(body))])


def text(characters: bytes, rows: int) -> Bytes:
    """Return the same characters in n rows."""
    return np.tile(np.frombuffer(characters, np.uint8), (rows, 1))


def decimals(values: NDArray[np.int64], width: int) -> Bytes:
    """Return [n, width] decimal digits of whole numbers, with leading zeros."""
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    return np.asarray(values[:, None] // powers % 10 + 48, np.uint8)
