"""One point of the learning curve: weights that saw simulated scenes alone, measured on every labelled place."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from roadstead.core.atomic_files import write_text
from roadstead.detection import load_model
from roadstead_lab.training.config import SIMULATED_ONLY
from roadstead_lab.training.figures import ScoredScene, detection_figures
from roadstead_lab.training.places import ANCHORAGES, place_of
from roadstead_lab.training.unseen import cross_fitted, unseen_scenes


def measured_point(
    shared: Path, weights: Path, digest: str, models_dir: Path
) -> dict[str, float | int | None]:
    """Measure exported weights on the labelled places: strict F1, and where the recall comes from.

    Args:
        shared: Folder of the real data.
        weights: ONNX file.
        digest: Its sha256.
        models_dir: Holds the model whose lengths and merging are used; thresholds are fitted anew.

    Returns:
        ``strict_f1``, ``strict_f1_harbours``, ``near_150m_f1``, ``recall_qingdao`` (strict) and ``n`` ships.

    Raises:
        BadInputError: The shared data is absent.
        ModelError: That model is missing.
    """
    card = dict(load_model(SIMULATED_ONLY, models_dir).card)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "measured"
        folder.mkdir()
        (folder / "weights.onnx").write_bytes(weights.read_bytes())
        write_text(folder / "model.json", json.dumps(card | {"model_id": "measured", "sha256": digest}))
        scenes, _ = cross_fitted(unseen_scenes(shared, load_model(folder)))
    harbours = [scene for scene in scenes if place_of(scene.scene_id) not in ANCHORAGES]
    qingdao = [scene for scene in scenes if place_of(scene.scene_id) == "qingdao"]
    return {
        "strict_f1": _figure(scenes, "f1"),
        "strict_f1_harbours": _figure(harbours, "f1"),
        "near_150m_f1": detection_figures([scene.near for scene in scenes])["f1"],
        "recall_qingdao": _figure(qingdao, "recall"),
        "n": detection_figures([scene.strict for scene in scenes])["n_ships"],
    }


def _figure(scenes: list[ScoredScene], name: str) -> float | None:
    value = detection_figures([scene.strict for scene in scenes])[name]
    return None if value is None else round(float(value), 4)
