"""How often a visible hull is detected, by its length and by whether it lies in a berth or on open water."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from roadstead.core.geo import Array
from roadstead.core.port_file import Kind


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
BORROWED_HULLS = 10.0
"""Hulls that recall anywhere counts for beside those of a berth or of open water: some lengths are rare there, and
recall from two or three hulls alone would let one found stand for dozens missed."""
BY_QUAYS: frozenset[Kind] = frozenset({"berth", "lock"})


@dataclass(frozen=True)
class Recall:
    """Recall by length. All three have the same bins, in order of length."""

    anywhere: tuple[RecallBin, ...]
    berth: tuple[RecallBin, ...]
    """Of hulls by quays."""
    open: tuple[RecallBin, ...]
    """Of hulls on open water."""

    def of_zone(self, kind: Kind | None) -> tuple[RecallBin, ...]:
        """Return the bins for a zone of some kind; None where the zone is not known."""
        if kind is None:
            return self.anywhere
        return self.berth if kind in BY_QUAYS else self.open


def recall_of(given: Sequence[Mapping[str, Any]] | None) -> Recall:
    """Read a model card's ``recall_by_length``; where it is empty the default holds.

    A bin measured in a berth or on open water takes recall anywhere for as much as `BORROWED_HULLS`, or, where no
    hull of its length was there, stands on that alone.
    """
    rows = list(given or ())
    anywhere = _bins(rows, None) or DEFAULT_RECALL
    berth, open_ = (_pooled(anywhere, _bins(rows, where)) for where in ("berth", "open"))
    return Recall(anywhere, berth, open_)


def _bins(rows: Sequence[Mapping[str, Any]], where: str | None) -> tuple[RecallBin, ...]:
    bins = [
        RecallBin(float(b["low_m"]), _upper(b["high_m"]), float(b["recall"]), float(b.get("n") or 10))
        for b in rows
        if b.get("where") == where
    ]
    return tuple(sorted(bins, key=lambda b: b.low_m))


def _upper(value: float | None) -> float:
    return np.inf if value is None else float(value)


def _pooled(anywhere: Sequence[RecallBin], own: Sequence[RecallBin]) -> tuple[RecallBin, ...]:
    if not own:
        return tuple(anywhere)
    by_low = {one.low_m: one for one in own}
    return tuple(_borrowing(every, by_low.get(every.low_m)) for every in anywhere)


def _borrowing(anywhere: RecallBin, own: RecallBin | None) -> RecallBin:
    borrowed = min(anywhere.n, BORROWED_HULLS)
    if own is None:
        return RecallBin(anywhere.low_m, anywhere.high_m, anywhere.recall, borrowed)
    n = own.n + borrowed
    found = own.recall * own.n + anywhere.recall * borrowed
    return RecallBin(anywhere.low_m, anywhere.high_m, found / n, n)


def bin_index(length_m: Array, bins: Sequence[RecallBin]) -> NDArray[np.intp]:
    """Return the bin of each length; lengths beyond the ends fall in the end bins."""
    edges = [b.low_m for b in bins[1:]]
    return np.searchsorted(edges, length_m, side="right").astype(np.intp)


def recall_at(length_m: Array, kinds: Sequence[Kind | None], recall: Recall) -> Array:
    """Return (n,) recall at lengths, each in a zone of its kind."""
    which = bin_index(length_m, recall.anywhere)
    told = [recall.of_zone(kind)[k].recall for k, kind in zip(which, kinds, strict=True)]
    return np.array(told, float)


def recall_of_declared(
    length_m: Array, class_b: NDArray[np.bool_], kinds: Sequence[Kind | None], recall: Recall
) -> Array:
    """Return recall at declared lengths, never 0 or 1; undeclared ones by transmitter class.

    Args:
        length_m: (n,) NaN where none is declared.
        class_b: (n,) whether each transmits as Class B.
        kinds: n kinds of the zones they are likeliest in; None where that is not known.
        recall: the model's.
    """
    told = recall_at(np.nan_to_num(length_m, nan=100.0), kinds, recall)
    untold = np.where(class_b, UNTOLD_RECALL[1], UNTOLD_RECALL[0])
    return np.asarray(np.clip(np.where(np.isfinite(length_m), told, untold), 0.02, 0.98))
