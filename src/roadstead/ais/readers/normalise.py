"""A table's columns under our names, with times and speeds in our units."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadstead.ais.readers.fields import as_numbers
from roadstead.ais.readers.layouts import KNOTS, Layout

_LAST_S = 9e9
"""Later (in the year 2255) does not fit nanoseconds, nor any log."""


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
    codes, spelt = pd.factorize(values)
    if layout.time_unit is not None:
        numbers = as_numbers(pd.Series(spelt)).to_numpy(float)
        parsed = pd.Series(from_epoch(numbers / (1000.0 if layout.time_unit == "ms" else 1.0)))
    else:
        # A publisher's own format is tried first: ISO 8601 would not take it for another date.
        words = pd.Series(spelt).astype(object)
        parsed = pd.to_datetime(words, format=layout.time_format, utc=True, errors="coerce")
    moments = pd.DatetimeIndex(parsed.astype("datetime64[ns, UTC]")).append(
        pd.DatetimeIndex([pd.NaT], dtype="datetime64[ns, UTC]")
    )
    return pd.Series(moments.take(codes), index=values.index)


def from_epoch(seconds: NDArray[np.float64]) -> pd.DatetimeIndex:
    """Return the times (UTC) of seconds since 1970, to the microsecond; NaT for what no clock tells."""
    with np.errstate(invalid="ignore"):
        known = np.abs(seconds) < _LAST_S
    micros = np.round(np.where(known, seconds, 0.0) * 1e6).astype(np.int64)
    times = (micros * 1000).astype("datetime64[ns]")
    times[~known] = np.datetime64("NaT")
    return pd.DatetimeIndex(times, tz="UTC")
