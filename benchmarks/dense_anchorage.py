"""Dense anchorage: who is named, and who is named rightly, by Roadstead and by simpler rules.

The scene follows a public benchmark (NoisySnooper/Dark-Vessel-Study, docs/live_pass.md, "Synthetic dense
anchorage"): 60 ships at anchor on a 300 m grid, 20 under way at 5-20 kn through it, AIS every 180 s (anchored)
or 30 s (under way) with 10 m noise, half of the ships imaged, each 50-150 m off in a random direction, and 4
boats without AIS, two of them amid the grid. That project's rule runs beside ours on the same draws: gate
min(2000, 500 + 125 s x SOG) m, an assignment that pays the gate for each vessel left out, and no name where
the best alternative is under max(a + 100 m, 1.5 a).

    python benchmarks/dense_anchorage.py --seeds 30
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from scipy.stats import beta
from shapely.geometry import Point

from roadstead.ais import AisData
from roadstead.core.detections_file import DetectionsHeader, SceneHeader
from roadstead.core.geo import lonlat_to_xy, to_lonlat, xy_to_lonlat
from roadstead.core.schemas import QUARANTINE, STATIONS, empty
from roadstead.core.schemas import UTC as UTC_DTYPE
from roadstead.reconcile import reconcile

Array = NDArray[np.float64]
Names = dict[str, str]
"""detection_id -> MMSI, for the named."""

CRS = "EPSG:32651"
CENTRE = np.array([400_000.0, 3_380_000.0])
MOMENT = datetime(2020, 11, 3, 2, 25, 41, tzinfo=UTC)
KNOT = 1852.0 / 3600.0
ANCHORED, MOVING, SILENT = 60, 20, 4
GRID_M = 300.0
LENGTH_SD_M, AXIS_SD_DEG = 12.0, 6.0


@dataclass(frozen=True)
class World:
    """One drawn scene: what Roadstead gets, and the truth."""

    detections: gpd.GeoDataFrame
    header: DetectionsHeader
    ais: AisData
    truth: dict[str, str | None]
    """detection_id -> MMSI, None for boats without AIS."""
    expected: dict[str, tuple[Array, float]]
    """MMSI -> (x, y) by simple interpolation, and speed in m/s: what the simple rules start from."""


def draw(seed: int, *, attributes: bool = True, wrong_length: float = 0.0, imaged: float = 0.5) -> World:
    """Draw one scene.

    Args:
        seed: of the generator.
        attributes: ships declare length and heading; otherwise positions, speeds and courses alone.
        wrong_length: share of vessels that declare another hull's length.
        imaged: share of the ships with AIS that are detected.
    """
    rng = np.random.default_rng(seed)
    place, velocity, heading = _fleet(rng)
    n = len(place)
    length = np.clip(rng.lognormal(np.log(130.0), 0.4, n), 50.0, 320.0)
    mmsi = np.array([f"{413_000_000 + i}" for i in rng.permutation(10_000)[:n]], dtype=object)
    with_ais = np.arange(n) < ANCHORED + MOVING
    seen = ~with_ais
    seen[rng.permutation(ANCHORED + MOVING)[: round(imaged * (ANCHORED + MOVING))]] = True
    noise = rng.uniform(50.0, 150.0, n)[:, None] * _direction(rng.uniform(0, 2 * np.pi, n))
    said = np.where(rng.random(n) < wrong_length, rng.permutation(length), length)
    detections = _detections(rng, place + noise, heading, length, seen)
    ids = detections["detection_id"]
    positions, expected = _reports(rng, place[with_ais], velocity[with_ais], heading, mmsi, attributes)
    return World(
        detections.sample(frac=1.0, random_state=seed).reset_index(drop=True),
        _header(),
        AisData(positions, _vessels(mmsi[with_ais], said, attributes), *_nothing()),
        dict(zip(ids, [mmsi[i] if with_ais[i] else None for i in np.flatnonzero(seen)], strict=True)),
        expected,
    )


def _direction(angle: Array) -> Array:
    return np.column_stack([np.sin(angle), np.cos(angle)])


def _fleet(rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Return places (m), velocities (m/s) and headings (rad) of anchored, moving and silent hulls."""
    side = int(np.ceil(np.sqrt(ANCHORED)))
    cell = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2)[:ANCHORED]
    anchored = (cell - (side - 1) / 2) * GRID_M
    moving = rng.uniform(-0.75 * side * GRID_M, 0.75 * side * GRID_M, (MOVING, 2))
    course = rng.uniform(0, 2 * np.pi, MOVING)
    speed = rng.uniform(5.0, 20.0, MOVING) * KNOT
    amid = (rng.permutation(side - 2)[:2, None] + 0.5 - (side - 1) / 2) * GRID_M * np.ones((1, 2))
    far = np.array([[9_000.0, 0.0], [-9_000.0, 2_000.0]])
    place = CENTRE + np.vstack([anchored, moving, amid, far])
    tide = rng.uniform(0, 2 * np.pi)
    swing = tide + np.radians(rng.normal(0, 12.0, ANCHORED))
    velocity = np.vstack(
        [np.zeros((ANCHORED, 2)), _direction(course) * speed[:, None], np.zeros((SILENT, 2))]
    )
    return place, velocity, np.r_[swing, course, np.full(SILENT, tide)]


def _detections(
    rng: np.random.Generator, xy: Array, heading: Array, length: Array, seen: NDArray[np.bool_]
) -> gpd.GeoDataFrame:
    which = np.flatnonzero(seen)
    lonlat = xy_to_lonlat(xy[which], CRS)
    measured = np.maximum(length[which] + rng.normal(0, LENGTH_SD_M, len(which)), 15.0)
    axis = np.degrees(heading[which]) + rng.normal(0, AXIS_SD_DEG, len(which))
    table = pd.DataFrame(
        {
            "detection_id": [f"d{i:03d}" for i in which],
            "scene_id": "S2A_DENSE",
            "overpass_id": "dense",
            "port": None,
            "acquired": pd.Timestamp(MOMENT),
            "acquired_sigma_s": 1.0,
            "zone": None,
            "lon": lonlat[:, 0],
            "lat": lonlat[:, 1],
            "p_vessel": 0.95,
            "p_barge": 0.2,
            "p_bulk_carrier": 0.5,
            "p_other_vessel": 0.3,
            "class": "bulk_carrier",
            "length_m": measured,
            "length_low_m": np.maximum(measured - 1.2816 * LENGTH_SD_M, 0.0),
            "length_high_m": measured + 1.2816 * LENGTH_SD_M,
            "beam_m": measured / 6.5,
            "axis_deg": axis % 180.0,
            "bow_deg": np.nan,
            "p_bow": np.nan,
            "moving": np.full(len(measured), None, object),
            "p_moving": np.nan,
            "flags": "",
            "dropped_because": None,
            "simulated": True,
            "model_id": "truth-with-noise",
        }
    ).astype({"acquired": UTC_DTYPE})
    return gpd.GeoDataFrame(table, geometry=[Point(*p).buffer(1e-4) for p in lonlat], crs="EPSG:4326")


def _reports(
    rng: np.random.Generator, place: Array, velocity: Array, heading: Array, mmsi: NDArray, attributes: bool
) -> tuple[pd.DataFrame, dict[str, tuple[Array, float]]]:
    """Return half an hour of reports either side, and each vessel's interpolated place at the moment."""
    frames, expected = [], {}
    for i in range(len(place)):
        speed = float(np.hypot(*velocity[i]))
        every = 30.0 if speed else 180.0
        seconds = np.arange(-1800.0, 1800.0, every) + rng.uniform(0, every)
        xy = place[i] + velocity[i] * seconds[:, None] + rng.normal(0, 10.0, (len(seconds), 2))
        lonlat = xy_to_lonlat(xy, CRS)
        frames.append(
            pd.DataFrame(
                {
                    "mmsi": mmsi[i],
                    "time": pd.Timestamp(MOMENT) + pd.to_timedelta(seconds, unit="s"),
                    "lon": lonlat[:, 0],
                    "lat": lonlat[:, 1],
                    "sog_kn": speed / KNOT,
                    "cog_deg": np.degrees(np.arctan2(*velocity[i])) % 360.0 if speed else np.nan,
                    "heading_deg": np.degrees(heading[i]) % 360.0 if attributes else np.nan,
                    "nav_status": None,
                    "ais_class": "A",
                    "source": "dense",
                }
            )
        )
        at = [np.interp(0.0, seconds, xy[:, k]) for k in (0, 1)]
        expected[mmsi[i]] = (np.array(at), speed)
    positions = pd.concat(frames, ignore_index=True)
    return positions.astype({"time": UTC_DTYPE}), expected


def _vessels(mmsi: NDArray, length: Array, attributes: bool) -> pd.DataFrame:
    said = length[: len(mmsi)] if attributes else np.full(len(mmsi), np.nan)
    half, beam = said / 2, said / 6.5
    table = pd.DataFrame({"mmsi": mmsi, "time": pd.Timestamp(MOMENT) - pd.Timedelta(hours=1)})
    nothing = dict.fromkeys(("imo", "name", "callsign", "flag", "destination"))
    return table.assign(
        **nothing,
        ship_type=pd.array([70] * len(mmsi), dtype="Int64"),
        to_bow_m=half,
        to_stern_m=half,
        to_port_m=beam / 2,
        to_starboard_m=beam / 2,
        length_m=said,
        beam_m=beam,
        draught_m=np.nan,
        source="dense",
    ).astype({"time": UTC_DTYPE})


def _nothing() -> tuple[pd.DataFrame, pd.DataFrame, frozenset[datetime]]:
    return empty(STATIONS), empty(QUARANTINE), frozenset()


def _header() -> DetectionsHeader:
    frame = to_lonlat(Point(*CENTRE).buffer(15_000.0).envelope, CRS)
    scene = SceneHeader("S2A_DENSE", "dense", MOMENT, 1.0, "s2", frame, frame, "known", {}, True)
    return DetectionsHeader((scene,), "truth-with-noise", 0.4)


def ours(world: World) -> Names:
    """Name by Roadstead: the matched."""
    matches = reconcile(world.detections, world.header, world.ais)
    named = matches[matches["status"] == "matched"]
    return dict(zip(named["detection_id"], named["mmsi"], strict=True))


def _distances(world: World) -> tuple[list[str], list[str], Array, Array]:
    mmsi = list(world.expected)
    places = np.array([world.expected[name][0] for name in mmsi])
    speeds = np.array([world.expected[name][1] for name in mmsi]) / KNOT
    xy = lonlat_to_xy(world.detections[["lon", "lat"]].to_numpy(), CRS)
    gate = np.minimum(2000.0, 500.0 + 125.0 * speeds * KNOT)
    return list(world.detections["detection_id"]), mmsi, cdist(xy, places), gate


def gated_rule(world: World) -> Names:
    """Name by the peer's rule, as its document describes it (no azimuth shift: an optical scene)."""
    ids, mmsi, away, gate = _distances(world)
    saving = np.maximum(gate[None] - away, 0.0)
    feasible = away < gate[None]
    rows, columns = linear_sum_assignment(saving, maximize=True)
    pairs = [(i, j) for i, j in zip(rows, columns, strict=True) if feasible[i, j]]
    own = {("d", i): away[i, j] for i, j in pairs} | {("v", j): away[i, j] for i, j in pairs}
    named = {}
    for i, j in pairs:
        others = [(("v", k), away[i, k]) for k in np.flatnonzero(feasible[i]) if k != j]
        others += [(("d", k), away[k, j]) for k in np.flatnonzero(feasible[:, j]) if k != i]
        if not any(_rivals(away[i, j], b, own.get(who)) for who, b in others):
            named[ids[i]] = mmsi[j]
    return named


def _clearly_worse(b: float, a: float) -> bool:
    return b >= max(a + 100.0, 1.5 * a)


def _rivals(a: float, b: float, its_own: float | None) -> bool:
    """Tell whether an alternative at ``b`` makes a pair at ``a`` ambiguous: near, and no better pair of its own."""
    return not _clearly_worse(b, a) and not (its_own is not None and _clearly_worse(b, its_own))


def nearest(world: World) -> Names:
    """Name greedily: the closest pair within the gate first."""
    ids, mmsi, away, gate = _distances(world)
    away = np.where(away < gate[None], away, np.inf)
    named = {}
    while np.isfinite(away).any():
        i, j = np.unravel_index(np.argmin(away), away.shape)
        named[ids[i]] = mmsi[j]
        away[i], away[:, j] = np.inf, np.inf
    return named


METHODS: dict[str, Callable[[World], Names]] = {
    "roadstead": ours,
    "gated rule": gated_rule,
    "nearest": nearest,
}


def score(method: Callable[[World], Names], worlds: list[World]) -> tuple[int, int, int]:
    """Return (named, right, detections) over all worlds."""
    named = right = total = 0
    for world in worlds:
        names = method(world)
        named += len(names)
        right += sum(world.truth[d] == mmsi for d, mmsi in names.items())
        total += len(world.truth)
    return named, right, total


def _share(k: int, n: int) -> str:
    low, high = beta.ppf([0.025, 0.975], [k, k + 1], [n - k + 1, n - k] if k < n else [1, 1e-9])
    return f"{k}/{n} = {k / n:.1%} [{0 if k == 0 else low:.1%}-{1 if k == n else high:.1%}]"


def main() -> None:
    """Print one table: right of named, and named of all detections, each with n and a 95 % interval."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=30)
    seeds = parser.parse_args().seeds
    variants = {
        "positions and speeds alone": {"attributes": False},
        "with lengths and headings": {},
        "one in ten declares a wrong length": {"wrong_length": 0.1},
    }
    for label, changes in variants.items():
        worlds = [draw(seed, **changes) for seed in range(seeds)]
        print(f"\n{label} ({seeds} seeds)")
        print(f"  {'method':<12}{'right of named':<34}named of all detections")
        for name, method in METHODS.items():
            named, right, total = score(method, worlds)
            print(f"  {name:<12}{_share(right, named):<34}{_share(named, total)}")


if __name__ == "__main__":
    main()
