"""Imagery: find scenes, group them into overpasses, read windows of them on a port's grid.

``search`` -> ``group_overpasses`` -> ``Mosaic``. The only package that speaks HTTP or uses GDAL's raster side.
"""

from roadstead.imagery.acquired import SIGMA_S
from roadstead.imagery.cog import write_cog
from roadstead.imagery.gcp_tiff import write_gcp_tiff
from roadstead.imagery.geotiff import SIMULATED_TAG, open_geotiff
from roadstead.imagery.http import is_remote
from roadstead.imagery.items import SIMULATED, open_item
from roadstead.imagery.mosaic import Mosaic
from roadstead.imagery.open import open_scene
from roadstead.imagery.overpasses import SAME_PASS, group_overpasses
from roadstead.imagery.raster import raster_drivers
from roadstead.imagery.scene import BandAsset, Overpass, Scene
from roadstead.imagery.search import SearchResult, search
from roadstead.imagery.stack import Block
from roadstead.imagery.visible import Visibility

__all__ = [
    "SAME_PASS",
    "SIGMA_S",
    "SIMULATED",
    "SIMULATED_TAG",
    "BandAsset",
    "Block",
    "Mosaic",
    "Overpass",
    "Scene",
    "SearchResult",
    "Visibility",
    "group_overpasses",
    "is_remote",
    "open_geotiff",
    "open_item",
    "open_scene",
    "raster_drivers",
    "search",
    "write_cog",
    "write_gcp_tiff",
]
