"""Tables to flat map layers."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd

from roadstead.aoi import Port
from roadstead.tables import CLASSES, OBSERVED_PARTS, QUANTITIES

COUNTED = (*CLASSES, "dry_cargo", "all")
_KEYS = ["port", "zone", "overpass_id", "acquired", "visible_fraction", "observed_at_all", "simulated"]


def zones_table(port: Port) -> gpd.GeoDataFrame:
    """Return the zones of a port: port, zone, kind, name, source, confidence, note; EPSG:4326."""
    rows = [
        {
            "port": port.slug,
            "zone": zone.id,
            "kind": zone.kind,
            "name": zone.name,
            "source": zone.source,
            "confidence": zone.confidence,
            "note": zone.note,
            "geometry": zone.polygon,
        }
        for zone in port.zones
    ]
    return gpd.GeoDataFrame(pd.DataFrame(rows).astype(object), geometry="geometry", crs="EPSG:4326")


def counts_by_zone(counts: pd.DataFrame, port: Port) -> gpd.GeoDataFrame:
    """Return one row per overpass and zone, with the zone's polygon and its counts as flat columns.

    Columns are named ``<class>_<quantity>``, and ``<class>_observed_low``, ``_high`` and ``_declared_low``,
    ``_high`` for the 90 % intervals; length bin ``all``. What was declared stands under class ``all`` alone: an
    unmatched declaration has no seen class. All are null where the zone was not observed.

    Args:
        counts: `tables.COUNTS`.
        port: its zones give the polygons; zones it no longer has are left out.
    """
    whole = counts[counts["length_bin"] == "all"]
    table = whole[_KEYS].drop_duplicates(ignore_index=True)
    for name, column in _wide(whole).items():
        table[name] = column.reindex(pd.MultiIndex.from_frame(table[["overpass_id", "zone"]])).to_numpy()
    placed = zones_table(port)[["zone", "kind", "geometry"]].merge(table, on="zone")
    ordered = placed.sort_values(["acquired", "zone"], ignore_index=True)
    return gpd.GeoDataFrame(ordered, geometry="geometry", crs="EPSG:4326")[
        [*_KEYS[:2], "kind", *_KEYS[2:], *_wide(whole), "geometry"]
    ]


def _wide(counts: pd.DataFrame) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for kind in COUNTED:
        of_class = counts[counts["class"] == kind]
        for quantity in QUANTITIES if kind == "all" else ("observed", *OBSERVED_PARTS):
            part = of_class[of_class["quantity"] == quantity].set_index(["overpass_id", "zone"])
            columns[f"{kind}_{quantity}"] = part["value"]
            if quantity in ("observed", "declared"):
                columns[f"{kind}_{quantity}_low"] = part["low"]
                columns[f"{kind}_{quantity}_high"] = part["high"]
    return columns


def is_simulated(*tables: pd.DataFrame) -> bool:
    """Return whether any row of any table is simulated."""
    return any(len(table) and bool(table["simulated"].eq(True).any()) for table in tables)
