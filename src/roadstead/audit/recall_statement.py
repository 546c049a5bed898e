"""What every count of a port says of recall there: measured, with n and interval, or "not measured"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from roadstead.audit.results import ModelResult, Results, results
from roadstead.store import Store

LEAST_CELLS: Final = 30
"""Recall at a port is told once this many cells were judged there."""
NOT_MEASURED: Final = "recall here not measured"


@dataclass(frozen=True)
class StatedRecall:
    """Recall at a port of the model that its newest overpass was processed with; null where it is not measured."""

    cells: int = 0
    """Audited cells that could be judged."""
    ships: int = 0
    """Boxed in them."""
    recall: float | None = None
    low: float | None = None
    high: float | None = None
    """95 % interval."""

    @property
    def measured(self) -> bool:
        """Whether it is told."""
        return self.recall is not None

    @property
    def words(self) -> str:
        """It in words."""
        if self.recall is None or self.low is None or self.high is None:
            of = (
                f": {self.cells} of {LEAST_CELLS} cells audited"
                if self.cells < LEAST_CELLS
                else ": no ship was there"
            )
            return NOT_MEASURED + of
        return (
            f"recall here {self.recall:.2f} [{self.low:.2f}–{self.high:.2f}, 95 %], "
            f"n = {self.cells} audited cells with {self.ships} ships of 45 m or more"
        )

    @property
    def columns(self) -> dict[str, Any]:
        """What a table of counts carries."""
        return {
            "recall_here": self.words,
            "recall": self.recall,
            "recall_low": self.low,
            "recall_high": self.high,
            "recall_cells": self.cells,
            "recall_ships": self.ships,
        }


COLUMNS: Final = tuple(StatedRecall().columns)


def stated_recall(store: Store, port: str) -> StatedRecall:
    """Return the recall that counts of a port carry; whatever shows counts asks here."""
    tried = store.acquisitions(port)
    processed = tried[tried["state"] == "processed"]
    if processed.empty:
        return StatedRecall()
    last = processed.iloc[-1]
    key = last["model_id"], last["model_sha256"], bool(last["simulated"])
    return of_results(results(store), port, key)


def of_results(found: Results, port: str, model: tuple[str, str | None, bool]) -> StatedRecall:
    """Return the recall of a model (id, sha256, simulated) at a port."""
    own = [m for m in found.models if m.port == port and (m.model_id, m.model_sha256, m.simulated) == model]
    return _of(own[0]) if own else StatedRecall()


def _of(model: ModelResult) -> StatedRecall:
    told = model.recall
    if model.cells < LEAST_CELLS or told.value is None:
        return StatedRecall(model.cells, model.ships)
    return StatedRecall(model.cells, model.ships, told.value, told.low, told.high)


def with_recall(store: Store, port: str, counts: pd.DataFrame) -> pd.DataFrame:
    """Return `schemas.COUNTS` of a port with the columns of `StatedRecall.columns` in every row."""
    told = stated_recall(store, port).columns
    kinds = {name: "float64" for name in ("recall", "recall_low", "recall_high")}
    return counts.assign(**told).astype({**kinds, "recall_cells": "int64", "recall_ships": "int64"})
