"""What an analyst's box changes of a hull, in words."""

from __future__ import annotations

import numpy as np

from roadstead.core.geo import distance_m
from roadstead.core.oriented_boxes import Measures, measured
from roadstead.store import Decision


def redrawn(row: Decision) -> str:
    """Return what a decision changes of a box, in words; empty where it draws none."""
    hull = row.seen.get("hull")
    if row.box is None or hull is None:
        return ""
    was, now = measured(hull["box"]), measured(row.box)
    away = float(distance_m(np.array([[was.lon, was.lat]]), np.array([[now.lon, now.lat]]))[0])
    moved = f", middle moved {away:.0f} m" if away >= 1 else ""
    return f"{_size(was)} → {_size(now)}{moved}"


def _size(box: Measures) -> str:
    return f"{box.length_m:.0f} × {box.beam_m:.0f} m, axis {box.axis_deg:.0f}°"
