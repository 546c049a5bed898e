"""Pixels, map metres and longitude/latitude, with named axes.

A `Grid` is a north-up raster frame in a metric CRS (a UTM zone at 10 m for a port). Pixel coordinates
are (col, row) floats with (0, 0) at the upper-left corner of the upper-left pixel. Axis and course
angles are degrees clockwise from true north.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from pyproj import CRS, Geod, Proj, Transformer
from shapely import Geometry, transform
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

Array = NDArray[np.float64]
Shape = TypeVar("Shape", bound=Geometry)
Bounds = tuple[float, float, float, float]
"""(west, south, east, north), in degrees or in the units of a CRS."""
WGS84 = "EPSG:4326"
PIXEL_M = 10.0
"""Side of a pixel: Sentinel-2's sharpest bands, and the port grids that everything is searched on."""
NAUTICAL_MILE_M = 1852.0
KNOT = NAUTICAL_MILE_M / 3600.0
"""Metres a second."""
_GEOD = Geod(ellps="WGS84")


@dataclass(frozen=True)
class Window:
    """A block of a grid in whole pixels: ``col``/``row`` of its upper-left pixel, and its size."""

    col: int
    row: int
    width: int
    height: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """(rows, columns) for indexing an array of the whole grid."""
        return slice(self.row, self.row + self.height), slice(self.col, self.col + self.width)


@dataclass(frozen=True)
class Grid:
    """A north-up raster frame: metric CRS, affine pixel-to-map transform, size in pixels."""

    crs: str
    """CRS in metres, e.g. ``EPSG:32651``."""
    transform: Affine
    """(col, row) -> (x, y) in metres; no rotation."""
    width: int
    height: int

    def __post_init__(self) -> None:
        """Refuse degrees, rotation and empty frames."""
        if not _is_projected(self.crs):
            raise ValueError(f"grid CRS must be in metres, not {self.crs}")
        if self.transform.b or self.transform.d or self.transform.e >= 0 or self.transform.a <= 0:
            raise ValueError("grid must be north-up without rotation")
        if self.width < 1 or self.height < 1:
            raise ValueError(f"grid is empty: {self.width} x {self.height}")

    @property
    def pixel_m(self) -> float:
        """Pixel size in metres."""
        return float(self.transform.a)

    @property
    def window(self) -> Window:
        """The window that is the whole grid."""
        return Window(0, 0, self.width, self.height)

    @property
    def bounds_xy(self) -> Bounds:
        """(xmin, ymin, xmax, ymax) in metres of the CRS."""
        left, top = self.transform @ (0, 0)
        right, bottom = self.transform @ (self.width, self.height)
        return left, bottom, right, top

    @property
    def footprint_lonlat(self) -> Polygon:
        """Outline of the grid in longitude/latitude (edges densified)."""
        outline = box(*self.bounds_xy).segmentize(10_000.0)
        return _polygon(to_lonlat(outline, self.crs))

    def crop(self, window: Window) -> Grid:
        """Return the grid of one window of this grid."""
        moved = self.transform @ Affine.translation(window.col, window.row)
        return Grid(self.crs, moved, window.width, window.height)

    def square(self, col: int, row: int, side: int) -> Window:
        """Return the square around a pixel, cut off at the grid's edge; empty where it lies outside."""
        left, top = max(col - side // 2, 0), max(row - side // 2, 0)
        right, bottom = min(col + side // 2, self.width), min(row + side // 2, self.height)
        return Window(left, top, max(right - left, 0), max(bottom - top, 0))

    def colrow_to_xy(self, colrow: Array) -> Array:
        """Map (n, 2) pixel coordinates to (n, 2) metres."""
        a = self.transform
        return np.column_stack([a.c + a.a * colrow[:, 0], a.f + a.e * colrow[:, 1]])

    def xy_to_colrow(self, xy: Array) -> Array:
        """Map (n, 2) metres to (n, 2) pixel coordinates."""
        a = self.transform
        return np.column_stack([(xy[:, 0] - a.c) / a.a, (xy[:, 1] - a.f) / a.e])


def _polygon(geometry: BaseGeometry) -> Polygon:
    if not isinstance(geometry, Polygon):
        raise TypeError(f"expected a polygon, got {geometry.geom_type}")
    return geometry


@lru_cache(maxsize=64)
def _is_projected(crs: str) -> bool:
    """Whether a CRS is in metres; asked for every grid, and reading a CRS takes milliseconds."""
    return bool(CRS.from_user_input(crs).is_projected)


@lru_cache(maxsize=64)
def transformer(source: str, target: str) -> Transformer:
    """Return a cached x/y-ordered (lon/lat-ordered) transformer between two CRS."""
    return Transformer.from_crs(source, target, always_xy=True)


def project(geometry: Shape, source: str, target: str) -> Shape:
    """Return ``geometry`` brought from CRS ``source`` to CRS ``target`` (x/y axis order)."""
    moved = transformer(source, target)
    return transform(geometry, lambda xy: np.column_stack(moved.transform(xy[:, 0], xy[:, 1])))


def to_lonlat(geometry: Shape, crs: str) -> Shape:
    """Return ``geometry`` of a metric CRS in longitude/latitude (EPSG:4326)."""
    return project(geometry, crs, WGS84)


def xy_to_lonlat(xy: Array, crs: str) -> Array:
    """Map (n, 2) metres of ``crs`` to (n, 2) longitude/latitude in degrees."""
    return np.column_stack(transformer(crs, WGS84).transform(xy[:, 0], xy[:, 1]))


def lonlat_to_xy(lonlat: Array, crs: str) -> Array:
    """Map (n, 2) longitude/latitude in degrees to (n, 2) metres of ``crs``."""
    return np.column_stack(transformer(WGS84, crs).transform(lonlat[:, 0], lonlat[:, 1]))


def utm_crs(lon: float, lat: float) -> str:
    """Return the EPSG code of the standard 6-degree UTM zone that holds a point."""
    zone = min(int((lon + 180.0) // 6.0) + 1, 60)
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"


@lru_cache(maxsize=16)
def _proj(crs: str) -> Proj:
    return Proj(crs)


def convergence_deg(lon: float, lat: float, crs: str) -> float:
    """Return grid convergence in degrees: true bearing = grid bearing + convergence."""
    return float(_proj(crs).get_factors(lon, lat).meridian_convergence)


def axis_difference_deg(a: float, b: float) -> float:
    """Return the smallest angle in [0, 90] between two undirected axes."""
    d = abs(a - b) % 180.0
    return min(d, 180.0 - d)


def distance_m(lonlat_a: Array, lonlat_b: Array) -> Array:
    """Return geodesic distances in metres between (n, 2) longitude/latitude pairs."""
    return np.asarray(_GEOD.inv(lonlat_a[:, 0], lonlat_a[:, 1], lonlat_b[:, 0], lonlat_b[:, 1])[2])


def destination_lonlat(lonlat: Array, bearing_deg: Array, metres: Array) -> Array:
    """Return the (n, 2) points reached from ``lonlat`` along true bearings over distances."""
    lon, lat, _ = _GEOD.fwd(lonlat[:, 0], lonlat[:, 1], bearing_deg, metres)
    return np.column_stack([lon, lat])
