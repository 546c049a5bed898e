"""The split is by place, and labels are read as the data README says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from roadstead.errors import BadInputError
from roadstead.training.places import PLACES, labelled_scenes, read_labels, split_of

HELD_OUT = {"athens", "durban", "klang", "valencia"}


def test_the_held_out_places_are_fixed() -> None:
    assert {place for place, split in PLACES.items() if split == "held_out"} == HELD_OUT


def test_every_date_of_a_place_falls_in_one_split() -> None:
    assert split_of("houston_T15RUN_20190409T164849") == split_of("houston_T15RUN_20190414T164901") == "train"


def test_a_scene_of_an_unknown_place_is_refused_rather_than_trained_on() -> None:
    with pytest.raises(BadInputError, match="atlantis"):
        split_of("atlantis_T00AAA")


def test_an_absent_data_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="shared data"):
        labelled_scenes(tmp_path / "nowhere", "train")


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
    scenes = labelled_scenes(shared_data, "train", "validation", "held_out")
    labels = [label for scene in scenes for label in read_labels(shared_data, scene)]
    assert sum(label.use == "yes" for label in labels) == 505
    assert sum(label.class_ == "bulk_carrier" and label.use == "yes" for label in labels) == 87


@pytest.mark.shared_data
def test_training_scenes_never_come_from_held_out_places(shared_data: Path) -> None:
    train = labelled_scenes(shared_data, "train")
    assert train
    assert not {scene.split("_")[0] for scene in train} & HELD_OUT
