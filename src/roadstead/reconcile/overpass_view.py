"""What one overpass could see: where it searched, which zones count, and how surely a vessel was in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from roadstead.core.detections_file import SceneHeader
from roadstead.core.geo import WGS84, Array, project, utm_crs
from roadstead.core.ports import Port
from roadstead.reconcile.density import Prediction, sample_points
from roadstead.reconcile.position import WIDE_SD_M


@dataclass(frozen=True)
class View:
    """One overpass; geometries in metres of ``crs``."""

    overpass_id: str
    moment: datetime
    """Middle of its scenes' times, UTC."""
    sigma_s: float
    crs: str
    centre_lonlat: tuple[float, float]
    searched: BaseGeometry
    """Valid, clear and, where a port is given, inside its zones."""
    interest: BaseGeometry
    """Where a declared vessel gets a row: the port's zones, else the image frames."""
    zones_only: bool
    """The search was limited to zones."""
    cloud_known: bool
    simulated: bool
    """Any of its scenes, or of the AIS it is held against, is."""
    port: Port | None


def view_of(scenes: Sequence[SceneHeader], port: Port | None) -> View:
    """Return the view of one overpass from the headers of its scenes."""
    frame = shapely.union_all([scene.footprint for scene in scenes])
    valid = shapely.union_all([scene.valid_area for scene in scenes])
    if port:
        interest, valid = port.footprint, shapely.intersection(valid, port.footprint)
    else:
        interest = frame
    lon, lat = (interest if interest.area else frame).centroid.coords[0]
    crs = utm_crs(lon, lat)
    start = min(scene.acquired for scene in scenes)
    end = max(scene.acquired for scene in scenes)
    return View(
        overpass_id=scenes[0].overpass_id,
        moment=start + (end - start) / 2,
        sigma_s=max(scene.acquired_sigma_s for scene in scenes),
        crs=crs,
        centre_lonlat=(lon, lat),
        searched=_metric(valid, crs),
        interest=_metric(interest, crs),
        zones_only=port is not None or any(scene.visible_fraction for scene in scenes),
        cloud_known=all(scene.cloud == "known" for scene in scenes),
        simulated=any(scene.simulated for scene in scenes),
        port=port,
    )


def _metric(geometry: BaseGeometry, crs: str) -> BaseGeometry:
    moved = project(shapely.make_valid(geometry), WGS84, crs)
    shapely.prepare(moved)
    return moved


def mass_inside(at: Prediction, areas: Sequence[BaseGeometry], common_sd_m: float) -> list[Array]:
    """Return, for each area, the (n,) probability that each vessel's hull centre was in it."""
    masses = [np.zeros(len(at)) for _ in areas]
    whole = shapely.union_all(list(areas))
    if whole.is_empty or not len(at):
        return masses
    reach = 8 * at.spread_m + 3 * WIDE_SD_M
    near = np.flatnonzero(shapely.distance(shapely.box(*whole.bounds), shapely.points(at.xy)) <= reach)
    points, weights = sample_points(at.take(near), common_sd_m)
    for mass, area in zip(masses, areas, strict=True):
        inside = shapely.contains_xy(area, points[..., 0], points[..., 1])
        mass[near] = np.clip((inside * weights).sum(axis=1), 0.0, 1.0)
    return masses
