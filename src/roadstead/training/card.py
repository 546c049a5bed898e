"""The model card, written from ``metrics.json`` and ``model.json`` and from nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import jinja2
import yaml

from roadstead.tables import CLASSES
from roadstead.whole import write_text

_TEMPLATE: Final = Path(__file__).with_name("card.md.j2")


def write_card(folder: Path) -> Path:
    """Write ``card.md`` of a model folder from its ``metrics.json``, ``model.json`` and ``train.yaml``."""
    path = folder / "card.md"
    write_text(path, render(*_documents(folder)))
    return path


def _documents(folder: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    return (
        json.loads((folder / "model.json").read_text(encoding="utf-8")),
        json.loads((folder / "metrics.json").read_text(encoding="utf-8")),
        yaml.safe_load((folder / "train.yaml").read_text(encoding="utf-8")),
    )


def render(model: dict[str, Any], metrics: dict[str, Any], train: dict[str, Any]) -> str:
    """Fill the card's template."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - Markdown
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        model={"calibrated_how": None} | model,
        metrics=metrics,
        train=train,
        rows=_rows(metrics),
        held=metrics["splits"]["held_out"],
        simulated_only=metrics.get("simulated_only"),
        taught_on_simulation=train["config"].get("taught_on") == "simulated",
        simulated=model.get("simulated_check"),
        ais=metrics["s2_ais"],
        classes=CLASSES,
        places=_by_split(train["split"]),
        f=_figure,
        i=_interval,
    )


def _rows(metrics: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Held-out places first, then validation, then train, each with its sum."""
    rows: list[tuple[str, dict[str, Any]]] = []
    for split in ("held_out", "validation", "train"):
        rows += [(name, row) for name, row in metrics["places"].items() if row["split"] == split]
        if split in metrics["splits"]:
            rows.append((f"**all {split.replace('_', ' ')}**", metrics["splits"][split] | {"split": split}))
    return rows


def _by_split(split: dict[str, str]) -> dict[str, list[str]]:
    names = sorted(set(split.values()))
    return {name: sorted(place for place, own in split.items() if own == name) for name in names}


def _figure(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _interval(bounds: list[float | None] | None) -> str:
    if bounds is None or bounds[0] is None or bounds[1] is None:
        return ""
    return f"({bounds[0]:.2f}-{bounds[1]:.2f})"
