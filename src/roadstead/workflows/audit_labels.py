"""What reviewers boxed in audits as labels for training, in the format of the labelled scenes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
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
from roadstead.core.ports import Port, read_port
from roadstead.core.ports_by_slug import ports_by_slug
from roadstead.store import AuditAnswer, AuditBox, AuditCell, Audits, Store, newest
from roadstead.workflows.label_files import file_name

SEARCHED = "the audited cells were searched by a person who did not see what the model found"
Labelled = tuple[AuditCell, AuditAnswer]


def write_audit_labels(
    store: Store, output: Path, own_file: Path | None = None
) -> tuple[list[Path], int, int]:
    """Write the judged cells as labels; return the files, and how many cells and boxes they hold.

    Args:
        store: the store.
        output: a ``.geojson`` file for all, or a folder for one file a scene.
        own_file: a port beside those that ship.

    Raises:
        BadInputError: the zones of a port are not known.
        StoreError: a file cannot be written.
    """
    ports = ports_by_slug(() if own_file is None else (read_port(own_file),))
    scenes = judged_scenes(store)
    features = {scene: audit_features(scene, rows, ports) for scene, rows in scenes.items()}
    if output.suffix in (".geojson", ".json"):
        parts = {output: [one for own in features.values() for one in own]} if features else {}
    else:
        parts = {output / f"{file_name(scene)}.geojson": own for scene, own in features.items()}
    for path, own in parts.items():
        write_json(path, {"type": "FeatureCollection", "features": own})
    boxes = sum(one["properties"]["use"] != "unsearched" for own in features.values() for one in own)
    return list(parts), sum(len(rows) for rows in scenes.values()), boxes


def judged_scenes(store: Store) -> dict[str, list[Labelled]]:
    """Return scene id -> its cells that are answered in full and were judged, with the first reviewer's answer."""
    audits = Audits(store)
    told, scenes = audits.answers(), defaultdict[str, list[Labelled]](list)
    for cell in audits.cells():
        answers = told.get(cell.cell, ())
        if is_complete(cell, answers) and newest(answers)[1].kind != "unjudged":
            scenes[cell.scene_id].append((cell, newest(answers)[1]))
    return dict(sorted(scenes.items()))


def audit_features(scene: str, rows: Sequence[Labelled], ports: Mapping[str, Port]) -> list[dict[str, Any]]:
    """Return the labels of one scene as GeoJSON features (WGS84, `polygon_px` on the port's 10 m grid).

    A ship is ``use: yes`` with its class; one whose class the reviewer cannot tell is ``use: ignore``, so that it
    teaches neither a class nor empty water. All but the audited cells is ``use: unsearched``.

    Raises:
        BadInputError: the zones of the port are not known.
    """
    name = rows[0][0].port
    if name not in ports:
        raise BadInputError(f"the zones of {name} are not known: give its file with --aoi")
    grid = ports[name].grid()
    unsearched = [
        _unsearched(scene, number, part, grid, rows[0][0])
        for number, part in enumerate(unsearched_parts([cell.area for cell, _ in rows], grid))
    ]
    boxes = [
        _label(scene, cell, answer, number, box, grid)
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


def _unsearched(
    scene: str, number: int, part: shapely.Polygon, grid: Grid, cell: AuditCell
) -> dict[str, Any]:
    corners = np.asarray(part.exterior.coords)[:-1]
    return _feature(
        corners,
        grid,
        {
            "scene_id": scene,
            "label_id": f"{scene}/unsearched-{number}",
            "use": "unsearched",
            "polygon_px": corners.round(2).tolist(),
            "note": SEARCHED,
            "port": cell.port,
            "grid_crs": grid.crs,
            "grid_transform": list(grid.transform)[:6],
            "simulated": cell.simulated,
        },
    )


def _label(
    scene: str, cell: AuditCell, answer: AuditAnswer, number: int, box: AuditBox, grid: Grid
) -> dict[str, Any]:
    drawn = np.array(json.loads(box.pixels), float)
    corners = grid.xy_to_colrow(cell.grid.colrow_to_xy(drawn))
    return _feature(
        corners,
        grid,
        {
            "scene_id": scene,
            "label_id": f"{scene}/audit-{cell.cell}-{number}",
            "use": "yes" if box.hull_class else "ignore",
            "class": box.hull_class,
            "kind": box.hull_class,
            "kind_confidence": "med" if box.hull_class else "low",
            "kind_other_annotator": None,
            "lon": box.lon,
            "lat": box.lat,
            "length_m": box.length_m,
            "width_m": box.width_m,
            "axis_deg": box.axis_deg,
            "polygon_px": corners.round(2).tolist(),
            "note": answer.note,
            "port": cell.port,
            "audit_cell": cell.cell,
            "audit_answer": answer.answer,
            "simulated": cell.simulated,
        },
    )


def _pixels(lonlat: Any, grid: Grid) -> Any:  # noqa: ANN401 - arrays (n, 2)
    return grid.xy_to_colrow(lonlat_to_xy(lonlat, grid.crs))


def _feature(corners: Array, grid: Grid, properties: dict[str, Any]) -> dict[str, Any]:
    """Return a feature of some corners [n, 2] in pixels of the grid."""
    lonlat = xy_to_lonlat(grid.colrow_to_xy(corners), grid.crs).round(7)
    coordinates = np.asarray(orient(shapely.Polygon(lonlat)).exterior.coords).tolist()
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [coordinates]},
        "properties": properties,
    }
