"""What goes into a dossier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd

from roadstead.export.report.data import Image

WITHHOLD_ALL = "all"
"""Stands for every AIS source."""
FREE_TEXT = ("name", "callsign", "destination")
"""Columns of `tables.VESSELS` that a ship fills in as it likes."""


@dataclass(frozen=True)
class Imagery:
    """What the scene still gives, read again for the dossier."""

    note: str
    """In words: what was read, or that it could not be."""
    item: Mapping[str, Any] | None = None
    """The STAC item's JSON as it stands now."""
    item_sha256: str | None = None
    """Of `item`; the store holds the one of then."""
    pixels: bytes | None = None
    """GeoTIFF of all bands around the hull, digital numbers."""


@dataclass(frozen=True)
class Finding:
    """One detection and all that the store holds of it."""

    port: str
    zone_name: str
    detection: gpd.GeoDataFrame
    """`tables.DETECTIONS`, one row."""
    match: gpd.GeoDataFrame
    """`tables.MATCHES`: its row, or none."""
    acquisition: Mapping[Any, Any]
    """Its row of `tables.ACQUISITIONS`."""
    scene: Mapping[Any, Any] | None
    """Its row of `tables.SCENES`."""
    positions: pd.DataFrame
    """`tables.POSITIONS` of the vessels that the match names, those withheld left out."""
    vessels: pd.DataFrame
    """`tables.VESSELS` of the same, those withheld left out."""
    withheld: Mapping[str, int] = field(default_factory=dict)
    """AIS source -> rows left out because it may not be passed on."""
    decisions: tuple[Mapping[str, Any], ...] = ()
    """Every row of the chain about it, oldest first, as JSON-ready columns with `said`, its words."""
    chain_head: str = ""
    """Hash of the newest row of the store's chain when it was made."""
    chip: Image | None = None
    imagery: Imagery = Imagery("The scene was not read again.")

    @property
    def hull(self) -> Mapping[Any, Any]:
        """The detection as one row."""
        return self.detection.to_dict("records")[0]  # type: ignore[no-any-return]

    @property
    def pairing(self) -> Mapping[Any, Any] | None:
        """The match as one row."""
        return self.match.to_dict("records")[0] if len(self.match) else None

    @property
    def key(self) -> str:
        """Its detection id."""
        return str(self.hull["detection_id"])

    @property
    def simulated(self) -> bool:
        """Whether anything in it is simulated."""
        return bool(self.hull["simulated"]) or bool(self.match["simulated"].any())

    @property
    def declared(self) -> frozenset[str]:
        """Every text that a ship declared of itself."""
        cells = (value for name in FREE_TEXT for value in self.vessels[name].dropna())
        return frozenset(str(value) for value in cells)
