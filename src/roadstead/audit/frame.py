"""What an audit draws from, and how: squares of a zone's searched water, at random within strata.

A square is `CELL_PX` pixels of the port's grid wide, so that one cell is a few minutes' work. Cells with less than
`LEAST_AREA_M2` of searched water are left out of the frame.

The random part of a draw: how many cells of each stratum, in which order, and which go to a second reviewer.

Strata are port, kind of zone, and whether the model found any hull in the cell. Half of the cells go to those with
hulls, where recall is learnt of, and half to those without, where ships that were missed altogether lie. Within both
the numbers follow the sizes of the strata, and each has two where it can, so that its variance can be told.
"""

from __future__ import annotations

import hashlib
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
SECOND_SHARE: Final = 0.2
"""Of the cells that a second reviewer looks at too; one at least."""
_FIRST: Final = 2
Stratum = tuple[str, bool]


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


def allocation(sizes: Mapping[Stratum, int], wanted: int) -> dict[Stratum, int]:
    """Return how many cells of each stratum (kind, found) to draw; all of them where fewer are there than wanted."""
    total = {found: sum(n for (_, f), n in sizes.items() if f is found) for found in (True, False)}
    share = {key: n / total[key[1]] for key, n in sizes.items() if n}
    given = dict.fromkeys(sorted(share), 0)
    for _ in range(min(wanted, sum(sizes.values()))):
        free = [key for key in given if given[key] < sizes[key]]
        # First one, then two of each stratum, the largest first; then whoever is furthest behind its share.
        given[min(free, key=lambda k: (min(given[k], _FIRST), -share[k] / (given[k] + 1), k))] += 1
    return given


def order(cells: Sequence[Candidate], seed: int, port: str, stratum: Stratum) -> list[Candidate]:
    """Return the cells of a stratum in the random order in which they are taken."""
    ranked = sorted(cells, key=lambda cell: cell.place)
    return [ranked[i] for i in _rng(seed, port, *map(str, stratum)).permutation(len(ranked))]


def shuffled(count: int, seed: int, *what: str) -> list[int]:
    """Return 0 .. count - 1 in random order."""
    return [int(i) for i in _rng(seed, *what).permutation(count)]


def seconds(count: int, seed: int, port: str) -> frozenset[int]:
    """Return which of so many cells, by number, go to a second reviewer: `SECOND_SHARE`, at least one."""
    number = max(1, round(SECOND_SHARE * count)) if count else 0
    return frozenset(shuffled(count, seed, port, "second reviewer")[:number])


def _rng(seed: int, *what: str) -> np.random.Generator:
    text = "\n".join((str(seed), *what))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))
