"""The fixed structures of a port, from what the store holds of it."""

from __future__ import annotations

from datetime import datetime

import geopandas as gpd

from roadstead.catalog import Store
from roadstead.detection.structures import MEMORY, learn


def known_structures(store: Store, port: str, before: datetime) -> gpd.GeoDataFrame:
    """Return the structures (`tables.STRUCTURES`) that the overpasses stored of a port before a moment show.

    They hang on those overpasses alone: processing one again after earlier ones were added can give others.
    """
    start = before - MEMORY
    scenes = store.scenes(port, start, before)
    scenes = scenes[scenes["sensor"] == "s2"].drop_duplicates("overpass_id")
    looks = gpd.GeoDataFrame(
        scenes[["overpass_id", "acquired"]], geometry=list(scenes["valid_area"]), crs="EPSG:4326"
    )
    return learn(store.detections(port, start, before, unfiltered=True), looks, before)
