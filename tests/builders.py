"""Small Sentinel-2-like rasters, STAC items and catalogues, and ports, made on the spot.

All lie in the sea west of Nampo: UTM zone 51, 10 m pixels on multiples of 10 m.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon, box, mapping
from shapely.geometry.base import BaseGeometry

from roadstead.core.geo import Grid, to_lonlat
from roadstead.core.ports import Port, Zone
from roadstead.imagery import write_cog

LEFT, TOP = 660_000.0, 4_290_000.0
CRS = "EPSG:32651"
WATER_DN = {"red": 1300, "green": 1500, "blue": 1600, "nir": 1100}
"""DN of open water with ESA's offset of 1000 in it."""
SENSING = {
    "s2:datatake_id": "GS2B_20201103T022541_019132_N05.00",
    "s2:processing_baseline": "05.00",
    "grid:code": "MGRS-51SXC",
}
DATETIME = "2020-11-03T02:29:51.500000Z"
"""When the granule was seen: 4 min 10 s after the datatake's start."""


def grid(
    width: int = 120,
    height: int = 100,
    col: int = 0,
    row: int = 0,
    *,
    pixel_m: float = 10.0,
    crs: str = CRS,
) -> Grid:
    """Return a grid whose corner lies ``col``, ``row`` pixels of 10 m right of and below (LEFT, TOP)."""
    at = Affine(pixel_m, 0.0, LEFT + 10.0 * col, 0.0, -pixel_m, TOP - 10.0 * row)
    return Grid(crs, at, width, height)


def area(frame: Grid, left: int, top: int, right: int, bottom: int) -> BaseGeometry:
    """Return pixels [left, right) x [top, bottom) of a grid as a polygon, EPSG:4326."""
    corners = frame.colrow_to_xy(np.array([[left, top], [right, bottom]], float))
    return to_lonlat(box(corners[0, 0], corners[1, 1], corners[1, 0], corners[0, 1]), frame.crs)


def port(frame: Grid, slug: str = "testport", **zones: tuple[int, int, int, int]) -> Port:
    """Return a port with zones by pixel box; the whole grid as ``all`` where none is given."""
    boxes = zones or {"all": (0, 0, frame.width, frame.height)}
    shapes = {name: area(frame, *pixels) for name, pixels in boxes.items()}
    made = tuple(
        Zone(f"{slug}/{name}", "anchorage", MultiPolygon([Polygon(shape.exterior)]))
        for name, shape in shapes.items()
    )
    return Port(slug, made)


def water(frame: Grid, **changes: int) -> dict[str, NDArray[np.uint16]]:
    """Return uint16 DN of open water for red, green, blue, nir."""
    shape = (frame.height, frame.width)
    return {band: np.full(shape, changes.get(band, dn), np.uint16) for band, dn in WATER_DN.items()}


def write_tiff(
    path: Path,
    dn: NDArray[Any],
    *,
    time: str | None = "2022:08:12 10:30:31",
    names: Sequence[str] | None = None,
    scale: float | None = None,
    **changes: Any,
) -> Path:
    """Write a plain GeoTIFF that carries its time; return its path.

    Args:
        path: file to write.
        dn: [B, H, W].
        time: TIFFTAG_DATETIME; none where None.
        names: descriptions of the bands.
        scale: scale tag of every band.
        changes: of the profile, such as ``crs``, ``transform``, ``nodata``.
    """
    count, height, width = dn.shape
    profile = {
        "driver": "GTiff",
        "count": count,
        "height": height,
        "width": width,
        "dtype": dn.dtype,
        "crs": CRS,
        "transform": grid().transform,
        **changes,
    }
    with rasterio.open(path, "w", **profile) as out:
        out.write(dn)
        if names:
            out.descriptions = tuple(names)
        if scale:
            out.scales = [scale] * count
        if time:
            out.update_tags(TIFFTAG_DATETIME=time)
    return path


def write_item(
    folder: Path,
    item_id: str,
    frame: Grid,
    bands: Mapping[str, NDArray[Any]] | None = None,
    *,
    scl: NDArray[np.uint8] | None = None,
    visual: NDArray[np.uint8] | None = None,
    datetime: str | None = DATETIME,
    properties: Mapping[str, Any] = SENSING,
    raster: Mapping[str, Any] | None = None,
    footprint: BaseGeometry | None = None,
    platform: str = "sentinel-2b",
) -> Path:
    """Write the COGs and the item of one scene in its own folder; return the item's path.

    Args:
        folder: the catalogue's folder.
        item_id: id of the item, and name of its folder.
        frame: grid of the bands.
        bands: asset key -> DN [H, W]; open water where None.
        scl: classes at 20 m, [H / 2, W / 2]; no SCL asset where None.
        visual: 8-bit true colour [3, H, W]; then ``bands`` are left out unless given.
        datetime: the item's, None for an item without.
        properties: further item properties.
        raster: `raster:bands` entry of each band; scale 0.0001 and offset -0.1 where None.
        footprint: the item's geometry, EPSG:4326; the grid's outline where None.
        platform: the item's.
    """
    here = folder / item_id
    shown = bands if bands is not None else ({} if visual is not None else water(frame))
    meta = {"nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": -0.1} if raster is None else raster
    assets: dict[str, Any] = {}
    for key, dn in shown.items():
        write_cog(here / f"{key}.tif", dn[None], frame, band_names=[key])
        assets[key] = {
            "href": f"./{key}.tif",
            "type": "image/tiff",
            **({"raster:bands": [meta]} if meta else {}),
        }
    if scl is not None:
        half = Grid(frame.crs, frame.transform @ Affine.scale(2.0), scl.shape[1], scl.shape[0])
        write_cog(here / "scl.tif", scl[None], half, resampling="nearest")
        assets["scl"] = {"href": "./scl.tif", "type": "image/tiff"}
    if visual is not None:
        write_cog(here / "visual.tif", visual, frame, band_names=["red", "green", "blue"])
        assets["visual"] = {"href": "./visual.tif", "type": "image/tiff"}
    document = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": item_id,
        "collection": "sentinel-2-c1-l2a",
        "geometry": mapping(footprint or frame.footprint_lonlat),
        "bbox": list((footprint or frame.footprint_lonlat).bounds),
        "properties": {"datetime": datetime, "platform": platform, **properties},
        "links": [{"rel": "collection", "href": "../collection.json"}],
        "assets": assets,
    }
    path = here / f"{item_id}.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def write_catalog(folder: Path, items: Sequence[Path], *, extent: Mapping[str, Any] | None = None) -> Path:
    """Write ``catalog.json`` with one collection of the items, all links relative; return its path."""
    links = [{"rel": "item", "href": f"./{item.relative_to(folder).as_posix()}"} for item in items]
    collection = {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": "sentinel-2-c1-l2a",
        "description": "made by a test",
        "license": "proprietary",
        "extent": extent
        or {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [["2015-06-23T00:00:00Z", None]]},
        },
        "links": links,
    }
    catalog = {
        "type": "Catalog",
        "stac_version": "1.0.0",
        "id": "made-by-a-test",
        "description": "made by a test",
        "links": [{"rel": "child", "href": "./collection.json"}],
    }
    (folder / "collection.json").write_text(json.dumps(collection), encoding="utf-8")
    path = folder / "catalog.json"
    path.write_text(json.dumps(catalog), encoding="utf-8")
    return path
