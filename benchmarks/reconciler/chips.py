"""Real chips with real AIS placed at the overpass: who is matched, and what is said when an AIS track is hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist
from shapely.geometry import Point, box
from shapely.geometry.base import BaseGeometry

from benchmarks.reconciler.common import nearest, share, table
from roadstead.ais import AisData, read_ais
from roadstead.core.detections_file import DetectionsHeader, SceneHeader
from roadstead.core.geo import lonlat_to_xy, to_lonlat, utm_crs
from roadstead.core.schemas import UTC
from roadstead.imagery import open_geotiff
from roadstead.reconcile import StatedReception, reconcile

MIN_LENGTH_M = 60.0
NEAREST_GATE_M = 500.0
SOURCE = "ais_at_overpass.csv"
STATED = StatedReception(
    SOURCE,
    heard_class_a=0.98,
    heard_class_b=0.9,
    stated_by="this benchmark",
    because="the table holds every station in the tile that a national network of coast stations heard, and its "
    "authors placed each by the reports before and after",
)


@dataclass(frozen=True)
class Chips:
    """All chips: their label boxes as detections, one overpass a chip, and the AIS of the tile."""

    detections: gpd.GeoDataFrame
    header: DetectionsHeader
    ais: AisData
    boxes: dict[str, gpd.GeoSeries]
    """overpass_id -> label boxes, metres."""
    wanted: pd.DataFrame
    """Chips centred on a vessel of 60 m or more."""

    @cached_property
    def matches(self) -> gpd.GeoDataFrame:
        """What the reconciler makes of them."""
        return reconcile(self.detections, self.header, self.ais)

    @cached_property
    def length(self) -> pd.Series:
        """Declared length by MMSI."""
        return self.ais.vessels.groupby("mmsi")["length_m"].last()

    @cached_property
    def place(self) -> pd.DataFrame:
        """Declared place by MMSI."""
        return self.ais.positions.groupby("mmsi")[["lon", "lat"]].first()


def read_chips(shared: Path) -> Chips:
    """Read the chips of s2_ais/2022-08-12 in the folder of real data."""
    folder = shared / "s2_ais" / "2022-08-12"
    names = sorted(path.stem for path in folder.glob("*.tif"))
    found = {name: _labelled(folder, name) for name in names}
    chips = pd.read_csv(folder / "chips.csv", dtype={"MMSI": str})
    chips = chips[chips["ImageId"].isin(names) & (chips["Length"] >= MIN_LENGTH_M)]
    frame = pd.DataFrame([row for _, rows, _ in found.values() for row in rows]).astype({"acquired": UTC})
    return Chips(
        gpd.GeoDataFrame(frame, geometry="geometry", crs="EPSG:4326"),
        DetectionsHeader(tuple(header for header, _, _ in found.values()), "labels", 0.0),
        read_ais([folder / SOURCE]),
        {name: boxes for name, (_, _, boxes) in found.items()},
        chips,
    )


def _labelled(folder: Path, name: str) -> tuple[SceneHeader, list[dict[str, object]], gpd.GeoSeries]:
    scene = open_geotiff(str(folder / f"{name}.tif"))
    area = scene.footprint
    header = SceneHeader(name, name, scene.acquired, scene.acquired_sigma_s, "s2", area, area, "unknown", {})
    labels = gpd.read_file(folder / f"{name}_labels.geojson").set_crs(4326, allow_override=True)
    boxes = labels.geometry.explode(index_parts=False).to_crs(utm_crs(*area.centroid.coords[0]))
    boxes = boxes[boxes.area >= 100].reset_index(drop=True)
    return header, [_row(header, f"{name}-{k}", hull, str(boxes.crs)) for k, hull in boxes.items()], boxes


def _row(header: SceneHeader, detection_id: str, hull: BaseGeometry, crs: str) -> dict[str, object]:
    around = hull.minimum_rotated_rectangle
    sides = sorted(
        np.diff(np.array(around.exterior.coords)[:3], axis=0), key=lambda side: float(np.hypot(*side))
    )
    beam, length = (float(np.hypot(*side)) for side in sides)
    centre = to_lonlat(Point(around.centroid), crs)
    third = 1 / 3
    return {
        "detection_id": detection_id,
        "scene_id": header.scene_id,
        "overpass_id": header.overpass_id,
        "port": None,
        "acquired": pd.Timestamp(header.acquired),
        "acquired_sigma_s": 60.0,
        "zone": None,
        "lon": centre.x,
        "lat": centre.y,
        "p_vessel": 0.99,
        "p_barge": third,
        "p_bulk_carrier": third,
        "p_other_vessel": third,
        "class": "other_vessel",
        "length_m": length,
        "length_low_m": max(length - 15, 1.0),
        "length_high_m": length + 15,
        "beam_m": max(beam, 5.0),
        "axis_deg": float(np.degrees(np.arctan2(*sides[1]))) % 180.0,
        "bow_deg": np.nan,
        "p_bow": np.nan,
        "moving": None,
        "p_moving": np.nan,
        "flags": "",
        "dropped_because": None,
        "simulated": False,
        "model_id": "labels",
        "geometry": to_lonlat(box(*around.bounds), crs),
    }


def named_by_us(chips: Chips) -> pd.DataFrame:
    """Return detection_id, overpass_id, mmsi of our matches."""
    matched = chips.matches[chips.matches["status"] == "matched"]
    return matched[["detection_id", "overpass_id", "mmsi"]]


def named_by_distance(chips: Chips, greedy: bool) -> pd.DataFrame:
    """Return the same by distance within a gate: nearest first, or the least sum of distances."""
    rows = []
    for overpass, seen in chips.detections.groupby("overpass_id"):
        crs = str(chips.boxes[overpass].crs)
        a, b = (lonlat_to_xy(part[["lon", "lat"]].to_numpy(float), crs) for part in (seen, chips.place))
        rows += [
            (seen["detection_id"].iloc[i], overpass, chips.place.index[j])
            for i, j in nearest(cdist(a, b), NEAREST_GATE_M, greedy)
        ]
    return pd.DataFrame(rows, columns=["detection_id", "overpass_id", "mmsi"])


def wrong(chips: Chips, named: pd.DataFrame) -> int:
    """Return how many names are wrong: more than one AIS length from the AIS position and from any label box."""
    count = int(named.duplicated(["overpass_id", "mmsi"]).sum() + named["detection_id"].duplicated().sum())
    by_id = chips.detections.set_index("detection_id")
    for row in named.itertuples():
        boxes, hull = chips.boxes[row.overpass_id], by_id.loc[row.detection_id]
        both = np.array([[hull["lon"], hull["lat"]], chips.place.loc[row.mmsi].to_numpy(float)])
        seen, said = lonlat_to_xy(both, str(boxes.crs))
        limit = float(np.nan_to_num(chips.length.get(row.mmsi, np.nan), nan=30.0))
        count += bool(np.hypot(*(seen - said)) > limit and boxes.distance(Point(seen)).min() > limit)
    return count


def knock_out(chips: Chips, leads: Callable[[Chips], set[str]]) -> tuple[str, str]:
    """Hide the AIS of each matched vessel of 45 m or more in turn.

    Args:
        chips: all of them.
        leads: returns the detections that a method calls hulls without AIS partner.

    Returns:
        How often the method says so of the hidden vessel's hull, and of the other matched hulls.
    """
    base = named_by_us(chips)
    seen = chips.detections.set_index("detection_id")["length_m"]
    base = base[base["detection_id"].map(seen) >= 45.0]
    hidden = said = kept = said_kept = 0
    for mmsi in sorted(set(base["mmsi"])):
        tables = {"positions": chips.ais.positions, "vessels": chips.ais.vessels}
        left = {name: table[table["mmsi"] != mmsi] for name, table in tables.items()}
        lead = base["detection_id"].isin(leads(replace(chips, ais=replace(chips.ais, **left))))
        own = base["mmsi"] == mmsi
        hidden, said = hidden + int(own.sum()), said + int((own & lead).sum())
        kept, said_kept = kept + int((~own).sum()), said_kept + int((~own & lead).sum())
    return share(said, hidden), share(said_kept, kept)


def leads_by_us(chips: Chips, stated: tuple[StatedReception, ...]) -> set[str]:
    """Return the detections that we call hulls without AIS partner."""
    matches = reconcile(chips.detections, chips.header, chips.ais, stated=stated)
    return set(matches.loc[matches["status"] == "no_ais_partner", "detection_id"])


def leads_by_distance(chips: Chips, greedy: bool) -> set[str]:
    """Return every detection without a name by distance."""
    return set(chips.detections["detection_id"]) - set(named_by_distance(chips, greedy)["detection_id"])


def section(shared: Path) -> dict[str, str]:
    """Return the texts for the document by marker."""
    chips = read_chips(shared)
    rows = []
    for label, named in (
        ("Roadstead", named_by_us(chips)),
        ("least sum of distances, 500 m", named_by_distance(chips, greedy=False)),
        ("nearest first, 500 m", named_by_distance(chips, greedy=True)),
    ):
        pairs = set(zip(named["overpass_id"], named["mmsi"], strict=True))
        right = sum(
            (i, m) in pairs for i, m in zip(chips.wanted["ImageId"], chips.wanted["MMSI"], strict=True)
        )
        rows.append((label, share(right, len(chips.wanted)), len(named), wrong(chips, named)))
    matched = table(("method", "vessels of 60 m or more matched", "named in all", "wrong"), rows)
    methods: dict[str, Callable[[Chips], set[str]]] = {
        "Roadstead, nothing stated": partial(leads_by_us, stated=()),
        "Roadstead, `complete_snapshot` stated": partial(leads_by_us, stated=(STATED,)),
        "least sum of distances, 500 m": partial(leads_by_distance, greedy=False),
        "nearest first, 500 m": partial(leads_by_distance, greedy=True),
    }
    hidden_rows = [(label, *knock_out(chips, leads)) for label, leads in methods.items()]
    head = ("method", "said of the hidden", "said of the kept")
    return {"chips": matched, "knockout": table(head, hidden_rows)}
