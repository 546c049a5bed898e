from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from roadstead.core.errors import ModelError
from roadstead.core.settings import DEFAULT_MODEL_ID, settings
from roadstead.detection import load_model
from roadstead.detection.model import checked_weights
from tests.unit.detection.worlds import lamps, write_model


def change(folder: Path, **changes: Any) -> None:
    path = folder / "model.json"
    document = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))


def test_a_model_says_what_it_is(tmp_path: Path) -> None:
    model = lamps(tmp_path / "lamps", note="kept")
    assert (model.model_id, model.threshold, model.read.tile_px) == ("lamps", 0.4, 160)
    assert model.card["note"] == "kept"
    assert model.weights.name == "weights.onnx"


def test_a_model_is_found_by_its_id_among_the_shipped_ones(tmp_path: Path) -> None:
    write_model(tmp_path / "lamps")
    assert load_model("lamps", tmp_path).folder == tmp_path / "lamps"


def test_an_unknown_model_names_those_that_there_are(tmp_path: Path) -> None:
    write_model(tmp_path / "lamps")
    with pytest.raises(ModelError, match=r"unknown model 'lights'.*holds lamps"):
        load_model("lights", tmp_path)


def test_changed_weights_are_refused_with_file_both_sums_and_the_way_to_mend_it(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "lamps")
    expected = json.loads((folder / "model.json").read_text())["sha256"]
    with (folder / "weights.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError) as raised:
        load_model(folder)
    message = str(raised.value)
    assert str(folder / "weights.onnx") in message
    assert f"expected {expected}" in message
    assert "found " in message and message.count(expected) == 1
    assert "roadstead doctor" in message


def test_missing_weights_are_named(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "lamps")
    (folder / "weights.onnx").unlink()
    with pytest.raises(ModelError, match=r"weights\.onnx: weights cannot be read: No such file"):
        load_model(folder)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"score_threshold": 1.4}, "score_threshold"),
        ({"sha256": None}, "sha256: Field required"),
        ({"weights": "../other.onnx"}, "weights"),
        ({"weights": "weights.pt"}, "weights"),
        ({"tile_px": 100}, "tile_px"),
        ({"classes": ["ship"]}, "classes must be"),
        ({"length_calibration": {"slope": -1.0}}, r"length_calibration\.slope"),
    ],
)
def test_a_card_that_breaks_the_schema_names_the_key(
    tmp_path: Path, changes: dict[str, Any], fault: str
) -> None:
    folder = write_model(tmp_path / "lamps")
    change(folder, **changes)
    with pytest.raises(ModelError, match=rf"model\.json: .*{fault}"):
        load_model(folder)


@pytest.mark.parametrize("text", ["{", "[]", '"lamps"'])
def test_a_card_that_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    folder = write_model(tmp_path / "lamps")
    (folder / "model.json").write_text(text)
    with pytest.raises(ModelError, match=r"model\.json"):
        load_model(folder)


def test_recall_of_lengths_never_tried_is_left_out(tmp_path: Path) -> None:
    rows = [
        {"low_m": 45, "high_m": 60, "recall": None, "n": 0},
        {"low_m": 60, "high_m": 90, "recall": 0.7, "n": 20},
    ]
    assert lamps(tmp_path / "none").recall_by_length is None
    model = lamps(tmp_path / "some", recall_by_length=rows)
    assert model.recall_by_length == [
        {"where": None, "low_m": 60.0, "high_m": 90.0, "recall": 0.7, "n": 20.0}
    ]


def test_recall_in_berths_needs_the_ranges_of_recall_of_all_hulls(tmp_path: Path) -> None:
    rows = [
        {"low_m": 60, "high_m": 90, "recall": 0.7, "n": 20},
        {"where": "berth", "low_m": 45, "high_m": 90, "recall": 0.5, "n": 9},
    ]
    with pytest.raises(ModelError, match=r"no row of all hulls from 45\.0 m"):
        lamps(tmp_path, recall_by_length=rows)


def test_the_weights_that_ship_have_the_sum_in_their_card() -> None:
    model = load_model(DEFAULT_MODEL_ID, settings().models_dir)
    assert len(checked_weights(model.weights, model.sha256)) > 1_000_000
    assert model.card["assets"]["weights"]["file:checksum"] == f"1220{model.sha256}"
