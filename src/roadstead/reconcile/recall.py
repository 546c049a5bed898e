"""How often a visible hull of a given length is detected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadstead.geo import Array


@dataclass(frozen=True)
class RecallBin:
    """Recall between two lengths, and the number of hulls it was measured on."""

    low_m: float
    high_m: float
    recall: float
    n: float


DEFAULT_RECALL = (
    RecallBin(0.0, 45.0, 0.35, 10),
    RecallBin(45.0, 60.0, 0.6, 10),
    RecallBin(60.0, 90.0, 0.75, 10),
    RecallBin(90.0, 130.0, 0.85, 10),
    RecallBin(130.0, np.inf, 0.9, 10),
)
"""Used where a model's card gives none: published S2 detectors find 80-95 % of hulls of 60 m and more; worth
ten hulls a bin, so that the intervals stay wide."""
UNTOLD_RECALL = (0.75, 0.1)
"""Of a vessel that declares no length: Class A, Class B."""


def recall_bins(given: Sequence[Mapping[str, Any]] | None) -> tuple[RecallBin, ...]:
    """Return a model card's ``recall_by_length`` as bins in order of length, or the default where empty."""
    bins = [
        RecallBin(float(b["low_m"]), _upper(b["high_m"]), float(b["recall"]), float(b.get("n") or 10))
        for b in given or ()
    ]
    return tuple(sorted(bins, key=lambda b: b.low_m)) or DEFAULT_RECALL


def _upper(value: float | None) -> float:
    return np.inf if value is None else float(value)


def bin_index(length_m: Array, bins: Sequence[RecallBin]) -> NDArray[np.intp]:
    """Return the bin of each length; lengths beyond the ends fall in the end bins."""
    edges = [b.low_m for b in bins[1:]]
    return np.searchsorted(edges, length_m, side="right").astype(np.intp)


def recall_of_declared(length_m: Array, class_b: NDArray[np.bool_], bins: Sequence[RecallBin]) -> Array:
    """Return recall at declared lengths, never 0 or 1; undeclared ones by transmitter class."""
    told = np.array([b.recall for b in bins])[bin_index(np.nan_to_num(length_m, nan=100.0), bins)]
    untold = np.where(class_b, UNTOLD_RECALL[1], UNTOLD_RECALL[0])
    return np.asarray(np.clip(np.where(np.isfinite(length_m), told, untold), 0.02, 0.98))
