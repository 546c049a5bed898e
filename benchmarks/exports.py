"""How long each export format takes for 20,000 detections with their matches, counts, pictures and AIS reports.

Time is of the writing alone, from tables in memory to files on disk, and peak memory is of the whole process.
"""

from __future__ import annotations

import argparse
import resource
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from roadstead.core.geo import xy_to_lonlat
from roadstead.core.ports import Port, load_port
from roadstead.core.schemas import (
    ACQUISITIONS,
    CLASSES,
    COUNTS,
    DETECTIONS,
    LEDGER,
    MATCHES,
    QUANTITIES,
    SCENES,
    VESSELS,
    checked,
    empty,
)
from roadstead.core.schemas import UTC as UTC_TYPE
from roadstead.publish import PortReport
from roadstead.workflows.export import FORMATS, port_files

GOAL_S = 5.0
"""Of every format but KMZ: 20,000 files take what the disk takes to make a file, 0.1-0.7 ms each."""
PAGES = ("report", "brief")
"""For people: they show a week or a month, not every detection."""
OVERPASSES = 100
START = datetime(2024, 1, 1, 2, 30, tzinfo=UTC)


def made_up(port: Port, hulls: int, overpasses: int, seed: int = 0) -> PortReport:
    """Return tables of a port with so many hulls over so many overpasses; a third are matched. Simulated."""
    rng = np.random.default_rng(seed)
    ids = np.array(
        [f"{port.slug}_s2_{START + timedelta(days=5 * i):%Y%m%dT%H%M%S}" for i in range(overpasses)]
    )
    times = pd.to_datetime([START + timedelta(days=5 * i) for i in range(overpasses)], utc=True).astype(
        UTC_TYPE
    )
    of = np.sort(rng.integers(0, overpasses, hulls))
    detections = _detections(port, rng, ids[of], times[of])
    matches = _matches(rng, detections)
    return PortReport(
        port=port,
        name=port.slug.title(),
        acquisitions=_acquisitions(port, ids, times),
        scenes=_scenes(port, ids, times),
        detections=detections,
        matches=matches,
        counts=_counts(port, ids, times),
        vessels=empty(VESSELS),
        ledger=empty(LEDGER),
        chips=_chips(rng, detections["detection_id"]),
        positions=_positions(rng, matches, detections),
    )


def _detections(
    port: Port, rng: np.random.Generator, of: np.ndarray, times: pd.DatetimeIndex
) -> gpd.GeoDataFrame:
    n = len(of)
    left, bottom, right, top = port.grid().bounds_xy
    xy = np.column_stack([rng.uniform(left, right, n), rng.uniform(bottom, top, n)])
    length, axis = rng.uniform(45, 240, n), rng.uniform(0, 180, n)
    angle = np.radians(90 - axis)
    along = np.column_stack([np.cos(angle), np.sin(angle)]) * (length / 2)[:, None]
    across = np.column_stack([-np.sin(angle), np.cos(angle)]) * (length / 12)[:, None]
    corners = np.stack([xy + a * along + b * across for a, b in ((1, 1), (-1, 1), (-1, -1), (1, -1))], axis=1)
    boxes = shapely.polygons(xy_to_lonlat(corners.reshape(-1, 2), port.crs).reshape(n, 4, 2))
    lonlat = xy_to_lonlat(xy, port.crs)
    shares = rng.dirichlet([2, 2, 2], n)
    table = pd.DataFrame(
        {
            "detection_id": [f"{i:020x}" for i in range(n)],
            "scene_id": [f"SIM_{name}" for name in of],
            "overpass_id": of.astype(object),
            "port": port.slug,
            "acquired": times,
            "acquired_sigma_s": 1.0,
            "zone": rng.choice([zone.id for zone in port.zones], n).astype(object),
            "lon": lonlat[:, 0],
            "lat": lonlat[:, 1],
            "p_vessel": rng.uniform(0.4, 1, n),
            **{f"p_{name}": shares[:, i] for i, name in enumerate(CLASSES)},
            "class": np.array(CLASSES, object)[shares.argmax(axis=1)],
            "length_m": length,
            "length_low_m": length * 0.9,
            "length_high_m": length * 1.1,
            "beam_m": length / 6,
            "axis_deg": axis,
            "bow_deg": np.nan,
            "p_bow": np.nan,
            "moving": np.array([None, True, False], object)[rng.integers(0, 3, n)],
            "p_moving": np.nan,
            "flags": "",
            "dropped_because": None,
            "simulated": True,
            "model_id": "made-up",
        }
    )
    return checked(gpd.GeoDataFrame(table, geometry=boxes, crs="EPSG:4326"), DETECTIONS, "detections")


def _matches(rng: np.random.Generator, hulls: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    n = len(hulls)
    status = rng.choice(["matched", "no_ais_partner", "no_coverage"], n).astype(object)
    mmsi = np.array([f"{412000000 + i}" for i in range(n)], object)
    table = pd.DataFrame(
        {
            "overpass_id": hulls["overpass_id"],
            "port": hulls["port"],
            "detection_id": hulls["detection_id"],
            "mmsi": np.where(status == "matched", mmsi, None),
            "zone": hulls["zone"],
            "status": status,
            "candidates": "",
            "probability": rng.uniform(0.5, 1, n),
            "p_kinematic": rng.uniform(0, 1, n),
            "conflicts": "",
            "reasons": np.where(status == "matched", "position_fits", "no_vessel_fits").astype(object),
            "p_heard_class_a": 0.95,
            "p_heard_class_b": 0.9,
            "carriage_expected": "unknown",
            "distance_m": rng.uniform(0, 200, n),
            "dt_s": rng.uniform(-600, 600, n),
            "simulated": True,
        }
    )
    points = shapely.points(hulls["lon"], hulls["lat"])
    return checked(gpd.GeoDataFrame(table, geometry=points, crs="EPSG:4326"), MATCHES, "matches")


def _positions(rng: np.random.Generator, matches: gpd.GeoDataFrame, hulls: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return four reports of each matched vessel."""
    kept = matches["status"] == "matched"
    own, times = matches[kept].loc[matches[kept].index.repeat(4)], hulls["acquired"][kept]
    minutes = pd.to_timedelta(np.tile([-9, -3, 2, 7], int(kept.sum())), unit="min")
    return pd.DataFrame(
        {
            "mmsi": own["mmsi"].to_numpy(),
            "time": (times.loc[times.index.repeat(4)] + minutes).astype(UTC_TYPE).to_numpy(),
            "lon": own.geometry.x.to_numpy() + rng.normal(0, 1e-3, len(own)),
            "lat": own.geometry.y.to_numpy() + rng.normal(0, 1e-3, len(own)),
            "sog_kn": 0.1,
            "cog_deg": np.nan,
            "heading_deg": np.nan,
            "nav_status": None,
            "ais_class": "A",
            "source": "SIM-made-up",
            "simulated": True,
            "overpass_id": own["overpass_id"].to_numpy(),
        }
    )


def _acquisitions(port: Port, ids: np.ndarray, times: pd.DatetimeIndex) -> pd.DataFrame:
    table = pd.DataFrame({name: [None] * len(ids) for name in ACQUISITIONS.columns}, dtype=object)
    known = {
        "port": port.slug, "overpass_id": ids.astype(object), "acquired": times, "acquired_sigma_s": 1.0,
        "state": "processed", "model_id": "made-up", "threshold": 0.4, "roadstead_version": "0", "simulated": True,
        "with_ais": True, "stored": times,
    }  # fmt: skip
    table = table.assign(**known).astype(
        {"threshold": float, "acquired_sigma_s": float, "simulated": object, "with_ais": object}
    )
    return checked(table, ACQUISITIONS, "acquisitions")


def _scenes(port: Port, ids: np.ndarray, times: pd.DatetimeIndex) -> gpd.GeoDataFrame:
    table = pd.DataFrame(
        {
            "scene_id": [f"SIM_{name}" for name in ids],
            "overpass_id": ids.astype(object),
            "port": port.slug,
            "platform": "sentinel-2a",
            "sensor": "s2",
            "acquired": times,
            "acquired_source": "granule_sensing",
            "acquired_sigma_s": 1.0,
            "provider": "made-up",
            "item_href": None,
            "processing_baseline": "05.10",
            "sun_azimuth_deg": 150.0,
            "sun_elevation_deg": 40.0,
            "cloud": "known",
            "simulated": True,
            "item_sha256": None,
        }
    )
    frame = port.grid().footprint_lonlat
    return checked(gpd.GeoDataFrame(table, geometry=[frame] * len(ids), crs="EPSG:4326"), SCENES, "scenes")


def _counts(port: Port, ids: np.ndarray, times: pd.DatetimeIndex) -> pd.DataFrame:
    names = (*CLASSES, "dry_cargo", "all")
    keys = [
        (zone.id, name, when, kind, quantity)
        for name, when in zip(ids, times, strict=True)
        for zone in port.zones
        for kind in names
        for quantity in QUANTITIES
    ]
    table = pd.DataFrame(keys, columns=["zone", "overpass_id", "acquired", "class", "quantity"], dtype=object)
    table = table.assign(
        port=port.slug, length_bin="all", value=2.0, low=1.0, high=4.0, visible_fraction=1.0, observed_at_all=True,
        simulated=True, acquired=pd.to_datetime(table["acquired"], utc=True).astype(UTC_TYPE),
    )  # fmt: skip
    return checked(table[list(COUNTS.columns)], COUNTS, "counts")


def _chips(rng: np.random.Generator, names: pd.Series) -> dict[str, np.ndarray]:
    pool = rng.integers(0, 255, (64, 64, 64, 3), np.uint8)
    return {name: pool[i % len(pool)] for i, name in enumerate(names)}


def main() -> None:
    """Print one row a format; end with 1 where one takes longer than the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="nampo")
    parser.add_argument("--hulls", type=int, default=20_000)
    parser.add_argument("--format", action="append", choices=[f for f in FORMATS if f not in PAGES])
    given, _ = parser.parse_known_args()
    report = made_up(load_port(given.port), given.hulls, OVERPASSES)
    print(
        f"{given.hulls} detections, {len(report.positions)} AIS reports, {OVERPASSES} overpasses; goal {GOAL_S:g} s"
    )
    slow = []
    for kind in given.format or [f for f in FORMATS if f not in PAGES]:
        with TemporaryDirectory() as folder:
            wall = time.perf_counter()
            files = port_files(report, Path(folder), (kind,))
            wall = time.perf_counter() - wall
            size = sum(path.stat().st_size for path in files) / 1e6
        print(f"{kind:12}{wall:8.2f} s{size:10.1f} MB{len(files):8d} files")
        slow += [kind] if wall > GOAL_S and kind != "kmz" else []
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
    if slow:
        raise SystemExit(f"slower than {GOAL_S:g} s: {', '.join(slow)}")


if __name__ == "__main__":
    main()
