"""What land reflects: woods, fields, towns, and behind every quay the yards, sheds, heaps, tanks and cranes of a port.

Land is painted on a 5 m grid as numbers of materials, lightened and darkened, and averaged to 10 m. Levels and
spreads follow clear Sentinel-2 scenes of real ports (``docs/simulation/realism.md``): land 0.04-0.17 in red and
0.16-0.31 in the near infrared, with a local spread of 0.02-0.04.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from roadstead.simulate.coast.ground import Ground
from roadstead.simulate.coast.materials import MATERIALS, PALETTE, Style, random_style
from roadstead.simulate.texture import (
    Chance,
    CoarseField,
    FloatArray,
    TiledField,
    coarse_noise,
    coarse_shape,
    grain_field,
    smoothstep,
)

FINE: Final = 2
"""Drawing pixels along the side of a 10 m pixel."""
_FINE_M: Final = 5.0
_YARD_M: Final = 420.0
_INDUSTRY_M: Final = 1500.0
_BLOCK_COLS: Final = 1024
_STONE: Final = (0.150, 0.140, 0.122, 0.17)
Index = NDArray[np.int32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Land:
    """The land of a frame; it does not change between overpasses."""

    ground: Ground
    style: Style
    chance: Chance
    quay_of: NDArray[np.int16]
    """[h, w] number of the nearest quay, one in 8 pixels."""
    industry: CoarseField
    """Nearness to quays, 1 to 0."""
    wood: CoarseField
    town: CoarseField
    bend: CoarseField
    relief: CoarseField
    grain: TiledField
    flats: float
    """How much of the shore away from quays is mud that falls dry, 0 to 1."""

    def rows(self, first: int, stop: int) -> FloatArray:
        """Return [4, stop - first, W] reflectance of land; blocks of 1024 columns without any land are 0."""
        width = self.ground.grid.width
        share = self.ground.land_share[first:stop]
        colour = np.zeros((4, stop - first, width), np.float32)
        for left in range(0, width, _BLOCK_COLS):
            cols = slice(left, min(left + _BLOCK_COLS, width))
            if share[:, cols].any():
                block = self._block(first, stop, cols)
                _pave_edges(block, share[:, cols])
                if self.flats:
                    _lay_flats(
                        block, share[:, cols], self.flats * (1 - self.industry.rows(first, stop)[:, cols])
                    )
                colour[..., cols] = block
        return colour

    def _block(self, first: int, stop: int, cols: slice) -> FloatArray:
        x, y = self._metres(first, stop, cols)
        take = (slice(None), slice(cols.start * FINE, cols.stop * FINE))
        fine = {
            name: np.repeat(np.repeat(field.rows(first, stop)[:, cols], FINE, 0), FINE, 1)
            for name, field in (("wood", self.wood), ("town", self.town), ("industry", self.industry))
        }
        material, gain = self._country(x, y, fine["wood"])
        ragged = self.chance.of(_cells(x + 0.3 * y, 190.0), _cells(y - 0.3 * x, 120.0)) - np.float32(0.5)
        self._build_town(
            material, gain, x, y, fine["town"] + fine["industry"] + np.float32(0.9) * ragged > 0.65
        )
        self._build_sheds(material, gain, x, y, fine["industry"] + np.float32(0.7) * ragged > 0.72)
        if self.ground.quays:
            self._build_yards(material, gain, x, y, first, stop, cols)
        gain *= 1 + np.float32(self.style.grain) * self.grain.rows(first * FINE, stop * FINE)[take]
        hills = self.relief.rows(first, stop)[:, cols]
        gain *= 1 + np.float32(0.18) * np.repeat(np.repeat(hills, FINE, 0), FINE, 1) * (1 - fine["industry"])
        return _averaged(material, np.clip(gain, 0.2, 2.5), self.style)

    def _metres(self, first: int, stop: int, cols: slice) -> tuple[FloatArray, FloatArray]:
        """Metres east and south of the frame's corner, bent a little so that streets are not ruled."""
        x = (np.arange(cols.start * FINE, cols.stop * FINE, dtype=np.float32) + 0.5) * np.float32(_FINE_M)
        y = (np.arange(first * FINE, stop * FINE, dtype=np.float32) + 0.5) * np.float32(_FINE_M)
        return np.broadcast_to(x, (len(y), len(x))), np.broadcast_to(y[:, None], (len(y), len(x)))

    def _country(self, x: FloatArray, y: FloatArray, wood: FloatArray) -> tuple[Index, FloatArray]:
        u, v = _turned(x, y, self.style.field_deg)
        cell = self.chance.index(_cells(u, 130.0), _cells(v, 75.0))
        material = np.asarray(MATERIALS.span("field")[cell % len(MATERIALS.span("field"))], np.int32)
        gain = 0.8 + np.float32(0.4) * self.chance.table[cell]
        speck = self.chance.of(_cells(x, 15.0), _cells(y, 15.0))
        woods = wood + np.float32(0.9) * (speck - 0.5) > np.float32(self.style.wood_from)
        material[woods] = MATERIALS.first("wood") + (speck[woods] > 0.6)
        gain[woods] = 0.75 + np.float32(0.5) * speck[woods]
        return material, np.asarray(gain, np.float32)

    def _build_town(
        self, material: Index, gain: FloatArray, x: FloatArray, y: FloatArray, where: Mask
    ) -> None:
        """Houses of 10-25 m in blocks between streets, with trees and yards among them."""
        if not where.any():
            return
        x, y = x[where], y[where]
        district = self.chance.index(_cells(x, 700.0), _cells(y, 620.0))
        angle = self.style.street_deg + 40.0 * (self.chance.table[district] - 0.5)
        u, v = _turned(x, y, angle)
        street = (np.mod(u, 95.0) < 11.0) | (np.mod(v, 70.0) < 9.0)
        house = self.chance.of(_cells(u, 14.0), _cells(v, 11.0))
        kind = self.chance.of(_cells(u, 28.0), _cells(v, 24.0), district)
        roofs = MATERIALS.first("roof") + np.searchsorted(self.style.roof_steps, kind).astype(np.int32)
        paint = np.where(house < self.style.built, roofs, MATERIALS.first("garden") + (kind > 0.55))
        material[where] = np.where(street, MATERIALS.first("asphalt") + (kind > 0.5), paint)
        gain[where] = (
            0.62
            + np.float32(0.3) * house
            + np.float32(0.4) * self.chance.of(_cells(v, 95.0), _cells(u, 70.0))
        )

    def _build_sheds(
        self, material: Index, gain: FloatArray, x: FloatArray, y: FloatArray, where: Mask
    ) -> None:
        """Works and stores of 50-150 m on paved ground."""
        if not where.any():
            return
        u, v = _turned(x[where], y[where], self.style.street_deg)
        lot = self.chance.index(_cells(u, 150.0), _cells(v, 110.0))
        size = 0.45 + 0.45 * self.chance.table[lot]
        shed = (np.mod(u, 150.0) < 150.0 * size) & (np.mod(v, 110.0) < 110.0 * size) & (lot % 10 < 7)
        kind = self.chance.table[(lot * 7 + 11) & 4095]
        roof = MATERIALS.first("shed") + np.searchsorted(self.style.shed_steps, kind).astype(np.int32)
        speck = self.chance.of(_cells(u, 12.0), _cells(v, 12.0))
        ground = np.where(
            speck > self.style.clutter,
            MATERIALS.first("concrete") + (speck > 0.9),
            MATERIALS.first("container") + (speck * 50).astype(np.int32) % 6,
        )
        material[where] = np.where(shed, roof, ground)
        gain[where] = np.where(shed, 0.75 + 0.5 * self.chance.table[(lot * 13 + 5) & 4095], 0.6 + 0.5 * speck)

    def _build_yards(
        self,
        material: Index,
        gain: FloatArray,
        x: FloatArray,
        y: FloatArray,
        first: int,
        stop: int,
        cols: slice,
    ) -> None:
        """Paint what lies behind each quay in the quay's own axes: metres along it and metres inland."""
        number = _spread(self.quay_of, first, stop, cols)
        for quay in np.unique(number):
            where = number == quay
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
        lot = self.chance.index(_cells(along, 260.0), np.full(along.shape, quay, np.int32))
        table = self.chance.table
        use = np.searchsorted(self.style.yard_steps, table[lot])
        apron = MATERIALS.first("concrete") + (table[lot] > 0.5).astype(np.int32)
        speck = self.chance.of(_cells(along, 8.0), _cells(inland, 8.0))
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
        box = self.chance.index(_cells(along, 12.0), _cells(deep, 7.0))
        material[stack] = MATERIALS.first("container") + box[stack] % len(MATERIALS.span("container"))
        gain[stack] = 0.6 + 0.6 * table[box[stack]]
        block = self.chance.index(_cells(along, 110.0), _cells(deep, 75.0), lot)
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
        goods = self.chance.index(_cells(deep, 62.0), lot) % 10
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


def _pave_edges(colour: FloatArray, share: FloatArray) -> None:
    """Stone along the water: walls, rubble, and all of what is narrower than about 40 m; in place."""
    inner = ndimage.gaussian_filter(share, 1.4, truncate=3.0)
    stone = np.float32(0.8) * (1 - smoothstep(inner, 0.55, 0.85))
    for band, level in zip(colour, _STONE, strict=True):
        band += (level - band) * stone


def _lay_flats(colour: FloatArray, share: FloatArray, flats: FloatArray) -> None:
    """Wet mud on the seaward 60 m or so of the land; in place."""
    inner = ndimage.gaussian_filter(share, 4.0, truncate=2.0)
    mud = flats * (1 - smoothstep(inner, 0.6, 0.95))
    for band, level in zip(colour, PALETTE[MATERIALS.first("mud")], strict=True):
        band += (level - band) * mud


def land_surface(ground: Ground, rng: np.random.Generator, tide_flats: float = 0.0) -> Land:
    """Return the land of a frame; the same chance gives the same land.

    Args:
        ground: The frame.
        rng: Source of chance.
        tide_flats: How much of the shore away from quays falls dry as mud, 0 to 1.
    """
    size = ground.grid.height, ground.grid.width
    style = random_style(rng)
    distance, quay_of = _nearest_quay(ground)
    wood = coarse_noise(rng, size, 160.0, 4)
    height = coarse_noise(rng, size, 200.0, 4, roughness=0.6)
    slope = np.gradient(height, axis=1) - np.gradient(height, axis=0)
    return Land(
        ground,
        style,
        Chance.drawn(rng),
        quay_of,
        CoarseField(1 - smoothstep(distance, 0.3 * _INDUSTRY_M, _INDUSTRY_M), size),
        CoarseField(wood, size),
        CoarseField(coarse_noise(rng, size, 220.0, 3) + np.float32(style.urban), size),
        CoarseField(coarse_noise(rng, size, 60.0, 2), size),
        CoarseField(np.asarray(np.clip(slope * 3.0, -2, 2), np.float32), size),
        grain_field(rng, ground.grid.width * FINE, 0.6),
        tide_flats,
    )


def _nearest_quay(ground: Ground) -> tuple[FloatArray, NDArray[np.int16]]:
    """Distance to the nearest quay, metres [h, w] one in 16 pixels, and its number, one in 8 pixels."""
    size = ground.grid.height, ground.grid.width
    step = 8
    marks = np.full(coarse_shape(size, step), -1, np.int16)
    for number, quay in enumerate(ground.quays):
        xy = np.array([quay.place(m, -5.0) for m in np.arange(0.0, quay.length_m + 1, 20.0)])
        col, row = (ground.grid.xy_to_colrow(xy) // step).astype(int).T
        inside = (row >= 0) & (col >= 0) & (row < marks.shape[0]) & (col < marks.shape[1])
        marks[row[inside], col[inside]] = number
    if (marks < 0).all():
        return np.full(coarse_shape(size), 1e5, np.float32), np.zeros_like(marks)
    far, (row, col) = ndimage.distance_transform_edt(marks < 0, return_indices=True)
    distance = (far * step * ground.grid.pixel_m)[::2, ::2].astype(np.float32)
    return distance, marks[row, col]


def _spread(quay_of: NDArray[np.int16], first: int, stop: int, cols: slice) -> NDArray[np.int16]:
    """Numbers of the nearest quay on the drawing grid of some rows and columns."""
    row = np.arange(first * FINE, stop * FINE) // (8 * FINE)
    col = np.arange(cols.start * FINE, cols.stop * FINE) // (8 * FINE)
    return np.asarray(
        quay_of[np.ix_(np.minimum(row, quay_of.shape[0] - 1), np.minimum(col, quay_of.shape[1] - 1))]
    )


def _turned(x: FloatArray, y: FloatArray, degrees: float | FloatArray) -> tuple[FloatArray, FloatArray]:
    angle = np.radians(np.asarray(degrees, np.float32))
    sine, cosine = np.sin(angle), np.cos(angle)
    # Far from zero, so that cells on both sides of the axes are alike.
    return x * cosine + y * sine + np.float32(1e5), y * cosine - x * sine + np.float32(1e5)


def _cells(metres: FloatArray, size_m: float) -> Index:
    return np.asarray(np.floor(metres / np.float32(size_m)), np.int32)


def _averaged(material: Index, gain: FloatArray, style: Style) -> FloatArray:
    """[4, h, w] at 10 m of materials and their light at 5 m."""
    tinted = np.asarray(PALETTE * np.array(style.tint, np.float32), np.float32)
    high, wide = material.shape[0] // FINE, material.shape[1] // FINE
    bands = []
    for band in range(4):
        fine = np.take(tinted[:, band], material) * gain
        bands.append(fine.reshape(high, FINE, wide, FINE).mean(axis=(1, 3)))
    return np.asarray(np.clip(np.stack(bands), 0.008, 0.9), np.float32)
