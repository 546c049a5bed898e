"""The shipped model is the one its files describe, taught on the places they name."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from roadstead.settings import DEFAULT_MODEL_ID
from roadstead.training.card import render
from roadstead.training.export import sha256
from roadstead.training.places import PLACES
from roadstead.training.train import TrainConfig

FOLDER = Path(__file__).parents[3] / "models" / DEFAULT_MODEL_ID


def test_the_shipped_weights_are_small_and_those_that_were_measured() -> None:
    model, metrics = (json.loads((FOLDER / name).read_text()) for name in ("model.json", "metrics.json"))
    digest = sha256(FOLDER / "weights.onnx")
    assert model["sha256"] == metrics["sha256"] == digest
    assert (FOLDER / "weights.onnx").stat().st_size <= 15_000_000


def test_the_shipped_model_was_taught_with_todays_settings_and_split() -> None:
    train = yaml.safe_load((FOLDER / "train.yaml").read_text())
    assert train["split"] == PLACES
    assert TrainConfig(**train["config"]) == TrainConfig()


def test_the_card_is_what_the_metrics_say() -> None:
    model, metrics = (json.loads((FOLDER / name).read_text()) for name in ("model.json", "metrics.json"))
    train = yaml.safe_load((FOLDER / "train.yaml").read_text())
    assert (FOLDER / "card.md").read_text() == render(model, metrics, train)


def test_held_out_strict_f1_reaches_the_least_that_may_be_shipped() -> None:
    held_out = json.loads((FOLDER / "metrics.json").read_text())["splits"]["held_out"]["strict"]
    assert held_out["f1"] >= 0.60
    assert held_out["n_ships"] == 119
