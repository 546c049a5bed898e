"""Which chips go on which sheet: ships by class and state, shores without ships, and open water."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import numpy as np

from roadstead_lab.training.realism.edges import state_of
from roadstead_lab.training.realism.ground import windows
from roadstead_lab.training.realism.sheets import CHIP_PX, Chip, cut_chip
from roadstead_lab.training.realism.table import counts
from roadstead_lab.training.realism.views import Floats, Hull, View

SHEETS: Final = (
    "bulk-carriers-at-quay",
    "bulk-carriers-at-anchor",
    "bulk-carriers-under-way",
    "barges",
    "other-vessels",
    "shores-without-ships",
    "open-water",
)
_PER_VIEW: Final = 12
"""Chips of ground that one view may bring to a sheet."""


def sheet_of(view: View, hull: Hull) -> str | None:
    """Name the sheet of a ship, None for those that are not compared."""
    if not counts(hull):
        return None
    if hull.class_ == "bulk_carrier":
        return f"bulk-carriers-{state_of(view, hull).replace('_', '-')}"
    return "barges" if hull.class_ == "barge" else "other-vessels"


class ChipBook:
    """Chips gathered by sheet, real and simulated apart."""

    def __init__(self) -> None:
        """Start empty."""
        self._real: dict[str, list[Chip]] = defaultdict(list)
        self._simulated: dict[str, list[Chip]] = defaultdict(list)

    def add(self, view: View, rng: np.random.Generator) -> None:
        """Cut the chips of one view; held-out places are not shown, so that nobody tunes on them."""
        if view.held_out:
            return
        for hull in view.hulls:
            self._add(sheet_of(view, hull), view, hull.name, hull.centre)
        for sheet, centres in ground_centres(view, rng).items():
            for number, centre in enumerate(centres):
                self._add(sheet, view, f"{view.name}/{sheet}-{number}", centre)

    def _add(self, sheet: str | None, view: View, name: str, centre: Floats) -> None:
        chip = cut_chip(view, name, centre) if sheet else None
        if sheet and chip:
            side = self._real if chip.real else self._simulated
            side[sheet].append(chip)

    def drawn(self, sheet: str, rng: np.random.Generator) -> tuple[Sequence[Chip], Sequence[Chip]]:
        """Return the real and the simulated chips of a sheet, shuffled."""
        sides = (self._real[sheet], self._simulated[sheet])
        real, simulated = ([side[index] for index in rng.permutation(len(side))] for side in sides)
        return real, simulated


def ground_centres(view: View, rng: np.random.Generator) -> dict[str, list[Floats]]:
    """Choose windows without ships: water wholly, and shores with 30-90 % land.

    Only products with near infrared tell shores; chips with AIS are left out, being centred on a ship.
    """
    if view.origin == "ais_chips":
        return {}
    unsightly = ~view.valid | view.ships
    wet = windows(~unsightly & (view.wet | ~view.land), CHIP_PX)
    chosen = {"open-water": [place for place in wet if view.wet[place].mean() > 0.99]}
    if view.has_nir:
        clear = windows(~unsightly, CHIP_PX)
        chosen["shores-without-ships"] = [place for place in clear if 0.3 <= view.land[place].mean() <= 0.9]
    return {
        sheet: [_centre(places[i]) for i in rng.permutation(len(places))[:_PER_VIEW]]
        for sheet, places in chosen.items()
    }


def _centre(place: tuple[slice, slice]) -> Floats:
    rows, cols = place
    return np.array([(cols.start + cols.stop) / 2, (rows.start + rows.stop) / 2])
