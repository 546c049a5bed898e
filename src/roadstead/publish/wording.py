"""A finding, its decisions and its codes in words for people: the same at the desk, in labels and in dossiers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import numpy as np

from roadstead.core.geo import distance_m
from roadstead.core.oriented_boxes import Measures, measured
from roadstead.core.schemas import CLASSES
from roadstead.core.wording import coded, finding_chance, known
from roadstead.reconcile import CONFLICTS, REASONS
from roadstead.store import Decision

KIND_WORDS = {
    "accepted": "accepted",
    "rejected": "rejected",
    "corrected": "corrected",
    "undone": "taken back",
    "attached": "file attached",
    "asked_release": "release asked for",
    "sent_back": "sent back",
    "released": "released",
    "correction": "correction released",
    "retraction": "retracted",
    "reply": "reply entered",
    "exported": "taken out unredacted",
}
BECAUSE_WORDS = {
    "no_vessel": "no vessel there",
    "explained": "a vessel, explained otherwise",
    "fixed_structure": "a fixed structure, no vessel",
}
_SHIP_TYPES = {
    range(20, 30): "wing in ground",
    range(30, 31): "fishing",
    range(31, 33): "towing",
    range(33, 34): "dredging",
    range(34, 35): "diving",
    range(35, 36): "military",
    range(36, 38): "pleasure craft",
    range(40, 50): "high-speed craft",
    range(50, 51): "pilot vessel",
    range(51, 52): "search and rescue",
    range(52, 53): "tug",
    range(60, 70): "passenger",
    range(70, 80): "cargo of any kind",
    range(80, 90): "tanker",
}


def second(time: datetime) -> str:
    """Return a time to the second, UTC."""
    return f"{time:%Y-%m-%d %H:%M:%S} UTC"


def metres(value: Any) -> str:  # noqa: ANN401 - a cell
    """Return a length in whole metres; a dash where unknown."""
    return f"{value:.0f} m" if known(value) else "–"


def distance(value: float) -> str:
    """Return a distance in metres, or in kilometres from one on."""
    return f"{value:.0f} m" if value < 1000 else f"{value / 1000:.1f} km"


def degrees(value: Any) -> str:  # noqa: ANN401 - a cell
    """Return a bearing; a dash where unknown."""
    return f"{value:.0f}°" if known(value) else "–"


def likely(row: Mapping[str, Any]) -> float:
    """Return the probability to show of a finding (`store.Leads.one`), or of what is kept of one."""
    return _chance(row)[0]


def meaning(row: Mapping[str, Any]) -> str:
    """Return what `likely` is the probability of."""
    return _chance(row)[1]


def _chance(row: Mapping[str, Any]) -> tuple[float, str]:
    p_vessel = (row["hull"] or {}).get("p_vessel") if "hull" in row else row["hull_p_vessel"]
    return finding_chance(row["status"], row["reasons"], row["probability"], p_vessel)


def reasons(codes: str) -> list[tuple[str, str]]:
    """Return (code, words) of comma-separated reason codes, with what else could explain each."""
    return coded(codes, REASONS)


def conflicts(codes: str) -> list[tuple[str, str]]:
    """Return (code, words) of comma-separated conflict codes."""
    return coded(codes, CONFLICTS)


def code_choices() -> list[tuple[str, str]]:
    """Return every reason and conflict code with its name."""
    return [(code, code.replace("_", " ")) for code in (*CONFLICTS, *REASONS)]


def flags(codes: str) -> str:
    """Return the flags of a detection in words."""
    return codes.replace("_", " ").replace(",", ", ")


def ship_type(code: Any) -> str:  # noqa: ANN401 - a cell
    """Return an AIS ship type with its number (ITU-R M.1371, table 53)."""
    if not known(code):
        return "–"
    words = next((words for numbers, words in _SHIP_TYPES.items() if int(code) in numbers), "other")
    return f"{words} ({int(code)})"


def shares(hull: Mapping[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    """Return (class, probability) of a hull, likeliest first."""
    found = [(name, float(hull[f"{prefix}p_{name}"])) for name in CLASSES]
    return sorted(found, key=lambda pair: -pair[1])


def segment(text: str) -> str:
    """Return text as one segment of a URL's path."""
    return quote(text, safe="")


def sentence(text: str) -> str:
    """Return words with a capital at their beginning."""
    return text[:1].upper() + text[1:]


def redrawn(row: Decision) -> str:
    """Return what a decision changes of a box, in words; empty where it draws none."""
    hull = row.seen.get("hull")
    if row.box is None or hull is None:
        return ""
    was, now = measured(hull["box"]), measured(row.box)
    away = float(distance_m(np.array([[was.lon, was.lat]]), np.array([[now.lon, now.lat]]))[0])
    moved = f", middle moved {away:.0f} m" if away >= 1 else ""
    return f"{_size(was)} → {_size(now)}{moved}"


def _size(box: Measures) -> str:
    return f"{box.length_m:.0f} × {box.beam_m:.0f} m, axis {box.axis_deg:.0f}°"
