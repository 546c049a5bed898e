"""What each pass over a port could see, without drawing a pixel: cloud of the images' model, and the swath."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from roadstead.core.geo import Array, Grid
from roadstead.imagery.visibility.clouds import SCL_CLOUD
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.optical.atmosphere import HIGH, WATER, classify, draw_sky
from roadstead_lab.simulate.optical.render import imaged
from roadstead_lab.simulate.scenario.model import OverpassPlan
from roadstead_lab.simulate.traffic.sea import PortWorld
from roadstead_lab.simulate.truth.hulls import VISIBILITY, Observation, swath_cover

CELL_PX = 32
"""Pixels of 10 m along a side of a cell of sky; clouds are some kilometres wide."""


@dataclass(frozen=True)
class View:
    """What one optical pass saw of a port."""

    plan: OverpassPlan
    acquired: datetime
    """UTC."""
    grid: Grid
    frame: BaseGeometry
    """What was imaged, map metres."""
    scl: NDArray[np.uint8]
    """[h, w] class of the scene classification that a cell of sky gives water."""

    @property
    def scene_id(self) -> str:
        """Id as a simulated item has it, but for the tile."""
        unit = self.plan.platform[-1].upper()
        return f"SIM_S2{unit}_{self.acquired:%Y%m%dT%H%M%S}_NOPIXELS"

    @cached_property
    def clear(self) -> BaseGeometry:
        """Where the detector searches, map metres: imaged, and no cloud or cirrus."""
        cloudy = np.isin(self.scl, SCL_CLOUD)
        if not cloudy.any():
            return self.frame
        open_sky = shapely.union_all([self._cells(*run) for run in _runs(~cloudy)])
        clear = shapely.make_valid(open_sky & self.frame)
        shapely.prepare(clear)
        return clear

    def _cells(self, row: int, first: int, stop: int) -> Polygon:
        left, _, _, top = self.grid.bounds_xy
        side = CELL_PX * self.grid.pixel_m
        return box(left + first * side, top - (row + 1) * side, left + stop * side, top - row * side)

    def cover(self, xy: Array) -> list[str]:
        """Return what lies over [n, 2] places (map metres), see `roadstead_lab.simulate.truth.hulls.Cover`."""
        col, row = (self.grid.xy_to_colrow(xy) // CELL_PX).astype(int).T
        high, wide = self.scl.shape
        over = self.scl[np.clip(row, 0, high - 1), np.clip(col, 0, wide - 1)]
        inside = shapely.contains_xy(self.frame, xy)
        return [
            VISIBILITY.get(int(k), "clear") if seen else "no_data"
            for k, seen in zip(over, inside, strict=True)
        ]


def _runs(open_sky: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """Yield (row, first, stop) of the runs of open sky in each row of cells."""
    edges = np.diff(np.pad(open_sky, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    for row, steps in enumerate(edges):
        yield from zip(
            [row] * int((steps > 0).sum()), np.flatnonzero(steps > 0), np.flatnonzero(steps < 0), strict=True
        )


def views(world: PortWorld) -> tuple[View, ...]:
    """Return what each optical pass of a port saw, in order of time."""
    grid = world.ground.grid
    return tuple(
        View(plan, plan.acquired(world.start), grid, imaged(grid, plan.no_data_wedge), _sky(world, plan))
        for plan in world.plans
    )


def _sky(world: PortWorld, plan: OverpassPlan) -> NDArray[np.uint8]:
    """[h, w] scene classification of water under one drawn sky, a cell a value."""
    grid = world.ground.grid
    size = -(-grid.height // CELL_PX), -(-grid.width // CELL_PX)
    if plan.weather.cloud in ("none", "overcast"):
        return np.full(size, HIGH if plan.weather.cloud == "overcast" else WATER, np.uint8)
    rng = generator(world.seed, world.scenario.port, "sky", plan.day, plan.clock.isoformat())
    sky = draw_sky(plan.weather, world.scenario.light_on(plan.day), (grid.height, grid.width), rng)
    rows = np.minimum(np.arange(size[0]) * CELL_PX + CELL_PX // 2, grid.height - 1)
    cols = np.minimum(np.arange(size[1]) * CELL_PX + CELL_PX // 2, grid.width - 1)
    opacity, shadow = (
        np.vstack([layer(int(row), int(row) + 1)[:, cols] for row in rows])
        for layer in (sky.opacity, sky.shadow)
    )
    water = np.zeros_like(opacity)
    return classify(np.zeros((4, *size), np.float32), water, opacity, shadow)


def observations(world: PortWorld, seen: Sequence[View]) -> Iterator[Observation]:
    """Yield every pass for the truth of a world without pixels; radar passes see the whole frame.

    Args:
        world: The port.
        seen: Its `views`.
    """
    for view in seen:
        yield Observation(world, view.acquired, "s2", (view.scene_id,), view.cover)
    frame = box(*world.ground.grid.bounds_xy)
    for plan in world.scenario.radar:
        acquired = plan.acquired(world.start)
        name = f"SIM_S1{plan.platform[-1].upper()}_{acquired:%Y%m%dT%H%M%S}_NOPIXELS"
        yield Observation(world, acquired, "s1", (name,), swath_cover(frame))
