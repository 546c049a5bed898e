"""One audited cell held against what a model gave for it."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely

from roadstead.core.geo import Array
from roadstead.core.oriented_boxes import LEAST_LENGTH_M, paired
from roadstead.core.schemas import CLASSES, LENGTH_BINS
from roadstead.store import AuditAnswer, AuditCell

UNTOLD: Final = "cannot_tell"
NOTHING: Final = "nothing"
BINS: Final = LENGTH_BINS[1:]
_EDGES: Final = np.array([float(name.split("-")[0].rstrip("+")) for name in BINS[1:]])


@dataclass(frozen=True)
class Ship:
    """A ship that the reviewer boxed inside what is audited."""

    hull_class: str
    """`UNTOLD` where the reviewer cannot tell."""
    length_m: float
    found_as: str
    """Class that the model gave it; `NOTHING` where it did not find it."""


@dataclass(frozen=True)
class Hull:
    """A hull that the model gave inside what is audited."""

    hull_class: str
    length_m: float
    ship: bool
    """Whether the reviewer boxed a ship there."""


@dataclass(frozen=True)
class HeldCell:
    """One cell, one answer, one model."""

    cell: str
    stratum: Hashable
    weight: float
    """One over the probability that the cell is in the sample."""
    ships: tuple[Ship, ...]
    hulls: tuple[Hull, ...]

    @cached_property
    def required(self) -> tuple[Ship, ...]:
        """The ships that a model must find."""
        return tuple(ship for ship in self.ships if ship.length_m >= LEAST_LENGTH_M)

    @cached_property
    def counted(self) -> tuple[Hull, ...]:
        """The hulls that are long enough to be counted false where no ship is."""
        return tuple(hull for hull in self.hulls if hull.length_m >= LEAST_LENGTH_M)


def length_bin(length_m: float) -> str:
    """Return the bin of `schemas.LENGTH_BINS`."""
    return BINS[int(np.searchsorted(_EDGES, length_m, side="right"))]


def corners_of(answer: AuditAnswer) -> list[Array]:
    """Return the boxes of an answer in pixels of its picture, each [4, 2]."""
    return [np.array(json.loads(box.pixels), float) for box in answer.boxes]


def inside(cell: AuditCell, lon: float, lat: float) -> bool:
    """Whether a place is in what is audited."""
    return bool(shapely.covers(cell.area, shapely.Point(lon, lat)))


def held_cell(
    cell: AuditCell, answer: AuditAnswer, output: Mapping[str, Any], weight: float, stratum: Hashable
) -> HeldCell:
    """Pair the boxes of an answer with a model's hulls by the project's strict rule (`pairing`).

    Boxes beyond what is audited are paired too, so that a ship on its edge is not lost, but they count for nothing.

    Args:
        cell: the cell.
        answer: of one reviewer.
        output: the model's, as `AuditCell.output`.
        weight: see `HeldCell`.
        stratum: of the cell.
    """
    rings = [np.array(hull["box"], float) for hull in output["hulls"]]
    pairs = paired(corners_of(answer), [cell.pixels(ring) for ring in rings], "strict", cell.pixel_m)
    found = {box: output["hulls"][hull]["class"] for box, hull in pairs}
    taken = {hull for _, hull in pairs}
    ships = tuple(
        Ship(box.hull_class or UNTOLD, box.length_m, str(found.get(number, NOTHING)))
        for number, box in enumerate(answer.boxes)
        if inside(cell, box.lon, box.lat)
    )
    hulls = tuple(
        Hull(str(hull["class"]), float(hull["length_m"]), number in taken)
        for number, hull in enumerate(output["hulls"])
        if inside(cell, *rings[number].mean(0))
    )
    return HeldCell(cell.cell, stratum, weight, ships, hulls)


def confusion(cells: list[HeldCell]) -> dict[str, dict[str, int]]:
    """Return reviewer's class (and `NOTHING`) -> the model's (and `NOTHING`) -> how many hulls."""
    rows, columns = (*CLASSES, UNTOLD, NOTHING), (*CLASSES, NOTHING)
    table = {row: dict.fromkeys(columns, 0) for row in rows}
    for cell in cells:
        for ship in cell.required:
            table[ship.hull_class][ship.found_as] += 1
        for hull in cell.counted:
            if not hull.ship:
                table[NOTHING][hull.hull_class] += 1
    return table
