"""What imagery is made of: bands in files, scenes, and the overpasses they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shapely.geometry.base import BaseGeometry

RGB = ("red", "green", "blue")
BANDS = (*RGB, "nir", "scl")
"""Every band that Roadstead reads; `nir` and `scl` may be absent."""


@dataclass(frozen=True)
class BandAsset:
    """One band in one raster file, and how its numbers become reflectance."""

    href: str
    """Path or URL of the raster."""
    band: int = 1
    """1-based band of the raster."""
    scale: float = 1e-4
    offset: float = 0.0
    """Surface reflectance = DN x scale + offset; 1 and 0 for `scl`, whose numbers are classes."""
    nodata: float | None = 0.0
    """DN of pixels without data."""
    mask: int | None = None
    """Band of the raster that is 0 where nothing was imaged, None where there is none. A mask that the file itself
    carries is honoured in any case."""
    home: str | None = None
    """``host:port`` of the catalogue that names it, which alone may lie where the Internet does not reach; None for
    what files of this machine name."""


@dataclass(frozen=True)
class Scene:
    """One image product of one overpass: a STAC item or a GeoTIFF."""

    scene_id: str
    platform: str | None
    """As the provider writes it, e.g. ``sentinel-2b``."""
    sensor: str
    """``s2``."""
    acquired: datetime
    """UTC."""
    acquired_source: str
    """One of `schemas.ACQUIRED_SOURCES`."""
    acquired_sigma_s: float
    """Standard error of `acquired` in seconds (see :mod:`roadstead.imagery.stac.acquisition_time`)."""
    provider: str
    item_href: str | None
    processing_baseline: str | None
    datatake: str | None
    """Datatake without its processing baseline, e.g. ``GS2B_20201103T022541_019132``."""
    footprint: BaseGeometry
    """Imaged part, EPSG:4326."""
    assets: Mapping[str, BandAsset]
    """Band name of `BANDS` -> where it lies; `red`, `green` and `blue` are always there."""
    sun_azimuth_deg: float | None = None
    sun_elevation_deg: float | None = None
    simulated: bool = False
    """The item says ``roadstead:simulated``."""
    item_sha256: str | None = None
    """Of the item's JSON without links (see `items.item_sha256`), or of nothing for a bare raster."""
    mgrs_tile: str | None = None
    """E.g. ``51SXC``."""
    processed: datetime | None = None
    """When this product was made; the latest of several reprocessings is kept."""
    granule_metadata: str | None = None
    """Where the granule's own metadata lie, which have its SENSING_TIME."""
    offset_untold: bool = False
    """The item tells no scale, offset or processing baseline: the pixels must tell if ESA's offset is in them."""
    offset_doubtful: bool = False
    """The item says whether the offset is in the pixels already, and such words were found to be wrong at times."""


@dataclass(frozen=True)
class Sighting:
    """That a catalogue lists an image of a port: all that the orbits are told from."""

    platform: str
    acquired: datetime
    """UTC; where a provider gives the datatake's start, that."""
    mgrs_tile: str | None


@dataclass(frozen=True)
class Overpass:
    """One pass of one satellite over one place: scenes that are read as one image."""

    overpass_id: str
    port: str | None
    acquired: datetime
    """UTC; of the earliest scene."""
    acquired_sigma_s: float
    """The largest of its scenes'."""
    scenes: tuple[Scene, ...]
    """Sorted by `Scene.scene_id`; no two are reprocessings of one product."""
    tried: tuple[str, ...] = ()
    """Who was asked for it before, and why they could not serve it."""
