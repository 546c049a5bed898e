"""What goes into a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from roadstead.core.geo import Bounds
from roadstead.core.ports import Port
from roadstead.core.schemas import POSITIONS, empty

Image = NDArray[np.uint8]


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
