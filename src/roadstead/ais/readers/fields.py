"""Columns as a source wrote them to our names, units, numbers, text and codes; what cannot be used gets a reason.

Words repeat from row to row, so each spelling is looked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadstead.ais.codes import NULLS
from roadstead.ais.readers.batch import Batch, Fault
from roadstead.ais.readers.layouts import KNOTS, PARTS_OF_A_SECOND, Layout
from roadstead.ais.readers.time_forms import from_epoch, seconds_of_epochs, times_of_words
from roadstead.core.atomic_files import text_of_cell


@dataclass
class Faults:
    """Collects faults of one batch."""

    batch: Batch
    found: list[Fault] = field(default_factory=list)

    def add(self, rows: pd.Series, name: str, reason: str) -> None:
        """Note the fault of each line in ``rows``."""
        self.found.extend(Fault(int(row), name, reason, self.batch.content(int(row))) for row in rows)

    def sift(
        self,
        rows: pd.Series,
        good: NDArray[np.bool_],
        tests: Sequence[tuple[NDArray[np.bool_], str, str]],
    ) -> None:
        """Clear in ``good`` the rows that fail a test, each with the reason of the first that it fails."""
        for bad, name, reason in tests:
            failed = bad & good
            if failed.any():
                self.add(rows[failed], name, reason)
                good &= ~bad


def mapped(values: pd.Series, read: Callable[[Any], Any], kind: type = bool) -> NDArray[Any]:
    """Return what ``read`` gives for each value, asked once a spelling; None (False) for null."""
    codes, spelt = pd.factorize(values)
    known: NDArray[Any] = np.empty(len(spelt) + 1, dtype=kind)
    known[:-1] = [read(value) for value in spelt]
    known[-1] = None if kind is object else False
    return np.asarray(known[codes])


def numbers(table: pd.DataFrame, name: str) -> pd.Series:
    """Return a column as floats; null where it is no number."""
    if name not in table:
        return pd.Series(np.nan, index=table.index)
    return as_numbers(table[name])


def as_numbers(column: pd.Series, decimal: str = ".") -> pd.Series:
    """Return a column as floats, rounded as every other reader of decimals does; null where it is no number."""
    if pd.api.types.is_numeric_dtype(column):
        return column.astype(float)
    read = mapped(column, lambda word: _number(word, decimal), object)
    return pd.Series(read.astype(float), index=column.index)


def _number(word: object, decimal: str) -> float:
    spelt = text_of_cell(str(word).strip()).replace(decimal, ".")
    try:
        return np.nan if "_" in spelt else float(spelt)
    except ValueError:
        return np.nan


def text(table: pd.DataFrame, name: str) -> pd.Series:
    """Return a text column without AIS padding; None for words that mean "not known"."""
    if name not in table:
        return pd.Series(None, index=table.index, dtype=object)
    return pd.Series(mapped(table[name], _word, object), index=table.index, dtype=object)


def _word(value: object) -> str | None:
    words = " ".join(text_of_cell(str(value)).replace("@", " ").split())
    return None if words.lower() in NULLS else words


def checked_number(
    table: pd.DataFrame, name: str, faults: Faults, top: float, unset: tuple[float, ...]
) -> pd.Series:
    """Return a column as numbers in [0, top]; null where unset, null with a fault where out of range."""
    values = numbers(table, name).to_numpy(float, copy=True)
    for word in unset:
        values[values == word] = np.nan
    outside = (values < 0) | (values > top)
    if outside.any():
        faults.add(table["row"][outside], name, "out_of_range_field_dropped")
        values[outside] = np.nan
    return pd.Series(values, index=table.index)


def coded(
    table: pd.DataFrame, name: str, faults: Faults, read: Callable[[object], object | None]
) -> pd.Series:
    """Return a column through a reader of codes and words; null with a fault where it raises ValueError."""
    words = text(table, name)
    strange: set[object] = set()

    def known(word: object) -> object | None:
        try:
            return read(word)
        except ValueError:
            strange.add(word)
            return None

    made = pd.Series(mapped(words, known, object), index=table.index, dtype=object)
    if strange:
        faults.add(table.loc[words.isin(strange), "row"], name, "not_understood_field_dropped")
    return made


def named(table: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Return a table of a layout under our column names, constants filled in, times and speeds in our units.

    A table without places holds identities alone: its rows say so (``positional``).
    """
    present = layout.present(table.columns.tolist())
    made = in_our_units(table[list(present.values())].set_axis(list(present), axis=1), layout)
    return made if {"lon", "lat"} <= set(made) else made.assign(positional=False)


def in_our_units(made: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Return a table that has our column names with constants filled in and times and speeds in our units."""
    made = made.assign(**{name: value for name, value in layout.constants.items() if name not in made})
    if "time" in made:
        made["time"] = times(made["time"], layout)
    if "sog_kn" in made and layout.speed_unit != "kn":
        made["sog_kn"] = as_numbers(made["sog_kn"]) * KNOTS[layout.speed_unit]
    for name in set(layout.scale) & set(made):
        made[name] = as_numbers(made[name]) * layout.scale[name]
    return made


def times(values: pd.Series, layout: Layout) -> pd.Series:
    """Return datetime64[ns, UTC]; NaT where a cell is no time of the layout. Each spelling is read once."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.to_datetime(values, utc=True).astype("datetime64[ns, UTC]")
    if pd.api.types.is_numeric_dtype(values):
        numbers = values.to_numpy(float, na_value=np.nan)
        return pd.Series(from_epoch(_seconds(numbers, layout)), index=values.index)
    codes, spelt = pd.factorize(values)
    if layout.time_unit is not None:
        parsed = from_epoch(_seconds(as_numbers(pd.Series(spelt)).to_numpy(float), layout))
    else:
        # A publisher's own format is tried first: ISO 8601 would not take it for another date.
        parsed = times_of_words(pd.Series(spelt).astype(object), layout.time_format)
    moments = parsed.append(pd.DatetimeIndex([pd.NaT], dtype="datetime64[ns, UTC]"))
    return pd.Series(moments.take(codes), index=values.index)


def _seconds(numbers: NDArray[np.float64], layout: Layout) -> NDArray[np.float64]:
    if layout.time_unit is None:
        return seconds_of_epochs(numbers)
    return numbers / PARTS_OF_A_SECOND[layout.time_unit]
