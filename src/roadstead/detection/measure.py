"""From network output to measured hulls: polygons, length, beam, axis, probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from roadstead.detection.model import Platt, Size
from roadstead.geo import Grid, Window, true_axis_deg

Array = NDArray[np.float64]
_EPS = 1e-6
MIN_LENGTH_M, MIN_BEAM_M = 10.0, 3.0
"""Calibration never makes a hull smaller than one pixel by a third of one."""


@dataclass(frozen=True)
class Boxes:
    """Oriented boxes on one grid, in pixels."""

    centre: Array
    """[n, 2] column, row."""
    size: Array
    """[n, 2] long side, short side."""
    angle: Array
    """[n] radians from +column toward +row, along the long side."""
    scores: Array
    """[n, 3] in the order of `tables.CLASSES`."""
    cut: NDArray[np.bool_]
    """[n] the box reaches an edge of its tile inside the grid."""

    def __len__(self) -> int:
        """Return how many boxes there are."""
        return len(self.angle)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Boxes:
        """Return some of the boxes."""
        return Boxes(
            self.centre[index], self.size[index], self.angle[index], self.scores[index], self.cut[index]
        )

    @property
    def score(self) -> Array:
        """[n] best class score."""
        return np.asarray(self.scores.max(axis=1))

    @property
    def corners(self) -> Array:
        """[n, 4, 2] column, row."""
        along = np.column_stack([np.cos(self.angle), np.sin(self.angle)]) * self.size[:, :1] / 2
        across = np.column_stack([-np.sin(self.angle), np.cos(self.angle)]) * self.size[:, 1:] / 2
        signs = ((1, 1), (1, -1), (-1, -1), (-1, 1))
        return np.stack([self.centre + a * along + b * across for a, b in signs], axis=1)


def decode(output: NDArray[np.float32], window: Window, grid: Grid, least_score: float) -> Boxes:
    """Read one tile's output [8, A] (centre, size, scores, angle) as boxes on the grid.

    A box whose centre lies outside the tile's part of the grid is left out.
    """
    scores = output[4:7].T.astype(np.float64)
    centre = output[:2].T.astype(np.float64)
    inside = (centre >= 0).all(axis=1) & (centre < (window.width, window.height)).all(axis=1)
    rows = np.flatnonzero((scores.max(axis=1) >= least_score) & inside)
    width, height = output[2, rows].astype(np.float64), output[3, rows].astype(np.float64)
    turned = height > width
    boxes = Boxes(
        centre[rows],
        np.column_stack([np.maximum(width, height), np.minimum(width, height)]),
        output[7, rows].astype(np.float64) + np.where(turned, np.pi / 2, 0.0),
        scores[rows],
        np.zeros(len(rows), bool),
    )
    cut = _reaches_inner_edge(boxes.corners, window, grid)
    shift = np.array([window.col, window.row])
    return Boxes(boxes.centre + shift, boxes.size, boxes.angle, boxes.scores, cut)


def _reaches_inner_edge(corners: Array, window: Window, grid: Grid) -> NDArray[np.bool_]:
    low, high = corners.min(axis=1), corners.max(axis=1)
    start = np.array([window.col > 0, window.row > 0])
    end = np.array([window.col + window.width < grid.width, window.row + window.height < grid.height])
    return np.asarray(
        ((low <= 1) & start).any(axis=1) | ((high >= (window.width - 1, window.height - 1)) & end).any(axis=1)
    )


def join(parts: list[Boxes]) -> Boxes:
    """Return boxes of several tiles as one."""
    if not parts:
        return Boxes(np.empty((0, 2)), np.empty((0, 2)), np.empty(0), np.empty((0, 3)), np.empty(0, bool))
    return Boxes(
        np.concatenate([p.centre for p in parts]),
        np.concatenate([p.size for p in parts]),
        np.concatenate([p.angle for p in parts]),
        np.concatenate([p.scores for p in parts]),
        np.concatenate([p.cut for p in parts]),
    )


def polygons_xy(boxes: Boxes, grid: Grid) -> NDArray[np.object_]:
    """Return [n] polygons in metres of the grid's CRS."""
    flat = grid.colrow_to_xy(boxes.corners.reshape(-1, 2)).reshape(-1, 4, 2)
    return np.asarray(shapely.polygons(flat), dtype=object)


def p_vessel(scores: Array, platt: Platt) -> Array:
    """Return the probability [n] that a detection of this score is a vessel."""
    score = np.clip(scores, _EPS, 1 - _EPS)
    return np.asarray(1 / (1 + np.exp(-(platt.a * np.log(score / (1 - score)) + platt.b))))


def class_probabilities(scores: Array) -> Array:
    """Return [n, 3] class probabilities of a vessel: the class scores, normalised."""
    positive = np.maximum(scores, _EPS)
    return np.asarray(positive / positive.sum(axis=1, keepdims=True))


def calibrated(box_m: Array, size: Size, least_m: float) -> tuple[Array, Array, Array]:
    """Return a size [n] in metres with its 80 % interval (low, high) from the raw box's side."""
    value = np.maximum(size.slope * box_m + size.intercept, least_m)
    return value, np.maximum(value + size.low, 0.0), value + size.high


def axes_deg(boxes: Boxes, lonlat: Array, crs: str) -> Array:
    """Return the axis [n] in [0, 180) clockwise from true north."""
    return np.array(
        [
            true_axis_deg(np.cos(angle), -np.sin(angle), lon, lat, crs)
            for angle, (lon, lat) in zip(boxes.angle, lonlat, strict=True)
        ]
    )
