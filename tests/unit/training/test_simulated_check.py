"""Simulated truth: hulls of known length on real water, found or not."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from roadstead.training.simulated_check import SimulatedShips, figures, simulated_ships
from tests.unit.training.test_crops import harbour


class Everywhere(nn.Module):
    """Claims a barge of 100 m by 25 m, level with the rows, round every second pixel."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        rows, cols = torch.meshgrid(torch.arange(0, 160, 2), torch.arange(0, 160, 2), indexing="ij")
        boxes = torch.zeros(1, 8, rows.numel())
        boxes[0, 0], boxes[0, 1] = cols.flatten(), rows.flatten()
        boxes[0, 2], boxes[0, 3], boxes[0, 4] = 10.0, 2.5, 0.9
        return boxes


class Nowhere(nn.Module):
    """Finds nothing."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.zeros(1, 8, 5)


def test_a_blind_network_finds_no_hull_but_the_truth_is_still_there() -> None:
    ships = simulated_ships(Nowhere(), [harbour()], 0.3, crops=6, stamps=15)  # type: ignore[arg-type]  # any module will do
    assert len(ships.true_length_m) > 3
    assert ships.true_length_m.min() >= 45
    assert not ships.found.any()
    assert figures(ships)["recall"] == 0.0


def test_boxes_are_held_against_the_hulls_they_overlap() -> None:
    ships = simulated_ships(Everywhere(), [harbour()], 0.3, crops=6, stamps=15)  # type: ignore[arg-type]  # any module will do
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
