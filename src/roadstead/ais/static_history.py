"""Static reports to a history of what each vessel declared, and where its hull lies about its antenna."""

from __future__ import annotations

import numpy as np
import pandas as pd

from roadstead.ais.codes import is_gear_name
from roadstead.ais.identity.registry import flag_of
from roadstead.ais.readers.batch import DIMENSIONS, STATIC
from roadstead.core.geo import Array, destination_lonlat
from roadstead.core.schemas import VESSELS

MOVING_KN = 2.0
"""Faster than this the course stands in for a missing heading."""
MAX_GEAR_LENGTH_M = 15.0
"""A transmitter that declares a longer hull is no buoy, whatever its name."""


def changes(static: pd.DataFrame) -> pd.DataFrame:
    """Return the static reports that say something other than the one before them of the same MMSI."""
    ordered = static.sort_values(["mmsi", "time"], kind="stable")
    return ordered[differs(ordered)].reset_index(drop=True)


def history(static: pd.DataFrame) -> pd.DataFrame:
    """Join static reports into `schemas.VESSELS`: one row a change, each field as last declared.

    Message 24 declares in two halves and tables leave cells empty, so a field that is not declared keeps its value.
    """
    ordered = static.sort_values(["mmsi", "time"], kind="stable")
    names = list(STATIC)
    filled = ordered.assign(**ordered.groupby("mmsi", sort=False)[names].ffill())
    rows = filled[differs(filled)].reset_index(drop=True)
    rows["flag"] = rows["mmsi"].map(flag_of)
    return typed(rows)[list(VESSELS.columns)]


def typed(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with the column types of `schemas.VESSELS`."""
    texts = [name for name in ("imo", "name", "callsign", "flag", "destination") if name in rows]
    plain = {name: rows[name].astype(object).where(rows[name].notna(), None) for name in texts}
    reals = [*DIMENSIONS, "length_m", "beam_m", "draught_m"]
    numbers = {name: rows[name].astype(float) for name in reals}
    return rows.assign(**plain, **numbers, ship_type=rows["ship_type"].astype("Int64"))


def differs(ordered: pd.DataFrame) -> pd.Series:
    """Return which rows differ from the row before them of the same MMSI in some static field."""
    cells = pd.DataFrame({name: pd.factorize(ordered[name])[0] for name in STATIC}, index=ordered.index)
    same = (cells == cells.shift()).all(axis=1) & (ordered["mmsi"] == ordered["mmsi"].shift())
    return ~same


def gear_mmsis(vessels: pd.DataFrame) -> set[str]:
    """Return the MMSIs that only ever declared names of fishing-gear buoys and no ship's length."""
    named = vessels[vessels["name"].notna()]
    gear = named["name"].map(is_gear_name).astype(bool)
    short = ~(vessels.groupby("mmsi")["length_m"].max() > MAX_GEAR_LENGTH_M)
    always = gear.groupby(named["mmsi"]).all()
    return set(always[always].index) & set(short[short].index)


def hull_centre(positions: pd.DataFrame, vessels: pd.DataFrame) -> Array:
    """Return (n, 2) longitude/latitude of the hull centres of position reports.

    A reported position is that of the antenna. The centre lies (A - B)/2 ahead of it and (D - C)/2 to starboard,
    with A to D the distances to bow, stern, port and starboard (ITU-R M.1371-5, figure 41). Where the bow's
    direction or the dimensions are not known the reported position is returned.

    Args:
        positions: `schemas.POSITIONS`.
        vessels: `schemas.VESSELS`; of each vessel the last dimensions declared by the time of the report count,
            else the first.
    """
    lonlat: Array = positions[["lon", "lat"]].to_numpy(float)
    bow, stern, port, starboard = _dimensions_at(positions, vessels).T
    ahead, right = (bow - stern) / 2, np.nan_to_num((starboard - port) / 2)
    heading = _bow_deg(positions)
    known = np.isfinite(ahead) & np.isfinite(heading)
    centre = lonlat.copy()
    if known.any():
        bearing = heading[known] + np.degrees(np.arctan2(right[known], ahead[known]))
        centre[known] = destination_lonlat(lonlat[known], bearing, np.hypot(right[known], ahead[known]))
    return centre


def _bow_deg(positions: pd.DataFrame) -> Array:
    under_way = positions["sog_kn"] > MOVING_KN
    return positions["heading_deg"].fillna(positions["cog_deg"].where(under_way)).to_numpy(float)


def _dimensions_at(positions: pd.DataFrame, vessels: pd.DataFrame) -> Array:
    names = list(DIMENSIONS)
    declared = vessels[["mmsi", "time", *names]].dropna(subset=names[:2]).sort_values("time", kind="stable")
    asked = positions[["mmsi", "time"]].reset_index(drop=True).rename_axis("n").reset_index()
    asked = asked.sort_values("time", kind="stable")
    before = pd.merge_asof(asked, declared, on="time", by="mmsi").set_index("n")[names]
    after = pd.merge_asof(asked, declared, on="time", by="mmsi", direction="forward").set_index("n")[names]
    merged: Array = before.combine_first(after).sort_index()[names].to_numpy(float)
    return merged
