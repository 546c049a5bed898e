"""Shares and means of a stratified random sample of cells, with 95 % intervals.

A share is a ratio of two weighted sums (Horvitz and Thompson's weights; Cochran 1977, Sampling Techniques, ch. 6), its
variance that of the linearised ratio between the cells of each stratum. Its interval is that of Clopper and Pearson at
the effective sample size (Korn and Graubard 1998, Survey Methodology 24, 193-201), which holds its level in small
samples and near 0 and 1 (Franco et al. 2019, doi:10.1093/jssam/smy019). Kappa: Cohen 1960,
doi:10.1177/001316446002000104, with a bootstrap over cells.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import beta
from scipy.stats import t as student

Array = NDArray[np.float64]
LEVEL: Final = 0.95
DRAWS: Final = 1000
"""Of the bootstrap."""
_TAIL: Final = (1 - LEVEL) / 2


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float | None
    """None of nothing."""
    low: float | None
    high: float | None
    n: int
    """What it is a share or mean of, as counted."""
    cells: int

    @property
    def document(self) -> dict[str, Any]:
        """JSON-ready, four decimals."""

        def rounded(value: float | None) -> float | None:
            return None if value is None else round(value, 4)

        interval = None if self.low is None else [rounded(self.low), rounded(self.high)]
        return {
            "value": rounded(self.value),
            "interval_95": interval,
            "n": self.n,
            "cells": self.cells,
        }


def share(part: ArrayLike, whole: ArrayLike, weight: ArrayLike, strata: Sequence[Hashable]) -> Estimate:
    """Return the share of units that have something.

    Args:
        part: [m] units of each cell that have it.
        whole: [m] units of each cell.
        weight: [m] one over the probability that the cell is in the sample.
        strata: [m] stratum of each cell.
    """
    a, b, w = (np.asarray(v, float) for v in (part, whole, weight))
    cells, units = len(b), round(float(b.sum()))
    if not units:
        return Estimate(None, None, None, 0, cells)
    total = float((w * b).sum())
    p = float((w * a).sum()) / total
    variance, df = _variance(w * (a - p * b) / total, w, strata)
    kish = total**2 / float((w**2 * b).sum())
    inner = 0.0 < p < 1.0 and variance > 0.0
    n = min(p * (1 - p) / variance if inner else kish, float(units))
    if units > 1:
        n = min(n * (student.ppf(1 - _TAIL, units - 1) / student.ppf(1 - _TAIL, df)) ** 2, float(units))
    return Estimate(p, *_clopper_pearson(p * n, n), units, cells)


def _clopper_pearson(x: float, n: float) -> tuple[float, float]:
    low = 0.0 if x <= 0 else float(beta.ppf(_TAIL, x, n - x + 1))
    high = 1.0 if x >= n else float(beta.ppf(1 - _TAIL, x + 1, n - x))
    return low, high


def mean(value: ArrayLike, weight: ArrayLike, strata: Sequence[Hashable]) -> Estimate:
    """Return the mean over cells with Student's interval; arguments as of `share`.

    Where all cells are alike it tells how many cells could differ by one and not be in the sample.
    """
    y, w = (np.asarray(v, float) for v in (value, weight))
    if not len(y):
        return Estimate(None, None, None, 0, 0)
    middle = float((w * y).sum() / w.sum())
    if len(y) < 2:
        return Estimate(middle, None, None, len(y), len(y))
    variance, df = _variance(w * (y - middle) / w.sum(), w, strata)
    if not np.ptp(y):
        # No cell differs: how many may yet do so by one, unseen.
        reach = 1.0 - _TAIL ** (1.0 / len(y))
        return Estimate(middle, middle - reach, middle + reach, len(y), len(y))
    reach = float(student.ppf(1 - _TAIL, df)) * variance**0.5
    return Estimate(middle, middle - reach, middle + reach, len(y), len(y))


def _variance(z: Array, weight: Array, strata: Sequence[Hashable]) -> tuple[float, int]:
    """Return the variance of a sum over a stratified sample without replacement, and its degrees of freedom."""
    groups = _groups(strata)
    total = 0.0
    for rows in groups:
        if len(rows) > 1:
            # Weights are one over the sampling fraction: they sum to the cells of the stratum.
            left_out = max(1.0 - len(rows) / float(weight[rows].sum()), 0.0)
            total += left_out * len(rows) * float(np.var(z[rows], ddof=1))
    return total, max(len(z) - len(groups), 1)


def _groups(strata: Sequence[Hashable]) -> list[list[int]]:
    """Return the rows of each stratum; those of one cell alone are taken together, or with the largest."""
    by: dict[Hashable, list[int]] = {}
    for row, stratum in enumerate(strata):
        by.setdefault(stratum, []).append(row)
    groups = [rows for rows in by.values() if len(rows) > 1]
    alone = [rows[0] for rows in by.values() if len(rows) == 1]
    if len(alone) > 1 or not groups:
        return [*groups, *([alone] if alone else [])]
    if alone:
        max(groups, key=len).extend(alone)
    return groups


def cohen(table: ArrayLike) -> float | None:
    """Return Cohen's kappa of a square table of two reviewers; None where chance alone would agree always."""
    counts = np.asarray(table, float)
    total = counts.sum()
    if not total:
        return None
    agreed = float(np.trace(counts)) / total
    by_chance = float(counts.sum(0) @ counts.sum(1)) / total**2
    return None if by_chance >= 1.0 else (agreed - by_chance) / (1.0 - by_chance)


def positive_agreement(table: ArrayLike) -> float | None:
    """Return 2a / (2a + b + c) of [[both, first alone], [second alone, -]].

    Places where neither sees a ship are beyond number: as they grow kappa tends to this (Hripcsak and Rothschild 2005,
    doi:10.1197/jamia.M1733).
    """
    (both, first), (second, _) = np.asarray(table, float)
    whole = 2 * both + first + second
    return float(2 * both / whole) if whole else None


def agreement(
    tables: Sequence[ArrayLike], figure: Callable[[Array], float | None] = cohen, seed: int = 0
) -> Estimate:
    """Return a figure of agreement over cells with a percentile bootstrap over cells.

    Args:
        tables: one table of counts a cell, all of one shape; their sum is what the figure is of.
        figure: table -> agreement.
        seed: of the bootstrap, so that a page says the same each time.
    """
    if not tables:
        return Estimate(None, None, None, 0, 0)
    stacked = np.asarray(tables, float)
    total, cells = stacked.sum(0), len(stacked)
    value, n = figure(total), round(float(total.sum()))
    if value is None:
        return Estimate(None, None, None, n, cells)
    if value == 1.0:
        return Estimate(value, _lowest(total, figure), 1.0, n, cells)
    if cells < 2:
        return Estimate(value, None, None, n, cells)
    picks = np.random.default_rng(seed).integers(0, cells, (DRAWS, cells))
    drawn = [figure(stacked[pick].sum(0)) for pick in picks]
    known = [one for one in drawn if one is not None]
    if len(known) < DRAWS // 2:
        return Estimate(value, None, None, n, cells)
    low, high = (float(v) for v in np.percentile(known, [100 * _TAIL, 100 * (1 - _TAIL)]))
    return Estimate(value, low, high, n, cells) if low < high else Estimate(value, None, None, n, cells)


def _lowest(total: Array, figure: Callable[[Array], float | None]) -> float:
    """Return the lower end where all agree, by Clopper and Pearson's for the share that agrees."""
    agreed = float(_TAIL ** (1.0 / total.sum()))
    if figure is positive_agreement:
        return 2 * agreed / (1 + agreed)
    by_chance = float(total.sum(0) @ total.sum(1)) / float(total.sum()) ** 2
    return (agreed - by_chance) / (1 - by_chance)
