"""Changes of what one MMSI declares, and one IMO number on several MMSIs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from roadstead.ais.identity.registry import imo_is_valid
from roadstead.ais.identity.watchlists import plain_name

LENGTH_M = 10.0
"""A declared length that changes by less is a correction."""
_TEXTS = ("imo", "name", "callsign")


def identity_changes(vessels: pd.DataFrame, reports: pd.DataFrame) -> list[dict[str, Any]]:
    """Return identity changes as rows of `schemas.EVENTS`; those of vessels without a position are left out.

    Args:
        vessels: `schemas.VESSELS`.
        reports: positions with ``mmsi``, ``segment``, ``time``, ``lon``, ``lat``.
    """
    found = [*_of_one_mmsi(vessels), *_of_one_imo(vessels)]
    if not found or reports.empty:
        return []
    changed = reports[reports["mmsi"].isin({change["mmsi"] for change in found})]
    places = {str(mmsi): rows for mmsi, rows in changed.groupby("mmsi")}
    return [_event(change, places[change["mmsi"]]) for change in found if change["mmsi"] in places]


def _of_one_mmsi(vessels: pd.DataFrame) -> Iterator[dict[str, Any]]:
    for mmsi, rows in vessels.sort_values("time", kind="stable").groupby("mmsi"):
        for name in (*_TEXTS, "length_m"):
            told = rows[["time", name]].dropna()
            for (_, before), (time, after) in zip(
                told.itertuples(index=False), told.iloc[1:].itertuples(index=False), strict=False
            ):
                if _differs(name, before, after):
                    yield {"mmsi": str(mmsi), "time": time, "field": name, "before": before, "after": after}


def _differs(name: str, before: Any, after: Any) -> bool:  # noqa: ANN401 - cells
    if name == "length_m":
        return abs(float(before) - float(after)) > LENGTH_M
    return plain_name(str(before)) != plain_name(str(after))


def _of_one_imo(vessels: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the MMSIs that declare an IMO number which another MMSI declared before."""
    known = vessels.dropna(subset=["imo"])
    known = known[known["imo"].map(imo_is_valid).astype(bool)] if len(known) else known
    first = known.sort_values("time", kind="stable").drop_duplicates(["imo", "mmsi"])
    for imo, rows in first.groupby("imo"):
        numbers, times = rows["mmsi"].tolist(), rows["time"].tolist()
        for before, after, time in zip(numbers, numbers[1:], times[1:], strict=False):
            yield {
                "mmsi": after,
                "time": time,
                "field": "mmsi",
                "before": before,
                "after": after,
                "imo": str(imo),
            }


def _event(change: dict[str, Any], reports: pd.DataFrame) -> dict[str, Any]:
    time = pd.Timestamp(change["time"])
    near = reports.iloc[int(np.argmin(np.abs((reports["time"] - time).dt.total_seconds().to_numpy())))]
    evidence = {name: change[name] for name in ("field", "before", "after", "imo") if name in change}
    return {
        "kind": "identity_change",
        "mmsi": change["mmsi"],
        "segment": int(near["segment"]),
        "other_mmsi": change["before"] if change["field"] == "mmsi" else None,
        "start": time,
        "end": time,
        "lon": float(near["lon"]),
        "lat": float(near["lat"]),
        "zone": None,
        "evidence": {**evidence, "hulls_on_this_mmsi": int(reports["segment"].nunique())},
    }
