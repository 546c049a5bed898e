"""The card says what the metrics say, each figure with its n."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import numpy as np
import pytest

from roadstead.detection.model import ModelCard, SizeFit
from roadstead_lab.training.ais_check import ChipVessel, figures
from roadstead_lab.training.calibrate import Platt
from roadstead_lab.training.card import render
from roadstead_lab.training.conditions import PlacedShip, recall_by_condition, recall_for_reconciling
from roadstead_lab.training.evaluate import measured, show
from roadstead_lab.training.figures import SoughtShip, reliability, score_scene
from roadstead_lab.training.package import describe, measured_keys
from roadstead_lab.training.places import PLACES
from tests.unit.lab.training.test_scoring import seen, ship

CONFIG = {
    "model_id": "s2-obb-n-4",
    "architecture": "yolo11n-obb.yaml",
    "pretrained": "s2-obb-n-sim-2",
    "taught_on": "real and simulated",
    "seed": 1,
    "cycles": [10],
    "own_share": 0.5,
    "batch": 2,
}


def metrics() -> dict[str, Any]:
    labels = (ship(20, 20), ship(60, 60, length_m=200.0))
    scenes = [
        score_scene("durban", labels, (seen(20, 20), seen(90, 90, p=0.4))),
        score_scene("genoa", labels, ()),
        score_scene("houston", labels, ()),
    ]
    vessels = [ChipVessel("1", 100.0, 110.0, 95.0, 125.0), ChipVessel("2", 80.0, None, None, None)]
    return measured(scenes) | {"s2_ais": figures(vessels), "model_id": "s2-obb-n-4"}


def model() -> dict[str, Any]:
    fit = SizeFit(intercept=-9.0, low=-12.0, high=12.0)
    return describe(CONFIG, "ab" * 32, score_threshold=0.3, platt=Platt(1.0, 0.5), length=fit, beam=fit)


def test_places_are_pooled_and_the_anchorages_are_left_out_of_the_harbours() -> None:
    figures_ = metrics()
    assert figures_["places"]["durban"]["fold"] == 2
    assert figures_["unseen"]["strict"]["n_ships"] == 6
    assert figures_["unseen"]["strict"]["recall"] == round(1 / 6, 4)
    assert figures_["unseen_harbours"]["strict"]["n_ships"] == 4
    assert figures_["unseen_harbours"]["strict"]["recall"] == 0.25


def test_the_card_shows_places_by_fold_with_their_n() -> None:
    card = render(model(), metrics(), {"config": CONFIG, "folds": dict(PLACES)})
    rows = [line for line in card.splitlines() if line.startswith("| durban") or line.startswith("| genoa")]
    assert rows[0].startswith("| durban | 2 | 2 | 0.50 (")
    assert "Found: 1 of 2" in card
    assert "labels were made by eye" in card.lower()
    assert "AGPL-3.0-or-later" in card
    assert "Copernicus Sentinel data" in card


def test_every_place_and_their_sums_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    show(metrics())
    printed = capsys.readouterr().out
    for name in ("durban", "genoa", "all harbours", "all places"):
        assert name in printed
    assert "1 of 2 vessels found" in printed


def test_ais_lengths_count_only_vessels_that_were_found() -> None:
    result = metrics()["s2_ais"]
    assert result["found"] == 0.5
    assert result["length_mae_m"] == 10.0
    assert result["interval_80_coverage"] == 1.0


def test_ais_length_errors_have_an_interval_from_two_vessels_on() -> None:
    one, other = ChipVessel("1", 100.0, 110.0, 95.0, 125.0), ChipVessel("2", 80.0, 110.0, 70.0, 99.0)
    two = figures([one, other])
    assert two["length_mae_m_95"] == [10.0, 30.0]
    assert two["length_mae_leave_one_out_m_95"] == [20.0, 20.0]
    assert figures([one])["length_mae_m_95"] is None


def test_reliability_sets_stated_probability_against_ships() -> None:
    labels = (ship(20, 20),)
    rows = reliability([score_scene("durban", labels, (seen(20, 20, p=0.95), seen(90, 90, p=0.15)))])
    assert (rows[-1]["n"], rows[-1]["share_ships"]) == (1, 1.0)
    assert (rows[0]["n"], rows[0]["share_ships"]) == (1, 0.0)
    assert np.isclose(rows[0]["stated"], 0.15)


def test_the_model_file_tells_input_classes_and_checksum() -> None:
    document = model()
    assert document["classes"] == ["barge", "bulk_carrier", "other_vessel"]
    assert document["assets"]["weights"]["file:checksum"] == "1220" + document["sha256"]
    assert document["properties"]["mlm:input"][0]["bands"] == ["red", "green", "blue"]
    assert document["vessel_calibration"] == {"a": 1.0, "b": 0.5}


def test_the_reconciler_gets_recall_only_where_it_was_measured() -> None:
    rows = measured_keys(metrics())["recall_by_length"]
    assert all(row["n"] > 0 and row["recall"] is not None for row in rows)
    assert load_card(model() | {"recall_by_length": rows}).recall_by_length


def test_the_reconciler_can_read_recall_by_place() -> None:
    placed = [
        PlacedShip(SoughtShip(0, 100.0, True), {"place": "at_quay"}),
        PlacedShip(SoughtShip(1, 250.0, False), {"place": "free"}),
    ]
    measured_ = metrics()
    measured_["unseen"]["recall_by_length"] = recall_for_reconciling(placed)
    card = load_card(model() | {"recall_by_length": measured_keys(measured_)["recall_by_length"]})
    assert {(row.where, row.low_m) for row in card.recall_by_length} == {
        (None, 90),
        (None, 230),
        ("berth", 90),
        ("open", 230),
    }


def whole_card(**more: object) -> str:
    return render(model(), metrics() | more, {"config": CONFIG, "folds": dict(PLACES)})


def test_the_card_begins_with_the_goals_that_were_measured() -> None:
    card = whole_card()
    assert card.index("## Goals") < card.index("## Intended use")
    assert "| strict F1 (oriented IoU >= 0.3) | 0.75 | 0.88 | 0.25 (" in card
    assert "| 6 ships | no | no |" in card
    assert "false alarms per 100 km2" not in card


def test_the_card_breaks_detection_classes_and_probabilities_down() -> None:
    lines = whole_card().splitlines()
    assert any(line.startswith("| 90-130 | 3 | 0.40 (") for line in lines)
    assert "| 90-130 | bulk carrier | 1 | 0 | 1 | 0 | 1.00 (0.21-1.00) |" in lines
    assert "| bulk carrier | 0.8-1.0 | 0.80 | 1.00 (0.21-1.00) | 1 |" in lines
    assert "| the one called | 0.8-1.0 | 0.80 | 1.00 (0.21-1.00) | 1 |" in lines


def test_recall_by_condition_is_shown_with_its_source() -> None:
    placed = [PlacedShip(SoughtShip(0, 100.0, True), {"place": "at_quay"})]
    card = whole_card(recall_by_condition={"real": recall_by_condition(placed)})
    assert "| real: place | at quay | 1.00 (0.21-1.00) | 1 |" in card.splitlines()
    assert "## Recall by condition" not in whole_card()


def test_counts_and_classes_are_shown_apart_from_the_anchorages() -> None:
    lines = whole_card().splitlines()
    assert any(re.fullmatch(r"\| bulk carrier \| \S+ \S+ \| 3 \| \S+ \S+ \| 2 \|", line) for line in lines)
    assert any(line.startswith("| bulk_carrier | 1.00 (1.00-1.00) | 1 | 1.00") for line in lines)


def test_every_table_of_the_card_has_rows_as_wide_as_its_head() -> None:
    lines = whole_card().splitlines()
    for number, line in enumerate(lines):
        if line.startswith("|---"):
            head = lines[number - 1]
            for row in itertools.takewhile(lambda text: text.startswith("|"), lines[number + 1 :]):
                assert row.count("|") == head.count("|"), (head, row)


def load_card(document: dict[str, Any]) -> ModelCard:
    return ModelCard.model_validate_json(json.dumps(document))


def test_the_detector_can_read_the_model_file() -> None:
    card = load_card(model())
    assert card.length_calibration.intercept == -9.0
    assert card.vessel_calibration.b == 0.5
