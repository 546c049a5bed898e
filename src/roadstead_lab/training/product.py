"""The product's own detector run on labelled scenes and on AIS chips, so that what is measured is what is shipped."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from roadstead.core.geo import Grid, lonlat_to_xy
from roadstead.core.schemas import CLASSES
from roadstead.detection import Model, detect_mosaic
from roadstead.imagery import Mosaic, Overpass
from roadstead_lab.training.figures import ScoredScene, score_scene
from roadstead_lab.training.pixels import scene_overpass
from roadstead_lab.training.places import read_labels
from roadstead_lab.training.scoring import Found


def detect_whole(overpass: Overpass, model: Model) -> tuple[gpd.GeoDataFrame, Grid]:
    """Search every valid pixel of an overpass at the model's own threshold, as `roadstead detect` does."""
    with Mosaic(overpass) as mosaic:
        return detect_mosaic(mosaic, model, overpass=overpass), mosaic.grid


def found_in(table: gpd.GeoDataFrame, grid: Grid) -> tuple[Found, ...]:
    """Turn a detections table (EPSG:4326) into detections in the pixel frame of a grid."""
    columns = (table.geometry, table["class"], table["length_m"], table["p_vessel"])
    p_class = table[[f"p_{name}" for name in CLASSES]].to_numpy(float)
    return tuple(
        Found(
            corners=_corners(geometry, grid),
            class_=str(class_),
            length_m=float(length),
            p_vessel=float(p),
            p_class=tuple(shares.tolist()),
        )
        for geometry, class_, length, p, shares in zip(*columns, p_class, strict=True)
    )


def _corners(geometry: shapely.Polygon, grid: Grid) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    lonlat = np.asarray(geometry.exterior.coords)[:4]
    return grid.xy_to_colrow(lonlat_to_xy(lonlat, grid.crs))


def scored_scene(shared: Path, model: Model, scene_id: str) -> ScoredScene:
    """Detect and score one labelled scene."""
    table, grid = detect_whole(scene_overpass(shared, scene_id), model)
    return score_scene(scene_id, read_labels(shared, scene_id), found_in(table, grid))
