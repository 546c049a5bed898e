"""The kinds of message that we read, each to a row: what pyais decodes under our column names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
