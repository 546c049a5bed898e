"""The dataset card's numbers are counted from labels, items and the simulator."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from roadstead_lab.training.dataset import NOT_DRAWN, real_facts, render, simulated_facts

CONFIG = {
    "model_id": "small",
    "taught_on": "real and simulated",
    "practice_scenes": 2,
    "simulated_stamps": 10,
}


def label(class_: str, length_m: float, confidence: str = "high", use: str = "yes") -> dict[str, Any]:
    properties = {
        "label_id": "x",
        "use": use,
        "class": class_,
        "kind": class_,
        "kind_confidence": confidence,
        "length_m": length_m,
        "polygon_px": [[0, 0], [10, 0], [10, 2], [0, 2]],
    }
    return {"type": "Feature", "properties": properties}


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Return a folder of two labelled scenes, one unlabelled one and two chips, one of which is absent."""
    labels = {
        "houston_1": [label("barge", 70.0), label("barge", 40.0, "low"), label("", 0.0, use="ignore")],
        "durban": [label("bulk_carrier", 250.0, "med"), label("other_vessel", 90.0)],
    }
    (tmp_path / "labels").mkdir()
    for name, features in labels.items():
        (tmp_path / "labels" / f"{name}.geojson").write_text(json.dumps({"features": features}))
    for name, date, asset in (
        ("houston_1", "2019-04-09", "visual"),
        ("houston_2", "2019-05-01", "visual"),
        ("durban", "2023-08-21", "nir"),
    ):
        folder = tmp_path / "stac" / "c" / name
        folder.mkdir(parents=True)
        item = {"properties": {"datetime": f"{date}T10:00:00Z"}, "assets": {asset: {}}}
        (folder / f"{name}.json").write_text(json.dumps(item))
    chips = tmp_path / "s2_ais" / "2022-08-12"
    chips.mkdir(parents=True)
    (chips / "chips.csv").write_text("ImageId,Length\na,80\nb,200\n")
    (chips / "a.tif").touch()
    return tmp_path


def test_ships_are_counted_by_place_class_confidence_and_length(shared: Path) -> None:
    facts = real_facts(shared)
    assert (facts["scenes"], facts["all"]["ships"], facts["all"]["required"]) == (2, 4, 3)
    assert [own["place"] for own in facts["places"]] == ["houston", "durban"]
    assert [own["bands"] for own in facts["places"]] == [False, True]
    assert facts["places"][0]["classes"] == {"barge": 2, "bulk_carrier": 0, "other_vessel": 0}
    low = next(own for own in facts["by_confidence"] if own["key"] == "low")
    assert low["classes"]["barge"] == 1
    longest = facts["by_length"][-1]
    assert (longest["key"], longest["classes"]["bulk_carrier"]) == ((230, None), 1)
    assert facts["unlabelled"] == {"houston": 1}
    assert facts["chips"] == {"present": 1, "long": 1}


def test_the_card_shows_the_counts_and_what_taught(shared: Path) -> None:
    card = render(CONFIG, real_facts(shared), simulated_facts(1, sampled=1, stamps=20))
    assert "| houston | 0 | 2019-04-09 | 8-bit true colour | 2 | 1 | 2 | 0 | 0 | 1 | 0 |" in card
    assert "| **all** | | | | 4 | 3 | 2 | 1 | 1 | 1 | 0 |" in card
    assert "| 230 or more | 0 | 1 | 0 |" in card
    assert "None of them taught this model" not in card
    assert "None of them taught this model" in render(
        CONFIG | {"taught_on": "simulated"}, real_facts(shared), simulated_facts(1, sampled=1, stamps=20)
    )


def test_simulated_hulls_are_counted_once_in_each_way_of_counting() -> None:
    facts = simulated_facts(240, sampled=2, stamps=30)
    large = facts["hulls"] - facts["small_craft"]
    assert large > 0
    assert {sum(tally.values()) for tally in facts["of_hulls"].values()} == {large}
    assert facts["sampled"] == 2
    assert sum(facts["stamps"]["classes"].values()) >= facts["stamps"]["rafts"] + 20


def test_no_drawing_code_speaks_of_what_the_card_says_is_not_drawn() -> None:
    package = Path(str(resources.files("roadstead_lab")))
    drawn_by = ("simulate/practice", "simulate/hulls", "simulate/coast", "simulate/optical")
    sources = [path for folder in drawn_by for path in sorted((package / folder).glob("*.py"))]
    sources += [package / "training" / f"{name}.py" for name in ("stamps", "crops", "simulated_sea")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    for thing, words in NOT_DRAWN.items():
        assert not re.search(words, text, re.IGNORECASE), f"{thing}: change NOT_DRAWN if they are drawn now"


@pytest.mark.shared_data
def test_the_real_counts_are_those_of_the_shared_data(shared_data: Path) -> None:
    facts = real_facts(shared_data)
    features = [
        feature["properties"]
        for path in (shared_data / "labels").glob("*.geojson")
        for feature in json.loads(path.read_text())["features"]
    ]
    classes = Counter(own["class"] for own in features if own["use"] == "yes")
    assert facts["all"]["classes"] == dict(classes)
    assert sum(facts["all"]["classes"].values()) == facts["all"]["ships"]
    assert sum(sum(own["classes"].values()) for own in facts["by_length"]) == facts["all"]["ships"]
    assert sum(sum(own["classes"].values()) for own in facts["by_confidence"]) == facts["all"]["ships"]
