"""Passes over a port in numbers and words: the same at the desk, in reports, in briefs and in the status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from roadstead.core.schemas import LEDGER_STATES
from roadstead.core.wording import known
from roadstead.counting.count_series import Gap

STATE_WORDS = {
    "processed": "processed",
    "too_cloudy": "too little seen",
    "failed": "failed",
    "missing": "missing at the provider",
    "not_acquired": "not acquired",
}
"""State of `schemas.LEDGER_STATES` -> words for people."""


@dataclass(frozen=True)
class BlindPass:
    """A pass that says nothing of ships."""

    acquired: datetime | None
    """UTC; None where the item does not say."""
    overpass_id: str | None
    """None of a pass that no catalogue lists."""
    state: str
    reason: str | None

    @property
    def words(self) -> str:
        """Its state in words."""
        return STATE_WORDS[self.state]


@dataclass(frozen=True)
class Passes:
    """The passes over a port in some time: those tried, and those that the orbits say took place."""

    states: Mapping[str, int]
    """State -> passes, in the order of `schemas.LEDGER_STATES`, of states that any pass is in."""
    blind: tuple[BlindPass, ...]
    """Newest first; those of unknown time last."""

    @property
    def total(self) -> int:
        """How many there are."""
        return sum(self.states.values())

    @property
    def words(self) -> str:
        """How many there are in each state, in words."""
        return ", ".join(f"{n} {STATE_WORDS[state]}" for state, n in self.states.items()) or "none"

    @property
    def gaps(self) -> list[Gap]:
        """The blind ones as gaps of a chart, oldest first."""
        return [Gap(one.acquired, one.words) for one in reversed(self.blind) if one.acquired]


def passes_of(ledger: pd.DataFrame) -> Passes:
    """Return the passes of `schemas.LEDGER`."""
    counted = ledger["state"].value_counts()
    blind = ledger[ledger["state"] != "processed"]
    newest = blind.sort_values("acquired", ascending=False, na_position="last", kind="stable")
    return Passes(
        {state: int(counted[state]) for state in LEDGER_STATES if state in counted.index},
        tuple(_blind(row) for row in newest.to_dict("records")),
    )


def _blind(row: Mapping[Any, Any]) -> BlindPass:
    acquired = pd.Timestamp(row["acquired"]).to_pydatetime() if known(row["acquired"]) else None
    return BlindPass(acquired, _text(row["overpass_id"]), str(row["state"]), _text(row["reason"]))


def _text(value: Any) -> str | None:  # noqa: ANN401 - a cell
    return str(value) if known(value) else None
