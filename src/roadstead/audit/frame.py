"""What an audit draws from: every square of a zone's searched water at every overpass that observed the zone.

A square is `CELL_PX` pixels of the port's grid wide, so that one cell is a few minutes' work. Cells with less than
`LEAST_AREA_M2` of searched water are left out of the frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from roadstead.core.geo import WGS84, Grid, Window, lonlat_to_xy, project, to_lonlat
from roadstead.core.ports import Port, Zone
from roadstead.store import Store
from roadstead.store.audits import Place

CELL_PX: Final = 224
MARGIN_PX: Final = 16
"""The picture reaches this far beyond its square, so that hulls on its edge are seen whole: 256 pixels in all."""
LEAST_AREA_M2: Final = 10_000.0
Square = tuple[int, int]


@dataclass(frozen=True)
class Candidate:
    """One cell that may be drawn."""

    port: str
    zone: str
    kind: str
    overpass_id: str
    acquired: datetime
    scene_id: str
    col: int
    row: int
    found: bool
    """Whether the model found any hull in it."""
    area: BaseGeometry
    """Searched water of the zone in the square, EPSG:4326."""
    simulated: bool

    @property
    def place(self) -> Place:
        """What it is known by."""
        return self.port, self.zone, self.overpass_id, self.col, self.row

    @property
    def stratum(self) -> tuple[str, bool]:
        """Kind of zone, and whether anything was found."""
        return self.kind, self.found


def candidates(store: Store, port: Port) -> list[Candidate]:
    """Return every cell of a port, in an order that does not depend on how it is stored."""
    tried = store.acquisitions(port.slug)
    processed = tried[tried["state"] == "processed"]
    counts = store.counts(port.slug)
    observed = counts.loc[counts["observed_at_all"], ["overpass_id", "zone"]].drop_duplicates()
    scenes, hulls = store.scenes(port.slug), store.detections(port.slug)
    grid, zones = port.grid(), {zone.id: zone for zone in port.zones}
    water = {zone: _squares(port, zone, grid) for zone in zones}
    found: list[Candidate] = []
    for made in processed.to_dict("records"):
        name = made["overpass_id"]
        own = scenes[scenes["overpass_id"] == name].sort_values("scene_id")
        searched = [project(area, WGS84, grid.crs) for area in own["valid_area"]]
        seen = hulls[hulls["overpass_id"] == name]
        for zone in sorted(set(observed.loc[observed["overpass_id"] == name, "zone"]) & set(zones)):
            filled = _filled(seen[seen["zone"] == zone], grid)
            cells = _cells(water[zone], searched, list(own["scene_id"]), grid)
            found += [
                _candidate(port.slug, zones[zone], made, scene, square, square in filled, area)
                for square, scene, area in cells
            ]
    return sorted(found, key=lambda cell: cell.place)


def _candidate(
    port: str,
    zone: Zone,
    made: Mapping[Any, Any],
    scene: str,
    square: Square,
    found: bool,
    area: BaseGeometry,
) -> Candidate:
    acquired, name = pd.Timestamp(made["acquired"]).to_pydatetime(), str(made["overpass_id"])
    return Candidate(
        port, zone.id, zone.kind, name, acquired, scene, *square, found, area, bool(made["simulated"])
    )


def _squares(port: Port, zone: str, grid: Grid) -> list[tuple[Square, BaseGeometry]]:
    """Return the squares that a zone's own water touches, with that water (CRS of the grid)."""
    water = project(port.own_water(zone), WGS84, grid.crs)
    if water.is_empty:
        return []
    left, bottom, right, top = water.bounds
    corners = grid.xy_to_colrow(np.array([[left, top], [right, bottom]])) / CELL_PX
    (first_col, first_row), (last_col, last_row) = np.floor(corners).astype(int)
    places = [(c, r) for c in range(first_col, last_col + 1) for r in range(first_row, last_row + 1)]
    parts = [shapely.intersection(water, shapely.box(*_bounds(grid, square))) for square in places]
    return [(s, part) for s, part in zip(places, parts, strict=True) if part.area >= LEAST_AREA_M2]


def _bounds(grid: Grid, square: Square) -> tuple[float, float, float, float]:
    """Return (xmin, ymin, xmax, ymax) of a square in metres."""
    at = np.array(square, float) * CELL_PX
    (left, top), (right, bottom) = grid.colrow_to_xy(np.array([at, at + CELL_PX]))
    return float(left), float(bottom), float(right), float(top)


def _filled(hulls: gpd.GeoDataFrame, grid: Grid) -> set[Square]:
    """Return the squares that hold the middle of a hull."""
    if hulls.empty:
        return set()
    xy = lonlat_to_xy(hulls[["lon", "lat"]].to_numpy(float), grid.crs)
    return {(int(c), int(r)) for c, r in np.floor(grid.xy_to_colrow(xy) / CELL_PX)}


def _cells(
    water: Sequence[tuple[Square, BaseGeometry]],
    searched: Sequence[BaseGeometry],
    scene_ids: Sequence[str],
    grid: Grid,
) -> Iterator[tuple[Square, str, BaseGeometry]]:
    """Yield square, the scene that shows most of it, and its searched water in EPSG:4326."""
    whole = shapely.union_all(searched)
    for square, part in water:
        area = shapely.intersection(part, whole)
        if area.area < LEAST_AREA_M2:
            continue
        shown = [shapely.intersection(area, one).area for one in searched]
        yield square, scene_ids[int(np.argmax(shown))], to_lonlat(area, grid.crs)


def window_of(cell: Candidate, grid: Grid) -> Window:
    """Return the window of a cell's picture: its square and a margin, cut off at the grid's edge."""
    left, top = (max(k * CELL_PX - MARGIN_PX, 0) for k in (cell.col, cell.row))
    right = min((cell.col + 1) * CELL_PX + MARGIN_PX, grid.width)
    bottom = min((cell.row + 1) * CELL_PX + MARGIN_PX, grid.height)
    return Window(left, top, right - left, bottom - top)
