"""Ways over water: cheapest paths on a 100 m graph, then straight legs that stay clear of land.

Ways run between gates, cells of the graph some 400 m apart, so that ways of many ships are the same and are drawn once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree
from shapely.geometry import LineString

from roadstead.core.geo import PIXEL_M
from roadstead_lab.simulate.coast.ground import Ground, Vector, rasterized_share

CELL_PX = 10
CELL_M = CELL_PX * PIXEL_M
_OFF_FAIRWAY = 1.6
_NEAR_SHORE = 2.0
_NEAR_SHORE_M = 400.0
_DETOUR = 1.03
"""A straight leg may cost this much more than the cells it replaces."""
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))
_GATES_M = 400.0
_REACH_M = 1500.0
_AHEAD = 48
"""Corners whose straight legs are tried at once."""

Mask = NDArray[np.bool_]


class NoWayError(ValueError):
    """No water joins two places of a ground."""


@dataclass(frozen=True)
class WaterGraph:
    """Cells of 100 m that ships may cross, joined to their eight neighbours."""

    ground: Ground

    @cached_property
    def navigable(self) -> Mask:
        """[h, w] cells at least one cell off land; locks are navigable up to their walls."""
        water = self._blocks(self.ground.land_share).max(axis=(1, 3)) == 0.0
        return np.asarray(ndimage.binary_erosion(water, border_value=1) | (water & self._zones("lock")))

    @cached_property
    def _cost(self) -> NDArray[np.float64]:
        shore = ndimage.distance_transform_edt(self.navigable) * CELL_M
        cost = np.where(self._zones("lock", "fairway"), 1.0, _OFF_FAIRWAY)
        return np.asarray(cost + np.where(shore < _NEAR_SHORE_M, _NEAR_SHORE, 0.0))

    def _zones(self, *kinds: str) -> Mask:
        share = np.zeros(self.ground.land_share.shape, np.float32)
        for area in self.ground.areas:
            if area.kind in kinds:
                share = np.maximum(share, rasterized_share(area.polygon, self.ground.grid))
        return np.asarray(self._blocks(share).mean(axis=(1, 3)) > 0.5)

    def _blocks(self, field: NDArray[np.float32]) -> NDArray[np.float32]:
        rows, cols = (size // CELL_PX for size in field.shape)
        return field[: rows * CELL_PX, : cols * CELL_PX].reshape(rows, CELL_PX, cols, CELL_PX)

    @cached_property
    def _graph(self) -> sparse.csr_matrix:
        number = np.arange(self.navigable.size).reshape(self.navigable.shape)
        parts = [self._edges(number, step) for step in _STEPS]
        heads, tails, costs = (np.concatenate([part[i] for part in parts]) for i in range(3))
        return sparse.csr_matrix((costs, (heads, tails)), shape=(number.size, number.size))

    def _edges(self, number: NDArray[np.int64], step: tuple[int, int]) -> tuple[NDArray[Any], ...]:
        (rows, cols), (down, right) = number.shape, step
        left = slice(max(0, -right), cols - max(0, right))
        moved = slice(max(0, right), cols + min(0, right))
        a, b = (slice(0, rows - down), left), (slice(down, rows), moved)
        joined = self.navigable[a] & self.navigable[b]
        cost = (self._cost[a] + self._cost[b]) / 2 * CELL_M * float(np.hypot(*step))
        return number[a][joined], number[b][joined], cost[joined]

    @cached_property
    def _nearest(self) -> tuple[cKDTree, NDArray[np.int64]]:
        """Cells of the largest joined water, so that a way always exists, and their numbers."""
        _, label = csgraph.connected_components(self._graph, directed=False)
        number = np.flatnonzero(self.navigable.ravel())
        largest = np.bincount(label[number]).argmax()
        number = number[label[number] == largest]
        return cKDTree(self._xy(number)), number

    def _xy(self, number: NDArray[np.int64]) -> NDArray[np.float64]:
        row, col = np.divmod(number, self.navigable.shape[1])
        colrow = np.column_stack([col + 0.5, row + 0.5]) * CELL_PX
        return self.ground.grid.colrow_to_xy(colrow)

    @cached_property
    def _trees(self) -> dict[int, NDArray[np.int32]]:
        return {}

    @cached_property
    def _ways(self) -> dict[tuple[int, int], NDArray[np.float64]]:
        return {}

    def _tree(self, source: int) -> NDArray[np.int32]:
        if source not in self._trees:
            _, before = csgraph.dijkstra(
                self._graph, directed=False, indices=source, return_predecessors=True
            )
            self._trees[source] = before
        return self._trees[source]

    def way(self, harbour: Vector, place: Vector) -> NDArray[np.float64]:
        """Return the (n, 2) corners of a way from ``harbour`` to ``place``, map metres.

        Trees of cheapest ways are kept per gate of ``harbour``: ask with the place that returns (a berth, an
        entry) first.

        Raises:
            NoWayError: A place is more than 1.5 km from navigable water.
        """
        ends = self._gate(harbour), self._gate(place)
        if ends not in self._ways:
            self._ways[ends] = self._between(*ends)
        return np.vstack([harbour, self._ways[ends], place])

    def _between(self, source: int, target: int) -> NDArray[np.float64]:
        before, cells = self._tree(source), [target]
        while cells[-1] != source:
            cells.append(int(before[cells[-1]]))
        return self._straightened(self._xy(np.array(cells[::-1])))

    def _gate(self, place: Vector) -> int:
        """Number of the cell that ways to a place run to: one of few, if water lies between; else the nearest."""
        tree, number = self._nearest
        lattice = (np.floor(np.array(place) / _GATES_M) + 0.5) * _GATES_M
        apart, found = tree.query([lattice, place])
        if apart[1] > _REACH_M:
            raise NoWayError(f"no navigable water within 1.5 km of {place}")
        gate, nearest = (int(number[i]) for i in found)
        line = LineString([place, self._xy(np.array([gate]))[0]])
        return gate if apart[0] < _GATES_M and self.ground.is_water(line) else nearest

    def _straightened(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Drop the corners that a straight leg over navigable cells skips at next to no cost."""
        spent = np.concatenate([[0.0], np.cumsum(self._leg_costs(xy[:-1], xy[1:]))])
        kept, here, last = [0], 0, len(xy) - 1
        while here < last:
            here = self._furthest(xy, spent, here)
            kept.append(here)
        return xy[kept]

    def _furthest(self, xy: NDArray[np.float64], spent: NDArray[np.float64], here: int) -> int:
        """Last corner that a straight leg from ``here`` reaches before the first that it does not."""
        furthest = here + 1
        for first in range(here + 2, len(xy), _AHEAD):
            there = np.arange(first, min(first + _AHEAD, len(xy)))
            costs = self._leg_costs(np.broadcast_to(xy[here], (len(there), 2)), xy[there])
            within = int(np.argmax(~np.isfinite(np.append(costs, np.inf))))
            fair = np.flatnonzero(costs[:within] <= _DETOUR * (spent[there[:within]] - spent[here]))
            furthest = int(there[fair[-1]]) if len(fair) else furthest
            if within < len(there):
                break
        return furthest

    def _leg_costs(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        """Costs of [n] straight legs between [n, 2] places, infinite where one leaves navigable cells."""
        length = np.hypot(*(b - a).T)
        share = np.linspace(0, 1, int(length.max(initial=0.0) / (CELL_M / 2)) + 2)
        (col, row), (right, down) = self._cells(a).T, (self._cells(b) - self._cells(a)).T
        cols = (col[:, None] + share * right[:, None]).astype(np.int64)
        rows = (row[:, None] + share * down[:, None]).astype(np.int64)
        cost = self._toll[rows * self.navigable.shape[1] + cols]
        return np.asarray(cost.mean(axis=1) * length)

    def _cells(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.ground.grid.xy_to_colrow(xy) / CELL_PX

    @cached_property
    def _toll(self) -> NDArray[np.float64]:
        """Cost of each cell, infinite off navigable water, flat."""
        return np.where(self.navigable, self._cost, np.inf).ravel()

    def entries(self, sides: str) -> list[Vector]:
        """Return where ships come in: the widest joined water on each side of the frame ("NESW")."""
        _, number = self._nearest
        rows, cols = self.navigable.shape
        joined = np.zeros(rows * cols, bool)
        joined[number] = True
        margin = 2
        lines = {
            "N": (np.full(cols, margin), np.arange(cols)),
            "S": (np.full(cols, rows - 1 - margin), np.arange(cols)),
            "W": (np.arange(rows), np.full(rows, margin)),
            "E": (np.arange(rows), np.full(rows, cols - 1 - margin)),
        }
        cells = [_widest(joined.reshape(rows, cols), *lines[side]) for side in sides]
        return [_vector(self._xy(np.array([cell]))[0]) for cell in cells if cell is not None]


def _vector(xy: NDArray[np.float64]) -> Vector:
    return float(xy[0]), float(xy[1])


def _widest(joined: Mask, row: NDArray[np.int64], col: NDArray[np.int64]) -> int | None:
    """Number of the middle cell of the longest run of joined water along a line of cells."""
    label, count = ndimage.label(joined[row, col])
    if count == 0:
        return None
    longest = np.bincount(label)[1:].argmax() + 1
    run = np.flatnonzero(label == longest)
    middle = run[len(run) // 2]
    return int(row[middle] * joined.shape[1] + col[middle])
