"""Variants change what they say and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from roadstead.core.settings import DEFAULT_MODEL_ID, settings
from roadstead_lab.training.ablation import class_log_loss, mixed_anew, page
from roadstead_lab.training.config import SIMULATED_ONLY
from roadstead_lab.training.figures import ScoredScene, score_scene
from tests.unit.lab.training.test_scoring import seen, ship


def first_weights(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    graph = onnx.load(str(path)).graph
    name = next(node for node in graph.node if node.op_type == "Conv").input[1]
    return numpy_helper.to_array(next(t for t in graph.initializer if t.name == name)).astype(float)


def test_a_mix_of_the_shipped_weights_can_be_taken_back_to_either_end(tmp_path: Path) -> None:
    models = settings().models_dir
    shipped, first = models / DEFAULT_MODEL_ID, models / SIMULATED_ONLY
    none = mixed_anew(shipped, first, 0.0, tmp_path / "none")
    start = first_weights(first / "weights.onnx")
    np.testing.assert_allclose(first_weights(none.weights), start, atol=1e-6)
    whole = mixed_anew(shipped, first, 1.0, tmp_path / "whole")
    now, own = first_weights(shipped / "weights.onnx"), first_weights(whole.weights)
    assert np.abs(own - start).max() > np.abs(now - start).max() > 0


def scenes(called: str) -> list[ScoredScene]:
    return [score_scene("s", (ship(20, 20, class_="bulk_carrier"),), (seen(20, 20, class_=called),))]


def test_log_loss_is_of_the_labels_class() -> None:
    assert class_log_loss(scenes("bulk_carrier")) == pytest.approx(-np.log(0.8), abs=1e-3)
    assert class_log_loss(scenes("barge")) == pytest.approx(-np.log(0.1), abs=1e-3)
    assert class_log_loss([]) is None


def test_the_page_in_docs_is_what_its_figures_say() -> None:
    docs = Path(__file__).parents[4] / "docs" / "detector"
    document = json.loads((docs / "ablation.json").read_text(encoding="utf-8"))
    assert page(document) == (docs / "ablation.md").read_text(encoding="utf-8")
