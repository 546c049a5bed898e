"""Scoring detections of one scene against its labels: pure functions, no files.

Rules: a label is *required* when it is a ship of 45 m or more and no small craft; other ships are *optional*, and a
detection matched to one is neither hit nor false alarm. Detections and ships are paired one to one, as many pairs as
can be and the best of those (Hungarian method). Two rules say which pairs may be: `strict`, oriented IoU of at least
0.3, and `near`, centres within 150 m. Detections within 10 m of an `ignore` region are dropped. Unmatched
detections are no false alarms inside `unsearched` ground or when shorter than 45 m.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from roadstead.core import oriented_boxes
from roadstead.core.geo import PIXEL_M
from roadstead.core.oriented_boxes import Rule, paired
from roadstead_lab.training.places import Label

Floats = NDArray[np.float64]
LEAST_LENGTH_M: Final = oriented_boxes.LEAST_LENGTH_M
IGNORE_MARGIN_M: Final = 10.0


@dataclass(frozen=True)
class Found:
    """One detection in the pixel frame of its scene."""

    corners: Floats
    """[4, 2] (column, row), 0 at the image's outer edge."""
    class_: str
    length_m: float
    p_vessel: float
    p_class: tuple[float, ...]
    """Probability of each of `schemas.CLASSES`, in order, given that it is a vessel."""


@dataclass(frozen=True)
class Outcome:
    """What came of a scene under one rule; numbers index its labels and its detections."""

    hits: tuple[tuple[int, int], ...]
    """(label, detection) of required ships found."""
    missed: tuple[int, ...]
    """Required labels without a detection."""
    false_alarms: tuple[int, ...]
    optional: tuple[tuple[int, int], ...]
    """(label, detection) of ships found that need not be."""
    neutral: tuple[int, ...]
    """Detections that count neither way: on optional ships, ignored ground, or excused."""


def score(labels: Sequence[Label], found: Sequence[Found], rule: Rule) -> Outcome:
    """Pair the detections of a scene with its ships under one rule."""
    ships = [number for number, label in enumerate(labels) if label.use == "yes"]
    kept = [n for n, one in enumerate(found) if not _on_ignored_ground(one, labels)]
    pairs = _pair([labels[n] for n in ships], [found[n] for n in kept], rule)
    matched = {kept[one]: ships[ship] for ship, one in pairs}
    hits = tuple((ship, one) for one, ship in matched.items() if labels[ship].required)
    optional = tuple((ship, one) for one, ship in matched.items() if not labels[ship].required)
    taken = {ship for ship, _ in hits}
    alarms = tuple(n for n in kept if n not in matched and not _excused(found[n], labels))
    counted = {one for _, one in hits} | set(alarms)
    return Outcome(
        hits=hits,
        missed=tuple(n for n in ships if labels[n].required and n not in taken),
        false_alarms=alarms,
        optional=optional,
        neutral=tuple(n for n in range(len(found)) if n not in counted),
    )


def _pair(ships: Sequence[Label], found: Sequence[Found], rule: Rule) -> list[tuple[int, int]]:
    return paired([ship.corners for ship in ships], [one.corners for one in found], rule, PIXEL_M)


def _on_ignored_ground(one: Found, labels: Sequence[Label]) -> bool:
    centre = shapely.Point(one.corners.mean(0))
    regions = (shapely.Polygon(label.corners) for label in labels if label.use == "ignore")
    return any(region.distance(centre) * PIXEL_M <= IGNORE_MARGIN_M for region in regions)


def _excused(one: Found, labels: Sequence[Label]) -> bool:
    centre = shapely.Point(one.corners.mean(0))
    regions = (shapely.Polygon(label.corners) for label in labels if label.use == "unsearched")
    return one.length_m < LEAST_LENGTH_M or any(region.covers(centre) for region in regions)


def axis_deg(corners: Floats) -> float:
    """Axis of the longer side, degrees clockwise from up, 0-180."""
    first, second = corners[1] - corners[0], corners[2] - corners[1]
    east, south = first if np.hypot(*first) >= np.hypot(*second) else second
    return float(np.degrees(np.arctan2(east, -south)) % 180)
