"""Which passes over a port the orbits tell of, and which of them no catalogue lists.

A Sentinel-2 satellite passes over a place at the same time of day every 10 days (143 orbits; ESA, Sentinel-2 mission
guide), on each relative orbit that sees it. Two images of one satellite a whole number of cycles apart give such a
series. Passes between them, and a little beyond them, took place too, whatever a catalogue lists.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from roadstead.imagery.scene import Sighting

CYCLE = timedelta(days=10)
"""Each Sentinel-2 satellite flies over the same ground again (https://sentiwiki.copernicus.eu/web/s2-mission)."""
SAME_SERIES = timedelta(minutes=25)
"""Times of one series may differ so: an item may give the datatake's start (`acquired`), up to 18 minutes before the
granule."""
BETWEEN = timedelta(days=60)
"""Passes between two images further apart than this are not told of: the satellite may have been moved or switched
off."""
BEYOND = timedelta(days=20)
"""Passes are told of so far before the first and after the last image of a series."""
LISTED_WITHIN = timedelta(hours=24)
"""A pass younger than this may not be listed yet."""
REACH = timedelta(days=40)
"""How far around a range images are looked for to tell its passes from."""


@dataclass(frozen=True)
class Pass:
    """A pass that took place."""

    platform: str
    expected: datetime
    """UTC, within half an hour."""
    tiles: frozenset[str]
    """MGRS tiles of the port that other passes of the same series show."""


def expected_passes(
    sightings: Iterable[Sighting], start: datetime, end: datetime, now: datetime
) -> list[Pass]:
    """Return the passes in [start, end), by time, seen or not.

    Args:
        sightings: what catalogues list within `REACH` of the range.
        start: UTC.
        end: UTC, not included.
        now: passes within `LISTED_WITHIN` before it are left out, unless they are listed.
    """
    found: list[Pass] = []
    for platform, series in _series(sightings):
        found += _of_series(platform, series, start, end, now)
    return sorted(found, key=lambda one: (one.expected, one.platform))


def _series(sightings: Iterable[Sighting]) -> Iterator[tuple[str, list[Sighting]]]:
    """Yield images of one satellite at one place in its cycle, two passes at least."""
    by_platform: dict[str, list[Sighting]] = defaultdict(list)
    for sighting in sightings:
        by_platform[sighting.platform].append(sighting)
    for platform, seen in sorted(by_platform.items()):
        groups: list[list[Sighting]] = []
        for sighting in sorted(seen, key=lambda one: one.acquired):
            own = next(
                (group for group in groups if _same_series(group[0].acquired, sighting.acquired)), None
            )
            groups.append([sighting]) if own is None else own.append(sighting)
        for group in groups:
            if group[-1].acquired - group[0].acquired > CYCLE / 2:
                yield platform, group


def _same_series(a: datetime, b: datetime) -> bool:
    apart = (b - a) % CYCLE
    return min(apart, CYCLE - apart) <= SAME_SERIES


def _of_series(
    platform: str, series: Sequence[Sighting], start: datetime, end: datetime, now: datetime
) -> Iterator[Pass]:
    tiles = frozenset(one.mgrs_tile for one in series if one.mgrs_tile)
    turns = {_turn(series[0].acquired, one.acquired): one.acquired for one in series}
    first, last = min(turns), max(turns)
    for turn in range(first - BEYOND // CYCLE, last + BEYOND // CYCLE + 1):
        nearest = min(turns, key=lambda known: abs(known - turn))
        when = turns[nearest] + (turn - nearest) * CYCLE
        before = max((known for known in turns if known <= turn), default=first)
        after = min((known for known in turns if known >= turn), default=last)
        too_far = (after - before) * CYCLE > BETWEEN
        young = turn not in turns and when > now - LISTED_WITHIN
        if start <= when < end and not too_far and not young:
            yield Pass(platform, when, tiles)


def _turn(first: datetime, when: datetime) -> int:
    return round((when - first) / CYCLE)


def covers(one: Pass, platform: str | None, when: datetime) -> bool:
    """Return whether an image is of a pass."""
    return str(platform).lower() == one.platform and abs(when - one.expected) <= 2 * SAME_SERIES
