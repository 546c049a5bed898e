"""A model folder: ``model.json``, and the ONNX weights whose sha256 it holds.

``model.json`` is a STAC item with the Machine Learning Model extension
(https://github.com/stac-extensions/mlm). What the detector reads stands at its top level, see `ModelCard`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from roadstead.core.errors import ModelError
from roadstead.core.geo import Array
from roadstead.core.schemas import CLASSES
from roadstead.core.settings import settings

REFERENCE_M: Final = 100.0
"""Size whose interval `SizeFit` states."""
Share = Annotated[float, Field(ge=0.0, le=1.0)]
_MEND = "restore it with 'git checkout -- models' or install Roadstead again, then run 'roadstead doctor'"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Merge(_Part):
    """When two boxes are one hull."""

    iou: float = Field(default=0.7, gt=0.0, le=1.0)
    """Least oriented intersection over union. On the labelled real scenes F1 is flat from 0.4 to 0.8; boxes run a pixel
    wide and those of rafted hulls overlap by half and more, so at 0.4 a tenth of simulated rafted hulls is lost."""
    middle: float = Field(default=0.5, ge=0.0, lt=1.0)
    """Share of a box's length, about its centre, on which another hull's cannot lie: see `decode.unique_hulls`. 0 for
    overlap alone."""


class Platt(_Part):
    """p = 1 / (1 + exp(-(a logit(score) + b))): Platt scaling (Platt 1999); by default p is the score."""

    a: float = Field(default=1.0, gt=0.0)
    b: float = 0.0


class ClassFit(_Part):
    """Probabilities of the classes = scores ** power, over their sum; by default scores over their sum.

    Temperature scaling (Guo et al. 2017): power is the inverse of the temperature. The likeliest class stays the same.
    """

    power: float = Field(default=1.0, gt=0.0)


class SizeFit(_Part):
    """Hull size = slope * box size + intercept, in metres; by default the box's own size, no interval."""

    slope: float = Field(default=1.0, gt=0.0)
    intercept: float = 0.0
    low: float = Field(default=0.0, le=0.0)
    high: float = Field(default=0.0, ge=0.0)
    """Ends of the 80 % interval of a hull of `REFERENCE_M`, metres from the fitted size."""
    growth: float = Field(default=0.0, ge=0.0)
    """Of the interval with size: as size ** growth. 0 for one width."""

    def spread(self, size_m: Array) -> Array:
        """Return by how much the interval of a fitted size is wider than that of `REFERENCE_M`."""
        return np.asarray((np.maximum(size_m, 1.0) / REFERENCE_M) ** self.growth)


class MotionFit(_Part):
    """Weights of what `detection.motion` measures: the logits are their sums."""

    moving: tuple[float, ...] = Field(min_length=6, max_length=6)
    """Of `motion.moving_inputs`."""
    bow: tuple[float, ...] = Field(min_length=2, max_length=2)
    """Of `motion.bow_inputs`; the bow is at the box's first end."""


class Context(_Part):
    """How far land around a box lowers its score, where near infrared tells land: see `oriented_boxes.lowered`."""

    land_share: float = Field(default=0.6, ge=0.0, lt=1.0)
    """Of the ring around a box: up to this nothing is taken off. A hull at a quay has water along its other side."""
    logit: float = Field(default=0.0, ge=0.0)
    """Taken off the logit of the score where all around is land."""


class RecallRow(_Part):
    """Share of hulls of one length range that were found; null where there were none to find."""

    where: Literal["berth", "open"] | None = None
    """Of hulls by quays, of those on open water, or, where null, of all."""
    low_m: float = Field(ge=0.0)
    high_m: float | None = None
    """Null for no upper end."""
    recall: Share | None
    n: float = Field(default=0.0, ge=0.0)


class ModelCard(_Part):
    """The keys of ``model.json`` that detection and reconciling read; other keys are kept and not read."""

    type: Literal["Feature"]
    stac_version: str
    model_id: str = Field(min_length=1)
    weights: str = Field(pattern=r"^[\w.-]+\.onnx$")
    """File in the same folder."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    tile_px: int = Field(ge=64, multiple_of=32)
    """Side of the square the network looks at, native 10 m pixels."""
    classes: tuple[str, ...]
    """Order of the scores; must be `schemas.CLASSES`."""
    score_threshold: Share
    """Least score (largest of the three, after `context`) of a kept detection."""
    merge: Merge = Merge()
    context: Context = Context()
    vessel_calibration: Platt = Platt()
    class_calibration: ClassFit = ClassFit()
    length_calibration: SizeFit = SizeFit()
    beam_calibration: SizeFit = SizeFit()
    motion: MotionFit | None = None
    """Without it nothing is said of bow and motion."""
    recall_by_length: tuple[RecallRow, ...] = ()

    @model_validator(mode="after")
    def _ranges_are_those_of_all_hulls(self) -> ModelCard:
        rows = self.recall_by_length
        everywhere = {row.low_m for row in rows if row.where is None}
        odd = sorted({row.low_m for row in rows} - everywhere)
        if odd:
            raise ValueError(f"recall_by_length: no row of all hulls from {odd[0]} m")
        return self


@dataclass(frozen=True)
class Model:
    """A model whose weights have been checked; holds no network."""

    model_id: str
    folder: Path
    card: Mapping[str, Any]
    """All of ``model.json``."""
    read: ModelCard
    """What the detector reads of it."""

    @property
    def threshold(self) -> float:
        """Least score of a kept detection."""
        return self.read.score_threshold

    @property
    def sha256(self) -> str:
        """Of the weights."""
        return self.read.sha256

    @property
    def weights(self) -> Path:
        """The ONNX file."""
        return self.folder / self.read.weights

    @property
    def recall_by_length(self) -> Sequence[Mapping[str, Any]] | None:
        """Measured recall by length and place (`RecallRow` as dicts, empty ranges left out); None if not measured."""
        rows = [row.model_dump() for row in self.read.recall_by_length if row.recall is not None]
        return rows or None


def load_model(model_id_or_folder: str | Path, models_dir: Path | None = None) -> Model:
    """Read ``model.json`` and check the weights against the sum in it.

    Args:
        model_id_or_folder: a folder of ``models_dir`` (default: the models that ship with Roadstead), or the
            path of a model folder.
        models_dir: where models lie.

    Raises:
        ModelError: unknown model, a ``model.json`` that breaks the schema, or weights that are missing or not
            those it describes; names the file and how to mend it.
    """
    folder = _folder(model_id_or_folder, models_dir or settings().models_dir)
    document = _document(folder / "model.json")
    try:
        card = ModelCard.model_validate(document)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ModelError(f"{folder / 'model.json'}: {faults}; {_MEND}") from error
    if card.classes != CLASSES:
        raise ModelError(f"{folder / 'model.json'}: classes must be {CLASSES}, not {card.classes}")
    model = Model(card.model_id, folder, document, card)
    checked_weights(model.weights, model.sha256)
    return model


def checked_weights(path: Path, sha256: str) -> bytes:
    """Return the bytes of a weights file, the very ones that were checked.

    Raises:
        ModelError: the file cannot be read, or its sum is another; names the file and both sums.
    """
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: weights cannot be read: {error.strerror or error}; {_MEND}") from error
    found = hashlib.sha256(weights).hexdigest()
    if found != sha256:
        raise ModelError(
            f"{path}: sha256 expected {sha256} (model.json), found {found}: "
            f"the file is damaged or of another model; {_MEND}"
        )
    return weights


def _folder(given: str | Path, models_dir: Path) -> Path:
    path = Path(given)
    if isinstance(given, Path) or len(path.parts) > 1:
        return path
    folder = models_dir / path
    if not folder.is_dir():
        known = sorted(file.parent.name for file in models_dir.glob("*/model.json"))
        raise ModelError(f"unknown model '{given}': {models_dir} holds {', '.join(known) or 'no models'}")
    return folder


def _document(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}; {_MEND}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: is not JSON: {error}; {_MEND}") from error
    if not isinstance(document, dict):
        raise ModelError(f"{path}: must hold one JSON object; {_MEND}")
    return document
