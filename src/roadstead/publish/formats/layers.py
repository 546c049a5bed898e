"""Tables to flat map layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from roadstead.audit import COLUMNS as RECALL
from roadstead.core.leads import with_lead_kind
from roadstead.core.ports import Port
from roadstead.core.schemas import CLASSES, OBSERVED_PARTS, QUANTITIES, UTC

if TYPE_CHECKING:
    from roadstead.publish.report.data import PortReport

LAYERS = ("detections", "matches", "counts", "zones", "tracks")
"""Layers of a port, in the order of files."""
_ZONE_COLUMNS = ["port", "zone", "kind", "name", "source", "confidence", "note", "geometry"]
_TRACK_KEYS = ["overpass_id", "mmsi"]
COUNTED = (*CLASSES, "dry_cargo", "all")
_KEYS = ["port", "zone", "overpass_id", "acquired", "visible_fraction", "observed_at_all", "simulated"]


def port_layers(report: PortReport) -> dict[str, gpd.GeoDataFrame]:
    """Return every layer of a port by its name in `LAYERS`, EPSG:4326."""
    return {
        "detections": report.detections,
        "matches": with_lead_kind(report.matches),
        "counts": counts_by_zone(report.counts, report.port),
        "zones": zones_table(report.port),
        "tracks": tracks_table(report.positions),
    }


def positions_table(positions: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return position reports as points, EPSG:4326: columns of `PortReport.positions`."""
    places = shapely.points(positions["lon"].astype(float), positions["lat"].astype(float))
    return gpd.GeoDataFrame(positions.copy(), geometry=np.asarray(places, object), crs="EPSG:4326")


def tracks_table(positions: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return one line per overpass and MMSI through the reports kept as evidence, in order of time; EPSG:4326.

    Nothing is drawn in between, smoothed or taken out. Of a vessel heard once the line has no length: the report,
    twice. Columns: overpass_id, mmsi, reports, first, last (UTC), ais_class, source, simulated.

    Args:
        positions: `PortReport.positions`.
    """
    ordered = positions.sort_values([*_TRACK_KEYS, "time"], kind="stable", ignore_index=True)
    groups = ordered.groupby(_TRACK_KEYS, sort=True)
    table = groups.agg(
        reports=("time", "size"),
        first=("time", "min"),
        last=("time", "max"),
        ais_class=("ais_class", "first"),
        source=("source", "first"),
        simulated=("simulated", "any"),
    )
    for name in ("ais_class", "source"):
        table[name] = table[name].astype(object).where(table[name].notna() & (table[name] != ""), None)
        table.update(_several(ordered, name))
    table = table.reset_index()
    table["reports"] = table["reports"].astype("int64")
    table["simulated"] = table["simulated"].astype(bool)
    for name in ("first", "last"):
        table[name] = pd.to_datetime(table[name], utc=True).astype(UTC)
    xy = ordered[["lon", "lat"]].to_numpy(float)
    lines = [_line(xy[rows]) for rows in groups.indices.values()]
    return gpd.GeoDataFrame(table, geometry=np.array(lines, object), crs="EPSG:4326")


def listed(values: pd.Series[Any]) -> str | None:
    """Return the values that differ, in order, with commas between; None where there is none."""
    return ", ".join(sorted({str(value) for value in values.dropna()})) or None


def _several(positions: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return what `listed` says of a column, of those tracks alone whose reports differ in it: they are few."""
    values = positions[[*_TRACK_KEYS, name]].dropna().drop_duplicates()
    differing = values[values.duplicated(_TRACK_KEYS, keep=False)]
    return differing.groupby(_TRACK_KEYS)[name].agg(listed)


def _line(xy: np.ndarray) -> shapely.LineString:
    return shapely.LineString(xy if len(xy) > 1 else np.repeat(xy, 2, axis=0))


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
    table = pd.DataFrame(rows, columns=_ZONE_COLUMNS).astype(object)
    return gpd.GeoDataFrame(table, geometry="geometry", crs="EPSG:4326")


def counts_by_zone(counts: pd.DataFrame, port: Port) -> gpd.GeoDataFrame:
    """Return one row per overpass and zone, with the zone's polygon and its counts as flat columns.

    Columns are named ``<class>_<quantity>``, and ``<class>_observed_low``, ``_high`` and ``_declared_low``,
    ``_high`` for the 90 % intervals; length bin ``all``. What was declared stands under class ``all`` alone: an
    unmatched declaration has no seen class. All are null where the zone was not observed. What audits say of recall
    at the port stands in each row where ``counts`` carries it (`audit.with_recall`).

    Args:
        counts: `schemas.COUNTS`.
        port: its zones give the polygons; zones it no longer has are left out.
    """
    whole = counts[counts["length_bin"] == "all"]
    told = [name for name in RECALL if name in counts]
    table = whole[[*_KEYS, *told]].drop_duplicates(ignore_index=True)
    table = pd.concat([table, _wide(whole, table)], axis=1)
    placed = zones_table(port)[["zone", "kind", "geometry"]].merge(table, on="zone")
    ordered = placed.sort_values(["acquired", "zone"], ignore_index=True)
    return gpd.GeoDataFrame(ordered, geometry="geometry", crs="EPSG:4326")[
        [*_KEYS[:2], "kind", *_KEYS[2:], *told, *WIDE, "geometry"]
    ]


def _wide_columns() -> dict[str, tuple[str, str, str]]:
    """Return column -> (value, low or high; class; quantity)."""
    columns: dict[str, tuple[str, str, str]] = {}
    for kind in COUNTED:
        for quantity in QUANTITIES if kind == "all" else ("observed", *OBSERVED_PARTS):
            columns[f"{kind}_{quantity}"] = ("value", kind, quantity)
            if quantity in ("observed", "declared"):
                columns[f"{kind}_{quantity}_low"] = ("low", kind, quantity)
                columns[f"{kind}_{quantity}_high"] = ("high", kind, quantity)
    return columns


WIDE = _wide_columns()
"""Columns of numbers of `counts_by_zone`."""


def _wide(counts: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of each row of ``table`` (overpass_id, zone) as the columns of `WIDE`."""
    blank = pd.DataFrame(np.nan, table.index, list(WIDE))
    if counts.empty:
        return blank
    keys = ["overpass_id", "zone", "class", "quantity"]
    wide = counts.set_index(keys)[["value", "low", "high"]].unstack(["class", "quantity"])
    rows = wide.reindex(pd.MultiIndex.from_frame(table[["overpass_id", "zone"]]))
    known = {name: rows[key].to_numpy() for name, key in WIDE.items() if key in rows.columns}
    return pd.DataFrame({name: known.get(name, blank[name]) for name in WIDE}, table.index)


def is_simulated(*tables: pd.DataFrame) -> bool:
    """Return whether any row of any table is simulated."""
    return any(len(table) and bool(table["simulated"].eq(True).any()) for table in tables)
