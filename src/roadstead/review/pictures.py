"""Where things lie on the stored pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image

from roadstead.aoi import Port
from roadstead.geo import lonlat_to_xy, utm_crs

Bounds = tuple[float, float, float, float]
PIXEL_M = 10.0
MAP_WIDTH = 1000


@dataclass(frozen=True)
class ChipView:
    """A cut-out and the outlines on it, in its pixels."""

    width: int
    height: int
    hull: str
    """Corners as SVG points."""
    others: tuple[str, ...]
    """Other hulls of the overpass that reach into it."""
    exact: bool
    """Whether the port's pixel grid is known; else outlines may be half a pixel off."""


def chip_view(
    chip: bytes, row: Mapping[str, Any], others: Sequence[Mapping[str, Any]], port: Port | None
) -> ChipView:
    """Return the outlines of a hull and of those beside it on its cut-out, as `Mosaic.chip` cuts it."""
    with Image.open(BytesIO(chip)) as opened:
        width, height = opened.size
    place = np.array([[row["hull_lon"], row["hull_lat"]]])
    if port is not None:
        grid = port.grid(PIXEL_M)
        col, line = np.floor(grid.xy_to_colrow(lonlat_to_xy(place, grid.crs))[0])
        side = _side(width, height)
        left, top = max(col - side // 2, 0), max(line - side // 2, 0)

        def pixels(lonlat: Any) -> Any:  # noqa: ANN401 - arrays (n, 2)
            return grid.xy_to_colrow(lonlat_to_xy(lonlat, grid.crs)) - [left, top]

    else:
        crs = utm_crs(*place[0])
        centre = lonlat_to_xy(place, crs)[0]

        def pixels(lonlat: Any) -> Any:  # noqa: ANN401 - arrays (n, 2)
            away = (lonlat_to_xy(lonlat, crs) - centre) / [PIXEL_M, -PIXEL_M]
            return away + np.array([width / 2 + 0.5, height / 2 + 0.5])

    def outline(geometry: Any) -> Any:  # noqa: ANN401 - a shapely geometry
        return shapely.transform(geometry, pixels)

    frame = shapely.box(0, 0, width, height)
    beside = [outline(o["hull_geometry"]) for o in others if o["hull_geometry"] is not None]
    return ChipView(
        width,
        height,
        _points(outline(row["hull_geometry"])),
        tuple(_points(shape) for shape in beside if shape.intersects(frame)),
        port is not None,
    )


def _side(width: int, height: int) -> int:
    """Return the side it was cut with: at the grid's edge one of the two is shorter."""
    return max(width, height)


def _points(polygon: Any) -> str:  # noqa: ANN401 - a shapely polygon
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in list(polygon.exterior.coords)[:-1])


@dataclass(frozen=True)
class MapView:
    """A picture of an overpass, true to shape at its middle latitude."""

    bounds: Bounds
    width: int
    height: int

    def xy(self, lon: float, lat: float) -> tuple[float, float]:
        """Return a place in units of the picture, rightwards and downwards."""
        west, south, east, north = self.bounds
        return (
            round((lon - west) / (east - west) * self.width, 1),
            round((north - lat) / (north - south) * self.height, 1),
        )

    def holds(self, lon: float, lat: float) -> bool:
        """Whether a place lies on it."""
        west, south, east, north = self.bounds
        return west <= lon <= east and south <= lat <= north


def map_view(bounds: Bounds) -> MapView:
    """Return the map of a quicklook."""
    west, south, east, north = bounds
    wide = (east - west) * math.cos(math.radians((south + north) / 2))
    return MapView(bounds, MAP_WIDTH, max(1, round(MAP_WIDTH * (north - south) / wide)))


def near(row: Mapping[str, Any], metres: float = 400.0) -> Bounds:
    """Return bounds that reach so far around a finding, in degrees."""
    lon, lat = row["geometry"].x, row["geometry"].y
    up = metres / 111_000.0
    across = up / max(0.05, math.cos(math.radians(lat)))
    return lon - across, lat - up, lon + across, lat + up


def unpacked_quicklook(image: bytes) -> NDArray[np.uint8]:
    """Return a stored picture as uint8 RGB [h, w, 3]."""
    with Image.open(BytesIO(image)) as opened:
        return np.asarray(opened.convert("RGB"))
