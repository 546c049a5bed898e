"""Rows that could not be used, kept as a file with the reason."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from roadstead.core.atomic_files import write_text
from roadstead.core.spreadsheet import csv_text


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
