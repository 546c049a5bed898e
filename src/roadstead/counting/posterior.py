"""How many hulls there were: exact distributions from what was detected, and from hulls of known lengths.

Each detection is a hull of the class asked for with its probability. Each such hull that was found at hit
rate q (recall times visible fraction) stands for one found and a geometric number missed; one more half
hull, at the mean hit rate, is Jeffreys' prior for a Poisson rate, so that nothing found still leaves room
for hulls missed. The number of hulls is the sum of all these, by convolution.

How many hulls there were, from those that a detector found and from hulls whose lengths are known.

Hulls that declared themselves show how detection depends on length, and how seen lengths spread about true ones. The
lengths of the new detections then tell how their population differs from that of the known hulls, as far as they
can: a mixture over length bins is fitted to them by expectation and maximisation, drawn towards the known hulls'.
Uncertainty is that of a Bayesian bootstrap (Rubin 1981, doi 10.1214/aos/1176345338) over the known hulls, of the
hulls missed, and of how much smaller the hulls may be than the known ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
BINS = 14
PRIOR_HULLS = 60.0
"""Hulls that the known population counts for beside the new detections."""
TILT_SD = 0.5
"""Hulls that do not declare themselves tend to be smaller than those that do: scale of the half-normal prior of by how
many e-folds their density falls a standard deviation of log length. Whether they are smaller at all is even. Our
judgement."""
LENGTH_WIDTH, SEEN_WIDTH = 0.2, 0.35
"""Kernels in log length: of the known, of the seen."""
REPLICATES = 80
EM_ROUNDS = 15


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


@dataclass(frozen=True)
class Known:
    """Hulls whose lengths are known, n of them, each once."""

    length_m: Array
    detected: Array
    """(n,) 1 where the detector found it, else 0."""
    seen_m: Array
    """(n,) length as seen; NaN where not."""


@dataclass(frozen=True)
class Population:
    """How many hulls there were."""

    value: float
    """Median, the hulls being as likely of the known ones' lengths as smaller, but for what the detections show."""
    low: float
    """2.5 %, were they of the known ones' lengths."""
    high: float
    """97.5 %, were they smaller, as much smaller as hulls that do not declare themselves may be."""


def population(known: Known, seen_m: Array, rng: np.random.Generator) -> Population:
    """Return how many hulls there were where a detector found some.

    Args:
        known: hulls to learn from, of much the same waters and seen by the same detector.
        seen_m: (k,) lengths of the detections, metres.
        rng: of the bootstrap.

    Raises:
        ValueError: no known hull was detected, or a length is not positive.
    """
    usable = (known.detected > 0) & np.isfinite(known.seen_m)
    if not usable.any() or (known.length_m <= 0).any() or (seen_m <= 0).any():
        raise ValueError("population: needs known hulls that were detected, and positive lengths")
    if not len(seen_m):
        return Population(0.0, 0.0, 0.0)
    model = _Model(known, np.log(seen_m))
    alike = np.array([model.draw(rng, 0.0) for _ in range(REPLICATES)])
    smaller = np.array([model.draw(rng, TILT_SD) for _ in range(REPLICATES)])
    value = np.median(np.concatenate([alike, smaller]))
    low, high = np.quantile(alike, 0.025), np.quantile(smaller, 0.975)
    return Population(float(value), float(low), max(float(high), float(value)))


class _Model:
    def __init__(self, known: Known, log_seen: Array) -> None:
        self.detected = known.detected.astype(float)
        self.log_length = np.log(known.length_m)
        self.centres = np.unique(np.quantile(self.log_length, (np.arange(BINS) + 0.5) / BINS))
        self.bin = np.abs(self.log_length[:, None] - self.centres[None]).argmin(axis=1)
        spread = max(float(self.log_length.std()), 0.05)
        self.scaled = (self.centres - self.log_length.mean()) / spread
        self.usable = (self.detected > 0) & np.isfinite(known.seen_m)
        both = self.log_length[self.usable], np.log(known.seen_m[self.usable])
        near = np.exp(-(((self.centres[None] - both[0][:, None]) / LENGTH_WIDTH) ** 2) / 2) + 1e-6
        self.kernel = np.exp(-(((log_seen[:, None] - both[1][None]) / SEEN_WIDTH) ** 2) / 2)
        self.near = near
        knots = np.column_stack([self._basis(self.log_length), self.detected])
        self.basis, self.k = knots[:, :-1], len(log_seen)

    def _basis(self, x: Array) -> Array:
        return np.column_stack([np.ones(len(x)), x - np.log(45.0), np.maximum(x - np.log(60.0), 0.0)])

    def draw(self, rng: np.random.Generator, tilt_sd: float) -> float:
        """Return one draw of the number of hulls."""
        weight = rng.exponential(size=len(self.detected))
        weight *= len(weight) / weight.sum()
        curve = _logistic(self.basis, self.detected, weight)
        found = np.clip(1 / (1 + np.exp(-self._basis(self.centres) @ curve)), 0.02, 0.999)
        share = np.bincount(self.bin, weight, len(self.centres)) + 1e-9
        share /= share.sum()
        # The curve is smooth; what it gets wrong on the whole is put right by the known hulls' own rate.
        rate = float(weight @ self.detected / weight.sum())
        right = float(share @ found) / rate
        near = self.near * weight[self.usable][:, None]
        like = self.kernel @ (near / near.sum(axis=0))
        tilt = abs(rng.normal(0.0, 1.0)) * tilt_sd
        prior = share * np.exp(-tilt * self.scaled)
        prior /= prior.sum()
        mix = prior
        for _ in range(EM_ROUNDS):
            each = like * (found * mix)
            hulls = (each / each.sum(axis=1, keepdims=True)).sum(axis=0) / found
            mix = (hulls + PRIOR_HULLS * prior) / (hulls.sum() + PRIOR_HULLS)
        chance = min(float(mix @ found) / right, 0.999)
        return self.k + float(rng.negative_binomial(self.k + 0.5, chance))


def _logistic(x: Array, y: Array, weight: Array) -> Array:
    """Return weighted logistic coefficients with a slight ridge, by Newton's steps."""
    penalty = np.array([1e-3, 0.02, 0.2])
    at = np.zeros(x.shape[1])
    for _ in range(12):
        p = 1 / (1 + np.exp(-np.clip(x @ at, -30, 30)))
        hessian = x.T @ (x * (weight * p * (1 - p) + 1e-9)[:, None]) + np.diag(penalty)
        step = np.linalg.solve(hessian, x.T @ (weight * (y - p)) - penalty * at)
        at = at + np.clip(step, -3, 3)
        if np.abs(step).max() < 1e-4:
            break
    return np.asarray(at)
