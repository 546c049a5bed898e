"""Random fields that textures are made of, read in strips of rows so that a whole tile never lies in memory.

Detail coarser than 16 pixels is a small map enlarged on reading. Finer detail comes from square tiles that repeat with
periods that have no common factor, so that their sum does not repeat inside a Sentinel-2 tile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

FloatArray = NDArray[np.float32]
Shape = tuple[int, int]
COARSE_PX: Final = 16
_PERIODS: Final = (509, 401)
_MASK: Final = 4095


class Field(Protocol):
    """A field over a whole frame."""

    def rows(self, first: int, stop: int) -> FloatArray:
        """Return the rows ``first`` to ``stop`` - 1, [stop - first, W], or [bands, stop - first, W]."""
        ...


@dataclass(frozen=True)
class CoarseField:
    """A small map, bilinearly enlarged to the frame."""

    coarse: FloatArray
    shape: Shape
    """(H, W) of the frame."""

    def rows(self, first: int, stop: int) -> FloatArray:
        """Return rows; the same pixel has the same value whatever strip it is read in."""
        high, wide = self.coarse.shape
        step = high / self.shape[0]
        image = Image.fromarray(np.ascontiguousarray(self.coarse, np.float32))
        size, span = (self.shape[1], stop - first), (0.0, first * step, float(wide), stop * step)
        return np.asarray(image.resize(size, Image.Resampling.BILINEAR, box=span), np.float32)


@dataclass(frozen=True)
class TiledField:
    """The sum of repeating square tiles, each moved by an offset."""

    tiles: tuple[FloatArray, ...]
    offsets: tuple[tuple[int, int], ...]
    width: int

    def rows(self, first: int, stop: int) -> FloatArray:
        """Return rows."""
        total = np.zeros((stop - first, self.width), np.float32)
        for tile, (down, right) in zip(self.tiles, self.offsets, strict=True):
            side = tile.shape[0]
            row = (np.arange(first, stop) + down) % side
            col = (np.arange(self.width) + right) % side
            total += tile[np.ix_(row, col)]
        return total


@dataclass(frozen=True)
class SumField:
    """A weighted sum of fields."""

    parts: tuple[tuple[float, Field], ...]

    def rows(self, first: int, stop: int) -> FloatArray:
        """Return rows."""
        (weight, field), *others = self.parts
        total = np.float32(weight) * field.rows(first, stop)
        for weight, field in others:
            total += np.float32(weight) * field.rows(first, stop)
        return np.asarray(total, np.float32)


def enlarged(coarse: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Return a coarse field bilinearly enlarged to ``shape`` (H, W)."""
    image = Image.fromarray(np.ascontiguousarray(coarse, np.float32))
    return np.asarray(image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR), np.float32)


def coarse_shape(shape: Shape, step: int = COARSE_PX) -> Shape:
    """Return the (h, w) of a map with one value in ``step`` pixels."""
    return max(-(-shape[0] // step), 2), max(-(-shape[1] // step), 2)


def coarse_noise(
    rng: np.random.Generator, shape: Shape, cell_px: float, octaves: int, *, roughness: float = 0.5
) -> FloatArray:
    """Return [h, w] noise of mean 0 and about unit spread, one value in `COARSE_PX` frame pixels.

    Args:
        rng: Source of chance.
        shape: (H, W) of the frame.
        cell_px: Frame pixels over which the coarsest octave varies.
        octaves: How many, each half as wide as the one before; those finer than `COARSE_PX` are left out.
        roughness: Weight of an octave against the one before.
    """
    small = coarse_shape(shape)
    total, norm = np.zeros(small, np.float32), 0.0
    for octave in range(octaves):
        cell, weight = cell_px / 2**octave, roughness**octave
        if cell < COARSE_PX:
            break
        knots = [max(int(np.ceil(size / cell)) + 1, 2) for size in shape]
        total += np.float32(1.4 * weight) * enlarged(rng.standard_normal(knots, dtype=np.float32), small)
        norm += weight**2
    return total / np.float32(np.sqrt(norm))


def grain_field(
    rng: np.random.Generator,
    width: int,
    sigma_px: float = 0.0,
    *,
    stretch: float = 1.0,
    turn_deg: float = 0.0,
) -> TiledField:
    """Return fine noise of unit spread: white, or smoothed over ``sigma_px``, longer by ``stretch`` along one axis.

    Args:
        rng: Source of chance.
        width: Columns of the frame.
        sigma_px: Width of the Gaussian that smooths it across.
        stretch: How much wider it is along.
        turn_deg: Direction of the longer axis, clockwise from the column axis.
    """
    tiles = tuple(_grain_tile(rng, side, sigma_px, stretch, turn_deg) for side in _PERIODS)
    offsets = tuple((int(rng.integers(side)), int(rng.integers(side))) for side in _PERIODS)
    return TiledField(tiles, offsets, width)


def _grain_tile(
    rng: np.random.Generator, side: int, sigma_px: float, stretch: float, turn_deg: float
) -> FloatArray:
    """A periodic tile, smoothed in the Fourier plane."""
    noise = rng.standard_normal((side, side), dtype=np.float32)
    if sigma_px > 0:
        v, u = np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij")
        angle = np.radians(turn_deg)
        along, across = u * np.cos(angle) + v * np.sin(angle), v * np.cos(angle) - u * np.sin(angle)
        gain = np.exp(-2 * (np.pi * sigma_px) ** 2 * ((stretch * along) ** 2 + across**2))
        noise = np.fft.irfft2(np.fft.rfft2(noise) * gain, (side, side)).astype(np.float32)
    return np.asarray(noise / (noise.std() * np.float32(np.sqrt(len(_PERIODS)))), np.float32)


def swell_field(rng: np.random.Generator, width: int, wavelength_px: float, towards_deg: float) -> TiledField:
    """Return waves of about one length and direction, unit spread: a band of the Fourier plane."""
    tiles, offsets = [], []
    for side in _PERIODS:
        v, u = np.meshgrid(np.fft.fftfreq(side), np.fft.rfftfreq(side), indexing="ij")
        angle = np.radians(towards_deg)
        crest = u * np.sin(angle) - v * np.cos(angle), u * np.cos(angle) + v * np.sin(angle)
        ahead = np.exp(
            -(((np.abs(crest[0]) * wavelength_px - 1) / 0.25) ** 2) - (crest[1] * wavelength_px * 2.5) ** 2
        )
        noise = np.fft.rfft2(rng.standard_normal((side, side))) * ahead
        wave = np.fft.irfft2(noise, (side, side)).astype(np.float32)
        tiles.append(np.asarray(wave / (wave.std() * np.float32(np.sqrt(len(_PERIODS)))), np.float32))
        offsets.append((int(rng.integers(side)), int(rng.integers(side))))
    return TiledField(tuple(tiles), tuple(offsets), width)


@dataclass(frozen=True)
class Chance:
    """A number 0..1 for every cell of a grid, from a table: the same cell, the same number."""

    table: FloatArray
    """[4096]."""

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Chance:
        """Draw the table."""
        return cls(rng.random(_MASK + 1, dtype=np.float32))

    def of(self, *cells: NDArray[np.int32]) -> FloatArray:
        """Return numbers 0..1 of integer cell coordinates, arrays of one shape."""
        return self.table[self.index(*cells)]

    def index(self, *cells: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return table places 0..4095 of integer cell coordinates."""
        primes: Sequence[int] = (73_856_093, 19_349_663, 83_492_791, 49_979_687)
        with np.errstate(over="ignore"):
            mixed = np.zeros_like(cells[0], dtype=np.int32)
            for cell, prime in zip(cells, primes, strict=False):
                mixed ^= cell.astype(np.int32, copy=False) * np.int32(prime)
            mixed ^= mixed >> 13
            mixed *= np.int32(1_274_126_177)
            mixed ^= mixed >> 15
        return mixed & np.int32(_MASK)


def smoothstep(field: FloatArray, low: float, high: float) -> FloatArray:
    """Return 0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((field - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def blurred(image: FloatArray, sigma_px: float) -> FloatArray:
    """Return [C, H, W] blurred by a Gaussian within each band."""
    return np.stack([ndimage.gaussian_filter(band, sigma_px, truncate=3.0, mode="nearest") for band in image])
