"""What each part of the detector is worth: ``python -m roadstead.training.ablation --shared ../shared/data``.

Takes one part away or changes it, and measures on every labelled place with weights that have not seen it, threshold
and probabilities fitted anew. Writes ``ablation.json`` and ``ablation.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from roadstead.detection import Model, load_model
from roadstead.settings import DEFAULT_MODEL_ID
from roadstead.training.card import template
from roadstead.training.command import exit_code_of
from roadstead.training.config import SIMULATED_ONLY
from roadstead.training.evaluate import measured
from roadstead.training.places import shared_folder
from roadstead.training.unseen import cross_fitted, unseen_scenes
from roadstead.whole import write_text

_TEMPLATE: Final = Path(__file__).with_name("ablation.md.j2")


@dataclass(frozen=True)
class Variant:
    """The detector with one thing changed."""

    name: str
    of: Callable[[Path], Model]
    """From the folder of models."""


def _changed(**parts: dict[str, Any]) -> Callable[[Path], Model]:
    """Change keys of parts of the shipped model's card."""

    def of(models_dir: Path) -> Model:
        model = load_model(DEFAULT_MODEL_ID, models_dir)
        updates = {
            name: getattr(model.read, name).model_copy(update=changes) for name, changes in parts.items()
        }
        return replace(model, read=model.read.model_copy(update=updates))

    return of


def _simulated(models_dir: Path) -> Model:
    return load_model(SIMULATED_ONLY, models_dir)


VARIANTS: Final = (
    Variant("as shipped", _changed()),
    Variant("no real image taught it", _simulated),
    Variant("land around a box changes nothing", _changed(context={"logit": 0.0})),
    Variant("land around a box takes 2 off the logit, not 4", _changed(context={"logit": 2.0})),
    Variant("land around a box takes 8 off the logit, not 4", _changed(context={"logit": 8.0})),
    Variant("overlap alone makes one hull of two boxes, middles do not", _changed(merge={"middle": 0.0})),
    Variant("boxes of one hull from an IoU of 0.2, not 0.4", _changed(merge={"iou": 0.2})),
    Variant("boxes of one hull from an IoU of 0.3, not 0.4", _changed(merge={"iou": 0.3})),
    Variant("boxes of one hull from an IoU of 0.6, not 0.4", _changed(merge={"iou": 0.6})),
)


def ablation(shared: Path, models_dir: Path) -> dict[str, Any]:
    """Measure every variant: rows with the figures over all places and over the harbours.

    Raises:
        BadInputError: The shared data is absent.
    """
    rows = []
    for variant in VARIANTS:
        model = variant.of(models_dir)
        figures = measured(cross_fitted(unseen_scenes(shared_folder(shared), model))[0])
        rows.append(
            {
                "variant": variant.name,
                "model_id": model.model_id,
                "sha256": model.sha256,
                **{
                    where: {rule: figures[where][rule] for rule in ("strict", "near_150m")}
                    for where in ("unseen", "unseen_harbours")
                },
            }
        )
    return {"rows": rows}


def page(document: dict[str, Any]) -> str:
    """Write the rows as a Markdown page."""
    return template(_TEMPLATE).render(rows=document["rows"])


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code (3 where the shared data is absent)."""
    parser = argparse.ArgumentParser(prog="roadstead.training.ablation", description=__doc__)
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
