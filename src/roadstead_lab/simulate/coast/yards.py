"""What lies behind every quay: aprons with cranes, container stacks, sheds, heaps of coal and ore, tanks, roads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from roadstead_lab.simulate.coast.ground import Ground
from roadstead_lab.simulate.coast.materials import MATERIALS, Style
from roadstead_lab.simulate.texture import Chance, FloatArray

_YARD_M: Final = 420.0
Index = NDArray[np.int32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Yards:
    """Paints the ground behind the quays of a frame."""

    ground: Ground
    style: Style
    chance: Chance

    def build(
        self, material: Index, gain: FloatArray, x: FloatArray, y: FloatArray, nearest: NDArray[np.int16]
    ) -> None:
        """Paint what lies behind each quay in the quay's own axes: metres along it and metres inland.

        Args:
            material: [h, w] numbers of materials on the drawing grid, changed in place.
            gain: [h, w] their light, changed in place.
            x: [h, w] metres east of the frame's corner.
            y: [h, w] metres south of it.
            nearest: [h, w] number of the nearest quay.
        """
        for quay in np.unique(nearest):
            where = nearest == quay
            along, inland = self._quay_axes(int(quay), x[where], y[where])
            inside = (inland > -15.0) & (inland < _YARD_M) & (along > -80.0)
            inside &= along < self.ground.quays[int(quay)].length_m + 80.0
            places = np.flatnonzero(where.ravel())[inside]
            found, light = self._yard(int(quay), along[inside], inland[inside])
            material.ravel()[places] = found
            gain.ravel()[places] = light

    def _quay_axes(self, quay: int, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        one = self.ground.quays[quay]
        left, _, _, top = self.ground.grid.bounds_xy
        east, south = x - np.float32(one.start[0] - left), y - np.float32(top - one.start[1])
        along = east * np.float32(one.along[0]) - south * np.float32(one.along[1])
        inland = south * np.float32(one.seaward[1]) - east * np.float32(one.seaward[0])
        return along, inland

    def _yard(self, quay: int, along: FloatArray, inland: FloatArray) -> tuple[Index, FloatArray]:
        lot = self.chance.index(cells(along, 260.0), np.full(along.shape, quay, np.int32))
        table = self.chance.table
        use = np.searchsorted(self.style.yard_steps, table[lot])
        apron = MATERIALS.first("concrete") + (table[lot] > 0.5).astype(np.int32)
        speck = self.chance.of(cells(along, 8.0), cells(inland, 8.0))
        material, gain = apron.copy(), np.asarray(0.8 + 0.35 * speck, np.float32)
        depth = 22.0 + 30.0 * table[(lot + 99) & 4095]
        self._paint_uses(material, gain, use, lot, along, inland - depth, speck)
        self._paint_edge(material, gain, lot, along, inland, speck)
        return material, gain

    def _paint_uses(
        self,
        material: Index,
        gain: FloatArray,
        use: NDArray[np.int64],
        lot: Index,
        along: FloatArray,
        deep: FloatArray,
        speck: FloatArray,
    ) -> None:
        """Container stacks, sheds, heaps, tanks or open ground, in rows parallel to the quay."""
        table, back = self.chance.table, deep > 0
        road = (np.mod(deep, 120.0) < 14.0) | (np.mod(along, 260.0) < 12.0)
        stack = back & (use == 0) & (np.mod(deep, 30.0) < 22.0) & (np.mod(along, 75.0) < 67.0)
        box = self.chance.index(cells(along, 12.0), cells(deep, 7.0))
        material[stack] = MATERIALS.first("container") + box[stack] % len(MATERIALS.span("container"))
        gain[stack] = 0.6 + 0.6 * table[box[stack]]
        block = self.chance.index(cells(along, 110.0), cells(deep, 75.0), lot)
        shed = back & (use == 1) & (np.mod(along, 110.0) < 96.0) & (np.mod(deep, 75.0) < 55.0)
        roof = MATERIALS.first("shed") + np.searchsorted(self.style.shed_steps, table[block])
        material[shed] = roof[shed]
        gain[shed] = 0.8 + 0.4 * table[(block[shed] * 3 + 1) & 4095]
        self._paint_heaps(material, gain, back & (use == 2), lot, along, deep, speck)
        radius = np.hypot(np.mod(along, 70.0) - 35.0, np.mod(deep, 70.0) - 35.0)
        tank = back & (use == 3) & (radius < 14.0 + 14.0 * table[block])
        material[tank] = MATERIALS.first("tank")
        gain[tank] = 0.75 + 0.4 * table[block[tank]]
        goods = back & (use == 4) & (speck > 0.7)
        material[goods] = MATERIALS.first("container") + (speck[goods] * 97).astype(np.int32) % 8
        way = back & road & (use != 1)
        material[way] = MATERIALS.first("asphalt")
        gain[way] = 0.85 + 0.3 * speck[way]

    def _paint_heaps(
        self,
        material: Index,
        gain: FloatArray,
        where: Mask,
        lot: Index,
        along: FloatArray,
        deep: FloatArray,
        speck: FloatArray,
    ) -> None:
        """Long heaps of coal, ore or sand between rails: dark or coloured, with soft edges."""
        wave = 6.0 * np.sin(along / 17.0) + 9.0 * (speck - 0.5)
        length = 90.0 + 80.0 * self.chance.table[lot]
        heap = where & (np.mod(deep + wave, 62.0) < 42.0) & (np.mod(along + wave, length) < length - 22.0)
        goods = self.chance.index(cells(deep, 62.0), lot) % 10
        material[where] = MATERIALS.first("asphalt") + 1
        gain[where] = 0.7 + 0.4 * speck[where]
        material[heap] = (
            MATERIALS.first("heap") + np.array([0, 0, 0, 0, 0, 1, 1, 2, 3, 3], np.int32)[goods[heap]]
        )
        gain[heap] = 0.85 + 0.35 * speck[heap]

    def _paint_edge(
        self,
        material: Index,
        gain: FloatArray,
        lot: Index,
        along: FloatArray,
        inland: FloatArray,
        speck: FloatArray,
    ) -> None:
        """The quay's edge: a paler coping, and cranes as small blots on some aprons."""
        pitch = 70.0 + 120.0 * self.chance.table[(lot + 7) & 4095]
        crane = (np.mod(along + 40.0 * speck, pitch) < 11.0) & (inland > -12.0) & (inland < 26.0)
        crane &= self.chance.table[(lot + 31) & 4095] > 0.45
        gain[inland < 6.0] *= np.float32(0.9)
        material[crane] = MATERIALS.first("crane") + lot[crane] % len(MATERIALS.span("crane"))
        gain[crane] = 0.6 + 0.7 * speck[crane]


def turned(x: FloatArray, y: FloatArray, degrees: float | FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return metres along and across axes turned clockwise by some degrees."""
    angle = np.radians(np.asarray(degrees, np.float32))
    sine, cosine = np.sin(angle), np.cos(angle)
    # Far from zero, so that cells on both sides of the axes are alike.
    return x * cosine + y * sine + np.float32(1e5), y * cosine - x * sine + np.float32(1e5)


def cells(metres: FloatArray, size_m: float) -> Index:
    """Return the number of the cell of this size that each place lies in."""
    return np.asarray(np.floor(metres / np.float32(size_m)), np.int32)
