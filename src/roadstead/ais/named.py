"""A table's columns under our names, with times and speeds in our units."""

from __future__ import annotations

import pandas as pd

from roadstead.ais.fields import as_numbers
from roadstead.ais.layouts import KNOTS, Layout


def named(table: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Return a table of a layout under our column names, constants filled in, times and speeds in our units."""
    present = layout.present(table.columns.tolist())
    made = table[list(present.values())].set_axis(list(present), axis=1)
    return in_our_units(made, layout)


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
        numbers = pd.to_numeric(pd.Series(spelt), errors="coerce")
        parsed = pd.to_datetime(numbers, unit=layout.time_unit, utc=True, errors="coerce")
    else:
        # A publisher's own format is tried first: ISO 8601 would not take it for another date.
        words = pd.Series(spelt).astype(object)
        parsed = pd.to_datetime(words, format=layout.time_format, utc=True, errors="coerce")
    moments = pd.DatetimeIndex(parsed.astype("datetime64[ns, UTC]")).append(
        pd.DatetimeIndex([pd.NaT], dtype="datetime64[ns, UTC]")
    )
    return pd.Series(moments.take(codes), index=values.index)
