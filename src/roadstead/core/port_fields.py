"""Fields of a port file as people name them, in the words of `aoi/README.md`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from roadstead.core.port_formats import LAYER

SPELT = {
    "port": ("port", "harbour", "harbor"),
    "zone": ("zone", "zone_id", "zoneid"),
    "kind": ("kind", "type", "zone_type", "zonetype", "category"),
    "name": ("name", "title", "label"),
    "source": ("source",),
    "confidence": ("confidence",),
    "note": ("note",),
}
"""Our field -> names it has in files, in lower case; the first that a file has counts."""
KINDS = ("berth", "anchorage", "fairway", "lock")
_ZONE = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*/[a-z0-9]+(?:[-_][a-z0-9]+)*")
_APART = re.compile(r"[^a-z0-9_]+")


def in_our_words(given: Mapping[str, Any], port: str | None = None) -> dict[str, Any]:
    """Return the properties of a feature under our names.

    A zone without an id takes it from ``id`` or ``name``; a kind may stand in any case and in the plural, or be the
    name of the layer or KML folder. What a file says under our own names is left as it is.

    Args:
        given: as in the file.
        port: slug for a file that names no port.
    """
    said = {name: value for name in SPELT if (value := _first(given, SPELT[name])) is not None}
    zone = said.get("zone") or _zone_words(given)
    slug = said.get("port") or _port_of(zone) or port
    if zone is not None and "zone" not in said:
        zone = zone if _ZONE.fullmatch(zone) else _joined(slug, zone)
    kind = said.get("kind", _kind(given.get(LAYER)))
    found = {**said, "port": slug, "zone": zone, "kind": _kind(kind) or kind}
    return {name: value for name, value in found.items() if value is not None}


def slug_of(words: str) -> str | None:
    """Return words as a slug, ``North Roads`` as ``north-roads``; None where no Latin letter or digit is left."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return re.sub("[-_]*-[-_]*", "-", _APART.sub("-", plain)).strip("-_") or None


def _first(given: Mapping[str, Any], names: tuple[str, ...]) -> Any:  # noqa: ANN401 - unchecked
    by = {str(key).strip().lower(): value for key, value in given.items() if value is not None}
    return next((by[name] for name in names if name in by), None)


def _zone_words(given: Mapping[str, Any]) -> str | None:
    """Return what an id can be made from: an ``id`` that is a word, else a name, else a number."""
    number = _first(given, ("id", "fid"))
    if isinstance(number, str) and re.search("[A-Za-z]", number):
        return number.strip()
    name = _first(given, SPELT["name"])
    if isinstance(name, str) and name.strip():
        return name.strip()
    return None if number is None or isinstance(number, (dict, list)) else f"{number}".removesuffix(".0")


def _port_of(zone: object) -> str | None:
    return zone.partition("/")[0] if isinstance(zone, str) and "/" in zone else None


def _joined(port: object, zone: str) -> str | None:
    own = slug_of(zone.rpartition("/")[2])
    return f"{port}/{own}" if isinstance(port, str) and own else None


def _kind(value: object) -> str | None:
    """Return one of `KINDS` for a word that means it in any case or the plural; None for others."""
    word = value.strip().lower() if isinstance(value, str) else ""
    return word if word in KINDS else word[:-1] if word.endswith("s") and word[:-1] in KINDS else None
