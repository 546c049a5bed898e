"""Chance by key and counter: the same number for the same report, whoever asks and in whatever order."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from roadstead.core.geo import Array

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def uniforms(key: int, counters: ArrayLike, stream: int = 0) -> Array:
    """Return [n] numbers in [0, 1), one a counter.

    The finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).

    Args:
        key: Whose chance it is, 0 to 2^63 - 1.
        counters: [n] whole numbers, e.g. seconds.
        stream: Which of several independent numbers of one counter.
    """
    salt = np.array([key], np.uint64) + np.array([stream + 1], np.uint64) * np.uint64(0xD1342543DE82EF95)
    z: NDArray[np.uint64] = (np.asarray(counters).astype(np.uint64) + _mixed(salt)) * _GOLDEN
    return np.asarray((_mixed(z) >> np.uint64(11)) / 2.0**53)


def normals(key: int, counters: ArrayLike, stream: int = 0) -> Array:
    """Return [n] standard normal numbers, one a counter (Box and Muller); streams count in twos."""
    u, v = uniforms(key, counters, stream), uniforms(key, counters, stream + 1)
    return np.asarray(np.sqrt(-2.0 * np.log1p(-u)) * np.cos(2.0 * np.pi * v))


def _mixed(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
