"""Figures broken down: detection and classes by length, and how far class probabilities hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from roadstead.core.schemas import CLASSES
from roadstead_lab.training.figures import (
    LENGTH_BINS_M,
    ScoredScene,
    class_table,
    detection_figures,
    in_bin,
    ratio,
    trusted_matches,
    wilson,
)
from roadstead_lab.training.scoring import LEAST_LENGTH_M, Outcome

BINS: Final = 5
"""Of stated probability."""
_Bin = tuple[int, int | None]


def by_length(scenes: Sequence[ScoredScene]) -> list[dict[str, Any]]:
    """Detection under both rules and classes, by length: of ships by the label's, of false alarms by their own.

    Bins begin at 45 m: shorter ships need not be found.
    """
    return [_of_length(scenes, bin_m) for bin_m in LENGTH_BINS_M if bin_m[0] >= LEAST_LENGTH_M]


def _of_length(scenes: Sequence[ScoredScene], bin_m: _Bin) -> dict[str, Any]:
    pairs = [(a, b) for a, b in trusted_matches(scenes) if in_bin(a.length_m, bin_m)]
    return {
        "low_m": bin_m[0],
        "high_m": bin_m[1],
        "strict": detection_figures([_within(s, s.strict, bin_m) for s in scenes]),
        "near_150m": detection_figures([_within(s, s.near, bin_m) for s in scenes]),
        "class": class_table([(str(label.class_), found.class_) for label, found in pairs]),
    }


def _within(scene: ScoredScene, outcome: Outcome, bin_m: _Bin) -> Outcome:
    """Keep of an outcome what belongs to a length bin."""
    ships, found = scene.labels, scene.found
    return Outcome(
        hits=tuple(hit for hit in outcome.hits if in_bin(ships[hit[0]].length_m, bin_m)),
        missed=tuple(n for n in outcome.missed if in_bin(ships[n].length_m, bin_m)),
        false_alarms=tuple(n for n in outcome.false_alarms if in_bin(found[n].length_m, bin_m)),
        optional=(),
        neutral=(),
    )


def class_reliability(scenes: Sequence[ScoredScene]) -> dict[str, Any]:
    """Hold stated class probabilities of `trusted_matches` against the label's class.

    Returns:
        ``found_class``: of the class that was called; then, under each class's name, of that class whatever was
        called. Each is rows of stated probability with the share of ships that were of the class, its n and Wilson
        interval.
    """
    matches = list(trusted_matches(scenes))
    truth = np.array([CLASSES.index(str(label.class_)) for label, _ in matches], int)
    stated = np.array([found.p_class for _, found in matches], float).reshape(-1, len(CLASSES))
    called = np.array([CLASSES.index(found.class_) for _, found in matches], int)
    every = np.arange(len(matches))
    result = {"found_class": _rows(stated[every, called], truth == called)}
    return result | {name: _rows(stated[:, k], truth == k) for k, name in enumerate(CLASSES)}


def _rows(stated: NDArray[np.float64], right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    bin_of = np.minimum((stated * BINS).astype(int), BINS - 1)
    return [_row(stated[bin_of == k], right[bin_of == k], k) for k in range(BINS)]


def _row(stated: NDArray[np.float64], right: NDArray[np.bool_], k: int) -> dict[str, Any]:
    n, hits = len(stated), int(right.sum())
    return {
        "low": round(k / BINS, 2),
        "high": round((k + 1) / BINS, 2),
        "n": n,
        "stated": round(float(stated.mean()), 3) if n else None,
        "share_right": ratio(hits, n),
        "share_right_95": wilson(hits, n),
    }
