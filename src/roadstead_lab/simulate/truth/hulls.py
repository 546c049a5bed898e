"""The truth about a simulated world: every hull at every overpass; `truth` writes the files.

    hulls.geojson    each hull inside the frame at each overpass: its outline (EPSG:4326), what it is and what it says

Times are UTC. Names end in their units: _m metres, _deg degrees from true north, _kn knots. Null is unknown or does not
apply. Every feature is marked ``simulated``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from roadstead.core.atomic_files import write_text
from roadstead.core.geo import Array, convergence_deg, xy_to_lonlat
from roadstead_lab.simulate.ais.behaviours import transmission
from roadstead_lab.simulate.hulls.spec import loaded
from roadstead_lab.simulate.optical.atmosphere import CIRRUS, HIGH, MEDIUM, NO_DATA, SHADOW
from roadstead_lab.simulate.optical.items import LABEL
from roadstead_lab.simulate.optical.render import Frame
from roadstead_lab.simulate.traffic.sailing import HOUR, Sailing
from roadstead_lab.simulate.traffic.sea import PortWorld
from roadstead_lab.simulate.traffic.tracks import Motion, hull_corners

WITHIN_S = 6 * HOUR
"""Reports this near an overpass are counted with its hulls."""
VISIBILITY = {NO_DATA: "no_data", SHADOW: "shadow", MEDIUM: "cloud", HIGH: "cloud", CIRRUS: "thin_cloud"}
"""Words for the classes of the scene classification that hide a hull or darken it."""
Cover = Callable[[Array], Sequence[str]]
"""[n, 2] map metres -> what lies over each place: clear, shadow, thin_cloud, cloud or no_data."""


class Heard(Protocol):
    """What one AIS source heard (`ais.Received`)."""

    def reports_near(self, time_s: float, within_s: float) -> Mapping[str, int]:
        """Return how many position reports of each vessel were heard so near a time."""


class Pixel(Protocol):
    """Where a radar image shows a hull (`radar.HullPixel`)."""

    @property
    def col(self) -> float:
        """Column of its centre."""

    @property
    def row(self) -> float:
        """Row of its centre, moved by `azimuth_shift_m`."""

    @property
    def azimuth_shift_m(self) -> float:
        """How far along the flight its motion has moved it."""


@dataclass(frozen=True)
class Observation:
    """What was there when one overpass of a port was imaged."""

    world: PortWorld
    acquired: datetime
    """UTC."""
    sensor: Literal["s2", "s1"]
    items: tuple[str, ...]
    """Ids of its scenes."""
    cover: Cover
    datatake: str = ""
    pixels: Mapping[str, Pixel] = field(default_factory=dict)
    """Vessel id -> place in the radar image; empty for optical ones."""


def scl_cover(frame: Frame) -> Cover:
    """Return what lies over places as the scene classification of an image has it."""

    def cover(xy: Array) -> list[str]:
        col, row = (frame.grid.xy_to_colrow(xy) // 2).astype(int).T
        return [VISIBILITY.get(int(value), "clear") for value in frame.scl[row, col]]

    return cover


def swath_cover(valid_xy: BaseGeometry) -> Cover:
    """Return ``clear`` inside an area (map metres), ``no_data`` outside: radar sees through cloud."""
    return lambda xy: np.where(shapely.contains_xy(valid_xy, xy), "clear", "no_data").tolist()


def hull_features(seen: Observation, heard: Mapping[str, Heard]) -> list[dict[str, Any]]:
    """Return one GeoJSON feature a hull that is inside the frame at an overpass; a tow is one hull with its tug.

    Args:
        seen: The overpass.
        heard: What each source of the port heard.
    """
    time = seen.acquired.timestamp()
    present = [(sailing, motion) for sailing in seen.world.present(time) if (motion := sailing.at(time))]
    if not present:
        return []
    outlines = _outlines(present)
    crs = seen.world.ground.grid.crs
    corners = xy_to_lonlat(outlines.reshape(-1, 2), crs).reshape(-1, 4, 2).round(7)
    cover = seen.cover(outlines.mean(axis=1))
    reports = [source.reports_near(time, WITHIN_S) for source in heard.values()]
    return [
        _feature(seen, sailing, motion, crs, box, over, reports)
        for (sailing, motion), box, over in zip(present, corners, cover, strict=True)
    ]


def _outlines(present: Sequence[tuple[Sailing, Motion]]) -> NDArray[np.float64]:
    """[n, 4, 2] corners of hulls, map metres."""
    hulls = [sailing.vessel.hull for sailing, _ in present]
    return hull_corners(
        np.array([motion.xy for _, motion in present]),
        np.array([motion.heading_deg for _, motion in present]),
        np.array([hull.length_m for hull in hulls]),
        np.array([hull.beam_m for hull in hulls]),
    )


def _feature(
    seen: Observation,
    sailing: Sailing,
    motion: Motion,
    crs: str,
    box: NDArray[np.float64],
    cover: str,
    reports: Sequence[Mapping[str, int]],
) -> dict[str, Any]:
    lon, lat = (float(v) for v in box.mean(axis=0))
    heading = (motion.heading_deg + convergence_deg(lon, lat, crs)) % 360.0
    ring = [[float(v) for v in corner] for corner in (*box, box[0])]
    vessel_id = sailing.vessel.vessel_id
    return {
        "type": "Feature",
        "properties": {
            "simulated": True,
            "port": seen.world.scenario.port,
            "sensor": seen.sensor,
            "acquired": stamp(seen.acquired.timestamp()),
            "datatake": seen.datatake,
            "items": ",".join(seen.items),
            **_what_it_is(sailing, seen.acquired.timestamp()),
            "lon": round(lon, 7),
            "lat": round(lat, 7),
            "heading_deg": round(heading, 1) % 360.0,
            "axis_deg": round(heading % 180.0, 1) % 180.0,
            "speed_kn": round(motion.speed_kn, 1),
            "status": motion.status,
            "zone": motion.zone or None,
            **_what_it_says(seen.world, sailing, seen.acquired.timestamp()),
            "reports_within_6h": sum(report.get(vessel_id, 0) for report in reports),
            "visibility": cover,
            **_in_image(seen.pixels.get(vessel_id)),
        },
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def _what_it_is(sailing: Sailing, time: float) -> dict[str, Any]:
    vessel, hull = sailing.vessel, sailing.vessel.hull
    return {
        "vessel_id": vessel.vessel_id,
        "true_mmsi": vessel.true.mmsi,
        "class": hull.class_,
        "kind": hull.kind,
        "length_m": round(hull.length_m, 1),
        "beam_m": round(hull.beam_m, 1),
        "hold": loaded(hull, sailing.laden(time)).hold,
        "laden": sailing.laden(time),
        "tug_length_m": None if vessel.tow is None else round(vessel.tow.length_m, 1),
        "alongside": sailing.beside(time),
        "occasion_id": sailing.occasion_id,
    }


def _what_it_says(world: PortWorld, sailing: Sailing, time: float) -> dict[str, Any]:
    unit = transmission(world, sailing)
    declared = unit.declared(time)
    silent = sailing.vessel.behaviour == "silent"
    return {
        "ais_class": sailing.vessel.ais_class,
        "behaviour": sailing.vessel.behaviour,
        "transmitting": unit.sends(time),
        "true_position": unit.is_true_position(time),
        "mmsi": declared.mmsi,
        "name": declared.name,
        "declared_length_m": None if silent else declared.length_m,
    }


def _in_image(pixel: Pixel | None) -> dict[str, float]:
    if pixel is None:
        return {}
    return {
        "col": round(pixel.col, 2),
        "row": round(pixel.row, 2),
        "azimuth_shift_m": round(pixel.azimuth_shift_m, 1),
    }


def write_hulls(path: Path, features: Sequence[Mapping[str, Any]], seed: int) -> None:
    """Write all hulls as one GeoJSON FeatureCollection, a feature a line."""
    head = {
        "type": "FeatureCollection",
        "title": LABEL,
        "roadstead:simulated": True,
        "roadstead:seed": seed,
    }
    lines = ",\n".join(json.dumps(feature, separators=(",", ":")) for feature in features)
    write_text(path, f'{json.dumps(head)[:-1]}, "features": [\n{lines}\n]}}\n')


def stamp(time: float) -> str:
    """Return a time in seconds since 1970 as ISO 8601, UTC, whole seconds."""
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}"
