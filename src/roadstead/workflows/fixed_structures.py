"""The fixed structures of a port, from what the store holds of it and what analysts marked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from roadstead.detection.fixed_structures import MEMORY, learn, presence_low, with_marked
from roadstead.imagery import SAME_PASS, Overpass
from roadstead.store import Decisions, Store


def known_structures(store: Store, port: str, overpass: Overpass) -> gpd.GeoDataFrame:
    """Return the structures (`schemas.STRUCTURES`) that the stored overpasses before this one show.

    Simulated overpasses teach simulated ones alone, real ones real ones. What lies within `SAME_PASS` may be this very
    overpass under another id, so it teaches nothing. The structures hang on those earlier overpasses: processing one
    again after older ones were added can give others.
    """
    before = overpass.acquired - SAME_PASS
    start = before - MEMORY
    simulated = any(scene.simulated for scene in overpass.scenes)
    scenes = store.scenes(port, start, before)
    scenes = scenes[(scenes["sensor"] == "s2") & (scenes["simulated"] == simulated)]
    scenes = scenes.drop_duplicates("overpass_id")
    looks = gpd.GeoDataFrame(
        scenes[["overpass_id", "acquired"]], geometry=list(scenes["valid_area"]), crs="EPSG:4326"
    )
    learnt = learn(store.detections(port, start, before, unfiltered=True), looks, before)
    return with_marked(learnt, _marked(store, port, before, simulated))


def _marked(store: Store, port: str, before: datetime, simulated: bool) -> list[dict[str, Any]]:
    """Return the structures (`schemas.STRUCTURES`) that analysts marked on findings of overpasses before a moment.

    They count from the overpass after the one they were marked in until the decision is taken back, so the overpass
    that was looked at stays as it was looked at.
    """
    rows = []
    for row in Decisions(store).fixed_structures(port):
        hull, acquired = row.seen["hull"], row.seen["acquired"]
        if row.simulated != simulated or acquired is None or pd.Timestamp(acquired) >= before:
            continue
        moment = pd.Timestamp(acquired).as_unit("ns")
        same = {name: float(hull[name]) for name in ("lon", "lat", "length_m", "beam_m", "axis_deg")}
        rows.append(
            {
                "port": port,
                **same,
                "looks": 1,
                "seen": 1,
                "presence_low": presence_low(1, 1),
                "first_seen": moment,
                "last_seen": moment,
                "simulated": simulated,
                "marked_by": row.user_name,
                "geometry": shapely.Polygon(hull["box"]),
            }
        )
    return rows
