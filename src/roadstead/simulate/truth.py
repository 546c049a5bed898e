"""The truth about a simulated world: every hull at every overpass, and every voyage."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from roadstead.geo import convergence_deg, to_lonlat
from roadstead.simulate.ais import Message, Report
from roadstead.simulate.atmosphere import CIRRUS, HIGH, MEDIUM, NO_DATA, SHADOW
from roadstead.simulate.files import write_text
from roadstead.simulate.items import LABEL
from roadstead.simulate.optical import Frame
from roadstead.simulate.sea import PortWorld
from roadstead.simulate.tracks import Leg, Motion, hull_outline
from roadstead.simulate.traffic import HOUR, Sailing

_WINDOW_S = 6 * HOUR
_VISIBILITY = {NO_DATA: "no_data", SHADOW: "shadow", MEDIUM: "cloud", HIGH: "cloud", CIRRUS: "thin_cloud"}


@dataclass(frozen=True)
class Observation:
    """What was there when one overpass of a port was imaged."""

    world: PortWorld
    acquired: datetime
    frame: Frame
    datatake: str
    items: tuple[str, ...]


def hull_features(seen: Observation, messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Return one GeoJSON feature a hull that is inside the frame at an overpass."""
    time = seen.acquired.timestamp()
    heard: dict[str, int] = {}
    for message in messages:
        if isinstance(message, Report) and abs(message.time - time) <= _WINDOW_S:
            heard[message.vessel.vessel_id] = heard.get(message.vessel.vessel_id, 0) + 1
    present = [(sailing, motion) for sailing in seen.world.sailings if (motion := sailing.at(time))]
    names = {sailing.vessel.vessel_id for sailing, _ in present}
    return [_feature(seen, sailing, motion, heard, names) for sailing, motion in present]


def _feature(
    seen: Observation, sailing: Sailing, motion: Motion, heard: dict[str, int], present: set[str]
) -> dict[str, Any]:
    vessel, unit, hull = sailing.vessel, sailing.vessel.transmitter, sailing.vessel.hull
    crs = seen.frame.grid.crs
    outline = to_lonlat(hull_outline(motion.xy, motion.heading_deg, hull.length_m, hull.beam_m), crs)
    lon, lat = (float(v) for v in shapely.get_coordinates(shapely.centroid(outline))[0])
    heading = (motion.heading_deg + convergence_deg(lon, lat, crs)) % 360.0
    beside = sailing.alongside if sailing.alongside in present and motion.status != "under_way" else None
    return {
        "type": "Feature",
        "properties": {
            "simulated": True,
            "port": seen.world.scenario.port,
            "acquired": f"{seen.acquired:%Y-%m-%dT%H:%M:%SZ}",
            "datatake": seen.datatake,
            "items": ",".join(seen.items),
            "vessel_id": vessel.vessel_id,
            "mmsi": vessel.mmsi,
            "name": vessel.name,
            "class": hull.class_,
            "kind": hull.kind,
            "lon": round(lon, 7),
            "lat": round(lat, 7),
            "length_m": round(hull.length_m, 1),
            "beam_m": round(hull.beam_m, 1),
            "heading_deg": round(heading, 1),
            "axis_deg": round(heading % 180.0, 1) % 180.0,
            "speed_kn": round(motion.speed_kn, 1),
            "status": motion.status,
            "zone": motion.zone,
            "alongside": beside,
            "ais_class": unit.ais_class,
            "behaviour": unit.behaviour,
            "transmitting": unit.sends(seen.acquired.timestamp()),
            "declared_length_m": None if unit.behaviour == "silent" else unit.length_m,
            "reports_within_6h": heard.get(vessel.vessel_id, 0),
            "visibility": _visibility(seen.frame, motion),
        },
        "geometry": json.loads(shapely.to_geojson(shapely.set_precision(outline, 1e-7))),
    }


def _visibility(frame: Frame, motion: Motion) -> str:
    """What lies over the hull's centre, as the scene classification has it."""
    col, row = (frame.grid.xy_to_colrow(np.array([motion.xy]))[0] // 2).astype(int)
    return _VISIBILITY.get(int(frame.scl[row, col]), "clear")


def write_hulls(path: Path, features: Sequence[dict[str, Any]], seed: int) -> None:
    """Write all hulls as one GeoJSON FeatureCollection."""
    document = {
        "type": "FeatureCollection",
        "title": LABEL,
        "roadstead:simulated": True,
        "roadstead:seed": seed,
        "features": list(features),
    }
    write_text(path, json.dumps(document, indent=1) + "\n")


def write_voyages(path: Path, worlds: Sequence[PortWorld]) -> None:
    """Write every leg and stay of every ship: when, where, and what kind."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(
        [
            "simulated",
            "port",
            "vessel_id",
            "mmsi",
            "class",
            "part",
            "what",
            "zone",
            "start",
            "end",
            "speed_kn",
        ]
    )
    for world in worlds:
        for sailing in world.sailings:
            rows.writerows(_voyage_rows(world, sailing))
    write_text(path, text.getvalue())


def _voyage_rows(world: PortWorld, sailing: Sailing) -> list[list[str]]:
    vessel = sailing.vessel
    who = ["true", world.scenario.port, vessel.vessel_id, vessel.mmsi, vessel.hull.class_]
    rows = []
    for number, part in enumerate(sailing.track.parts, start=1):
        way = isinstance(part, Leg)
        what, zone, speed = (
            ("leg", "", part.speed_kn) if isinstance(part, Leg) else (part.status, part.zone, 0.0)
        )
        times = [f"{datetime.fromtimestamp(t, UTC):%Y-%m-%dT%H:%M:%SZ}" for t in (part.start, part.end)]
        rows.append([*who, str(number), what, zone, *times, f"{speed:.1f}" if way else ""])
    return rows
