"""Ways over water: cheapest paths on a 100 m graph, then straight legs that stay clear of land."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse import csgraph
from scipy.spatial import cKDTree

from roadstead.simulate.ground import PIXEL_M, Ground, Vector, rasterized_share

CELL_PX = 10
CELL_M = CELL_PX * PIXEL_M
_OFF_FAIRWAY = 1.6
_NEAR_SHORE = 2.0
_NEAR_SHORE_M = 400.0
_DETOUR = 1.03
"""A straight leg may cost this much more than the cells it replaces."""
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))

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

    def _tree(self, source: int) -> NDArray[np.int32]:
        if source not in self._trees:
            _, before = csgraph.dijkstra(
                self._graph, directed=False, indices=source, return_predecessors=True
            )
            self._trees[source] = before
        return self._trees[source]

    def way(self, harbour: Vector, place: Vector) -> NDArray[np.float64]:
        """Return the (n, 2) corners of a way from ``harbour`` to ``place``, map metres.

        Trees of cheapest ways are kept per ``harbour``: ask with the place that returns (a berth, an
        entry) first.

        Raises:
            NoWayError: A place is more than 1.5 km from navigable water.
        """
        tree, number = self._nearest
        apart, found = tree.query([harbour, place])
        if max(apart) > 1500.0:
            raise NoWayError(f"no navigable water within 1.5 km of {harbour if apart[0] > 1500 else place}")
        source, target = (int(number[i]) for i in found)
        before, cells = self._tree(source), [target]
        while cells[-1] != source:
            cells.append(int(before[cells[-1]]))
        legs = self._straightened(self._xy(np.array(cells[::-1])))
        return np.vstack([harbour, legs, place])

    def _straightened(self, xy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Drop the corners that a straight leg over navigable cells skips at next to no cost."""
        spent = np.concatenate([[0.0], np.cumsum([self._leg_cost(a, b) for a, b in pairwise(xy)])])
        kept, here, last = [0], 0, len(xy) - 1
        while here < last:
            ahead = here + 1
            for further in range(here + 2, last + 1):
                cost = self._leg_cost(xy[here], xy[further])
                if not np.isfinite(cost):
                    break
                if cost <= _DETOUR * (spent[further] - spent[here]):
                    ahead = further
            kept.append(ahead)
            here = ahead
        return xy[kept]

    def _leg_cost(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        """Cost of a straight leg, infinite where it leaves navigable cells."""
        length = float(np.hypot(*(b - a)))
        xy = a + np.linspace(0, 1, int(length / (CELL_M / 2)) + 2)[:, None] * (b - a)
        col, row = (self.ground.grid.xy_to_colrow(xy) // CELL_PX).astype(int).T
        return float(self._cost[row, col].mean()) * length if self.navigable[row, col].all() else np.inf

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
