"""Oriented boxes: four corners on one side, centre, sides and angle on the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def long_side_first(corners: ArrayLike) -> Floats:
    """Turn corners [N, 4, 2] into [N, 5]: cx, cy, w >= h, and the angle of w in [-pi/4, 3 pi/4).

    The angle is in radians from +column toward +row, as Ultralytics' oriented boxes have it.
    """
    points = np.asarray(corners, float).reshape(-1, 4, 2)
    first, second = points[:, 1] - points[:, 0], points[:, 2] - points[:, 1]
    sides = np.stack([np.hypot(*first.T), np.hypot(*second.T)], 1)
    along = np.where((sides[:, 0] >= sides[:, 1])[:, None], first, second)
    angle = (np.arctan2(along[:, 1], along[:, 0]) + np.pi / 4) % np.pi - np.pi / 4
    return np.column_stack([points.mean(1), sides.max(1), sides.min(1), angle])


def box_corners(boxes: Floats) -> Floats:
    """Turn [N, 5] cx, cy, w, h, angle into corners [N, 4, 2]."""
    angle = boxes[:, 4]
    along = np.stack([np.cos(angle), np.sin(angle)], 1) * boxes[:, 2:3] / 2
    across = np.stack([-np.sin(angle), np.cos(angle)], 1) * boxes[:, 3:4] / 2
    signs = ((1, 1), (1, -1), (-1, -1), (-1, 1))
    return np.stack([boxes[:, :2] + a * along + b * across for a, b in signs], 1)
