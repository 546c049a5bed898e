"""The ground of a simulated port in map metres: land, zones, and the quays that ships lie along.

The hand-drawn zones are the authority for water: what the coast outline calls land inside a zone is cut
away. Every berth zone gets a quay along the edges that face land; where the land is further off, a jetty
with trestles stands there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from shapely import Geometry
from shapely.coords import CoordinateSequence
from shapely.geometry import LineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from roadstead.core.geo import PIXEL_M, Grid
from roadstead_lab.simulate.texture import FloatArray, enlarged

QUAY_DEPTH_M = 45.0
"""Width of the apron drawn along a berth zone's landward edge."""
_SHORTEST_QUAY_M = 110.0
_SAME_SHORE_M = 120.0
_JETTY_FROM_M = 60.0
_SUPERSAMPLE = 2

Vector = tuple[float, float]


@dataclass(frozen=True)
class Area:
    """One zone of the port in map metres."""

    id: str
    kind: str
    polygon: BaseGeometry


@dataclass(frozen=True)
class Quay:
    """A straight edge of a berth zone that ships lie along."""

    zone: str
    start: Vector
    along: Vector
    """Unit vector from `start` along the quay."""
    seaward: Vector
    """Unit vector off the quay into the berth zone."""
    length_m: float

    def place(self, along_m: float, off_m: float) -> Vector:
        """Return the map point this far along the quay and off its edge."""
        (x, y), (ax, ay), (sx, sy) = self.start, self.along, self.seaward
        return x + ax * along_m + sx * off_m, y + ay * along_m + sy * off_m

    @property
    def edge(self) -> LineString:
        """The quay's edge."""
        return LineString([self.start, self.place(self.length_m, 0.0)])


@dataclass(frozen=True)
class Ground:
    """Land, zones and quays inside one frame of 10 m pixels."""

    grid: Grid
    land: BaseGeometry
    """Land, quays and jetties, map metres."""
    areas: tuple[Area, ...]
    quays: tuple[Quay, ...]

    @cached_property
    def land_share(self) -> FloatArray:
        """[H, W] share of each 10 m pixel that is land."""
        return rasterized_share(self.land, self.grid)

    @cached_property
    def shore_distance_m(self) -> FloatArray:
        """[H, W] metres to the nearest land, positive on water and negative on land, smooth."""
        step = 4
        coarse = self.land_share[::step, ::step] > 0.5
        to_land = ndimage.distance_transform_edt(~coarse)
        to_water = ndimage.distance_transform_edt(coarse)
        distance = ((to_land - to_water) * step * PIXEL_M).astype(np.float32)
        return enlarged(distance, self.land_share.shape)

    def is_water(self, shape: Geometry) -> bool:
        """Tell whether a shape lies on water, inside the frame."""
        return bool(self._frame.contains(shape) and not self._land.intersects(shape))

    def area(self, zone: str) -> Area:
        """Return the zone of this id; KeyError where the ground has none."""
        return {area.id: area for area in self.areas}[zone]

    @cached_property
    def _frame(self) -> Polygon:
        return box(*self.grid.bounds_xy)

    @cached_property
    def _land(self) -> BaseGeometry:
        shapely.prepare(self.land)
        return self.land


def build_ground(
    crs: str, bounds_xy: tuple[float, float, float, float], land: BaseGeometry, areas: Sequence[Area]
) -> Ground:
    """Build the ground of a frame.

    Args:
        crs: Metric CRS.
        bounds_xy: (xmin, ymin, xmax, ymax) of the frame, metres; snapped outwards to 10 m.
        land: Land as the coast outline has it, metres; may reach beyond the frame.
        areas: Zones of the port; those outside the frame are left out, the others cut at its edge.
    """
    grid = frame(crs, bounds_xy)
    edge = box(*grid.bounds_xy)
    inside = tuple(Area(a.id, a.kind, cut) for a in areas if not (cut := a.polygon & edge).is_empty)
    water = shapely.union_all([a.polygon for a in inside])
    bare = shapely.make_valid(land & edge) - water
    quays = tuple(q for a in inside if a.kind == "berth" for q in quays_of(a, bare))
    built = [structure - water for q in quays for structure in _structures(q, bare)]
    return Ground(grid, shapely.union_all([bare, *built]) & edge, inside, quays)


def frame(crs: str, bounds_xy: tuple[float, float, float, float]) -> Grid:
    """Return the 10 m grid that covers the bounds, its edges on multiples of 20 m (the SCL pixel)."""
    step = 2 * PIXEL_M
    left, bottom = (math.floor(v / step) * step for v in bounds_xy[:2])
    right, top = (math.ceil(v / step) * step for v in bounds_xy[2:])
    size = round((right - left) / PIXEL_M), round((top - bottom) / PIXEL_M)
    return Grid(crs, Affine(PIXEL_M, 0.0, left, 0.0, -PIXEL_M, top), *size)


def quays_of(area: Area, land: BaseGeometry) -> list[Quay]:
    """Return the quays of a berth zone: its long edges that face the nearest land, in drawing order."""
    edges = [quay for part in _polygons(area.polygon) for quay in _edges(area.id, part)]
    if not edges or land.is_empty:
        return []
    gaps = [_gap_m(quay, land) for quay in edges]
    reach = min(gaps) + _SAME_SHORE_M
    return [quay for quay, gap in zip(edges, gaps, strict=True) if gap <= reach]


def _polygons(shape: BaseGeometry) -> list[Polygon]:
    parts = shapely.get_parts(shape)
    return [part for part in parts if isinstance(part, Polygon) and not part.is_empty]


def _edges(zone: str, polygon: Polygon) -> list[Quay]:
    ring = shapely.get_coordinates(polygon.exterior.simplify(15.0))
    found = (_edge(zone, polygon, ring[i], ring[i + 1]) for i in range(len(ring) - 1))
    return [quay for quay in found if quay.length_m >= _SHORTEST_QUAY_M]


def _edge(zone: str, polygon: Polygon, a: NDArray[np.float64], b: NDArray[np.float64]) -> Quay:
    length = float(np.hypot(*(b - a)))
    along = (float(b[0] - a[0]) / length, float(b[1] - a[1]) / length)
    left = (-along[1], along[0])
    middle = Point((a + b) / 2 + 30.0 * np.array(left))
    seaward = left if polygon.covers(middle) else (along[1], -along[0])
    return Quay(zone, (float(a[0]), float(a[1])), along, seaward, length)


def _gap_m(quay: Quay, land: BaseGeometry) -> float:
    """Mean distance from the quay's edge to land, so that an edge that touches it at one end is no quay."""
    shares = (0.1, 0.3, 0.5, 0.7, 0.9)
    places = [Point(quay.place(share * quay.length_m, -5.0)) for share in shares]
    return float(np.mean([land.distance(place) for place in places]))


def _structures(quay: Quay, land: BaseGeometry) -> list[BaseGeometry]:
    """The apron behind a quay's edge and, where land is further off, trestles to it."""
    corners = [quay.place(0, 0), quay.place(quay.length_m, 0)]
    apron = Polygon([*corners, quay.place(quay.length_m, -QUAY_DEPTH_M), quay.place(0, -QUAY_DEPTH_M)])
    if _gap_m(quay, land) <= _JETTY_FROM_M:
        return [apron]
    feet = [Point(quay.place(share * quay.length_m, -QUAY_DEPTH_M)) for share in (0.2, 0.8)]
    return [apron, *(LineString(nearest_points(foot, land)).buffer(7.0) for foot in feet)]


def rasterized_share(shape: BaseGeometry, grid: Grid) -> FloatArray:
    """Return [H, W] the share of each pixel that polygons cover, in quarters.

    Polygons are drawn from the largest to the smallest, so that an island in a bay's hole survives.
    """
    zoom = _SUPERSAMPLE
    canvas = Image.new("L", (grid.width * zoom, grid.height * zoom), 0)
    pen = ImageDraw.Draw(canvas)
    for polygon in sorted(_polygons(shape), key=lambda p: -Polygon(p.exterior).area):
        pen.polygon(_pixels(polygon.exterior.coords, grid, zoom), fill=1)
        for hole in polygon.interiors:
            pen.polygon(_pixels(hole.coords, grid, zoom), fill=0)
    fine = np.asarray(canvas, np.uint8).reshape(grid.height, zoom, grid.width, zoom)
    return np.asarray(fine.sum(axis=(1, 3), dtype=np.uint8) / np.float32(zoom * zoom), np.float32)


def _pixels(coords: CoordinateSequence, grid: Grid, zoom: int) -> list[Vector]:
    colrow = grid.xy_to_colrow(np.asarray(coords, float)[:, :2]) * zoom - 0.5
    return [(float(col), float(row)) for col, row in colrow]
