"""Opening what a user names on the command line."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlparse

from roadstead.imagery.raster.geotiff import open_geotiff
from roadstead.imagery.scene import Scene
from roadstead.imagery.stac.item import open_item

RASTER_ENDINGS = (".tif", ".tiff", ".jp2")


def is_raster(name: str) -> bool:
    """Return whether a path or URL names a raster by its ending, else a STAC item."""
    return urlparse(name).path.lower().endswith(RASTER_ENDINGS)


def open_scene(name: str, *, acquired: datetime | None = None) -> Scene:
    """Return a STAC item (path or URL) or a GeoTIFF as a scene.

    Args:
        name: rasters go by their ending (``.tif``, ``.tiff``, ``.jp2``); all else is read as a STAC item.
        acquired: UTC, for a GeoTIFF; an item's own time wins.

    Raises:
        ReadError: a raster cannot be opened.
        CatalogueError: an item cannot be fetched.
        SceneError: the scene cannot be used; names it.
    """
    if is_raster(name):
        return open_geotiff(name, acquired=acquired)
    return open_item(name)
