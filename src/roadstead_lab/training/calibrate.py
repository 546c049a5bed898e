"""Calibration: from raw scores to probabilities, from box lengths to hull lengths, and the shipped threshold.

Pure functions on arrays. What they are fed must come from places that the weights have not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from roadstead.core.schemas import CLASSES
from roadstead.detection.measure import class_probabilities
from roadstead.detection.model import ClassFit, SizeFit
from roadstead_lab.training.figures import ScoredScene, detection_figures, score_scene, trusted_matches
from roadstead_lab.training.scoring import Found

Floats = NDArray[np.float64]
_EDGE: Final = 1e-4
THRESHOLDS: Final = tuple(round(float(t), 3) for t in np.arange(0.1, 0.61, 0.02))

_OUTSIDE: Final = 0.1
"""Share of hulls beyond either end of a size's interval."""
_GROWTHS: Final = tuple(round(float(g), 2) for g in np.arange(0.0, 1.51, 0.05))
_REACH: Final = 4
"""Neighbours on either side that a threshold's F1 is averaged with: 0.08."""


@dataclass(frozen=True)
class Platt:
    """p = 1 / (1 + exp(-(a logit(score) + b))): Platt scaling of a score in 0..1 (Platt 1999)."""

    a: float
    b: float

    def __call__(self, score: Floats) -> Floats:
        """Give the probability of each score."""
        return np.asarray(special.expit(self.a * _logit(score) + self.b))


def _logit(score: Floats) -> Floats:
    return np.asarray(special.logit(np.clip(score, _EDGE, 1 - _EDGE)))


def fit_platt(score: Floats, ship: NDArray[np.bool_]) -> Platt:
    """Fit by maximum likelihood with Platt's smoothed targets, the slope kept positive (monotone).

    Args:
        score: [n] raw scores 0..1.
        ship: [n] whether each is a ship.

    Raises:
        ValueError: There is no ship or nothing but ships.
    """
    positive, negative = int(ship.sum()), int((~ship).sum())
    if not positive or not negative:
        raise ValueError("calibration needs both ships and false alarms")
    target = np.where(ship, (positive + 1) / (positive + 2), 1 / (negative + 2))
    x = _logit(score)

    def loss(parameters: Floats) -> float:
        z = parameters[0] * x + parameters[1]
        return float(-(target * special.log_expit(z) + (1 - target) * special.log_expit(-z)).mean())

    best = optimize.minimize(loss, (1.0, 0.0), bounds=((0.05, 5.0), (-10.0, 10.0)))
    return Platt(round(float(best.x[0]), 4), round(float(best.x[1]), 4))


def scored_pairs(scenes: Sequence[ScoredScene]) -> tuple[Floats, NDArray[np.bool_]]:
    """Collect (score, is a ship) of the detections that count under the 150 m rule."""
    pairs = [(s.found[one].p_vessel, True) for s in scenes for _, one in s.near.hits]
    pairs += [(s.found[one].p_vessel, False) for s in scenes for one in s.near.false_alarms]
    return np.array([p for p, _ in pairs], float), np.array([ship for _, ship in pairs], bool)


def fit_classes(p_class: Floats, truth: NDArray[np.intp]) -> ClassFit:
    """Fit temperature scaling (`detection.model.ClassFit`) by maximum likelihood.

    One number alone: weights of classes would carry over how common each is at the places that they are fitted on. The
    logarithm of the power is held near 0 by a normal prior of standard deviation 1.

    Args:
        p_class: [n, 3] class scores; their sum does not matter.
        truth: [n] index of the true class in `schemas.CLASSES`.
    """

    def loss(log_power: float) -> float:
        stated = class_probabilities(np.maximum(p_class, _EDGE), ClassFit(power=np.exp(log_power)))
        return float(0.5 * log_power**2 - np.log(stated[np.arange(len(truth)), truth]).sum())

    best = optimize.minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded").x
    return ClassFit(power=round(float(np.exp(best)), 4))


def class_pairs(scenes: Sequence[ScoredScene]) -> tuple[Floats, NDArray[np.intp]]:
    """Collect (class scores, index of the label's class) of `trusted_matches`."""
    matches = trusted_matches(scenes)
    scores = np.array([found.p_class for _, found in matches], float).reshape(-1, len(CLASSES))
    return scores, np.array([CLASSES.index(str(label.class_)) for label, _ in matches], np.intp)


def best_threshold(scenes: Sequence[ScoredScene]) -> tuple[float, list[dict[str, float | None]]]:
    """Find the score with the best strict F1 over all ships, averaged over neighbours within 0.08.

    Few ships make the curve jagged; the average finds the middle of its plateau instead of its highest tooth.

    Args:
        scenes: With `Found.p_vessel` the raw score, from weights that were not taught on their places.

    Returns:
        The threshold, and the F1 of every one tried.
    """
    tried = [_strict_f1(scenes, threshold) for threshold in THRESHOLDS]
    values = np.array([f1 or 0.0 for f1 in tried])
    smooth = np.convolve(np.pad(values, _REACH, mode="edge"), np.ones(2 * _REACH + 1), mode="valid")
    rows = [{"threshold": t, "strict_f1": f1} for t, f1 in zip(THRESHOLDS, tried, strict=True)]
    return THRESHOLDS[int(np.argmax(smooth))], rows


def _strict_f1(scenes: Sequence[ScoredScene], threshold: float) -> float | None:
    value = detection_figures([above(s, threshold).strict for s in scenes])["f1"]
    return None if value is None else float(value)


def above(scene: ScoredScene, threshold: float) -> ScoredScene:
    """Score a scene anew with the detections that reach a raw score."""
    kept = tuple(found for found in scene.found if found.p_vessel >= threshold)
    return score_scene(scene.scene_id, scene.labels, kept)


def stated(scene: ScoredScene, platt: Platt, classes: ClassFit) -> ScoredScene:
    """Turn the raw scores of a scene's detections into probabilities, and call each by its likeliest class."""
    found = tuple(_stated(one, platt, classes) for one in scene.found)
    return score_scene(scene.scene_id, scene.labels, found)


def _stated(found: Found, platt: Platt, classes: ClassFit) -> Found:
    p_class = class_probabilities(np.array([found.p_class]), classes)[0]
    return replace(
        found,
        p_vessel=float(platt(np.array([found.p_vessel]))[0]),
        p_class=tuple(p_class.tolist()),
        class_=CLASSES[int(p_class.argmax())],
    )


def fit_size(box_m: Floats, true_m: Floats) -> SizeFit:
    """Fit by least absolute deviations, which single wild boxes do not sway; the interval is the residuals' 10-90 %.

    How the interval grows with size is chosen by the pinball loss of its two ends (Koenker & Bassett 1978).

    Args:
        box_m: [n] lengths of detected boxes.
        true_m: [n] true lengths of their hulls.
    """
    start = np.polyfit(box_m, true_m, 1)

    def loss(line: Floats) -> float:
        return float(np.abs(line[0] * box_m + line[1] - true_m).mean())

    slope, intercept = optimize.minimize(loss, start, method="Nelder-Mead").x
    fits = [_interval(float(slope), float(intercept), growth, box_m, true_m) for growth in _GROWTHS]
    return min(fits, key=lambda pair: pair[0])[1]


def _interval(
    slope: float, intercept: float, growth: float, box_m: Floats, true_m: Floats
) -> tuple[float, SizeFit]:
    """Return the pinball loss of the best interval that grows so, and the fit with it."""
    size = slope * box_m + intercept
    residual, spread = true_m - size, SizeFit(growth=growth).spread(size)
    low, high = np.percentile(residual / spread, [100 * _OUTSIDE, 100 * (1 - _OUTSIDE)])
    below, above = residual - low * spread, residual - high * spread
    loss = np.maximum(_OUTSIDE * below, (_OUTSIDE - 1) * below) + np.maximum(
        (1 - _OUTSIDE) * above, -_OUTSIDE * above
    )
    ends = {"low": min(round(float(low), 3), 0.0), "high": max(round(float(high), 3), 0.0)}
    fit = SizeFit(slope=round(slope, 3), intercept=round(intercept, 3), growth=growth, **ends)
    return float(loss.mean()), fit


def shifted_to_ais(fit: SizeFit, measured_m: Floats, ais_m: Floats) -> SizeFit:
    """Move a fit's offset so that AIS vessels have no median error, and widen it until it holds 80 % of them.

    Args:
        fit: Fitted on simulated hulls, whose boxes fit tighter than boxes learnt from labels by eye.
        measured_m: [n] lengths measured with that fit.
        ais_m: [n] AIS lengths of the same vessels.
    """
    if not len(ais_m):
        return fit
    offset = float(np.median(measured_m - ais_m))
    rest = (ais_m - (measured_m - offset)) / fit.spread(measured_m - offset)
    reach = float(np.quantile(np.where(rest < 0, rest / fit.low, rest / fit.high), 1 - 2 * _OUTSIDE))
    wider = max(reach, 1.0)
    moved = {"intercept": fit.intercept - offset, "low": fit.low * wider, "high": fit.high * wider}
    return fit.model_copy(update={key: round(value, 3) for key, value in moved.items()})
