"""Decisions as labels for training, in the format of the labelled scenes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from roadstead.audit.precision import is_vessel, judged_class
from roadstead.core.errors import BadInputError
from roadstead.core.geo import lonlat_to_xy, xy_to_lonlat
from roadstead.core.oriented_boxes import hull_as_told
from roadstead.core.ports import Port
from roadstead.publish.wording import BECAUSE_WORDS
from roadstead.store import Decision

NOTE_OF_SCENE = "boxes given were checked by an analyst; the rest was not searched for ships without a box"


def label_features(
    standing: Iterable[Decision], ports: Mapping[str, Port]
) -> dict[str, list[dict[str, Any]]]:
    """Return scene id -> GeoJSON features (WGS84, `polygon_px` on the port's 10 m grid).

    A vessel is ``use: yes``, with a class where one was judged; a box without a vessel is ``use: no``; the whole
    frame of each scene is ``use: unsearched``. Decisions that do not say whether a vessel is there give no label.

    Raises:
        BadInputError: the zones of a port are not known, so its pixel grid is not either.
    """
    scenes: dict[str, list[dict[str, Any]]] = {}
    for row in standing:
        hull, vessel = row.seen.get("hull"), is_vessel(row)
        if hull is None or vessel is None:
            continue
        port = ports.get(row.port)
        if port is None:
            raise BadInputError(f"the zones of {row.port} are not known: give its file with --aoi")
        scene = str(hull["scene_id"])
        if scene not in scenes:
            scenes[scene] = [_frame(scene, port, row)]
        scenes[scene].append(_label(row, hull, vessel, port))
    return scenes


def _label(row: Decision, hull: Mapping[str, Any], vessel: bool, port: Port) -> dict[str, Any]:
    name = judged_class(row) if vessel else None
    told = hull_as_told(hull, row.box)
    ring = np.array(told["box"], float)
    properties = {
        "scene_id": hull["scene_id"],
        "label_id": f"{hull['scene_id']}/{row.finding}",
        "use": "yes" if vessel else "no",
        "class": name,
        "kind": name or ("other_vessel" if vessel else None),
        "kind_confidence": "med" if name else "low",
        "kind_other_annotator": None,
        **{name: told[name] for name in ("lon", "lat", "length_m", "axis_deg", "box_by")},
        "width_m": told["beam_m"],
        "polygon_px": _pixels(ring[:-1], port),
        "note": "; ".join(filter(None, (BECAUSE_WORDS.get(row.because or ""), row.note))),
        **_from(row),
    }
    return _feature(ring.tolist(), properties)


def _frame(scene: str, port: Port, row: Decision) -> dict[str, Any]:
    grid = port.grid()
    corners = np.array([[0, 0], [grid.width, 0], [grid.width, grid.height], [0, grid.height]], float)
    ring = xy_to_lonlat(grid.colrow_to_xy(corners), grid.crs).round(7).tolist()
    properties = {
        "scene_id": scene,
        "label_id": f"{scene}/unsearched",
        "use": "unsearched",
        "polygon_px": corners.tolist(),
        "note": NOTE_OF_SCENE,
        "port": row.port,
        "grid_crs": grid.crs,
        "grid_transform": list(grid.transform)[:6],
        "simulated": row.simulated,
    }
    return _feature([*ring[::-1], ring[-1]], properties)


def _from(row: Decision) -> dict[str, Any]:
    seen = row.seen
    return {
        "port": row.port,
        "decision": row.kind,
        "decision_sha256": row.sha256,
        "linked_mmsi": row.linked_mmsi,
        "model_id": seen["model_id"],
        "model_sha256": seen["model_sha256"],
        "simulated": row.simulated,
    }


def _pixels(lonlat: Any, port: Port) -> list[list[float]]:  # noqa: ANN401 - an array (n, 2)
    grid = port.grid()
    found: list[list[float]] = grid.xy_to_colrow(lonlat_to_xy(lonlat, grid.crs)).round(2).tolist()
    return found


def _feature(ring: list[list[float]], properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": properties,
    }
