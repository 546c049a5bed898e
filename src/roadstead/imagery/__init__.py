"""Imagery: find scenes, group them into overpasses, read windows of them on a port's grid.

``search`` -> ``group_overpasses`` -> ``Mosaic``. The only package that speaks HTTP or uses GDAL's raster side.
"""

from roadstead.imagery.acquired import SIGMA_S
from roadstead.imagery.cog import write_cog
from roadstead.imagery.cutout import Cutout, cut_out
from roadstead.imagery.gcp_tiff import write_gcp_tiff
from roadstead.imagery.geotiff import SIMULATED_TAG, open_geotiff
from roadstead.imagery.http import is_remote
from roadstead.imagery.items import SIMULATED, item_sha256, open_item, read_item, scene_from_item
from roadstead.imagery.mosaic import Mosaic
from roadstead.imagery.open import is_raster, open_scene
from roadstead.imagery.orbits import CYCLE, REACH, Pass, covers, expected_passes
from roadstead.imagery.overpasses import SAME_PASS, fill, group_overpasses, same_pass
from roadstead.imagery.raster import raster_drivers
from roadstead.imagery.scene import BandAsset, Overpass, Scene, Sighting
from roadstead.imagery.search import SearchResult, Source, lists_passes, search, sources
from roadstead.imagery.sensed import with_sensing_time
from roadstead.imagery.stack import Block
from roadstead.imagery.visible import Visibility, imaged_part

__all__ = [
    "CYCLE",
    "REACH",
    "SAME_PASS",
    "SIGMA_S",
    "SIMULATED",
    "SIMULATED_TAG",
    "BandAsset",
    "Block",
    "Cutout",
    "Mosaic",
    "Overpass",
    "Pass",
    "Scene",
    "SearchResult",
    "Sighting",
    "Source",
    "Visibility",
    "covers",
    "cut_out",
    "expected_passes",
    "fill",
    "group_overpasses",
    "imaged_part",
    "is_raster",
    "is_remote",
    "item_sha256",
    "lists_passes",
    "open_geotiff",
    "open_item",
    "open_scene",
    "raster_drivers",
    "read_item",
    "same_pass",
    "scene_from_item",
    "search",
    "sources",
    "with_sensing_time",
    "write_cog",
    "write_gcp_tiff",
]
