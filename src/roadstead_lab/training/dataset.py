"""The dataset card: what taught and what measured a model, counted from the labels and from the simulator itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import yaml

from roadstead.core.atomic_files import write_text
from roadstead.core.schemas import CLASSES
from roadstead_lab.simulate.practice.scene import practice_scene
from roadstead_lab.training import (
    ais_check,
    interval_check,
    motion_check,
    open_water,
    raft_check,
    simulated_check,
)
from roadstead_lab.training.card import template
from roadstead_lab.training.conditions import practice_ships
from roadstead_lab.training.crops import WITH_CLOUD, WITH_SURF
from roadstead_lab.training.eurosat import eurosat_scenes
from roadstead_lab.training.figures import LENGTH_BINS_M, in_bin
from roadstead_lab.training.places import PLACES, Label, fold_of, labelled_scenes, place_of, read_labels
from roadstead_lab.training.practice import TAUGHT, labelled_hulls
from roadstead_lab.training.scoring import LEAST_LENGTH_M
from roadstead_lab.training.stamps import simulated_stamp

NAME: Final = "dataset.md"
CONFIDENCES: Final = ("high", "med", "low")
SAMPLED_SCENES: Final = 30
"""Practice scenes that are drawn again to tell what they hold; one takes some 2 s."""
SAMPLED_STAMPS: Final = 400
NOT_DRAWN: Final = {
    "tows": r"\b(tow|tows|towed)\b",
    "airports": r"airport|runway",
    "wind turbines": r"turbine",
    "bridges": r"bridge(?!head)",
    "ice": r"\b(ice|floe|floes)\b",
    "fish farms": r"fish farm|aquacultur",
}
"""Rare things that no simulated image of teaching or checking holds -> what the drawing code would speak of, were they
there."""
_TEMPLATE: Final = Path(__file__).with_name("dataset.md.j2")


@dataclass(frozen=True)
class RealScene:
    """One labelled real image."""

    scene_id: str
    date: str
    bands: bool
    """Whether it has reflectance of four bands, else 8-bit true colour."""
    labels: tuple[Label, ...]


def write_dataset_card(folder: Path, shared: Path) -> Path:
    """Write ``dataset.md`` into a model's folder.

    Args:
        folder: Of the model, with ``train.yaml``.
        shared: Folder of the real data.

    Raises:
        BadInputError: The shared data is absent.
    """
    train = yaml.safe_load((folder / "train.yaml").read_text(encoding="utf-8"))
    config = train["config"]
    untaught = sorted(set(PLACES) - set(train["folds"]))
    text = render(config, real_facts(shared), simulated_facts(int(config["practice_scenes"])), untaught)
    path = folder / NAME
    write_text(path, text)
    return path


def render(
    config: Mapping[str, Any],
    real: Mapping[str, Any],
    simulated: Mapping[str, Any],
    untaught: Sequence[str] = (),
) -> str:
    """Fill the card's template; `untaught` are labelled places that came after the model was taught."""
    return template(_TEMPLATE).render(
        config=config,
        untaught=untaught,
        taught_on_simulation=config["taught_on"] == "simulated",
        real=real,
        simulated=simulated,
        checks={
            "simulated lengths": interval_check.SEED,
            "simulated rafts": raft_check.SEED,
            "simulated open water": open_water.SEED,
            "length calibration": simulated_check.SEED,
            "bow and motion": motion_check.SEED,
        },
        seed=TAUGHT,
        surf=WITH_SURF,
        clouded=WITH_CLOUD,
        not_drawn=list(NOT_DRAWN),
        least_m=LEAST_LENGTH_M,
        classes=CLASSES,
        confidences=CONFIDENCES,
        bins=LENGTH_BINS_M,
    )


def real_facts(shared: Path) -> dict[str, Any]:
    """Count the labelled scenes, the unlabelled ones and the AIS chips of the shared data.

    Raises:
        BadInputError: The shared data is absent.
    """
    scenes = [_real_scene(shared, scene_id) for scene_id in labelled_scenes(shared)]
    labels = [label for scene in scenes for label in scene.labels]
    ships = [label for label in labels if label.use == "yes"]
    known = {scene.scene_id for scene in scenes}
    items = sorted(path.stem for path in shared.glob("stac/*/*/*.json") if path.stem == path.parent.name)
    return {
        "scenes": len(scenes),
        "dates": _span([scene.date for scene in scenes]),
        "unlabelled": Counter(place_of(name) for name in items if name not in known),
        "places": _by_place(scenes),
        "all": _counts(labels),
        "by_confidence": _table(ships, CONFIDENCES, lambda label: label.confidence),
        "by_length": _table(ships, LENGTH_BINS_M, _bin_of),
        "chips": _chips(shared),
        "eurosat": _eurosat(shared),
    }


def _eurosat(shared: Path) -> dict[str, int]:
    """Count the mosaics of EuroSAT chips and the hulls that they teach; zeros where there are no chips."""
    scenes = eurosat_scenes(shared)
    classes = Counter(CLASSES[k] for scene in scenes for k in scene.classes)
    return {
        "chips": len(list((shared / "eurosat" / "chips").glob("*.jpg"))),
        "negatives": len(list((shared / "eurosat" / "negatives").glob("*.jpg"))),
        "hulls": sum(classes.values()),
        "barges": classes["barge"],
    }


def _real_scene(shared: Path, scene_id: str) -> RealScene:
    path = next(shared.glob(f"stac/*/{scene_id}/{scene_id}.json"))
    item = json.loads(path.read_text(encoding="utf-8"))
    date = str(item["properties"]["datetime"])[:10]
    return RealScene(scene_id, date, "nir" in item["assets"], read_labels(shared, scene_id))


def _by_place(scenes: Sequence[RealScene]) -> list[dict[str, Any]]:
    names = sorted({place_of(s.scene_id) for s in scenes}, key=lambda name: (fold_of(name), name))
    return [_place(name, [scene for scene in scenes if place_of(scene.scene_id) == name]) for name in names]


def _place(name: str, scenes: Sequence[RealScene]) -> dict[str, Any]:
    return {
        "place": name,
        "fold": fold_of(name),
        "dates": sorted(scene.date for scene in scenes),
        "bands": all(scene.bands for scene in scenes),
        **_counts([label for scene in scenes for label in scene.labels]),
    }


def _counts(labels: Sequence[Label]) -> dict[str, Any]:
    ships = [label for label in labels if label.use == "yes"]
    return {
        "ships": len(ships),
        "required": sum(label.required for label in ships),
        "classes": {name: sum(label.class_ == name for label in ships) for name in CLASSES},
        "ignored": sum(label.use == "ignore" for label in labels),
        "unsearched": sum(label.use == "unsearched" for label in labels),
    }


def _table(
    ships: Sequence[Label], keys: Iterable[Any], key_of: Callable[[Label], Any]
) -> list[dict[str, Any]]:
    tally = Counter((key_of(label), label.class_) for label in ships)
    return [{"key": key, "classes": {name: tally[key, name] for name in CLASSES}} for key in keys]


def _bin_of(label: Label) -> tuple[int, int | None]:
    return next(one for one in LENGTH_BINS_M if in_bin(label.length_m, one))


def _span(dates: Sequence[str]) -> str:
    return f"{min(dates)} to {max(dates)}"


def _chips(shared: Path) -> dict[str, int]:
    """Chips that are present, and those centred on a vessel long enough to be measured on."""
    folder = shared / ais_check.DAY
    table = pd.read_csv(folder / "chips.csv")
    there = [(folder / f"{name}.tif").exists() for name in table["ImageId"]]
    lengths = table["Length"].to_numpy(float)[there]
    return {"present": len(lengths), "long": int((lengths >= ais_check.LEAST_LENGTH_M).sum())}


def simulated_facts(
    practice_scenes: int, *, sampled: int = SAMPLED_SCENES, stamps: int = SAMPLED_STAMPS
) -> dict[str, Any]:
    """Draw the first practice scenes that taught, and some stamps, and count what they hold.

    Args:
        practice_scenes: How many taught.
        sampled: How many of them are drawn again.
        stamps: How many stamps are drawn.

    Returns:
        Shares of scenes, numbers of hulls by class, state and neighbours, and numbers of stamps.
    """
    scenes = [practice_scene(TAUGHT, number) for number in range(min(sampled, practice_scenes))]
    hulls = [list(labelled_hulls(scene)) for scene in scenes]
    large = [[h for h in own if h.spec.kind != "small_craft"] for own in hulls]
    ships = [
        ship.conditions
        for scene, own in zip(scenes, large, strict=True)
        for ship in practice_ships(scene, own, [False] * len(own))
    ]
    return {
        "sampled": len(scenes),
        "hulls": sum(map(len, hulls)),
        "small_craft": sum(map(len, hulls)) - len(ships),
        "of_hulls": {name: Counter(s[name] for s in ships) for name in ("class", "state", "alongside")},
        "quay_scenes": sum(any(hull.state == "at_quay" for hull in scene.hulls) for scene in scenes),
        "land_scenes": sum(bool((scene.land_share > 0).any()) for scene in scenes),
        "cloud_scenes": sum(scene.weather.cloud != "none" for scene in scenes),
        "glint_scenes": sum(scene.weather.glint > 0 for scene in scenes),
        "swell_scenes": sum(scene.weather.swell > 0 for scene in scenes),
        "air_scenes": sum(not scene.surface for scene in scenes),
        "stamps": _stamps(stamps),
    }


def _stamps(count: int) -> dict[str, Any]:
    rng = np.random.default_rng(TAUGHT)
    drawn = [simulated_stamp(rng) for _ in range(count)]
    classes = Counter(CLASSES[k] for stamp in drawn for k in stamp.classes)
    return {
        "n": count,
        "rafts": sum(len(stamp.hulls) > 1 for stamp in drawn),
        "classes": {name: classes[name] for name in CLASSES},
    }
