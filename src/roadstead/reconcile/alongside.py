"""Hulls side by side away from quays, in one overpass: a table of pairs with what was measured.

Two hulls alongside may hand over cargo, stores or fuel, be a tow, wait in a raft, or be one hull seen as two. What
was there at earlier overpasses is left to whoever calls.
"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pandera.pandas as pa
from scipy.spatial import cKDTree
from shapely.geometry import LineString

from roadstead.core.geo import WGS84, axis_difference_deg, lonlat_to_xy, project, utm_crs
from roadstead.core.ports import Port
from roadstead.core.schemas import DETECTIONS, UTC, checked, empty
from roadstead.detection.recall import BY_QUAYS

MIN_LENGTH_M: Final = 45.0
MAX_GAP_M: Final = 30.0
"""Between the boxes: three pixels, two of which are the boxes' own error."""
MAX_AXIS_DEG: Final = 20.0
MIN_OVERLAP: Final = 0.3
"""Share of the shorter hull's length that lies beside the other; less is in line, not alongside."""
_REACH_M: Final = 300.0
PAIRS: Final = pa.DataFrameSchema(
    {
        "overpass_id": pa.Column(object),
        "acquired": pa.Column(UTC),
        "detection_a": pa.Column(object),
        "detection_b": pa.Column(object),
        "zone": pa.Column(object, nullable=True),
        "length_a_m": pa.Column(float, pa.Check.gt(0.0)),
        "length_b_m": pa.Column(float, pa.Check.gt(0.0)),
        "gap_m": pa.Column(float, pa.Check.ge(0.0)),
        "axis_difference_deg": pa.Column(float, pa.Check.in_range(0.0, 90.0)),
        "overlap": pa.Column(float, pa.Check.in_range(0.0, 1.0)),
        "probability": pa.Column(float, pa.Check.in_range(0.0, 1.0)),
        "reasons": pa.Column(object),
        "simulated": pa.Column(bool),
        "geometry": pa.Column(None),
    }
)
"""One pair a row, the longer hull first; the geometry joins the two centres (EPSG:4326). ``gap_m`` is between the
boxes, ``overlap`` the share of the shorter hull's length beside the other, ``probability`` that both are hulls."""
PAIR_REASONS: Final = {
    "side_by_side": "Two hulls lie side by side away from quays: a handover of cargo, stores or fuel, a "
    "tow, a raft that waits, "
    "or ships that pass.",
    "one_or_two": "The boxes overlap: it may be one hull seen as two.",
    "tug_size": "One is short enough for a tug or a bunker vessel.",
}
"""Reason code -> what it says, with what else could explain it."""
_TUG_M: Final = 60.0


def alongside_pairs(detections: gpd.GeoDataFrame, port: Port | None = None) -> gpd.GeoDataFrame:
    """Return `PAIRS`: hulls side by side, away from the port's berths and locks.

    Args:
        detections: `schemas.DETECTIONS`; rows with ``dropped_because`` and hulls under 45 m are left out.
        port: its berths and locks; without it no place counts as a quay.

    Raises:
        TableError: a row breaks `schemas.DETECTIONS`.
    """
    checked(detections, DETECTIONS, "detections")
    kept = detections[detections["dropped_because"].isna() & (detections["length_m"] >= MIN_LENGTH_M)]
    if port is not None and len(kept):
        kinds = port.kind_of(kept[["lon", "lat"]].to_numpy(float))
        kept = kept[[kind not in BY_QUAYS for kind in kinds]]
    kept = kept.sort_values("detection_id")
    rows = [row for _, seen in kept.groupby("overpass_id", sort=True) for row in _of_overpass(seen)]
    if not rows:
        return gpd.GeoDataFrame(empty(PAIRS), geometry="geometry", crs=WGS84)
    frame = pd.DataFrame(rows)
    frame["zone"] = frame["zone"].astype(object).where(frame["zone"].notna(), None)
    table = gpd.GeoDataFrame(frame.astype({"acquired": UTC}), geometry="geometry", crs=WGS84)
    return checked(table[list(PAIRS.columns)], PAIRS, "pairs")


def _of_overpass(seen: gpd.GeoDataFrame) -> list[dict[str, object]]:
    records = seen.to_dict("records")
    crs = utm_crs(*seen[["lon", "lat"]].mean())
    xy = lonlat_to_xy(seen[["lon", "lat"]].to_numpy(float), crs)
    boxes = [project(record["geometry"], WGS84, crs) for record in records]
    rows = []
    for i, j in sorted(cKDTree(xy).query_pairs(_REACH_M)):
        a, b = sorted((i, j), key=lambda k: (-records[k]["length_m"], records[k]["detection_id"]))
        one, other = records[a], records[b]
        turn = axis_difference_deg(one["axis_deg"], other["axis_deg"])
        gap = float(boxes[a].distance(boxes[b]))
        overlap = _overlap(xy[b] - xy[a], one["axis_deg"], one["length_m"], other["length_m"])
        if turn > MAX_AXIS_DEG or gap > MAX_GAP_M or overlap < MIN_OVERLAP:
            continue
        codes = ["side_by_side"]
        codes += ["one_or_two"] if boxes[a].intersects(boxes[b]) else []
        codes += ["tug_size"] if other["length_m"] < _TUG_M else []
        rows.append(
            {
                "overpass_id": one["overpass_id"],
                "acquired": one["acquired"],
                "detection_a": one["detection_id"],
                "detection_b": other["detection_id"],
                "zone": one["zone"],
                "length_a_m": float(one["length_m"]),
                "length_b_m": float(other["length_m"]),
                "gap_m": gap,
                "axis_difference_deg": float(turn),
                "overlap": overlap,
                "probability": float(one["p_vessel"] * other["p_vessel"]),
                "reasons": ",".join(codes),
                "simulated": bool(one["simulated"] or other["simulated"]),
                "geometry": LineString([(one["lon"], one["lat"]), (other["lon"], other["lat"])]),
            }
        )
    return rows


def _overlap(away: np.ndarray, axis_deg: float, longer_m: float, shorter_m: float) -> float:
    """Return the share of the shorter hull's length that lies beside the longer one, along the longer one's axis."""
    angle = np.radians(axis_deg)
    along = abs(float(away[0] * np.sin(angle) + away[1] * np.cos(angle)))
    beside = min((longer_m + shorter_m) / 2 - along, shorter_m)
    return float(np.clip(beside / shorter_m, 0.0, 1.0))
