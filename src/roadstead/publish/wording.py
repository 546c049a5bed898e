"""Findings, decisions, codes and passes in words for people, and words that no file of ours says.

Words that no file of ours says, and how a declared name that holds one is shown all the same.

A match, or a hull with no AIS partner, is a lead with a probability. What a ship's owner chose as its name is evidence:
it stands as it was declared, between quotation marks, and never as a word of ours.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from markupsafe import escape

from roadstead.core.errors import AccusationError
from roadstead.core.geo import distance_m
from roadstead.core.oriented_boxes import Measures, measured
from roadstead.core.schemas import CLASSES, LEDGER_STATES
from roadstead.core.wording import REFUSED, REFUSED_ROOTS, accuses, coded, finding_chance, known, plain_text
from roadstead.counting.series import Gap
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
__all__ = ["LEAD", "REFUSED", "check_words", "declared_texts", "quoted"]

LEAD = "This is a lead with a probability, never a verdict."
"""Stands in every file about one finding."""
FREE_TEXT = ("name", "callsign", "destination")
"""Columns of `schemas.VESSELS` that a ship fills in as it likes."""
_TAGS = re.compile(r"<(script|style)\b.*?</\1\s*>|<[a-zA-Z/!?][^>]*>", re.IGNORECASE | re.DOTALL)
_ATTRIBUTES = re.compile(r"\b(?:alt|title|aria-label)\s*=\s*\"([^\"]*)\"", re.IGNORECASE)
STATE_WORDS = {
    "processed": "processed",
    "too_cloudy": "too little seen",
    "failed": "failed",
    "missing": "missing at the provider",
    "not_acquired": "not acquired",
}
"""State of `schemas.LEDGER_STATES` -> words for people."""


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


def quoted(name: str) -> str:
    """Return a declared name (or destination, or callsign) as a file shows it: on one line, between quotation marks."""
    return f"“{' '.join(name.split())}”"


def declared_texts(vessels: pd.DataFrame) -> frozenset[str]:
    """Return every text of `schemas.VESSELS` that ships fill in as they like."""
    return frozenset(str(text) for name in FREE_TEXT for text in vessels[name].dropna())


def check_words(text: str, declared: Collection[str] = ()) -> str:
    """Return text, HTML or KML that accuses nobody.

    Args:
        text: what is to be written.
        declared: texts that ships declared; between quotation marks (`quoted`) they may hold any word.

    Raises:
        AccusationError: a refused word stands in it, outside of what was declared.
    """
    lowered = plain_text(text).lower()
    if "&#" not in text and not any(root in lowered for root in REFUSED_ROOTS):
        return text
    plain = text
    for name in sorted({name for name in declared if accuses(name)}, key=len, reverse=True):
        shown = quoted(name)
        for form in (shown, html.escape(shown), html.escape(shown, quote=False), str(escape(shown))):
            plain = plain.replace(form, " ")
    # KML holds HTML, escaped, so there are two layers; tags and lines may part two words.
    for _ in range(2):
        plain = html.unescape(" ".join([*_ATTRIBUTES.findall(plain), _TAGS.sub(" ", plain)]))
    if found := accuses(plain):
        raise AccusationError(f"a text that was to be written says {found!r}; Roadstead accuses nobody")
    return text


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
