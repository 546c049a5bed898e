"""The model card, written from ``metrics.json`` and ``model.json`` and from nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import jinja2
import yaml

from roadstead.core.atomic_files import write_text
from roadstead.core.schemas import CLASSES
from roadstead_lab.training.goals import goal_rows

_TEMPLATE: Final = Path(__file__).with_name("card.md.j2")
_GOALS: Final = Path(__file__).with_name("card_goals.md.j2")
_BREAKDOWN: Final = Path(__file__).with_name("card_breakdown.md.j2")
_CHECKS: Final = Path(__file__).with_name("card_checks.md.j2")
_COUNTED: Final = {
    "barge": "barge",
    "bulk_carrier": "bulk carrier",
    "other_vessel": "other vessel",
    "dry_cargo": "dry cargo",
    "dry_cargo_60_170m": "dry cargo of 60-170 m",
    "all": "all ships",
}
"""Keys of `figures.count_figures` as the card has them."""


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
    return template(_TEMPLATE).render(
        model={"calibrated_how": None} | model,
        metrics=metrics,
        train=train,
        rows=_rows(metrics),
        unseen=metrics["unseen"],
        harbours=metrics["unseen_harbours"],
        elsewhere=metrics["unseen_without_vancouver"],
        goals=render_goals(metrics),
        breakdown=render_breakdown(metrics),
        simulated_only=metrics.get("simulated_only"),
        taught_on_simulation=train["config"].get("taught_on") == "simulated",
        simulated=model.get("simulated_check"),
        ais=metrics["s2_ais"],
        checks=render_checks(metrics),
        counted=_COUNTED,
        classes=CLASSES,
        places=_by_fold(train["folds"]),
        untaught=sorted(set(metrics["places"]) - set(train["folds"])),
        f=_figure,
        i=_interval,
    )


def render_checks(metrics: dict[str, Any]) -> str:
    """Write the sections on simulated rafts, simulated lengths and open water; those not measured are left out."""
    return template(_CHECKS).render(
        rafts=metrics.get("simulated_rafts"),
        lengths=metrics.get("simulated_lengths"),
        water=metrics.get("open_water"),
        ais=metrics.get("s2_ais"),
        classes=CLASSES,
        f=_figure,
        i=_interval,
    )


def render_goals(metrics: dict[str, Any]) -> str:
    """Write the table of the figures that a model is held to; those not measured are left out."""
    return template(_GOALS).render(goals=goal_rows(metrics), f=_figure)


def render_breakdown(metrics: dict[str, Any]) -> str:
    """Write the sections on length, conditions and class probabilities."""
    rows = metrics["unseen"]["recall_by_length"]
    recall = {
        name: [row for row in rows if row.get("where") == where]
        for name, where in (("all", None), ("berth", "berth"), ("open", "open"))
    }
    return template(_BREAKDOWN).render(
        by_length=metrics["by_length"],
        recall=recall,
        conditions=metrics.get("recall_by_condition"),
        class_reliability=metrics["class_reliability"],
        classes=CLASSES,
        f=_figure,
        i=_interval,
    )


def template(path: Path) -> jinja2.Template:
    """Read a Markdown template; a name it lacks is an error."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701 - Markdown
    return environment.from_string(path.read_text(encoding="utf-8"))


def _rows(metrics: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Places by fold, then all of them together, and all but the two anchorages."""
    rows = sorted(metrics["places"].items(), key=lambda item: (item[1]["fold"], item[0]))
    rows.append(("**harbours**", metrics["unseen_harbours"] | {"fold": ""}))
    rows.append(("**all places**", metrics["unseen"] | {"fold": ""}))
    return rows


def _by_fold(folds: dict[str, int]) -> dict[int, list[str]]:
    return {
        fold: sorted(place for place, own in folds.items() if own == fold)
        for fold in sorted(set(folds.values()))
    }


def _figure(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _interval(bounds: list[float | None] | None) -> str:
    if bounds is None or bounds[0] is None or bounds[1] is None:
        return ""
    return f"({bounds[0]:.2f}-{bounds[1]:.2f})"
