"""`AisData`: the four AIS tables of one or more sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadstead.core.geo import Array
from roadstead.core.schemas import POSITIONS, QUARANTINE, STATIONS, VESSELS, empty

Box = tuple[float, float, float, float]
"""(west, south, east, north) in degrees; west > east crosses the 180th meridian."""
Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all)."""


SIMULATED_SOURCE: Final = "SIM-"
"""Sources of simulated AIS are named so; nothing else in a message could tell it from the real."""


def from_simulator(source: pd.Series) -> bool:
    """Return whether any of these sources is a simulated one."""
    return bool(source.str.startswith(SIMULATED_SOURCE, na=False).any())


@dataclass(frozen=True)
class AisData:
    """What vessels declared over AIS, cleaned, with what could not be used beside it."""

    positions: pd.DataFrame = field(
        default_factory=lambda: empty(POSITIONS).assign(sigma_m=float("nan"), segment=0)
    )
    """`schemas.POSITIONS`, ordered by MMSI and time, plus ``segment``: the number of the hull among those that
    use the MMSI (0 where there is one), and ``sigma_m``: standard deviation (m, each axis) of a coarse position
    (message 27), null for all others."""
    vessels: pd.DataFrame = field(default_factory=lambda: empty(VESSELS))
    """`schemas.VESSELS`."""
    stations: pd.DataFrame = field(default_factory=lambda: empty(STATIONS))
    """`schemas.STATIONS`."""
    quarantine: pd.DataFrame = field(default_factory=lambda: empty(QUARANTINE))
    """`schemas.QUARANTINE`; the row is the line of the file (header included), for Parquet the row."""
    snapshot_times: frozenset[datetime] = frozenset()
    """Times of sources whose reports all share one time: already placed at an overpass by their makers."""
    duplicates: int = 0
    """Reports that were the same as another and were dropped."""


@dataclass(frozen=True)
class Window:
    """What of a file is kept."""

    within: Box | Sequence[Box] | None = None
    """A box, or several of which one must hold a position."""
    start: datetime | None = None
    """Inclusive, as is ``end``; static data is kept whatever its time."""
    end: datetime | None = None

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The boxes; none where every place is kept."""
        if self.within is None:
            return ()
        given = tuple(self.within)
        one = bool(given) and isinstance(given[0], (int, float))
        return (cast(Box, given),) if one else cast(tuple[Box, ...], given)

    @property
    def is_open(self) -> bool:
        """True where everything is kept."""
        return self.within is None and self.start is None and self.end is None

    def holds(self, lon: Array, lat: Array, time: pd.Series) -> NDArray[np.bool_]:
        """Return which reports lie in the box and in [start, end]; a place of NaN is in no box."""
        kept = np.ones(len(lon), dtype=bool)
        if self.boxes:
            kept = np.zeros(len(lon), dtype=bool)
        for west, south, east, north in self.boxes:
            across = (lon >= west) | (lon <= east) if west > east else (lon >= west) & (lon <= east)
            kept |= across & (lat >= south) & (lat <= north)
        return kept if self.start is None and self.end is None else kept & self.holds_time(time).to_numpy()

    def holds_time(self, time: pd.Series) -> pd.Series:
        """Return which times (UTC) lie in [start, end]."""
        kept = pd.Series(True, index=time.index)
        if self.start is not None:
            kept &= time >= self.start
        if self.end is not None:
            kept &= time <= self.end
        return kept
