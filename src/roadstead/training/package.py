"""Turn a run's weights into a shipped model: ``python -m roadstead.training.package --shared ../shared/data``.

Writes ``weights.onnx``, ``train.yaml`` and ``model.json`` (a STAC item with the Machine Learning Model extension,
https://github.com/stac-extensions/mlm, plus what the detector reads), then calibrates on the validation places and
on simulated ships, and measures. Held-out places choose nothing: they give the measured recall and confusion alone.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any, Final

import yaml
from rich.console import Console

from roadstead.detection import Model, load_model
from roadstead.errors import BadInputError
from roadstead.tables import CLASSES
from roadstead.training.ais_check import chip_vessels, length_errors
from roadstead.training.calibrate import (
    LengthFit,
    Platt,
    best_threshold,
    fit_length,
    fit_platt,
    scored_pairs,
    shifted_to_ais,
)
from roadstead.training.command import exit_code_of
from roadstead.training.evaluate import evaluate
from roadstead.training.export import TILE_PX, export_onnx, load_detector
from roadstead.training.figures import ScoredScene
from roadstead.training.network import UPSAMPLE, Detector
from roadstead.training.places import Split, labelled_scenes
from roadstead.training.product import scored_scene
from roadstead.training.scenes import VISUAL_REFLECTANCE, read_scene
from roadstead.training.simulated_check import figures, simulated_ships
from roadstead.whole import write_text

LOWEST_SCORE: Final = 0.05
MERGE_IOU: Final = 0.4
"""Rafted hulls of 12 m beam share up to a third of their labelled boxes; duplicates of one hull share more."""


def package(shared: Path, run: Path, cache: Path, models_dir: Path) -> Path:
    """Export, calibrate and describe a finished or running training; returns the model's folder.

    Raises:
        BadInputError: The run has no checkpoint, or the shared data is absent.
    """
    console = Console(stderr=True)
    averages = sorted(run.glob("average-*.pt"))
    if not averages:
        raise BadInputError(f"{run} holds no average-*.pt: run `make train` first")
    config = yaml.safe_load((run / "train.yaml").read_text(encoding="utf-8"))["config"]
    folder = models_dir / str(config["model_id"])
    folder.mkdir(parents=True, exist_ok=True)
    network = load_detector(averages[-1], str(config["architecture"]))
    digest = export_onnx(network, folder / "weights.onnx")
    shutil.copyfile(run / "train.yaml", folder / "train.yaml")
    _write(folder, describe(config, digest, score_threshold=LOWEST_SCORE))
    console.print(f"{averages[-1].name} exported; calibrating on validation places ...")
    parts = calibrated(shared, cache, load_model(folder), network)
    _write(folder, describe(config, digest, **parts))
    errors = length_errors(chip_vessels(shared, load_model(folder)))
    parts["length"] = shifted_to_ais(parts["length"], errors)
    parts["how"]["length_calibration"] += f"; offset and width from {len(errors)} AIS vessels"
    _write(folder, describe(config, digest, **parts))
    metrics = evaluate(shared, str(folder.name), models_dir)
    _write(folder, describe(config, digest, **parts) | measured_keys(metrics))
    return folder


def measured_keys(metrics: dict[str, Any]) -> dict[str, Any]:
    """Take from the metrics what the reconciler reads: recall by length and class confusion on places not taught."""
    rows = [row for row in metrics["recall_by_length_unseen"] if row["n"]]
    rows[-1:] = [row | {"high_m": None} for row in rows[-1:]]
    return {
        "recall_by_length": rows,
        "class_confusion": metrics["splits"]["held_out"]["class"]["confusion"],
    }


def calibrated(shared: Path, cache: Path, model: Model, network: Detector) -> dict[str, Any]:
    """Find threshold, probabilities and lengths with the model as exported, at its lowest threshold."""
    scenes = _scored(shared, model, "validation")
    threshold, tried = best_threshold([scenes, _scored(shared, model, "train")])
    scores, are_ships = scored_pairs(scenes)
    water = [read_scene(shared, cache, scene.scene_id) for scene in scenes]
    ships = simulated_ships(network, water, threshold)
    seen = ships.found
    return {
        "score_threshold": threshold,
        "platt": fit_platt(scores, are_ships),
        "length": fit_length(ships.box_length_m[seen], ships.true_length_m[seen]),
        "beam": fit_length(ships.box_beam_m[seen], ships.true_beam_m[seen]),
        "simulated": figures(ships),
        "how": {
            "threshold": "best mean of strict F1 on validation places and on train places, over neighbours within 0.08",
            "threshold_tried_validation_train": tried,
            "vessel_calibration": f"Platt scaling on {len(scores)} detections of validation places",
            "length_calibration": f"least absolute deviations on {seen.sum()} simulated hulls",
        },
    }


def _scored(shared: Path, model: Model, split: Split) -> list[ScoredScene]:
    return [scored_scene(shared, model, scene) for scene in labelled_scenes(shared, split)]


def describe(
    config: dict[str, Any],
    digest: str,
    *,
    score_threshold: float,
    platt: Platt | None = None,
    length: LengthFit | None = None,
    beam: LengthFit | None = None,
    simulated: dict[str, Any] | None = None,
    how: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Compose ``model.json``: a STAC MLM item with the keys the detector reads at its top level."""
    document = _stac_item(config, digest) | {
        "model_id": config["model_id"],
        "weights": "weights.onnx",
        "sha256": digest,
        "tile_px": TILE_PX,
        "classes": list(CLASSES),
        "score_threshold": score_threshold,
        "merge": {"iou": MERGE_IOU},
    }
    if platt is not None:
        document["vessel_calibration"] = {"a": platt.a, "b": platt.b}
    if length is not None and beam is not None:
        document["length_calibration"] = length.as_dict()
        document["beam_calibration"] = beam.as_dict()
    extras = {"simulated_check": simulated, "calibrated_how": how}
    return document | {key: value for key, value in extras.items() if value is not None}


def _stac_item(config: dict[str, Any], digest: str) -> dict[str, Any]:
    shape = [-1, 3, TILE_PX, TILE_PX]
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [
            "https://stac-extensions.github.io/mlm/v1.4.0/schema.json",
            "https://stac-extensions.github.io/file/v2.1.0/schema.json",
        ],
        "id": config["model_id"],
        "geometry": None,
        "properties": {
            "datetime": None,
            "start_datetime": "2015-06-23T00:00:00Z",
            "end_datetime": "9999-12-31T23:59:59Z",
            "description": "Oriented detector of barges, bulk carriers and other vessels in 10 m Sentinel-2 images.",
            "license": "AGPL-3.0-or-later",
            "mlm:name": config["model_id"],
            "mlm:architecture": str(config["architecture"]).removesuffix(".yaml"),
            "mlm:tasks": ["object-detection"],
            "mlm:framework": "ONNX",
            "mlm:pretrained": True,
            "mlm:pretrained_source": None,
            "mlm:input": [_input(shape)],
            "mlm:output": [_output()],
        },
        "links": [],
        "assets": {
            "weights": {
                "href": "weights.onnx",
                "type": "application/octet-stream; framework=onnx",
                "roles": ["mlm:model"],
                "file:checksum": f"1220{digest}",
            }
        },
    }


def _input(shape: list[int]) -> dict[str, Any]:
    return {
        "name": "image",
        "bands": ["red", "green", "blue"],
        "input": {"shape": shape, "dim_order": ["batch", "bands", "height", "width"], "data_type": "float32"},
        "description": (
            f"reflectance / {VISUAL_REFLECTANCE} clipped to 0..1, or the 8-bit visual asset / 255; no data is 0; "
            f"native 10 m pixels; the graph upsamples by {UPSAMPLE}"
        ),
    }


def _output() -> dict[str, Any]:
    return {
        "name": "boxes",
        "tasks": ["object-detection"],
        "result": {"shape": [-1, 8, -1], "dim_order": ["batch", "value", "anchor"], "data_type": "float32"},
        "description": (
            "cx, cy, w, h in native tile pixels; scores of the classes in order; angle of w in radians from +column "
            "toward +row; no suppression of overlaps"
        ),
        "classification:classes": [{"value": k, "name": name} for k, name in enumerate(CLASSES)],
    }


def _write(folder: Path, document: dict[str, Any]) -> None:
    write_text(folder / "model.json", json.dumps(document, indent=1) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (3 where the run or the shared data is absent)."""
    parser = argparse.ArgumentParser(prog="roadstead.training.package", description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="folder of the shared real data")
    parser.add_argument("--run", type=Path, default=Path("build/training"), help="folder of checkpoints")
    parser.add_argument("--cache", type=Path, default=Path("build/pixels"), help="folder of decoded scenes")
    parser.add_argument("--models-dir", type=Path, default=Path("models"))
    options = parser.parse_args(arguments)
    return exit_code_of(
        lambda: print(package(options.shared, options.run, options.cache, options.models_dir))
    )


if __name__ == "__main__":
    sys.exit(main())
