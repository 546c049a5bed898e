"""Calibration: from raw scores to probabilities, from box lengths to hull lengths, and the shipped threshold.

Pure functions on arrays. What they are fed must come from places that the weights have not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from roadstead.detection.measure import class_probabilities
from roadstead.detection.model import ClassFit
from roadstead.tables import CLASSES
from roadstead.training.figures import ScoredScene, detection_figures, score_scene, trusted_matches
from roadstead.training.scoring import Found

Floats = NDArray[np.float64]
_EDGE: Final = 1e-4
THRESHOLDS: Final = tuple(round(float(t), 3) for t in np.arange(0.1, 0.61, 0.02))

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
    """Fit vector scaling (`detection.model.ClassFit`) by maximum likelihood.

    The logarithms of power and weights are held near 0 by a normal prior of standard deviation 1, so that a class with
    a few ships, or none, is not scaled by chance.

    Args:
        p_class: [n, 3] class scores; their sum does not matter.
        truth: [n] index of the true class in `tables.CLASSES`.
    """
    if not len(truth):
        return ClassFit()

    def loss(logs: Floats) -> float:
        stated = class_probabilities(np.maximum(p_class, _EDGE), _class_fit(logs))[
            np.arange(len(truth)), truth
        ]
        return float(0.5 * (logs**2).sum() - np.log(stated).sum())

    return _class_fit(optimize.minimize(loss, np.zeros(1 + len(CLASSES))).x, digits=4)


def _class_fit(logs: Floats, digits: int = 12) -> ClassFit:
    power, *weight = (round(float(value), digits) for value in np.exp(logs))
    return ClassFit(power=power, weight=tuple(weight))


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


@dataclass(frozen=True)
class LengthFit:
    """Hull length = slope * box length + intercept, with an 80 % interval around it in metres."""

    slope: float
    intercept: float
    low: float
    high: float
    n: int

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON."""
        return asdict(self)


def fit_length(box_m: Floats, true_m: Floats) -> LengthFit:
    """Fit by least absolute deviations, which single wild boxes do not sway; the interval is the residuals' 10-90 %.

    Args:
        box_m: [n] lengths of detected boxes.
        true_m: [n] true lengths of their hulls.
    """
    start = np.polyfit(box_m, true_m, 1)

    def loss(line: Floats) -> float:
        return float(np.abs(line[0] * box_m + line[1] - true_m).mean())

    slope, intercept = optimize.minimize(loss, start, method="Nelder-Mead").x
    residual = true_m - (slope * box_m + intercept)
    low, high = np.percentile(residual, [10, 90])
    values = [round(float(value), 3) for value in (slope, intercept, low, high)]
    return LengthFit(values[0], values[1], values[2], values[3], n=len(box_m))


def shifted_to_ais(fit: LengthFit, errors: Floats) -> LengthFit:
    """Move a fit's offset so that AIS vessels have no median error, and widen it until it holds 80 % of them.

    Args:
        fit: Fitted on simulated hulls, whose boxes fit tighter than boxes learnt from labels by eye.
        errors: [n] measured minus AIS length with that fit, metres.
    """
    if not len(errors):
        return fit
    offset = float(np.median(errors))
    rest = offset - errors
    reach = float(np.quantile(np.where(rest < 0, rest / fit.low, rest / fit.high), 0.8))
    wider = max(reach, 1.0)
    return LengthFit(
        fit.slope,
        round(fit.intercept - offset, 3),
        round(fit.low * wider, 3),
        round(fit.high * wider, 3),
        n=fit.n,
    )
