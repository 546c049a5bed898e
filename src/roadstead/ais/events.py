"""Events that AIS alone tells: port visits, gaps with reception at both ends, loitering, encounters, identity changes.

Each is a lead with its evidence and what else would look the same. Thresholds are those of the constants below; the
encounter's distance and duration are Global Fishing Watch's, loitering and visits are our own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from roadstead.ais.data import AisData, from_simulator
from roadstead.ais.identity.identify import identity_changes
from roadstead.ais.tracks import Run, runs_of, seconds_of
from roadstead.core.geo import KNOT, WGS84, Array, distance_m, lonlat_to_xy, project
from roadstead.core.ports import Port
from roadstead.core.schemas import EVENTS, checked, empty

STILL_KN = 1.0
VISIT_S, VISIT_BREAK_S = 3_600.0, 24 * 3600.0
"""A visit has a stop of at least an hour inside the zones, and may be silent for a day."""
EDGE_M = 300.0
"""So far outside a zone a hull that stopped in it has not left: positions have errors, hulls swing."""
GAP_S = 6 * 3600.0
NEIGHBOURS, NEIGHBOUR_M, NEIGHBOUR_S = 5, 25_000.0, 3600.0
"""Other hulls heard so near within an hour of an end of a gap show that someone listened there."""
USUAL = 10.0
"""A gap is so many times longer than the time between the hull's reports."""
SLOW_KN, LOITER_S, LOITER_BREAK_S = 2.0, 3 * 3600.0, 2 * 3600.0
MEET_M, MEET_S, STEP_S = 500.0, 2 * 3600.0, 600.0
"""Encounter: two hulls this near, both slow, for so long; looked at every ten minutes."""

ALSO = {
    "port_visit": "waiting for a berth, bunkers, repair, shelter; presence is no evidence of cargo",
    "gap": "a failed or overridden unit, weak power, a crowded channel, a source that thins or loses reports",
    "loitering": "waiting for orders, a pilot or the tide, drifting with a fault, fishing, anchoring unannounced",
    "encounter": "towing, pilotage, bunkering, help, ships anchored near each other, or GNSS interference",
    "identity_change": "sale, reflagging, a corrected typing error, a new unit, or two ships on one MMSI",
}
"""What else would look the same, by kind."""


def events(ais: AisData, port: Port, mmsi: str | None = None) -> pd.DataFrame:
    """Return `schemas.EVENTS` of some AIS around a port, in order of time.

    Args:
        ais: what was heard; snapshots, which tell nothing of before and after, are left out.
        port: its zones are where ships visit, and where they may lie still without loitering.
        mmsi: look for events of this vessel alone; of the others, only whom it met.
    """
    moments = [pd.Timestamp(time) for time in ais.snapshot_times]
    reports = ais.positions[~ais.positions["time"].isin(moments)]
    reports = reports.sort_values(["mmsi", "segment", "time"], kind="stable", ignore_index=True)
    if len(reports):
        reports = reports.assign(
            hull=pd.factorize(reports["mmsi"] + ":" + reports["segment"].astype(str))[0],
            zone=_stopping_zones(port, reports[["lon", "lat"]].to_numpy(float)),
            near=_near_zones(lonlat_to_xy(reports[["lon", "lat"]].to_numpy(float), port.crs), port),
            seconds=seconds_of(reports["time"]),
        )
        reports = reports.assign(knots=_speed(reports))
        own = reports if mmsi is None else reports[reports["mmsi"] == mmsi].reset_index(drop=True)
        makers: tuple[Callable[[], Iterable[dict[str, Any]]], ...] = (
            lambda: _visits(own),
            lambda: _gaps(reports, mmsi),
            lambda: _loitering(own),
            lambda: _encounters(reports, port),
        )
        rows = [row for make in makers for row in make()]
    else:
        rows = []
    rows += identity_changes(ais.vessels, reports)
    return _table(rows, is_simulated(ais))


def is_simulated(ais: AisData) -> bool:
    """Say whether anything of this AIS comes from the simulator."""
    return any(from_simulator(table["source"]) for table in (ais.positions, ais.vessels, ais.stations))


def _table(rows: list[dict[str, Any]], simulated: bool) -> pd.DataFrame:
    if not rows:
        return empty(EVENTS)
    table = pd.DataFrame(rows).assign(simulated=simulated)
    table["evidence"] = [json.dumps(found, sort_keys=True) for found in table["evidence"]]
    table["could_also_be"] = table["kind"].map(ALSO)
    table["event_id"] = [_id(row) for row in table.to_dict("records")]
    table = table.drop_duplicates("event_id").sort_values(["start", "kind", "mmsi"], ignore_index=True)
    texts = {
        name: table[name].astype(object).where(table[name].notna(), None) for name in ("other_mmsi", "zone")
    }
    return checked(table.assign(**texts)[list(EVENTS.columns)], EVENTS, "events")


def _id(row: dict[Any, Any]) -> str:
    told = [row[name] for name in ("kind", "mmsi", "segment", "other_mmsi", "start", "evidence")]
    return hashlib.sha256(repr([str(part) for part in told]).encode()).hexdigest()[:16]


def _speed(reports: pd.DataFrame) -> NDArray[np.float64]:
    """Return reported speed (kn); where there is none, that from the report before of the same hull."""
    places = reports[["lon", "lat"]].to_numpy(float)
    metres = np.concatenate([[np.nan], distance_m(places[:-1], places[1:])])
    seconds = reports["seconds"].diff().to_numpy(float)
    same = (reports["hull"] == reports["hull"].shift()).to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = np.where(same & (seconds > 0), metres / seconds / KNOT, np.nan)
    return reports["sog_kn"].fillna(pd.Series(between)).to_numpy(float)


def _event(kind: str, run: Run, evidence: dict[str, Any], zone: str | None = None) -> dict[str, Any]:
    rows = run.rows
    return {
        "kind": kind,
        "mmsi": rows["mmsi"].iloc[0],
        "segment": int(rows["segment"].iloc[0]),
        "other_mmsi": None,
        "start": rows["time"].iloc[0],
        "end": rows["time"].iloc[-1],
        "lon": float(rows["lon"].median()),
        "lat": float(rows["lat"].median()),
        "zone": zone,
        "evidence": evidence,
    }


def _visits(reports: pd.DataFrame) -> Iterable[dict[str, Any]]:
    """Yield stays in the zones; a hull that swings, or is moored, across a zone's edge does not leave by that."""
    for run in runs_of(reports, reports["near"].to_numpy(bool), VISIT_BREAK_S):
        still = run.rows["knots"] < STILL_KN
        zones = run.rows.loc[still, "zone"].dropna()
        lain = run.lasting(still.to_numpy())
        if lain >= VISIT_S and len(zones):
            zone = zones.mode().iloc[0]
            evidence = {
                "reports": len(run.rows),
                "hours_still": round(lain / 3600.0, 2),
                "arrival_seen": run.before,
                "departure_seen": run.after,
                "longest_silence_h": round(run.longest_step_s / 3600.0, 2),
            }
            yield _event("port_visit", run, evidence, str(zone))


def _near_zones(xy: Array, port: Port) -> NDArray[np.bool_]:
    """Return which places (metres of the port's CRS) lie in a zone where ships stop, or at most `EDGE_M` off it."""
    zones = [zone.polygon for zone in port.zones if zone.kind != "fairway"]
    wide = shapely.buffer(project(shapely.union_all(zones), WGS84, port.crs), EDGE_M)
    shapely.prepare(wide)
    return np.asarray(shapely.contains_xy(wide, xy[:, 0], xy[:, 1]))


def _gaps(reports: pd.DataFrame, mmsi: str | None) -> Iterable[dict[str, Any]]:
    """Yield silences of the vessel named, or of all, with others heard at both ends."""
    named = True if mmsi is None else reports["mmsi"] == mmsi
    step = reports["seconds"].diff().where(reports["hull"] == reports["hull"].shift())
    usual = step.groupby(reports["hull"]).transform("median")
    by_time = reports.sort_values("seconds", kind="stable")
    for n in np.flatnonzero((step >= GAP_S) & (step >= USUAL * usual) & named):
        last, first = reports.iloc[n - 1], reports.iloc[n]
        there = _neighbours(by_time, last, last["seconds"], last["seconds"] + NEIGHBOUR_S)
        back = _neighbours(by_time, first, first["seconds"] - NEIGHBOUR_S, first["seconds"])
        if min(there, back) >= NEIGHBOURS:
            ends = np.array([[last["lon"], last["lat"]], [first["lon"], first["lat"]]])
            evidence = {
                "hours": round(float(step.iloc[n]) / 3600.0, 2),
                "usual_interval_s": round(float(usual.iloc[n]), 1),
                "others_heard_at_start": there,
                "others_heard_at_end": back,
                "metres_apart": round(float(distance_m(ends[:1], ends[1:])[0])),
            }
            made = _event("gap", Run(reports.iloc[n - 1 : n + 1], True, True), evidence, last["zone"])
            yield {**made, "lon": float(last["lon"]), "lat": float(last["lat"])}


def _neighbours(by_time: pd.DataFrame, here: pd.Series, start: float, end: float) -> int:
    """Count the other hulls heard near a place between two times."""
    first, last = np.searchsorted(by_time["seconds"].to_numpy(), [start, end], side="left")
    near = by_time.iloc[first : last + 1]
    near = near[(near["hull"] != here["hull"]) & near["seconds"].between(start, end)]
    if near.empty:
        return 0
    place = np.broadcast_to([[here["lon"], here["lat"]]], (len(near), 2))
    away = distance_m(place, near[["lon", "lat"]].to_numpy(float))
    return int(near.loc[away <= NEIGHBOUR_M, "hull"].nunique())


def _loitering(reports: pd.DataFrame) -> Iterable[dict[str, Any]]:
    slow = (reports["knots"] < SLOW_KN) & ~reports["near"]
    for run in runs_of(reports, slow.to_numpy(), LOITER_BREAK_S):
        if run.seconds >= LOITER_S:
            status = run.rows["nav_status"].dropna().mode()
            evidence = {
                "reports": len(run.rows),
                "hours": round(run.seconds / 3600.0, 2),
                "median_knots": round(float(run.rows["knots"].median()), 2),
                "said_status": None if status.empty else str(status.iloc[0]),
            }
            yield _event("loitering", run, evidence)


def _encounters(reports: pd.DataFrame, port: Port) -> Iterable[dict[str, Any]]:
    """Yield pairs of slow hulls that stay near each other outside the zones."""
    stepped = _stepped(reports, port)
    if stepped.empty:
        return
    met: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for step, rows in stepped.groupby("step"):
        xy, hulls = rows[["x", "y"]].to_numpy(float), rows["hull"].to_numpy()
        for i, j in cKDTree(xy).query_pairs(MEET_M):
            pair = (min(hulls[i], hulls[j]), max(hulls[i], hulls[j]))
            met.setdefault(pair, []).append((int(str(step)), float(np.hypot(*(xy[i] - xy[j])))))
    number = dict(zip(reports["hull"], reports["mmsi"], strict=True))
    for (one, other), found in sorted(met.items()):
        if number[one] == number[other]:
            continue  # two hulls on one number: no two vessels that can be named
        steps = np.array([step for step, _ in found])
        for part in np.split(np.arange(len(steps)), np.flatnonzero(np.diff(steps) > 2) + 1):
            if (steps[part[-1]] - steps[part[0]]) * STEP_S >= MEET_S:
                metres = [found[n][1] for n in part]
                yield _meeting(reports, stepped, (one, other), steps[part], metres)


def _meeting(
    reports: pd.DataFrame,
    stepped: pd.DataFrame,
    pair: tuple[int, int],
    steps: NDArray[np.int64],
    metres: list[float],
) -> dict[str, Any]:
    here = stepped[stepped["hull"].isin(pair) & stepped["step"].isin(set(steps.tolist()))]
    one, other = (reports[reports["hull"] == hull].iloc[0] for hull in pair)
    times = pd.to_datetime(steps[[0, -1]] * STEP_S, unit="s", utc=True).astype("datetime64[ns, UTC]")
    return {
        "kind": "encounter",
        "mmsi": one["mmsi"],
        "segment": int(one["segment"]),
        "other_mmsi": other["mmsi"],
        "start": times[0],
        "end": times[1],
        "lon": float(here["lon"].median()),
        "lat": float(here["lat"].median()),
        "zone": None,
        "evidence": {
            "hours": round(float(steps[-1] - steps[0]) * STEP_S / 3600.0, 2),
            "median_metres": round(float(np.median(metres))),
            "least_metres": round(min(metres)),
            "moments": len(metres),
            "other_segment": int(other["segment"]),
        },
    }


def _stepped(reports: pd.DataFrame, port: Port) -> pd.DataFrame:
    """Return where each hull was every ten minutes, between reports at most two hours apart, where slow and outside."""
    ordered = reports.sort_values(["hull", "time"], kind="stable")
    hulls, times = ordered["hull"].to_numpy(), ordered["seconds"].to_numpy(float)
    columns = {name: ordered[name].to_numpy(float) for name in ("lon", "lat", "knots")}
    bounds = np.flatnonzero(np.diff(hulls, prepend=-1, append=-1))
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in ("hull", "step", *columns)}
    for first, end in pairwise(bounds):
        seconds = times[first:end]
        steps = np.arange(np.ceil(seconds[0] / STEP_S), np.floor(seconds[-1] / STEP_S) + 1)
        if len(seconds) < 2 or not len(steps):
            continue
        after = np.clip(np.searchsorted(seconds, steps * STEP_S, side="left"), 1, len(seconds) - 1)
        near = seconds[after] - seconds[after - 1] <= LOITER_BREAK_S
        at = steps[near] * STEP_S
        parts["hull"].append(np.full(len(at), hulls[first]))
        parts["step"].append(steps[near].astype(np.int64))
        for name, values in columns.items():
            parts[name].append(np.interp(at, seconds, values[first:end]))
    if not parts["hull"]:
        return pd.DataFrame(columns=["hull", "step", "lon", "lat", "x", "y"])
    stepped = pd.DataFrame({name: np.concatenate(found) for name, found in parts.items()})
    stepped = stepped[stepped["knots"] < SLOW_KN].reset_index(drop=True)
    places = stepped[["lon", "lat"]].to_numpy(float)
    stepped[["x", "y"]] = xy = lonlat_to_xy(places, port.crs)
    return stepped[~_near_zones(xy, port)]


def _stopping_zones(port: Port, lonlat: Array) -> pd.Series:
    """Return the zone that holds each place, where ships may stop in it; None in fairways and outside."""
    stops = {zone.id for zone in port.zones if zone.kind != "fairway"}
    return pd.Series([zone if zone in stops else None for zone in port.zone_of(lonlat)], dtype=object)
