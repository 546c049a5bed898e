"""Simulated truth: hulls of known length on real water, found or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from roadstead.detection.runtime import Key
from roadstead_lab.training.export import TILE_PX
from roadstead_lab.training.simulated_check import SimulatedShips, figures, simulated_ships
from tests.unit.lab.training.test_crops import harbour

Real = NDArray[np.float32]


class Everywhere:
    """Claims a barge of 100 m by 25 m, level with the rows, round every second pixel."""

    def run(self, tiles: Iterable[tuple[Key, Real]]) -> Iterator[tuple[Key, Real]]:
        rows, cols = np.mgrid[0:TILE_PX:2, 0:TILE_PX:2].reshape(2, -1).astype(np.float32)
        boxes = np.zeros((8, len(rows)), np.float32)
        boxes[0], boxes[1], boxes[2], boxes[3], boxes[4] = cols, rows, 10.0, 2.5, 0.9
        for key, image in tiles:
            assert image.shape == (3, TILE_PX, TILE_PX) and 0 <= image.min() <= image.max() <= 1
            yield key, boxes


class Nowhere:
    """Finds nothing."""

    def run(self, tiles: Iterable[tuple[Key, Real]]) -> Iterator[tuple[Key, Real]]:
        for key, _ in tiles:
            yield key, np.zeros((8, 5), np.float32)


def test_a_blind_network_finds_no_hull_but_the_truth_is_still_there() -> None:
    ships = simulated_ships(Nowhere(), [harbour()], 0.3, crops=6, stamps=15)
    assert len(ships.true_length_m) > 3
    assert ships.true_length_m.min() >= 45
    assert not ships.found.any()
    assert figures(ships)["recall"] == 0.0


def test_boxes_are_held_against_the_hulls_they_overlap() -> None:
    ships = simulated_ships(Everywhere(), [harbour()], 0.3, crops=6, stamps=15)
    assert ships.found.any()
    np.testing.assert_allclose(ships.box_length_m[ships.found], 100.0)
    np.testing.assert_allclose(ships.box_beam_m[ships.found], 25.0)
    assert (ships.box_class[ships.found] == 0).all()


def test_class_figures_leave_hulls_that_were_not_found_out() -> None:
    nan = np.nan
    ships = SimulatedShips(
        np.array([100.0, 80, 60]),
        np.array([15.0, 12, 10]),
        np.array([0, 0, 1]),
        np.array([110.0, nan, 70]),
        np.array([28.0, nan, 23]),
        np.array([0, -1, 0]),
    )
    assert figures(ships)["class"]["n"] == 2
    assert figures(ships)["recall"] == round(2 / 3, 4)
