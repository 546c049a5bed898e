"""Files as we write them: whole or not at all, and CSV that a spreadsheet opens as written.

CSV that a spreadsheet opens as written: UTF-8 with a byte order mark, and text that stays text.

A spreadsheet takes ``=...`` for a formula, ``007712340`` for a number, ``1E5`` for 100000 and ``MAY 1`` for a date.
Text that it would take so begins with an apostrophe in the file; `text_of_cell` takes the apostrophe away again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd

from roadstead.core.errors import StoreError

BOM = "\ufeff"
"""Without it spreadsheets take UTF-8 for the local code page."""
_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?)"
)
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_NO_TEXT = re.compile(
    rf"""[\d.,\s]*\d[\d.,\s]*(?:e[+-]?\d+)?\s*%?        # a number
        | \d{{1,4}}[-/.:]\d{{1,2}}(?:[-/.:]\d{{1,4}})?   # a date or a time of day
        | {_MONTH}[\s./-]*\d{{1,4}} | \d{{1,2}}[\s./-]*{_MONTH}(?:[\s./-]*\d{{1,4}})?
        | true | false
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LONGEST = 40
"""No longer text is taken for a number or a date."""


def refuse_special(path: Path) -> None:
    """Raise `StoreError` where a path is a device, pipe or folder: renaming onto it would destroy it."""
    if path.exists() and not path.is_file():
        raise StoreError(f"{path}: is no regular file; name a file to write")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to, in a folder that is made; at the end it takes the file's place.

    Where writing fails nothing is left of it, and an earlier file is as it was. The temporary name keeps the suffix.

    Raises:
        StoreError: the file cannot be written, or is no regular file.
    """
    refuse_special(path)
    temporary = path.with_name(f".{path.stem}.tmp{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes.

    Raises:
        StoreError: the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text; line ends stay as they are.

    Raises:
        StoreError: the file cannot be written.
    """
    write_bytes(path, text.encode())


def _is_taken_for_other(text: str) -> bool:
    plain = text.lstrip("'")
    return plain.startswith(_FORMULA) or (len(plain) <= _LONGEST and bool(_NO_TEXT.fullmatch(plain)))


def cell_of_text(text: str) -> str:
    """Return text as a cell that a spreadsheet leaves as text."""
    return f"'{text}" if _is_taken_for_other(text) else text


def text_of_cell(cell: str) -> str:
    """Return the text that `cell_of_text` made a cell of; what begins with another apostrophe stays as it is."""
    return cell[1:] if cell.startswith("'") and _is_taken_for_other(cell[1:]) else cell


def cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as its cells are written: times in ISO 8601 UTC, true and false, text that stays text."""
    flat = table.copy()
    for name, dtype in flat.dtypes.items():
        if isinstance(dtype, pd.DatetimeTZDtype):
            flat[name] = flat[name].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        elif not pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
            flat[name] = flat[name].astype(object).map(_cell)
    return flat


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as CSV: a byte order mark, one header line, commas; nothing is an empty cell."""
    return BOM + cells(table).to_csv(index=False, lineterminator="\n")


def _cell(value: object) -> object:
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    return cell_of_text(value) if isinstance(value, str) else value
