"""Runs of reports of one hull for which something holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def seconds_of(times: pd.Series) -> NDArray[np.float64]:
    """Return UTC times as seconds since 1970."""
    return times.to_numpy("datetime64[ns]").astype(np.int64) / 1e9


@dataclass(frozen=True)
class Run:
    """Consecutive reports of one hull."""

    rows: pd.DataFrame
    """With ``seconds``, in order of time."""
    before: bool
    """A report of the hull precedes it."""
    after: bool
    """A report of the hull follows it."""

    @cached_property
    def _steps(self) -> NDArray[np.float64]:
        return np.diff(self.rows["seconds"].to_numpy(float))

    @property
    def seconds(self) -> float:
        """From the first report to the last."""
        return float(self._steps.sum())

    @property
    def longest_step_s(self) -> float:
        """Longest time between two reports."""
        return float(self._steps.max(initial=0.0))

    def lasting(self, holds: NDArray[np.bool_]) -> float:
        """Return the seconds between reports that both fulfil a condition."""
        return float(self._steps[holds[:-1] & holds[1:]].sum())


def runs_of(reports: pd.DataFrame, holds: NDArray[np.bool_], longest_step_s: float) -> Iterator[Run]:
    """Yield the runs of reports for which a condition holds, cut where a hull is silent for longer.

    Args:
        reports: ordered by ``hull`` and ``seconds``.
        holds: which reports fulfil the condition.
        longest_step_s: longest time between two reports of a run.
    """
    hull, seconds = reports["hull"].to_numpy(), reports["seconds"].to_numpy(float)
    cut = np.ones(len(reports), dtype=bool)
    cut[1:] = (hull[1:] != hull[:-1]) | (holds[1:] != holds[:-1]) | (np.diff(seconds) > longest_step_s)
    edges = np.append(np.flatnonzero(cut), len(reports))
    for first, last in pairwise(edges.tolist()):
        if holds[first]:
            before = bool(first > 0 and hull[first - 1] == hull[first])
            after = bool(last < len(reports) and hull[last] == hull[first])
            yield Run(reports.iloc[first:last], before, after)
