"""From boxes in pixels to hulls on the map: place, length, beam, axis, probabilities and flags."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from roadstead.core.geo import WGS84, Array, Grid, convergence_deg, xy_to_lonlat
from roadstead.core.schemas import CLASSES
from roadstead.detection.decode import Boxes
from roadstead.detection.model import ClassFit, Context, ModelCard, Platt, SizeFit
from roadstead.detection.motion import DECIDED, probabilities

LEAST_LENGTH_M: Final = 10.0
"""One pixel; a fitted length below it says no more than that."""
LEAST_BEAM_M: Final = 3.0
_SCORE_EDGE: Final = 1e-6
FLAGS: Final = ("at_edge", "under_thin_cloud", "land_around")
"""`at_edge`: part of the box was not imaged, so the hull may be longer. `under_thin_cloud`: the centre is clear
and part of the box is cloud by SCL. `land_around`: most of the ground around the box looks like land, so its
probability is lowered."""


def measured(boxes: Boxes, grid: Grid, card: ModelCard) -> gpd.GeoDataFrame:
    """Return what an image alone says of each hull: the columns lon ... flags of `schemas.DETECTIONS`.

    The geometry is the network's own box, which runs about a pixel beyond the hull; ``length_m`` and ``beam_m``
    are calibrated. ``axis_deg`` is clockwise from true north: grid convergence is taken off.
    """
    lonlat = xy_to_lonlat(grid.colrow_to_xy(boxes.shape[:, :2]), grid.crs)
    length, low, high = fitted(boxes.shape[:, 2] * grid.pixel_m, card.length_calibration, LEAST_LENGTH_M)
    beam, _, _ = fitted(boxes.shape[:, 3] * grid.pixel_m, card.beam_calibration, LEAST_BEAM_M)
    p_moving, p_first = probabilities(boxes.signs, length, card.motion)
    first = bearings_deg(boxes.shape[:, 4], lonlat, grid.crs)
    bow, p_bow = bow_side(first, p_first)
    classes = class_probabilities(boxes.scores, card.class_calibration)
    columns = {
        "lon": lonlat[:, 0],
        "lat": lonlat[:, 1],
        "p_vessel": p_vessel(boxes.score, card.vessel_calibration),
        **{f"p_{name}": classes[:, k] for k, name in enumerate(CLASSES)},
        "class": np.array(CLASSES, object)[classes.argmax(axis=1)],
        "length_m": length,
        "length_low_m": low,
        "length_high_m": high,
        "beam_m": np.minimum(beam, length),
        # The remainder of a tiny negative angle rounds to 180 itself.
        "axis_deg": first % 180.0 % 180.0,
        "bow_deg": bow,
        "p_bow": p_bow,
        "moving": moving(p_moving),
        "p_moving": p_moving,
        "flags": flags(boxes, card.context),
    }
    return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=boxes.polygons(grid), crs=grid.crs).to_crs(WGS84)


def fitted(box_m: Array, fit: SizeFit, least_m: float) -> tuple[Array, Array, Array]:
    """Return calibrated sizes and the ends of their 80 % intervals, all in metres and none under ``least_m``."""
    size = fit.slope * box_m + fit.intercept
    spread = fit.spread(size)
    return (
        np.maximum(size, least_m),
        np.maximum(size + fit.low * spread, least_m),
        np.maximum(size + fit.high * spread, least_m),
    )


def p_vessel(score: Array, platt: Platt) -> Array:
    """Return the probability that a box is a vessel, from its raw score in 0..1."""
    logit = special.logit(np.clip(score, _SCORE_EDGE, 1.0 - _SCORE_EDGE))
    return np.asarray(special.expit(platt.a * logit + platt.b))


def class_probabilities(scores: Array, fit: ClassFit) -> Array:
    """Return [n, 3] class probabilities given that it is a vessel, from [n, 3] raw scores in 0..1."""
    # The largest score is above the threshold, so the sum is not 0.
    shares = scores**fit.power
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def bearings_deg(angle: Array, lonlat: Array, crs: str) -> Array:
    """Return bearings of the first ends in [0, 360), clockwise from true north.

    Args:
        angle: [n] of the long side, radians from +column toward +row of a north-up grid.
        lonlat: [n, 2] centres.
        crs: of the grid.
    """
    turn = np.array([convergence_deg(lon, lat, crs) for lon, lat in lonlat], float)
    return np.asarray((np.degrees(np.arctan2(np.cos(angle), -np.sin(angle))) + turn) % 360.0 % 360.0)


def bow_side(first_deg: Array, p_first: Array) -> tuple[Array, Array]:
    """Return the bearing of the bow and the probability of that side; NaN where neither is `DECIDED`.

    Args:
        first_deg: [n] bearings of the first ends.
        p_first: [n] probability that the bow is there; NaN where unknown.
    """
    p_bow = np.maximum(p_first, 1.0 - p_first)
    bow = np.where(p_first >= 0.5, first_deg, (first_deg + 180.0) % 360.0)
    decided = p_bow >= DECIDED
    return np.where(decided, bow, np.nan), np.where(decided, p_bow, np.nan)


def moving(p_moving: Array) -> NDArray[np.object_]:
    """Return whether each hull moves: True or False where `DECIDED`, else None."""
    told: NDArray[np.object_] = np.full(len(p_moving), None, object)
    told[p_moving >= DECIDED] = True
    told[p_moving <= 1.0 - DECIDED] = False
    return told


def flags(boxes: Boxes, context: Context) -> NDArray[np.object_]:
    """Return the comma-separated `FLAGS` that hold for each box."""
    raised = np.column_stack(
        [
            boxes.at_edge,
            boxes.cloud_in_box & ~boxes.cloud,
            (boxes.land_around > context.land_share) & (context.logit > 0.0),
        ]
    )
    texts = [",".join(name for name, up in zip(FLAGS, row, strict=True) if up) for row in raised]
    return np.array(texts, object)
