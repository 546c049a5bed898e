"""Length intervals, axes and classes held against the truth of simulated practice scenes.

The scenes are of a seed that neither teaches nor calibrates, and it is the product's own detector that measures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from roadstead.core.geo import Grid, axis_difference_deg
from roadstead.detection import Model
from roadstead_lab.simulate.practice.scene import SIDE_PX, PracticeHull, PracticeScene, practice_scene
from roadstead_lab.training.conditions import PlacedShip, practice_ships, recall_by_condition
from roadstead_lab.training.figures import axis_table, class_table, ratio, resampled, wilson
from roadstead_lab.training.motion_check import Told, bow_direction, bow_error_deg, told_rates
from roadstead_lab.training.practice import labelled_hulls
from roadstead_lab.training.product import found_in
from roadstead_lab.training.scoring import axis_deg, score
from roadstead_lab.training.simulated_image import Mask, detect_simulated, practice_image, simulated_label

SEED: Final = 80_001
"""Neither the seed that teaches (`practice.TAUGHT`) nor the one that calibrates (`simulated_check.SEED`)."""
SHIPS: Final = 1_000
_MOST_SCENES: Final = 200
_MARGIN_PX: Final = 2.0
"""Ships cut by the image's edge, or nearer to it than this, have no length to be measured."""
LONG_M: Final = 100.0


@dataclass(frozen=True)
class MeasuredShip:
    """One simulated ship of 45 m or more and what the product says of it; metres."""

    true_length_m: float
    true_class: str
    length_m: float
    low_m: float
    high_m: float
    """Ends of the product's 80 % interval."""
    axis_error_deg: float
    """0 to 90."""
    class_: str
    told: Told
    """Of its bow and motion."""


def simulated_lengths(
    model: Model,
    *,
    ships: int = SHIPS,
    seed: int = SEED,
    side_px: int = SIDE_PX,
    most_scenes: int = _MOST_SCENES,
) -> dict[str, Any]:
    """Measure on simulated scenes until they have held so many ships, found or not (`figures` tells the keys)."""
    measured: list[MeasuredShip | None] = []
    placed: list[PlacedShip] = []
    scenes = 0
    while len(measured) < ships and scenes < most_scenes:
        scene = practice_scene(seed, scenes, side_px)
        image = practice_image(scene)
        table = detect_simulated(image, model)
        hulls = list(labelled_hulls(scene))
        whole = [is_whole(hull, scene, image.cloud) for hull in hulls]
        own = measured_ships(hulls, whole, table, image.grid)
        placed += practice_ships(scene, list(compress(hulls, whole)), [one is not None for one in own])
        measured += own
        scenes += 1
    found = [ship for ship in measured if ship is not None]
    return {
        "n_simulated_scenes": scenes,
        **figures(found, len(measured)),
        "recall_by_condition": recall_by_condition(placed),
    }


def is_whole(hull: PracticeHull, scene: PracticeScene, cloud: Mask | None) -> bool:
    """Tell whether a simulated ship is 45 m or more, wholly inside the image, and clear at its corners and middle."""
    high, wide = scene.valid.shape
    edge = np.array([wide, high]) - _MARGIN_PX
    if not simulated_label(hull).required or not ((hull.corners > _MARGIN_PX) & (hull.corners < edge)).all():
        return False
    col, row = np.vstack([hull.corners, hull.corners.mean(0)]).astype(int).T
    return bool((scene.valid if cloud is None else scene.valid & ~cloud)[row, col].all())


def measured_ships(
    hulls: Sequence[PracticeHull], whole: Sequence[bool], table: gpd.GeoDataFrame, grid: Grid
) -> list[MeasuredShip | None]:
    """Pair one scene's simulated hulls with its detections, strictly; give the whole ones, None for each not found.

    Args:
        hulls: All that could be labelled, so that none of their detections goes to another.
        whole: Whether the measures of each count (`is_whole`).
        table: `schemas.DETECTIONS` of the scene.
        grid: Its pixels.
    """
    found = found_in(table, grid)
    low, high = (table[name].to_numpy(float) for name in ("length_low_m", "length_high_m"))
    outcome = score([simulated_label(hull) for hull in hulls], found, "strict")
    measured = {
        ship: MeasuredShip(
            hulls[ship].spec.length_m,
            hulls[ship].spec.class_,
            found[one].length_m,
            float(low[one]),
            float(high[one]),
            axis_difference_deg(axis_deg(hulls[ship].corners), axis_deg(found[one].corners)),
            found[one].class_,
            _told(hulls[ship], table.iloc[one]),
        )
        for ship, one in outcome.hits
    }
    return [measured.get(number) for number, counts in enumerate(whole) if counts]


def _told(hull: PracticeHull, row: pd.Series[Any]) -> Told:
    east, south = bow_direction(hull)
    true_deg = float(np.degrees(np.arctan2(east, -south)))
    return Told(
        hull.spec.length_m,
        hull.state == "under_way",
        row["moving"],
        bow_error_deg(float(row["bow_deg"]), true_deg),
    )


def figures(ships: Sequence[MeasuredShip], there: int) -> dict[str, Any]:
    """Interval coverage, length error, axis and class figures of simulated ships of 45 m or more that were found.

    Args:
        ships: Those that were found.
        there: How many simulated ships there were to find.

    Shares have Wilson intervals; means and medians draw the ships anew (bootstrap). Class figures leave out ships
    that were not found, as those on real places do.
    """
    held = sum(ship.low_m <= ship.true_length_m <= ship.high_m for ship in ships)
    widths = [ship.high_m - ship.low_m for ship in ships]
    errors = [ship.length_m - ship.true_length_m for ship in ships]
    return {
        "n_simulated_ships": there,
        "found": ratio(len(ships), there),
        "found_95": wilson(len(ships), there),
        "n": len(ships),
        "interval_80_coverage": ratio(held, len(ships)),
        "interval_80_coverage_95": wilson(held, len(ships)),
        "interval_80_median_width_m": round(float(np.median(widths)), 3) if widths else None,
        "interval_80_median_width_m_95": resampled(widths, np.median),
        "length_mae_m": round(float(np.mean(np.abs(errors))), 3) if errors else None,
        "length_mae_m_95": resampled(np.abs(errors)),
        "length_bias_m": round(float(np.mean(errors)), 3) if errors else None,
        "length_bias_m_95": resampled(errors),
        "axis": axis_table([ship.axis_error_deg for ship in ships]),
        "axis_over_100m": axis_table([s.axis_error_deg for s in ships if s.true_length_m > LONG_M]),
        "class": class_table([(ship.true_class, ship.class_) for ship in ships]),
        "told": told_rates([ship.told for ship in ships]),
    }
