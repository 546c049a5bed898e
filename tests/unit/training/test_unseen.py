"""What a place is measured with was neither taught nor chosen on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from roadstead.detection import Model, load_model
from roadstead.training.figures import ScoredScene, score_scene
from roadstead.training.places import PLACES, fold_of
from roadstead.training.unseen import LOWEST_SCORE, cross_fitted, fold_model
from tests.unit.training.test_scoring import seen, ship

MODEL = Path(__file__).parents[3] / "models"


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
    return load_model("s2-obb-n-sim-1", MODEL)


def test_a_fold_is_seen_by_the_weights_that_left_it_out_at_raw_scores(model: Model) -> None:
    folds = [{"weights": f"fold-{k}.onnx", "sha256": f"{k}" * 64} for k in range(4)]
    own = fold_model(replace(model, card={**model.card, "folds": folds}), 2)
    assert own.weights == model.folder / "fold-2.onnx"
    assert own.sha256 == "2" * 64
    assert own.threshold == LOWEST_SCORE
    assert (own.read.vessel_calibration.a, own.read.vessel_calibration.b) == (1.0, 0.0)


def test_weights_that_no_real_place_taught_serve_every_fold(model: Model) -> None:
    assert {fold_model(model, fold).sha256 for fold in range(4)} == {model.sha256}
