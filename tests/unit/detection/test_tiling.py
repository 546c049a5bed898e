from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from roadstead.detection.tiling import LONGEST_HULL_PX, OVERLAP_PX, REACH_PX, Tile, chunks, spans, tile_rows
from tests import builders

SIDES = st.integers(1, 1500)
SIZES = st.sampled_from([128, 160, 320, 640])


def tiles_of(width: int, height: int, size: int) -> list[Tile]:
    return [tile for row in tile_rows(width, height, size) for tile in row]


@given(SIDES, SIDES, SIZES)
def test_every_pixel_lies_in_one_core_and_every_core_in_its_tile(width: int, height: int, size: int) -> None:
    answered = np.zeros((height, width), int)
    for tile in tiles_of(width, height, size):
        core = tile.core
        answered[core.slices] += 1
        assert core.width > 0 and core.height > 0
        assert tile.col <= core.col and core.col + core.width <= tile.col + size
        assert tile.row <= core.row and core.row + core.height <= tile.row + size
    assert (answered == 1).all()


@given(SIDES, SIZES)
def test_neighbours_overlap_by_more_than_the_longest_hull_and_tiles_stay_inside(
    length: int, size: int
) -> None:
    starts = [start for start, _, _ in spans(length, size)]
    assert all(a < b <= a + size - OVERLAP_PX for a, b in pairwise(starts))
    assert starts[0] == 0 and starts[-1] == max(length - size, 0)


@given(
    SIDES,
    SIDES,
    SIZES,
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0, np.pi),
    st.floats(0, LONGEST_HULL_PX - 6.0),
)
def test_every_hull_up_to_400_m_lies_wholly_inside_each_tile_that_reports_it(
    width: int, height: int, size: int, x: float, y: float, angle: float, length: float
) -> None:
    # 6 px of beam at right angles to the length: the box stays under the longest hull in every direction.
    along = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    across = np.array([-np.sin(angle), np.cos(angle)]) * 3.0
    centre = np.array([x * width, y * height])
    corners = np.array([centre + a * along + b * across for a in (-1, 1) for b in (-1, 1)])
    corners = np.clip(corners, 0, (width, height))
    reporting = [tile for tile in tiles_of(width, height, size) if tile.near_core(centre[None])[0]]
    assert reporting
    for tile in reporting:
        low = np.array([tile.col, tile.row])
        assert (corners >= low).all() and (corners <= low + size).all()


@given(SIDES, SIDES, SIZES, st.integers(64, 2000))
def test_chunks_hold_every_tile_once_and_read_inside_the_grid(
    width: int, height: int, size: int, block: int
) -> None:
    grid = builders.grid(width, height)
    made = chunks(grid, size, block)
    tiles = [tile for chunk in made for tile in chunk.tiles]
    assert sorted(map(repr, tiles)) == sorted(map(repr, tiles_of(width, height, size)))
    for chunk in made:
        window = chunk.window
        assert 0 <= window.col and window.col + window.width <= width
        assert 0 <= window.row and window.row + window.height <= height
        assert max(window.width, window.height) <= max(2 * size, block + 2 * size)
        for tile in chunk.tiles:
            assert tile.col >= window.col and tile.row >= window.row


def test_only_tiles_that_answer_for_zone_water_are_looked_at() -> None:
    grid = builders.grid(1000, 1000)
    left_top = grid.colrow_to_xy(np.array([[10.0, 10.0], [60.0, 60.0]]))
    zone = shapely.box(left_top[0, 0], left_top[1, 1], left_top[1, 0], left_top[0, 1])
    (chunk,) = chunks(grid, 320, 1024, zone)
    assert [(tile.col, tile.row) for tile in chunk.tiles] == [(0, 0)]
    assert (chunk.window.width, chunk.window.height) == (320, 320)


def test_a_zone_just_beyond_a_core_brings_both_neighbours() -> None:
    grid = builders.grid(576, 320)
    first, second = (tile for tile in tiles_of(576, 320, 320))
    border = first.core.col + first.core.width
    assert second.core.col == border
    for col, seen in ((border + REACH_PX - 2, 2), (border + REACH_PX + 2, 1)):
        at = grid.colrow_to_xy(np.array([[col, 100.0], [col + 1.0, 101.0]]))
        zone = shapely.box(at[0, 0], at[1, 1], at[1, 0], at[0, 1])
        assert sum(len(chunk.tiles) for chunk in chunks(grid, 320, 1024, zone)) == seen


def test_a_zone_outside_the_image_leaves_nothing_to_look_at() -> None:
    assert chunks(builders.grid(500, 500), 320, 1024, shapely.box(0, 0, 10, 10)) == []
