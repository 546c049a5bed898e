"""The port file: one port's zones, checked feature by feature, with fields as people name them.

What a file must hold is drawn here as a schema of GeoJSON (RFC 7946, WGS84), which `port_formats` makes of other
formats; what zones must be towards each other is checked in `roadstead.core.ports`.
"""

from __future__ import annotations

import json
import re
import reprlib
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import shapely
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from shapely import MultiPolygon
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from roadstead.core.errors import PortError
from roadstead.core.port_formats import LAYER, in_wgs84, read_collection

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
Kind = Literal["berth", "anchorage", "fairway", "lock"]
Confidence = Literal["high", "medium", "low"]
_WANTED = {
    "port": ": the port's slug, such as 'nampo'",
    "zone": ": an id such as 'nampo/coal-berths', or an 'id' or 'name' in Latin letters that it can be made from",
    "kind": f" (or {', '.join(repr(name) for name in SPELT['kind'][1:])}, or a layer or KML folder so named): "
    f"one of {', '.join(KINDS)}",
}
"""What is said of a property that a feature lacks."""
_SLUG = r"[a-z0-9]+(?:[-_][a-z0-9]+)*"


class Properties(BaseModel):
    """Properties of one feature; others are left alone."""

    model_config = ConfigDict(strict=True)

    port: Annotated[str, StringConstraints(pattern=f"^{_SLUG}$")]
    zone: Annotated[str, StringConstraints(pattern=f"^{_SLUG}/{_SLUG}$")]
    kind: Kind
    name: str | None = None
    source: str | None = None
    confidence: Confidence | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _zone_belongs_to_port(self) -> Properties:
        if not self.zone.startswith(f"{self.port}/"):
            raise ValueError(f"zone must start with '{self.port}/'")
        return self


def _polygon(geometry: object) -> MultiPolygon:
    """Return a GeoJSON geometry as a MultiPolygon; raise ValueError where it is no good polygon."""
    kind = geometry.get("type") if isinstance(geometry, dict) else geometry
    if kind not in ("Polygon", "MultiPolygon"):
        raise ValueError(f"geometry is {kind}, must be Polygon or MultiPolygon")
    try:
        shape = shapely.force_2d(shapely.from_geojson(json.dumps(_closed(geometry))))
    except (RecursionError, ShapelyError, ValueError) as error:
        raise ValueError(f"geometry cannot be read: {error}") from error
    if shape.is_empty:
        raise ValueError("geometry is empty")
    _check_degrees(shape)
    if not shape.is_valid:
        raise ValueError(f"geometry is invalid: {shapely.is_valid_reason(shape)}")
    return MultiPolygon(shapely.get_parts(shape).tolist())


def _closed(geometry: Any) -> Any:  # noqa: ANN401 - unchecked JSON
    """Return a polygon whose rings end where they begin, as RFC 7946 asks and hands forget."""
    try:
        if geometry["type"] == "Polygon":
            return {**geometry, "coordinates": [_ring(ring) for ring in geometry["coordinates"]]}
        parts = [[_ring(ring) for ring in part] for part in geometry["coordinates"]]
    except (KeyError, TypeError):
        return geometry
    return {**geometry, "coordinates": parts}


def _ring(ring: list[Any]) -> list[Any]:
    return [*ring, ring[0]] if len(ring) > 2 and ring[0] != ring[-1] else ring


def _check_degrees(shape: BaseGeometry) -> None:
    lonlat = shapely.get_coordinates(shape)
    far = lonlat[~(np.abs(lonlat) <= (180.0, 90.0)).all(axis=1)]
    if not len(far):
        return
    if (np.abs(lonlat) <= (90.0, 180.0)).all():
        raise ValueError(
            f"coordinate {far[0].tolist()} has latitude before longitude: GeoJSON has longitude first; swap them"
        )
    raise ValueError(
        f"coordinate {far[0].tolist()} is not WGS84 longitude/latitude: reproject to EPSG:4326, or say in the "
        "file which CRS it is in (longitudes run -180 to 180)"
    )


class Feature(BaseModel):
    """One zone."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    type: Literal["Feature"]
    properties: Properties
    geometry: Annotated[MultiPolygon, BeforeValidator(_polygon)]


class _Collection(BaseModel):
    type: Literal["FeatureCollection"]
    features: Annotated[list[Any], Field(min_length=1)]


def read_features(path: Path, port: str | None = None) -> list[Feature]:
    """Read and check the features of one port file, of any format of `port_formats`.

    Args:
        path: a file, or the folder of a Shapefile.
        port: slug of a port whose file does not name it.

    Raises:
        PortError: the file cannot be read or breaks a rule of ``aoi/README.md``.
    """
    return parse_features(read_collection(path), port)


def parse_features(document: object, port: str | None = None) -> list[Feature]:
    """Return the features of a GeoJSON document: one port, each zone id once.

    Raises:
        PortError: naming the feature (0-based index and zone id or name) and the fault.
    """
    try:
        collection = _Collection.model_validate(in_wgs84(document))
    except ValidationError as error:
        raise PortError(f"is not a port file: {_faults(error)}") from error
    features: list[Feature] = []
    for index, raw in enumerate(collection.features):
        said = _said(raw, port)
        try:
            feature = Feature.model_validate(said)
            _check_fits(feature, features)
        except ValidationError as error:
            raise PortError(f"{_label(index, said)}: {_faults(error)}") from error
        except ValueError as error:
            raise PortError(f"{_label(index, said)}: {error}") from error
        features.append(feature)
    return features


def _said(raw: Any, port: str | None) -> Any:  # noqa: ANN401 - unchecked JSON
    """Return a feature with its properties under our names."""
    if not isinstance(raw, dict) or not isinstance(raw.get("properties"), dict):
        return raw
    own = {"id": raw["id"]} if isinstance(raw.get("id"), (str, int)) else {}
    return {**raw, "properties": in_our_words({**own, **raw["properties"]}, port)}


def _check_fits(feature: Feature, earlier: list[Feature]) -> None:
    this = feature.properties
    for index, other in enumerate(earlier):
        if this.port != other.properties.port:
            raise ValueError(
                f"port is '{this.port}', but feature {index} has '{other.properties.port}': "
                "one file holds one port"
            )
        if this.zone == other.properties.zone:
            raise ValueError(f"zone id is already that of feature {index}")


def _label(index: int, feature: Any) -> str:  # noqa: ANN401 - unchecked JSON
    try:
        properties = feature["properties"]
        if "zone" in properties:
            return f"feature {index} (zone '{properties['zone']}')"
        return f"feature {index} ('{properties['name']}')"
    except (KeyError, TypeError, IndexError):
        return f"feature {index}"


def _faults(error: ValidationError) -> str:
    return "; ".join(_fault(fault) for fault in error.errors(include_url=False))


def _fault(fault: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    field = fault["loc"][-1] if fault["loc"] else "document"
    if fault["type"] == "missing":
        return f"'{field}' is missing{_WANTED.get(field, '')}"
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    if fault["type"] == "string_pattern_mismatch":
        example = "port/zone, such as 'nampo/coal-berths'" if field == "zone" else "such as 'nampo'"
        return f"{field} {fault['input']!r} must be lower-case words: {example}"
    return f"{field} {reprlib.repr(fault['input'])}: {fault['msg']}"


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
