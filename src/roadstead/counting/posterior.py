"""Exact distributions of how many hulls there were, given what was detected.

Each detection is a hull of the class asked for with its probability. Each such hull that was found at hit
rate q (recall times visible fraction) stands for one found and a geometric number missed; one more half
hull, at the mean hit rate, is Jeffreys' prior for a Poisson rate, so that nothing found still leaves room
for hulls missed. The number of hulls is the sum of all these, by convolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce

import numpy as np
from scipy.stats import beta, nbinom

from roadstead.core.geo import Array

LEVEL = 0.9
TAIL = 1e-6
MOST = 2000
"""Longest distribution kept, hulls."""
MIN_HIT_RATE = 0.02
RECALL_POINTS = ((0.1, 0.3), (0.5, 0.4), (0.9, 0.3))
"""Quantiles and weights that stand for a distribution (Swanson's mean, Hurst et al. 2000)."""


def poisson_binomial(p: Array) -> Array:
    """Return the distribution of a sum of independent yes/no events with probabilities ``p``."""
    return reduce(np.convolve, [np.array([1 - x, x]) for x in p], np.ones(1))


def hulls(p: Array, hit_rate: Array, unseen_hit_rate: float) -> Array:
    """Return the distribution of the number of hulls there.

    Args:
        p: (k,) probability that each detection is a hull of the class asked for.
        hit_rate: (k,) chance that a hull like it is visible and detected.
        unseen_hit_rate: the same for a hull of which nothing is known.
    """
    parts = [_missed(0.5, unseen_hit_rate)]
    for x, q in zip(p, hit_rate, strict=True):
        one = np.r_[0.0, _missed(1.0, float(q))] * x
        one[0] = 1 - x
        parts.append(one)
    return reduce(_convolve, parts)


@lru_cache(maxsize=4096)
def _missed(size: float, hit_rate: float) -> Array:
    q = max(hit_rate, MIN_HIT_RATE)
    longest = min(int(nbinom.isf(TAIL, size, q)) + 1, MOST)
    mass = nbinom.pmf(np.arange(longest + 1), size, q)
    return np.asarray(mass / mass.sum())


def _convolve(a: Array, b: Array) -> Array:
    both = np.convolve(a, b)
    keep = min(int(np.searchsorted(np.cumsum(both), 1 - TAIL)) + 1, MOST)
    return np.asarray(both[:keep] / both[:keep].sum())


def interval(mass: Array, value: float) -> tuple[float, float]:
    """Return the shortest interval with 90 % of a distribution over 0, 1, ..., widened to hold ``value``.

    Counts are whole numbers, so equal tails would hold well over 90 %; of equally short intervals the
    likeliest is taken.
    """
    total = np.r_[0.0, np.cumsum(mass)]
    low = np.arange(len(mass))
    high = np.searchsorted(total, total[:-1] + LEVEL - TAIL) - 1
    fits = high < len(mass)
    low, high = low[fits], high[fits]
    held = total[high + 1] - total[low]
    best = np.lexsort((-held, high - low))[0]
    return min(float(low[best]), value), max(float(high[best]), value)


def mix(masses: Sequence[Array], weights: Sequence[float]) -> Array:
    """Return the weighted mean of distributions of different lengths."""
    out = np.zeros(max(len(mass) for mass in masses))
    for mass, weight in zip(masses, weights, strict=True):
        out[: len(mass)] += weight * mass
    return out


@lru_cache(maxsize=256)
def recall_points(recall: float, n: float) -> tuple[tuple[float, float], ...]:
    """Return (recall, weight) points for a recall measured on ``n`` hulls (Jeffreys posterior)."""
    posterior = beta(recall * n + 0.5, (1 - recall) * n + 0.5)
    return tuple((float(posterior.ppf(at)), weight) for at, weight in RECALL_POINTS)
