"""The shipped model is the one its files describe, taught on the places they name."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import yaml

from roadstead.core.settings import DEFAULT_MODEL_ID
from roadstead_lab.training.card import render
from roadstead_lab.training.config import TrainConfig
from roadstead_lab.training.export import sha256
from roadstead_lab.training.places import FOLDS, PLACES, left_out

FOLDER = Path(__file__).parents[4] / "models" / DEFAULT_MODEL_ID


def test_the_shipped_weights_are_small_and_those_that_were_measured() -> None:
    model, metrics = (json.loads((FOLDER / name).read_text()) for name in ("model.json", "metrics.json"))
    digest = sha256(FOLDER / "weights.onnx")
    assert model["sha256"] == metrics["sha256"] == digest
    assert (FOLDER / "weights.onnx").stat().st_size <= 15_000_000


def test_the_shipped_model_was_taught_with_todays_settings_and_split() -> None:
    train = yaml.safe_load((FOLDER / "train.yaml").read_text())
    # Places that came later have taught nothing yet; those that taught lie in the folds they were taught in.
    assert train["folds"].items() <= PLACES.items()
    cycles = tuple(train["config"].pop("cycles"))
    assert TrainConfig(**train["config"], cycles=cycles) == TrainConfig()


def test_the_card_is_what_the_metrics_say() -> None:
    model, metrics = (json.loads((FOLDER / name).read_text()) for name in ("model.json", "metrics.json"))
    train = yaml.safe_load((FOLDER / "train.yaml").read_text())
    assert (FOLDER / "card.md").read_text() == render(model, metrics, train)


def test_every_folds_weights_are_small_and_those_that_model_json_names() -> None:
    folds = json.loads((FOLDER / "model.json").read_text())["folds"]
    assert len(folds) == len(FOLDS)
    for fold in folds:
        assert sha256(FOLDER / fold["weights"]) == fold["sha256"]
        assert (FOLDER / fold["weights"]).stat().st_size <= 15_000_000
    assert len({fold["sha256"] for fold in folds}) == len(FOLDS)
    assert [fold["left_out"] for fold in folds] == [left_out(fold) for fold in FOLDS]


def test_strict_f1_on_unseen_places_reaches_the_least_that_may_be_shipped() -> None:
    unseen = json.loads((FOLDER / "metrics.json").read_text())["unseen"]["strict"]
    assert unseen["f1"] >= 0.60
    assert unseen["n_ships"] == 531


def test_the_wheel_holds_every_file_of_the_shipped_model_but_the_weights_of_folds() -> None:
    project = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text())
    packed = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    shipped = {path for path in FOLDER.iterdir() if not path.name.startswith("fold-")}
    for path in shipped:
        inside = f"models/{DEFAULT_MODEL_ID}/{path.name}"
        assert packed[inside] == f"roadstead/_data/{inside}"
    assert len([name for name in packed if name.startswith("models/")]) == len(shipped)
