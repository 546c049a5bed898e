"""Turn a run's weights into a shipped model: ``python -m roadstead_lab.training.package --shared ../shared/data``.

Writes ``weights.onnx``, taught on every fold of places, ``fold-N.onnx``, taught on the others, ``train.yaml`` and
``model.json`` (a STAC item with the Machine Learning Model extension, https://github.com/stac-extensions/mlm, plus what
the detector reads). Calibrates on places that each fold's weights have not seen and on simulated ships, and measures.
See `unseen` for what is measured with which weights.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from rich.console import Console

from roadstead.core.atomic_files import write_text
from roadstead.core.schemas import CLASSES
from roadstead.detection import Model, load_model
from roadstead.detection.model import ClassFit, Context, Merge, MotionFit, SizeFit
from roadstead.detection.runtime import open_network
from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead_lab.training.ais_check import chip_vessels, measured_and_ais
from roadstead_lab.training.calibrate import Platt, fit_size, shifted_to_ais
from roadstead_lab.training.card import write_card
from roadstead_lab.training.command import exit_code_of
from roadstead_lab.training.evaluate import evaluate
from roadstead_lab.training.export import TILE_PX, export_onnx, load_detector
from roadstead_lab.training.mixing import mix
from roadstead_lab.training.motion_check import fit_motion
from roadstead_lab.training.network import UPSAMPLE
from roadstead_lab.training.places import FOLDS, labelled_scenes, left_out
from roadstead_lab.training.scenes import read_scene
from roadstead_lab.training.simulated_check import figures, simulated_ships
from roadstead_lab.training.state import fold_name, last_average
from roadstead_lab.training.unseen import LOWEST_SCORE, calibration, fold_model, unseen_scenes

MERGE: Final = Merge()
CONTEXT: Final = Context(logit=4.0)
"""How boxes become hulls; `make ablation` shows what else was weighed."""


def package(shared: Path, run: Path, cache: Path, models_dir: Path) -> Path:
    """Export, calibrate and describe a finished or running training; returns the model's folder.

    Args:
        shared: Folder of the real data.
        run: Folder of checkpoints.
        cache: Folder of decoded scenes.
        models_dir: Where the model's folder is written, and where the model lies whose weights the run started from:
            they are mixed into its own.

    Raises:
        BadInputError: The run has no checkpoint, or the shared data is absent.
        ModelError: The model that it started from is missing or damaged.
    """
    console = Console(stderr=True)
    config = yaml.safe_load((run / "train.yaml").read_text(encoding="utf-8"))["config"]
    folder = models_dir / str(config["model_id"])
    folder.mkdir(parents=True, exist_ok=True)
    first = (
        None if config["pretrained"] is None else load_model(str(config["pretrained"]), models_dir).weights
    )
    digest = _exported(run, config, first, folder / "weights.onnx")
    folds = [
        _exported(run / fold_name(f), config, first, folder / f"{fold_name(f)}.onnx")
        for f in _own_folds(config)
    ]
    shutil.copyfile(run / "train.yaml", folder / "train.yaml")
    weights = [
        {"weights": f"{fold_name(f)}.onnx", "sha256": own, "left_out": left_out(f)}
        for f, own in enumerate(folds)
    ]
    parts: dict[str, Any] = {
        "score_threshold": LOWEST_SCORE,
        "folds": weights,
        "crops_seen": crops_seen(config, models_dir),
    }
    _write(folder, describe(config, digest, **parts))
    console.print("exported; calibrating on places that the weights have not seen ...")
    parts |= calibrated(shared, cache, load_model(folder))
    _write(folder, describe(config, digest, **parts))
    lengths = measured_and_ais(chip_vessels(shared, load_model(folder)))
    parts["length"] = shifted_to_ais(parts["length"], *lengths.T)
    parts["motion"] = fit_motion(load_model(folder))
    parts["how"]["length_calibration"] += f"; offset and width from {len(lengths)} AIS vessels"
    _write(folder, describe(config, digest, **parts))
    # Once more, with lengths as they are used: which false alarms count depends on them.
    scenes = unseen_scenes(shared, load_model(folder))
    chosen = calibration(scenes)
    parts |= {"score_threshold": chosen.threshold, "platt": chosen.platt, "classes": chosen.classes}
    parts["how"]["threshold_tried"] = chosen.tried
    _write(folder, describe(config, digest, **parts))
    metrics = evaluate(shared, str(folder.name), models_dir, scenes=scenes)
    _write(folder, describe(config, digest, **parts) | measured_keys(metrics))
    write_card(folder)
    return folder


def crops_seen(config: Mapping[str, Any], models_dir: Path) -> int:
    """Count the crops that taught a model, those of the model it started from included."""
    own: int = sum(config["cycles"]) * int(config["batch"])
    if config["pretrained"] is None:
        return own
    return own + int(load_model(str(config["pretrained"]), models_dir).card["crops_seen"])


def _own_folds(config: dict[str, Any]) -> tuple[int, ...]:
    """Folds that a model has weights of its own for: none where no real place taught it."""
    return () if config["taught_on"] == "simulated" else FOLDS


def _exported(run: Path, config: dict[str, Any], first: Path | None, path: Path) -> str:
    digest = export_onnx(load_detector(last_average(run), str(config["architecture"])), path)
    return digest if first is None else mix(first, path, float(config["own_share"]), path)


def measured_keys(metrics: dict[str, Any]) -> dict[str, Any]:
    """Take from the metrics what the reconciler reads: recall by length and class confusion on places not taught."""
    return {
        "recall_by_length": [row for row in metrics["unseen"]["recall_by_length"] if row["n"]],
        "class_confusion": metrics["unseen"]["class"]["confusion"],
    }


def calibrated(shared: Path, cache: Path, model: Model) -> dict[str, Any]:
    """Find lengths with the model as exported, at a first threshold.

    Args:
        shared: Folder of the real data.
        cache: Folder of decoded scenes.
        model: As exported.
    """
    chosen = calibration(unseen_scenes(shared, model))
    water = [read_scene(shared, cache, scene_id) for scene_id in labelled_scenes(shared, FOLDS[:1])]
    # Simulated hulls are laid on the water of the first fold, so the weights that left it out look for them.
    ships = simulated_ships(open_network(fold_model(model, FOLDS[0])), water, chosen.threshold)
    seen = ships.found
    return {
        "score_threshold": chosen.threshold,
        "platt": chosen.platt,
        "classes": chosen.classes,
        "length": fit_size(ships.box_length_m[seen], ships.true_length_m[seen]),
        "beam": fit_size(ships.box_beam_m[seen], ships.true_beam_m[seen]),
        "simulated": figures(ships),
        "how": {
            "threshold": "best strict F1 on places unseen by each fold's weights, over neighbours within 0.08",
            "vessel_calibration": "Platt scaling on detections of places unseen by each fold's weights",
            "class_calibration": "temperature scaling on ships found there whose label is sure",
            "length_calibration": f"least absolute deviations on {seen.sum()} simulated hulls",
        },
    }


def describe(
    config: dict[str, Any],
    digest: str,
    *,
    score_threshold: float,
    crops_seen: int = 0,
    folds: Sequence[Mapping[str, Any]] = (),
    platt: Platt | None = None,
    classes: ClassFit | None = None,
    length: SizeFit | None = None,
    beam: SizeFit | None = None,
    motion: MotionFit | None = None,
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
        "merge": MERGE.model_dump(),
        "context": CONTEXT.model_dump(),
        "taught_on": config["taught_on"],
        "crops_seen": crops_seen,
        "folds": [dict(fold) for fold in folds],
    }
    if platt is not None:
        document["vessel_calibration"] = {"a": platt.a, "b": platt.b}
    if classes is not None:
        document["class_calibration"] = classes.model_dump()
    if length is not None and beam is not None:
        document["length_calibration"] = length.model_dump()
        document["beam_calibration"] = beam.model_dump()
    if motion is not None:
        document["motion"] = motion.model_dump()
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
            f"reflectance / {VISUAL_FULL_SCALE} clipped to 0..1, or the 8-bit visual asset / 255; no data is 0; "
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
    parser = argparse.ArgumentParser(prog="roadstead_lab.training.package", description=__doc__)
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
