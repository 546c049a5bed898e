"""Real views: labelled port crops, labelled anchorages in true colour, and chips with AIS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from roadstead.core.geo import Grid, lonlat_to_xy
from roadstead.imagery import Mosaic, Overpass, group_overpasses, open_geotiff
from roadstead.imagery.raster.layer import Layer
from roadstead.imagery.raster.reading import Raster
from roadstead.imagery.scene import BandAsset
from roadstead_lab.training.ais_check import DAY
from roadstead_lab.training.pixels import scene_overpass
from roadstead_lab.training.places import Label, labelled_scenes, place_of, read_labels, shared_folder
from roadstead_lab.training.realism.views import BANDS, Hull, Image, State, View

_UNDER_WAY: Final = "Under way using engine"
_LEAST_CARGO_M: Final = 80.0
NOT_TUNED_ON: Final = frozenset({"athens", "durban", "klang", "valencia"})
"""Places whose figures were not looked at when the simulator was tuned."""
"""AIS "Cargo" from here on stands in for dry cargo; AIS has no code for bulk carriers."""


def read_reflectance(overpass: Overpass) -> tuple[Image, Grid]:
    """Read a small overpass of one scene whole and unclipped: [4, H, W], NaN where not there, and its grid.

    Raises:
        ReadError: A raster cannot be read.
    """
    with Mosaic(overpass) as mosaic:
        grid, valid = mosaic.grid, mosaic.read(mosaic.grid.window).valid
    assets = overpass.scenes[0].assets
    missing = np.full(valid.shape, np.nan, np.float32)
    bands = [_read_band(assets[band], grid) if band in assets else missing for band in BANDS]
    return np.where(valid, np.stack(bands), np.float32(np.nan)), grid


def _read_band(asset: BandAsset, grid: Grid) -> Image:
    with Raster.of(asset) as raster:
        layer = Layer(raster, grid, nodata=asset.nodata, nearest=False)
        dn = layer.read([asset.band], grid.window)[0].astype(np.float32)
        layer.close()
    return np.asarray(dn * np.float32(asset.scale) + np.float32(asset.offset), np.float32)


def real_views(shared: Path) -> Iterator[View]:
    """Read every labelled scene, then every chip with AIS.

    Raises:
        BadInputError: The shared data is absent.
    """
    for scene_id in labelled_scenes(shared_folder(shared)):
        yield labelled_view(shared, scene_id)
    yield from chip_views(shared)


def labelled_view(shared: Path, scene_id: str) -> View:
    """Read one labelled scene; ships of use `yes`, with their labelled class."""
    reflectance, _ = read_reflectance(scene_overpass(shared, scene_id))
    view = View(
        scene_id,
        place_of(scene_id),
        "ports" if np.isfinite(reflectance[3]).any() else "anchorages",
        reflectance,
        tuple(_labelled_hull(label) for label in read_labels(shared, scene_id) if label.use == "yes"),
        held_out=place_of(scene_id) in NOT_TUNED_ON,
    )
    return view


def _labelled_hull(label: Label) -> Hull:
    sides = np.hypot(*(label.corners - np.roll(label.corners, 1, 0)).T) * 10.0
    return Hull(
        label.label_id,
        label.corners,
        str(label.class_),
        str(label.kind),
        None,
        label.length_m,
        float(sides.min()),
        certain=False,
    )


def chip_views(shared: Path) -> Iterator[View]:
    """Read the chips centred on a cargo ship of 80 m or more, with the automatic box that holds its AIS position.

    Chips whose vessel has no such box are left out.
    """
    table = pd.read_csv(shared / DAY / "chips.csv", dtype={"MMSI": str})
    for row in table.to_dict("records"):
        path = shared / DAY / f"{row['ImageId']}.tif"
        if path.exists() and row["Ship type"] == "Cargo" and row["Length"] >= _LEAST_CARGO_M:
            yield _chip_view(path, {str(key): value for key, value in row.items()})


def _chip_view(path: Path, row: dict[str, Any]) -> View:
    (overpass,) = group_overpasses([open_geotiff(str(path))], None)
    reflectance, grid = read_reflectance(overpass)
    boxes = gpd.read_file(path.with_name(f"{path.stem}_labels.geojson")).to_crs(grid.crs).geometry
    here = shapely.Point(lonlat_to_xy(np.array([[row["Longitude"], row["Latitude"]]]), grid.crs)[0])
    parts = [part for shape in boxes for part in shapely.get_parts(shape)]
    near = min(parts, key=here.distance, default=None)
    hulls = () if near is None or here.distance(near) > row["Length"] / 2 else (_chip_hull(near, grid, row),)
    return View(path.stem, "kiel", "ais_chips", reflectance, hulls)


def _chip_hull(box: shapely.Geometry, grid: Grid, row: dict[str, Any]) -> Hull:
    rectangle = shapely.get_coordinates(shapely.minimum_rotated_rectangle(box))[:4]
    state: State | None = "under_way" if row["Navigational status"] == _UNDER_WAY else None
    return Hull(
        str(row["ImageId"]),
        grid.xy_to_colrow(rectangle),
        "bulk_carrier",
        "cargo",
        state,
        float(row["Length"]),
        float(row["Width"]),
        certain=True,
    )
