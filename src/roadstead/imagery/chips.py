"""The pixels around one place as the provider gave them: every band, its own numbers, one GeoTIFF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.io import MemoryFile

from roadstead.core.errors import SceneError
from roadstead.core.geo import Grid, Window, lonlat_to_xy
from roadstead.imagery.optical.mosaic import CHIP_PX
from roadstead.imagery.raster.grids import own_grid
from roadstead.imagery.raster.layer import Layer
from roadstead.imagery.raster.reading import Raster
from roadstead.imagery.scene import BANDS, BandAsset, Scene


@dataclass(frozen=True)
class Cutout:
    """A square of one scene."""

    dn: NDArray[Any]
    """[B, H, W]: digital numbers, not reflectance; 0 is no data."""
    bands: tuple[str, ...]
    """Of `scene.BANDS`, in the order of `dn`; ``scl``, of 20 m, is repeated onto the 10 m grid."""
    grid: Grid

    def geotiff(self, tags: dict[str, str] | None = None) -> bytes:
        """Return it as a GeoTIFF; the same pixels and tags give the same bytes."""
        profile = {
            "driver": "GTiff", "dtype": str(self.dn.dtype), "count": len(self.bands), "width": self.grid.width,
            "height": self.grid.height, "crs": self.grid.crs, "transform": self.grid.transform, "nodata": 0,
            "compress": "DEFLATE",
        }  # fmt: skip
        with MemoryFile(ext=".tif") as memory:
            with memory.open(**profile) as dataset:
                dataset.write(self.dn)
                dataset.descriptions = self.bands
                dataset.update_tags(**(tags or {}))
            return bytes(memory.read())


def cut_out(scene: Scene, lon: float, lat: float, side_px: int = CHIP_PX) -> Cutout:
    """Return the pixels of a scene around a place: a square of the 10 m grid, cut off at the scene's edge.

    Raises:
        ReadError: pixels cannot be read.
        SceneError: the place lies outside of the scene, or a raster has no CRS.
    """
    grid = own_grid((scene,))
    col, row = np.floor(grid.xy_to_colrow(lonlat_to_xy(np.array([[lon, lat]]), grid.crs))[0]).astype(int)
    # A hull that the edge cuts may have its middle on the edge itself.
    if not (-1 <= col <= grid.width and -1 <= row <= grid.height):
        raise SceneError(f"scene {scene.scene_id}: {lat:.5f}, {lon:.5f} lies outside of it")
    window = grid.square(int(col), int(row), side_px)
    names = tuple(name for name in BANDS if name in scene.assets)
    numbers = np.concatenate([_read(scene.assets[name], grid, window, name == "scl") for name in names])
    return Cutout(numbers, names, grid.crop(window))


def _read(asset: BandAsset, grid: Grid, window: Window, nearest: bool) -> NDArray[np.generic]:
    with Raster.of(asset) as raster:
        layer = Layer(raster, grid, nodata=asset.nodata, nearest=nearest)
        try:
            return layer.read([asset.band], window)
        finally:
            layer.close()
