"""Tiles of a grid: overlapping windows the network looks at, and the core that each one answers for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from roadstead.core.geo import Array, Grid, Window

LONGEST_HULL_PX = 40
"""400 m: the longest ships afloat, at 10 m."""
REACH_PX = 8
"""A tile also reports hulls centred this far beyond its core: two tiles may differ by a pixel on a centre, and
whichever core it falls in must not matter."""
OVERLAP_PX = 64
"""Of neighbouring tiles, at least. A hull of 400 m centred in a tile's core or `REACH_PX` beyond lies wholly inside
the tile with 4 pixels to spare: 64 / 2 - 8 - 40 / 2."""


@dataclass(frozen=True)
class Tile:
    """One square the network looks at, in pixels of the grid."""

    col: int
    row: int
    size: int
    """Side; a tile of a grid smaller than that reaches beyond it."""
    core: Window
    """The part it answers for; the cores of all tiles cover the grid once."""

    def near_core(self, colrow: Array) -> NDArray[np.bool_]:
        """Return which of (n, 2) points lie in the core or up to `REACH_PX` beyond."""
        low = np.array([self.core.col, self.core.row])
        high = low + np.array([self.core.width, self.core.height])
        return np.asarray(((colrow >= low - REACH_PX) & (colrow < high + REACH_PX)).all(axis=1))


@dataclass(frozen=True)
class Chunk:
    """Neighbouring tiles whose pixels are read at once."""

    window: Window
    """All of them, inside the grid."""
    tiles: tuple[Tile, ...]


def spans(length: int, size: int, overlap: int = OVERLAP_PX) -> list[tuple[int, int, int]]:
    """Return (start, core start, core end) of the evenly spaced tiles along one side of a grid."""
    count = 1 if length <= size else -(-(length - overlap) // (size - overlap))
    starts = np.round(np.linspace(0, max(length - size, 0), count)).astype(int)
    borders = [0, *((starts[1:] + starts[:-1] + size) // 2), length]
    return [(int(s), int(a), int(b)) for s, a, b in zip(starts, borders[:-1], borders[1:], strict=True)]


def tile_rows(width: int, height: int, size: int) -> list[list[Tile]]:
    """Return the tiles of a grid, row by row.

    Raises:
        ValueError: tiles too small to overlap.
    """
    if size <= OVERLAP_PX:
        raise ValueError(f"tiles of {size} pixels cannot overlap by {OVERLAP_PX}")
    columns = spans(width, size)
    return [
        [Tile(col, row, size, Window(left, top, right - left, bottom - top)) for col, left, right in columns]
        for row, top, bottom in spans(height, size)
    ]


def chunks(grid: Grid, size: int, block_px: int, zones: BaseGeometry | None = None) -> list[Chunk]:
    """Return the tiles to look at, grouped into squares of about ``block_px`` pixels.

    Args:
        grid: the frame.
        size: side of a tile, pixels.
        block_px: side of a block that is cheap to read.
        zones: tiles whose core (and `REACH_PX` around it) touches none of this are left out; map metres of the
            grid's CRS. None for all tiles.
    """
    side = max(1, round(block_px / (size - OVERLAP_PX)))
    rows = tile_rows(grid.width, grid.height, size)
    placed = [((i // side, j // side), tile) for i, row in enumerate(rows) for j, tile in enumerate(row)]
    if zones is not None:
        touched = shapely.intersects(zones, _core_boxes(grid, [tile for _, tile in placed]))
        placed = [one for one, touches in zip(placed, touched, strict=True) if touches]
    groups = groupby(sorted(placed, key=lambda one: one[0]), key=lambda one: one[0])
    return [_chunk(grid, [tile for _, tile in members]) for _, members in groups]


def _core_boxes(grid: Grid, tiles: Sequence[Tile]) -> NDArray[np.object_]:
    cores = np.array([[t.core.col, t.core.row, t.core.width, t.core.height] for t in tiles], float)
    left_top = grid.colrow_to_xy(cores[:, :2] - REACH_PX)
    right_bottom = grid.colrow_to_xy(cores[:, :2] + cores[:, 2:] + REACH_PX)
    return np.asarray(shapely.box(left_top[:, 0], right_bottom[:, 1], right_bottom[:, 0], left_top[:, 1]))


def _chunk(grid: Grid, tiles: Sequence[Tile]) -> Chunk:
    col, row = min(tile.col for tile in tiles), min(tile.row for tile in tiles)
    right = min(max(tile.col + tile.size for tile in tiles), grid.width)
    bottom = min(max(tile.row + tile.size for tile in tiles), grid.height)
    return Chunk(Window(col, row, right - col, bottom - row), tuple(tiles))
