"""Random fields that textures are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from roadstead.simulate.ground import FloatArray, enlarged

Shape = tuple[int, int]


def smooth_noise(rng: np.random.Generator, shape: Shape, cell_px: float) -> FloatArray:
    """Return [H, W] noise of mean 0 and about unit spread that varies over ``cell_px`` pixels."""
    rows, cols = (max(int(np.ceil(size / cell_px)) + 1, 2) for size in shape)
    coarse = rng.standard_normal((rows, cols), dtype=np.float32)
    return enlarged(coarse, shape) * np.float32(1.4)


def fractal_noise(
    rng: np.random.Generator, shape: Shape, cell_px: float, octaves: int, *, roughness: float = 0.5
) -> FloatArray:
    """Return [H, W] noise with detail down to ``cell_px / 2 ** (octaves - 1)``, about unit spread."""
    total, norm = np.zeros(shape, np.float32), 0.0
    for octave in range(octaves):
        weight = roughness**octave
        total += np.float32(weight) * smooth_noise(rng, shape, cell_px / 2**octave)
        norm += weight**2
    return total / np.float32(np.sqrt(norm))


def patchwork(rng: np.random.Generator, shape: Shape, size_px: float, turn_deg: float) -> NDArray[np.int32]:
    """Return [H, W] numbers below 4096, constant over turned, bent blocks of about ``size_px`` pixels."""
    row, col = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in shape), indexing="ij")
    sine, cosine = np.float32(np.sin(np.radians(turn_deg))), np.float32(np.cos(np.radians(turn_deg)))
    bend = smooth_noise(rng, shape, size_px * 25) * np.float32(size_px * 2)
    u = ((col * cosine + row * sine + bend) / np.float32(size_px)).astype(np.int32)
    v = ((row * cosine - col * sine + bend) / np.float32(size_px * 0.7)).astype(np.int32)
    table = rng.integers(0, 4096, size=4096, dtype=np.int32)
    return np.asarray(table[(u * 61 + table[v & 4095]) & 4095], np.int32)


def smoothstep(field: FloatArray, low: float, high: float) -> FloatArray:
    """Return 0 below ``low``, 1 above ``high``, smooth between."""
    t = np.clip((field - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
