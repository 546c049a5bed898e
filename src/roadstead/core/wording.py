"""Numbers, times, places and codes as people read them: the same in reports, dossiers, pages and notifications."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import pandas as pd

from roadstead.core.leads import without_ais
from roadstead.core.schemas import DECLARED_PARTS, OBSERVED_PARTS

QUANTITY_WORDS: Final[Mapping[str, str]] = {
    "matched": "matched",
    "no_ais_partner": "no AIS partner",
    "ambiguous": "ambiguous",
    "no_coverage": "AIS cannot tell",
    "unseen": "not seen",
    "not_visible": "not visible",
}
STATUS_MEANING: Final[Mapping[str, str]] = {
    "matched": "If it is a vessel, chance that it is this declared one",
    "no_ais_partner": "If it is a vessel, chance that no vessel heard fits",
    "ambiguous": "If it is a vessel, chance that it is one of the vessels named",
    "unseen": "Chance that it lay in searched, clear water without being found",
    "no_coverage": "Chance that no vessel heard fits",
    "not_visible": "Chance that it is a vessel of its own, not one of the hulls found",
}
"""Status -> what the probability of a match of it is the probability of."""
VESSEL_MEANING: Final = "Chance that it is a vessel at all; there was no AIS to hold it against"
"""What is told of a hull that lay where there was no AIS."""
PARTS: Final[Mapping[str, Sequence[str]]] = {"observed": OBSERVED_PARTS, "declared": DECLARED_PARTS}
"""Quantity -> those that add up to it."""
OUTSIDE: Final = "outside the zones"
REFUSED: Final = ("illegal", "smuggling", "violation", "dark ship")
"""What no text of ours says, with every form: `illegally`, `smuggler`, `violates`, `dark-vessels`, `dark fleet`."""
_REFUSED = re.compile(
    r"illegal\w*|smuggl\w*|violat\w*|dark[\s_\-]*(?:ship|vessel|fleet|boat|tanker)\w*", re.IGNORECASE
)
_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Characters that format or join and do not show."""
REFUSED_ROOTS: Final = ("illegal", "smuggl", "violat", "dark")
"""Plain lower-case text with none of these needs no closer look."""
EXPLANATIONS: Final[Mapping[str, str]] = {
    "no_vessel": "no vessel at all: a structure, a wake, a wave, ice, cloud or an artefact of the image",
    "no_duty": "a small or coastal vessel that does not have to carry AIS",
    "not_heard": "AIS was sent and nobody here has it: not received, thinned by the source, a gap in land reception",
    "interference": "interference with satellite navigation moved or froze declared positions",
    "timing": "an error of time or position: of the image, of a report, or of the track in between",
    "ordinary_call": "an ordinary call or cargo: food, fertiliser, repair, bunkers, domestic coasting",
    "identity": "an identity shared by several units, passed on, or mistyped",
}
"""What else could explain a finding; each is considered before one is released."""


def accuses(text: str) -> str | None:
    """Return the first word of a text that accuses (`REFUSED`, in any form); None where there is none.

    Letters of another width count as the plain ones, and marks that nobody sees are passed over.
    """
    found = _REFUSED.search(" ".join(plain_text(text).split()))
    return found.group(0) if found else None


def plain_text(text: str) -> str:
    """Return text in its plain letters (Unicode NFKC), without characters that do not show."""
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", text))


@dataclass(frozen=True)
class Tally:
    """One count with its 90 % interval and the parts that add up to it."""

    value: str
    interval: str
    """``2–5``; empty where there is none."""
    parts: str
    """``2 matched + 1 ambiguous``; empty for zero."""


def known(value: Any) -> bool:  # noqa: ANN401 - a cell of a table
    """Whether a cell holds anything."""
    return not (value is None or pd.isna(value))


def moment(time: Any) -> str:  # noqa: ANN401 - datetime, Timestamp or nothing
    """Return a time as people write it, UTC; "time unknown" for none."""
    return f"{time:%Y-%m-%d %H:%M} UTC" if known(time) else "time unknown"


def percent(share: float) -> str:
    """Return a share in whole per cent, never rounded up to all of it."""
    if 0.99 < share < 1.0:
        return "over 99 %"
    return f"{share:.0%}".replace("%", " %")


def chance(probability: float) -> str:
    """Return a probability in whole per cent; nothing is certain, nor impossible."""
    return "under 1 %" if probability < 0.005 else percent(min(probability, 0.999))


def finding_chance(
    status: str, reasons: str, probability: float, p_vessel: float | None
) -> tuple[float, str]:
    """Return the probability to show of a finding, and in words what it is the probability of.

    Where there was no AIS, that no vessel heard fits says nothing, so the probability of being a vessel stands instead.

    Args:
        status: of its match.
        reasons: comma-separated codes of its match.
        probability: of its match.
        p_vessel: of its detection; None where no hull was seen.
    """
    if p_vessel is not None and without_ais(status, reasons):
        return p_vessel, VESSEL_MEANING
    return probability, STATUS_MEANING[status]


def number(value: float) -> str:
    """Return a count with at most one decimal."""
    return f"{round(float(value), 1):g}"


def place_words(lon: float, lat: float) -> str:
    """Return a position in degrees, e.g. ``38.7163° N 125.3012° E``."""
    return f"{abs(lat):.4f}° {'N' if lat >= 0 else 'S'} {abs(lon):.4f}° {'E' if lon >= 0 else 'W'}"


def port_name(slug: str) -> str:
    """Return a port as people write it."""
    return slug.title()


def days_words(start: datetime, end: datetime) -> str:
    """Return the days of [start, end) in words, from the first to the last."""
    last = max(start, end - timedelta(microseconds=1))
    year = "" if start.year == last.year else f" {start.year}"
    return f"{start.day} {start:%B}{year} to {last.day} {last:%B %Y}"


def zone_words(zone: str | None, names: Mapping[str, str | None]) -> str:
    """Return a zone's id as people call it: its name where it has one (``names``), else the end of its id."""
    if zone is None:
        return OUTSIDE
    return names.get(zone) or zone.split("/")[-1].replace("-", " ")


def coded(codes: str, words: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (code, words) of comma-separated codes; a code without words stays as it is."""
    return [(code, words.get(code, code.replace("_", " "))) for code in codes.split(",") if code]


def worded(codes: str, words: Mapping[str, str]) -> tuple[str, ...]:
    """Return comma-separated codes in words; see `coded`."""
    return tuple(told for _, told in coded(codes, words))


def tally(by: Mapping[tuple[str, str], Mapping[Any, Any]], kind: str, quantity: str) -> Tally:
    """Return a count of a class in words.

    Args:
        by: (class, quantity) -> row of `schemas.COUNTS`, of one zone at one overpass.
        kind: the class.
        quantity: ``observed`` or ``declared``.
    """
    row = by.get((kind, quantity))
    if row is None or not known(row["value"]):
        return Tally("–", "", "")
    found = {part: by[kind, part]["value"] for part in PARTS[quantity] if (kind, part) in by}
    words = " + ".join(f"{number(n)} {QUANTITY_WORDS[part]}" for part, n in found.items() if n)
    interval = f"{number(row['low'])}–{number(row['high'])}" if known(row["low"]) else ""
    return Tally(number(row["value"]), interval, words)
