"""What goes into a dossier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import geopandas as gpd
import pandas as pd

from roadstead.publish.report.data import Image
from roadstead.publish.wording import declared_texts

WITHHOLD_ALL = "all"
"""Stands for every AIS source."""


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
class Chain:
    """The chain of decisions as it stood when the dossier was made."""

    rows: int
    head: str
    """SHA-256 of its last row; 64 zeros where nothing was decided yet."""


@dataclass(frozen=True)
class Attached:
    """A file that an analyst attached, as the chain of decisions tells of it."""

    number: int
    """Of its row in the chain."""
    name: str
    content: bytes
    sha256: str
    by: str
    when: datetime
    licence: str
    source: str
    note: str

    @property
    def path(self) -> str:
        """Its name in the dossier's folder."""
        return f"attached/{self.number}-{self.name}"

    @property
    def texts(self) -> frozenset[str]:
        """Every text that an analyst typed in."""
        return frozenset(filter(None, (self.name, self.by, self.licence, self.source, self.note)))


@dataclass(frozen=True)
class Finding:
    """One detection and all that the store holds of it."""

    port: str
    zone_name: str
    detection: gpd.GeoDataFrame
    """`schemas.DETECTIONS`, one row."""
    match: gpd.GeoDataFrame
    """`schemas.MATCHES`: its row, or none."""
    acquisition: Mapping[Any, Any]
    """Its row of `schemas.ACQUISITIONS`."""
    scene: Mapping[Any, Any] | None
    """Its row of `schemas.SCENES`."""
    positions: pd.DataFrame
    """`schemas.POSITIONS` of the vessels that the match names, those withheld left out."""
    vessels: pd.DataFrame
    """`schemas.VESSELS` of the same, those withheld left out."""
    withheld: Mapping[str, int] = field(default_factory=dict)
    """AIS source -> rows left out because it may not be passed on."""
    decisions: Sequence[Mapping[str, Any]] = ()
    """Rows of the chain about it, oldest first, times as ISO 8601, with ``said``: the words of people in them."""
    chain: Chain | None = None
    chip: Image | None = None
    imagery: Imagery = Imagery("The scene was not read again.")
    attached: tuple[Attached, ...] = ()
    """Files whose licence lets them be passed on."""
    drawn: str = ""
    """How the decision that stands drew its box anew, in words; empty where none did."""
    attached_withheld: int = 0
    """Files left out because theirs does not."""

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
    def noted(self) -> frozenset[str]:
        """Every text that people wrote about it, and their names."""
        return frozenset(text for row in self.decisions for text in (row["user_name"], *row["said"]))

    @property
    def declared(self) -> frozenset[str]:
        """Every text that a ship declared of itself."""
        return declared_texts(self.vessels)
