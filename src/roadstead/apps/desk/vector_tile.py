"""Points as a Mapbox Vector Tile 2.1 (https://github.com/mapbox/vector-tile-spec/tree/master/2.1).

Written here since the library for it does not run beside the protobuf release that Prefect brings. Tests read the tiles
with GDAL. A tile of points needs three message types and unsigned integers of variable length, no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

EXTENT = 4096
Value = str | int


@dataclass(frozen=True)
class Point:
    """One point of a tile."""

    x: int
    """In `EXTENT`-ths of the tile, rightwards."""
    y: int
    """Downwards."""
    properties: Mapping[str, Value]


def layer_tile(name: str, points: Sequence[Point]) -> bytes:
    """Return a tile with one layer; no bytes for no points."""
    if not points:
        return b""
    keys: dict[str, int] = {}
    values: dict[Value, int] = {}
    features = [_feature(point, keys, values) for point in points]
    parts = [
        _field(1, name.encode()),
        *(_field(2, feature) for feature in features),
        *(_field(3, key.encode()) for key in keys),
        *(_field(4, _value(value)) for value in values),
        _number(5, EXTENT),
        _number(15, 2),
    ]
    return _field(3, b"".join(parts))


def _feature(point: Point, keys: dict[str, int], values: dict[Value, int]) -> bytes:
    tags = bytearray()
    for key, value in point.properties.items():
        tags += varint(keys.setdefault(key, len(keys)))
        tags += varint(values.setdefault(value, len(values)))
    move_to_once = 9
    geometry = varint(move_to_once) + varint(zigzag(point.x)) + varint(zigzag(point.y))
    is_point = 1
    return _field(2, bytes(tags)) + _number(3, is_point) + _field(4, geometry)


def _value(value: Value) -> bytes:
    return _field(1, value.encode()) if isinstance(value, str) else _number(5, value)


def _field(number: int, body: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(body)) + body


def _number(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def zigzag(value: int) -> int:
    """Return a signed number as an unsigned one, small where it is near zero."""
    return value << 1 if value >= 0 else (-value << 1) - 1


def varint(value: int) -> bytes:
    """Return an unsigned number in groups of seven bits, least first."""
    if value < 128:
        return bytes((value,))
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
