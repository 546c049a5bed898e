"""`AisData`: the four AIS tables of one or more sources, on what terms they came, and what became of every row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, Final, Literal, cast, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadstead.core.errors import UsageError
from roadstead.core.geo import Array
from roadstead.core.schemas import POSITIONS, QUARANTINE, STATIONS, VESSELS, empty

Box = tuple[float, float, float, float]
"""(west, south, east, north) in degrees; west > east crosses the 180th meridian."""
Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all)."""


SIMULATED_SOURCE: Final = "SIM-"
"""Sources of simulated AIS are named so; nothing else in a message could tell it from the real."""
Receiver = Literal["terrestrial", "satellite", "mixed", "unknown"]
RECEIVERS: tuple[Receiver, ...] = get_args(Receiver)


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


@dataclass(frozen=True)
class Tally:
    """Rows by what became of them; a multipart message is one row, and so is a line that could not be read."""

    positions: int = 0
    """Position reports of ships that were kept."""
    stations: int = 0
    """Reports of transmitters that are no ships, kept as evidence of reception."""
    static: int = 0
    """Rows that hold static data alone."""
    duplicates: int = 0
    """The same report again, from this receiver or another."""
    out_of_reach: int = 0
    """Good rows from elsewhere, or from another time, than what was asked for."""
    quarantined: int = 0
    """Rows of which nothing could be used; each is in the quarantine with a reason."""
    passed_over: int = 0
    """Messages of kinds, and sentences of instruments, that say nothing of a ship; rows that declare nothing."""

    @property
    def kept(self) -> int:
        """Rows of which something was kept."""
        return self.positions + self.stations + self.static

    @property
    def read(self) -> int:
        """All rows."""
        return sum(getattr(self, part.name) for part in fields(self))

    def __add__(self, other: Tally) -> Tally:
        """Add two files, or two parts of one."""
        return Tally(**{name: value + getattr(other, name) for name, value in asdict(self).items()})

    def as_json(self) -> dict[str, Any]:
        """Return the parts and their sums."""
        return {"read": self.read, "kept": self.kept, **asdict(self)}


@dataclass(frozen=True)
class Source:
    """One source of AIS and its terms; what the user did not say is unknown, never assumed."""

    name: str | None = None
    """None: rows are named by the station in their tag block, or by the file."""
    licence: str | None = None
    """Name or address of the licence or contract."""
    redistribute: bool | None = None
    """Whether the reports may be passed on to others."""
    thinning_s: float | None = None
    """The source passes on one report of a ship in so many seconds; 0: all of them."""
    receiver: Receiver = "unknown"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            UsageError: a thinning interval below 0, or a receiver of no known kind.
        """
        if self.thinning_s is not None and not self.thinning_s >= 0.0:
            raise UsageError(f"--thinning-s {self.thinning_s}: seconds cannot be below 0")
        if self.receiver not in RECEIVERS:
            raise UsageError(f"--receiver {self.receiver}: write one of {', '.join(RECEIVERS)}")

    @property
    def says_something(self) -> bool:
        """True where the user said more than a name."""
        return self != Source(self.name)

    def as_json(self) -> dict[str, Any]:
        """Return the record as it is written."""
        return asdict(self)

    @classmethod
    def of(cls, record: Mapping[str, Any] | None, name: str | None) -> Source:
        """Return a source from its record; unknown terms where there is none."""
        return cls(**record) if record else cls(name)
