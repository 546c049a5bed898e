"""Where the vessels that a finding names were at the overpass, by the reports kept: reconcile's own densities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from roadstead.core.geo import Array
from roadstead.core.schemas import POSITIONS, VESSELS
from roadstead.reconcile.density import Ellipse, ellipse
from roadstead.reconcile.position import GEOREFERENCE_SD_M, predict, with_hull
from roadstead.store.rows import frame

SHARES = (0.5, 0.9)
LEAST_IN_SNAPSHOT = 3
"""A source that gives so many vessels all at one moment placed them there itself."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Spread:
    """One vessel's place at the overpass."""

    mmsi: str
    ellipses: Mapping[float, Ellipse]
    """Share of the density -> the ellipse that holds it."""
    minutes: float
    """Nearest report minus the overpass."""
    doubtful: bool
    """The reports contradict each other, or several transmitters use the MMSI."""


def spreads(
    reports: Sequence[Row],
    static: Sequence[Row],
    moment: datetime,
    sigma_s: float,
    crs: str,
    centre_lonlat: tuple[float, float],
) -> list[Spread]:
    """Return where each vessel of some reports was at a moment, in metres of ``crs``.

    Args:
        reports: all that is kept of these vessels, as rows of `schemas.POSITIONS`.
        static: what they declared of themselves (`schemas.VESSELS`).
        moment: of the overpass, UTC.
        sigma_s: its standard error.
        crs: metric CRS.
        centre_lonlat: a place in it.
    """
    if not reports:
        return []
    positions = with_hull(frame(reports, POSITIONS))
    at, _ = predict(
        positions,
        frame(static, VESSELS),
        moment,
        sigma_s=sigma_s,
        snapshot_times=_snapshots(positions),
        crs=crs,
        centre_lonlat=centre_lonlat,
    )
    return [
        Spread(
            str(at.mmsi[i]),
            {share: ellipse(at, i, share, GEOREFERENCE_SD_M) for share in SHARES},
            float(at.dt_s[i]) / 60,
            bool(at.jumped[i] or at.unsound[i]),
        )
        for i in range(len(at))
    ]


def _snapshots(positions: pd.DataFrame) -> frozenset[datetime]:
    by_source = positions.groupby("source").agg(
        times=("time", "nunique"), hulls=("hull", "nunique"), at=("time", "min")
    )
    placed = by_source[(by_source["times"] == 1) & (by_source["hulls"] >= LEAST_IN_SNAPSHOT)]
    return frozenset(pd.Timestamp(time).to_pydatetime() for time in placed["at"])


def outline(one: Ellipse, points: int = 72) -> Array:
    """Return the (n, 2) metres of an ellipse's edge."""
    turn = np.linspace(0.0, 2 * np.pi, points, endpoint=False)
    course = np.radians(one.course_deg)
    along = np.array([np.sin(course), np.cos(course)])
    across = np.array([along[1], -along[0]])
    return np.asarray(
        np.array(one.xy)
        + one.along_m * np.cos(turn)[:, None] * along
        + one.cross_m * np.sin(turn)[:, None] * across
    )
