"""A store of two overpasses whose scenes lie on disk, so that their pixels can be read again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from roadstead.core.geo import xy_to_lonlat
from roadstead.imagery import Overpass, open_item
from roadstead.store import Store
from tests import builders as i
from tests.unit.apps.desk import builders as r
from tests.unit.builders import detection, detections
from tests.unit.store import builders as b

FRAME = i.grid(200, 160)
HULL = (100, 80)
"""Column and row of the middle of a bright hull, 12 px long and 3 broad."""
FIRST, SECOND = b.OVERPASS_ID, "nampo_s2_20201108T022541"


def lonlat(col: float, row: float) -> tuple[float, float]:
    lon, lat = xy_to_lonlat(FRAME.colrow_to_xy(np.array([[col, row]])), FRAME.crs)[0]
    return float(lon), float(lat)


def pixels(hull: bool) -> dict[str, np.ndarray]:
    """Return water with land in the left 40 columns, no data in the right 40, and maybe a hull."""
    dn = i.water(FRAME)
    for band, land in (("red", 2200), ("green", 2300), ("blue", 2200), ("nir", 4500)):
        dn[band][:, :40] = land
    if hull:
        col, row = HULL
        for band in dn:
            dn[band][row - 1 : row + 2, col - 6 : col + 6] = 3000
    for band in dn:
        dn[band][:, 160:] = 0
    return dn


def scl() -> np.ndarray:
    """Return clear ground with a cloud of 400 m in the lower middle; no data where there are no pixels."""
    classes = np.full((FRAME.height // 2, FRAME.width // 2), 6, np.uint8)
    classes[:, :20] = 5
    classes[55:75, 40:60] = 9
    classes[:, 80:] = 0
    return classes


def fill(store: Store, folder: Path, *, kept_chips: bool = False, **changes: Any) -> None:
    """Store the hull's overpass, and one five days later of the same place without it."""
    for index, (name, hull) in enumerate(((FIRST, True), (SECOND, False))):
        dn = pixels(hull)
        item = i.write_item(folder, f"S2_{index}", FRAME, dn, scl=scl(), **changes)
        scene = replace(open_item(str(item)), simulated=True)
        when = scene.acquired + timedelta(days=5 * index)
        overpass = Overpass(name, "nampo", when, 1.0, (replace(scene, acquired=when),))
        lon, lat = lonlat(HULL[0], HULL[1])
        key = {"overpass_id": name, "lon": lon, "lat": lat}
        found = detections([detection(0, **key)]) if hull else detections([detection(9, **key)])
        match = {
            "overpass_id": name,
            "detection_id": "d0" if hull else "d9",
            "status": "no_ais_partner",
            "p_heard_class_a": 0.97,
            "p_heard_class_b": 0.95,
            "probability": 0.8,
            "geometry": b.Point(lon, lat),
        }
        b.put(
            store,
            overpass,
            header=b.headers(overpass, valid_area=FRAME.footprint_lonlat),
            detections=found,
            matches=b.matches([match]),
            chips={"d0": r.chip(0)} if kept_chips and hull else {},
            quicklook=(np.full((20, 40, 3), 90, np.uint8), FRAME.footprint_lonlat.bounds),
        )


def desk(store: Store, **changes: Any) -> Any:
    return r.desk(store, ports={"nampo": i.port(FRAME, "nampo")}, **changes)
