"""How long one overpass takes: 500 detections and 5,000 vessels."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from benchmarks import dense_anchorage as dense
from benchmarks.reconciler.common import table
from roadstead.ais import AisData
from roadstead.core.geo import lonlat_to_xy, xy_to_lonlat
from roadstead.core.schemas import UTC
from roadstead.reconcile import reconcile

DETECTIONS, VESSELS, REACH_M = 500, 5_000, 15_000.0
RUNS = 5


def draw(seed: int = 0) -> tuple:
    """Draw ships over 30 km square, three in ten under way, a report every ten minutes for six hours."""
    rng = np.random.default_rng(seed)
    place = dense.CENTRE + rng.uniform(-REACH_M, REACH_M, (VESSELS, 2))
    course = rng.uniform(0, 2 * np.pi, VESSELS)
    speed = np.where(rng.random(VESSELS) < 0.3, rng.uniform(3, 15, VESSELS) * dense.KNOT, 0.0)
    length = np.clip(rng.lognormal(np.log(110), 0.5, VESSELS), 20, 350)
    mmsi = np.array([f"{413_000_000 + i}" for i in range(VESSELS)], object)
    with_ais = rng.permutation(VESSELS)[: DETECTIONS * 9 // 10]
    silent = DETECTIONS - len(with_ais)
    xy = np.vstack(
        [
            place[with_ais] + rng.normal(0, 25, (len(with_ais), 2)),
            dense.CENTRE + rng.uniform(-REACH_M, REACH_M, (silent, 2)),
        ]
    )
    detections = dense._detections(
        rng,
        xy,
        np.r_[course[with_ais], rng.uniform(0, 2 * np.pi, silent)],
        np.r_[length[with_ais], rng.uniform(20, 200, silent)],
        np.ones(DETECTIONS, bool),
    )
    velocity = np.column_stack([np.sin(course), np.cos(course)]) * speed[:, None]
    ais = AisData(
        _positions(rng, place, velocity, speed, course, mmsi),
        dense._vessels(mmsi, length, True),
        *dense._nothing(),
    )
    return detections, dense._header(), ais


def _positions(
    rng: np.random.Generator,
    place: np.ndarray,
    velocity: np.ndarray,
    speed: np.ndarray,
    course: np.ndarray,
    mmsi: np.ndarray,
) -> pd.DataFrame:
    seconds = np.arange(-10_800.0, 10_800.0, 600.0)[None] + rng.uniform(0, 600, (VESSELS, 1))
    xy = place[:, None] + velocity[:, None] * seconds[..., None]
    xy = xy + rng.normal(0, 10, xy.shape)
    lonlat = xy_to_lonlat(xy.reshape(-1, 2), dense.CRS)
    each = seconds.shape[1]
    bearing = np.repeat(np.degrees(course) % 360.0, each)
    return pd.DataFrame(
        {
            "mmsi": np.repeat(mmsi, each),
            "time": pd.Timestamp(dense.MOMENT) + pd.to_timedelta(seconds.ravel(), unit="s"),
            "lon": lonlat[:, 0],
            "lat": lonlat[:, 1],
            "sog_kn": np.repeat(speed / dense.KNOT, each),
            "cog_deg": bearing,
            "heading_deg": bearing,
            "nav_status": None,
            "ais_class": "A",
            "source": "SIM-SPEED",
            "segment": 0,
        }
    ).astype({"time": UTC})


def _nearest(detections: pd.DataFrame, ais: AisData) -> None:
    """Do what the simplest rule does: interpolate linearly, take the closest pair first."""
    expected = {}
    for name, own in ais.positions.groupby("mmsi"):
        seconds = (own["time"] - pd.Timestamp(dense.MOMENT)).dt.total_seconds().to_numpy()
        xy = lonlat_to_xy(own[["lon", "lat"]].to_numpy(), dense.CRS)
        expected[name] = (np.array([np.interp(0.0, seconds, xy[:, k]) for k in (0, 1)]), 0.0)
    dense.nearest(dense.World(detections, dense._header(), ais, {}, expected))


def section() -> dict[str, str]:
    """Return the text for the document by marker."""
    detections, header, ais = draw()
    rows = []
    for label, work in (
        ("Roadstead", lambda: reconcile(detections, header, ais)),
        ("nearest first", lambda: _nearest(detections, ais)),
    ):
        took = []
        for _ in range(RUNS):
            start = time.perf_counter()
            work()
            took.append(time.perf_counter() - start)
        rows.append((label, RUNS, f"{np.median(took):.1f} s", f"{min(took):.1f}-{max(took):.1f} s"))
    return {"speed": table(("method", "runs", "median", "range"), rows)}
