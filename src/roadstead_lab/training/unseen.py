"""Every labelled place seen by weights that were not taught on it.

The weights, the threshold and the probabilities of a fold come from the places of the other folds. Constants that all
folds share (how far land lowers a score, which overlap makes one hull of two boxes, what counts as plain water, how
weights are mixed) were chosen with these places in sight. Weights taught on simulated scenes alone were taught on no
place: one set serves every fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import track

from roadstead.core.errors import ModelError
from roadstead.detection import Model
from roadstead.detection.model import ClassFit
from roadstead.detection.model import Platt as ModelPlatt
from roadstead_lab.training.calibrate import (
    Platt,
    above,
    best_threshold,
    class_pairs,
    fit_classes,
    fit_platt,
    scored_pairs,
    stated,
)
from roadstead_lab.training.figures import ScoredScene
from roadstead_lab.training.places import FOLDS, fold_of, labelled_scenes, left_out
from roadstead_lab.training.product import scored_scene

LOWEST_SCORE: Final = 0.05
"""Of detections that thresholds are chosen from."""


def fold_model(model: Model, fold: int) -> Model:
    """Return the model with the weights that were not taught on a fold, its scores not yet turned into probabilities.

    Raises:
        ModelError: the model was taught on real places and has no weights that left these out.
    """
    raw: dict[str, Any] = {
        "score_threshold": LOWEST_SCORE,
        "vessel_calibration": ModelPlatt(),
        "class_calibration": ClassFit(),
    }
    if model.card.get("taught_on") != "simulated":
        raw |= _left_out(model, fold)
    return replace(model, read=model.read.model_copy(update=raw))


def _left_out(model: Model, fold: int) -> dict[str, str]:
    places = left_out(fold)
    for own in model.card.get("folds") or []:
        if sorted(own["left_out"]) == places:
            return {"weights": own["weights"], "sha256": own["sha256"]}
    raise ModelError(
        f"{model.folder / 'model.json'}: no weights that were not taught on {', '.join(places)}, so the model cannot "
        "be measured there; train it again with `make train`"
    )


def unseen_scenes(shared: Path, model: Model) -> list[ScoredScene]:
    """Detect on every labelled scene with the weights of its fold; `Found.p_vessel` is the score.

    Raises:
        BadInputError: The shared data is absent.
        ModelError: The weights of a fold are missing or damaged.
    """
    ids = sorted(labelled_scenes(shared), key=fold_of)  # two networks stay compiled
    progress = track(ids, f"labelled scenes, {model.model_id}", console=Console(stderr=True))
    return [scored_scene(shared, fold_model(model, fold_of(scene_id)), scene_id) for scene_id in progress]


def cross_fitted(scenes: Sequence[ScoredScene]) -> tuple[list[ScoredScene], dict[int, float]]:
    """Score the scenes of each fold at a threshold, and with probabilities, fitted on the other folds.

    Returns:
        The scenes, and the threshold of each fold.
    """
    fitted: list[ScoredScene] = []
    thresholds: dict[int, float] = {}
    for fold in FOLDS:
        others = [scene for scene in scenes if fold_of(scene.scene_id) != fold]
        chosen = calibration(others)
        thresholds[fold] = chosen.threshold
        fitted += [
            stated(above(scene, chosen.threshold), chosen.platt, chosen.classes)
            for scene in scenes
            if fold_of(scene.scene_id) == fold
        ]
    return fitted, thresholds


@dataclass(frozen=True)
class Calibration:
    """The threshold and the probabilities that some scenes ask for."""

    threshold: float
    tried: list[dict[str, float | None]]
    """Strict F1 of every threshold tried."""
    platt: Platt
    """Of what lies above the threshold."""
    classes: ClassFit
    """Of ships that it finds and whose label is sure."""


def calibration(scenes: Sequence[ScoredScene]) -> Calibration:
    """Choose the threshold on these scenes, and fit the probabilities of what lies above it."""
    threshold, tried = best_threshold(scenes)
    kept = [above(scene, threshold) for scene in scenes]
    return Calibration(threshold, tried, fit_platt(*scored_pairs(kept)), fit_classes(*class_pairs(kept)))
