"""The fixed structures of a port, from what the store holds of it."""

from __future__ import annotations

import geopandas as gpd

from roadstead.catalog import Store
from roadstead.detection.structures import MEMORY, learn
from roadstead.imagery import SAME_PASS, Overpass


def known_structures(store: Store, port: str, overpass: Overpass) -> gpd.GeoDataFrame:
    """Return the structures (`tables.STRUCTURES`) that the stored overpasses before this one show.

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
    return learn(store.detections(port, start, before, unfiltered=True), looks, before)
