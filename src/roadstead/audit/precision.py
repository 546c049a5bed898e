"""How often the model and the matching were right, by what analysts decided; and what a count says of recall."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
from scipy.stats import binomtest

from roadstead.audit.results import ModelResult, Results, results
from roadstead.store import Decision, Decisions, Store
from roadstead.store.decisions import is_vessel, judged_class

LEAST_CELLS: Final = 30
"""Recall at a port is told once this many cells were judged there."""
NOT_MEASURED: Final = "recall here not measured"


@dataclass(frozen=True)
class Share:
    """A share with its 95 % interval."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        """The share; None of nothing."""
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's score interval (doi:10.1080/01621459.1927.10502953), 95 %."""
        if not self.n:
            return None
        found = binomtest(self.hits, self.n).proportion_ci(0.95, method="wilson")
        return float(found.low), float(found.high)


@dataclass(frozen=True)
class Precision:
    """One model version and class, as found."""

    model_id: str
    model_sha256: str | None
    hull_class: str
    simulated: bool
    vessel: Share
    """Of the hulls judged: that are vessels."""
    as_class: Share
    """Of the hulls judged to be vessels and whose class was judged: of that class."""


@dataclass(frozen=True)
class LeadShare:
    """One status as found."""

    status: str
    simulated: bool
    accepted: Share
    """Of the leads decided: accepted, or corrected without another class or partner."""


@dataclass(frozen=True)
class Judged:
    """What one decision says of what was found, in brief."""

    status: str
    simulated: bool
    accepted: bool
    """Accepted, or corrected without another class or partner."""
    is_vessel: bool | None
    hull_class: str | None
    """As judged."""
    found: tuple[str, str | None, str] | None
    """Model, its SHA-256 and the class as found; None where no hull was seen."""


def in_brief(row: Decision) -> Judged:
    """Return what a decision says of what was found."""
    seen = row.seen
    hull = seen.get("hull")
    unchanged = row.kind == "corrected" and row.hull_class is None and row.linked_mmsi is None
    return Judged(
        status=str(seen["status"]),
        simulated=row.simulated,
        accepted=row.kind == "accepted" or unchanged,
        is_vessel=is_vessel(row),
        hull_class=judged_class(row),
        found=None if hull is None else (str(seen["model_id"]), seen["model_sha256"], str(hull["class"])),
    )


class Judgements:
    """The decisions that stand, in brief; rows never change, so each is read once."""

    def __init__(self, decisions: Decisions) -> None:
        """Take the chain."""
        self._decisions = decisions
        self._known: dict[int, Judged] = {}

    def standing(self) -> list[Judged]:
        """Return them in their order."""
        numbers = self._decisions.standing_numbers()
        for row in self._decisions.some([number for number in numbers if number not in self._known]):
            self._known[row.seq] = in_brief(row)
        return [self._known[number] for number in numbers]


def precisions(standing: Iterable[Judged]) -> list[Precision]:
    """Return the precision by model version and class, of the decisions that stand."""
    groups: dict[tuple[str, str | None, str, bool], list[Judged]] = defaultdict(list)
    for row in standing:
        if row.found is not None and row.is_vessel is not None:
            groups[*row.found, row.simulated].append(row)
    return [
        Precision(*key, _share(rows), _class_share(rows, key[2]))
        for key, rows in sorted(groups.items(), key=lambda item: tuple(map(str, item[0])))
    ]


def _share(rows: list[Judged]) -> Share:
    return Share(sum(bool(row.is_vessel) for row in rows), len(rows))


def _class_share(rows: list[Judged], found: str) -> Share:
    judged = [row.hull_class for row in rows]
    return Share(judged.count(found), sum(name is not None for name in judged))


def lead_shares(standing: Iterable[Judged]) -> list[LeadShare]:
    """Return how often leads of each status were accepted, of the decisions that stand."""
    groups: dict[tuple[str, bool], list[bool]] = defaultdict(list)
    for row in standing:
        groups[row.status, row.simulated].append(row.accepted)
    return [LeadShare(*key, Share(sum(rows), len(rows))) for key, rows in sorted(groups.items())]


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
