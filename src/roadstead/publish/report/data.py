"""What goes into a report, its pictures, and its local map coordinates."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from PIL import Image as Pillow
from shapely.geometry.base import BaseGeometry

from roadstead.core.geo import Bounds, distance_m
from roadstead.core.ports import Port
from roadstead.core.schemas import POSITIONS, empty

Image = NDArray[np.uint8]
QUICKLOOK_PX = 1100
FULL_SIZE_QUICKLOOKS = 16
"""With more pictures than these each is made smaller, so that a report stays under about 6 MB."""
CHIP_PX = 128
_QUALITY = 72


def no_positions() -> pd.DataFrame:
    """Return a table of no position reports, with the columns of `PortReport.positions`."""
    return empty(POSITIONS).assign(simulated=pd.Series(dtype=bool), overpass_id=pd.Series(dtype=object))


@dataclass(frozen=True)
class Quicklook:
    """A picture of one overpass."""

    image: Image
    """RGB [H, W, 3] in EPSG:4326, north up."""
    bounds: Bounds
    """(west, south, east, north) of the picture in degrees."""

    def __post_init__(self) -> None:
        """Refuse anything but 8-bit RGB."""
        if self.image.dtype != np.uint8 or self.image.ndim != 3 or self.image.shape[2] != 3:
            raise ValueError(f"a quicklook is uint8 [H, W, 3], not {self.image.dtype} {self.image.shape}")


@dataclass(frozen=True)
class PortReport:
    """One port over the report's time range; tables as in :mod:`roadstead.core.schemas`."""

    port: Port
    name: str
    """For people, e.g. ``Nampo``."""
    acquisitions: pd.DataFrame
    scenes: gpd.GeoDataFrame
    detections: gpd.GeoDataFrame
    matches: gpd.GeoDataFrame
    counts: pd.DataFrame
    vessels: pd.DataFrame
    ledger: pd.DataFrame
    """`schemas.LEDGER` of the range, with passes that no catalogue lists."""
    coast: BaseGeometry | None = None
    """Land, EPSG:4326."""
    quicklooks: Mapping[str, Quicklook] = field(default_factory=dict)
    """Overpass id -> picture."""
    chips: Mapping[str, Image] = field(default_factory=dict)
    """Detection id -> cut-out, RGB [H, W, 3]."""
    positions: pd.DataFrame = field(default_factory=no_positions)
    """`schemas.POSITIONS` kept as evidence, with ``overpass_id`` and ``simulated``."""


@dataclass(frozen=True)
class ReportData:
    """One report."""

    ports: tuple[PortReport, ...]
    start: datetime
    """First moment, UTC."""
    end: datetime
    """First moment after the range, UTC."""
    reasons: Mapping[str, str]
    """Reason code -> words, with what else could explain it."""
    conflicts: Mapping[str, str]
    """Conflict code -> words."""
    provenance: Mapping[str, str] = field(default_factory=dict)
    """More about the run, e.g. catalogue, AIS files, seed: name -> text."""


def quicklook_px(pictures: int) -> int:
    """Return the longest side of a picture in a report that holds this many."""
    return round(QUICKLOOK_PX * min(1.0, math.sqrt(FULL_SIZE_QUICKLOOKS / max(pictures, 1))))


def data_uri(image: Image, max_px: int) -> str:
    """Return a picture as a WebP ``data:`` URI, made smaller where it is larger than ``max_px``."""
    picture = Pillow.fromarray(image)
    picture.thumbnail((max_px, max_px), Pillow.Resampling.LANCZOS)
    buffer = BytesIO()
    picture.save(buffer, "WEBP", quality=_QUALITY, method=5)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


@dataclass(frozen=True)
class LocalMap:
    """Kilometres east and north of a centre: linear in longitude and latitude, so pictures need no warping.

    Shapes are true at the centre's latitude; a degree of latitude away lengths east-west are 1-2 % off.
    """

    lon: float
    lat: float

    @property
    def km_per_degree(self) -> tuple[float, float]:
        """(east, north) at the centre."""
        here, step = np.array([[self.lon, self.lat]]), 0.05
        east, north = np.array([[step, 0.0]]), np.array([[0.0, step]])
        across = distance_m(here - east, here + east)[0]
        along = distance_m(here - north, here + north)[0]
        return float(across) / 1000.0 / (2 * step), float(along) / 1000.0 / (2 * step)

    def km(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map (n, 2) degrees to (n, 2) kilometres."""
        return (np.asarray(lonlat, float) - [self.lon, self.lat]) * self.km_per_degree

    def km_of(self, lon: float, lat: float) -> tuple[float, float]:
        """Return one point in kilometres, to the metre."""
        ((x, y),) = self.km(np.array([[lon, lat]])).round(3)
        return float(x), float(y)

    def place(self, geometry: BaseGeometry) -> BaseGeometry:
        """Return a geometry of degrees in kilometres."""
        return shapely.transform(geometry, self.km)

    def box(self, bounds: Bounds) -> Bounds:
        """Return (west, south, east, north) of degrees in kilometres."""
        (west, south), (east, north) = self.km(np.array([bounds[:2], bounds[2:]]))
        return float(west), float(south), float(east), float(north)


def local_map(bounds: Bounds) -> LocalMap:
    """Return the map centred on bounds in degrees."""
    west, south, east, north = bounds
    return LocalMap((west + east) / 2.0, (south + north) / 2.0)
