"""Imagery: find scenes, group them into overpasses, read windows of them on a port's grid.

``search`` -> ``group_overpasses`` -> ``Mosaic``. The only package that speaks HTTP or uses GDAL's raster side.
"""

from roadstead.imagery.chips import Cutout, cut_out
from roadstead.imagery.open import (
    NO_HINTS,
    NamedScene,
    RasterHints,
    StoredScene,
    is_raster,
    open_scene,
    open_stored,
    scenes_in,
)
from roadstead.imagery.optical.mosaic import Mosaic
from roadstead.imagery.optical.plausibility import Searched
from roadstead.imagery.optical.stack import Block
from roadstead.imagery.overpasses import SAME_PASS, fill, group_overpasses, same_pass
from roadstead.imagery.raster.cog import write_cog, write_gcp_tiff
from roadstead.imagery.raster.geotiff import SIMULATED_TAG, open_geotiff
from roadstead.imagery.raster.reading import raster_drivers
from roadstead.imagery.remote.address_rules import is_remote, local_path
from roadstead.imagery.scene import BANDS, BandAsset, Overpass, Scene, Sighting
from roadstead.imagery.stac.acquisition_time import SIGMA_S, with_sensing_time
from roadstead.imagery.stac.item import SIMULATED, item_sha256, open_item, read_item, scene_from_item
from roadstead.imagery.stac.orbits import CYCLE, REACH, Pass, covers, expected_passes
from roadstead.imagery.stac.safe import is_safe
from roadstead.imagery.stac.search import SearchResult, Source, lists_passes, search, sources
from roadstead.imagery.visibility.fractions import Visibility, imaged_part

__all__ = [
    "BANDS",
    "CYCLE",
    "NO_HINTS",
    "REACH",
    "SAME_PASS",
    "SIGMA_S",
    "SIMULATED",
    "SIMULATED_TAG",
    "BandAsset",
    "Block",
    "Cutout",
    "Mosaic",
    "NamedScene",
    "Overpass",
    "Pass",
    "RasterHints",
    "Scene",
    "SearchResult",
    "Searched",
    "Sighting",
    "Source",
    "StoredScene",
    "Visibility",
    "covers",
    "cut_out",
    "expected_passes",
    "fill",
    "group_overpasses",
    "imaged_part",
    "is_raster",
    "is_remote",
    "is_safe",
    "item_sha256",
    "lists_passes",
    "local_path",
    "open_geotiff",
    "open_item",
    "open_scene",
    "open_stored",
    "raster_drivers",
    "read_item",
    "same_pass",
    "scene_from_item",
    "scenes_in",
    "search",
    "sources",
    "with_sensing_time",
    "write_cog",
    "write_gcp_tiff",
]
