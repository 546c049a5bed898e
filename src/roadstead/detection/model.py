"""The model that ships: a folder with ``weights.onnx`` and ``model.json`` (a STAC MLM item with our keys on top)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from roadstead.errors import ModelError
from roadstead.settings import settings
from roadstead.tables import CLASSES


class Merge(BaseModel):
    """When two boxes are one hull."""

    model_config = ConfigDict(frozen=True)

    iou: float = Field(default=0.3, gt=0.0, le=1.0)
    """Oriented intersection over union above which the lower-scored box is a duplicate."""


class Platt(BaseModel):
    """p = sigmoid(a * logit(score) + b): the probability that a detection is a vessel (Platt 1999)."""

    model_config = ConfigDict(frozen=True)

    a: float = 1.0
    b: float = 0.0


class Size(BaseModel):
    """true = slope * box + intercept, in metres; ``low`` and ``high`` added give the 80 % interval."""

    model_config = ConfigDict(frozen=True)

    slope: float = Field(default=1.0, gt=0.0)
    intercept: float = 0.0
    low: float = Field(default=-20.0, le=0.0)
    high: float = Field(default=20.0, ge=0.0)


class Card(BaseModel):
    """What the detector reads of ``model.json``; other keys are the catalogue's."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model_id: str
    weights: str = "weights.onnx"
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    tile_px: int = Field(default=320, ge=64)
    classes: tuple[str, ...] = CLASSES
    score_threshold: float = Field(ge=0.0, le=1.0)
    merge: Merge = Merge()
    vessel_calibration: Platt = Platt()
    length_calibration: Size = Size()
    beam_calibration: Size = Size(low=-8.0, high=8.0)
    recall_by_length: tuple[Mapping[str, Any], ...] | None = None


@dataclass(frozen=True)
class Model:
    """A model whose weights have the checksum that its card names."""

    folder: Path
    card: Card

    @property
    def model_id(self) -> str:
        """Its stable name; part of every detection."""
        return self.card.model_id

    @property
    def sha256(self) -> str:
        """SHA-256 of the weights, hex."""
        return self.card.sha256

    @property
    def threshold(self) -> float:
        """Score from which a detection is shipped."""
        return self.card.score_threshold

    @property
    def weights(self) -> Path:
        """The ONNX file."""
        return self.folder / self.card.weights

    @property
    def recall_by_length(self) -> tuple[Mapping[str, Any], ...] | None:
        """Measured recall per length bin, None where the card has none."""
        return self.card.recall_by_length


def load_model(name: str | Path, models_dir: Path | None = None) -> Model:
    """Load a model by id or folder and check its weights.

    Raises:
        ModelError: no such model, a card that breaks the rules, or weights with another SHA-256.
    """
    folder = _folder(name, models_dir or settings().models_dir)
    card = _card(folder / "model.json")
    weights = folder / card.weights
    found = _sha256(weights)
    if found != card.sha256:
        raise ModelError(
            f"{weights}: sha256 is {found}, model.json says {card.sha256}: the file is damaged or not this "
            "model's; restore the folder, then run 'roadstead doctor'"
        )
    return Model(folder, card)


def _folder(name: str | Path, models_dir: Path) -> Path:
    for folder in (Path(name), models_dir / name):
        if (folder / "model.json").is_file():
            return folder
    known = sorted(path.parent.name for path in models_dir.glob("*/model.json"))
    raise ModelError(
        f"no model '{name}': neither a folder with model.json nor one of {', '.join(known) or 'none'}"
    )


def _card(path: Path) -> Card:
    try:
        card = Card.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: {error}") from error
    if card.classes != CLASSES:
        raise ModelError(f"{path}: classes are {card.classes}, Roadstead needs {CLASSES} in this order")
    return card


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}; restore the model's folder") from error
