"""Sentinel-2 tiles by geometry: MGRS 100 km squares, each imaged with a margin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry import Polygon, box

from roadstead.core.geo import Grid, Window, xy_to_lonlat

_SQUARE_M = 100_000.0
_TILE_M = 109_800.0
_SNAP_M = 60.0
"""Tile corners lie on multiples of the coarsest pixel."""
_SLIVER = 0.2
"""Share of the frame."""
_COLUMNS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_BANDS = "CDEFGHJKLMNPQRSTUVWX"


@dataclass(frozen=True)
class Tile:
    """The part of a frame that one Sentinel-2 tile holds."""

    id: str
    """E.g. ``51SXC``."""
    window: Window
    """Pixels of the frame."""
    grid: Grid


def tiles_over(frame: Grid) -> list[Tile]:
    """Return the tiles that hold a frame of 10 m pixels in a UTM zone, from west to east.

    Where tiles overlap, both hold the ground; a tile that holds only a sliver of the frame and nothing of
    its own is left out.
    """
    left, bottom, right, top = frame.bounds_xy
    eastings = range(int((left - _TILE_M) // _SQUARE_M), int(right // _SQUARE_M) + 1)
    northings = range(int(bottom // _SQUARE_M) - 1, int((top + _TILE_M) // _SQUARE_M) + 1)
    found = (_tile(frame, east, north) for north in reversed(northings) for east in eastings)
    tiles = [tile for tile in found if tile is not None]
    for tile in sorted(tiles, key=lambda t: t.window.width * t.window.height):
        others = shapely.union_all([_outline(other) for other in tiles if other is not tile])
        if _outline(tile).area < _SLIVER * frame.width * frame.height and others.covers(_outline(tile)):
            tiles.remove(tile)
    return sorted(tiles, key=lambda t: (t.window.col, t.window.row))


def _outline(tile: Tile) -> Polygon:
    w = tile.window
    return box(w.col, w.row, w.col + w.width, w.row + w.height)


def _tile(frame: Grid, east: int, north: int) -> Tile | None:
    pixel = frame.pixel_m
    left, _, _, top = frame.bounds_xy
    tile_left = math.floor(east * _SQUARE_M / _SNAP_M) * _SNAP_M
    tile_top = math.ceil((north + 1) * _SQUARE_M / _SNAP_M) * _SNAP_M
    first_col, first_row = round((tile_left - left) / pixel), round((top - tile_top) / pixel)
    size = round(_TILE_M / pixel)
    col, row = max(first_col, 0), max(first_row, 0)
    width = min(first_col + size, frame.width) - col
    height = min(first_row + size, frame.height) - row
    if width <= 0 or height <= 0 or not 1 <= east <= 8:
        return None
    window = Window(col, row, width, height)
    return Tile(_name(frame, east, north), window, frame.crop(window))


def _name(frame: Grid, east: int, north: int) -> str:
    """Name of a 100 km square (MGRS, NGA.STND.0037; letters repeat every three zones and 2,000 km)."""
    zone = int(frame.crs.rpartition(":")[2]) % 100
    left, bottom, right, top = frame.bounds_xy
    lat = float(xy_to_lonlat(np.array([[(left + right) / 2, (bottom + top) / 2]]), frame.crs)[0, 1])
    band = _BANDS[min(int((lat + 80.0) // 8.0), len(_BANDS) - 1)]
    shift = 0 if zone % 2 else 5
    return f"{zone:02d}{band}{_COLUMNS[zone % 3][east - 1]}{_ROWS[(north + shift) % len(_ROWS)]}"
