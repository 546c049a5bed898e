"""Real Sentinel-2 chips against real AIS: from pixels to matches, through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import Point

from roadstead.core.geo import project, utm_crs
from tests.integration.conftest import Run

CRS = utm_crs(10.5, 54.7)


def chips(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of chips.csv whose image is there and whose vessel is 60 m or longer."""
    table = pd.read_csv(folder / "chips.csv", dtype={"MMSI": str})
    there = table["ImageId"].map(lambda name: (folder / f"{name}.tif").exists())
    rows = table[there & (table["Length"] >= 60)].to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def distance_m(place: Point, to: Any) -> float:
    return float(project(place, "EPSG:4326", CRS).distance(project(to, "EPSG:4326", CRS)))


@pytest.mark.shared_data
def test_most_vessels_of_60_m_are_matched_to_a_detection_and_none_wrongly(
    roadstead: Run, shared_data: Path, tmp_path: Path
) -> None:
    folder = shared_data / "s2_ais" / "2022-08-12"
    images = sorted(folder.glob("*.tif"))
    done = roadstead("detect", *images, "-o", tmp_path / "d.geojson")
    assert done.returncode == 0, done.stderr
    done = roadstead(
        "reconcile",
        tmp_path / "d.geojson",
        "--ais",
        folder / "ais_at_overpass.csv",
        "-o",
        tmp_path / "m.geojson",
    )
    assert done.returncode == 0, done.stderr
    features = json.loads((tmp_path / "m.geojson").read_text())["features"]
    matched = [f for f in features if f["properties"]["status"] == "matched"]
    by_mmsi = {f["properties"]["mmsi"]: f for f in matched}
    assert len(by_mmsi) == len(matched), "an MMSI is matched twice"
    assert len({f["properties"]["detection_id"] for f in matched}) == len(matched), (
        "a detection is matched twice"
    )
    wanted = chips(folder)
    assert len(wanted) == 17
    right = 0
    for row in wanted:
        found = by_mmsi.get(row["MMSI"])
        if found is None:
            continue
        centre = Point(found["geometry"]["coordinates"])
        label = gpd.read_file(folder / f"{row['ImageId']}_labels.geojson").to_crs("EPSG:4326").union_all()
        away = min(distance_m(centre, Point(row["Longitude"], row["Latitude"])), distance_m(centre, label))
        assert away <= row["Length"], f"{row['MMSI']}: matched {away:.0f} m away"
        right += 1
    print(f"{right} of {len(wanted)} matched, none wrongly")
    assert right / len(wanted) >= 0.6
