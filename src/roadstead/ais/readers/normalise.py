"""A table's columns under our names, with times and speeds in our units."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadstead.ais.readers.fields import as_numbers
from roadstead.ais.readers.layouts import KNOTS, PARTS_OF_A_SECOND, Layout
from roadstead.ais.readers.time_forms import from_epoch, seconds_of_epochs, times_of_words


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
