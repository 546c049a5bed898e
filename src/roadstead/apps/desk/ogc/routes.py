"""The addresses of the OGC API, and who may read them: a session of the pages, or HTTP Basic as QGIS speaks it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import JSONResponse, Response

from roadstead.apps.desk import access
from roadstead.apps.desk.access import MaybeVisitor, Site, TheSite, Visitor, address_of
from roadstead.apps.desk.login.password_check import LogIn
from roadstead.apps.desk.ogc.openapi import (
    CONFORMS_TO,
    GEOJSON,
    JSON,
    OPENAPI,
    SCHEMA_JSON,
    document,
    plain_schema,
    queryables_schema,
)
from roadstead.apps.desk.ogc.query import FeatureCollection, FeatureSource, Page, only, query_of
from roadstead.store.feature_pages import FeatureQuery

router = APIRouter(prefix="/ogc")
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
Link = dict[str, str]
REALM = 'Basic realm="Roadstead", charset="UTF-8"'


def _reader(request: Request, site: TheSite, visitor: MaybeVisitor) -> Visitor:
    """Return who reads: a session, this machine under --open, or a name and password of HTTP Basic."""
    given = request.headers.get("authorization", "")
    if not given and visitor is not None:
        return visitor
    name, password = _basic(given)
    return _known(request, site, name, password)


Reader = Annotated[Visitor, Depends(_reader)]


def _basic(header: str) -> tuple[str, str]:
    """Return name and password (RFC 7617)."""
    scheme, _, coded = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError(scheme)
        name, colon, password = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
        if not colon:
            raise ValueError(coded)
    except (ValueError, binascii.Error) as error:
        raise _refused("log in with name and password (HTTP Basic)") from error
    return name, password


def _known(request: Request, site: Site, name: str, password: str) -> Visitor:
    key = name.strip().lower()
    found = site.passwords.check(LogIn(key, password, address_of(request)), site.desk.clock())
    if found.wait_s:
        raise HTTPException(
            429, "too many wrong tries for this name or from this address", {"Retry-After": str(found.wait_s)}
        )
    if not found.right:
        raise _refused("name or password is wrong")
    return Visitor(key, "viewer")


def _refused(words: str) -> HTTPException:
    return HTTPException(401, words, {"WWW-Authenticate": REALM})


def _source(site: TheSite) -> FeatureSource:
    if site.desk.features is None:
        raise HTTPException(404, "this desk serves no features")
    return site.desk.features


Source = Annotated[FeatureSource, Depends(_source)]


def _collection(source: Source, collection: str) -> FeatureCollection:
    if collection not in source.collections:
        raise HTTPException(404, f"there is no collection {collection}: {', '.join(source.collections)}")
    return source.collections[collection]


Asked = Annotated[FeatureCollection, Depends(_collection)]


def root_of(request: Request, site: Site) -> str:
    """Return the address of the landing page."""
    return f"{access.root_of(request, site)}/ogc"


@router.get("")
@router.get("/")
def landing(request: Request, site: TheSite, reader: Reader, source: Source) -> Response:
    """Say what is here."""
    only(request.query_params.multi_items(), ())
    root = root_of(request, site)
    links = [
        _link(f"{root}/", "self", JSON, "This page"),
        _link(f"{root}/api", "service-desc", OPENAPI, "The API as an OpenAPI document"),
        _link(f"{root}/conformance", "conformance", JSON, "What of the standard it keeps to"),
        _link(f"{root}/collections", "data", JSON, "The collections"),
    ]
    words = "What was seen and declared at the ports. Read only. Every finding is a lead, never a verdict."
    return _json({"title": "Roadstead", "description": words, "links": links})


@router.get("/conformance")
def conformance(request: Request, reader: Reader) -> Response:
    """Name the parts of the standard."""
    only(request.query_params.multi_items(), ())
    return _json({"conformsTo": CONFORMS_TO})


@router.get("/api")
def api(request: Request, site: TheSite, reader: Reader, source: Source) -> Response:
    """Return the OpenAPI document."""
    only(request.query_params.multi_items(), ())
    return _json(document(source.collections, root_of(request, site)), OPENAPI)


@router.get("/collections")
def collections(request: Request, site: TheSite, reader: Reader, source: Source) -> Response:
    """List the collections."""
    only(request.query_params.multi_items(), ())
    root = root_of(request, site)
    listed = [_told(root, one, source) for one in source.collections.values()]
    links = [_link(f"{root}/collections", "self", JSON, "This page")]
    return _json({"links": links, "collections": listed})


@router.get("/collections/{collection}")
def collection(request: Request, site: TheSite, reader: Reader, source: Source, one: Asked) -> Response:
    """Tell of a collection."""
    only(request.query_params.multi_items(), ())
    return _json(_told(root_of(request, site), one, source))


@router.get("/collections/{collection}/schema")
def schema(request: Request, site: TheSite, reader: Reader, one: Asked) -> Response:
    """Return the JSON schema of its features."""
    only(request.query_params.multi_items(), ())
    address = f"{root_of(request, site)}/collections/{one.id}/schema"
    return _json(plain_schema(one, address), SCHEMA_JSON)


@router.get("/collections/{collection}/queryables")
def queryables(request: Request, site: TheSite, reader: Reader, one: Asked) -> Response:
    """Return the properties that may be asked for."""
    only(request.query_params.multi_items(), ())
    address = f"{root_of(request, site)}/collections/{one.id}/queryables"
    return _json(queryables_schema(one, address), SCHEMA_JSON)


@router.get("/collections/{collection}/items")
def items(request: Request, site: TheSite, reader: Reader, source: Source, one: Asked) -> Response:
    """Return a page of features."""
    query = query_of(one, request.query_params.multi_items())
    page = source.page(one.id, query)
    root = root_of(request, site)
    links = _page_links(f"{root}/collections/{one.id}", request, query, page)
    body = {
        "type": "FeatureCollection",
        "features": page.features,
        "links": links,
        "timeStamp": site.desk.clock().isoformat(timespec="seconds").replace("+00:00", "Z"),
        "numberMatched": page.matched,
        "numberReturned": len(page.features),
    }
    return _json(body, GEOJSON)


@router.get("/collections/{collection}/items/{feature:path}")
def item(
    request: Request, site: TheSite, reader: Reader, source: Source, one: Asked, feature: str
) -> Response:
    """Return one feature."""
    only(request.query_params.multi_items(), ())
    found = source.one(one.id, feature) if "\0" not in feature else None
    if found is None:
        raise HTTPException(404, f"{one.id} hold nothing of the id {feature}")
    root = f"{root_of(request, site)}/collections/{one.id}"
    links = [
        _link(f"{root}/items/{quote(feature, safe=':')}", "self", GEOJSON, "This feature"),
        _link(root, "collection", JSON, one.title),
    ]
    return _json({**found, "links": links}, GEOJSON)


def _told(root: str, one: FeatureCollection, source: FeatureSource) -> dict[str, Any]:
    own = f"{root}/collections/{one.id}"
    return {
        "id": one.id,
        "title": one.title,
        "description": one.description,
        "itemType": "feature",
        "crs": [CRS84],
        "extent": _extent(source, one.id),
        "links": [
            _link(own, "self", JSON, one.title),
            _link(f"{own}/items", "items", GEOJSON, one.title),
            _link(f"{own}/schema", "describedby", SCHEMA_JSON, "JSON schema"),
            _link(
                f"{own}/queryables", "http://www.opengis.net/def/rel/ogc/1.0/queryables", SCHEMA_JSON, "Queryables"
            ),
        ],
    }  # fmt: skip


def _extent(source: FeatureSource, name: str) -> Mapping[str, Any]:
    bounds, first, last = source.extent(name)
    told: dict[str, Any] = {"spatial": {"bbox": [list(bounds)], "crs": CRS84}} if bounds else {}
    if first is not None and last is not None:
        ends = [end.isoformat().replace("+00:00", "Z") for end in (first, last)]
        told["temporal"] = {
            "interval": [ends],
            "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
        }
    return told


def _page_links(own: str, request: Request, query: FeatureQuery, page: Page) -> list[Link]:
    given = [pair for pair in request.query_params.multi_items() if pair[0] not in ("offset", "limit")]

    def at(wanted: FeatureQuery) -> str:
        told = [*given, ("limit", str(wanted.limit)), ("offset", str(wanted.offset))]
        return f"{own}/items?{urlencode(told)}"

    links = [_link(at(query), "self", GEOJSON, "This page"), _link(own, "collection", JSON, "The collection")]
    following = query.offset + query.limit
    if following < page.matched:
        links.append(_link(at(replace(query, offset=following)), "next", GEOJSON, "The next page"))
    if query.offset:
        before = replace(query, offset=max(0, query.offset - query.limit))
        links.append(_link(at(before), "prev", GEOJSON, "The page before"))
    return links


def _link(href: str, rel: str, media: str, title: str) -> Link:
    return {"href": href, "rel": rel, "type": media, "title": title}


def _json(body: Mapping[str, Any], media: str = JSON) -> Response:
    return JSONResponse(body, media_type=media)
