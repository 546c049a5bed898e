"""What land reflects: woods, fields, towns, and behind every quay the yards, sheds, heaps, tanks and cranes of a port.

Land is painted on a 5 m grid as numbers of materials, lightened and darkened, and averaged to 10 m. Levels and
spreads follow clear Sentinel-2 scenes of real ports (``docs/simulation/realism.md``): land 0.04-0.17 in red and
0.16-0.31 in the near infrared, with a local spread of 0.02-0.04.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from roadstead_lab.simulate.coast.ground import Ground
from roadstead_lab.simulate.coast.materials import MATERIALS, PALETTE, Style, random_style
from roadstead_lab.simulate.coast.yards import Yards, cells, turned
from roadstead_lab.simulate.texture import (
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
_INDUSTRY_M: Final = 1500.0
_BLOCK_COLS: Final = 1024
_BLOCK_ROWS: Final = 256
_STONE: Final = (0.150, 0.140, 0.122, 0.17)
"""Walls, rubble, and all of what is narrower than about 40 m."""
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
    relief: CoarseField
    grain: TiledField
    yards: Yards
    flats: float
    """How much of the shore away from quays is mud that falls dry, 0 to 1."""

    def rows(self, first: int, stop: int) -> FloatArray:
        """Return [4, stop - first, W] reflectance of land; blocks of 1024 columns without any land are 0."""
        width = self.ground.grid.width
        share = self.ground.land_share[first:stop]
        colour = np.zeros((4, stop - first, width), np.float32)
        if not share.any():
            return colour
        for left in range(0, width, _BLOCK_COLS):
            cols = slice(left, min(left + _BLOCK_COLS, width))
            if share[:, cols].any():
                colour[..., cols] = self._blocks(first, stop, cols)
        _cover(colour, _STONE, np.float32(0.8) * (1 - smoothstep(self._inner(first, stop, 1.4), 0.55, 0.85)))
        if self.flats:
            seaward = 1 - smoothstep(self._inner(first, stop, 4.0), 0.6, 0.95)
            mud = seaward * np.float32(self.flats) * (1 - self.industry.rows(first, stop))
            _cover(colour, PALETTE[MATERIALS.first("mud")], mud)
        return colour

    def _blocks(self, first: int, stop: int, cols: slice) -> FloatArray:
        """Some columns, drawn a few rows at a time: the drawing grid is four times as fine as the image."""
        tops = range(first, stop, _BLOCK_ROWS)
        return np.concatenate([self._block(top, min(top + _BLOCK_ROWS, stop), cols) for top in tops], axis=1)

    def _inner(self, first: int, stop: int, sigma_px: float) -> FloatArray:
        """[h, W] share of land around each pixel: low along the water and on what is narrow."""
        reach = math.ceil(3 * sigma_px)
        top = max(first - reach, 0)
        share = ndimage.gaussian_filter(self.ground.land_share[top : stop + reach], sigma_px, truncate=3.0)
        return np.asarray(share[first - top : first - top + stop - first], np.float32)

    def _block(self, first: int, stop: int, cols: slice) -> FloatArray:
        x, y = self._metres(first, stop, cols)
        take = (slice(None), slice(cols.start * FINE, cols.stop * FINE))
        fine = {
            name: np.repeat(np.repeat(field.rows(first, stop)[:, cols], FINE, 0), FINE, 1)
            for name, field in (("wood", self.wood), ("town", self.town), ("industry", self.industry))
        }
        material, gain = self._country(x, y, fine["wood"])
        ragged = self.chance.of(cells(x + 0.3 * y, 190.0), cells(y - 0.3 * x, 120.0)) - np.float32(0.5)
        self._build_town(
            material, gain, x, y, fine["town"] + fine["industry"] + np.float32(0.9) * ragged > 0.65
        )
        self._build_sheds(material, gain, x, y, fine["industry"] + np.float32(0.7) * ragged > 0.72)
        if self.ground.quays:
            self.yards.build(material, gain, x, y, _spread(self.quay_of, first, stop, cols))
        gain *= 1 + np.float32(self.style.grain) * self.grain.rows(first * FINE, stop * FINE)[take]
        hills = self.relief.rows(first, stop)[:, cols]
        gain *= 1 + np.float32(0.18) * np.repeat(np.repeat(hills, FINE, 0), FINE, 1) * (1 - fine["industry"])
        return _averaged(material, np.clip(gain, 0.2, 2.5), self.style)

    def _metres(self, first: int, stop: int, cols: slice) -> tuple[FloatArray, FloatArray]:
        """Metres east and south of the frame's corner."""
        x = (np.arange(cols.start * FINE, cols.stop * FINE, dtype=np.float32) + 0.5) * np.float32(_FINE_M)
        y = (np.arange(first * FINE, stop * FINE, dtype=np.float32) + 0.5) * np.float32(_FINE_M)
        return np.broadcast_to(x, (len(y), len(x))), np.broadcast_to(y[:, None], (len(y), len(x)))

    def _country(self, x: FloatArray, y: FloatArray, wood: FloatArray) -> tuple[Index, FloatArray]:
        u, v = turned(x, y, self.style.field_deg)
        cell = self.chance.index(cells(u, 130.0), cells(v, 75.0))
        material = np.asarray(MATERIALS.span("field")[cell % len(MATERIALS.span("field"))], np.int32)
        gain = 0.8 + np.float32(0.4) * self.chance.table[cell]
        speck = self.chance.of(cells(x, 15.0), cells(y, 15.0))
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
        district = self.chance.index(cells(x, 700.0), cells(y, 620.0))
        angle = self.style.street_deg + 40.0 * (self.chance.table[district] - 0.5)
        u, v = turned(x, y, angle)
        street = (np.mod(u, 95.0) < 11.0) | (np.mod(v, 70.0) < 9.0)
        house = self.chance.of(cells(u, 14.0), cells(v, 11.0))
        kind = self.chance.of(cells(u, 28.0), cells(v, 24.0), district)
        roofs = MATERIALS.first("roof") + np.searchsorted(self.style.roof_steps, kind).astype(np.int32)
        paint = np.where(house < self.style.built, roofs, MATERIALS.first("garden") + (kind > 0.55))
        material[where] = np.where(street, MATERIALS.first("asphalt") + (kind > 0.5), paint)
        gain[where] = (
            0.62 + np.float32(0.3) * house + np.float32(0.4) * self.chance.of(cells(v, 95.0), cells(u, 70.0))
        )

    def _build_sheds(
        self, material: Index, gain: FloatArray, x: FloatArray, y: FloatArray, where: Mask
    ) -> None:
        """Works and stores of 50-150 m on paved ground."""
        if not where.any():
            return
        u, v = turned(x[where], y[where], self.style.street_deg)
        lot = self.chance.index(cells(u, 150.0), cells(v, 110.0))
        size = 0.45 + 0.45 * self.chance.table[lot]
        shed = (np.mod(u, 150.0) < 150.0 * size) & (np.mod(v, 110.0) < 110.0 * size) & (lot % 10 < 7)
        kind = self.chance.table[(lot * 7 + 11) & 4095]
        roof = MATERIALS.first("shed") + np.searchsorted(self.style.shed_steps, kind).astype(np.int32)
        speck = self.chance.of(cells(u, 12.0), cells(v, 12.0))
        ground = np.where(
            speck > self.style.clutter,
            MATERIALS.first("concrete") + (speck > 0.9),
            MATERIALS.first("container") + (speck * 50).astype(np.int32) % 6,
        )
        material[where] = np.where(shed, roof, ground)
        gain[where] = np.where(shed, 0.75 + 0.5 * self.chance.table[(lot * 13 + 5) & 4095], 0.6 + 0.5 * speck)


@dataclass(frozen=True)
class DrawnLand:
    """Land drawn once, for frames that are seen at several overpasses."""

    colour: FloatArray
    """[4, H, W] reflectance."""

    def rows(self, first: int, stop: int) -> FloatArray:
        """Return [4, stop - first, W] reflectance."""
        return self.colour[:, first:stop]


def drawn(land: Land) -> DrawnLand:
    """Draw the whole land of a frame; it takes 16 bytes a pixel."""
    return DrawnLand(land.rows(0, land.ground.grid.height))


def _cover(colour: FloatArray, over: Sequence[float] | FloatArray, share: FloatArray) -> None:
    """Lay one colour over a share [h, W] of colours [4, h, W], in place."""
    for band, level in zip(colour, over, strict=True):
        band += (np.float32(level) - band) * share


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
    chance = Chance.drawn(rng)
    return Land(
        ground,
        style,
        chance,
        quay_of,
        CoarseField(1 - smoothstep(distance, 0.3 * _INDUSTRY_M, _INDUSTRY_M), size),
        CoarseField(wood, size),
        CoarseField(coarse_noise(rng, size, 220.0, 3) + np.float32(style.urban), size),
        CoarseField(np.asarray(np.clip(slope * 3.0, -2, 2), np.float32), size),
        grain_field(rng, ground.grid.width * FINE, 0.6),
        Yards(ground, style, chance),
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


def _averaged(material: Index, gain: FloatArray, style: Style) -> FloatArray:
    """[4, h, w] at 10 m of materials and their light at 5 m."""
    tinted = np.asarray(PALETTE * np.array(style.tint, np.float32), np.float32)
    high, wide = material.shape[0] // FINE, material.shape[1] // FINE
    bands = []
    for band in range(4):
        fine = np.take(tinted[:, band], material) * gain
        bands.append(fine.reshape(high, FINE, wide, FINE).mean(axis=(1, 3)))
    return np.asarray(np.clip(np.stack(bands), 0.008, 0.9), np.float32)
