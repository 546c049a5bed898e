"""Cutting a grid into overlapping tiles so that every hull lies whole in one of them."""

from __future__ import annotations

from collections.abc import Iterator

from roadstead.geo import Grid, Window

OVERLAP_PX = 64
"""Overlap of neighbouring tiles at 10 m: the longest hulls (400 m) and a margin."""


def tiles(grid: Grid, tile_px: int, overlap_px: int = OVERLAP_PX) -> Iterator[Window]:
    """Yield windows of at most ``tile_px`` that cover the grid, row by row.

    Neighbours share at least ``overlap_px``; a hull no longer than that lies whole in one window.

    Raises:
        ValueError: the overlap is not smaller than the tile.
    """
    if overlap_px >= tile_px:
        raise ValueError(f"overlap {overlap_px} px is not smaller than the tile of {tile_px} px")
    for row in _starts(grid.height, tile_px, overlap_px):
        for col in _starts(grid.width, tile_px, overlap_px):
            yield Window(col, row, min(tile_px, grid.width), min(tile_px, grid.height))


def _starts(length: int, tile_px: int, overlap_px: int) -> list[int]:
    last = max(length - tile_px, 0)
    return [*range(0, last, tile_px - overlap_px), last]
