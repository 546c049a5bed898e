"""Measure a shipped model: ``python -m roadstead.training.evaluate --shared ../shared/data``.

Every figure comes from the product's own detector on whole scenes, at the shipped threshold. Writes ``metrics.json``
and ``card.md`` into the model's folder.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from roadstead.detection import Model, load_model
from roadstead.errors import RoadsteadError
from roadstead.settings import DEFAULT_MODEL_ID
from roadstead.training import ais_check
from roadstead.training.card import write_card
from roadstead.training.figures import ScoredScene, reliability, summary
from roadstead.training.places import PLACES, Split, labelled_scenes, place_of, split_of
from roadstead.training.product import scored_scene

SPLITS: tuple[Split, ...] = ("train", "validation", "held_out")


def evaluate(shared: Path, model_id: str, models_dir: Path = Path("models")) -> dict[str, Any]:
    """Measure a model on every labelled scene and on the AIS chips, and write its metrics and card.

    Raises:
        BadInputError: The shared data is absent.
        ModelError: The model's files are missing or damaged.
    """
    model = load_model(model_id, models_dir)
    scenes = _scored(shared, model)
    metrics = measured(scenes) | {
        "model_id": model_id,
        "sha256": model.sha256,
        "score_threshold": model.threshold,
        "s2_ais": ais_check.check(shared, model),
    }
    folder = models_dir / model_id
    _write(folder / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    write_card(folder)
    return metrics


def _scored(shared: Path, model: Model) -> list[ScoredScene]:
    ids = labelled_scenes(shared, *SPLITS)
    progress = track(ids, "labelled scenes", console=Console(stderr=True))
    return [scored_scene(shared, model, scene_id) for scene_id in progress]


def measured(scenes: Sequence[ScoredScene]) -> dict[str, Any]:
    """Figures per split and per place; reliability on held-out places."""
    by_split = {split: [s for s in scenes if split_of(s.scene_id) == split] for split in SPLITS}
    by_place = {place: [s for s in scenes if place_of(s.scene_id) == place] for place in PLACES}
    return {
        "splits": {split: summary(members) for split, members in by_split.items() if members},
        "places": {
            place: {"split": PLACES[place], **summary(members)}
            for place, members in by_place.items()
            if members
        },
        "reliability_held_out": reliability(by_split["held_out"]),
    }


def _write(path: Path, text: str) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (3 where the shared data or the model is absent)."""
    parser = argparse.ArgumentParser(prog="roadstead.training.evaluate", description=__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="folder of the shared real data")
    parser.add_argument("--model", default=DEFAULT_MODEL_ID)
    parser.add_argument("--models-dir", type=Path, default=Path("models"))
    options = parser.parse_args(arguments)
    try:
        metrics = evaluate(options.shared, options.model, options.models_dir)
    except RoadsteadError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(headline(metrics))
    return 0


def headline(metrics: dict[str, Any]) -> str:
    """One line a place: strict and 150 m F1 with n."""
    lines = [f"{'place':12} {'split':11} {'ships':>5} {'strict F1':>9} {'150 m F1':>8} {'axis<10':>8}"]
    rows = [(name, row["split"], row) for name, row in metrics["places"].items()]
    rows += [(f"all {name}", name, row) for name, row in metrics["splits"].items()]
    for name, split, row in rows:
        cells = [row["strict"]["f1"], row["near_150m"]["f1"], row["axis_deg"]["within_10_deg"]]
        text = ["-" if cell is None else f"{cell:.2f}" for cell in cells]
        ships = row["strict"]["n_ships"]
        lines.append(f"{name:14} {split:11} {ships:>3} {text[0]:>9} {text[1]:>8} {text[2]:>8}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
