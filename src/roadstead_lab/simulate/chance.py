"""Chance that does not depend on order: one generator for every named thing of a simulated world."""

from __future__ import annotations

import zlib

import numpy as np


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return the generator of one named thing, the same whatever was drawn before.

    Args:
        seed: The world's seed, not negative.
        names: What the thing is, e.g. ``"nampo", "overpass", 2``.
    """
    keys = [zlib.crc32(str(name).encode()) for name in names]
    return np.random.default_rng([seed, *keys])
