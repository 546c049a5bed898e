"""The map of everything over time: its page and what it fetches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import Annotated, Any

import shapely
from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import Response

from roadstead.apps.desk.access import Site, TheSite, Viewer
from roadstead.apps.desk.map_data import NO_HULL, MapData, MapFilter, map_filter
from roadstead.apps.desk.pages.tiles import PRIVATE, TheImagery, tile_place, unchanged
from roadstead.core.ports import Port, coast, coasts
from roadstead.core.version import __version__
from roadstead.core.wording import moment, zone_words
from roadstead.imagery.picture_styles import LOOK_WORDS, MASK_LOOKS

router = APIRouter()
MOST_REPORTS = 50_000
"""Of one overpass on the map; where there are more it says so."""
LEFT_OUT = ("unseen", "not_visible")
"""Statuses of declared vessels without a hull."""


def _data(request: Request) -> MapData:
    made: MapData = request.app.state.map_data
    return made


TheData = Annotated[MapData, Depends(_data)]


@router.get("/map")
def map_page(
    request: Request, site: TheSite, data: TheData, visitor: Viewer, finding: str = "", port: str = ""
) -> Response:
    """Show the map."""
    wanted = map_filter(request.query_params)
    points = data.points()
    place = _place(data, port, finding)
    if place and wanted.start is None and wanted.end is None:  # over the picture that it was found in
        wanted = replace(wanted, start=place.second, end=place.second)
    return site.page(
        request,
        "map.html.j2",
        visitor,
        simulated=any(one.simulated for one in points.passes),
        total=len(points),
        passes=len(points.passes),
        ports=sorted({one.port for one in points.passes}),
        wanted=wanted,
        place=place.lonlat if place else None,
        finding=finding if place else "",
        finding_port=place.port if place else "",
        missing=bool(finding) and place is None,
        bounds=_bounds(site, data, wanted),
        look_words=LOOK_WORDS,
        mask_looks=MASK_LOOKS,
        no_hull=NO_HULL,
        left_out=LEFT_OUT,
    )


@dataclass(frozen=True)
class _Place:
    """Where and when a finding lies."""

    lonlat: tuple[float, float]
    port: str
    second: int
    """Of its overpass, since 1970."""


def _place(data: MapData, port: str, finding: str) -> _Place | None:
    """Return where a finding lies; in the first port that has it where none is named."""
    if not finding:
        return None
    points = data.points()
    of = [points.passes[points.of[i]] for i, name in enumerate(points.findings) if name == finding]
    for own in of:
        if port in ("", own.port) and (found := data.atlas.place(own.port, finding)):
            return _Place((found[0], found[1]), own.port, int(own.acquired.timestamp()))
    return None


def _bounds(site: Site, data: MapData, wanted: MapFilter) -> tuple[float, float, float, float] | None:
    """Return what to show first: the port asked for, else all that there is."""
    ports = {one.port for one in data.points().passes}
    slug = wanted.port or (next(iter(ports)) if len(ports) == 1 else "")
    return _port_bounds(site, data, slug)


@router.get("/map/setup.json")
def setup(request: Request, site: TheSite, data: TheData, visitor: Viewer) -> Response:
    """Return overpasses in the order of their numbers in the tiles, and how classes and statuses are drawn."""
    points = data.points()
    etag = f'"{data.version()[:32]}-{__version__}"'
    if same := unchanged(request, etag):
        return same
    looks = site.desk.looks
    told = {
        "passes": [
            {
                "port": one.port,
                "id": one.overpass_id,
                "t": int(one.acquired.timestamp()),
                "when": moment(one.acquired),
                "seen": one.state == "processed",
            }
            for one in points.passes
        ],
        "ports": {slug: _port_bounds(site, data, slug) for slug in {one.port for one in points.passes}},
        "statuses": {
            name: {"label": look.label, "colour": look.colour, "marker": look.marker}
            for name, look in looks.statuses.items()
        },
        "classes": {
            name: {"label": look.label, "colour": look.colour} for name, look in looks.classes.items()
        },
    }
    return _json(told, etag)


def _port_bounds(site: Site, data: MapData, slug: str) -> tuple[float, float, float, float] | None:
    known = site.desk.ports.get(slug)
    return known.bounds if known else data.bounds(MapFilter(port=slug))


@router.get("/map/zones.json")
def zones(request: Request, site: TheSite, data: TheData, imagery: TheImagery, visitor: Viewer) -> Response:
    """Return zones, their names and land of the ports that the store holds: GeoJSON, with ``layer``."""
    ports = tuple(
        site.desk.ports[slug]
        for slug in sorted({one.port for one in data.points().passes})
        if slug in site.desk.ports
    )
    body = _zones(ports)
    etag = imagery.etag(body)
    return unchanged(request, etag) or Response(
        body, media_type="application/geo+json", headers={"ETag": etag, "Cache-Control": PRIVATE}
    )


@lru_cache(maxsize=4)
def _zones(ports: tuple[Port, ...]) -> str:
    land = [
        _feature(coast(port.slug), {"layer": "land", "port": port.slug})
        for port in ports
        if port.slug in coasts()
    ]
    own = [zone for port in ports for zone in port.zones]
    outlines = [_feature(zone.polygon, {"layer": "zone", "kind": zone.kind}) for zone in own]
    # A point of its own for each name: one taken from the polygon would show once in every tile that it reaches into.
    names = [
        _feature(
            zone.polygon.representative_point(),
            {"layer": "name", "name": zone_words(zone.id, {zone.id: zone.name})},
        )
        for zone in own
    ]
    return json.dumps({"type": "FeatureCollection", "features": [*land, *outlines, *names]})


def _feature(
    geometry: Any,  # noqa: ANN401 - a shapely geometry
    properties: Mapping[str, Any],
    degrees: float = 1e-5,
) -> dict[str, Any]:
    """Return a GeoJSON feature with its corners to so many degrees."""
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": json.loads(
            shapely.to_geojson(shapely.set_precision(geometry, degrees, mode="pointwise"))
        ),
    }


@router.get("/map/data/{z}/{x}/{y}.mvt")
def data_tile(
    request: Request, data: TheData, imagery: TheImagery, visitor: Viewer, z: str, x: str, y: str
) -> Response:
    """Serve findings as a vector tile; the filters are those of the page."""
    place, wanted = tile_place(z, x, y), map_filter(request.query_params)
    etag = imagery.etag(data.version(), __version__, repr((wanted, place)))
    return unchanged(request, etag) or Response(
        data.tile(wanted, *place),
        media_type="application/vnd.mapbox-vector-tile",
        headers={"ETag": etag, "Cache-Control": PRIVATE},
    )


@router.get("/map/counts.json")
def counts(request: Request, data: TheData, visitor: Viewer) -> Response:
    """Return how many findings the filters leave, by status, and how many there are."""
    of = data.counts(map_filter(request.query_params))
    return _json({"shown": sum(of.values()), "total": len(data.points()), "statuses": of})


@router.get("/map/overpass/{port}/{overpass_id}.json")
def overpass(imagery: TheImagery, visitor: Viewer, port: str, overpass_id: str) -> Response:
    """Return what lies over the picture of an overpass: GeoJSON with ``layer`` hull or track.

    A hull is its box as measured; a track joins the AIS reports of a vessel kept with the overpass in order of time.
    """
    atlas = imagery.atlas
    if atlas.stamp(port, overpass_id) is None:
        raise HTTPException(404)
    hulls = [
        _feature(box, {"layer": "hull", "f": name}, 1e-6) for name, box in atlas.hulls(port, overpass_id)
    ]
    rows = atlas.reports(port, overpass_id, MOST_REPORTS + 1)
    tracks = []
    for mmsi, own in groupby(rows[:MOST_REPORTS], key=lambda row: row[0]):
        places = [(round(lon, 6), round(lat, 6)) for _, lon, lat, _ in own]
        shape = {"type": "LineString", "coordinates": places if len(places) > 1 else places * 2}
        tracks.append({"type": "Feature", "properties": {"layer": "track", "mmsi": mmsi}, "geometry": shape})
    told = {"type": "FeatureCollection", "features": [*hulls, *tracks]}
    return _json(told | {"vessels": len(tracks), "cut_off": len(rows) > MOST_REPORTS})


@router.get("/map/card/{port}/{finding}")
def card(request: Request, site: TheSite, visitor: Viewer, port: str, finding: str) -> Response:
    """Say of a finding what fits on a small card."""
    row = site.desk.leads.one(port, finding)
    if row is None:
        raise HTTPException(404)
    return site.page(request, "map_card.html.j2", visitor, row=row, port=port, finding=finding)


def _json(told: Any, etag: str | None = None) -> Response:  # noqa: ANN401 - what JSON can hold
    headers = {"ETag": etag, "Cache-Control": PRIVATE} if etag else None
    return Response(json.dumps(told), media_type="application/json", headers=headers)
