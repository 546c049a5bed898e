"""What every reader of a file yields: a batch of rows, still as the source wrote them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

IntArray = NDArray[np.intp]

DYNAMIC = ("lon", "lat", "sog_kn", "cog_deg", "heading_deg", "nav_status")
DIMENSIONS = ("to_bow_m", "to_stern_m", "to_port_m", "to_starboard_m")
STATIC = (
    "imo",
    "name",
    "callsign",
    "ship_type",
    *DIMENSIONS,
    "length_m",
    "beam_m",
    "draught_m",
    "destination",
)
COLUMNS = ("mmsi", "time", *DYNAMIC, *STATIC, "ais_class", "message", "source")
"""The columns that a table may hold, by our names."""
NUMERIC = frozenset(
    {
        "mmsi",
        "message",
        "lon",
        "lat",
        "sog_kn",
        "cog_deg",
        "heading_deg",
        *DIMENSIONS,
        "length_m",
        "beam_m",
        "draught_m",
    }
)


@dataclass(frozen=True)
class Fault:
    """One row, or one field of a row, that cannot be used."""

    row: int
    """1-based line of the file (the header is line 1); for Parquet the row."""
    field: str
    reason: str
    content: str


@dataclass(frozen=True)
class Batch:
    """Some rows of one file.

    ``rows`` has a RangeIndex, ``row`` (the 1-based line) and those of `COLUMNS` that the source has, values as it
    wrote them, except ``time``: datetime64[ns, UTC], NaT where it cannot be read. A boolean ``positional`` column,
    where there is one, is False for messages that carry no position by their kind.
    """

    rows: pd.DataFrame
    content: Callable[[int], str]
    """Line to the row's text, for the quarantine."""
    faults: Sequence[Fault] = field(default_factory=tuple)
    """What the reader itself refused: each a row of its own."""
    bytes_done: int = 0
    """Bytes of the file, as it lies on disk, read so far."""
    passed_over: int = 0
    """Messages and sentences of kinds that hold neither a place nor static data of a ship."""
    more: Callable[[IntArray], pd.DataFrame] | None = None
    """Columns that ``rows`` lacks, for the rows at some places (0-based): read only for what is kept."""

    def rest(self, places: IntArray, known: Sequence[str]) -> pd.DataFrame:
        """Return all columns but ``known`` of the rows at some places, indexed 0, 1, ..."""
        held = self.rows[[name for name in self.rows.columns if name not in known]]
        near = held.take(places).reset_index(drop=True)
        if self.more is None:
            return near
        more = self.more(places).reset_index(drop=True)
        return pd.concat([near, more[more.columns.difference(self.rows.columns)]], axis=1)
