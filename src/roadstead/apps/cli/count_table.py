"""The count table as people read it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from roadstead.core.schemas import CLASSES

CLASS_ORDER = (*CLASSES[:2], "dry_cargo", CLASSES[2], "all")
PARTS = ("matched", "no_ais_partner", "ambiguous", "no_coverage", "declared", "unseen", "not_visible")
COLUMNS = (
    "overpass (UTC)",
    "zone",
    "class",
    "observed [90 %]",
    "matched",
    "no AIS partner",
    "ambiguous",
    "no coverage",
    "declared",
    "unseen",
    "not visible",
    "visible",
)
"""observed = matched + no AIS partner + ambiguous + no coverage; declared = matched + unseen + not visible +
ambiguous. The interval is of hulls that were there."""
NOT_OBSERVED = "not observed"

Row = Mapping[Hashable, Any]


def count_rows(table: pd.DataFrame) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return column names and rows of text for `schemas.COUNTS`, length bin ``all``.

    A zone that was not observed has one row that says so; one where nothing was found or declared has one
    row of class ``all``; the others have a row per class. A dash stands where a class cannot be known: an
    unmatched declaration has none, and without AIS nothing is known to be declared.
    """
    whole = table[table["length_bin"] == "all"]
    rows: list[list[str]] = []
    for (acquired, zone), part in whole.groupby(["acquired", "zone"], sort=True):
        name = str(zone).partition("/")[2] or str(zone)
        rows += [[f"{acquired:%Y-%m-%d %H:%M}", name, *cells] for cells in _zone_rows(part)]
    return COLUMNS, rows


def _zone_rows(part: pd.DataFrame) -> Iterator[list[str]]:
    by: dict[str, dict[str, Row]] = {}
    for row in part.to_dict("records"):
        by.setdefault(str(row["class"]), {})[str(row["quantity"])] = row
    every = by["all"]
    visible = f"{every['observed']['visible_fraction']:.0%}"
    if not every["observed"]["observed_at_all"]:
        yield ["all", NOT_OBSERVED, *[""] * len(PARTS), visible]
        return
    empty = not any(every[name]["value"] > 0 for name in ("observed", "declared"))
    for kind in ("all",) if empty else CLASS_ORDER:
        seen = by[kind]["observed"]
        found = f"{seen['value']:g} [{seen['low']:g}-{seen['high']:g}]"
        yield [kind, found, *(_value(by[kind], name) for name in PARTS), visible]


def _value(by: Mapping[str, Row], quantity: str) -> str:
    row = by.get(quantity)
    return "-" if row is None or pd.isna(row["value"]) else f"{row['value']:g}"
