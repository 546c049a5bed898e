"""STAC items as scenes."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pystac
from pystac_client.exceptions import APIError
from requests import RequestException
from shapely.errors import ShapelyError
from shapely.geometry import box, shape
from shapely.geometry.base import BaseGeometry

from roadstead.core.errors import CatalogueError, SceneError
from roadstead.core.settings import settings
from roadstead.imagery.remote.address_rules import (
    AddressError,
    home_of,
    is_remote,
    resolve_href,
    same_place,
    short_place,
)
from roadstead.imagery.remote.session import stac_io, told
from roadstead.imagery.scene import BandAsset, Scene, Sighting
from roadstead.imagery.stac.acquisition_time import datatake, product_name, resolve_acquired
from roadstead.imagery.stac.assets import OFFSET_FLAGS, processing_baseline, resolve_assets, tells_no_offset
from roadstead.imagery.stac.saved_search import is_collection, is_saved, items_of, one_of, saved_items

SIMULATED = "roadstead:simulated"
_BROKEN = (ValueError, KeyError, TypeError, AttributeError, pystac.STACError, ShapelyError)


def open_item(source: str | pystac.Item) -> Scene:
    """Return a STAC item as a scene; its pixels are not read.

    Args:
        source: path or URL of the item's JSON, or the item.

    Raises:
        CatalogueError: the item cannot be fetched.
        SceneError: it is no STAC item, or lacks datetime, geometry or bands; names it.
    """
    if isinstance(source, pystac.Item):
        document = source.to_dict(include_self_link=False, transform_hrefs=False)
        place = source.get_self_href()
        return scene_from_item(document, place, home_of(place))
    home = home_of(source)
    return scene_from_item(read_item(source, home), located(source), home)


def located(name: str) -> str:
    """Return a path as an absolute one, so that what lies beside it is found from any folder; a URL as it is."""
    return name if urlsplit(name).scheme else os.path.abspath(name)


def item_address(place: str, document: Mapping[str, Any]) -> str:
    """Return where an item lies that is one of many in a file: the file, ``#`` and the item's id."""
    return f"{place}#{item_id(document, None)}"


def read_item(source: str, home: str | None = None) -> dict[str, Any]:
    """Return the JSON of an item as it stands at a path or URL, or in a saved search (`item_address`).

    Args:
        source: path or URL.
        home: ``host:port`` of the catalogue that names it; None for files of this machine.

    Raises:
        CatalogueError: it cannot be fetched.
        SceneError: it is no JSON object, or the search holds no such item.
    """
    place, _, wanted = source.rpartition("#")
    if not place or os.path.exists(source):
        return read_json(source, home)
    if is_saved(place) and not is_remote(place):
        return one_of(place, saved_items(place), wanted)
    document = read_json(place, home)
    return one_of(place, items_of(place, document), wanted) if is_collection(document) else document


def read_json(source: str, home: str | None = None) -> dict[str, Any]:
    """Return a JSON object as it stands at a path or URL.

    Args:
        source: path or URL.
        home: ``host:port`` of the catalogue that names it; None for files of this machine.

    Raises:
        CatalogueError: it cannot be fetched.
        SceneError: it is no JSON object.
    """
    try:
        document = stac_io(source, home).read_json(source)
    except (OSError, RequestException, APIError) as error:
        raise CatalogueError(f"{source}: cannot be read: {_reason(error)}") from error
    except ValueError as error:
        raise SceneError(
            f"{source}: is not JSON: {error}; give a STAC item, a saved search (.json, .ndjson, .parquet), a SAFE "
            "folder or zip, or a raster whose name ends in .tif, .tiff, .jp2, .png or .jpg"
        ) from error
    if not isinstance(document, dict):
        raise SceneError(f"{source}: is JSON but no STAC item")
    return document


def _reason(error: Exception) -> str:
    """Say what went wrong; an error page of a server can be long, so its status stands for it."""
    status = getattr(error, "status_code", None)
    words = told(error) if status is None else f"the server answers with HTTP status {status}"
    return (
        words if isinstance(error, FileNotFoundError) else f"{words}; check the address, or try again later"
    )


def scene_from_item(document: Mapping[str, Any], href: str | None, home: str | None = None) -> Scene:
    """Return the scene of a STAC item's JSON.

    Args:
        document: the item, STAC 1.0 or 1.1; relative asset hrefs are taken from ``href``.
        href: where the item lies, or None.
        home: ``host:port`` of the catalogue that the item came from; None for files of this machine.

    Raises:
        AddressError: an asset that is needed lies at an address that is not read.
        SceneError: no STAC item, no datetime, no geometry, or no bands.
    """
    name = item_id(document, href)
    try:
        return _scene(name, document, href, home)
    except AddressError as error:
        raise AddressError(f"item {name}: {error}") from error
    except _BROKEN as error:
        raise SceneError(f"item {name}: is no valid STAC item: {error}") from error


def item_id(document: Mapping[str, Any], href: str | None) -> str:
    """Return an item's id, or where it lies if it has none."""
    return str(document.get("id") or href or "without id")


def item_footprint(document: Mapping[str, Any]) -> BaseGeometry:
    """Return an item's geometry, or its bbox where it has none, EPSG:4326.

    Raises:
        SceneError: neither is there, or the geometry is broken.
    """
    name = item_id(document, None)
    try:
        if document.get("geometry"):
            return shape(document["geometry"])
        if document.get("bbox"):
            corners = list(document["bbox"])
            half = len(corners) // 2
            return box(corners[0], corners[1], corners[half], corners[half + 1])
    except (*_BROKEN, IndexError) as error:
        raise SceneError(f"item {name}: its geometry is broken: {error}") from error
    raise SceneError(f"item {name}: has neither geometry nor bbox")


def item_datetime(document: Mapping[str, Any]) -> datetime:
    """Return an item's ``datetime``, or ``start_datetime`` where that is null; UTC.

    Raises:
        SceneError: neither is there, or it is no time.
    """
    properties = document.get("properties") or {}
    text = properties.get("datetime") or properties.get("start_datetime")
    name = item_id(document, None)
    if not text:
        raise SceneError(f"item {name}: has no datetime, so AIS cannot be held against it; write one into it")
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise SceneError(f"item {name}: datetime {text!r} is no time") from error
    return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)


def sighting_of(document: Mapping[str, Any], when: datetime) -> Sighting | None:
    """Return that an item was seen, None where it does not name its platform."""
    properties: Mapping[str, Any] = document.get("properties") or {}
    name = item_id(document, None)
    product = product_name(name, properties)
    tile = _mgrs_tile(properties) or (product.mgrs_tile if product else None)
    platform = properties.get("platform")
    return Sighting(str(platform).lower(), when, tile) if platform else None


def item_sha256(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of an item's JSON, keys sorted, without links (they differ by how it was found)."""
    kept = {key: value for key, value in document.items() if key != "links"}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()


def _scene(name: str, document: Mapping[str, Any], href: str | None, home: str | None) -> Scene:
    if document.get("type") != "Feature":
        raise SceneError(f"{href or name}: is a STAC {document.get('type')}, not an item; give its items")
    properties: Mapping[str, Any] = document.get("properties") or {}
    acquired = resolve_acquired(name, item_datetime(document), properties)
    take, product = datatake(name, properties), product_name(name, properties)
    azimuth, elevation = _sun(properties)
    return Scene(
        scene_id=name,
        platform=properties.get("platform"),
        sensor="s2",
        acquired=acquired.time,
        acquired_source=acquired.source,
        acquired_sigma_s=acquired.sigma_s,
        provider=provider_of(document, home or home_of(href)),
        item_href=href,
        processing_baseline=processing_baseline(properties) or (product.baseline if product else None),
        datatake=take[0] if take else None,
        footprint=item_footprint(document),
        assets=_placed(resolve_assets(name, document.get("assets") or {}, properties), href, home),
        sun_azimuth_deg=azimuth,
        sun_elevation_deg=elevation,
        simulated=properties.get(SIMULATED) is True,
        item_sha256=item_sha256(document),
        mgrs_tile=_mgrs_tile(properties) or (product.mgrs_tile if product else None),
        processed=_processed(properties),
        granule_metadata=_granule_metadata(document, href, home),
        offset_untold=tells_no_offset(document),
        offset_doubtful=any(flag in properties for flag in OFFSET_FLAGS),
    )


def _placed(assets: Mapping[str, BandAsset], href: str | None, home: str | None) -> dict[str, BandAsset]:
    """Return the bands that are read with their addresses made absolute; those of other assets do not matter."""
    return {
        band: replace(asset, href=resolve_href(asset.href, href, home), home=home)
        for band, asset in assets.items()
    }


def provider_of(document: Mapping[str, Any], home: str | None) -> str:
    """Return the name of the provider of an item: by the host of its catalogue and its collection.

    Else that host as it is; for a file of this machine, whose root link is all that tells, ``file``.
    """
    links = [str(link.get("href", "")) for link in document.get("links", ()) if link.get("rel") == "root"]
    place = home if home is not None else next((urlsplit(text).netloc for text in links if text), "")
    at_host = {name: row for name, row in settings().providers.items() if same_place(row.api, place)}
    exact = [name for name, row in at_host.items() if row.collection == document.get("collection")]
    return next(iter([*exact, *at_host]), short_place(place) or "file")


def _granule_metadata(document: Mapping[str, Any], href: str | None, home: str | None) -> str | None:
    """Return where MTD_TL.xml lies; providers write its key with a dash or an underscore."""
    assets = document.get("assets") or {}
    named = [assets[key] for key in ("granule-metadata", "granule_metadata") if key in assets]
    if not named or not named[0].get("href"):
        return None
    return resolve_href(str(named[0]["href"]), href, home)


def _sun(properties: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Return the sun's azimuth and elevation in degrees; Planetary Computer gives the zenith angle."""
    azimuth = properties.get("view:sun_azimuth", properties.get("s2:mean_solar_azimuth"))
    elevation, zenith = properties.get("view:sun_elevation"), properties.get("s2:mean_solar_zenith")
    if elevation is None and zenith is not None:
        elevation = 90.0 - float(zenith)
    return (None if azimuth is None else float(azimuth), None if elevation is None else float(elevation))


def _mgrs_tile(properties: Mapping[str, Any]) -> str | None:
    code = str(
        properties.get("grid:code") or properties.get("s2:mgrs_tile") or properties.get("s2:tile_id") or ""
    )
    if found := re.search(r"(?:^|MGRS-|_T|^T)(\d{1,2}[C-X][A-Z]{2})(?:_|$)", code):
        return found.group(1).zfill(5)
    parts = [properties.get(f"mgrs:{part}") for part in ("utm_zone", "latitude_band", "grid_square")]
    return f"{parts[0]:0>2}{parts[1]}{parts[2]}" if all(parts) else None


def _processed(properties: Mapping[str, Any]) -> datetime | None:
    keys = ("s2:generation_time", "processing:datetime", "created", "updated")
    text = next((str(properties[key]) for key in keys if properties.get(key)), None)
    if text is None:
        return None
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)
