"""What a detector gets right and wrong, read from its published figures: ``model.json`` and ``metrics.json``.

No figure is made up here; each field names the JSON path it comes from. A figure that is missing raises `ModelError`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadstead.core.errors import ModelError
from roadstead.core.geo import Array
from roadstead.core.port_file import Kind
from roadstead.core.schemas import CLASSES
from roadstead.detection import Model
from roadstead.detection.model import Merge, SizeFit
from roadstead.detection.recall import Recall, recall_at, recall_of

_QUANTILE = 0.8
"""Share of hulls that a `SizeFit` interval is meant to hold."""


@dataclass(frozen=True)
class Stated:
    """The reliability table: how often detections of one stated probability are ships."""

    middle: Array
    """[b] mean stated probability; ``metrics.json: reliability[*].stated``."""
    reach: Array
    """[b] stated probabilities lie within so much of the middle: up to the nearer edge of the bin."""
    ships: Array
    """[b] number that were ships; ``reliability[*].n * share_ships``."""
    others: Array
    """[b] number that were not."""

    @property
    def precision(self) -> float:
        """Share of all detections that were ships."""
        return float(self.ships.sum() / (self.ships.sum() + self.others.sum()))

    def draw(self, is_ship: NDArray[np.bool_], rng: np.random.Generator) -> Array:
        """Return [n] stated probabilities, so that those of ships and of others together keep the table."""
        weights = np.where(is_ship[:, None], self.ships / self.ships.sum(), self.others / self.others.sum())
        row = (weights.cumsum(axis=1) < rng.random(len(is_ship))[:, None]).sum(axis=1)
        row = np.minimum(row, len(self.middle) - 1)
        return np.asarray(self.middle[row] + self.reach[row] * rng.uniform(-1.0, 1.0, len(row)))


@dataclass(frozen=True)
class SizeError:
    """Error of a measured size: two halves of a Laplace distribution, true less measured, metres.

    Laplace, for sizes are fitted by least absolute deviations; its scales put `coverage` of hulls into the interval.
    """

    fit: SizeFit
    """``model.json: length_calibration`` or ``beam_calibration``."""
    coverage: float
    """Share of hulls that the stated interval holds."""

    def draw(self, size_m: Array, rng: np.random.Generator) -> Array:
        """Return the errors of [n] sizes."""
        depth = np.log(1.0 / (1.0 - self.coverage))
        ends = np.where(rng.random(len(size_m)) < 0.5, self.fit.low, self.fit.high)
        return np.asarray(self.fit.spread(size_m) * ends / depth * rng.exponential(1.0, len(size_m)))

    def box_m(self, size_m: Array) -> Array:
        """Return the size of the network's own box that is calibrated to a size."""
        return np.asarray((size_m - self.fit.intercept) / self.fit.slope)


@dataclass(frozen=True)
class Detector:
    """A model as its users know it."""

    model_id: str
    threshold: float
    recall: Recall
    """``model.json: recall_by_length``; lengths between two bins belong to the shorter one."""
    found_as: Array
    """[3, 3] share of true classes (rows, in the order of `schemas.CLASSES`) found as each (columns).

    Rows of ``model.json: class_confusion.counts``. A row without hulls takes that of
    ``model.json: simulated_check.class.confusion.counts``."""
    class_given_found: Array
    """[3, 3] rows: class found; columns: probability of each true class, classes being equally common.

    By Bayes' rule from the counts behind `found_as`, half a hull added to each cell (Jeffreys), so that none is 0."""
    stated: Stated
    """``metrics.json: reliability``."""
    length: SizeError
    """Coverage from ``metrics.json: s2_ais.interval_80_coverage``, measured against AIS."""
    beam: SizeError
    """Its coverage is not published: the 80 % that it is meant to have."""
    axis_mae_deg: float
    """``metrics.json: unseen.axis_deg.mae``."""
    merge: Merge
    """``model.json: merge``."""

    @property
    def false_per_found(self) -> float:
        """False alarms for each ship that is found."""
        return 1.0 / self.stated.precision - 1.0

    def chances(self, length_m: Array, kinds: Sequence[Kind | None]) -> Array:
        """Return [n] chances that hulls of a true length, in zones of these kinds, are found."""
        return recall_at(length_m, kinds, self.recall)

    def classes_found(self, true: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Return [n] classes as found of hulls of [n] true classes."""
        steps = self.found_as[true].cumsum(axis=1)
        row = (steps < rng.random(len(true))[:, None]).sum(axis=1)
        return np.asarray(np.minimum(row, len(CLASSES) - 1), np.int64)


def detector_of(model: Model, metrics: Mapping[str, Any]) -> Detector:
    """Read a model's figures.

    Args:
        model: Its ``model.json``.
        metrics: Its ``metrics.json``.

    Raises:
        ModelError: a figure is missing or the files are of different models; names the JSON path.
    """
    if metrics.get("model_id") != model.model_id:
        raise ModelError(
            f"metrics.json is of model {metrics.get('model_id')!r}, model.json of {model.model_id!r}"
        )
    if model.recall_by_length is None:
        raise ModelError("model.json: recall_by_length is missing; detections cannot be drawn without it")
    coverage = _number(metrics, "metrics.json", "s2_ais", "interval_80_coverage")
    counts = _confusion(model.card)
    return Detector(
        model.model_id,
        model.threshold,
        recall_of(model.recall_by_length),
        counts / counts.sum(axis=1, keepdims=True),
        _class_given_found(counts),
        _stated(_figure(metrics, "metrics.json", "reliability")),
        SizeError(_interval(model, "length_calibration"), coverage),
        SizeError(_interval(model, "beam_calibration"), _QUANTILE),
        _number(metrics, "metrics.json", "unseen", "axis_deg", "mae"),
        model.read.merge,
    )


def metrics_of(model: Model) -> dict[str, Any]:
    """Read the ``metrics.json`` beside a model.

    Raises:
        ModelError: it is missing or no JSON object.
    """
    path = model.folder / "metrics.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise ModelError(f"{path}: must hold one JSON object")
    return document


def _figure(document: Any, file: str, *path: str) -> Any:  # noqa: ANN401 - JSON
    found = document
    for depth, key in enumerate(path, start=1):
        if not isinstance(found, Mapping) or found.get(key) is None:
            raise ModelError(
                f"{file}: {'.'.join(path[:depth])} is missing; detections cannot be drawn without it"
            )
        found = found[key]
    return found


def _number(document: Any, file: str, *path: str) -> float:  # noqa: ANN401 - JSON
    found = _figure(document, file, *path)
    if not isinstance(found, int | float):
        raise ModelError(f"{file}: {'.'.join(path)} must be a number, not {found!r}")
    return float(found)


def _interval(model: Model, name: str) -> SizeFit:
    fit: SizeFit = getattr(model.read, name)
    if not fit.low < 0.0 < fit.high:
        raise ModelError(
            f"model.json: {name} has no 80 % interval (low, high); sizes cannot be drawn without it"
        )
    return fit


def _confusion(card: Mapping[str, Any]) -> Array:
    """[3, 3] counts, empty rows from the simulated check."""
    counts = np.array(_figure(card, "model.json", "class_confusion", "counts"), float)
    empty = counts.sum(axis=1) == 0
    if empty.any():
        path = ("simulated_check", "class", "confusion", "counts")
        counts[empty] = np.array(_figure(card, "model.json", *path), float)[empty]
    if (counts.sum(axis=1) == 0).any():
        name = CLASSES[int(np.argmin(counts.sum(axis=1)))]
        raise ModelError(
            f"model.json: neither class_confusion nor simulated_check has any hull of class {name}"
        )
    return counts


def _class_given_found(counts: Array) -> Array:
    likely = (counts + 0.5) / (counts + 0.5).sum(axis=1, keepdims=True)
    given = (likely / likely.sum(axis=0)).T
    # A detection's class is its most probable one: where Bayes' rule disagrees, the found class draws level.
    own = np.diag_indices(len(given))
    given[own] = np.maximum(given[own], given.max(axis=1) + 1e-6)
    return np.asarray(given / given.sum(axis=1, keepdims=True))


def _stated(rows: Sequence[Mapping[str, Any]]) -> Stated:
    used = [row for row in rows if row.get("n")]
    if not used:
        raise ModelError("metrics.json: reliability holds no detections")
    low, high, middle, n, share = (
        np.array([_number(row, "metrics.json: reliability", key) for row in used])
        for key in ("low", "high", "stated", "n", "share_ships")
    )
    ships, others = n * share, n * (1.0 - share)
    if not ships.sum() or not others.sum():
        raise ModelError("metrics.json: reliability needs ships and false alarms")
    return Stated(middle, np.minimum(middle - low, high - middle), ships, others)
