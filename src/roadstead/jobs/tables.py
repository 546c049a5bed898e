"""The count table as people read it: one row per overpass, zone and class."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from roadstead.tables import DECLARED_PARTS, OBSERVED_PARTS

CLASS_ORDER = ("barge", "bulk_carrier", "dry_cargo", "other_vessel", "all")
COLUMNS = (
    "overpass (UTC)",
    "zone",
    "class",
    "observed [90 %]",
    "= matched + no AIS partner + ambiguous + no coverage",
    "declared",
    "= matched + unseen + not visible + ambiguous",
    "visible",
)


def count_rows(
    table: pd.DataFrame, classes: Sequence[str] = CLASS_ORDER
) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return column names and rows of text for `tables.COUNTS`, length bin ``all``.

    An unobserved zone says "not observed" in place of numbers.
    """
    whole = table[table["length_bin"] == "all"]
    keys = ["acquired", "zone", "class"]
    rows = []
    for (acquired, zone, kind), part in whole.groupby(keys, sort=True):
        if kind in classes:
            by = part.set_index("quantity")
            rows.append([f"{acquired:%Y-%m-%d %H:%M}", zone, kind, *_cells(by)])
    order = {name: index for index, name in enumerate(classes)}
    return COLUMNS, sorted(rows, key=lambda row: (row[0], row[1], order[row[2]]))


def _cells(by: pd.DataFrame) -> list[str]:
    visible = f"{by['visible_fraction'].iloc[0]:.0%}"
    if not by["observed_at_all"].iloc[0]:
        return ["not observed", "", "", "", visible]
    return [
        _interval(by, "observed"),
        _parts(by, OBSERVED_PARTS),
        _value(by, "declared"),
        _parts(by, DECLARED_PARTS),
        visible,
    ]


def _value(by: pd.DataFrame, quantity: str) -> str:
    if quantity not in by.index or pd.isna(by.loc[quantity, "value"]):
        return "-"
    return f"{by.loc[quantity, 'value']:g}"


def _interval(by: pd.DataFrame, quantity: str) -> str:
    row = by.loc[quantity]
    return f"{row['value']:g} [{row['low']:g}-{row['high']:g}]"


def _parts(by: pd.DataFrame, parts: Sequence[str]) -> str:
    values = [_value(by, part) for part in parts]
    return "-" if set(values) == {"-"} else " + ".join(values)
