"""Where the hull of each declared vessel was at an overpass, as a density.

Between two reports the mean is linear and the spread that of a bridge; beyond the reports it is dead
reckoning. Velocity strays from the mean as an Ornstein-Uhlenbeck process, so position variance grows with
the square of short times and linearly with long ones (Millefiori et al. 2016, doi
10.1109/TAES.2016.150596). The density is a Student-t core plus a wide normal share for what no motion model
foresees. All places are metres of one UTM zone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadstead.ais import hull_centre
from roadstead.core.geo import KNOT, Array, convergence_deg, lonlat_to_xy
from roadstead.reconcile.declared_vessel import Declared
from roadstead.reconcile.density import Flags, Prediction
from roadstead.reconcile.false_positions import FALSE_SHARE, unsound, with_doubt

TAU_S = 600.0
"""Time constant of velocity changes in traffic near ports, seconds."""
REPORT_SD_M = 10.0
"""GNSS error of a position report (ITU-R M.1371: better than 10 m when the accuracy flag is set)."""
SNAPSHOT_SD_M = 100.0
"""Error of a position that a source placed at the overpass itself; such tables are off by 20 to 120 m."""
SWING_SD_M = 50.0
"""Spread of an anchored hull's swing about its anchor."""
SWING_TAU_S = 1800.0
STOPPED_MS = 0.3
"""Slower than this (0.6 kn) a vessel is taken as moored or anchored."""
LEAVE_TAU_S = 24 * 3600.0
"""Mean time until a stopped vessel gets under way."""
UNKNOWN_SPEED_MS = 3.0
"""Speed scale of a vessel that reports neither speed nor status."""
WIDE_SHARE = 0.02
"""Share of positions that no motion model foresees (wrong fixes, unreported manoeuvres)."""
WIDE_SD_M = 1000.0
IMPOSSIBLE_MS = 26.0
"""Faster than this (50 kn) between two reports means two transmitters or a wrong position."""
JUMP_MIN_M = 1000.0
STALE_S = 1800.0
SNAPSHOT_REACH_S = 900.0
"""A snapshot this near an overpass (or within twice its time error) belongs to it."""
GEOREFERENCE_SD_M = 15.0
"""Georeferencing of Sentinel-2 L1C/L2A (ESA quality reports: about 5-12 m) and box centring."""


def stray_var(seconds: Array) -> Array:
    """Return variance (s2) of position per unit velocity variance, start velocity unknown."""
    x = seconds / TAU_S
    return np.asarray(2 * TAU_S**2 * (x - 1 + np.exp(-x)))


def reckoning_var(seconds: Array) -> Array:
    """Return variance (s2) of position per unit velocity variance, start velocity known."""
    x = seconds / TAU_S
    return np.asarray(TAU_S**2 * (2 * x - 3 + 4 * np.exp(-x) - np.exp(-2 * x)))


def _velocity(reports: pd.DataFrame, convergence: float) -> Array:
    """Return (n, 2) m/s on the grid; NaN where the report does not tell."""
    speed = reports["sog_kn"].to_numpy(float) * KNOT
    course = np.radians(reports["cog_deg"].to_numpy(float) - convergence)
    moving = np.column_stack([speed * np.sin(course), speed * np.cos(course)])
    status = reports["nav_status"].fillna("").astype(str).str.lower()
    held = status.str.contains("anchor|moor|aground", regex=True).to_numpy() & ~(speed > STOPPED_MS)
    moving[held | (speed <= STOPPED_MS)] = 0.0
    return moving


@dataclass(frozen=True)
class Frame:
    """When and in which metres an overpass is looked at."""

    moment: pd.Timestamp
    crs: str
    turn_deg: float
    """True bearing minus grid bearing."""


@dataclass(frozen=True)
class _Reports:
    """The last report before and the first after a moment, rows aligned by vessel; NaN where none."""

    xy: tuple[Array, Array]
    velocity: tuple[Array, Array]
    age: tuple[Array, Array]
    """Seconds from the moment, both positive."""
    heading: tuple[Array, Array]


def _side(reports: pd.DataFrame, hulls: pd.Index, vessels: pd.DataFrame, frame: Frame) -> list[Array]:
    rows = reports.set_index("hull").reindex(hulls)
    xy = np.full((len(rows), 2), np.nan)
    there = rows["lon"].notna().to_numpy()
    if there.any():
        xy[there] = lonlat_to_xy(hull_centre(rows[there], vessels), frame.crs)
    age = (rows["time"] - frame.moment).dt.total_seconds().abs().to_numpy(float)
    return [xy, _velocity(rows, frame.turn_deg), age, rows["heading_deg"].to_numpy(float) - frame.turn_deg]


def _bracket(positions: pd.DataFrame, vessels: pd.DataFrame, frame: Frame) -> tuple[pd.Index, _Reports]:
    """Return the hulls' keys in order, and their reports on both sides of the moment."""
    early = (positions["time"] <= frame.moment).to_numpy()
    before = positions[early].drop_duplicates("hull", keep="last")
    after = positions[~early].drop_duplicates("hull", keep="first")
    hulls = pd.Index(positions["hull"].unique())
    last, first = (_side(part, hulls, vessels, frame) for part in (before, after))
    return hulls, _Reports(*zip(last, first, strict=True))


def _pick(first: NDArray[np.bool_], pair: tuple[Array, Array]) -> Array:
    chosen = first if pair[0].ndim == 1 else first[:, None]
    return np.where(chosen, pair[0], pair[1])


def _nearest(reports: _Reports) -> tuple[_Reports, Array]:
    """Return the nearest report of each vessel as both sides, and its time minus the moment."""
    before, after = (np.where(np.isfinite(age), age, np.inf) for age in reports.age)
    first = before <= after
    picked = {name: _pick(first, getattr(reports, name)) for name in reports.__dataclass_fields__}
    one = _Reports(**{name: (value, value) for name, value in picked.items()})
    return one, np.where(first, -before, after)


def _reckoned(hulls: pd.Index, near: _Reports, signed: Array) -> Prediction:
    """Carry the nearest report of each vessel to the moment."""
    (xy, _), (velocity, _), (heading, _) = near.xy, near.velocity, near.heading
    seconds = np.abs(signed)
    speed = np.hypot(*velocity.T)
    known, stopped = np.isfinite(speed), speed <= STOPPED_MS
    pace = np.where(known, speed, UNKNOWN_SPEED_MS)
    stray = (0.25 * pace + 0.25) ** 2 * reckoning_var(seconds)
    start = (0.05 * pace + 0.1) ** 2 * (TAU_S * (1 - np.exp(-seconds / TAU_S))) ** 2
    swing = SWING_SD_M**2 * (1 - np.exp(-seconds / SWING_TAU_S))
    var = np.select([~known, stopped], [(UNKNOWN_SPEED_MS * seconds) ** 2, swing], stray + start)
    leave = 1 - np.exp(-seconds / np.where(stopped, LEAVE_TAU_S, 4 * LEAVE_TAU_S))
    velocity = np.where((known & ~stopped)[:, None], velocity, 0.0)
    return Prediction(
        hull=hulls.to_numpy(object),
        mmsi=hulls.str[:9].to_numpy(object),
        xy=xy - velocity * signed[:, None],
        velocity=velocity,
        var_along=var + REPORT_SD_M**2,
        var_cross=var + REPORT_SD_M**2,
        wide_share=WIDE_SHARE + (1 - WIDE_SHARE) * leave,
        wide_sd=np.maximum(WIDE_SD_M, UNKNOWN_SPEED_MS * seconds),
        heading_deg=heading,
        heading_sd_deg=5.0 + np.where(stopped, 0.01, 0.03) * seconds,
        dt_s=signed,
        snapshot=np.zeros(len(hulls), bool),
        jumped=np.zeros(len(hulls), bool),
        false_share=np.full(len(hulls), FALSE_SHARE),
        unsound=np.zeros(len(hulls), bool),
    )


def _bridged(dead: Prediction, reports: _Reports) -> tuple[Prediction, Flags, Flags]:
    """Return interpolated densities, where they hold, and where two reports contradict each other."""
    before, after = reports.age
    both = np.isfinite(before) & np.isfinite(after)
    gap = np.where(both, before + after, 1.0)
    step = np.where(both[:, None], reports.xy[1] - reports.xy[0], 0.0)
    length = np.hypot(*step.T)
    jumped = both & (length > JUMP_MIN_M) & (length / gap > IMPOSSIBLE_MS)
    mean = step / gap[:, None]
    part = np.where(both, before / gap, 0.0)
    pace = np.hypot(*mean.T)
    off = np.stack([np.hypot(*(velocity - mean).T) for velocity in reports.velocity])
    told = np.isfinite(off)
    stray = np.where(told.all(axis=0), 0.1 * pace + 0.15, 0.2 * pace + 0.25) ** 2
    stray = stray + (np.where(told, off, 0.0) ** 2).sum(axis=0) / 2
    reach = np.where(both, before * np.where(both, after, 0.0) / gap, 0.0)
    held = (pace <= STOPPED_MS) & (np.where(told, off, 0.0).max(axis=0) <= 2 * STOPPED_MS)
    swing = SWING_SD_M**2 * (1 - np.exp(-reach / SWING_TAU_S))
    var = np.where(held, swing, stray * stray_var(reach)) + REPORT_SD_M**2
    bridged = replace(
        dead,
        xy=reports.xy[0] + step * part[:, None],
        velocity=np.where(held[:, None], 0.0, mean),
        var_along=var,
        var_cross=var,
        wide_share=np.full(len(dead), WIDE_SHARE),
        wide_sd=np.full(len(dead), WIDE_SD_M),
    )
    return bridged, both & ~jumped, jumped


def _shared(at: Prediction) -> Flags:
    """Tell which vessels share their MMSI with another hull that was heard at the same time."""
    fresh = pd.Series(np.abs(at.dt_s) <= STALE_S)
    return fresh.to_numpy() & (fresh.groupby(at.mmsi).transform("sum") > 1).to_numpy()


def _merge(first: Prediction, second: Prediction, use_first: Flags) -> Prediction:
    merged = {
        name: np.where(
            use_first if getattr(first, name).ndim == 1 else use_first[:, None],
            getattr(first, name),
            getattr(second, name),
        )
        for name in first.__dataclass_fields__
    }
    return Prediction(**merged)


def _placed(dead: Prediction, is_snapshot: Flags, reported_xy: Array) -> Prediction:
    """Put vessels whose source placed them at the overpass where it put them."""
    var = np.full(len(dead), SNAPSHOT_SD_M**2)
    placed = replace(
        dead,
        xy=reported_xy,
        velocity=np.zeros_like(dead.velocity),
        var_along=var,
        var_cross=var,
        wide_share=np.full(len(dead), WIDE_SHARE),
        wide_sd=np.full(len(dead), WIDE_SD_M),
        heading_sd_deg=np.full(len(dead), 10.0),
        snapshot=np.ones(len(dead), bool),
    )
    return _merge(placed, dead, is_snapshot)


def _widened_by_antenna(at: Prediction, declared: Declared) -> Prediction:
    """Widen by the antenna's offset from the hull's centre where size or heading is not known."""
    known = np.isfinite(declared.antenna_offset_m) & np.isfinite(at.heading_deg)
    # 0.3 of a length is where the bridge of a cargo ship stands from its middle.
    guess = np.where(np.isfinite(declared.length_m), 0.3 * declared.length_m, 20.0)
    offset = np.where(np.isfinite(declared.antenna_offset_m), declared.antenna_offset_m, guess)
    extra = np.where(known, 0.0, offset**2 / 2)
    return replace(at, var_along=at.var_along + extra, var_cross=at.var_cross + extra)


def keyed(positions: pd.DataFrame) -> pd.DataFrame:
    """Return positions with a key per hull: the MMSI, and the segment where several hulls use it."""
    segment = positions["segment"] if "segment" in positions else pd.Series(0, index=positions.index)
    return positions.assign(hull=positions["mmsi"].astype(str) + ":" + segment.astype(str))


def by_hull_and_time(positions: pd.DataFrame) -> pd.DataFrame:
    """Return keyed positions in order of hull, time and place, which all that follows relies on."""
    hull = pd.factorize(positions["hull"], sort=True)[0]
    time = positions["time"].astype("int64").to_numpy()
    return positions.iloc[np.lexsort((positions["lat"].to_numpy(), positions["lon"].to_numpy(), time, hull))]


def with_hull(positions: pd.DataFrame) -> pd.DataFrame:
    """Return positions keyed (`keyed`) and in order (`by_hull_and_time`)."""
    return by_hull_and_time(keyed(positions))


def _split_snapshots(
    positions: pd.DataFrame, moment: pd.Timestamp, sigma_s: float, snapshot_times: frozenset[datetime]
) -> tuple[pd.DataFrame, set[str]]:
    """Drop snapshots of other overpasses; return what is left and whose reports are snapshots of this one."""
    if not snapshot_times:
        return positions, set()
    is_snapshot = positions["time"].isin([pd.Timestamp(time) for time in snapshot_times])
    reach = pd.Timedelta(seconds=max(SNAPSHOT_REACH_S, 2 * sigma_s))
    here = is_snapshot & ((positions["time"] - moment).abs() <= reach)
    placed = positions[here]
    rest = positions[~is_snapshot & ~positions["hull"].isin(placed["hull"])]
    return by_hull_and_time(pd.concat([rest, placed])), set(placed["hull"])


def predict(
    positions: pd.DataFrame,
    vessels: pd.DataFrame,
    moment: datetime,
    *,
    sigma_s: float,
    snapshot_times: frozenset[datetime],
    crs: str,
    centre_lonlat: tuple[float, float],
) -> tuple[Prediction, Declared]:
    """Return where each vessel of ``positions`` was at ``moment``, and what it declares, rows aligned.

    Args:
        positions: `schemas.POSITIONS` that may speak for this moment, with their ``hull`` (`with_hull`).
        vessels: `schemas.VESSELS`.
        moment: acquisition, UTC.
        sigma_s: standard error of the acquisition time.
        snapshot_times: times at which a source already placed its vessels at an overpass.
        crs: metric CRS of all places returned.
        centre_lonlat: where the grid's north is compared with true north.
    """
    frame = Frame(pd.Timestamp(moment), crs, convergence_deg(*centre_lonlat, crs))
    used, placed = _split_snapshots(positions, frame.moment, sigma_s, snapshot_times)
    hulls, reports = _bracket(used, vessels, frame)
    near, signed = _nearest(reports)
    dead = _reckoned(hulls, near, signed)
    bridged, holds, jumped = _bridged(dead, reports)
    at = replace(_merge(bridged, dead, holds), jumped=jumped | _shared(dead))
    at = _placed(at, np.isin(hulls.to_numpy(str), list(placed)), near.xy[0])
    declared = Declared.of(at.hull, at.mmsi, used, vessels, frame.moment)
    at = _widened_by_antenna(replace(at, heading_deg=_bow(at)), declared)
    late = (sigma_s * np.hypot(*at.velocity.T)) ** 2
    doubtful = unsound(used, at.hull, crs) & ~at.snapshot
    return with_doubt(replace(at, var_along=at.var_along + late), doubtful), declared


def _bow(at: Prediction) -> Array:
    """Return the heading, or the course of a vessel under way that reports none (degrees on the grid)."""
    course = np.degrees(np.arctan2(*at.velocity.T))
    fast = np.hypot(*at.velocity.T) > 2 * STOPPED_MS
    return np.where(np.isnan(at.heading_deg), np.where(fast, course, np.nan), at.heading_deg)
