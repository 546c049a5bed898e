"""What a user states of a source's reception, where nothing in its data can tell it.

A snapshot (every vessel once, placed at the overpass) holds no before and after, so it cannot show how well it heard.
Whoever made or bought it may know, and say so::

    sources:
      - source: ais_at_overpass.csv
        reception: complete_snapshot
        heard_class_a: 0.98
        heard_class_b: 0.9
        stated_by: the publisher
        because: all stations of the authority, gaps filled from reports before and after
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from roadstead.core.errors import AisError

COMPLETE_SNAPSHOT = "complete_snapshot"
MOST_STATED = 0.99
"""A statement counts for no more than this."""


@dataclass(frozen=True)
class StatedReception:
    """How surely a source holds a hull that transmits at its place and time, as a person stated it."""

    source: str
    """As in `schemas.POSITIONS`."""
    heard_class_a: float
    heard_class_b: float
    stated_by: str
    because: str
    reception: str = COMPLETE_SNAPSHOT

    def __post_init__(self) -> None:
        """Refuse what is no statement.

        Raises:
            AisError: names the field.
        """
        if self.reception != COMPLETE_SNAPSHOT:
            raise AisError(
                f"source {self.source}: reception is {self.reception!r}; known: {COMPLETE_SNAPSHOT}"
            )
        for name in ("heard_class_a", "heard_class_b"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise AisError(f"source {self.source}: {name} is {getattr(self, name)}, not in 0 to 1")
        for name in ("source", "stated_by", "because"):
            if not str(getattr(self, name)).strip():
                raise AisError(
                    f"source {self.source}: {name} is empty; a statement needs someone who makes it, and why"
                )


def read_stated(path: Path) -> tuple[StatedReception, ...]:
    """Read statements from a YAML file, in the form that this module shows.

    Raises:
        AisError: it cannot be read, or a statement is incomplete or out of range.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise AisError(f"{path}: cannot be read: {error}") from error
    records = document.get("sources") if isinstance(document, dict) else None
    if not isinstance(records, list) or not records:
        raise AisError(f"{path}: holds no list 'sources'")
    return tuple(_record(path, record) for record in records)


def _record(path: Path, record: Any) -> StatedReception:  # noqa: ANN401 - whatever YAML held
    if not isinstance(record, dict):
        raise AisError(f"{path}: a source is no mapping: {record!r}")
    try:
        return StatedReception(
            source=str(record["source"]),
            heard_class_a=float(record["heard_class_a"]),
            heard_class_b=float(record["heard_class_b"]),
            stated_by=str(record["stated_by"]),
            because=str(record["because"]),
            reception=str(record["reception"]),
        )
    except KeyError as error:
        raise AisError(f"{path}: source {record.get('source')}: {error.args[0]} is missing") from error
    except (TypeError, ValueError) as error:
        raise AisError(f"{path}: source {record.get('source')}: {error}") from error


def stated_for(
    stated: Sequence[StatedReception], near: pd.DataFrame, moment: pd.Timestamp, reach_s: float
) -> tuple[float, float]:
    """Return what is stated of Class A and B for an overpass; NaN where no such source speaks for it.

    Args:
        stated: statements.
        near: `schemas.POSITIONS` around the overpass.
        moment: of the overpass.
        reach_s: a source without a report this near says nothing of it.
    """
    close = near.loc[(near["time"] - moment).abs() <= pd.Timedelta(seconds=reach_s), "source"]
    here = [one for one in stated if (close == one.source).any()]
    if not here:
        return np.nan, np.nan
    best_a, best_b = max(one.heard_class_a for one in here), max(one.heard_class_b for one in here)
    return min(best_a, MOST_STATED), min(best_b, MOST_STATED)
