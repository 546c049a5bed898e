"""Where a hull may be if its declared position is false: where it rested before or after, or anywhere near.

Spoofed tracks leave the hull where it lies; interference lets its position circle while it lies still. Each hull
that comes into question for a detection counts against calling that detection a hull without AIS.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from roadstead.core.geo import KNOT, Array, lonlat_to_xy
from roadstead.reconcile.density import Prediction

Index = NDArray[np.intp]

FALSE_SHARE = 0.01
"""Share of declared positions that are false although their track looks sound. Our judgement."""
UNSOUND_SHARE = 0.6
"""The same where the track contradicts itself."""
LEFT_SHARE = 0.2
"""The same of a vessel whose MMSI was last heard here and is now heard where this hull cannot have got to."""
UNSOUND_SD_M = 8_000.0
"""How far from its declared place such a hull may be."""
REST_WINDOW_H = 72.0
"""Rests this long before and after an overpass are looked at."""
REST_SD_M = 100.0
MOST_RESTS = 3
"""Those with the most reports."""
REST_CELL_M = 300.0
SLOW_KN = 0.6
MIN_REST_REPORTS = 3
FAST_KN = 3.0
MIN_CONTRADICTIONS = 3
"""Reports that contradict themselves: fast while at anchor or moored by their own status, or a speed that the places
before and after do not bear out."""


@dataclass(frozen=True)
class Rests:
    """Places where vessels of a `Prediction` lay still; k rows."""

    vessel: Index
    xy: Array
    share: Array
    """Prior probability that the hull lies there and its declared position is false."""


def rests(positions: pd.DataFrame, at: Prediction, moment: pd.Timestamp, crs: str) -> Rests:
    """Return where vessels rested within `REST_WINDOW_H`, away from where they declare to be at the moment.

    Args:
        positions: `schemas.POSITIONS` with their ``hull``.
        at: what they declare for the moment.
        moment: of the overpass.
        crs: of ``at``.
    """
    hours = (positions["time"] - moment).dt.total_seconds() / 3600.0
    slow = positions[(hours.abs() <= REST_WINDOW_H) & (positions["sog_kn"] <= SLOW_KN)]
    owner = _owners(slow["hull"], at)
    if owner.empty:
        return Rests(np.empty(0, np.intp), np.empty((0, 2)), np.empty(0))
    slow = slow.loc[owner["report"]]
    xy = lonlat_to_xy(slow[["lon", "lat"]].to_numpy(float), crs)
    column, row = np.floor(xy / REST_CELL_M).astype(np.int64).T
    frame = owner.assign(x=xy[:, 0], y=xy[:, 1], column=column, row=row)
    spots = frame.groupby(["vessel", "column", "row"], as_index=False).agg(
        x=("x", "mean"), y=("y", "mean"), n=("x", "size"), left=("left", "max")
    )
    spots = spots[spots["n"] >= MIN_REST_REPORTS]
    vessel = spots["vessel"].to_numpy(np.intp)
    off = np.hypot(*(spots[["x", "y"]].to_numpy() - at.xy[vessel]).T)
    spots = spots[off > np.maximum(REST_CELL_M, 3 * at.spread_m[vessel])]
    spots = spots.sort_values(["vessel", "n", "x", "y"], ascending=[True, False, True, True])
    spots = spots[spots.groupby("vessel").cumcount() < MOST_RESTS]
    vessel = spots["vessel"].to_numpy(np.intp)
    share = np.maximum(at.false_share[vessel], np.where(spots["left"], LEFT_SHARE, 0.0))
    number = spots.groupby("vessel")["x"].transform("size").to_numpy(float)
    return Rests(vessel, spots[["x", "y"]].to_numpy(float), share / np.maximum(number, 1.0))


def _owners(hull: pd.Series, at: Prediction) -> pd.DataFrame:
    """Return for each report (its index label) the vessels whose rest it may show.

    A jump splits an MMSI's reports into hulls. A hull that is not heard around the moment may be the one that its
    MMSI is heard for elsewhere; such rows are ``left``.
    """
    own = pd.Series(np.arange(len(at)), index=at.hull)
    place = hull.map(own)
    mine = place.dropna().astype(np.intp)
    lost = hull[place.isna()].str[:9]
    same = pd.DataFrame({"mmsi": at.mmsi, "vessel": np.arange(len(at))})
    left = pd.DataFrame({"mmsi": lost.to_numpy(object), "report": lost.index}).merge(same, on="mmsi")
    return pd.concat(
        [
            pd.DataFrame({"report": mine.index, "vessel": mine.to_numpy(), "left": False}),
            left[["report", "vessel"]].assign(left=True),
        ],
        ignore_index=True,
    )


def beside_rests(rested: Rests, xy: Array, n: int) -> tuple[Index, Index, Array]:
    """Return (detection, vessel, density per m2) of pairs in which a detection lies where a vessel rested.

    Args:
        rested: the rests.
        xy: (m, 2) detections.
        n: number of vessels.
    """
    if not len(rested.vessel) or not len(xy):
        return np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0)
    near = cKDTree(rested.xy).query_ball_point(xy, 4 * REST_SD_M)
    sizes = [len(found) for found in near]
    detection = np.repeat(np.arange(len(xy)), sizes)
    rest = np.fromiter((k for found in near for k in sorted(found)), np.intp, sum(sizes))
    away = ((xy[detection] - rested.xy[rest]) ** 2).sum(axis=1)
    density = rested.share[rest] * np.exp(-away / (2 * REST_SD_M**2)) / (2 * np.pi * REST_SD_M**2)
    key, which = np.unique(detection * n + rested.vessel[rest], return_inverse=True)
    return (
        (key // n).astype(np.intp),
        (key % n).astype(np.intp),
        np.asarray(np.bincount(which, density, len(key))),
    )


def unsound(positions: pd.DataFrame, hulls: NDArray[np.object_], crs: str) -> NDArray[np.bool_]:
    """Tell whose track contradicts itself around the overpass.

    Either it says fast and at anchor in one report, or it says a speed that its places do not bear out.

    Args:
        positions: `schemas.POSITIONS` in order of ``hull`` and time (`position.with_hull`), around the overpass.
        hulls: (n,) keys.
        crs: metric CRS.
    """
    if positions.empty:
        return np.zeros(len(hulls), bool)
    ordered = positions
    fast = (ordered["sog_kn"] > FAST_KN).to_numpy()
    status = ordered["nav_status"].fillna("").astype(str).str.lower()
    held = status.str.contains("anchor|moor|aground", regex=True).to_numpy()
    hull = ordered["hull"].to_numpy(object)
    bad = fast & held | _not_borne_out(ordered, hull, crs)
    counted = pd.Series(bad).groupby(hull).sum()
    share = pd.Series(bad).groupby(hull).mean()
    guilty = counted.index[(counted >= MIN_CONTRADICTIONS) & (share >= 0.2)]
    return np.isin(hulls.astype(str), guilty.to_numpy(str))


def _not_borne_out(ordered: pd.DataFrame, hull: NDArray[np.object_], crs: str) -> NDArray[np.bool_]:
    """Tell which reports say a speed far from that between the places before and after, over some minutes."""
    xy = lonlat_to_xy(ordered[["lon", "lat"]].to_numpy(float), crs)
    seconds = ordered["time"].astype("int64").to_numpy() / 1e9
    bad = np.zeros(len(ordered), bool)
    if len(ordered) < 2:
        return bad
    same = hull[1:] == hull[:-1]
    gap = seconds[1:] - seconds[:-1]
    gone = np.hypot(*(xy[1:] - xy[:-1]).T)
    said = ordered["sog_kn"].to_numpy(float) * KNOT
    low, high = np.fmin(said[1:], said[:-1]), np.fmax(said[1:], said[:-1])
    # A pace beyond either report's by half and 5 kn, on a stretch long enough for GNSS errors not to matter.
    near = same & (gap > 10.0) & (gap <= 1200.0)
    pace = gone / np.maximum(gap, 1.0)
    leap = near & (pace > 1.5 * high + 5 * KNOT) & (gone > 200.0)
    crawl = near & (pace < 0.3 * low) & (low > 5 * KNOT) & (low * gap > 1000.0)
    bad[1:] = leap | crawl
    return bad


def with_doubt(at: Prediction, doubtful: NDArray[np.bool_]) -> Prediction:
    """Return densities that allow hulls whose track contradicts itself to be anywhere within some kilometres."""
    return replace(
        at,
        false_share=np.where(doubtful, UNSOUND_SHARE, at.false_share),
        wide_share=np.where(doubtful, np.maximum(at.wide_share, UNSOUND_SHARE), at.wide_share),
        wide_sd=np.where(doubtful, np.maximum(at.wide_sd, UNSOUND_SD_M), at.wide_sd),
        unsound=doubtful,
    )
