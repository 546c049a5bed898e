from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from roadstead.core.geo import Window
from roadstead.detection import Model, detect, detect_mosaic
from roadstead.detection.runtime import Real
from roadstead.detection.tiling import CELL_PX, MARGIN_PX, is_plain, standing_out, tile_rows
from roadstead.imagery import Block
from tests.unit.detection.worlds import Lamp, lamps, picture

SIDE = 4 * CELL_PX
WATER = 0.1
WHOLE = Window(0, 0, SIDE, SIDE)
CALM = 1.0 / 255.0
"""Standard deviation of open water in the labelled scenes."""


def block(rgb: Real, valid: NDArray[np.bool_] | None = None) -> Block:
    known = np.ones(rgb.shape[1:], bool) if valid is None else valid
    return Block(rgb * known, None, known, None, None, np.where(known, 0, -1).astype(np.int16))


def calm_water(seed: int, height: int = SIDE, width: int = SIDE) -> Real:
    noise = np.random.default_rng(seed).normal(WATER, CALM, (3, height, width))
    return noise.astype(np.float32)


@given(st.integers(0, 1000), st.integers(1, 70), st.integers(1, 70))
def test_calm_water_of_any_size_and_shade_is_plain(seed: int, height: int, width: int) -> None:
    water = calm_water(seed, height, width) + np.arange(width, dtype=np.float32) * 0.0005
    cells = standing_out(block(water), Window(0, 0, width, height))
    assert cells.shape == (-(-height // CELL_PX), -(-width // CELL_PX))
    assert not cells.any()


@given(
    st.integers(0, 1000),
    st.integers(CELL_PX, SIDE - CELL_PX),
    st.integers(CELL_PX, SIDE - CELL_PX),
    st.booleans(),
    st.integers(0, 2),
    st.sampled_from([-1.0, 1.0]),
)
def test_a_faint_hull_stands_out_in_the_cell_of_its_centre_wherever_it_lies(
    seed: int, col: int, row: int, upright: bool, band: int, sign: float
) -> None:
    # 60 m by 20 m, brighter or darker than the water by a tenth of the display's range, in one band alone.
    along, across = (3, 1) if upright else (1, 3)
    water = calm_water(seed)
    water[band, row - along : row + along, col - across : col + across] += np.float32(sign * 26.0 / 255.0)
    assert standing_out(block(water), WHOLE)[row // CELL_PX, col // CELL_PX]


@given(st.integers(0, 1000), st.integers(0, CELL_PX), st.integers(0, CELL_PX))
def test_another_cut_into_blocks_finds_the_same_cells(seed: int, left: int, top: int) -> None:
    rng = np.random.default_rng(seed)
    water = calm_water(seed)
    for _ in range(4):
        col, row = rng.integers(0, SIDE - 6, 2)
        water[:, row : row + 2, col : col + 6] += np.float32(rng.uniform(6.0, 20.0) / 255.0)
    window = Window(left, top, SIDE - left, SIDE - top)
    cut = standing_out(block(water[:, top:, left:]), window)
    whole = standing_out(block(water), WHOLE)
    # Of cells that the block cuts through, only the part that was read can tell.
    inner = np.s_[-(-top // CELL_PX) :, -(-left // CELL_PX) :]
    first = np.array([top // CELL_PX, left // CELL_PX])
    shifted = np.s_[inner[0].start - first[0] :, inner[1].start - first[1] :]
    assert (cut[shifted] == whole[inner]).all()


def test_a_single_fleck_of_foam_does_not_stand_out() -> None:
    water = calm_water(0)
    water[:, 20, 20] += np.float32(24.0 / 255.0)
    assert not standing_out(block(water), WHOLE).any()


def test_the_edge_of_the_imaged_stands_out_and_what_was_not_imaged_does_not() -> None:
    valid = np.ones((SIDE, SIDE), bool)
    valid[:, : CELL_PX + 3] = False
    cells = standing_out(block(calm_water(0), valid), WHOLE)
    assert [bool(column.any()) for column in cells.T] == [False, True, False, False]


@given(st.integers(0, 400), st.integers(0, 300), st.integers(0, 40), st.integers(0, 40))
def test_every_tile_that_reports_a_hull_is_looked_at(col: int, row: int, left: int, top: int) -> None:
    width, height, size = 450, 350, 160
    window = Window(left, top, width - left, height - top)
    first = np.array([top, left]) // CELL_PX
    cells = np.zeros(np.array([-(-height // CELL_PX), -(-width // CELL_PX)]) - first, bool)
    if col < left or row < top:
        return
    cells[row // CELL_PX - first[0], col // CELL_PX - first[1]] = True
    for tile in (tile for tiles in tile_rows(width, height, size) for tile in tiles):
        if tile.near_core(np.array([[float(col), float(row)]]))[0]:
            assert not is_plain(cells, window, tile)
        off = max(tile.core.col - col, col - tile.core.col - tile.core.width)
        if off > MARGIN_PX + CELL_PX:
            assert is_plain(cells, window, tile)


class Counting:
    """A network that sees nothing and counts what it is shown."""

    def __init__(self) -> None:
        self.shown = 0

    def run(self, tiles: Iterable[tuple[int, Real]]) -> Iterator[tuple[int, Real]]:
        for number, _ in tiles:
            self.shown += 1
            yield number, np.zeros((8, 1), np.float32)


def test_the_network_is_shown_only_tiles_on_which_something_stands_out(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Model = lamps(tmp_path_factory.mktemp("lamps"))
    network, steps = Counting(), []
    monkeypatch.setattr(detect, "open_network", lambda model: network)
    for lit, shown in (([], 0), ([Lamp(48, 48)], 1)):
        network.shown = 0
        image = picture(544, 544, lit)
        found = detect_mosaic(
            image, model, overpass=image.overpass, progress=lambda done, total: steps.append((done, total))
        )
        assert (len(found), network.shown, steps[-1]) == (0, shown, (25, 25))
