"""When was a pixel seen? A STAC ``datetime`` may be the granule's, the datatake's, or made up.

A wrong time moves every ship: 3 minutes at 10 knots are 0.9 km. So each scene carries where its time comes
from and a standard error.

- Earth Search writes the granule's SENSING_TIME in ``datetime``.
- Planetary Computer and CDSE write the product's start, which is the start of the datatake; a datatake
  may begin far away. In two Earth Search items read for this rule (T39QTA of 2023-06-23, T22MHD of
  2023-09-12) the granule was seen 18.2 and 4.1 minutes after the datatake's start, and 29 and 251 s
  after the datastrip's.

So a ``datetime`` that equals the datatake's start is one, and any later one is the granule's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from roadstead.core.errors import ReadError
from roadstead.imagery.remote.address_rules import AddressError, is_remote, local_path
from roadstead.imagery.remote.range_request import PartError, byte_cache, fetch
from roadstead.imagery.remote.signing import access_of
from roadstead.imagery.scene import Scene

SIGMA_S = {
    # A tile of 110 km passes under the satellite in about 16 s; where in the tile a ship lies is not used.
    "granule_sensing": 8.0,
    # Root mean square of the two offsets above.
    "datastrip": 180.0,
    # Offsets are spread over 0 to 18 minutes and more; root mean square of a uniform spread is 10 minutes.
    "datatake_start": 600.0,
    # Sentinel-2 passes Nampo at 02:20-02:40 UTC, 12 to 32 minutes after 10:30 local solar time.
    "assumed": 1800.0,
}
"""Standard error in seconds of an acquisition time, by its source (`schemas.ACQUIRED_SOURCES`)."""
TOLD_SIGMA_S = 60.0
"""Standard error of a time that the user gives to the minute."""

CONTRADICTED_SIGMA_S = 6 * 3600.0
"""Standard error of a time that its own product contradicts: nothing can be held against such an image."""

_STAMP = r"(\d{8}T\d{6})"
_DATATAKE = re.compile(rf"^(GS2[A-D]_{_STAMP}_\d+)(?:_N[\d.]+)?$")
_DATASTRIP = re.compile(rf"_S{_STAMP}(?:_|$)")
_PRODUCT = re.compile(rf"^(S2[A-D])_MSIL[12][AC]_{_STAMP}_N(\d{{2}})(\d{{2}})_R\d{{3}}_T(\d{{2}}[A-Z]{{3}})_")
_PRODUCT_KEYS = ("s2:product_uri", "sentinel:product_id", "s2:product_id")
_SAME = timedelta(seconds=1.5)
_LONGEST_DATATAKE = timedelta(minutes=60)
_LONGEST_DATASTRIP = timedelta(minutes=30)
"""A datastrip is what one station receives at a time: part of a datatake."""
TOP = 8192
"""Bytes of MTD_TL.xml that are read: SENSING_TIME stands in its General_Info, within the first 3,000."""
_TIME = re.compile(rb"<SENSING_TIME[^>]*>\s*([0-9T:.Z+-]+)\s*</SENSING_TIME>")


@dataclass(frozen=True)
class Acquired:
    """An acquisition time with its source and standard error."""

    time: datetime
    source: str
    sigma_s: float


@dataclass(frozen=True)
class ProductName:
    """What the name of an ESA product says.

    Source: https://sentiwiki.copernicus.eu/web/s2-products (naming convention).
    """

    datatake: str
    """Platform and start of the datatake, e.g. ``GS2B_20201103T022541``."""
    start: datetime
    baseline: str
    mgrs_tile: str


def parse_stamp(text: str) -> datetime:
    """Parse ``20201103T022541`` as UTC."""
    return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def product_name(item_id: str, properties: Mapping[str, Any]) -> ProductName | None:
    """Return what the item's product name says, or None where no name of that form is there."""
    for text in (*(properties.get(key) for key in _PRODUCT_KEYS), item_id):
        if found := _PRODUCT.match(str(text)):
            platform, start, major, minor, tile = found.groups()
            return ProductName(f"G{platform}_{start}", parse_stamp(start), f"{major}.{minor}", tile)
    return None


def datatake(item_id: str, properties: Mapping[str, Any]) -> tuple[str, datetime] | None:
    """Return the datatake's name without baseline and its start, where the item tells them."""
    text = properties.get("s2:datatake_id") or properties.get("eopf:datatake_id") or ""
    if found := _DATATAKE.match(str(text)):
        return found.group(1), parse_stamp(found.group(2))
    product = product_name(item_id, properties)
    return (product.datatake, product.start) if product else None


def resolve_acquired(item_id: str, when: datetime, properties: Mapping[str, Any]) -> Acquired:
    """Return when an item's pixels were seen, by its ``datetime`` and its sensing-time keys.

    Args:
        item_id: STAC item id; may be an ESA product name.
        when: the item's ``datetime``, UTC.
        properties: STAC item properties; ``s2:datatake_id``, ``s2:datastrip_id``, ``s2:product_uri`` and a
            free ``datetime_note`` are used. A time that contradicts them has a standard error of
            `CONTRADICTED_SIGMA_S`.
    """
    take = datatake(item_id, properties)
    strip = _DATASTRIP.search(str(properties.get("s2:datastrip_id", "")))
    start = take[1] if take else None
    if _contradicted(when, start, parse_stamp(strip.group(1)) if strip else None):
        return replace(_by("assumed", when), sigma_s=CONTRADICTED_SIGMA_S)
    if start is not None and when - start > _SAME:
        return _by("granule_sensing", when)
    if strip and start is not None:
        return _by("datastrip", max(parse_stamp(strip.group(1)), start))
    if start is not None:
        return _by("datatake_start", start)
    if strip:
        return _by("granule_sensing", when)
    return _by(_noted(str(properties.get("datetime_note", ""))), when)


def _contradicted(when: datetime, take: datetime | None, strip: datetime | None) -> bool:
    """Return whether a time lies outside the datatake or the datastrip that an item names by their start.

    The start of the datatake itself may stand for the time.
    """
    if take is not None and not -_SAME < when - take < _LONGEST_DATATAKE:
        return True
    if strip is None or (take is not None and when - take <= _SAME):
        return False
    return not -_SAME < when - strip < _LONGEST_DATASTRIP


def _noted(note: str) -> str:
    """Return the source that a ``datetime_note`` names; without one nothing says the time is a sensor's."""
    if re.search(r"granule", note, re.IGNORECASE):
        return "granule_sensing"
    if re.search(r"(product|datatake)\b.*\bstart", note, re.IGNORECASE):
        return "datatake_start"
    return "assumed"


def _by(source: str, when: datetime) -> Acquired:
    return Acquired(when.astimezone(UTC), source, SIGMA_S[source])


def with_sensing_time(scene: Scene) -> Scene:
    """Return a scene at its granule's SENSING_TIME, as it is where that is known already or cannot be read.

    Source: ESA, Sentinel-2 Products Specification Document, MTD_TL.xml, General_Info/SENSING_TIME.
    """
    if scene.acquired_source == "granule_sensing" or scene.granule_metadata is None:
        return scene
    when = _sensing_time(scene.granule_metadata, scene.assets["red"].home)
    if when is None:
        return scene
    return replace(
        scene, acquired=when, acquired_source="granule_sensing", acquired_sigma_s=SIGMA_S["granule_sensing"]
    )


def _sensing_time(href: str, home: str | None) -> datetime | None:
    if not is_remote(href):
        return _read(href, home)
    key = ("sensing-time", href.partition("?")[0], home or "")
    known: str | None = byte_cache().get(key)
    when = _read(href, home) if known is None else datetime.fromisoformat(known)
    if known is None and when is not None:
        byte_cache().set(key, when.isoformat())
    return when


def _read(href: str, home: str | None) -> datetime | None:
    """Return the time that the metadata give; None where they cannot be read or give none."""
    try:
        found = _TIME.search(_top(href, home))
        when = datetime.fromisoformat(found.group(1).decode()) if found else None
    except (AddressError, PartError, ReadError, OSError, ValueError):
        return None  # the scene keeps its own time, whose standard error says how far to trust it
    return when.replace(tzinfo=UTC) if when is not None and when.tzinfo is None else when


def _top(href: str, home: str | None) -> bytes:
    if is_remote(href):
        return fetch(access_of(href), href, 0, TOP, home, text=True).body
    if home is not None:
        raise AddressError(f"{href}: is a path of this machine, and its catalogue is read over HTTP")
    with open(local_path(href), "rb") as file:
        return file.read(TOP)
