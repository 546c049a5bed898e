"""Detections without pixels: what a detector with published figures would have found under each drawn sky.

Of the hulls under clear sky some are found (recall by length and kind of zone), as some class (confusion), with some
error of place, size and axis; false alarms come on top; boxes that cover one another are merged as the detector merges
them. The figures are the model's own, see `detector`. The result is the product's own table, so that everything after
the detector can be run on a year.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from roadstead.core.detections_file import DetectionsHeader, SceneHeader
from roadstead.core.geo import WGS84, Array, convergence_deg, project, to_lonlat, xy_to_lonlat
from roadstead.core.ports import Port
from roadstead.core.schemas import CLASSES, DETECTIONS, checked, empty
from roadstead.detection import Model
from roadstead.detection.detect import detection_ids
from roadstead.detection.measure import LEAST_BEAM_M, LEAST_LENGTH_M
from roadstead.detection.merge import rank, unique_hulls
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.detections.detector import Detector, detector_of
from roadstead_lab.simulate.detections.skies import View
from roadstead_lab.simulate.traffic.sea import PortWorld
from roadstead_lab.simulate.traffic.tracks import hull_corners, hull_polygons

PLACE_SIGMA_M: Final = 7.0
"""Standard error of a found centre along each axis: a pixel of 10 m across both. The one error of which the model's
files tell nothing."""
ACQUIRED_SIGMA_S: Final = 1.0
"""The time of a simulated pass is known."""
_BY_THE_SHORE: Final = 0.7
"""Share of false alarms at fixed places near the shore (cranes, jetties, rocks); the others are anywhere on the water.
No figure tells it."""
_NEAR_M: Final = 200.0
_HAUNTS: Final = 3.0
"""Fixed places for each false alarm by the shore that a clear pass sees."""
_FALSE_LENGTH_M: Final = (20.0, 150.0)
_FALSE_ASPECT: Final = (2.5, 6.0)


@dataclass(frozen=True)
class _Hulls:
    """True hulls or what false alarms look like, n of them."""

    xy: Array
    """[n, 2] map metres."""
    heading_deg: Array
    """Clockwise from grid north."""
    length_m: Array
    beam_m: Array
    class_: NDArray[np.int64]
    """Index into `schemas.CLASSES`."""
    is_ship: NDArray[np.bool_]

    def take(self, which: NDArray[Any]) -> _Hulls:
        """Return some of them."""
        return _Hulls(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    @staticmethod
    def joined(parts: Sequence[_Hulls]) -> _Hulls:
        """Return all of several."""
        names = _Hulls.__dataclass_fields__
        return _Hulls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def draw_detections(
    world: PortWorld, port: Port, seen: Sequence[View], model: Model, metrics: Mapping[str, Any]
) -> tuple[gpd.GeoDataFrame, DetectionsHeader]:
    """Draw what a model finds at every optical pass over a port.

    Args:
        world: The port's traffic; its seed and the pass decide all chance.
        port: Zones; the detector searches nothing else.
        seen: What each pass saw, see `skies.views`.
        model: Whose figures are drawn from.
        metrics: Its ``metrics.json``, see `detector.metrics_of`.

    Returns:
        `schemas.DETECTIONS`, and the header that `detections_file.write_detections` writes with it.

    Raises:
        ModelError: a figure is missing; names its JSON path.
    """
    eye = _Eye(world, port, detector_of(model, metrics), tuple(seen))
    tables = [eye.table(number, view) for number, view in enumerate(eye.views)]
    full = [table for table in tables if len(table)]
    blank = gpd.GeoDataFrame(empty(DETECTIONS), geometry="geometry", crs=WGS84)
    table = pd.concat(full, ignore_index=True) if full else blank
    header = DetectionsHeader(tuple(eye.scene(view) for view in eye.views), model.model_id, model.threshold)
    return checked(table, DETECTIONS, "detections"), header


@dataclass(frozen=True)
class _Eye:
    """A detector over one port."""

    world: PortWorld
    port: Port
    detector: Detector
    views: tuple[View, ...]

    @property
    def _crs(self) -> str:
        return self.world.ground.grid.crs

    def table(self, number: int, view: View) -> gpd.GeoDataFrame:
        """Return the detections of one pass."""
        rng = generator(self.world.seed, self.world.scenario.port, "detections", number)
        found = _Hulls.joined([self._found(view, rng), self._false_alarms(view, rng)])
        stated = self.detector.stated.draw(found.is_ship, rng)
        return self._rows(view, self._measured(found, rng), stated)

    def _found(self, view: View, rng: np.random.Generator) -> _Hulls:
        """The hulls under clear sky that are found, as what they truly are but for their class."""
        hulls = self._present(view)
        lucky = rng.random(len(hulls.xy)) < self._chances(hulls)
        seen = hulls.take(lucky & shapely.contains_xy(view.clear, hulls.xy))
        as_class = self.detector.classes_found(seen.class_, rng)
        return _Hulls(seen.xy, seen.heading_deg, seen.length_m, seen.beam_m, as_class, seen.is_ship)

    def _chances(self, hulls: _Hulls) -> Array:
        kinds = self.port.kind_of(xy_to_lonlat(hulls.xy, self._crs)) if len(hulls.xy) else []
        return self.detector.chances(hulls.length_m, kinds)

    def _present(self, view: View) -> _Hulls:
        moment = view.acquired.timestamp()
        pairs = [(s.vessel.hull, motion) for s in self.world.present(moment) if (motion := s.at(moment))]
        return _Hulls(
            np.array([motion.xy for _, motion in pairs], float).reshape(-1, 2),
            np.array([motion.heading_deg for _, motion in pairs], float),
            np.array([hull.length_m for hull, _ in pairs], float),
            np.array([hull.beam_m for hull, _ in pairs], float),
            np.array([CLASSES.index(hull.class_) for hull, _ in pairs], np.int64),
            np.ones(len(pairs), bool),
        )

    @cached_property
    def _water(self) -> tuple[Array, Array]:
        """[n, 2] pixel middles of the zones' water, and [n] metres to the shore."""
        ground = self.world.ground
        step = 4
        row, col = (np.indices(ground.land_share[::step, ::step].shape) * step).reshape(2, -1)
        xy = ground.grid.colrow_to_xy(np.column_stack([col, row]).astype(float) + 0.5)
        zones = shapely.union_all([area.polygon for area in ground.areas])
        shapely.prepare(zones)
        wet = (ground.land_share[row, col] == 0.0) & shapely.contains_xy(zones, xy)
        return xy[wet], ground.shore_distance_m[row, col][wet]

    @cached_property
    def _false_a_pass(self) -> float:
        """Mean number of false alarms at a pass without cloud: the published number for each ship found."""
        passes = [self._inside(self._present(view)) for view in self.views]
        found = [float(self._chances(hulls).sum()) for hulls in passes]
        return float(np.mean(found)) * self.detector.false_per_found if found else 0.0

    def _inside(self, hulls: _Hulls) -> _Hulls:
        zones = np.array(self.port.zone_of(xy_to_lonlat(hulls.xy, self._crs)), object)
        return hulls.take(zones != None)  # noqa: E711 - of an array of objects

    @cached_property
    def _haunts(self) -> Array:
        """[m, 2] fixed places by the shore that look like hulls now and then, the same at all passes."""
        xy, shore = self._water
        rng = generator(self.world.seed, self.world.scenario.port, "haunts")
        near = xy[shore < _NEAR_M] if (shore < _NEAR_M).any() else xy
        size = max(round(_HAUNTS * _BY_THE_SHORE * self._false_a_pass), 1)
        return near[rng.choice(len(near), min(size, len(near)), replace=False)]

    def _false_alarms(self, view: View, rng: np.random.Generator) -> _Hulls:
        """False alarms in clear sky; as many in proportion to the water that is seen."""
        places = self._false_places(rng)
        places = places[shapely.contains_xy(view.clear, places)]
        n, weights = len(places), self.detector.found_as.sum(axis=0)
        length = np.exp(rng.uniform(np.log(_FALSE_LENGTH_M[0]), np.log(_FALSE_LENGTH_M[1]), n))
        return _Hulls(
            places,
            rng.uniform(0.0, 360.0, n),
            length,
            length / rng.uniform(*_FALSE_ASPECT, n),
            rng.choice(len(CLASSES), n, p=weights / weights.sum()).astype(np.int64),
            np.zeros(n, bool),
        )

    def _false_places(self, rng: np.random.Generator) -> Array:
        """[n, 2] where one pass would raise false alarms under a clear sky."""
        xy, _ = self._water
        if not len(xy) or not self._false_a_pass:
            return np.empty((0, 2))
        chance = _BY_THE_SHORE * self._false_a_pass / len(self._haunts)
        by_the_shore = self._haunts[rng.random(len(self._haunts)) < chance]
        anywhere = xy[rng.integers(len(xy), size=rng.poisson((1 - _BY_THE_SHORE) * self._false_a_pass))]
        return np.concatenate([by_the_shore, anywhere])

    def _measured(self, found: _Hulls, rng: np.random.Generator) -> _Hulls:
        """Add the errors of place, axis and size."""
        n, eye = len(found.xy), self.detector
        xy = found.xy + rng.normal(0.0, PLACE_SIGMA_M, (n, 2))
        heading = found.heading_deg + rng.laplace(0.0, eye.axis_mae_deg, n)
        length = np.maximum(found.length_m - eye.length.draw(found.length_m, rng), LEAST_LENGTH_M)
        beam = np.clip(found.beam_m - eye.beam.draw(found.beam_m, rng), LEAST_BEAM_M, length)
        return _Hulls(xy, heading, length, beam, found.class_, found.is_ship)

    def _rows(self, view: View, hulls: _Hulls, p_vessel: Array) -> gpd.GeoDataFrame:
        """Keep what lies in zones and clear sky and covers no likelier box, and write it as the product does."""
        lonlat = xy_to_lonlat(hulls.xy, self._crs)
        zones = np.array(self.port.zone_of(lonlat), object)
        boxes = self._boxes(hulls)
        n = len(hulls.xy)
        whole = np.zeros(n, bool)
        order = rank(p_vessel, whole, hulls.xy, 0.0)
        kept = np.zeros(n, bool)
        kept[order] = unique_hulls(boxes[order], whole, np.zeros(n, np.int64), self.detector.merge)
        kept &= shapely.contains_xy(view.clear, hulls.xy) & np.array(
            [zone is not None for zone in zones], bool
        )
        return self._table(view, hulls.take(kept), p_vessel[kept], lonlat[kept], zones[kept], boxes[kept])

    def _boxes(self, hulls: _Hulls) -> NDArray[np.object_]:
        """[n] the network's own boxes, map metres: those that calibrate to the measured sizes."""
        eye = self.detector
        length, beam = eye.length.box_m(hulls.length_m), eye.beam.box_m(hulls.beam_m)
        return hull_polygons(hull_corners(hulls.xy, hulls.heading_deg, length, beam))

    def _table(
        self,
        view: View,
        hulls: _Hulls,
        p_vessel: Array,
        lonlat: Array,
        zones: NDArray[np.object_],
        boxes: NDArray[np.object_],
    ) -> gpd.GeoDataFrame:
        n, fit = len(hulls.xy), self.detector.length.fit
        spread = fit.spread(hulls.length_m)
        classes = self.detector.class_given_found[hulls.class_]
        turn = np.array([convergence_deg(lon, lat, self._crs) for lon, lat in lonlat], float)
        columns = {
            "detection_id": detection_ids([view.scene_id] * n, lonlat, self.detector.model_id),
            "scene_id": view.scene_id,
            "overpass_id": self._overpass_id(view),
            "port": self.port.slug,
            "acquired": pd.to_datetime([view.acquired] * n, utc=True).astype("datetime64[ns, UTC]"),
            "acquired_sigma_s": ACQUIRED_SIGMA_S,
            "zone": zones,
            "lon": lonlat[:, 0],
            "lat": lonlat[:, 1],
            "p_vessel": p_vessel,
            **{f"p_{name}": classes[:, k] for k, name in enumerate(CLASSES)},
            "class": np.array(CLASSES, object)[hulls.class_],
            "length_m": hulls.length_m,
            "length_low_m": np.maximum(hulls.length_m + fit.low * spread, LEAST_LENGTH_M),
            "length_high_m": np.maximum(hulls.length_m + fit.high * spread, LEAST_LENGTH_M),
            "beam_m": hulls.beam_m,
            "axis_deg": (hulls.heading_deg + turn) % 180.0 % 180.0,
            "bow_deg": np.nan,
            "p_bow": np.nan,
            "moving": np.full(n, None, object),
            "p_moving": np.nan,
            "flags": "",
            "dropped_because": np.full(n, None, object),
            "simulated": True,
            "model_id": self.detector.model_id,
        }
        table = gpd.GeoDataFrame(pd.DataFrame(columns), geometry=boxes, crs=self._crs).to_crs(WGS84)
        return table[list(DETECTIONS.columns)]

    def _overpass_id(self, view: View) -> str:
        return f"{self.port.slug}_s2_{view.acquired:%Y%m%dT%H%M%S}"

    @cached_property
    def _zones_xy(self) -> dict[str, BaseGeometry]:
        return {zone.id: project(zone.polygon, WGS84, self._crs) for zone in self.port.zones}

    def scene(self, view: View) -> SceneHeader:
        """Return what was searched at one pass."""
        searched = view.clear & shapely.union_all(list(self._zones_xy.values()))
        visible = {
            name: min(float((zone & view.clear).area / zone.area), 1.0)
            for name, zone in self._zones_xy.items()
        }
        return SceneHeader(
            scene_id=view.scene_id,
            overpass_id=self._overpass_id(view),
            acquired=view.acquired,
            acquired_sigma_s=ACQUIRED_SIGMA_S,
            sensor="s2",
            footprint=_lonlat(view.frame, self._crs),
            valid_area=_polygons(_lonlat(searched, self._crs)),
            cloud="known",
            visible_fraction=visible,
            simulated=True,
        )


def _lonlat(shape: BaseGeometry, crs: str) -> BaseGeometry:
    """An area in longitude/latitude to 0.00001 degrees (1 m), straight edges kept straight on the map."""
    moved = to_lonlat(shapely.segmentize(shape, 2_000.0), crs)
    return shapely.set_precision(moved, 1e-5)


def _polygons(shape: BaseGeometry) -> MultiPolygon:
    parts = shapely.get_parts(shape)
    return MultiPolygon([part for part in parts if part.geom_type == "Polygon"])
