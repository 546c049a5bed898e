"""What each part of the detector is worth: ``python -m roadstead_lab.training.ablation --shared ../shared/data``.

Takes one part away or changes it, and measures on every labelled place with weights that have not seen it, threshold
and probabilities fitted anew, and on simulated rafts. Writes ``ablation.json`` and ``ablation.md``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from roadstead.core.atomic_files import write_text
from roadstead.core.settings import DEFAULT_MODEL_ID
from roadstead.detection import Model, load_model
from roadstead_lab.training.calibrate import above, class_pairs
from roadstead_lab.training.card import template
from roadstead_lab.training.command import exit_code_of
from roadstead_lab.training.config import SIMULATED_ONLY
from roadstead_lab.training.evaluate import measured
from roadstead_lab.training.figures import ScoredScene
from roadstead_lab.training.mixing import mix
from roadstead_lab.training.places import fold_of, shared_folder
from roadstead_lab.training.raft_check import simulated_rafts
from roadstead_lab.training.unseen import LOWEST_SCORE, cross_fitted, unseen_scenes

_TEMPLATE: Final = Path(__file__).with_name("ablation.md.j2")
Scenes = Sequence[ScoredScene]


@dataclass(frozen=True)
class Variant:
    """The detector with one thing changed."""

    name: str
    of: Callable[[Path, Path], Model]
    """From the folder of models, and an empty one to write in."""
    fitted: Callable[[Scenes], Scenes] = lambda scenes: cross_fitted(scenes)[0]
    """Scenes as the thresholds and probabilities of other folds make them."""


def _changed(**parts: dict[str, Any]) -> Callable[[Path, Path], Model]:
    """Change keys of parts of the shipped model's card."""

    def of(models_dir: Path, scratch: Path) -> Model:
        model = load_model(DEFAULT_MODEL_ID, models_dir)
        updates = {
            name: getattr(model.read, name).model_copy(update=changes) for name, changes in parts.items()
        }
        return replace(model, read=model.read.model_copy(update=updates))

    return of


def _simulated(models_dir: Path, scratch: Path) -> Model:
    return load_model(SIMULATED_ONLY, models_dir)


def _own(share: float) -> Callable[[Path, Path], Model]:
    """Mix the weights that the run taught with those it began with in another proportion."""

    def of(models_dir: Path, scratch: Path) -> Model:
        return mixed_anew(models_dir / DEFAULT_MODEL_ID, models_dir / SIMULATED_ONLY, share, scratch)

    return of


def mixed_anew(shipped: Path, first: Path, share: float, folder: Path) -> Model:
    """Write a shipped model with another share of its own weights into an empty folder, and load it.

    Args:
        shipped: Folder of the model; its ``train.yaml`` tells the share it has.
        first: Folder of the model whose weights it started from.
        share: Wanted of its own weights, 0..1.
        folder: To be written.
    """
    has = float(yaml.safe_load((shipped / "train.yaml").read_text(encoding="utf-8"))["config"]["own_share"])
    shutil.copytree(shipped, folder, dirs_exist_ok=True)
    document = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    for part in (document, *document["folds"]):
        weights = folder / part["weights"]
        part["sha256"] = mix(first / "weights.onnx", weights, share / has, weights)
    write_text(folder / "model.json", json.dumps(document))
    return load_model(folder)


def _classes_unscaled(scenes: Scenes) -> Scenes:
    thresholds = cross_fitted(scenes)[1]
    return [above(scene, thresholds[fold_of(scene.scene_id)]) for scene in scenes]


VARIANTS: Final = (
    Variant("as shipped", _changed()),
    Variant("no real image taught it", _simulated),
    Variant("weights a quarter its own, the rest of simulated scenes alone", _own(0.25)),
    Variant("weights three quarters its own", _own(0.75)),
    Variant("weights all its own, as fine-tuning left them", _own(1.0)),
    Variant("class scores not scaled", _changed(), _classes_unscaled),
    Variant("land around a box changes nothing", _changed(context={"logit": 0.0})),
    Variant("land around a box takes 2 off the logit, not 4", _changed(context={"logit": 2.0})),
    Variant("land around a box takes 8 off the logit, not 4", _changed(context={"logit": 8.0})),
    Variant("overlap alone makes one hull of two boxes, middles do not", _changed(merge={"middle": 0.0})),
    Variant("boxes of one hull from an IoU of 0.4", _changed(merge={"iou": 0.4})),
    Variant("boxes of one hull from an IoU of 0.6", _changed(merge={"iou": 0.6})),
)


def ablation(shared: Path, models_dir: Path) -> dict[str, Any]:
    """Measure every variant: rows with the figures over all places, over the harbours and on simulated rafts.

    Raises:
        BadInputError: The shared data is absent.
    """
    rows = [_row(shared_folder(shared), models_dir, variant) for variant in VARIANTS]
    return {"rows": rows, "raft_boxes": raft_boxes(models_dir)}


def _row(shared: Path, models_dir: Path, variant: Variant) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as scratch:
        model = variant.of(models_dir, Path(scratch))
        fitted = variant.fitted(unseen_scenes(shared, model))
        figures, rafts = measured(fitted), simulated_rafts(model)
    return {
        "variant": variant.name,
        "model_id": model.model_id,
        "sha256": model.sha256,
        **{
            where: {rule: figures[where][rule] for rule in ("strict", "near_150m")}
            for where in ("unseen", "unseen_harbours")
        },
        "class_f1": figures["unseen"]["class"]["f1"],
        "class_log_loss": class_log_loss(fitted),
        "simulated_rafts": {key: rafts[key] for key in rafts if key.startswith(("n_", "hulls_right"))},
    }


def class_log_loss(scenes: Scenes) -> float | None:
    """Mean of -log of the probability that was given to the label's class, nats; None where no label is sure."""
    stated, truth = class_pairs(scenes)
    if not len(truth):
        return None
    given = stated[np.arange(len(truth)), truth]
    return round(float(-np.log(np.maximum(given, 1e-6)).mean()), 4)


def raft_boxes(models_dir: Path) -> dict[str, Any]:
    """Share of simulated rafted hulls that the network has any box for: score 0.05 or more, next to no merging."""
    merge = {"iou": 0.95, "middle": 0.0}
    model = _changed(merge=merge)(models_dir, models_dir)
    lowest = model.read.model_copy(update={"score_threshold": LOWEST_SCORE})
    rafts = simulated_rafts(replace(model, read=lowest))
    return {key: rafts[key] for key in rafts if key.startswith(("n_", "hulls_right"))}


def page(document: dict[str, Any]) -> str:
    """Write the rows as a Markdown page."""
    return template(_TEMPLATE).render(**document)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (3 where the shared data is absent)."""
    parser = argparse.ArgumentParser(prog="roadstead_lab.training.ablation", description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="folder of the shared real data")
    parser.add_argument("--models-dir", type=Path, default=Path("models"))
    parser.add_argument("--docs", type=Path, default=Path("docs/detector"), help="folder of the page")
    options = parser.parse_args(arguments)

    def work() -> None:
        document = ablation(options.shared, options.models_dir)
        write_text(options.docs / "ablation.json", json.dumps(document, indent=1) + "\n")
        write_text(options.docs / "ablation.md", page(document))

    return exit_code_of(work)


if __name__ == "__main__":
    sys.exit(main())
