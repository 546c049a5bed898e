"""A blind test by machine: how well does a simple classifier tell simulated chips from real ones?

Its figure is the area under the ROC curve: 0.5 is guessing, 1 is no doubt. It is had twice. With chips dealt out by
chance the classifier may also learn what the few real places look like, so the figure errs towards "told apart".
With places kept apart it must know simulation as such; that needs several places of like weight and is left out
where one place holds most of the chips. Only pairs within a fold are compared, since folds score on their own scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from roadstead_lab.training.realism.sheets import Chip

Rows = NDArray[np.float64]
FOLDS: Final = 5
_RINGS: Final = 10
_RIDGE: Final = 0.3
"""Share of the pooled covariance that is made round (Friedman 1989): there are about as many features as ships."""
_DRAWS: Final = 400
_LEAST_CHIPS: Final = 8
_LEAST_PLACES: Final = 4


@dataclass(frozen=True)
class Area:
    """Area under the ROC curve, and the 5-95 % of a bootstrap over places and scenes."""

    auc: float
    low: float
    high: float


@dataclass(frozen=True)
class Blind:
    """What the classifier made of one kind of chip; None where there are too few chips or places."""

    n_real: int
    n_simulated: int
    by_chance: Area | None
    """Folds dealt out chip by chip."""
    places_apart: Area | None
    """Folds of whole places and scenes."""


def blind_test(real: Sequence[Chip], simulated: Sequence[Chip], rng: np.random.Generator) -> Blind:
    """Cross-validate a linear discriminant on spectrum and band statistics of chips.

    Args:
        real: Real chips.
        simulated: Simulated chips.
        rng: Source of chance of folds and bootstrap.
    """
    if min(len(real), len(simulated)) < _LEAST_CHIPS:
        return Blind(len(real), len(simulated), None, None)
    chips = [*real, *simulated]
    features = np.array([chip_features(chip.rgb) for chip in chips])
    truth = np.array([not chip.real for chip in chips])
    single = np.array([str(index) for index in range(len(chips))])
    places = np.array([chip.place for chip in chips])
    by_chance = _area(features, truth, single, places, rng)
    apart = _area(features, truth, places, places, rng) if _spread_out(places[~truth]) else None
    return Blind(len(real), len(simulated), by_chance, apart)


def _spread_out(places: NDArray[np.str_]) -> bool:
    """Whether real chips come from enough places, none of which holds most of them."""
    counts = np.unique(places, return_counts=True)[1]
    return bool(len(counts) >= _LEAST_PLACES and counts.max() <= len(places) / 2)


def _area(
    features: Rows,
    truth: NDArray[np.bool_],
    together: NDArray[np.str_],
    places: NDArray[np.str_],
    rng: np.random.Generator,
) -> Area:
    """Cross-validate with `together` kept in one fold; the bootstrap draws whole places."""
    fold = _folds(together, truth, rng)
    scores = _scores(features, truth, fold)
    whole = np.arange(len(truth))
    draws = [_auc_in_folds(scores, truth, fold, _drawn(truth, places, rng)) for _ in range(_DRAWS)]
    low, high = np.nanquantile(draws, [0.05, 0.95])
    return Area(*(round(float(v), 3) for v in (_auc_in_folds(scores, truth, fold, whole), low, high)))


def chip_features(rgb: NDArray[np.uint8]) -> Rows:
    """Describe a chip: level, spread, quantiles and correlation of bands; radial power spectrum of its light."""
    image = rgb.astype(np.float64) / 255
    flat = image.reshape(-1, 3)
    light = image.mean(2)
    power = np.abs(np.fft.fft2(light - light.mean())) ** 2 / light.size
    frequency = np.hypot(np.fft.fftfreq(light.shape[0])[:, None], np.fft.fftfreq(light.shape[1])[None])
    ring = np.minimum((frequency * 2 * _RINGS).astype(int), _RINGS)
    spectrum = np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel())
    together = np.corrcoef(flat.T + 1e-9 * np.arange(flat.size).reshape(3, -1))
    return np.concatenate(
        [
            flat.mean(0),
            np.log(flat.std(0) + 1e-3),
            np.quantile(flat, [0.05, 0.5, 0.95], axis=0).ravel(),
            together[np.triu_indices(3, 1)],
            np.log(spectrum + 1e-6),
        ]
    )


def _folds(groups: NDArray[np.str_], truth: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int64]:
    """[n] fold of each chip: whole groups go to one fold, real and simulated dealt out apart, largest first."""
    fold = np.zeros(len(groups), np.int64)
    for side in (False, True):
        names, counts = np.unique(groups[truth == side], return_counts=True)
        order = np.lexsort((rng.random(len(names)), -counts))
        filled = np.zeros(FOLDS)
        for index in order:
            lightest = int(np.argmin(filled))
            filled[lightest] += counts[index]
            fold[(groups == names[index]) & (truth == side)] = lightest
    return fold


def _scores(features: Rows, truth: NDArray[np.bool_], fold: NDArray[np.int64]) -> Rows:
    """[n] score of each chip by a discriminant that has not seen its fold."""
    scores = np.zeros(len(features))
    for number in np.unique(fold):
        held = fold == number
        if len(set(truth[~held])) == 2:
            scores[held] = _discriminant(features[~held], truth[~held], features[held])
    return scores


def _discriminant(known: Rows, truth: NDArray[np.bool_], asked: Rows) -> Rows:
    """Fisher's linear discriminant with a shrunk covariance; standardised by the known chips."""
    middle, spread = known.mean(0), known.std(0) + 1e-9
    x, new = (known - middle) / spread, (asked - middle) / spread
    means = [x[truth == side].mean(0) for side in (False, True)]
    left = np.where(truth[:, None], x - means[1], x - means[0])
    covariance = left.T @ left / len(x)
    covariance = (1 - _RIDGE) * covariance + _RIDGE * np.trace(covariance) / len(covariance) * np.eye(
        len(covariance)
    )
    weights = np.linalg.solve(covariance, means[1] - means[0])
    return np.asarray((new - (means[0] + means[1]) / 2) @ weights)


def auc(scores: Rows, truth: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the chance that a simulated chip scores above a real one (Mann-Whitney)."""
    ranks = stats.rankdata(scores)
    above, below = int(truth.sum()), int((~truth).sum())
    return float((ranks[truth].sum() - above * (above + 1) / 2) / (above * below))


def _auc_in_folds(
    scores: Rows, truth: NDArray[np.bool_], fold: NDArray[np.int64], chosen: NDArray[np.int64]
) -> float:
    """Mean area over folds, weighted by their pairs of a real and a simulated chip; NaN without a pair."""
    areas, pairs = [], []
    for number in np.unique(fold[chosen]):
        index = chosen[fold[chosen] == number]
        count = int(truth[index].sum()) * int((~truth[index]).sum())
        if count:
            areas.append(auc(scores[index], truth[index]))
            pairs.append(count)
    return float(np.average(areas, weights=pairs)) if pairs else float("nan")


def _drawn(truth: NDArray[np.bool_], places: NDArray[np.str_], rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices of one draw of places with replacement, real and simulated apart."""
    chosen: list[NDArray[np.int64]] = []
    for side in (False, True):
        names = np.unique(places[truth == side])
        drawn = rng.choice(names, len(names))
        chosen += [np.flatnonzero((places == name) & (truth == side)) for name in drawn]
    return np.concatenate(chosen)
