"""What a place is measured with was neither taught nor chosen on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from roadstead.core.errors import ModelError
from roadstead.detection import Model, load_model
from roadstead_lab.training.figures import ScoredScene, score_scene
from roadstead_lab.training.places import PLACES, fold_of, left_out
from roadstead_lab.training.unseen import LOWEST_SCORE, cross_fitted, fold_model
from tests.unit.lab.training.test_scoring import seen, ship

MODEL = Path(__file__).parents[4] / "models"


def scene(place: str, ship_score: float, alarm_score: float) -> ScoredScene:
    labels = tuple(ship(20 + 40 * k, 20) for k in range(5))
    found = tuple(seen(20 + 40 * k, 20, p=ship_score) for k in range(4))
    alarms = tuple(seen(20 + 40 * k, 90, p=alarm_score) for k in range(5))
    return score_scene(place, labels, (*found, *alarms, seen(20, 140, p=0.95)))


def scenes(of_fold_0: tuple[float, float]) -> list[ScoredScene]:
    return [scene(place, *(of_fold_0 if fold == 0 else (0.5, 0.2))) for place, fold in PLACES.items()]


def test_the_ships_of_a_fold_do_not_move_its_own_threshold_and_move_those_of_the_others() -> None:
    (_, alike), (_, high) = (cross_fitted(scenes(own)) for own in ((0.5, 0.2), (0.5, 0.45)))
    assert high[0] == alike[0]
    assert all(high[other] > alike[other] for other in (1, 2, 3))


def test_the_alarms_of_a_fold_do_not_move_its_own_probabilities_and_move_those_of_the_others() -> None:
    def stated(of_fold_0: float) -> dict[int, float]:
        crowd = [seen(20 + 40 * k, 60, p=of_fold_0) for k in range(5)]
        noisy = [
            score_scene(one.scene_id, one.labels, (*one.found, *crowd)) if fold_of(one.scene_id) == 0 else one
            for one in scenes((0.5, 0.2))
        ]
        return {fold_of(one.scene_id): one.found[0].p_vessel for one in cross_fitted(noisy)[0]}

    few, many = stated(0.01), stated(0.9)
    assert many[0] == few[0]
    assert all(many[other] < few[other] for other in (1, 2, 3))


def test_every_scene_is_scored_once_with_its_folds_threshold_and_probabilities() -> None:
    fitted, thresholds = cross_fitted(scenes((0.5, 0.2)))
    assert sorted(one.scene_id for one in fitted) == sorted(PLACES)
    assert set(thresholds) == {0, 1, 2, 3}
    for one in fitted:
        assert 0.2 < thresholds[fold_of(one.scene_id)] <= 0.5
        assert [len(one.strict.hits), len(one.strict.missed), len(one.strict.false_alarms)] == [4, 1, 1]
        assert one.found[0].p_vessel not in (0.5, one.found[-1].p_vessel)


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("s2-obb-n-sim-2", MODEL)


def own_folds(left_out_of: list[int]) -> list[dict[str, object]]:
    return [
        {"weights": f"fold-{k}.onnx", "sha256": f"{k}" * 64, "left_out": left_out(k)} for k in left_out_of
    ]


def test_a_fold_is_seen_by_the_weights_that_left_it_out_at_raw_scores(model: Model) -> None:
    taught = {**model.card, "taught_on": "real and simulated", "folds": own_folds([3, 2, 1, 0])}
    own = fold_model(replace(model, card=taught), 2)
    assert own.weights == model.folder / "fold-2.onnx"
    assert own.sha256 == "2" * 64
    assert own.threshold == LOWEST_SCORE
    assert (own.read.vessel_calibration.a, own.read.vessel_calibration.b) == (1.0, 0.0)


@pytest.mark.parametrize("folds", [[], own_folds([0, 1, 3])])
def test_a_model_that_real_places_taught_is_not_measured_on_them(
    model: Model, folds: list[dict[str, object]]
) -> None:
    taught = {**model.card, "taught_on": "real and simulated", "folds": folds}
    with pytest.raises(ModelError, match="casablanca, durban, qingdao, vancouver"):
        fold_model(replace(model, card=taught), 2)


def test_weights_that_no_real_place_taught_serve_every_fold(model: Model) -> None:
    assert model.card["taught_on"] == "simulated"
    assert {fold_model(model, fold).sha256 for fold in range(4)} == {model.sha256}
