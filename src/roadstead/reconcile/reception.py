"""The chance that a transmitting hull would have been heard: from the other vessels, or as a user states it.

A vessel heard both earlier and later than half an hour from the overpass was there in between. The share
of such vessels near a place that were also heard within the half hour tells how well the source heard that
place at that time, after its own thinning. It leans to the good side for weak transmitters, which are seldom
heard both before and after; the prior leans the other way.

Where the AIS cannot tell (a snapshot, an archive that was thinned), the image can: the share of hulls of much
the same length that have a partner is no more than the share that was heard, so it stands for that from below.

What a user states of a source's reception, where nothing in its data can tell it.

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
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from roadstead.core.errors import AisError
from roadstead.core.geo import Array, lonlat_to_xy

NEAR_S = 1800.0
"""A report within this of the overpass counts as heard."""
RADIUS_M = 25_000.0
"""Vessels this near share reception; VHF range to a mast on shore is 40-60 km."""
MIN_NEIGHBOURS = 5
"""Fewer vessels than this say nothing: reception unknown."""
PRIOR = (1.0, 1.0)
"""Uniform Beta prior; 0.9 needs eight neighbours, all heard, or eighteen with one miss."""

LIKE_LENGTH = 2.0
"""Hulls up to so many times longer or shorter tell of one another's reception by the image."""
COMPLETE_SNAPSHOT = "complete_snapshot"
MOST_STATED = 0.99
"""A statement counts for no more than this."""


@dataclass(frozen=True)
class Evidence:
    """Vessels known to be around at the overpass without looking at the half hour itself."""

    hull: NDArray[np.object_]
    xy: Array
    heard: NDArray[np.bool_]
    class_b: NDArray[np.bool_]


def evidence(
    positions: pd.DataFrame, moment: datetime, crs: str, snapshot_times: frozenset[datetime]
) -> Evidence:
    """Return the vessels heard both before and after the half hours around ``moment``.

    ``positions`` are in order of hull and time (`position.with_hull`). A snapshot tells nothing of before and after, so
    its rows are left out.
    """
    reports = positions[~positions["time"].isin([pd.Timestamp(t) for t in snapshot_times])]
    seconds = (reports["time"] - pd.Timestamp(moment)).dt.total_seconds()
    reports = reports.assign(seconds=seconds)
    before = reports[reports["seconds"] < -NEAR_S].drop_duplicates("hull", keep="last").set_index("hull")
    after = reports[reports["seconds"] > NEAR_S].drop_duplicates("hull", keep="first").set_index("hull")
    around = before.index.intersection(after.index).sort_values()
    heard = set(reports.loc[reports["seconds"].abs() <= NEAR_S, "hull"])
    return Evidence(
        hull=around.to_numpy(object),
        xy=_between(before.loc[around], after.loc[around], crs),
        heard=np.isin(around.to_numpy(str), list(heard)),
        class_b=(before.loc[around, "ais_class"] == "B").to_numpy(bool),
    )


def _between(before: pd.DataFrame, after: pd.DataFrame, crs: str) -> Array:
    if before.empty:
        return np.empty((0, 2))
    a, b = (lonlat_to_xy(side[["lon", "lat"]].to_numpy(float), crs) for side in (before, after))
    start, end = before["seconds"].to_numpy(float), after["seconds"].to_numpy(float)
    return np.asarray(a + (b - a) * (-start / (end - start))[:, None])


def p_heard(known: Evidence, xy: Array, excluded: NDArray[np.bool_], class_b: bool) -> NDArray[np.float64]:
    """Return P(at least one report within half an hour) at each of m places; NaN where evidence is too thin.

    The posterior mean under a uniform prior.

    Args:
        known: vessels around.
        xy: (m, 2) places in metres.
        excluded: (m, k) vessels that may be the very hull asked about and prove nothing for it.
        class_b: ask for Class B transmitters, else for Class A (and unknown).
    """
    if not len(known.hull) or not len(xy):
        return np.full(len(xy), np.nan)
    which = np.flatnonzero(known.class_b == class_b)
    counts = _near(xy, known.xy[which]) & ~excluded[:, which]
    n = counts.sum(axis=1)
    heard = counts[:, known.heard[which]].sum(axis=1)
    mean = (heard + PRIOR[0]) / (n + sum(PRIOR))
    return np.where(n >= MIN_NEIGHBOURS, mean, np.nan)


def _near(a: Array, b: Array) -> NDArray[np.bool_]:
    """Return (len(a), len(b)) whether places are within `RADIUS_M`."""
    east, north = (a[:, None, k] - b[None, :, k] for k in (0, 1))
    return np.asarray(east * east + north * north <= RADIUS_M**2)


def p_heard_by_image(xy: Array, length_m: Array, alone: Array, p_hull: Array) -> NDArray[np.float64]:
    """Return a lower bound of P(heard) at each of m detections from the partners of others; NaN where too few.

    Args:
        xy: (m, 2) places in metres.
        length_m: (m,) as seen.
        alone: (m,) probability of having no partner.
        p_hull: (m,) probability of being a hull if it has none: a false alarm tells nothing.
    """
    if not len(xy):
        return np.empty(0)
    alike = np.abs(np.log(length_m[:, None] / length_m[None])) <= np.log(LIKE_LENGTH)
    others = _near(xy, xy) & alike & ~np.eye(len(xy), dtype=bool)
    heard = others @ (1 - alone)
    n = heard + others @ (alone * p_hull)
    mean = (heard + PRIOR[0]) / (n + sum(PRIOR))
    return np.where(n >= MIN_NEIGHBOURS, mean, np.nan)


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
