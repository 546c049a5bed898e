"""Where things lie on the stored pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image

from roadstead.core.geo import PIXEL_M, Array, Bounds, lonlat_to_xy, utm_crs, xy_to_lonlat
from roadstead.core.ports import Port
from roadstead.imagery import imaged_part

MAP_WIDTH = 1000


@dataclass(frozen=True)
class ChipFrame:
    """Where a cut-out lies: its pixels, metres of a UTM zone, and degrees."""

    width: int
    height: int
    crs: str
    corner: tuple[float, float]
    """(x, y) of its upper-left corner in metres."""
    exact: bool
    """Whether the port's pixel grid is known; else outlines may be half a pixel off."""

    def pixels(self, lonlat: Array) -> Array:
        """Map (n, 2) degrees to (n, 2) pixels, rightwards and downwards."""
        return np.asarray((lonlat_to_xy(lonlat, self.crs) - self.corner) / [PIXEL_M, -PIXEL_M])

    def lonlat(self, pixels: Array) -> Array:
        """Map (n, 2) pixels to (n, 2) degrees: the other way round."""
        return xy_to_lonlat(pixels * [PIXEL_M, -PIXEL_M] + self.corner, self.crs)

    def outline(self, geometry: Any) -> Any:  # noqa: ANN401 - a shapely geometry
        """Return a geometry in degrees in pixels."""
        return shapely.transform(geometry, self.pixels)


def chip_frame(chip: bytes, row: Mapping[str, Any], port: Port | None) -> ChipFrame:
    """Return where the cut-out of a hull lies, as `Mosaic.chip` cuts it.

    Args:
        chip: WebP.
        row: a finding with a hull (`store.Leads.one`).
        port: tells its grid; None where its zones are not known.
    """
    with Image.open(BytesIO(chip)) as opened:
        width, height = opened.size
    place = np.array([[row["hull_lon"], row["hull_lat"]]])
    if port is None:
        crs = utm_crs(*place[0])
        x, y = lonlat_to_xy(place, crs)[0]
        corner = (x - (width / 2 + 0.5) * PIXEL_M, y + (height / 2 + 0.5) * PIXEL_M)
        return ChipFrame(width, height, crs, corner, False)
    grid = port.grid(PIXEL_M)
    col, line = np.floor(grid.xy_to_colrow(lonlat_to_xy(place, grid.crs))[0])
    side = max(width, height)  # at the grid's edge one of the two is shorter
    first = np.array([[max(col - side // 2, 0), max(line - side // 2, 0)]])
    x, y = grid.colrow_to_xy(first)[0]
    return ChipFrame(width, height, grid.crs, (float(x), float(y)), True)


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
    drawn: str | None = None
    """Corners of the box that an analyst drew, as SVG points."""
    corners: tuple[tuple[float, float], ...] = ()
    """Of the box that stands, as found or as drawn."""


def chip_view(
    frame: ChipFrame,
    row: Mapping[str, Any],
    others: Sequence[Mapping[str, Any]],
    drawn: Sequence[Sequence[float]] | None = None,
) -> ChipView:
    """Return the outlines of a hull, of those beside it, and of the box (lon, lat) drawn anew, on its cut-out."""
    whole = shapely.box(0, 0, frame.width, frame.height)
    beside = [frame.outline(o["hull_geometry"]) for o in others if o["hull_geometry"] is not None]
    own = frame.outline(row["hull_geometry"])
    anew = frame.outline(shapely.Polygon(drawn)) if drawn else None
    return ChipView(
        frame.width,
        frame.height,
        _points(own),
        tuple(_points(shape) for shape in beside if shape.intersects(whole)),
        frame.exact,
        _points(anew) if anew is not None else None,
        tuple((float(x), float(y)) for x, y in (anew or own).exterior.coords[:-1]),
    )


def _points(polygon: Any) -> str:  # noqa: ANN401 - a shapely polygon
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in list(polygon.exterior.coords)[:-1])


@dataclass(frozen=True)
class MapView:
    """A picture of an overpass, true to shape at its middle latitude."""

    bounds: Bounds
    width: int
    height: int
    part: Bounds
    """What of it to show: (left, top, right, bottom) in its units."""

    @property
    def view_box(self) -> str:
        """The part to show, as SVG says it."""
        left, top, right, bottom = self.part
        return f"{left:g} {top:g} {right - left:g} {bottom - top:g}"

    @property
    def scale(self) -> float:
        """How large a mark is drawn, so that it looks the same on any part."""
        return round((self.part[2] - self.part[0]) / self.width, 3)

    def showing(self, places: Iterable[tuple[float, float]]) -> MapView:
        """Return it with these places (lon, lat) in the part shown too, as far as they lie on it."""
        at = [self.xy(*place) for place in places if self.holds(*place)]
        left, top, right, bottom = self.part
        xs, ys = [x for x, _ in at], [y for _, y in at]
        part = (min([*xs, left]), min([*ys, top]), max([*xs, right]), max([*ys, bottom]))
        return replace(self, part=part)

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


def map_view(image: bytes, bounds: Bounds) -> MapView:
    """Return the map of a stored picture, showing what of it was imaged."""
    shown = unpacked_quicklook(image)
    left, top, right, bottom = imaged_part(shown)
    tall, across = shown.shape[:2]
    west, south, east, north = bounds
    wide = (east - west) * math.cos(math.radians((south + north) / 2))
    height = max(1, round(MAP_WIDTH * (north - south) / wide))
    x, y = MAP_WIDTH / across, height / tall
    part = (round(left * x, 1), round(top * y, 1), round(right * x, 1), round(bottom * y, 1))
    return MapView(bounds, MAP_WIDTH, height, part)


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
