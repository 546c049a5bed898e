"""Simulated port-months with the truth of every detection, kept on disk between runs of the benchmarks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import pandas as pd
from scipy.spatial.distance import cdist

from benchmarks.reconciler.common import nearest
from roadstead.ais import AisData, read_ais
from roadstead.core.detections_file import DetectionsHeader, read_detections
from roadstead.core.geo import lonlat_to_xy, utm_crs
from roadstead.core.ports import Port, named_port
from roadstead_lab.simulate.scenario.file import load_scenario
from roadstead_lab.simulate.world import simulate

CACHE = Path("build/reconciler")
SAME_HULL_M = 40.0
"""A detection this near a true hull's middle is that hull: its error has a standard deviation of 10 m."""


@dataclass(frozen=True)
class PortWorld:
    """A simulated time at one port: what the reconciler gets, and what was there."""

    port: Port
    detections: gpd.GeoDataFrame
    header: DetectionsHeader
    ais: AisData
    hulls: pd.DataFrame
    """Every hull at every optical overpass, with ``overpass_id``."""
    hull_of: dict[str, int | None]
    """detection_id -> row of ``hulls``; None for a false alarm."""


def world(scenario: str, seed: int, slug: str = "ningbo-zhoushan") -> PortWorld:
    """Simulate a scenario without pixels, or take it from the cache, and tell which detection is which hull.

    Args:
        scenario: a YAML file beside this one, or the name of a built-in scenario.
        seed: of all chance.
        slug: the port.
    """
    own = Path(__file__).with_name(scenario)
    folder = CACHE / f"{own.stem}-{seed}"
    if not (folder / "README.txt").exists():
        simulate(folder, load_scenario(str(own) if own.exists() else scenario), seed, "detections")
    port = named_port(slug)
    detections, header = read_detections(folder / "detections" / f"{slug}.geojson")
    ais = read_ais(sorted((folder / "ais").glob(f"{slug}-*.csv")))
    hulls = _hulls(folder / "truth" / "hulls.geojson", slug, header)
    return PortWorld(port, detections, header, ais, hulls, _who(detections, hulls))


def _hulls(path: Path, slug: str, header: DetectionsHeader) -> pd.DataFrame:
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    table = pd.DataFrame([feature["properties"] for feature in features])
    table = table[(table["port"] == slug) & (table["sensor"] == "s2")].reset_index(drop=True)
    overpass = {pd.Timestamp(s.acquired).round("s"): s.overpass_id for s in header.scenes}
    return table.assign(overpass_id=pd.to_datetime(table["acquired"], utc=True).dt.round("s").map(overpass))


def _who(detections: gpd.GeoDataFrame, hulls: pd.DataFrame) -> dict[str, int | None]:
    who: dict[str, int | None] = dict.fromkeys(detections["detection_id"])
    for overpass, found in detections.groupby("overpass_id"):
        there = hulls[hulls["overpass_id"] == overpass]
        crs = utm_crs(*found[["lon", "lat"]].mean())
        a, b = (lonlat_to_xy(part[["lon", "lat"]].to_numpy(float), crs) for part in (found, there))
        for i, j in nearest(cdist(a, b), SAME_HULL_M):
            who[found["detection_id"].iloc[i]] = int(there.index[j])
    return who
