"""The OpenAPI 3.0 document of the OGC API, made from its collections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roadstead.apps.desk.ogc.query import DEFAULT_LIMIT, MOST_LIMIT, MOST_OFFSET, FeatureCollection
from roadstead.core.version import __version__

Json = dict[str, Any]
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
GEOJSON = "application/geo+json"
SCHEMA_JSON = "application/schema+json"
JSON = "application/json"
CONFORMS_TO = [
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
]
_NUMBERS: Json = {"type": "array", "items": {"type": "number"}, "minItems": 2}
_TEXT: Json = {"type": "string"}
_OBJECT: Json = {"type": "object"}


def document(collections: Mapping[str, FeatureCollection], server: str) -> Json:
    """Return the document.

    Args:
        collections: What is served.
        server: Address of the landing page.
    """
    paths: Json = {
        "/": _get("landing", "What is here", JSON, _ref("Landing")),
        "/conformance": _get("conformance", "What of the standard it keeps to", JSON, _ref("Conformance")),
        "/api": _get("api", "This document", OPENAPI, _OBJECT),
        "/collections": _get("collections", "All collections", JSON, _ref("Collections")),
    }
    for one in collections.values():
        paths |= _paths(one)
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Roadstead",
            "version": __version__,
            "description": "Read only. Every finding is a lead with a probability, never a verdict.",
            "license": {"name": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": server}],
        "paths": paths,
        "security": [{"password": []}, {"session": []}],
        "components": {
            "securitySchemes": {
                "password": {"type": "http", "scheme": "basic"},
                "session": {"type": "apiKey", "in": "cookie", "name": "roadstead_session"},
            },
            "schemas": _schemas(collections),
        },
    }


def _paths(one: FeatureCollection) -> Json:
    root = f"/collections/{one.id}"
    wanted = [_own("limit"), _own("offset"), _own("bbox"), _own("datetime")]
    wanted += [
        {"name": name, "in": "query", "schema": dict(schema), "description": f"Features of this {name}."}
        for name, schema in one.queryables.items()
    ]
    named = {"name": "featureId", "in": "path", "required": True, "schema": _TEXT}
    items = _get(f"{one.id}-items", f"{one.title}, a page of them", GEOJSON, _ref(f"{one.id}-page"), wanted)
    item = _get(f"{one.id}-item", "One of them", GEOJSON, _ref(f"{one.id}-feature"), [named])
    item["get"]["responses"]["404"] = _fault("There is none of this id.")
    return {
        root: _get(one.id, one.title, JSON, _ref("Collection")),
        f"{root}/items": items,
        f"{root}/items/{{featureId}}": item,
        f"{root}/schema": _get(f"{one.id}-schema", "JSON schema of a feature", SCHEMA_JSON, _OBJECT),
        f"{root}/queryables": _get(
            f"{one.id}-queryables", "What may be asked for by value", SCHEMA_JSON, _OBJECT
        ),
    }


def _own(name: str) -> Json:
    schemas: Mapping[str, Json] = {
        "limit": {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT, "default": DEFAULT_LIMIT},
        "offset": {"type": "integer", "minimum": 0, "maximum": MOST_OFFSET, "default": 0},
        "bbox": {
            "type": "array",
            "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
            "items": {"type": "number"},
        },
        "datetime": _TEXT,
    }
    words = {
        "limit": "Features on a page.",
        "offset": "Features left out before the first.",
        "bbox": "west,south,east,north in degrees of WGS84; held against the bounds of each feature.",
        "datetime": "A moment, or an interval START/END with '..' for an open end (RFC 3339).",
    }
    shape = {"style": "form", "explode": False} if name == "bbox" else {}
    return {"name": name, "in": "query", "description": words[name], "schema": schemas[name], **shape}


def _get(name: str, words: str, media: str, schema: Json, parameters: list[Json] | None = None) -> Json:
    return {
        "get": {
            "operationId": name,
            "summary": words,
            "parameters": parameters or [],
            "responses": {
                "200": {"description": words, "content": {media: {"schema": schema}}},
                "400": _fault("A parameter is unknown or cannot be read."),
                "401": _fault("Log in: HTTP Basic with name and password, or a session of the pages."),
                "429": _fault("Too many wrong passwords; wait."),
                "503": _fault("The store does not answer."),
            },
        }
    }


def _fault(words: str) -> Json:
    return {"description": words, "content": {JSON: {"schema": _ref("Fault")}}}


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _record(required: str, **properties: Json) -> Json:
    return {"type": "object", "required": required.split(), "properties": properties}


def _schemas(collections: Mapping[str, FeatureCollection]) -> Json:
    links = {"type": "array", "items": _ref("Link")}
    texts = {"type": "array", "items": _TEXT}
    made: Json = {
        "Link": _record("href rel", href=_TEXT, rel=_TEXT, type=_TEXT, title=_TEXT),
        "Fault": _record("code description", code=_TEXT, description=_TEXT),
        "Landing": _record("links title", links=links, title=_TEXT, description=_TEXT),
        "Conformance": _record("conformsTo", conformsTo=texts),
        "Collection": _record(
            "id links title", id=_TEXT, links=links, title=_TEXT, description=_TEXT, itemType=_TEXT,
            crs=texts, extent=_OBJECT,
        ),
        "Collections": _record(
            "links collections", links=links, collections={"type": "array", "items": _ref("Collection")}
        ),
    }  # fmt: skip
    for one in collections.values():
        made[f"{one.id}-feature"] = feature_schema(one)
        made[f"{one.id}-page"] = _record(
            "type features links timeStamp numberMatched numberReturned",
            type={"type": "string", "enum": ["FeatureCollection"]},
            features={"type": "array", "items": _ref(f"{one.id}-feature")},
            links=links,
            timeStamp={"type": "string", "format": "date-time"},
            numberMatched={"type": "integer", "minimum": 0},
            numberReturned={"type": "integer", "minimum": 0},
        )
    return made


def feature_schema(one: FeatureCollection) -> Json:
    """Return the schema of a feature as OpenAPI 3.0 has it."""
    geometry = _record("type coordinates", type={"type": "string"}, coordinates=_NUMBERS_OR_LISTS)
    if one.nullable_geometry:
        geometry["nullable"] = True
    properties = {
        "type": "object",
        "required": list(one.properties),
        "properties": {name: dict(schema) for name, schema in one.properties.items()},
        "additionalProperties": False,
    }
    return _record(
        "type id geometry properties",
        type={"type": "string", "enum": ["Feature"]},
        id=_TEXT,
        geometry=geometry,
        properties=properties,
        links={"type": "array", "items": _ref("Link")},
    )


_NUMBERS_OR_LISTS: Json = {"type": "array", "items": {}}


def queryables_schema(one: FeatureCollection, address: str) -> Json:
    """Return the JSON schema of what may be asked for by value."""
    return {**_head(one, address), "properties": _plain(one.queryables), "additionalProperties": False}


def plain_schema(one: FeatureCollection, address: str) -> Json:
    """Return the JSON schema of a feature, from which GDAL takes the types of columns that are null at first."""
    properties = {"type": "object", "properties": _plain(one.properties)}
    geometry = {"$ref": f"https://geojson.org/schema/{one.geometry}.json"}
    kind = {"type": "string", "enum": ["Feature"]}
    return {
        **_head(one, address),
        "properties": {"type": kind, "id": _TEXT, "geometry": geometry, "properties": properties},
    }


def _head(one: FeatureCollection, address: str) -> Json:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": address,
        "title": one.title,
        "description": one.description,
        "type": "object",
    }


def _plain(schemas: Mapping[str, Mapping[str, Any]]) -> Json:
    """Return schemas without what only OpenAPI 3.0 knows; of values that may be null, the other type."""
    return {
        name: {key: value for key, value in schema.items() if key != "nullable"}
        for name, schema in schemas.items()
    }
