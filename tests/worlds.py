"""A small port with two ships on open water, its images, and AIS of one of the two: for whole-job tests."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from shapely.geometry import mapping

from roadstead.core.geo import Grid, xy_to_lonlat
from roadstead_lab.simulate.hulls.draw import draw_hull
from roadstead_lab.simulate.hulls.sample import paste_hull, sample_hull
from roadstead_lab.simulate.hulls.spec import random_hull
from tests import builders

FRAME = builders.grid(260, 240)
HEARD = (80, 90)
"""(row, col) of the bulk carrier that declares itself."""
SILENT = (160, 180)
"""(row, col) of the bulk carrier that does not."""
LENGTH_M = 190.0
HEADING_DEG = 60.0
MMSI = "477999001"
SENSED = datetime(2020, 11, 3, 2, 29, 51, 500000, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """Paths of a small world."""

    catalog: Path
    aoi: Path
    ais: Path
    items: tuple[Path, ...]


def water_with_ships(
    frame: Grid = FRAME, places: Sequence[tuple[int, int]] = (HEARD, SILENT)
) -> dict[str, np.ndarray]:
    """Return DN of water with a bulk carrier at each (row, col)."""
    rng = np.random.default_rng(7)
    level = np.array([builders.WATER_DN[band] for band in ("red", "green", "blue", "nir")])
    image = np.broadcast_to((level - 1000) / 1e4, (frame.height, frame.width, 4)).astype(np.float32)
    image = image + rng.normal(0, 0.0008, image.shape).astype(np.float32)
    hull = random_hull(rng, "bulk_carrier", length_m=LENGTH_M)
    for row, col in places:
        paste_hull(image, sample_hull(draw_hull(hull, HEADING_DEG, rng)), row, col)
    dn = np.clip(np.rint(image * 1e4) + 1000, 1, 65535).astype(np.uint16)
    return {band: dn[..., index] for index, band in enumerate(("red", "green", "blue", "nir"))}


def lonlat_of(place: tuple[int, int], frame: Grid = FRAME) -> tuple[float, float]:
    """Return longitude and latitude of a pixel's middle."""
    xy = frame.colrow_to_xy(np.array([[place[1] + 0.5, place[0] + 0.5]]))
    lon, lat = xy_to_lonlat(xy, frame.crs)[0]
    return float(lon), float(lat)


def write_aoi(path: Path, frame: Grid = FRAME) -> Path:
    """Write a port file of one anchorage over the whole frame."""
    shape = builders.area(frame, 2, 2, frame.width - 2, frame.height - 2)
    feature = {
        "type": "Feature",
        "properties": {"port": "testport", "zone": "testport/roads", "kind": "anchorage"},
        "geometry": mapping(shape),
    }
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    return path


def write_ais(path: Path) -> Path:
    """Write our plain CSV: the heard ship and 24 neighbours at anchor, each every ten minutes for ten hours."""
    lon, lat = lonlat_of(HEARD)
    fleet = [(MMSI, lon, lat, LENGTH_M)]
    fleet += [
        (f"4779991{n:02d}", lon - 0.05 - 0.01 * (n % 6), lat + 0.04 + 0.01 * (n // 6), 180.0)
        for n in range(24)
    ]
    columns = "mmsi time lon lat sog_kn cog_deg heading_deg nav_status ais_class name ship_type length_m beam_m".split()
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        for step in range(-30, 31):
            time = (SENSED + timedelta(minutes=10 * step)).isoformat()
            for mmsi, x, y, length in fleet:
                rows.writerow(
                    [mmsi, time, f"{x:.6f}", f"{y:.6f}", 0.0, "", HEADING_DEG, "at anchor", "A", f"SIM {mmsi}", 70,
                     length, 30.0]
                )  # fmt: skip
    return path


def make_world(folder: Path) -> World:
    """Write two overpasses, five days apart, of the same two ships."""
    folder.mkdir(parents=True, exist_ok=True)
    scl = np.full((FRAME.height // 2, FRAME.width // 2), 6, np.uint8)
    first = builders.write_item(folder, "S2B_TEST_1", FRAME, water_with_ships(), scl=scl)
    later = {**builders.SENSING, "s2:datatake_id": "GS2A_20201108T022541_019204_N05.00"}
    second = builders.write_item(
        folder, "S2A_TEST_2", FRAME, water_with_ships(), scl=scl, datetime="2020-11-08T02:29:51.500000Z",
        properties=later, platform="sentinel-2a",
    )  # fmt: skip
    items = (first, second)
    return World(
        builders.write_catalog(folder, items),
        write_aoi(folder / "aoi.geojson"),
        write_ais(folder / "ais.csv"),
        items,
    )
