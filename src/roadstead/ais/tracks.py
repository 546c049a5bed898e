"""Reports of one MMSI to the tracks of the hulls that use it, jumps that no ship can make, and runs of reports.

Several hulls may send one MMSI (cloned or never-set transmitters). Each report goes to the open track whose
dead-reckoned place it fits best, if a ship could have come from that track's last report; else it opens a new
track. The idea is that of Global Fishing Watch's gpsdio-segment (Apache-2.0); the code is our own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadstead.core.geo import KNOT, Array

MAX_SPEED_KN = 60.0
"""Faster than this between two reports is impossible for one hull (high-speed craft reach 45-55 kn)."""
SUSTAINED_KN = 30.0
"""Faster than this beyond the first hour is impossible."""
MAX_SILENCE_S = 48 * 3600.0
"""How far one hull can have come grows no further: a longer silence is no evidence that it is the same hull."""
SLACK_M = 300.0
"""Distance that position error and receive times rounded to seconds may add."""
SLACK_S = 2.0
STRAY_MS = 1.0
"""How fast a hull strays from where its course would have it."""
MAX_RECKONING_S = 3600.0
"""The first hour; a course is not carried on for longer."""
MAX_TRACKS = 64
"""Open tracks of one MMSI; beyond it the one silent longest is closed."""
_EARTH_M = 6_371_008.8


@dataclass(frozen=True)
class Segmented:
    """Reports with their track."""

    positions: pd.DataFrame
    """The reports kept, ordered by MMSI and time, with the integer column ``segment`` (0, 1, ... by first report)."""
    jumps: pd.DataFrame
    """The reports taken out: alone, and impossible to reach from the report before and after it."""


def segment(positions: pd.DataFrame) -> Segmented:
    """Order reports by MMSI and time, split shared MMSIs into tracks and take out impossible jumps.

    Args:
        positions: `schemas.POSITIONS`, extra columns kept.
    """
    ordered = positions.sort_values(["mmsi", "time", "lon", "lat"], kind="stable").reset_index(drop=True)
    numbers = np.zeros(len(ordered), dtype=np.int64)
    jump = np.zeros(len(ordered), dtype=bool)
    troubled = ordered["mmsi"].isin(set(ordered.loc[_leaps(ordered), "mmsi"]))
    for _, rows in ordered[troubled].groupby("mmsi", sort=False):
        numbers[rows.index], jump[rows.index] = _split(rows)
    done = ordered.assign(segment=numbers)
    return Segmented(done[~jump].reset_index(drop=True), done[jump].reset_index(drop=True))


def _leaps(ordered: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which reports cannot be reached from the report before them of the same MMSI."""
    if ordered.empty:
        return np.zeros(0, dtype=bool)
    lon, lat = (np.radians(ordered[name].to_numpy(float)) for name in ("lon", "lat"))
    seconds = ordered["time"].diff().dt.total_seconds().to_numpy(float)
    metres = np.concatenate([[0.0], _haversine(lon[:-1], lat[:-1], lon[1:], lat[1:])])
    same = (ordered["mmsi"] == ordered["mmsi"].shift()).to_numpy()
    return np.asarray(same & (metres > _reach_m(seconds)))


def _reach_m(seconds: Array) -> Array:
    """Return how far (m) one hull can have come in a time."""
    fast = np.minimum(seconds, MAX_RECKONING_S) + SLACK_S
    sustained = np.clip(seconds - MAX_RECKONING_S, 0.0, MAX_SILENCE_S)
    return np.asarray((MAX_SPEED_KN * fast + SUSTAINED_KN * sustained) * KNOT + SLACK_M)


def _reach_of(seconds: float) -> float:
    fast = min(seconds, MAX_RECKONING_S) + SLACK_S
    sustained = min(max(seconds - MAX_RECKONING_S, 0.0), MAX_SILENCE_S)
    return (MAX_SPEED_KN * fast + SUSTAINED_KN * sustained) * KNOT + SLACK_M


def _haversine(lon0: Array, lat0: Array, lon1: Array, lat1: Array) -> Array:
    """Return great-circle metres between points in radians."""
    h = np.sin((lat1 - lat0) / 2) ** 2 + np.cos(lat0) * np.cos(lat1) * np.sin((lon1 - lon0) / 2) ** 2
    return np.asarray(2 * _EARTH_M * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0))))


@dataclass
class _Track:
    """The last report of an open track: seconds, radians, and its motion in radians a second."""

    number: int
    time: float
    lon: float
    lat: float
    east: float
    north: float

    def misfit(self, time: float, lon: float, lat: float) -> float | None:
        """Return how unlikely a report is on this track; None if out of its reach.

        Minus the logarithm of a heavy-tailed density about the reckoned place whose spread grows with the silence,
        so that a track heard just now wins over a stale one that would also reach.
        """
        seconds = time - self.time
        gone = _metres(self.lon, self.lat, lon, lat)
        if gone > _reach_of(seconds):
            return None
        ahead = min(seconds, MAX_RECKONING_S)
        off = _metres(self.lon + self.east * ahead, self.lat + self.north * ahead, lon, lat)
        spread = SLACK_M + STRAY_MS * min(seconds, MAX_SILENCE_S)
        return 2.0 * math.log(spread) + 1.5 * math.log1p((min(off, gone) / spread) ** 2)


def _metres(lon0: float, lat0: float, lon1: float, lat1: float) -> float:
    h = math.sin((lat1 - lat0) / 2) ** 2 + math.cos(lat0) * math.cos(lat1) * math.sin((lon1 - lon0) / 2) ** 2
    return 2 * _EARTH_M * math.asin(math.sqrt(min(1.0, h)))


def _split(rows: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the track of each report of one MMSI and whether it is a jump."""
    time = (rows["time"] - rows["time"].iloc[0]).dt.total_seconds().to_numpy(float)
    lon, lat = (np.radians(rows[name].to_numpy(float)) for name in ("lon", "lat"))
    east, north = _motion(rows, lat)
    raw = np.empty(len(rows), dtype=np.int64)
    tracks: list[_Track] = []
    count = 0
    for i, report in enumerate(zip(time, lon, lat, east, north, strict=True)):
        raw[i] = _assign(tracks, report, count)
        count = max(count, int(raw[i]) + 1)
    jump = _lone_between(raw)
    kept = pd.unique(raw[~jump])
    renumbered = pd.Series(np.arange(len(kept)), index=kept).reindex(raw, fill_value=0).to_numpy(np.int64)
    return renumbered, jump


def _motion(rows: pd.DataFrame, lat: Array) -> tuple[Array, Array]:
    """Return reported motion in radians a second of longitude and latitude; 0 where not reported."""
    speed = np.nan_to_num(rows["sog_kn"].to_numpy(float)) * KNOT / _EARTH_M
    course = np.radians(rows["cog_deg"].to_numpy(float))
    known = np.isfinite(course)
    course = np.nan_to_num(course)
    stretch = np.maximum(np.cos(lat), 0.01)
    return np.where(known, speed * np.sin(course) / stretch, 0.0), np.where(
        known, speed * np.cos(course), 0.0
    )


def _assign(tracks: list[_Track], report: tuple[float, float, float, float, float], count: int) -> int:
    """Put a report on the track it fits best, or on a new one numbered ``count``; return the track's number."""
    time, lon, lat, _, _ = report
    fits = [(fit, n) for n, track in enumerate(tracks) if (fit := track.misfit(time, lon, lat)) is not None]
    if fits:
        place = min(fits)[1]
        number = tracks.pop(place).number
    else:
        number = count
        if len(tracks) == MAX_TRACKS:
            tracks.pop(0)
    tracks.append(_Track(number, *report))
    return number


def _lone_between(raw: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the reports that are alone on their track, with reports of one other track right before and after."""
    alone = np.bincount(raw)[raw] == 1
    between = np.zeros(len(raw), dtype=bool)
    between[1:-1] = raw[:-2] == raw[2:]
    return np.asarray(alone & between)


def seconds_of(times: pd.Series) -> NDArray[np.float64]:
    """Return UTC times as seconds since 1970."""
    return times.to_numpy("datetime64[ns]").astype(np.int64) / 1e9


@dataclass(frozen=True)
class Run:
    """Consecutive reports of one hull."""

    rows: pd.DataFrame
    """With ``seconds``, in order of time."""
    before: bool
    """A report of the hull precedes it."""
    after: bool
    """A report of the hull follows it."""

    @cached_property
    def _steps(self) -> NDArray[np.float64]:
        return np.diff(self.rows["seconds"].to_numpy(float))

    @property
    def seconds(self) -> float:
        """From the first report to the last."""
        return float(self._steps.sum())

    @property
    def longest_step_s(self) -> float:
        """Longest time between two reports."""
        return float(self._steps.max(initial=0.0))

    def lasting(self, holds: NDArray[np.bool_]) -> float:
        """Return the seconds between reports that both fulfil a condition."""
        return float(self._steps[holds[:-1] & holds[1:]].sum())


def runs_of(reports: pd.DataFrame, holds: NDArray[np.bool_], longest_step_s: float) -> Iterator[Run]:
    """Yield the runs of reports for which a condition holds, cut where a hull is silent for longer.

    Args:
        reports: ordered by ``hull`` and ``seconds``.
        holds: which reports fulfil the condition.
        longest_step_s: longest time between two reports of a run.
    """
    hull, seconds = reports["hull"].to_numpy(), reports["seconds"].to_numpy(float)
    cut = np.ones(len(reports), dtype=bool)
    cut[1:] = (hull[1:] != hull[:-1]) | (holds[1:] != holds[:-1]) | (np.diff(seconds) > longest_step_s)
    edges = np.append(np.flatnonzero(cut), len(reports))
    for first, last in pairwise(edges.tolist()):
        if holds[first]:
            before = bool(first > 0 and hull[first - 1] == hull[first])
            after = bool(last < len(reports) and hull[last] == hull[first])
            yield Run(reports.iloc[first:last], before, after)
