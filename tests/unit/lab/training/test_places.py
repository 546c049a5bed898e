"""Folds are by place, and labels are read as the data README says."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from roadstead.core.errors import BadInputError
from roadstead_lab.training.places import FOLDS, PLACES, fold_of, labelled_scenes, read_labels
from roadstead_lab.training.scenes import training_scenes


def test_there_are_four_folds_of_four_places_and_the_anchorages_lie_apart() -> None:
    assert FOLDS == (0, 1, 2, 3)
    assert Counter(PLACES.values()) == dict.fromkeys(FOLDS, 4)
    assert PLACES["houston"] != PLACES["vancouver"]


def test_the_two_places_with_most_barges_lie_in_different_folds() -> None:
    assert PLACES["houston"] != PLACES["rotterdam"]


def test_every_date_of_a_place_falls_in_one_fold() -> None:
    assert fold_of("houston_T15RUN_20190409T164849") == fold_of("houston_T15RUN_20190414T164901") == 0


def test_a_scene_of_an_unknown_place_is_refused_rather_than_trained_on() -> None:
    with pytest.raises(BadInputError, match="atlantis"):
        fold_of("atlantis_T00AAA")


def test_an_absent_data_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="shared data"):
        labelled_scenes(tmp_path / "nowhere")


def test_a_broken_label_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "athens.geojson").write_text("{")
    with pytest.raises(BadInputError, match=r"athens\.geojson"):
        read_labels(tmp_path, "athens")


@pytest.mark.parametrize(
    ("properties", "required"),
    [
        ({"use": "yes", "class": "barge", "kind": "barge", "length_m": 45.0}, True),
        ({"use": "yes", "class": "barge", "kind": "barge", "length_m": 44.9}, False),
        ({"use": "yes", "class": "other_vessel", "kind": "small_craft", "length_m": 60.0}, False),
        ({"use": "ignore", "class": "other_vessel", "kind": "tanker", "length_m": 60.0}, False),
        ({"use": "unsearched"}, False),
    ],
)
def test_only_searched_ships_of_45_m_that_are_no_small_craft_are_required(
    tmp_path: Path, properties: dict[str, object], required: bool
) -> None:
    whole = {"label_id": "athens/0", "polygon_px": [[0, 0], [1, 0], [1, 1], [0, 1]], **properties}
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "athens.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [{"properties": whole}]})
    )
    (label,) = read_labels(tmp_path, "athens")
    assert label.required is required


@pytest.mark.shared_data
def test_the_shared_labels_hold_the_ships_the_readme_counts(shared_data: Path) -> None:
    scenes = labelled_scenes(shared_data)
    labels = [label for scene in scenes for label in read_labels(shared_data, scene)]
    assert sum(label.use == "yes" for label in labels) == 707
    assert sum(label.class_ == "bulk_carrier" and label.use == "yes" for label in labels) == 117


@pytest.mark.shared_data
def test_no_place_of_the_fold_left_out_teaches_and_every_other_does(
    shared_data: Path, tmp_path: Path
) -> None:
    taught = {scene.scene_id.split("_")[0] for scene in training_scenes(shared_data, tmp_path, left_out=3)}
    assert taught == {place for place, fold in PLACES.items() if fold != 3}
