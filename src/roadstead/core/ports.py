"""Ports and their zones, read from a file and checked.

A port is one file of water polygons, GeoJSON or what `port_formats` reads; `aoi/README.md` tells the rules and where
our own two files come from. A file that breaks a rule raises `PortError` naming the feature and the fault.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import get_args

import numpy as np
import shapely
from affine import Affine
from shapely import MultiPolygon, STRtree
from shapely.geometry.base import BaseGeometry

from roadstead.core.errors import PortError, UnknownPortError
from roadstead.core.geo import PIXEL_M, WGS84, Array, Bounds, Grid, project, utm_crs
from roadstead.core.port_file import Confidence, Feature, Kind, parse_features, read_features, slug_of
from roadstead.core.port_formats import READ, SUFFIXES
from roadstead.core.settings import settings

MARGIN_M = 500.0
"""A port's grid reaches this far beyond its zones, so that hulls on a zone's edge are seen whole."""
LARGEST_SPAN_DEG = 6.0
"""A port wider or taller than a UTM zone is no longer mapped true to scale by one."""
OVERLAP_M2 = 1.0
"""Overlaps below this are rounding of a shared edge."""
_TIE_ORDER: tuple[Kind, ...] = ("berth", "lock", "anchorage", "fairway")
_UTM_LAT = (-80.0, 84.0)
_COASTS = resources.files("roadstead.core") / "coast"


@dataclass(frozen=True)
class Zone:
    """A part of a port's water."""

    id: str
    """Stable id ``port/zone``, e.g. ``nampo/coal-berths``."""
    kind: Kind
    polygon: MultiPolygon
    """Longitude/latitude, WGS84."""
    name: str | None = None
    source: str | None = None
    confidence: Confidence | None = None
    """How sure place and outline are; nothing is surveyed."""
    note: str | None = None


@dataclass(frozen=True)
class Port:
    """A place we watch: its zones, and the pixel frame all its scenes are read into."""

    slug: str
    zones: tuple[Zone, ...]

    @cached_property
    def footprint(self) -> BaseGeometry:
        """Union of the zones, longitude/latitude."""
        return shapely.union_all([zone.polygon for zone in self.zones])

    @cached_property
    def bounds(self) -> Bounds:
        """(west, south, east, north) of the zones in degrees."""
        west, south, east, north = self.footprint.bounds
        return west, south, east, north

    @cached_property
    def crs(self) -> str:
        """EPSG code of the UTM zone at the centre of `bounds`."""
        west, south, east, north = self.bounds
        return utm_crs((west + east) / 2, (south + north) / 2)

    @cached_property
    def _bounds_m(self) -> Array:
        """West, south, east and north of the zones in metres of `crs`."""
        return np.asarray(shapely.bounds(project(self.footprint, WGS84, self.crs)))

    def grid(self, pixel_m: float = PIXEL_M) -> Grid:
        """Return the port's pixel frame: all zones and `MARGIN_M`, edges on multiples of ``pixel_m``."""
        west, south, east, north = self._bounds_m
        left = math.floor((west - MARGIN_M) / pixel_m)
        right = math.ceil((east + MARGIN_M) / pixel_m)
        bottom = math.floor((south - MARGIN_M) / pixel_m)
        top = math.ceil((north + MARGIN_M) / pixel_m)
        transform = Affine(pixel_m, 0.0, left * pixel_m, 0.0, -pixel_m, top * pixel_m)
        return Grid(self.crs, transform, right - left, top - bottom)

    def zone_of(self, lonlat: Array) -> list[str | None]:
        """Return for each of (n, 2) longitude/latitude points the smallest zone that holds it, or None.

        Zones of one size: berth before lock before anchorage before fairway.
        """
        lon, lat = np.asarray(lonlat, dtype=float).reshape(-1, 2).T
        points = shapely.points(lon, lat)
        point, place = self._tree.query(points, predicate="intersects")
        best = np.full(len(lon), len(self.zones))
        np.minimum.at(best, point, place)
        ids = [*(zone.id for zone in self._smallest_first), None]
        return [ids[i] for i in best]

    def own_water(self, zone_id: str) -> BaseGeometry:
        """Return the part of a zone, longitude/latitude, whose points `zone_of` gives to it: without smaller zones."""
        place = next(i for i, zone in enumerate(self._smallest_first) if zone.id == zone_id)
        smaller = [zone.polygon for zone in self._smallest_first[:place]]
        return shapely.difference(self._smallest_first[place].polygon, shapely.union_all(smaller))

    def kind_of(self, lonlat: Array) -> list[Kind | None]:
        """Return for each of (n, 2) longitude/latitude points the kind of its zone (`zone_of`), or None."""
        kinds: dict[str | None, Kind] = {zone.id: zone.kind for zone in self.zones}
        return [kinds.get(zone) for zone in self.zone_of(lonlat)]

    @cached_property
    def _smallest_first(self) -> tuple[Zone, ...]:
        def key(zone: Zone) -> tuple[int, int, str]:
            area_m2 = round(float(shapely.area(project(zone.polygon, WGS84, self.crs))))
            return area_m2, _TIE_ORDER.index(zone.kind), zone.id

        return tuple(sorted(self.zones, key=key))

    @cached_property
    def _tree(self) -> STRtree:
        return STRtree([zone.polygon for zone in self._smallest_first])


def named_port(name: str, own_file: Path | None = None) -> Port:
    """Return the port ``name``: of the user's own file where given, else of ours.

    Raises:
        PortError: unknown, or the file breaks the rules or holds another port.
    """
    port = load_port(name) if own_file is None else read_port(own_file, slug_of(name))
    if own_file is not None and port.slug != name:
        raise PortError(f"{own_file}: holds port '{port.slug}', not '{name}'")
    return port


def known_ports(aoi_dir: Path | None = None) -> tuple[str, ...]:
    """Return the slugs of the port files in ``aoi_dir`` (default: those that ship with Roadstead)."""
    folder = aoi_dir or settings().aoi_dir
    return tuple(sorted(path.stem for path in folder.glob("*.geojson")))


def ports_by_slug(own_ports: Sequence[Port] = ()) -> Mapping[str, Port]:
    """Return the ports that ship and a user's own."""
    return {slug: named_port(slug) for slug in known_ports()} | {port.slug: port for port in own_ports}


def load_port(name_or_path: str | Path, aoi_dir: Path | None = None) -> Port:
    """Return a port by its slug or by the path of a user's own port file.

    Args:
        name_or_path: slug such as ``nampo``, or GeoJSON (WGS84) whose polygons are the port's zones.
        aoi_dir: where slugs are looked for; the ports that ship with Roadstead where None.

    Raises:
        UnknownPortError: no such port, and no such file.
        PortError: a file breaks a rule; names the feature and the fault.
    """
    if _is_path(name_or_path):
        return read_port(Path(name_or_path))
    name, folder = str(name_or_path), aoi_dir or settings().aoi_dir
    if name not in known_ports(folder):
        raise unknown_port(name, known_ports(folder), folder)
    port = read_port(folder / f"{name}.geojson")
    if port.slug != name:
        raise PortError(
            f"{folder / name}.geojson: holds port '{port.slug}'; name the file {port.slug}.geojson"
        )
    return port


def _is_path(name_or_path: str | Path) -> bool:
    if isinstance(name_or_path, Path):
        return True
    path = Path(name_or_path)
    return path.suffix.lower() in SUFFIXES or len(path.parts) > 1 or path.is_file()


def unknown_port(name: str, known: Sequence[str], folder: Path) -> UnknownPortError:
    """Return the error that names an unknown port, the closest that is known, and all that are.

    Args:
        name: as given.
        known: slugs of the ports that it could have been.
        folder: where port files lie.
    """
    if not known:
        return UnknownPortError(f"unknown port '{name}': there are no port files in {folder}")
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.4)
    hint = f"; did you mean '{close[0]}'?" if close else "."
    return UnknownPortError(
        f"unknown port '{name}'{hint} Known: {', '.join(known)}. "
        f"For a port of your own give the path of its file: {READ}"
    )


def read_port(path: Path, slug: str | None = None) -> Port:
    """Read and check one port file; one that names no port is of ``slug``, or of the port that the file is called.

    Raises:
        PortError: the file cannot be read or breaks a rule of ``aoi/README.md``.
    """
    try:
        return _port(read_features(path, slug or slug_of(path.stem)))
    except PortError as error:
        raise PortError(f"{path}: {error}") from error


def parse_port(document: object) -> Port:
    """Return the port in a GeoJSON document.

    Raises:
        PortError: naming the feature (0-based index and zone id) and the fault.
    """
    return _port(parse_features(document))


def _port(features: Sequence[Feature]) -> Port:
    port = Port(features[0].properties.port, tuple(_zone(feature) for feature in features))
    _check_extent(port)
    _check_overlaps(port)
    return port


def _zone(feature: Feature) -> Zone:
    given = feature.properties.model_dump(exclude={"port", "zone"})
    return Zone(id=feature.properties.zone, polygon=feature.geometry, **given)


def _check_extent(port: Port) -> None:
    west, south, east, north = port.bounds
    if east - west > 180.0:
        raise PortError(
            "zones reach across the antimeridian (180 degrees): put each side in a port file of its own"
        )
    if max(east - west, north - south) > LARGEST_SPAN_DEG:
        raise PortError(
            f"zones span {east - west:.1f} x {north - south:.1f} degrees, more than one UTM zone "
            f"({LARGEST_SPAN_DEG:.0f} degrees) holds: split the port"
        )
    if south < _UTM_LAT[0] or north > _UTM_LAT[1]:
        raise PortError("zones lie beyond 80 S to 84 N, where there are no UTM zones")


def _check_overlaps(port: Port) -> None:
    for kind in get_args(Kind):
        for one, other, area_m2 in overlaps(port, kind):
            first, second = (f"feature {port.zones.index(zone)} (zone '{zone.id}')" for zone in (one, other))
            raise PortError(
                f"{first} and {second} are both {kind} and overlap by {area_m2:.0f} m2; "
                "redraw one, so that a ship lies in one zone of a kind"
            )


def overlaps(port: Port, kind: Kind) -> Iterator[tuple[Zone, Zone, float]]:
    """Yield pairs of zones of one kind that overlap by more than `OVERLAP_M2`, with the area in m2.

    Edges are straight in longitude and latitude (RFC 7946), so the shared part is found there: projected, two
    edges on one parallel that end at different places are no longer one line.
    """
    zones = [zone for zone in port.zones if zone.kind == kind]
    shapes = np.array([zone.polygon for zone in zones], dtype=object)
    pairs = STRtree(shapes).query(shapes, predicate="intersects").T
    for a, b in pairs[pairs[:, 0] < pairs[:, 1]]:
        area_m2 = float(shapely.area(project(shapely.intersection(shapes[a], shapes[b]), WGS84, port.crs)))
        if area_m2 > OVERLAP_M2:
            yield zones[a], zones[b], area_m2


def coasts() -> tuple[str, ...]:
    """Return the slugs of the ports whose land outline ships with Roadstead."""
    return tuple(sorted(file.name.removesuffix(".geojson") for file in _COASTS.iterdir()))


@lru_cache(maxsize=4)
def coast(port_slug: str) -> MultiPolygon:
    """Return the land around a port (longitude/latitude, simplified GSHHG) for maps and simulation.

    It is no mask: GSHHG is old, up to hundreds of metres off along reclaimed quays, calls the Taedong above
    Nampo land and the West Sea Barrage water. A zone is water, whatever this outline says.

    Raises:
        PortError: no outline ships for this port (see `coasts`).
    """
    if port_slug not in coasts():
        raise PortError(
            f"no coast outline ships for port '{port_slug}'; there is one for {', '.join(coasts())}"
        )
    document = (_COASTS / f"{port_slug}.geojson").read_text(encoding="utf-8")
    land = shapely.get_geometry(shapely.from_geojson(document), 0)
    return MultiPolygon(shapely.get_parts(land).tolist())
