"""`roadstead evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from roadstead.apps.cli import console
from roadstead.apps.cli.console import Json, print_json
from roadstead.core.settings import settings


def evaluate_command(
    shared: Annotated[Path, typer.Option(help="Folder of real scenes and labels.")] = Path("../shared/data"),
    model: console.Model = None,
    json: Json = False,
) -> None:
    """Measure a model on labelled scenes; rewrite its metrics.json, card.md, dataset.md and failures.png.

    Prints detection F1 under the strict rule (oriented IoU of 0.3 or more) and the 150 m rule, class F1,
    length and axis error and count error per port, with n and 95 % intervals. Every place is measured with
    weights that were taught on the places of the other folds alone.
    """
    from roadstead_lab.training.evaluate import evaluate, show

    metrics = evaluate(shared, model or settings().model_id)
    print_json(metrics) if json else show(metrics)
