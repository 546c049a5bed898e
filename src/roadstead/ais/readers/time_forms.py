"""Times as files write them: ISO 8601 and its relatives, epochs in any unit, and local dates where they are clear.

``03/04/2024`` is March or April: which, is told by the other dates of the file (a number above 12 is a day), never
guessed. A time without a zone is UTC.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadstead.ais.readers.layouts import Layout
from roadstead.core.errors import AisError

ISO = "ISO8601"
_LAST_S = 9e9
"""Later (in the year 2255) does not fit nanoseconds, nor any log."""
_EPOCHS = (1.0, 1e3, 1e6, 1e9)
"""Parts of a second that epochs are counted in: s, ms, us, ns."""
_FIRST_S, _END_S = 788_918_400.0, 4_102_444_800.0
"""1995 and 2100: between them the size of an epoch tells its unit."""
_NUMBER = re.compile(r"\d{9,19}(?:\.\d*)?")
_COMPACT = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_ZONED = re.compile(r"\d[T ]?\d\d:?\d\d(?::?\d\d)?(?:[.,]\d+)?\s*(?:Z|[+-]\d\d(?::?\d\d)?)$")
_UTC_WORD = re.compile(r"\s*(?:UTC|GMT|utc|gmt)(?:\s+m=\S+)?$")
_WORDED = ("%d %b %Y %H:%M:%S", "%d-%b-%Y %H:%M:%S", "%d %B %Y %H:%M:%S", "%d-%b-%Y %H:%M", "%d %b %Y %H:%M",
           "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%a %b %d %H:%M:%S %Y", "%a, %d %b %Y %H:%M:%S")  # fmt: skip
"""Forms that mean one time only; dates with dots have the day first wherever they are written."""
_LOCAL = re.compile(
    r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d\d)(,? +|T)(\d{1,2}):\d\d(:\d\d)?([.,]\d+)?( ?[AaPp][Mm])?"
)


def from_epoch(seconds: NDArray[np.float64]) -> pd.DatetimeIndex:
    """Return the times (UTC) of seconds since 1970, to the microsecond; NaT for what no clock tells."""
    with np.errstate(invalid="ignore"):
        known = np.abs(seconds) < _LAST_S
    micros = np.round(np.where(known, seconds, 0.0) * 1e6).astype(np.int64)
    times = (micros * 1000).astype("datetime64[ns]")
    times[~known] = np.datetime64("NaT")
    return pd.DatetimeIndex(times, tz="UTC")


def seconds_of_epochs(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return epochs of any unit as seconds, each unit told by the size of the number; NaN where it tells none."""
    seconds = np.full(len(values), np.nan)
    for parts in _EPOCHS:
        with np.errstate(invalid="ignore"):
            fits = (values >= _FIRST_S * parts) & (values < _END_S * parts)
        seconds[fits] = values[fits] / parts
    return seconds


def times_of_words(words: pd.Series, form: str) -> pd.DatetimeIndex:
    """Return datetime64[ns, UTC] of spellings of times; NaT where one is no time of the form.

    Args:
        words: text, each spelling once.
        form: a strptime pattern, or ``ISO8601``, with which epochs and the forms of `_WORDED` are read too.
    """
    if form != ISO:
        return _index(pd.to_datetime(words, format=form, utc=True, errors="coerce"))
    made = _iso(words)
    odd = np.flatnonzero(made.isna() & words.notna().to_numpy())
    if not len(odd):
        return made
    values = made.to_numpy("datetime64[ns]").copy()
    values[odd] = _odd(words.iloc[odd].astype(str).str.strip()).to_numpy("datetime64[ns]")
    return pd.DatetimeIndex(values, tz="UTC")


def _index(parsed: pd.Series) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(parsed.astype("datetime64[ns, UTC]"))


def _iso(words: pd.Series) -> pd.DatetimeIndex:
    """Parse ISO 8601; pandas gives a time without a zone the zone of the one before it, so the two are kept apart."""
    text = "".join(map(str, words))
    if "+" not in text and text.count("-") <= 2 * len(words):
        return _index(pd.to_datetime(words, format=ISO, utc=True, errors="coerce"))
    zoned = words.astype(str).str.contains(_ZONED).to_numpy(bool)
    values = np.full(len(words), np.datetime64("NaT"), "datetime64[ns]")
    for part in (zoned, ~zoned):
        parsed = pd.to_datetime(words[part], format=ISO, utc=True, errors="coerce")
        values[part] = _index(parsed).to_numpy("datetime64[ns]")
    return pd.DatetimeIndex(values, tz="UTC")


def _odd(words: pd.Series) -> pd.DatetimeIndex:
    """Return times that ISO 8601 alone does not explain."""
    numeric = words.str.fullmatch(_NUMBER).to_numpy(bool)
    numbers = pd.to_numeric(words.where(numeric), errors="coerce").to_numpy(float)
    values = from_epoch(seconds_of_epochs(numbers)).to_numpy("datetime64[ns]").copy()
    rest = np.flatnonzero(np.isnat(values))
    bare = words.iloc[rest].str.replace(_UTC_WORD, "", regex=True)
    values[rest] = _iso(bare).to_numpy("datetime64[ns]")
    for n in np.flatnonzero(np.isnat(values)):
        values[n] = np.datetime64(_worded(_UTC_WORD.sub("", words.iloc[n])), "ns")
    return pd.DatetimeIndex(values, tz="UTC")


def _worded(word: str) -> datetime | None:
    """Return the time (without zone, UTC) of one spelling; None where it is none that is clear."""
    forms = (_COMPACT[len(word)],) if word.isdigit() and len(word) in _COMPACT else _WORDED
    for form in forms:
        try:
            return datetime.strptime(word, form)
        except ValueError:
            continue
    return _plain_iso(word)


def _plain_iso(word: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(word)
    except ValueError:
        return None
    return read if read.tzinfo is None else read.astimezone(UTC).replace(tzinfo=None)


def with_time_form(layout: Layout, cells: Sequence[object], path: Path) -> Layout:
    """Return the layout with the form that a file's first times have, where the layout's own fits none of them.

    Raises:
        AisError: the times are local dates of which day and month cannot be told apart.
    """
    words = pd.Series([str(cell) for cell in cells], dtype=object)
    if layout.time_unit is not None or words.empty or times_of_words(words, layout.time_format).notna().any():
        return layout
    if layout.time_format != ISO and times_of_words(words, ISO).notna().any():
        return replace(layout, time_format=ISO)
    local = [found for found in map(_LOCAL.fullmatch, words.str.strip()) if found]
    return replace(layout, time_format=_local_form(local, path)) if local else layout


def _local_form(local: Sequence[re.Match[str]], path: Path) -> str:
    """Return the strptime pattern of local dates."""
    first, second = (max(int(found[n]) for found in local) for n in (1, 3))
    _, mark, _, year, between, _, second_part, fraction, half = local[0].groups()
    if first > 12 and second > 12:
        raise AisError(
            f"{path}: {local[0][0]!r} and others are no dates: name their `time_format` in a column mapping"
        )
    if first <= 12 and second <= 12 and mark != ".":
        raise AisError(
            f"{path}: times such as {local[0][0]!r} may have the day or the month first, and no date in the file tells "
            'which: give a column mapping with `time_format`, e.g. "%d/%m/%Y %H:%M" or "%m/%d/%Y %H:%M"'
        )
    day_first = first > 12 or (second <= 12 and mark == ".")
    days = ("%d", "%m") if day_first else ("%m", "%d")
    clock = (
        ("%I" if half else "%H")
        + ":%M"
        + (":%S" if second_part else "")
        + (f"{fraction[0]}%f" if fraction else "")
    )
    ending = f"{' ' if half.startswith(' ') else ''}%p" if half else ""
    return mark.join((*days, "%Y" if len(year) == 4 else "%y")) + between + clock + ending
