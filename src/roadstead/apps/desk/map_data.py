"""What the map shows of a store: findings by port, time, class and status, as vector tiles (MVT) and as counts.

Points as a Mapbox Vector Tile 2.1 (https://github.com/mapbox/vector-tile-spec/tree/master/2.1).

Written here since the library for it does not run beside the protobuf release that Prefect brings. Tests read the tiles
with GDAL. A tile of points needs three message types and unsigned integers of variable length, no more.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from roadstead.core.errors import UsageError
from roadstead.core.schemas import CLASSES, STATUSES
from roadstead.store import Atlas, Points

EXTENT = 4096
Value = str | int
NAMES = ("port", "class", "status", "from", "to")
NO_HULL = "none"
"""Class of what was declared alone."""
MOST_SINGLE = 2000
"""Where the filters leave more findings than this, low zooms show groups with their number."""
GROUPED_BELOW = 12
MOST_IN_TILE = 2000
"""A tile with more shows groups at any zoom."""
GROUPS_ACROSS = 8
"""Groups along a tile's side: 64 px each at the size that MapLibre draws."""
BUFFER = EXTENT // 32
"""Points so far outside of a tile are in it too, so that markers on its edge are drawn whole."""
VERSION_S = 1.0
"""How long the store's version is believed."""
KEPT_TILES = 2048
Chosen = NDArray[np.bool_]


@dataclass(frozen=True)
class MapFilter:
    """Which findings; empty means all."""

    port: str = ""
    hull_class: str = ""
    status: str = ""
    """A status, or ``conflict``."""
    start: int | None = None
    end: int | None = None
    """First and last second of the overpass, both included; seconds since 1970, UTC."""


def map_filter(query: Mapping[str, str]) -> MapFilter:
    """Read the filters of an address.

    Raises:
        UsageError: a value is none that there is.
    """
    given = {name: query.get(name, "") for name in NAMES}
    known = {"class": ("", NO_HULL, *CLASSES), "status": ("", "conflict", *STATUSES)}
    for name, allowed in known.items():
        if given[name] not in allowed:
            raise UsageError(f"{name}: {given[name]!r} is none of {', '.join(allowed[1:])}")
    return MapFilter(
        given["port"], given["class"], given["status"], _second(given, "from"), _second(given, "to")
    )


def _second(given: Mapping[str, str], name: str) -> int | None:
    if not given[name]:
        return None
    if not re.fullmatch(r"[0-9]{1,12}", given[name]):
        raise UsageError(f"{name}: {given[name]!r} is no number of seconds")
    return int(given[name])


@dataclass(frozen=True)
class _Placed:
    """All points with what tiles are cut by."""

    version: str
    points: Points
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    """In 0..1 of the world square, y downwards."""
    ports: NDArray[np.str_]
    """Port of each pass."""
    seconds: NDArray[np.int64]
    """Time of each pass."""


class MapData:
    """All findings of a store in memory, read anew when the store has changed."""

    def __init__(self, atlas: Atlas) -> None:
        """Read nothing yet."""
        self.atlas = atlas
        self._lock = threading.Lock()
        self._placed: _Placed | None = None
        self._version, self._asked = "", -VERSION_S
        self._chosen: LRUCache[tuple[str, MapFilter], Chosen] = LRUCache(32)
        self._tiles: LRUCache[tuple[str, MapFilter, int, int, int], bytes] = LRUCache(KEPT_TILES)

    def version(self) -> str:
        """Return what changes when the store does; at most `VERSION_S` old."""
        with self._lock:
            if time.monotonic() - self._asked >= VERSION_S:
                self._version, self._asked = self.atlas.version(), time.monotonic()
            return self._version

    def points(self) -> Points:
        """Return all findings."""
        return self._all().points

    def _all(self) -> _Placed:
        version = self.version()
        with self._lock:
            if self._placed is None or self._placed.version != version:
                self._placed = _placed(version, self.atlas.points())
                self._chosen.clear()
                self._tiles.clear()
            return self._placed

    def _choose(self, placed: _Placed, wanted: MapFilter) -> Chosen:
        key = (placed.version, wanted)
        with self._lock:
            held = self._chosen.get(key)
        if held is None:
            held = _chosen(placed, wanted)
            with self._lock:
                self._chosen[key] = held
        return held

    def counts(self, wanted: MapFilter) -> dict[str, int]:
        """Return status -> findings that filters leave."""
        placed = self._all()
        of = np.bincount(placed.points.status[self._choose(placed, wanted)], minlength=len(STATUSES))
        return {name: int(n) for name, n in zip(STATUSES, of, strict=True)}

    def bounds(self, wanted: MapFilter) -> tuple[float, float, float, float] | None:
        """Return (west, south, east, north) of the findings that filters leave, in degrees."""
        placed = self._all()
        chosen = self._choose(placed, wanted)
        if not chosen.any():
            return None
        lon, lat = placed.points.lon[chosen], placed.points.lat[chosen]
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())

    def tile(self, wanted: MapFilter, z: int, x: int, y: int) -> bytes:
        """Return a vector tile with one layer ``findings``; no bytes where it holds none.

        Single findings have ``f`` (finding), ``p`` (port), ``s`` (status), ``c`` (class or `NO_HULL`) and ``o`` (place
        of the overpass among all); groups have ``n`` and the number of each status in them.
        """
        placed = self._all()
        key = (placed.version, wanted, z, x, y)
        with self._lock:
            held = self._tiles.get(key)
        if held is None:
            held = self._made(placed, wanted, z, x, y)
            with self._lock:
                self._tiles[key] = held
        return held

    def _made(self, placed: _Placed, wanted: MapFilter, z: int, x: int, y: int) -> bytes:
        chosen = self._choose(placed, wanted)
        across, down = placed.x * 2**z - x, placed.y * 2**z - y
        own = chosen & (across >= 0) & (across < 1) & (down >= 0) & (down < 1)
        inside = int(own.sum())
        many = z < GROUPED_BELOW and int(chosen.sum()) > MOST_SINGLE
        if many or inside > MOST_IN_TILE:
            return layer_tile("findings", _groups(placed, np.flatnonzero(own), across, down))
        edge = BUFFER / EXTENT
        near = chosen & (across >= -edge) & (across < 1 + edge) & (down >= -edge) & (down < 1 + edge)
        return layer_tile("findings", [_single(placed, int(i), across, down) for i in np.flatnonzero(near)])


def _placed(version: str, points: Points) -> _Placed:
    """Return points with their places in the world square (WebMercatorQuad)."""
    lat = np.radians(np.clip(points.lat, -85.05, 85.05))
    return _Placed(
        version,
        points,
        x=(points.lon + 180.0) / 360.0,
        y=(1.0 - np.arcsinh(np.tan(lat)) / np.pi) / 2.0,
        ports=np.array([one.port for one in points.passes], str),
        seconds=np.array([int(one.acquired.timestamp()) for one in points.passes], np.int64),
    )


def _chosen(placed: _Placed, wanted: MapFilter) -> Chosen:
    points = placed.points
    passes = np.ones(len(points.passes), bool)
    if wanted.port:
        passes &= placed.ports == wanted.port
    if wanted.start is not None:
        passes &= placed.seconds >= wanted.start
    if wanted.end is not None:
        passes &= placed.seconds <= wanted.end
    chosen = passes[points.of]
    if wanted.hull_class:
        number = -1 if wanted.hull_class == NO_HULL else CLASSES.index(wanted.hull_class)
        chosen &= points.hull_class == number
    if wanted.status == "conflict":
        chosen &= points.conflict
    elif wanted.status:
        chosen &= points.status == STATUSES.index(wanted.status)
    return np.asarray(chosen, bool)


def _single(placed: _Placed, i: int, across: NDArray[np.float64], down: NDArray[np.float64]) -> Point:
    points = placed.points
    of, kind = int(points.of[i]), int(points.hull_class[i])
    told: dict[str, str | int] = {
        "f": points.findings[i],
        "p": points.passes[of].port,
        "s": STATUSES[points.status[i]],
        "c": CLASSES[kind] if kind >= 0 else NO_HULL,
        "o": of,
    }
    return Point(round(float(across[i]) * EXTENT), round(float(down[i]) * EXTENT), told)


def _groups(
    placed: _Placed, own: NDArray[np.intp], across: NDArray[np.float64], down: NDArray[np.float64]
) -> list[Point]:
    """Return one point for each cell of the tile that holds findings, in their middle; one alone stays itself."""
    a, d, status = across[own], down[own], placed.points.status[own]
    cell = (a * GROUPS_ACROSS).astype(int) + GROUPS_ACROSS * (d * GROUPS_ACROSS).astype(int)
    cells, first, group, n = np.unique(cell, return_index=True, return_inverse=True, return_counts=True)
    mean_a, mean_d = np.bincount(group, a) / n, np.bincount(group, d) / n
    of = np.zeros((len(cells), len(STATUSES)), int)
    np.add.at(of, (group, status), 1)
    return [
        _single(placed, int(own[first[k]]), across, down)
        if n[k] == 1
        else Point(
            round(float(mean_a[k]) * EXTENT),
            round(float(mean_d[k]) * EXTENT),
            {"n": int(n[k]), **{name: int(of[k, j]) for j, name in enumerate(STATUSES) if of[k, j]}},
        )
        for k in range(len(cells))
    ]


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
