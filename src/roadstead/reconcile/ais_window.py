"""The AIS around one overpass: cut once, for matching, counting, evidence and the fingerprint of the inputs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pandas as pd

from roadstead.ais import AisData
from roadstead.reconcile.false_positions import REST_WINDOW_H


@dataclass(frozen=True)
class AisWindow:
    """The AIS around one overpass, of which some position report speaks for it."""

    ais: AisData
    """Its positions are those of the days around (`REST_WINDOW_H`, or ``hours`` where that is more): where a vessel lay
    before and after tells of hulls whose declared position is false."""
    speaks: pd.Series
    """For each row of ``ais.positions``, whether it lies within ``hours`` of the overpass."""
    hours: float

    @property
    def positions(self) -> pd.DataFrame:
        """`schemas.POSITIONS` that speak for the overpass."""
        return self.ais.positions[self.speaks]


def cut_ais_window(ais: AisData | None, acquired: datetime, hours: float) -> AisWindow | None:
    """Return the AIS around an overpass; None where no position report speaks for it.

    Args:
        ais: of any time and length; None where there is none.
        acquired: time of the overpass's earliest scene, UTC.
        hours: reports so long before and after speak for it.
    """
    if ais is None:
        return None
    away = (ais.positions["time"] - pd.Timestamp(acquired)).abs()
    reach = timedelta(hours=hours)
    if not (away <= reach).any():
        return None
    kept = away <= max(reach, timedelta(hours=REST_WINDOW_H))
    positions = ais.positions[kept].reset_index(drop=True)
    return AisWindow(replace(ais, positions=positions), (away[kept] <= reach).reset_index(drop=True), hours)
