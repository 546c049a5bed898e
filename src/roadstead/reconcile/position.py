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

from roadstead.geo import Array, convergence_deg, lonlat_to_xy, xy_to_lonlat
from roadstead.reconcile.declared import Declared

Flags = NDArray[np.bool_]

KNOT = 1852.0 / 3600.0
"""m/s in a knot."""
T_DOF = 5.0
"""Degrees of freedom of the Student-t core."""
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


@dataclass(frozen=True)
class Prediction:
    """Hull-centre densities of n vessels at one moment; arrays of n rows."""

    mmsi: NDArray[np.object_]
    xy: Array
    """(n, 2) metres."""
    velocity: Array
    """(n, 2) m/s; zero where unknown or stopped."""
    var_along: Array
    """m2 along the course, before the error common to the overpass."""
    var_cross: Array
    wide_share: Array
    wide_sd: Array
    """metres."""
    heading_deg: Array
    """Grid bearing of the bow; NaN where unknown."""
    heading_sd_deg: Array
    dt_s: Array
    """Nearest report minus the moment."""
    snapshot: Flags
    jumped: Flags
    """Reports around the moment imply an impossible speed."""

    def __len__(self) -> int:
        """Return the number of vessels."""
        return len(self.mmsi)

    def take(self, keep: NDArray[np.intp]) -> Prediction:
        """Return the vessels at positions ``keep``."""
        return Prediction(**{name: getattr(self, name)[keep] for name in self.__dataclass_fields__})

    @property
    def spread_m(self) -> Array:
        """Core standard deviation in metres, the longer axis."""
        return np.sqrt(np.maximum(self.var_along, self.var_cross))


def stray_var(seconds: Array) -> Array:
    """Return variance (s2) of position per unit velocity variance, start velocity unknown."""
    x = seconds / TAU_S
    return 2 * TAU_S**2 * (x - 1 + np.exp(-x))


def reckoning_var(seconds: Array) -> Array:
    """Return variance (s2) of position per unit velocity variance, start velocity known."""
    x = seconds / TAU_S
    return TAU_S**2 * (2 * x - 3 + 4 * np.exp(-x) - np.exp(-2 * x))


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
class _Reports:
    """The last report before and the first after a moment, rows aligned by vessel; NaN where none."""

    xy: tuple[Array, Array]
    velocity: tuple[Array, Array]
    age: tuple[Array, Array]
    """Seconds from the moment, both positive."""
    heading: tuple[Array, Array]


def _side(reports: pd.DataFrame, mmsi: pd.Index, moment: pd.Timestamp, crs: str, turn: float) -> list[Array]:
    rows = reports.set_index("mmsi").reindex(mmsi)
    xy = np.full((len(rows), 2), np.nan)
    there = rows["lon"].notna().to_numpy()
    if there.any():
        xy[there] = lonlat_to_xy(rows.loc[there, ["lon", "lat"]].to_numpy(float), crs)
    age = (rows["time"] - moment).dt.total_seconds().abs().to_numpy(float)
    return [xy, _velocity(rows, turn), age, rows["heading_deg"].to_numpy(float) - turn]


def _bracket(
    positions: pd.DataFrame, moment: pd.Timestamp, crs: str, turn: float
) -> tuple[pd.Index, _Reports]:
    ordered = positions.sort_values(["time", "mmsi", "lon", "lat"], kind="stable")
    before = ordered[ordered["time"] <= moment].drop_duplicates("mmsi", keep="last")
    after = ordered[ordered["time"] > moment].drop_duplicates("mmsi", keep="first")
    mmsi = pd.Index(np.unique(ordered["mmsi"].to_numpy(str)))
    sides = zip(*(_side(part, mmsi, moment, crs, turn) for part in (before, after)), strict=True)
    return mmsi, _Reports(*(tuple(pair) for pair in sides))  # type: ignore[arg-type]  # pairs by construction


def _pick(first: NDArray[np.bool_], pair: tuple[Array, Array]) -> Array:
    chosen = first if pair[0].ndim == 1 else first[:, None]
    return np.where(chosen, pair[0], pair[1])


def _reckoned(mmsi: NDArray[np.object_], near: tuple[Array, Array, Array, Array, Array]) -> Prediction:
    """Carry the nearest report of each vessel to the moment."""
    xy, velocity, signed, heading, _ = near
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
        mmsi=mmsi,
        xy=xy - velocity * signed[:, None],
        velocity=velocity,
        var_along=var + REPORT_SD_M**2,
        var_cross=var + REPORT_SD_M**2,
        wide_share=WIDE_SHARE + (1 - WIDE_SHARE) * leave,
        wide_sd=np.maximum(WIDE_SD_M, UNKNOWN_SPEED_MS * seconds),
        heading_deg=heading,
        heading_sd_deg=5.0 + np.where(stopped, 0.01, 0.03) * seconds,
        dt_s=signed,
        snapshot=np.zeros(len(mmsi), bool),
        jumped=np.zeros(len(mmsi), bool),
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
    stray = stray + np.where(told, off, 0.0).__pow__(2).sum(axis=0) / 2
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


def _to_hull_centre(at: Prediction, declared: Declared) -> Prediction:
    """Move antenna positions to hull centres; where that cannot be done, widen by the unknown offset."""
    forward, starboard = declared.antenna_to_centre_m.T
    bearing = np.radians(at.heading_deg)
    ahead = np.column_stack([np.sin(bearing), np.cos(bearing)])
    right = np.column_stack([np.cos(bearing), -np.sin(bearing)])
    shift = ahead * forward[:, None] + right * starboard[:, None]
    known = np.isfinite(shift).all(axis=1)
    # 0.3 of a length is where the bridge of a cargo ship stands from its middle.
    guess = np.where(np.isfinite(declared.length_m), 0.3 * declared.length_m, 20.0)
    offset = np.where(np.isfinite(forward), np.hypot(forward, starboard), guess)
    extra = np.where(known, 0.0, offset**2 / 2)
    return replace(
        at,
        xy=at.xy + np.where(known[:, None], shift, 0.0),
        var_along=at.var_along + extra,
        var_cross=at.var_cross + extra,
    )


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
    rest = positions[~is_snapshot & ~positions["mmsi"].isin(placed["mmsi"])]
    return pd.concat([rest, placed]), set(placed["mmsi"])


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
        positions: `tables.POSITIONS` within the window that may speak for this moment.
        vessels: `tables.VESSELS`.
        moment: acquisition, UTC.
        sigma_s: standard error of the acquisition time.
        snapshot_times: times at which a source already placed its vessels at an overpass.
        crs: metric CRS of all places returned.
        centre_lonlat: where the grid's north is compared with true north.
    """
    at = pd.Timestamp(moment)
    turn = convergence_deg(*centre_lonlat, crs)
    used, placed = _split_snapshots(positions, at, sigma_s, snapshot_times)
    mmsi, reports = _bracket(used, at, crs, turn)
    declared = Declared.of(mmsi, used, vessels, at)
    before, after = (np.where(np.isfinite(age), age, np.inf) for age in reports.age)
    first = before <= after
    signed = np.where(first, -before, after)
    near = (_pick(first, reports.xy), _pick(first, reports.velocity), signed, _pick(first, reports.heading))
    names = mmsi.to_numpy(object)
    dead = _reckoned(names, (*near, first))
    bridged, holds, jumped = _bridged(dead, reports)
    at_moment = replace(_merge(bridged, dead, holds), jumped=jumped)
    at_moment = _placed(at_moment, np.isin(names.astype(str), list(placed)), near[0])
    course = np.degrees(np.arctan2(*at_moment.velocity.T))
    fast = np.hypot(*at_moment.velocity.T) > 2 * STOPPED_MS
    heading = np.where(np.isnan(at_moment.heading_deg), np.where(fast, course, np.nan), at_moment.heading_deg)
    at_moment = _to_hull_centre(replace(at_moment, heading_deg=heading), declared)
    late = (sigma_s * np.hypot(*at_moment.velocity.T)) ** 2
    return replace(at_moment, var_along=at_moment.var_along + late), declared


def log_density(
    at: Prediction, vessel: NDArray[np.intp], xy: Array, later_s: Array, common_sd_m: float
) -> Array:
    """Return log density (per m2) that hull ``vessel[i]`` was centred at ``xy[i]``, ``later_s[i]`` after the moment.

    ``common_sd_m`` is the position error shared by the overpass (georeferencing, box centring).
    """
    velocity = at.velocity[vessel]
    off = xy - (at.xy[vessel] + velocity * later_s[:, None])
    speed = np.hypot(*velocity.T)
    along = np.where((speed > 0)[:, None], velocity / np.where(speed > 0, speed, 1.0)[:, None], [[1.0, 0.0]])
    a = (off * along).sum(axis=1)
    c = off[:, 0] * along[:, 1] - off[:, 1] * along[:, 0]
    va, vc = at.var_along[vessel] + common_sd_m**2, at.var_cross[vessel] + common_sd_m**2
    squared = a**2 / va + c**2 / vc
    core = (1 + squared / T_DOF) ** (-T_DOF / 2 - 1) / (2 * np.pi * np.sqrt(va * vc))
    wide_var = at.wide_sd[vessel] ** 2
    wide = np.exp(-(a**2 + c**2) / (2 * wide_var)) / (2 * np.pi * wide_var)
    share = at.wide_share[vessel]
    return np.log(np.maximum((1 - share) * core + share * wide, 1e-300))


_SAMPLES = 64


def _unit_points() -> tuple[Array, Array]:
    """Return (64, 2) points spread like the Student-t core and like a unit normal (Vogel's spiral)."""
    k = np.arange(_SAMPLES)
    tail = (k + 0.5) / _SAMPLES
    angle = k * np.pi * (3 - np.sqrt(5.0))
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    core = np.sqrt(T_DOF * (tail ** (-2 / T_DOF) - 1))
    return ring * core[:, None], ring * np.sqrt(-2 * np.log(tail))[:, None]


def sample_points(at: Prediction, common_sd_m: float) -> tuple[Array, Array]:
    """Return (n, 128, 2) places in metres and their (n, 128) weights, which sum to 1 for each vessel."""
    core, wide = _unit_points()
    speed = np.hypot(*at.velocity.T)
    along = np.where(
        (speed > 0)[:, None], at.velocity / np.where(speed > 0, speed, 1.0)[:, None], [[1.0, 0.0]]
    )
    across = np.column_stack([along[:, 1], -along[:, 0]])
    a = np.sqrt(at.var_along + common_sd_m**2)[:, None, None] * along[:, None, :] * core[None, :, :1]
    c = np.sqrt(at.var_cross + common_sd_m**2)[:, None, None] * across[:, None, :] * core[None, :, 1:]
    far = at.wide_sd[:, None, None] * wide[None]
    points = at.xy[:, None, :] + np.concatenate([a + c, far], axis=1)
    share = at.wide_share[:, None] / _SAMPLES
    return points, np.concatenate(
        [np.repeat(1 / _SAMPLES - share, _SAMPLES, 1), np.repeat(share, _SAMPLES, 1)], 1
    )


def lonlat(at: Prediction, crs: str) -> Array:
    """Return the (n, 2) mean places in degrees."""
    return xy_to_lonlat(at.xy, crs) if len(at) else np.empty((0, 2))
