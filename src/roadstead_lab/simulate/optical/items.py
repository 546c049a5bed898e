"""STAC items and COGs of a simulated overpass, in the shape of Earth Search's ``sentinel-2-c1-l2a``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pystac
import shapely
from affine import Affine
from numpy.typing import NDArray
from shapely.geometry import box

from roadstead.core.geo import Grid, to_lonlat
from roadstead.imagery import SIMULATED, SIMULATED_TAG, write_cog
from roadstead.imagery.stac.assets import VISUAL_FULL_SCALE
from roadstead_lab.simulate.light import Light
from roadstead_lab.simulate.optical.render import QUANTIFICATION, Frame
from roadstead_lab.simulate.optical.tiles import Tile, tiles_over
from roadstead_lab.simulate.scenario.model import OverpassPlan

COLLECTION = "sentinel-2-c1-l2a"
LABEL = "SIMULATED by Roadstead: no real place was observed and no real ship is shown"
_DATATAKE_LEAD = timedelta(minutes=4, seconds=10)
_BANDS = {
    "red": ("B04", "Red - 10m", 0.665),
    "green": ("B03", "Green - 10m", 0.56),
    "blue": ("B02", "Blue - 10m", 0.49),
    "nir": ("B08", "NIR 1 - 10m", 0.842),
}
_EXTENSIONS = [
    "https://stac-extensions.github.io/eo/v1.1.0/schema.json",
    "https://stac-extensions.github.io/grid/v1.1.0/schema.json",
    "https://stac-extensions.github.io/mgrs/v1.0.0/schema.json",
    "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "https://stac-extensions.github.io/raster/v1.1.0/schema.json",
    "https://stac-extensions.github.io/view/v1.0.0/schema.json",
]
_TIFF = "image/tiff; application=geotiff; profile=cloud-optimized"


@dataclass(frozen=True)
class Look:
    """What the metadata of one overpass say."""

    plan: OverpassPlan
    acquired: datetime
    """UTC."""
    light: Light
    seed: int

    @property
    def orbit(self) -> int:
        """An absolute orbit number of about the right day that has the plan's relative orbit number."""
        shift = 3 if self.plan.platform == "sentinel-2a" else 27
        days = self.acquired.toordinal() - datetime(2015, 6, 23).toordinal()
        near = int(days * 14.3)
        return near + (self.plan.relative_orbit - 1 + shift - near) % 143

    @property
    def datatake(self) -> str:
        """Datatake id as in ``s2:datatake_id``."""
        start = self.acquired - _DATATAKE_LEAD
        return f"GS2{self._unit}_{start:%Y%m%dT%H%M%S}_{self.orbit:06d}_N{self.plan.baseline}"

    @property
    def _unit(self) -> str:
        return self.plan.platform[-1].upper()

    def item_id(self, tile: Tile) -> str:
        """Id as Earth Search forms it, with SIM before it."""
        return f"SIM_S2{self._unit}_T{tile.id}_{self.acquired:%Y%m%dT%H%M%S}_L2A"


def write_scenes(folder: Path, frame: Frame, look: Look) -> list[pystac.Item]:
    """Write the COGs of an overpass, one scene a tile, and return their items.

    Args:
        folder: The collection's folder; each scene gets one of its own in it.
        frame: What was rendered.
        look: What the metadata say.
    """
    tiles = [tile for tile in tiles_over(frame.grid) if _has_data(frame, tile)]
    return [_write_scene(folder, frame, tile, look) for tile in tiles]


def _has_data(frame: Frame, tile: Tile) -> bool:
    return bool(frame.dn[0][tile.window.slices].any())


def _write_scene(folder: Path, frame: Frame, tile: Tile, look: Look) -> pystac.Item:
    item = _item(frame, tile, look)
    scene, tags = folder / item.id, _tags(look)
    # Crops this small need no overviews, which would make them a third larger.
    for band, (name, *_) in zip(_BANDS, _BANDS.values(), strict=True):
        pixels = frame.dn[list(_BANDS).index(band)][tile.window.slices]
        write_cog(
            scene / f"{name}.tif",
            pixels[None],
            tile.grid,
            nodata=0,
            band_names=[band],
            tags=tags,
            overviews=False,
        )
    half, coarse = _halved(tile)
    scl = frame.scl[half]
    write_cog(scene / "SCL.tif", scl[None], coarse, nodata=0, band_names=["scl"], tags=tags, overviews=False)
    visual = true_colour(frame.dn[:3, *tile.window.slices], frame.offset)
    write_cog(
        scene / "TCI.tif",
        visual,
        tile.grid,
        nodata=0,
        band_names=["red", "green", "blue"],
        tags=tags,
        overviews=False,
    )
    for key, asset in _assets(tile.grid, coarse, frame.offset).items():
        item.add_asset(key, asset)
    item.properties |= _statistics(pixels, scl)
    return item


def true_colour(dn: NDArray[np.uint16], offset: int) -> NDArray[np.uint8]:
    """Return the 8-bit true-colour image [3, H, W] of digital numbers [3, H, W]: at least 1 where there is data."""
    level = (dn.astype(np.float32) - offset) * np.float32(255 / QUANTIFICATION / VISUAL_FULL_SCALE)
    return np.where(dn == 0, 0, np.clip(np.rint(level), 1, 255)).astype(np.uint8)


def _tags(look: Look) -> dict[str, str]:
    return {
        # GDAL splits names at a colon, so these cannot be called as in STAC.
        SIMULATED_TAG: "true",
        "ROADSTEAD_SEED": str(look.seed),
        "TIFFTAG_IMAGEDESCRIPTION": LABEL,
        "TIFFTAG_DATETIME": f"{look.acquired:%Y:%m:%d %H:%M:%S}",
    }


def _halved(tile: Tile) -> tuple[tuple[slice, slice], Grid]:
    """Rows and columns of a tile in the 20 m classification, and its grid there."""
    w, g = tile.window, tile.grid
    rows = slice(w.row // 2, (w.row + w.height) // 2)
    cols = slice(w.col // 2, (w.col + w.width) // 2)
    return (rows, cols), Grid(g.crs, g.transform @ Affine.scale(2.0), w.width // 2, w.height // 2)


def _item(frame: Frame, tile: Tile, look: Look) -> pystac.Item:
    footprint = to_lonlat(box(*tile.grid.bounds_xy) & frame.valid_xy, tile.grid.crs)
    west, south, east, north = (round(v, 6) for v in shapely.bounds(footprint).tolist())
    return pystac.Item(
        id=look.item_id(tile),
        geometry=_rounded(footprint),
        bbox=[west, south, east, north],
        datetime=look.acquired,
        properties=_properties(tile, look),
        stac_extensions=list(_EXTENSIONS),
    )


def _rounded(lonlat: shapely.Geometry) -> dict[str, Any]:
    geometry: dict[str, Any] = json.loads(shapely.to_geojson(shapely.set_precision(lonlat, 1e-6)))
    return geometry


def _properties(tile: Tile, look: Look) -> dict[str, Any]:
    made = (look.acquired + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "title": LABEL,
        SIMULATED: True,
        "roadstead:seed": look.seed,
        "created": made,
        "platform": look.plan.platform,
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "gsd": 10,
        "proj:code": tile.grid.crs,
        "grid:code": f"MGRS-{tile.id}",
        "mgrs:utm_zone": int(tile.id[:2]),
        "mgrs:latitude_band": tile.id[2],
        "mgrs:grid_square": tile.id[3:],
        "view:sun_azimuth": round(look.light.sun_azimuth_deg, 3),
        "view:sun_elevation": round(look.light.sun_elevation_deg, 3),
        "s2:datatake_id": look.datatake,
        "s2:processing_baseline": look.plan.baseline,
        "s2:product_type": "S2MSI2A",
        "s2:sequence": "0",
        "earthsearch:boa_offset_applied": False,
    }


def _statistics(red: NDArray[np.uint16], scl: NDArray[np.uint8]) -> dict[str, float]:
    seen = max(int((scl > 0).sum()), 1)
    cloud = float(np.isin(scl, (8, 9, 10)).sum()) / seen
    return {
        "eo:cloud_cover": round(100 * cloud, 4),
        "s2:nodata_pixel_percentage": round(100 * float((red == 0).mean()), 4),
    }


def _assets(fine: Grid, coarse: Grid, offset: int) -> Mapping[str, pystac.Asset]:
    bands = {key: _band_asset(key, fine, offset) for key in _BANDS}
    scl = pystac.Asset(
        "./SCL.tif",
        title="Scene classification map (SCL)",
        media_type=_TIFF,
        roles=["data"],
        extra_fields={
            "gsd": 20,
            **_placed(coarse),
            "raster:bands": [{"nodata": 0, "data_type": "uint8", "spatial_resolution": 20}],
        },
    )
    return {**bands, "visual": _visual_asset(fine), "scl": scl}


def _visual_asset(grid: Grid) -> pystac.Asset:
    one = {"nodata": 0, "data_type": "uint8", "spatial_resolution": 10}
    shown = [_BANDS[key] for key in ("red", "green", "blue")]
    names = [
        {"name": name, "common_name": key, "center_wavelength": wavelength}
        for key, (name, _, wavelength) in zip(("red", "green", "blue"), shown, strict=True)
    ]
    return pystac.Asset(
        "./TCI.tif",
        title="True color image",
        media_type=_TIFF,
        roles=["visual"],
        extra_fields={"gsd": 10, "eo:bands": names, **_placed(grid), "raster:bands": [dict(one)] * 3},
    )


def _band_asset(key: str, grid: Grid, offset: int) -> pystac.Asset:
    name, title, wavelength = _BANDS[key]
    meta: dict[str, Any] = {"nodata": 0, "data_type": "uint16", "spatial_resolution": 10, "scale": 0.0001}
    meta["offset"] = round(-offset / QUANTIFICATION, 4)
    return pystac.Asset(
        f"./{name}.tif",
        title=title,
        media_type=_TIFF,
        roles=["data", "reflectance"],
        extra_fields={
            "gsd": 10,
            "eo:bands": [{"name": name, "common_name": key, "center_wavelength": wavelength}],
            **_placed(grid),
            "raster:bands": [meta],
        },
    )


def _placed(grid: Grid) -> dict[str, Any]:
    return {"proj:shape": [grid.height, grid.width], "proj:transform": list(grid.transform)[:6]}
