"""Figures from scored scenes, each with its n and a 95 % interval where one can be given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from roadstead.core.geo import axis_difference_deg
from roadstead.core.oriented_boxes import Rule
from roadstead.core.schemas import CLASSES
from roadstead_lab.training.places import Label
from roadstead_lab.training.scoring import LEAST_LENGTH_M, Found, Outcome, axis_deg, score

LENGTH_BINS_M: Final[tuple[tuple[int, int | None], ...]] = (
    (0, 45),
    (45, 60),
    (60, 90),
    (90, 130),
    (130, 170),
    (170, 230),
    (230, None),
)
"""Those of `schemas.LENGTH_BINS`, metres; the last has no upper end."""
TRUSTED: Final = ("high", "med")
"""Confidences of labels that class figures are taken on: below them annotators disagree too often."""
DRY_CARGO: Final = ("barge", "bulk_carrier")
_Lengths = tuple[float, float]
_ANY_LENGTH: Final[_Lengths] = (0.0, float("inf"))
_RESAMPLES: Final = 2000
WITHIN_DEG: Final = 10.0


@dataclass(frozen=True)
class ScoredScene:
    """A scene's labels and detections with their outcomes under both rules."""

    scene_id: str
    labels: tuple[Label, ...]
    found: tuple[Found, ...]
    strict: Outcome
    near: Outcome


def score_scene(scene_id: str, labels: tuple[Label, ...], found: tuple[Found, ...]) -> ScoredScene:
    """Score a scene under both rules."""
    return ScoredScene(scene_id, labels, found, score(labels, found, "strict"), score(labels, found, "near"))


def summary(scenes: Sequence[ScoredScene]) -> dict[str, Any]:
    """Every figure over some scenes: detection, class, length, axis, counts, recall by length."""
    return {
        "scenes": len(scenes),
        "strict": detection_figures([scene.strict for scene in scenes]),
        "near_150m": detection_figures([scene.near for scene in scenes]),
        "class": class_figures(scenes),
        "length_m": length_figures(scenes),
        "axis_deg": axis_figures(scenes),
        "count_mae": count_figures(scenes),
        "recall_by_length": recall_by_length(scenes),
    }


def detection_figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """F1, precision and recall; the interval resamples ships and false alarms."""
    hits = sum(len(outcome.hits) for outcome in outcomes)
    missed = sum(len(outcome.missed) for outcome in outcomes)
    alarms = sum(len(outcome.false_alarms) for outcome in outcomes)
    return {
        "f1": f1(hits, missed, alarms),
        "f1_95": f1_interval(hits, missed, alarms),
        "precision": ratio(hits, hits + alarms),
        "precision_95": wilson(hits, hits + alarms),
        "recall": ratio(hits, hits + missed),
        "recall_95": wilson(hits, hits + missed),
        "n_ships": hits + missed,
        "n_false_alarms": alarms,
    }


def f1(hits: float, missed: float, alarms: float) -> float | None:
    """Harmonic mean of precision and recall; None where there is nothing to find and nothing found."""
    total = 2 * hits + missed + alarms
    return round(2 * hits / total, 4) if total else None


def ratio(part: int, whole: int) -> float | None:
    """Share, or None of nothing."""
    return round(part / whole, 4) if whole else None


def wilson(part: int, whole: int) -> list[float] | None:
    """95 % Wilson score interval of a share; None of nothing."""
    if not whole:
        return None
    interval = stats.binomtest(part, whole).proportion_ci(0.95, method="wilson")
    return [round(float(interval.low), 4), round(float(interval.high), 4)]


def poisson_95(events: int, exposure: float) -> list[float] | None:
    """Exact 95 % interval of a Poisson rate per unit of exposure (Garwood 1936); None of no exposure."""
    if not exposure:
        return None
    low = stats.chi2.ppf(0.025, 2 * events) / 2 if events else 0.0
    high = stats.chi2.ppf(0.975, 2 * events + 2) / 2
    return [round(float(low / exposure), 4), round(float(high / exposure), 4)]


def resampled(
    values: Sequence[float] | NDArray[np.float64], statistic: Callable[..., Any] = np.mean
) -> list[float] | None:
    """95 % bootstrap interval of a statistic over values as independent draws; None of fewer than two values.

    Args:
        values: [n], or [n, k] rows that are drawn whole.
        statistic: `numpy.mean`, `numpy.median` or another of [draws, n] or [draws, n, k] that takes an axis.
    """
    drawn_from = np.asarray(values, float)
    if len(drawn_from) < 2:
        return None
    picks = np.random.default_rng(0).integers(len(drawn_from), size=(_RESAMPLES, len(drawn_from)))
    low, high = np.percentile(statistic(drawn_from[picks], axis=1), [2.5, 97.5])
    return [round(float(low), 3), round(float(high), 3)]


def f1_interval(hits: int, missed: int, alarms: int) -> list[float] | None:
    """95 % bootstrap interval of F1 over hits, misses and false alarms as independent draws."""
    total = hits + missed + alarms
    if not total:
        return None
    return [round(float(v), 4) for v in np.percentile(f1_draws(hits, missed, alarms), [2.5, 97.5])]


def f1_draws(hits: int, missed: int, alarms: int, *, seed: int = 0) -> NDArray[np.float64]:
    """Return F1 of many bootstrap draws of hits, misses and false alarms."""
    total = hits + missed + alarms
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(total, np.array([hits, missed, alarms]) / total, size=_RESAMPLES)
    return np.asarray(2 * draws[:, 0] / np.maximum(2 * draws[:, 0] + draws[:, 1] + draws[:, 2], 1))


def _matches(scenes: Sequence[ScoredScene], rule: Rule) -> list[tuple[Label, Found]]:
    outcomes = ((s, s.strict if rule == "strict" else s.near) for s in scenes)
    return [(s.labels[ship], s.found[one]) for s, outcome in outcomes for ship, one in outcome.hits]


def class_figures(scenes: Sequence[ScoredScene]) -> dict[str, Any]:
    """F1 per class and the confusion, among 150 m matches whose label is of high or medium confidence."""
    return class_table([(str(label.class_), found.class_) for label, found in trusted_matches(scenes)])


def trusted_matches(scenes: Sequence[ScoredScene]) -> list[tuple[Label, Found]]:
    """List the 150 m matches whose label is of high or medium confidence."""
    return [(label, found) for label, found in _matches(scenes, "near") if label.confidence in TRUSTED]


def class_table(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """F1 per class and the confusion of (true, found) class names."""
    tally = Counter(pairs)
    confusion = [[tally[truth, seen] for seen in CLASSES] for truth in CLASSES]
    return {
        "n": len(pairs),
        "f1": {name: _class_f1(np.array(confusion), k) for k, name in enumerate(CLASSES)},
        "confusion": {"rows_truth_columns_found": list(CLASSES), "counts": confusion},
    }


def _class_f1(confusion: NDArray[np.int64], k: int) -> dict[str, Any]:
    hits = int(confusion[k, k])
    missed, wrong = int(confusion[k].sum()) - hits, int(confusion[:, k].sum()) - hits
    return {
        "f1": f1(hits, missed, wrong),
        "f1_95": f1_interval(hits, missed, wrong),
        "n": hits + missed,
        "recall": ratio(hits, hits + missed),
        "recall_95": wilson(hits, hits + missed),
    }


def length_figures(scenes: Sequence[ScoredScene]) -> dict[str, Any]:
    """Length against the label, over strict matches; labels by eye run some 9 m longer than hulls."""
    errors = [found.length_m - label.length_m for label, found in _matches(scenes, "strict")]
    return {
        "n": len(errors),
        "mae_against_label": round(float(np.mean(np.abs(errors))), 2) if errors else None,
        "mae_against_label_95": resampled(np.abs(errors)),
        "bias_against_label": round(float(np.mean(errors)), 2) if errors else None,
        "bias_against_label_95": resampled(errors),
    }


def axis_figures(scenes: Sequence[ScoredScene]) -> dict[str, Any]:
    """Axis error over 150 m matches of ships over 100 m."""
    errors = [
        axis_difference_deg(axis_deg(label.corners), axis_deg(found.corners))
        for label, found in _matches(scenes, "near")
        if label.length_m > 100
    ]
    return axis_table(errors)


def axis_table(errors_deg: Sequence[float]) -> dict[str, Any]:
    """Mean absolute axis error and the share within 10 degrees."""
    within = sum(error <= WITHIN_DEG for error in errors_deg)
    return {
        "n": len(errors_deg),
        "mae": round(float(np.mean(errors_deg)), 2) if errors_deg else None,
        "mae_95": resampled(errors_deg),
        "within_10_deg": ratio(within, len(errors_deg)),
        "within_10_deg_95": wilson(within, len(errors_deg)),
    }


def count_figures(scenes: Sequence[ScoredScene]) -> dict[str, Any]:
    """Mean absolute error of counts per scene: each class, dry cargo, and all ships.

    `dry_cargo_60_170m` counts dry cargo whose label is 60-170 m long; a false alarm counts by its own length. Beside
    each name stands ``<name>_95``, a 95 % interval that draws the scenes anew (None of a single scene).
    """
    groups: dict[str, tuple[tuple[str, ...], _Lengths]] = {name: ((name,), _ANY_LENGTH) for name in CLASSES}
    groups["dry_cargo"] = (DRY_CARGO, _ANY_LENGTH)
    groups["dry_cargo_60_170m"] = (DRY_CARGO, (60.0, 170.0))
    groups["all"] = (CLASSES, _ANY_LENGTH)
    result: dict[str, Any] = {"n_scenes": len(scenes)}
    for name, group in groups.items():
        errors = [abs(_counted(scene, *group) - _true(scene, *group)) for scene in scenes]
        result[name] = round(float(np.mean(errors)), 3) if errors else None
        result[f"{name}_95"] = resampled(errors)
    return result


def _true(scene: ScoredScene, classes: tuple[str, ...], lengths: _Lengths) -> int:
    return sum(
        label.required and label.class_ in classes and _between(label.length_m, lengths)
        for label in scene.labels
    )


def _counted(scene: ScoredScene, classes: tuple[str, ...], lengths: _Lengths) -> int:
    """Detections that count: on required ships, by the label's length, and false alarms."""
    sized = [(one, scene.labels[ship].length_m) for ship, one in scene.near.hits]
    sized += [(one, scene.found[one].length_m) for one in scene.near.false_alarms]
    return sum(scene.found[one].class_ in classes and _between(length, lengths) for one, length in sized)


def _between(length_m: float, lengths: _Lengths) -> bool:
    return lengths[0] <= length_m <= lengths[1]


def recall_by_length(scenes: Sequence[ScoredScene]) -> list[dict[str, Any]]:
    """Share of ships found under the 150 m rule, by label length.

    The lowest bin holds labelled small ships that need not be found; smaller craft are labelled here and there only.
    """
    return recall_rows([ship for scene in scenes for ship in sought(scene)])


@dataclass(frozen=True)
class SoughtShip:
    """A ship that was there, found or not."""

    number: int
    """Of its label in the scene."""
    length_m: float
    found: bool


def sought(scene: ScoredScene) -> list[SoughtShip]:
    """List a scene's labelled ships, those under 45 m too, as found under the 150 m rule."""
    found = {ship for ship, _ in (*scene.near.hits, *scene.near.optional)}
    return [
        SoughtShip(number, label.length_m, number in found)
        for number, label in enumerate(scene.labels)
        if label.use == "yes" and (label.required or label.length_m < LEAST_LENGTH_M)
    ]


def recall_rows(ships: Sequence[SoughtShip]) -> list[dict[str, Any]]:
    """Share of ships found in each length bin, with its n and Wilson interval."""
    rows = []
    for low, high in LENGTH_BINS_M:
        here = [ship.found for ship in ships if in_bin(ship.length_m, (low, high))]
        interval: Sequence[float | None] = wilson(sum(here), len(here)) or [None, None]
        share = {"recall": ratio(sum(here), len(here)), "low": interval[0], "high": interval[1]}
        rows.append({"low_m": low, "high_m": high, **share, "n": len(here)})
    return rows


def in_bin(length_m: float, bin_m: tuple[int, int | None]) -> bool:
    """Tell whether a length belongs to a bin: its low end does, its high end does not."""
    low, high = bin_m
    return low <= length_m and (high is None or length_m < high)


def reliability(scenes: Sequence[ScoredScene], *, bins: int = 5) -> list[dict[str, Any]]:
    """Stated probability against the share that are ships, by 150 m outcome; neutral detections are left out."""
    scored = [(s.found[one].p_vessel, 1) for s in scenes for _, one in s.near.hits]
    scored += [(s.found[one].p_vessel, 0) for s in scenes for one in s.near.false_alarms]
    values = np.array(scored, float).reshape(-1, 2)
    bin_of = np.minimum((values[:, 0] * bins).astype(int), bins - 1)
    return [_reliability_row(values[bin_of == k], k / bins, (k + 1) / bins) for k in range(bins)]


def _reliability_row(values: NDArray[np.float64], low: float, high: float) -> dict[str, Any]:
    count, ships = len(values), int(values[:, 1].sum())
    return {
        "low": round(low, 2),
        "high": round(high, 2),
        "n": count,
        "stated": round(float(values[:, 0].mean()), 3) if count else None,
        "share_ships": ratio(ships, count),
        "share_ships_95": wilson(ships, count),
    }


def kept(found: Sequence[Found], least_p: float) -> tuple[Found, ...]:
    """Keep the detections at least this probable."""
    return tuple(one for one in found if one.p_vessel >= least_p)
