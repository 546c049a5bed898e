"""Labels for training in the format of the labelled scenes: what analysts decided, what reviewers boxed in audits."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from roadstead.audit import inside, is_complete
from roadstead.core.detections_file import write_json
from roadstead.core.errors import BadInputError
from roadstead.core.geo import Array, Grid, lonlat_to_xy, xy_to_lonlat
from roadstead.core.oriented_boxes import hull_as_told
from roadstead.core.ports import Port, ports_by_slug
from roadstead.publish.wording import BECAUSE_WORDS
from roadstead.store import AuditAnswer, AuditBox, AuditCell, Audits, Decision, Decisions, Store, newest
from roadstead.store.decisions import is_vessel, judged_class

UNSEARCHED = "boxes given were checked by an analyst; the rest was not searched for ships without a box"
"""Note on the frame of a scene whose labels are decisions."""
SEARCHED = "the audited cells were searched by a person who did not see what the model found"
"""Note on what lies outside the audited cells of a scene."""
Feature = dict[str, Any]
Judged = tuple[AuditCell, AuditAnswer]
"""A cell and the answer that counts."""


def write_labels(store: Store, output: Path, own_ports: Sequence[Port] = ()) -> tuple[list[Path], int]:
    """Write the decisions that stand as labels; return the files and the number of boxes.

    Args:
        store: The store.
        output: A ``.geojson`` file for all, or a folder for one file a scene.
        own_ports: Ports beside those that ship.

    Raises:
        BadInputError: the zones of a port are not known.
        StoreError: a file cannot be written.
    """
    scenes = label_features(Decisions(store).standing(), ports_by_slug(own_ports))
    return _write(output, scenes), _boxes(scenes)


def write_audit_labels(
    store: Store, output: Path, own_ports: Sequence[Port] = ()
) -> tuple[list[Path], int, int]:
    """Write the judged cells as labels; return the files, and how many cells and boxes they hold; see `write_labels`.

    Raises:
        BadInputError: the zones of a port are not known.
        StoreError: a file cannot be written.
    """
    ports, judged = ports_by_slug(own_ports), judged_scenes(store)
    scenes = {scene: audit_features(scene, rows, ports) for scene, rows in judged.items()}
    return _write(output, scenes), sum(len(rows) for rows in judged.values()), _boxes(scenes)


def _write(output: Path, scenes: Mapping[str, list[Feature]]) -> list[Path]:
    """Write the features of each scene, into one file or into one a scene, and return the files."""
    if output.suffix in (".geojson", ".json"):
        parts = {output: [one for features in scenes.values() for one in features]} if scenes else {}
    else:
        parts = {output / f"{_file_name(scene)}.geojson": features for scene, features in scenes.items()}
    for path, features in parts.items():
        write_json(path, {"type": "FeatureCollection", "features": features})
    return list(parts)


def _file_name(scene: str) -> str:
    """Return a scene's id as a file name: ids come from catalogues, and none may name another folder."""
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in scene).lstrip(".") or "scene"


def _boxes(scenes: Mapping[str, Sequence[Feature]]) -> int:
    uses = [one["properties"]["use"] for features in scenes.values() for one in features]
    return len(uses) - uses.count("unsearched")


def label_features(standing: Iterable[Decision], ports: Mapping[str, Port]) -> dict[str, list[Feature]]:
    """Return scene id -> GeoJSON features (WGS84, `polygon_px` on the port's 10 m grid).

    A vessel is ``use: yes``, with a class where one was judged; a box without a vessel is ``use: no``; the whole
    frame of each scene is ``use: unsearched``. Decisions that do not say whether a vessel is there give no label.

    Raises:
        BadInputError: the zones of a port are not known, so its pixel grid is not either.
    """
    scenes: dict[str, list[Feature]] = {}
    for row in standing:
        hull, vessel = row.seen.get("hull"), is_vessel(row)
        if hull is None or vessel is None:
            continue
        grid, scene = _grid(row.port, ports), str(hull["scene_id"])
        if scene not in scenes:
            frame = np.array([[0, 0], [grid.width, 0], [grid.width, grid.height], [0, grid.height]], float)
            scenes[scene] = [_unsearched(scene, "unsearched", frame, grid, UNSEARCHED, row)]
        scenes[scene].append(_decided(row, hull, vessel, grid))
    return scenes


def judged_scenes(store: Store) -> dict[str, list[Judged]]:
    """Return scene id -> its cells that are answered in full and were judged, with the first reviewer's answer."""
    audits = Audits(store)
    told, scenes = audits.answers(), defaultdict[str, list[Judged]](list)
    for cell in audits.cells():
        answers = told.get(cell.cell, ())
        if is_complete(cell, answers) and newest(answers)[1].kind != "unjudged":
            scenes[cell.scene_id].append((cell, newest(answers)[1]))
    return dict(sorted(scenes.items()))


def audit_features(scene: str, rows: Sequence[Judged], ports: Mapping[str, Port]) -> list[Feature]:
    """Return the labels of one scene as GeoJSON features (WGS84, `polygon_px` on the port's 10 m grid).

    A ship is ``use: yes`` with its class; one whose class the reviewer cannot tell is ``use: ignore``, so that it
    teaches neither a class nor empty water. All but the audited cells is ``use: unsearched``.

    Raises:
        BadInputError: the zones of the port are not known.
    """
    first = rows[0][0]
    grid = _grid(first.port, ports)
    parts = unsearched_parts([cell.area for cell, _ in rows], grid)
    unsearched = [
        _unsearched(
            scene, f"unsearched-{number}", np.asarray(part.exterior.coords)[:-1], grid, SEARCHED, first
        )
        for number, part in enumerate(parts)
    ]
    boxes = [
        _boxed(cell, answer, number, box, grid)
        for cell, answer in rows
        for number, box in enumerate(answer.boxes)
        if inside(cell, box.lon, box.lat)
    ]
    return [*unsearched, *boxes]


def unsearched_parts(areas: Sequence[BaseGeometry], grid: Grid) -> list[shapely.Polygon]:
    """Return the grid without some areas (EPSG:4326) as polygons without holes, in its pixels."""
    pixels = [shapely.transform(area, lambda xy: _pixels(xy, grid)) for area in areas]
    rest = shapely.difference(shapely.box(0, 0, grid.width, grid.height), shapely.union_all(pixels))
    return [
        simple
        for part in shapely.get_parts(rest)
        if isinstance(part, shapely.Polygon)
        for simple in without_holes(part)
    ]


def without_holes(polygon: shapely.Polygon) -> list[shapely.Polygon]:
    """Return polygons without holes that make up a polygon: cut through the first hole until none is left."""
    if not polygon.interiors:
        return [polygon] if polygon.area > 0 else []
    left, bottom, right, top = polygon.bounds
    x = float(shapely.Polygon(polygon.interiors[0]).centroid.x)
    halves = [shapely.box(left, bottom, x, top), shapely.box(x, bottom, right, top)]
    return [
        simple
        for half in halves
        for part in shapely.get_parts(shapely.intersection(polygon, half))
        if isinstance(part, shapely.Polygon)
        for simple in without_holes(part)
    ]


def _grid(port: str, ports: Mapping[str, Port]) -> Grid:
    if port not in ports:
        raise BadInputError(f"the zones of {port} are not known: give its file with --aoi")
    return ports[port].grid()


def _unsearched(
    scene: str, name: str, corners: Array, grid: Grid, note: str, of: Decision | AuditCell
) -> Feature:
    """Return ground without labels: corners [n, 2] in pixels of the grid."""
    return _feature(
        _lonlat(corners, grid),
        {
            "scene_id": scene,
            "label_id": f"{scene}/{name}",
            "use": "unsearched",
            "polygon_px": corners.round(2).tolist(),
            "note": note,
            "port": of.port,
            "grid_crs": grid.crs,
            "grid_transform": list(grid.transform)[:6],
            "simulated": of.simulated,
        },
    )


def _decided(row: Decision, hull: Mapping[str, Any], vessel: bool, grid: Grid) -> Feature:
    """Return the label of a hull that an analyst decided on: as drawn by the analyst, else as found."""
    name = judged_class(row) if vessel else None
    told = hull_as_told(hull, row.box)
    ring = np.array(told["box"], float)
    return _feature(
        ring,
        {
            **_of_vessel(
                f"{hull['scene_id']}/{row.finding}", "yes" if vessel else "no", name, _pixels(ring[:-1], grid)
            ),
            "scene_id": hull["scene_id"],
            "kind": name or ("other_vessel" if vessel else None),
            **{name: told[name] for name in ("lon", "lat", "length_m", "axis_deg", "box_by")},
            "width_m": told["beam_m"],
            "note": "; ".join(filter(None, (BECAUSE_WORDS.get(row.because or ""), row.note))),
            "port": row.port,
            "decision": row.kind,
            "decision_sha256": row.sha256,
            "linked_mmsi": row.linked_mmsi,
            "model_id": row.seen["model_id"],
            "model_sha256": row.seen["model_sha256"],
            "simulated": row.simulated,
        },
    )


def _boxed(cell: AuditCell, answer: AuditAnswer, number: int, box: AuditBox, grid: Grid) -> Feature:
    """Return the label of a ship that a reviewer boxed in a cell."""
    corners = grid.xy_to_colrow(cell.grid.colrow_to_xy(np.array(json.loads(box.pixels), float)))
    use, label = "yes" if box.hull_class else "ignore", f"{cell.scene_id}/audit-{cell.cell}-{number}"
    return _feature(
        _lonlat(corners, grid),
        {
            **_of_vessel(label, use, box.hull_class, corners),
            "scene_id": cell.scene_id,
            "kind": box.hull_class,
            **{name: getattr(box, name) for name in ("lon", "lat", "length_m", "width_m", "axis_deg")},
            "note": answer.note,
            "port": cell.port,
            "audit_cell": cell.cell,
            "audit_answer": answer.answer,
            "simulated": cell.simulated,
        },
    )


def _of_vessel(label: str, use: str, hull_class: str | None, corners: Array) -> Feature:
    """Return what every labelled box says, with its corners [4, 2] in pixels of the port's grid."""
    return {
        "label_id": label,
        "use": use,
        "class": hull_class,
        "kind_confidence": "med" if hull_class else "low",
        "kind_other_annotator": None,
        "polygon_px": corners.round(2).tolist(),
    }


def _pixels(lonlat: Any, grid: Grid) -> Any:  # noqa: ANN401 - arrays (n, 2)
    return grid.xy_to_colrow(lonlat_to_xy(lonlat, grid.crs))


def _lonlat(corners: Array, grid: Grid) -> Array:
    return xy_to_lonlat(grid.colrow_to_xy(corners), grid.crs).round(7)


def _feature(ring: Array, properties: Feature) -> Feature:
    """Return a feature of some corners [n, 2] in degrees, its ring counterclockwise."""
    coordinates = np.asarray(orient(shapely.Polygon(ring)).exterior.coords).tolist()
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [coordinates]},
        "properties": properties,
    }
