"""Which end of a hull is the bow, and whether it moves: from its wake and its deck, with a probability.

A ship under way draws a wake behind it that is brighter than the water aside, for some hundred metres; most cargo ships
have their superstructure aft, and it is brighter than hatches. At 10 m both are a few pixels, so either is said only
where it is `DECIDED`. Parallax between bands is not used: at 10 knots the shift is half a pixel.

Measured in `signs`, turned into probabilities by a `model.MotionFit` that was fitted on simulated hulls; the card of a
model tells how often what it says is right.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from roadstead.core.geo import Array
from roadstead.detection.model import MotionFit

SIGNS: Final = ("first_end", "second_end", "aside", "deck")
"""`first_end`, `second_end`: how much brighter the water beyond that end is than the water aside of it, in units of
the spread there. `aside`: by how much the two sides differ, as they do at a quay. `deck`: how much brighter the third
of the hull at the first end is than that at the second. The first end is where the box's angle points."""
DECIDED: Final = 0.9
"""Least probability of what is said."""
_WAKE_PX: Final = 20.0
"""How far beyond an end a wake is looked for: a ship of 10 knots has gone that far in 40 s."""
_GAP_PX: Final = 1.0
"""Between the box, which runs half a pixel beyond the hull, and what is looked at."""
_ASIDE_PX: Final = (2.0, 7.0)
_LEAST_SPREAD: Final = 0.003
"""Of 8-bit true colour on glassy water; half a level is 0.002."""
_LEAST_SEEN: Final = 0.8
"""Share of the places on each side and beyond each end that must be in the tile and clear."""
_AFTER: Final = np.linspace(0.0, 1.0, 16)
_ACROSS: Final = np.linspace(-0.5, 0.5, 5)
_OUTWARD: Final = np.linspace(0.0, 1.0, 5)
_THIRD: Final = np.linspace(0.17, 0.46, 16)


def signs(shape: Array, light: NDArray[np.float32], clear: NDArray[np.bool_]) -> Array:
    """Measure `SIGNS` of each box; NaN where too little around it can be seen.

    Args:
        shape: [n, 5] boxes in pixels of the tile: centre col, row; long side, short side; angle of the long side.
        light: [S, S] mean of red, green and blue, 0..1.
        clear: [S, S] imaged and not known to be cloud.
    """
    measured = np.full((len(shape), len(SIGNS)), np.nan)
    parts = _looked_at(shape, light, clear)
    seen = np.isfinite(parts).mean(axis=2).min(axis=0) >= _LEAST_SEEN
    if seen.any():
        measured[seen] = _measured(parts[:, seen])
    return measured


def _looked_at(shape: Array, light: NDArray[np.float32], clear: NDArray[np.bool_]) -> Array:
    """Return [8, n, places] light.

    Beyond either end; aside of what lies there, on either side of each; the deck at either end.
    """
    long_, short = (np.maximum(shape[:, k], 1.0)[:, None, None] for k in (2, 3))
    after = long_ / 2 + _GAP_PX + _AFTER[:, None] * _WAKE_PX
    low, high = _ASIDE_PX
    outward = short / 2 + low + _OUTWARD * (high - low)
    ends, sides = (1.0, -1.0), (1.0, -1.0)
    places = [
        *((end * after, _ACROSS * short) for end in ends),
        *((end * after, side * outward) for end in ends for side in sides),
        *((end * _THIRD[:, None] * long_, 0.8 * _ACROSS * short) for end in ends),
    ]
    return np.stack([_seen(shape, light, clear, along, across) for along, across in places])


def _seen(
    shape: Array, light: NDArray[np.float32], clear: NDArray[np.bool_], along: Array, across: Array
) -> Array:
    """Return [n, places] light at places along and across each box, pixels from its centre; NaN where not clear."""
    cos, sin = (each(shape[:, 4])[:, None, None] for each in (np.cos, np.sin))
    col = np.floor(shape[:, 0, None, None] + along * cos - across * sin).astype(int)
    row = np.floor(shape[:, 1, None, None] + along * sin + across * cos).astype(int)
    high, wide = light.shape
    inside = (col >= 0) & (row >= 0) & (col < wide) & (row < high)
    col, row = np.clip(col, 0, wide - 1), np.clip(row, 0, high - 1)
    found = np.where(inside & clear[row, col], light[row, col], np.nan)
    return np.asarray(found.reshape(len(shape), len(_AFTER) * len(_ACROSS)), float)


def _measured(parts: Array) -> Array:
    """Return [n, 4] `SIGNS` from what `_looked_at` gives."""
    beside, deck = parts[2:6], parts[6:]
    level = np.nanmedian(beside, axis=2)
    spread = np.maximum(1.4826 * np.nanmedian(np.abs(beside - level[:, :, None]), axis=2), _LEAST_SPREAD)
    ends = []
    for strip, own in ((parts[0], slice(0, 2)), (parts[1], slice(2, 4))):
        # Of the two sides the darker is water where the other is land.
        darker = level[own].argmin(axis=0)[None]
        water, noise = (np.take_along_axis(each[own], darker, axis=0)[0] for each in (level, spread))
        ends.append((np.nanmean(strip, axis=1) - water) / noise)
    apart = np.abs(level[[0, 2]].mean(axis=0) - level[[1, 3]].mean(axis=0)) / spread.min(axis=0)
    brighter = np.nanmean(deck[0], axis=1) - np.nanmean(deck[1], axis=1)
    brighter /= np.nanstd(np.concatenate([deck[0], deck[1]], axis=1), axis=1) + _LEAST_SPREAD
    return np.column_stack([*ends, apart, brighter])


def moving_inputs(measured: Array, length_m: Array) -> Array:
    """Return [n, 6] what `MotionFit.moving` weighs, from [n, 4] `SIGNS` and lengths; the first column is 1."""
    ends = np.arcsinh(measured[:, :2])
    bright, faint = ends.max(axis=1), ends.min(axis=1)
    aside = np.arcsinh(measured[:, 2])
    return np.column_stack(
        [np.ones(len(ends)), bright, faint, bright - faint, aside, np.log(length_m / 100.0)]
    )


def bow_inputs(measured: Array) -> Array:
    """Return [n, 2] what `MotionFit.bow` weighs: it changes sign with the ends."""
    ends = np.arcsinh(measured[:, :2])
    return np.column_stack([ends[:, 1] - ends[:, 0], measured[:, 3]])


def probabilities(measured: Array, length_m: Array, fit: MotionFit | None) -> tuple[Array, Array]:
    """Return the probability [n] that a hull moves, and that [n] its bow is at the first end; NaN where unknown."""
    if fit is None:
        nothing = np.full(len(measured), np.nan)
        return nothing, nothing.copy()
    return (
        np.asarray(special.expit(moving_inputs(measured, length_m) @ np.array(fit.moving))),
        np.asarray(special.expit(bow_inputs(measured) @ np.array(fit.bow))),
    )
