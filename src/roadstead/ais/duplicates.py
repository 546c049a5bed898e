"""The same report again: heard by two receivers, logged twice, or read from overlapping files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadstead.ais.readers.batch import DYNAMIC

SAME_S = 2.0
"""Two receivers log one message this far apart at most; no transmitter sends the same twice within it."""
REMEMBERED = 100_000
"""Reports kept in mind over batches of one file."""
_SAID = ("mmsi", *DYNAMIC, "ais_class")


@dataclass(frozen=True)
class _Reports:
    said: NDArray[np.uint64]
    """Hash of all but time and source."""
    time: NDArray[np.int64]
    """Nanoseconds."""
    source: NDArray[np.uint64]
    """Hash of the source."""

    def joined(self, later: _Reports) -> _Reports:
        return _Reports(*(np.concatenate([getattr(self, n), getattr(later, n)]) for n in vars(self)))

    def kept(self, which: Any) -> _Reports:  # noqa: ANN401 - any index of an array
        return _Reports(*(getattr(self, n)[which] for n in vars(self)))

    def repeats(self) -> NDArray[np.bool_]:
        """Return the reports that say what one before them in the table says, at the same time or from elsewhere."""
        order = np.lexsort((self.time, self.said))
        there = self.kept(order)
        near = (there.said[1:] == there.said[:-1]) & (np.diff(there.time) <= int(SAME_S * 1e9))
        same = near & ((np.diff(there.time) == 0) | (there.source[1:] != there.source[:-1]))
        again = np.zeros(len(order), dtype=bool)
        again[np.maximum(order[1:], order[:-1])[same]] = True  # the later in the table goes
        return again


_NONE = _Reports(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.uint64))


def _hashes(cells: pd.DataFrame | pd.Series) -> NDArray[np.uint64]:
    return np.asarray(pd.util.hash_pandas_object(cells, index=False), dtype=np.uint64)


def _reports(positions: pd.DataFrame) -> _Reports:
    return _Reports(
        _hashes(positions[list(_SAID)]),
        positions["time"].to_numpy("datetime64[ns]").astype(np.int64),
        _hashes(positions["source"]),
    )


def repeats(positions: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which reports (`schemas.POSITIONS`) are one before them again."""
    return _reports(positions).repeats() if len(positions) else np.zeros(0, dtype=bool)


@dataclass
class Memory:
    """Knows the same report again over the batches of one file."""

    _last: _Reports = field(default=_NONE)

    def repeats(self, positions: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which reports of the next batch were there already, in it or before it."""
        if positions.empty:
            return np.zeros(0, dtype=bool)
        both = self._last.joined(_reports(positions))
        again = both.repeats()
        self._last = both.kept(~again).kept(slice(-REMEMBERED, None))
        return again[-len(positions) :]
