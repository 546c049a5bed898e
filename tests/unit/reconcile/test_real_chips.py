"""Real AIS placed at a real overpass, with label boxes standing in for detections."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import Point

from roadstead.ais import read_ais
from roadstead.core.detections_file import DetectionsHeader, SceneHeader
from roadstead.core.geo import lonlat_to_xy, to_lonlat, utm_crs
from roadstead.imagery import open_geotiff
from roadstead.reconcile import reconcile
from tests.unit.builders import detection, detections

pytestmark = pytest.mark.shared_data

MIN_LENGTH_M = 60.0


def chips(folder: Path) -> pd.DataFrame:
    """Return the chips that are here, centred on a vessel of 60 m or more."""
    table = pd.read_csv(folder / "chips.csv", dtype={"MMSI": str})
    here = table["ImageId"].map(lambda name: (folder / f"{name}.tif").exists())
    return table[here & (table["Length"] >= MIN_LENGTH_M)]


def labelled(folder: Path, name: str) -> tuple[SceneHeader, list[dict], gpd.GeoSeries]:
    """Return one chip's header, its label boxes as detections, and the boxes in metres."""
    scene = open_geotiff(str(folder / f"{name}.tif"))
    header = SceneHeader(
        name,
        name,
        scene.acquired,
        scene.acquired_sigma_s,
        "s2",
        scene.footprint,
        scene.footprint,
        "unknown",
        {},
    )
    labels = gpd.read_file(folder / f"{name}_labels.geojson").set_crs(4326, allow_override=True)
    boxes = labels.geometry.explode(index_parts=False).to_crs(utm_crs(*scene.footprint.centroid.coords[0]))
    boxes = boxes[boxes.area >= 100].reset_index(drop=True)
    return header, [_row(header, f"{name}-{k}", box, boxes.crs) for k, box in boxes.items()], boxes


def _row(header: SceneHeader, detection_id: str, hull: object, crs: object) -> dict:
    around = hull.minimum_rotated_rectangle  # type: ignore[attr-defined]
    corners = np.array(around.exterior.coords)[:3]
    sides = sorted(np.diff(corners, axis=0), key=lambda side: float(np.hypot(*side)))
    beam, length = (float(np.hypot(*side)) for side in sides)
    centre = to_lonlat(Point(around.centroid), str(crs))
    return detection(
        lon=centre.x, lat=centre.y, detection_id=detection_id, scene_id=header.scene_id,
        overpass_id=header.overpass_id, acquired=pd.Timestamp(header.acquired), acquired_sigma_s=60.0,
        port=None, zone=None, length_m=length, length_low_m=length - 15, length_high_m=length + 15,
        beam_m=max(beam, 5.0), axis_deg=float(np.degrees(np.arctan2(*sides[1]))) % 180.0,
        p_barge=1 / 3, p_bulk_carrier=1 / 3, p_other_vessel=1 / 3, simulated=False,
    )  # fmt: skip


def test_every_declared_vessel_of_sixty_metres_is_matched_and_none_wrongly(shared_data: Path) -> None:
    folder = shared_data / "s2_ais" / "2022-08-12"
    wanted = chips(folder)
    found = {name: labelled(folder, name) for name in wanted["ImageId"]}
    header = DetectionsHeader(tuple(h for h, _, _ in found.values()), "labels", 0.0)
    seen = detections([row for _, rows, _ in found.values() for row in rows])
    declared = read_ais([folder / "ais_at_overpass.csv"])
    assert declared.snapshot_times
    matches = reconcile(seen, header, declared)
    matched = matches[matches["status"] == "matched"]
    by_chip = matched.groupby("overpass_id")["mmsi"].agg(set).to_dict()
    assert [
        m for m, name in zip(wanted["MMSI"], wanted["ImageId"], strict=True) if m in by_chip[name]
    ] == list(wanted["MMSI"])
    assert len(wanted) == 17
    assert not matched.duplicated(["overpass_id", "mmsi"]).any()
    assert list(_wrong(matched, declared.positions, declared.vessels, found)) == []


def _wrong(matched: gpd.GeoDataFrame, positions: pd.DataFrame, vessels: pd.DataFrame, found: dict):  # noqa: ANN202
    """Yield matches whose hull lies more than one AIS length from both the AIS position and any label."""
    length = vessels.groupby("mmsi")["length_m"].last()
    place = positions.groupby("mmsi")[["lon", "lat"]].first()
    for row in matched.itertuples():
        boxes = found[row.overpass_id][2]
        hull, said = lonlat_to_xy(
            np.array([[row.geometry.x, row.geometry.y], place.loc[row.mmsi].to_numpy()]), str(boxes.crs)
        )
        far = float(np.hypot(*(hull - said)))
        if far > length[row.mmsi] and boxes.distance(Point(hull)).min() > length[row.mmsi]:
            yield row.detection_id, row.mmsi, far


def test_a_snapshot_never_supports_a_lead(shared_data: Path) -> None:
    folder = shared_data / "s2_ais" / "2022-08-12"
    header, rows, _ = labelled(folder, "ship_636092297_2022-08-12")
    declared = read_ais([folder / "ais_at_overpass.csv"])
    matches = reconcile(detections(rows), DetectionsHeader((header,), "labels", 0.0), declared)
    assert "no_ais_partner" not in set(matches["status"])
    assert "reception_unknown" in set(matches["reasons"])
