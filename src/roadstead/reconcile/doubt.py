"""Why nothing of an overpass supports a lead: image and AIS seem to be of other times or places.

Then no hull is called one without AIS partner and no vessel unseen: hulls are `no_coverage` and vessels `not_visible`,
with the reason. What is matched either way stands, without conflicts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from roadstead.core.geo import Array
from roadstead.reconcile.alignment import Alignment
from roadstead.reconcile.assignment import Index
from roadstead.reconcile.decide import join_codes
from roadstead.reconcile.density import Prediction
from roadstead.reconcile.match_rows import Row, Scored, detection_rows, vessel_rows

MOST_SIGMA_S = 3_600.0
"""A time of acquisition with a greater standard error than this is none: it contradicts its own product."""
SAME_PLACE_M = 200.0
"""A vessel that was this near its place at the other time too fits either way."""
SAME_OFFSET_S = 1_200.0
"""Offsets that differ by no more are named as one."""
_COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


@dataclass(frozen=True)
class Doubt:
    """What seems to be wrong with one overpass."""

    codes: tuple[str, ...]
    """Of `decide.REASONS`."""
    words: str
    """For people, with figures."""


def doubt_of(found: Alignment, sigma_s: float) -> Doubt | None:
    """Return what seems to be wrong with an overpass; None where nothing does.

    Args:
        found: what its hulls and tracks say.
        sigma_s: standard error of its time.
    """
    said = list(_doubts(found, sigma_s))
    if not said:
        return None
    return Doubt(tuple(code for code, _ in said), "; ".join(words for _, words in said))


def _doubts(found: Alignment, sigma_s: float) -> Iterator[tuple[str, str]]:
    if sigma_s > MOST_SIGMA_S:
        yield (
            "time_contradicted",
            "the image's time contradicts its own product, so AIS cannot be held against it",
        )
    if found.offset_s:
        yield (
            "time_offset_suspected",
            f"AIS reports fit best {_offset_words(found)} than the image's time",
        )
    if found.place_off:
        yield (
            "place_offset_suspected",
            f"the image seems to lie {place_offset_words(found.east_m, found.north_m)} of the declared ships",
        )
    if found.disagree:
        yield (
            "image_and_ais_disagree",
            f"of {found.expected} declared vessels in clear searched water {found.found:.0f} were seen, "
            "so image and AIS seem to be of different times or places",
        )


def _offset_words(found: Alignment) -> str:
    least, most = sorted(found.offsets_s, key=abs)
    if abs(most - least) <= SAME_OFFSET_S:
        return time_words(found.offset_s)
    return f"{_length_words(least)} to {time_words(most)}"


def time_words(offset_s: float) -> str:
    """Return an offset in words: ``8 h 00 min later``."""
    return f"{_length_words(offset_s)} {'later' if offset_s > 0 else 'earlier'}"


def _length_words(seconds: float) -> str:
    minutes = round(abs(seconds) / 60)
    hours = f"{minutes // 60} h " if minutes >= 60 else ""
    return f"{hours}{minutes % 60:0{2 if hours else 1}d} min"


def place_offset_words(east_m: float, north_m: float) -> str:
    """Return an offset in words: ``1.0 km NE``."""
    octant = round(float(np.degrees(np.arctan2(east_m, north_m))) / 45.0) % 8
    return f"{np.hypot(east_m, north_m) / 1000:.1f} km {_COMPASS[octant]}"


def either_way(s: Scored, then: Prediction | None) -> Index:
    """Return the matched pairs whose vessel was at much the same place at the other time too; none without one.

    Args:
        s: the overpass.
        then: where vessels were at the time that fits better.
    """
    if then is None:
        return np.empty(0, np.intp)
    place = {hull: xy for hull, xy in zip(then.hull, then.xy, strict=True)}
    vessel = s.pairs.vessel[s.decision.matched]
    other: Array = np.array([place.get(s.at.hull[j], (np.inf, np.inf)) for j in vessel]).reshape(-1, 2)
    near = np.hypot(*(other - s.at.xy[vessel]).T) <= SAME_PLACE_M
    return np.asarray(s.decision.matched[near], np.intp)


def rows_in_doubt(s: Scored, doubt: Doubt, standing: Index) -> list[Row]:
    """Return the rows of an overpass that supports no lead.

    Args:
        s: the overpass.
        doubt: why.
        standing: matched pairs that stand all the same.
    """
    none = np.empty(0, np.intp)
    decision = replace(
        s.decision, matched=standing, ambiguous=none, contested_detections=none, contested_vessels=none
    )
    kept = replace(s, decision=decision)
    return [in_doubt(row, doubt) for row in (*detection_rows(kept), *vessel_rows(kept))]


def in_doubt(row: Row, doubt: Doubt) -> Row:
    """Return a row as it stands where nothing of its overpass supports a lead."""
    if row["status"] == "matched":
        return {**row, "conflicts": "", "reasons": join_codes([row["reasons"], *doubt.codes])}
    unknown: dict[str, Any] = {"candidates": "", "conflicts": "", "reasons": join_codes(doubt.codes)}
    return {**row, **unknown, "status": "no_coverage" if row["detection_id"] else "not_visible"}
