"""A finding as it was when decided: JSON that outlives a rerun, and its checksum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from roadstead.core.wording import known
from roadstead.store.leads import LeadKey, Leads
from roadstead.store.release_gate import evidence_sha256

AT_ONCE = 200
"""Findings asked of the store in one statement; SQLite bounds how deep a condition may be."""
_MATCH = ("status", "probability", "conflicts", "reasons", "candidates", "mmsi", "zone", "distance_m", "dt_s")
_MADE = ("model_id", "model_sha256", "threshold", "roadstead_version", "inputs_sha256")
_HULL = (
    "scene_id",
    "class",
    "p_vessel",
    "p_barge",
    "p_bulk_carrier",
    "p_other_vessel",
    "length_m",
    "length_low_m",
    "length_high_m",
    "beam_m",
    "axis_deg",
    "lon",
    "lat",
    "flags",
)


def evidence_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is kept of a finding (`store.Leads.one`); ``hull`` is null where none was seen."""
    seen: dict[str, Any] = {name: _plain(row[name]) for name in (*_MATCH, *_MADE)}
    seen["acquired"] = row["acquired"].isoformat() if known(row["acquired"]) else None
    seen["lonlat"] = [row["geometry"].x, row["geometry"].y]
    seen["hull"] = None
    if row["hull_detection_id"] is not None:
        box = [[float(x), float(y)] for x, y in row["hull_geometry"].exterior.coords]
        seen["hull"] = {name: _plain(row[f"hull_{name}"]) for name in _HULL} | {"box": box}
        seen["model_id"] = row["hull_model_id"]
    return seen


def current_evidence(leads: Leads, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Return (port, finding) -> the finding as it stands, of those that are in the store."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for start in range(0, len(keys), AT_ONCE):
        rows = leads.rows([LeadKey(*key, None) for key in keys[start : start + AT_ONCE]])
        found |= {(row["port"], row["finding"]): evidence_of(row) for row in rows}
    return found


def checksum(row: Mapping[str, Any]) -> str:
    """Return the sha256 of what would be kept: what the analyst looks at."""
    return evidence_sha256(evidence_of(row))


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell
    return value if known(value) else None
