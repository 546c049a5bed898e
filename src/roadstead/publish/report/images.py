"""Pictures and local map coordinates of a report."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image as Pillow
from shapely.geometry.base import BaseGeometry

from roadstead.core.geo import Bounds, distance_m
from roadstead.publish.report.data import Image

QUICKLOOK_PX = 1100
FULL_SIZE_QUICKLOOKS = 16
"""With more pictures than these each is made smaller, so that a report stays under about 6 MB."""
CHIP_PX = 128
_QUALITY = 72


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
