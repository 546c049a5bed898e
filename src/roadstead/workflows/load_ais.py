"""Loading the AIS that lies around images, and keeping the rows that could not be used, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from roadstead.ais import AisData, load_ais
from roadstead.core.atomic_files import csv_text, write_text
from roadstead.core.geo import Bounds
from roadstead.reconcile.false_positions import REST_WINDOW_H

MARGIN_DEG = 0.3
"""AIS this far around is kept: dead reckoning and reception need the neighbourhood."""


def widened(bounds: Bounds) -> Bounds:
    """Return (west, south, east, north) in degrees with `MARGIN_DEG` more on each side."""
    west, south, east, north = bounds
    return west - MARGIN_DEG, south - MARGIN_DEG, east + MARGIN_DEG, north + MARGIN_DEG


def load_around(
    paths: Sequence[str], mapping: Path | None, bounds: Bounds, times: Sequence[datetime], hours: float
) -> AisData:
    """Load AIS files or stores around some bounds (degrees), from ``hours`` before to ``hours`` after some times.

    No fewer than `REST_WINDOW_H`: where a vessel lay days ago tells of hulls whose declared position is false.

    Raises:
        AisError: a file cannot be used.
    """
    reach = timedelta(hours=max(hours, REST_WINDOW_H))
    return load_ais(
        paths, mapping=mapping, within=widened(bounds), start=min(times) - reach, end=max(times) + reach
    )


def write_quarantine(rows: pd.DataFrame, path: Path) -> Path | None:
    """Write `schemas.QUARANTINE` as CSV and return the path; None, and no file, where there are no rows.

    Raises:
        StoreError: the file cannot be written.
    """
    if rows.empty:
        path.unlink(missing_ok=True)
        return None
    write_text(path, csv_text(rows))
    return path
