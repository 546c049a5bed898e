"""Rows that could not be used, kept as a file with the reason."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pandas as pd

from roadstead.errors import StoreError


def write_quarantine(rows: pd.DataFrame, path: Path) -> Path | None:
    """Write `tables.QUARANTINE` as CSV and return the path; None, and no file, where there are no rows.

    Raises:
        StoreError: the file cannot be written.
    """
    if rows.empty:
        path.unlink(missing_ok=True)
        return None
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows.to_csv(temporary, index=False)
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error
    return path
