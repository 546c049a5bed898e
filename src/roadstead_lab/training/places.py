"""The labelled places, the folds they are measured in, and their labels.

Folds are by place and never by tile: a scene belongs to the place its id begins with, on every date. The weights that a
place is measured with were taught on the places of the other folds alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from roadstead.core.errors import BadInputError

PLACES: Final[dict[str, int]] = {
    "calais": 0,
    "honolulu": 0,
    "houston": 0,
    "klang": 0,
    "athens": 1,
    "cartagena": 1,
    "gdynia": 1,
    "santos": 1,
    "casablanca": 2,
    "durban": 2,
    "qingdao": 2,
    "vancouver": 2,
    "genoa": 3,
    "marseille": 3,
    "rotterdam": 3,
    "valencia": 3,
}
"""Place -> fold. The two anchorages with several dates lie in different folds; each fold has 127 to 140 ships."""
ANCHORAGES: Final = frozenset({"houston", "vancouver"})
"""Places seen at anchor on several dates, in 8-bit true colour; all others are harbours."""
FOLDS: Final = tuple(sorted(set(PLACES.values())))


def left_out(fold: int) -> list[str]:
    """List the places of a fold, which its weights are not taught on."""
    return sorted(place for place, own in PLACES.items() if own == fold)


@dataclass(frozen=True)
class Label:
    """One labelled region of a scene: a ship, or ground to leave out."""

    label_id: str
    use: Literal["yes", "ignore", "unsearched"]
    class_: str | None
    kind: str | None
    confidence: str | None
    """high, med or low; how sure the annotator was of the kind."""
    length_m: float
    corners: NDArray[np.float64]
    """[n, 2] pixel (column, row), 0 at the image's outer edge."""

    @property
    def required(self) -> bool:
        """Whether a detector must find it: a ship of 45 m or more that is no small craft."""
        return self.use == "yes" and self.length_m >= 45 and self.kind != "small_craft"


def place_of(scene_id: str) -> str:
    """Give the place of a scene, the part of its id before the tile name."""
    return scene_id.split("_", 1)[0]


def fold_of(scene_id: str) -> int:
    """Give the fold of a scene by its place.

    Raises:
        BadInputError: The place is in no fold.
    """
    place = place_of(scene_id)
    if place not in PLACES:
        message = f"scene {scene_id}: place {place!r} is in no fold; add it to PLACES in training/places.py"
        raise BadInputError(message)
    return PLACES[place]


def shared_folder(path: Path) -> Path:
    """Check that the folder of real data is there.

    Raises:
        BadInputError: It is absent or lacks ``labels`` or ``stac``.
    """
    for part in ("labels", "stac"):
        if not (path / part).is_dir():
            message = f"{path / part} is absent: training and evaluation need the shared data (--shared PATH)"
            raise BadInputError(message)
    return path


def labelled_scenes(shared: Path, folds: Collection[int] = FOLDS) -> tuple[str, ...]:
    """List the ids of labelled scenes that belong to one of the folds, sorted."""
    ids = sorted(path.stem for path in (shared_folder(shared) / "labels").glob("*.geojson"))
    return tuple(scene_id for scene_id in ids if fold_of(scene_id) in folds)


def read_labels(shared: Path, scene_id: str) -> tuple[Label, ...]:
    """Read the labels of one scene.

    Raises:
        BadInputError: The label file is absent or not GeoJSON.
    """
    path = shared / "labels" / f"{scene_id}.geojson"
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
    except (OSError, KeyError, json.JSONDecodeError) as error:
        message = f"{path}: not a readable label file ({error})"
        raise BadInputError(message) from error
    return tuple(_label(feature["properties"]) for feature in features)


def _label(properties: dict[str, Any]) -> Label:
    return Label(
        label_id=properties["label_id"],
        use=properties["use"],
        class_=properties.get("class"),
        kind=properties.get("kind"),
        confidence=properties.get("kind_confidence"),
        length_m=float(properties.get("length_m") or 0.0),
        corners=np.asarray(properties["polygon_px"], np.float64),
    )
