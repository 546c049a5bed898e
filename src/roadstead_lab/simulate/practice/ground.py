"""Made-up harbours, coasts and open sea for training and for measuring the simulator: no real place is meant.

A layout is drawn in metres with the waterfront along x and the sea below it, then turned and cut to a square frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry import LineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from roadstead_lab.simulate.coast.ground import Ground, Quay, Vector, frame

CRS: Final = "EPSG:32651"
_LEFT: Final = 700_000.0
_BOTTOM: Final = 4_300_000.0
_REACH_M: Final = 6_000.0
_SHORTEST_QUAY_M: Final = 60.0


@dataclass
class _Layout:
    """Land and the edges that ships lie along, before they are turned into the frame."""

    land: list[BaseGeometry] = field(default_factory=list)
    water: list[BaseGeometry] = field(default_factory=list)
    edges: list[tuple[Vector, Vector]] = field(default_factory=list)


def practice_ground(rng: np.random.Generator, side_px: int) -> Ground:
    """Draw a harbour (more than half), a natural coast or open sea.

    Args:
        rng: Source of chance.
        side_px: Side of the square frame, 10 m pixels, even.
    """
    layout, chance = _Layout(), rng.random()
    if chance < 0.58:
        _harbour(layout, rng)
    elif chance < 0.78:
        _coast(layout, rng)
    elif chance < 0.86:
        _rocks(layout, rng)
    side = side_px * 10.0
    shift = (
        _LEFT + side / 2 + float(rng.normal(0, side / 6)),
        _BOTTOM + side / 2 + float(rng.normal(0, side / 6)),
    )
    turn = float(rng.uniform(0, 360))
    grid = frame(CRS, (_LEFT, _BOTTOM, _LEFT + side, _BOTTOM + side))
    edge = box(*grid.bounds_xy)
    whole = shapely.make_valid(shapely.union_all(layout.land) - shapely.union_all(layout.water))
    land = _placed(whole, turn, shift) & edge.buffer(50.0, join_style="mitre")
    quays = [_quay(_placed(LineString(e), turn, shift), land) for e in layout.edges]
    usable = tuple(q for q in quays if q is not None and edge.intersects(q.edge))
    return Ground(grid, land & edge, (), usable)


def _placed(shape: BaseGeometry, turn: float, shift: Vector) -> BaseGeometry:
    turned = affinity.rotate(shape, turn, origin=(0, 0))
    moved: BaseGeometry = affinity.translate(turned, *shift)
    return moved


def _quay(line: BaseGeometry, land: BaseGeometry) -> Quay | None:
    """A quay whose water side is the one without land; None where both or neither have any."""
    (ax, ay), (bx, by) = shapely.get_coordinates(line)
    length = math.hypot(bx - ax, by - ay)
    if length < _SHORTEST_QUAY_M:
        return None
    along = ((bx - ax) / length, (by - ay) / length)
    for seaward in ((-along[1], along[0]), (along[1], -along[0])):
        wet = Quay("practice", (ax, ay), along, seaward, length)
        places = [Point(wet.place(share * length, 35.0)) for share in (0.15, 0.5, 0.85)]
        if (
            not any(land.covers(p) for p in places)
            and land.distance(Point(wet.place(length / 2, -6.0))) < 8.0
        ):
            return wet
    return None


def _harbour(layout: _Layout, rng: np.random.Generator) -> None:
    """A waterfront of quays, piers, basins and jetties, with breakwaters, at times a shore on the other side."""
    _waterfront(layout, rng, 0.0, up=True)
    if rng.random() < 0.35:
        _waterfront(layout, rng, -float(rng.uniform(500, 1800)), up=False)
    elif rng.random() < 0.65:
        for _ in range(int(rng.integers(1, 3))):
            _breakwater(layout, rng)


def _waterfront(layout: _Layout, rng: np.random.Generator, level: float, *, up: bool) -> None:
    side = 1.0 if up else -1.0
    x, shore = -_REACH_M, [(-_REACH_M, level)]
    while x < _REACH_M:
        width = float(rng.uniform(250, 900))
        kind = str(
            rng.choice(["quay", "pier", "basin", "natural", "jetty"], p=[0.32, 0.27, 0.13, 0.21, 0.07])
        )
        _segment(layout, rng, kind, x, width, level, side)
        if kind == "natural":
            shore += [
                (x + width * s, level + side * float(rng.normal(0, 45))) for s in np.linspace(0.1, 0.9, 9)
            ]
        x += width
        shore.append((x, level))
    layout.land.append(
        Polygon([*shore, (_REACH_M, level + side * _REACH_M), (-_REACH_M, level + side * _REACH_M)])
    )


def _segment(
    layout: _Layout, rng: np.random.Generator, kind: str, x: float, width: float, level: float, side: float
) -> None:
    if kind == "quay":
        layout.edges.append(((x + 10, level), (x + width - 10, level)))
    elif kind == "pier":
        for one in range(int(rng.integers(1, 3))):
            _pier(layout, rng, x + width * (0.3 + 0.45 * one), level, side)
    elif kind == "basin":
        _basin(layout, rng, x, width, level, side)
    elif kind == "jetty":
        _jetty(layout, rng, x + width / 2, level, side)


def _pier(layout: _Layout, rng: np.random.Generator, x: float, level: float, side: float) -> None:
    wide = float(np.exp(rng.uniform(np.log(25), np.log(260))))
    long, slant = float(rng.uniform(120, 1100)), float(rng.choice([0.0, rng.uniform(-25, 25)]))
    shape = affinity.rotate(box(-wide / 2, -long, wide / 2, 40.0), slant, origin=(0, 0))
    if side < 0:
        shape = affinity.scale(shape, yfact=-1, origin=(0, 0))
    shape = affinity.translate(shape, x, level)
    layout.land.append(shape)
    ring = shapely.get_coordinates(shape.exterior)
    sides = sorted(((tuple(a), tuple(b)) for a, b in pairwise(ring)), key=_length)
    layout.edges.extend(sides[-2:])
    if wide > 110:
        layout.edges.append(min(sides[:2], key=lambda e: side * (e[0][1] + e[1][1])))


def _length(edge: tuple[Vector, Vector]) -> float:
    return math.hypot(edge[1][0] - edge[0][0], edge[1][1] - edge[0][1])


def _basin(
    layout: _Layout, rng: np.random.Generator, x: float, width: float, level: float, side: float
) -> None:
    deep, left = float(rng.uniform(200, 900)), x + width * 0.15
    right = left + float(rng.uniform(140, max(0.7 * width, 160)))
    back = level + side * deep
    low, high = sorted((level - side, back))
    layout.water.append(box(left, low, right, high))
    layout.edges += [
        ((left, level), (left, back)),
        ((right, level), (right, back)),
        ((left, back), (right, back)),
    ]


def _jetty(layout: _Layout, rng: np.random.Generator, x: float, level: float, side: float) -> None:
    """A trestle with a head that ships lie along, as for coal, ore and oil."""
    out, half = float(rng.uniform(120, 700)), float(rng.uniform(50, 190))
    end, head = level - side * out, float(rng.uniform(14, 32))
    low, high = sorted((end, level + side * 20))
    layout.land.append(box(x - 5, low, x + 5, high))
    layout.land.append(box(x - half, end - head / 2, x + half, end + head / 2))
    sea = end - side * head / 2
    layout.edges.append(((x - half, sea), (x + half, sea)))
    if rng.random() < 0.4:
        for step in range(int(rng.integers(2, 6))):
            for way in (-1, 1):
                layout.land.append(Point(x + way * (half + 35 * (step + 1)), sea + side * 6).buffer(4.5))


def _breakwater(layout: _Layout, rng: np.random.Generator) -> None:
    out = -float(rng.uniform(350, 1500))
    start, span = float(rng.uniform(-2500, 1500)), float(rng.uniform(400, 2500))
    line = [(start, out), (start + span, out + float(rng.normal(0, 120)))]
    if rng.random() < 0.5:
        line.insert(0, (start - float(rng.uniform(50, 400)), 0.0))
    layout.land.append(LineString(line).buffer(float(rng.uniform(9, 22)), cap_style="round", quad_segs=2))


def _coast(layout: _Layout, rng: np.random.Generator) -> None:
    """A natural shore: a fractal line with the land above it, islands off it."""
    x = np.linspace(-_REACH_M, _REACH_M, 400)
    y = np.zeros_like(x)
    for octave in range(6):
        knots = rng.normal(0, 550 / 2**octave, 4 * 2**octave + 2)
        y += np.interp(x, np.linspace(-_REACH_M, _REACH_M, len(knots)), knots)
    layout.land.append(
        Polygon([*zip(x, y, strict=True), (_REACH_M, _REACH_M), (-_REACH_M, _REACH_M)]).buffer(0)
    )
    for _ in range(int(rng.integers(0, 3))):
        _island(layout, rng, float(rng.uniform(60, 500)))
    if rng.random() < 0.5:
        _jetty(layout, rng, float(rng.uniform(-800, 800)), float(np.interp(0.0, x, y)), 1.0)


def _rocks(layout: _Layout, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(2, 12))):
        _island(layout, rng, float(np.exp(rng.uniform(np.log(8), np.log(250)))))


def _island(layout: _Layout, rng: np.random.Generator, radius: float) -> None:
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    reach = radius * np.exp(rng.normal(0, 0.18, 24) + 0.3 * np.sin(2 * turns + rng.uniform(0, 6)))
    middle = rng.uniform(-1800, 1800, 2) - (0, 900)
    ring = middle + np.column_stack([reach * np.cos(turns), reach * np.sin(turns)])
    layout.land.append(Polygon(ring).buffer(0))
