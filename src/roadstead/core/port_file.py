"""The port file: GeoJSON (RFC 7946, WGS84) of one port's zones, checked feature by feature.

What a file must hold is drawn here as a schema; what zones must be towards each other is checked in
`roadstead.core.ports`.
"""

from __future__ import annotations

import json
import reprlib
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import shapely
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pyproj import CRS
from pyproj.exceptions import CRSError
from shapely import MultiPolygon
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from roadstead.core.errors import PortError
from roadstead.core.geo import WGS84

Kind = Literal["berth", "anchorage", "fairway", "lock"]
Confidence = Literal["high", "medium", "low"]
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
        shape = shapely.force_2d(shapely.from_geojson(json.dumps(geometry)))
    except (ShapelyError, ValueError) as error:
        raise ValueError(f"geometry cannot be read: {error}") from error
    if shape.is_empty:
        raise ValueError("geometry is empty")
    _check_degrees(shape)
    if not shape.is_valid:
        raise ValueError(f"geometry is invalid: {shapely.is_valid_reason(shape)}")
    return MultiPolygon(shapely.get_parts(shape).tolist())


def _check_degrees(shape: BaseGeometry) -> None:
    lonlat = shapely.get_coordinates(shape)
    far = lonlat[~(np.abs(lonlat) <= (180.0, 90.0)).all(axis=1)]
    if len(far):
        raise ValueError(
            f"coordinate {far[0].tolist()} is not WGS84 longitude/latitude: reproject to EPSG:4326 "
            "(longitudes run -180 to 180)"
        )


class Feature(BaseModel):
    """One zone."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    type: Literal["Feature"]
    properties: Properties
    geometry: Annotated[MultiPolygon, BeforeValidator(_polygon)]


def _wgs84(member: dict[str, Any] | None) -> dict[str, Any] | None:
    """Accept the ``crs`` members that QGIS and older GDAL write although the coordinates are WGS84."""
    if member is None or _names_wgs84(member):
        return member
    raise ValueError(
        f"the 'crs' member is {json.dumps(member)}; GeoJSON (RFC 7946) is WGS84 longitude/latitude: "
        "reproject to EPSG:4326"
    )


def _names_wgs84(member: dict[str, Any]) -> bool:
    try:
        crs = CRS.from_user_input(member["properties"]["name"])
    except (CRSError, KeyError, TypeError):
        return False
    return crs.equals(CRS.from_user_input(WGS84), ignore_axis_order=True)


class _Collection(BaseModel):
    type: Literal["FeatureCollection"]
    features: Annotated[list[Any], Field(min_length=1)]
    crs: Annotated[dict[str, Any] | None, AfterValidator(_wgs84)] = None


def read_features(path: Path) -> list[Feature]:
    """Read and check the features of one port file.

    Raises:
        PortError: the file cannot be read or breaks a rule of ``aoi/README.md``.
    """
    try:
        return parse_features(json.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise PortError(f"cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise PortError("is not UTF-8 text; save it as GeoJSON in UTF-8") from error
    except json.JSONDecodeError as error:
        raise PortError(f"is not JSON: {error}") from error


def parse_features(document: object) -> list[Feature]:
    """Return the features of a GeoJSON document: one port, each zone id once.

    Raises:
        PortError: naming the feature (0-based index and zone id) and the fault.
    """
    try:
        collection = _Collection.model_validate(document)
    except ValidationError as error:
        raise PortError(f"is not a port file: {_faults(error)}") from error
    features: list[Feature] = []
    for index, raw in enumerate(collection.features):
        try:
            feature = Feature.model_validate(raw)
            _check_fits(feature, features)
        except ValidationError as error:
            raise PortError(f"{_label(index, raw)}: {_faults(error)}") from error
        except ValueError as error:
            raise PortError(f"{_label(index, raw)}: {error}") from error
        features.append(feature)
    return features


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
        return f"feature {index} (zone '{feature['properties']['zone']}')"
    except (KeyError, TypeError, IndexError):
        return f"feature {index}"


def _faults(error: ValidationError) -> str:
    return "; ".join(_fault(fault) for fault in error.errors(include_url=False))


def _fault(fault: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    field = fault["loc"][-1] if fault["loc"] else "document"
    if fault["type"] == "missing":
        return f"'{field}' is missing"
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    if fault["type"] == "string_pattern_mismatch":
        example = "port/zone, such as 'nampo/coal-berths'" if field == "zone" else "such as 'nampo'"
        return f"{field} {fault['input']!r} must be lower-case words: {example}"
    return f"{field} {reprlib.repr(fault['input'])}: {fault['msg']}"
