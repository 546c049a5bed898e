"""Opening what a user names on the command line, and what a store names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from roadstead.core.errors import SceneError
from roadstead.imagery.raster.geotiff import open_geotiff
from roadstead.imagery.raster.pictures import is_picture, picture_geotiff
from roadstead.imagery.remote.address_rules import home_in_store, home_of, is_remote
from roadstead.imagery.scene import Scene
from roadstead.imagery.stac.item import (
    item_address,
    item_id,
    located,
    open_item,
    read_item,
    read_json,
    scene_from_item,
)
from roadstead.imagery.stac.safe import is_safe, safe_item
from roadstead.imagery.stac.saved_search import is_collection, is_saved, items_of, saved_items

RASTER_ENDINGS = (".tif", ".tiff", ".jp2")


@dataclass(frozen=True)
class RasterHints:
    """What the user says of rasters that do not say it themselves."""

    acquired: datetime | None = None
    """UTC."""
    bands: Mapping[str, int] | None = None
    """Band of `scene.BANDS` -> its number in the file, from 1."""
    crs: str | None = None
    """Of a picture's world file."""


NO_HINTS = RasterHints()


@dataclass(frozen=True)
class NamedScene:
    """One scene of what a user named; opened on call."""

    name: str
    """As the user wrote it; for an item of a saved search with ``#`` and its id."""
    open: Callable[[], Scene]


def is_raster(name: str) -> bool:
    """Return whether a path or URL names a raster by its ending, else a STAC item."""
    return urlparse(name).path.lower().endswith(RASTER_ENDINGS)


def scenes_in(name: str, hints: RasterHints = NO_HINTS) -> list[NamedScene]:
    """Return the scenes that a path or URL names: those of a saved search, else one.

    Raises:
        CatalogueError: a file of items cannot be fetched.
        SceneError: it holds no items.
    """
    place = Path(name)
    local = not is_remote(name)
    if local and (is_safe(place) or is_picture(name) or is_raster(name)):
        return [NamedScene(name, partial(open_scene, name, hints=hints))]
    if is_raster(name):
        return [NamedScene(name, partial(open_scene, name, hints=hints))]
    if local and is_saved(name):
        return _items(name, saved_items(name))
    home = home_of(name)
    document = read_json(name, home)
    if is_collection(document):
        return _items(name, items_of(name, document))
    return [NamedScene(name, partial(scene_from_item, document, located(name), home))]


def _items(name: str, documents: list[dict[str, Any]]) -> list[NamedScene]:
    return [
        NamedScene(
            f"{name}#{item_id(document, None)}",
            partial(scene_from_item, document, item_address(located(name), document), home_of(name)),
        )
        for document in documents
    ]


def open_scene(name: str, *, acquired: datetime | None = None, hints: RasterHints = NO_HINTS) -> Scene:
    """Return a STAC item (path or URL), a raster, a picture with a world file or a SAFE product as a scene.

    Args:
        name: rasters go by their ending (``.tif``, ``.tiff``, ``.jp2``), pictures by theirs (``.png``, ``.jpg``); a
            folder or zip is a SAFE product; all else is read as a STAC item.
        acquired: UTC, for a raster; an item's own time wins.
        hints: what else the user says of rasters.

    Raises:
        ReadError: a raster cannot be opened.
        CatalogueError: an item cannot be fetched.
        SceneError: the scene cannot be used; names it.
    """
    when = acquired or hints.acquired
    if is_raster(name):
        return open_geotiff(name, home_of(name), acquired=when, bands=hints.bands)
    place = Path(name)
    if not is_remote(name) and is_safe(place):
        document, href = safe_item(place)
        return scene_from_item(document, href)
    if not is_remote(name) and is_picture(name):
        return _open_picture(place, hints, when)
    return open_item(name)


def _open_picture(place: Path, hints: RasterHints, when: datetime | None) -> Scene:
    copy = str(picture_geotiff(place, hints.crs))
    try:
        scene = open_geotiff(copy, acquired=when, bands=hints.bands)
    except SceneError as error:
        raise SceneError(str(error).replace(copy, str(place))) from error
    return replace(scene, scene_id=place.stem)


@dataclass(frozen=True)
class StoredScene:
    """Where a store says that a scene lies."""

    scene_id: str
    item_href: str | None
    item_sha256: str | None
    acquired: datetime
    provider: str = ""
    """What its catalogue was called (`Scene.provider`): it tells where that lies."""


def open_stored(stored: StoredScene) -> tuple[Scene, dict[str, Any] | None]:
    """Open a scene again as a store names it; return it with its item as it is now, None for a raster by itself.

    What its item names now may be other than what it was, so the rules for its catalogue hold as they did then.

    Raises:
        SceneError: it has no address, or one that is not read, or is no scene any more.
        CatalogueError: the item cannot be fetched.
        ReadError: a raster cannot be opened.
    """
    href = stored.item_href
    if not href:
        raise SceneError(f"scene {stored.scene_id}: the store does not say where it lies")
    home = home_in_store(href, stored.provider)
    if is_raster(href):
        return open_geotiff(href, home, acquired=stored.acquired, scene_id=stored.scene_id), None
    item = read_item(href, home)
    return scene_from_item(item, href, home), item
