"""Measure a shipped model: ``roadstead evaluate --shared ../shared/data``.

Every figure comes from the product's own detector on whole scenes, each seen by weights that were not taught on its
place. Writes ``metrics.json``, ``card.md``, ``failures.png`` and ``dataset.md`` into the model's folder.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from roadstead.core.atomic_files import write_text
from roadstead.detection import Model, load_model
from roadstead_lab.training import ais_check
from roadstead_lab.training.breakdown import by_length, class_reliability
from roadstead_lab.training.card import write_card
from roadstead_lab.training.conditions import real_ships, recall_by_condition, recall_for_reconciling
from roadstead_lab.training.config import SIMULATED_ONLY
from roadstead_lab.training.dataset import write_dataset_card
from roadstead_lab.training.failures import write_failures
from roadstead_lab.training.figures import ScoredScene, f1_draws, reliability, summary
from roadstead_lab.training.interval_check import simulated_lengths
from roadstead_lab.training.open_water import open_water
from roadstead_lab.training.places import ANCHORAGES, PLACES, place_of, shared_folder
from roadstead_lab.training.raft_check import simulated_rafts
from roadstead_lab.training.unseen import cross_fitted, unseen_scenes

BULK_CARRIERS_AT: Final = "vancouver"
"""Has more than half of the bulk carriers whose labels are sure."""


def evaluate(
    shared: Path,
    model_id: str,
    models_dir: Path | None = None,
    *,
    scenes: Sequence[ScoredScene] | None = None,
) -> dict[str, Any]:
    """Measure a model on every labelled scene, on the AIS chips and on simulated ships; write its metrics and cards.

    Args:
        shared: Folder of the real data.
        model_id: A folder of `models_dir`.
        models_dir: Where models lie; None for the shipped ones.
        scenes: What `unseen_scenes` gave for it, where that is at hand.

    Raises:
        BadInputError: The shared data is absent.
        ModelError: The model's files are missing or damaged.
    """
    model = load_model(model_id, models_dir)
    shared_folder(shared)
    scenes, thresholds = cross_fitted(unseen_scenes(shared, model) if scenes is None else scenes)
    Console(stderr=True).print(
        "AIS chips, simulated rafts, simulated lengths and open water, some minutes ..."
    )
    placed, practice = real_ships(shared, scenes), simulated_lengths(model)
    metrics = measured(scenes) | {
        "model_id": model_id,
        "sha256": model.sha256,
        "score_threshold": model.threshold,
        "score_threshold_by_fold": thresholds,
        "s2_ais": ais_check.check(shared, model),
        "simulated_rafts": simulated_rafts(model),
        "recall_by_condition": {
            "real": recall_by_condition(placed),
            "simulated": practice.pop("recall_by_condition"),
        },
        "simulated_lengths": practice,
        "open_water": open_water(model, shared=shared, scenes=scenes),
    }
    metrics["unseen"]["recall_by_length"] = recall_for_reconciling(placed)
    if (rival := _taught_on_simulation(model)) is not None:
        metrics["simulated_only"] = compared(rival, metrics)
    write_text(model.folder / "metrics.json", json.dumps(metrics, indent=1) + "\n")
    write_card(model.folder)
    write_failures(model)
    write_dataset_card(model.folder, shared)
    return metrics


def _taught_on_simulation(model: Model) -> dict[str, Any] | None:
    """Metrics of the model beside this one that was taught on simulated scenes alone, None where there is none."""
    path = model.folder.parent / SIMULATED_ONLY / "metrics.json"
    if model.folder.name == SIMULATED_ONLY or not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def compared(simulated: dict[str, Any], real: dict[str, Any]) -> dict[str, Any]:
    """Hold a model taught on simulated scenes alone against another, on real places that neither saw.

    The interval of the ratio is 95 % of a bootstrap that draws hits, misses and false alarms of both anew.
    """
    ours, theirs = (one["unseen"]["strict"] for one in (simulated, real))
    return {
        "model_id": simulated["model_id"],
        "sha256": simulated["sha256"],
        "strict_f1": ours["f1"],
        "strict_f1_95": ours["f1_95"],
        "strict_f1_share": round(ours["f1"] / theirs["f1"], 4),
        "strict_f1_share_95": _share_interval(ours, theirs),
        "n_ships": ours["n_ships"],
    }


def _share_interval(ours: dict[str, Any], theirs: dict[str, Any]) -> list[float]:
    drawn = [f1_draws(*_outcomes(one), seed=number) for number, one in enumerate((ours, theirs))]
    return [round(float(v), 4) for v in np.percentile(drawn[0] / drawn[1], [2.5, 97.5])]


def _outcomes(figures: dict[str, Any]) -> tuple[int, int, int]:
    hits = round(figures["recall"] * figures["n_ships"])
    return hits, figures["n_ships"] - hits, figures["n_false_alarms"]


def measured(scenes: Sequence[ScoredScene]) -> dict[str, Any]:
    """Figures over all places, over some of them, and per place; each place was unseen by its weights."""
    by_place = {place: [s for s in scenes if place_of(s.scene_id) == place] for place in PLACES}
    harbours = [s for s in scenes if place_of(s.scene_id) not in ANCHORAGES]
    elsewhere = [s for s in scenes if place_of(s.scene_id) != BULK_CARRIERS_AT]
    return {
        "unseen": summary(scenes),
        "unseen_harbours": summary(harbours),
        "unseen_without_vancouver": summary(elsewhere),
        "places": {
            place: {"fold": PLACES[place], **summary(members)}
            for place, members in by_place.items()
            if members
        },
        "by_length": by_length(scenes),
        "reliability": reliability(scenes),
        "class_reliability": class_reliability(scenes),
    }


def show(metrics: dict[str, Any]) -> None:
    """Print the figures per place, over the harbours and over all."""
    Console(width=150).print(_places_table(metrics))
    ais = metrics["s2_ais"]
    print(
        f"AIS chips: {ais['n_found']} of {ais['n_vessels']} vessels found; length error {ais['length_mae_m']} m "
        f"(leave one out {ais['length_mae_leave_one_out_m']} m), n {ais['n_found']}"
    )


def _places_table(metrics: dict[str, Any]) -> Table:
    columns = (
        "place",
        "fold",
        "ships",
        "strict F1 (95 %)",
        "150 m F1 (95 %)",
        "class F1: barge",
        "bulk",
        "other",
    )
    table = Table(*columns, "length MAE", "axis < 10", "count MAE")
    rows = [(name, str(row["fold"]), row) for name, row in metrics["places"].items()]
    rows += [("all harbours", "", metrics["unseen_harbours"]), ("all places", "", metrics["unseen"])]
    for name, fold, row in rows:
        table.add_row(name, fold, *_cells(row))
    return table


def _cells(row: dict[str, Any]) -> list[str]:
    """Format one place's figures, each class, length and axis figure with its n."""
    strict, near = (row[rule] for rule in ("strict", "near_150m"))
    return [
        str(strict["n_ships"]),
        *(f"{_two(rule['f1'])} {_span(rule['f1_95'])}" for rule in (strict, near)),
        *(f"{_two(own['f1'])} ({own['n']})" for own in row["class"]["f1"].values()),
        f"{_two(row['length_m']['mae_against_label'])} ({row['length_m']['n']})",
        f"{_two(row['axis_deg']['within_10_deg'])} ({row['axis_deg']['n']})",
        f"{_two(row['count_mae']['all'])} ({row['count_mae']['n_scenes']})",
    ]


def _two(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _span(bounds: list[float] | None) -> str:
    return "" if bounds is None else f"{bounds[0]:.2f}-{bounds[1]:.2f}"
