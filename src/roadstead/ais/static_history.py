"""Static reports: read from rows of a batch, and joined to a history of what each vessel declared."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadstead.ais.codes import NULLS, is_gear_name, ship_type
from roadstead.ais.identity.registry import flag_of
from roadstead.ais.readers.batch import DIMENSIONS, STATIC
from roadstead.ais.readers.fields import Faults, checked_number, coded, mapped, text
from roadstead.core.geo import Array, destination_lonlat
from roadstead.core.schemas import VESSELS

MOVING_KN = 2.0
"""Faster than this the course stands in for a missing heading."""
MAX_GEAR_LENGTH_M = 15.0
"""A transmitter that declares a longer hull is no buoy, whatever its name."""
MAX_LENGTH_M = 460.0
"""The longest ship ever built had 458 m."""
MAX_BEAM_M = 126.0
"""Twice the 63 m that a side dimension can hold."""
_IMO = re.compile(r"\s*(?:IMO)?\s*:?\s*([1-9][0-9]{6})(?:[.,]0*)?\s*", re.IGNORECASE)
_UNSET = re.compile(r"(?:IMO)?\s*0*(?:[.,]0*)?", re.IGNORECASE)
_NO_IMO = "imo_not_seven_digits"


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


@dataclass
class News:
    """Remembers what each vessel declared last; its size is that of the fleet, not of the file."""

    _last: pd.DataFrame | None = None

    def of(self, static: pd.DataFrame) -> pd.DataFrame:
        """Return the reports that declare something other than what their vessel declared before."""
        told = changes(static)
        if told.empty:
            return told
        known = self._last
        before = None if known is None else known[known["mmsi"].isin(set(told["mmsi"]))]
        fresh = told.assign(fresh=True)
        both = fresh if before is None or before.empty else pd.concat([before, fresh], ignore_index=True)
        both = both.sort_values("mmsi", kind="stable")
        filled = both.assign(**both.groupby("mmsi", sort=False)[list(STATIC)].ffill())
        kept = both[differs(filled) & both["fresh"]].drop(columns="fresh")
        self._remember(filled)
        return kept.reset_index(drop=True)

    def _remember(self, filled: pd.DataFrame) -> None:
        last = filled.assign(fresh=False).drop_duplicates("mmsi", keep="last")
        if self._last is None:
            self._last = last
        else:
            others = self._last[~self._last["mmsi"].isin(set(last["mmsi"]))]
            self._last = last if others.empty else pd.concat([others, last], ignore_index=True)


def static_of(
    table: pd.DataFrame, faults: Faults, notes: Counter[str]
) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Return the static reports among the rows, and which rows are one; those that declare nothing are left out.

    Every row whose IMO number can be none is counted in ``notes``; each ship's such number is a fault once.
    """
    if not set(STATIC) & set(table.columns):
        return _made(table.iloc[:0], faults, notes).reset_index(drop=True), np.zeros(len(table), dtype=bool)
    made = _made(table, faults, notes)
    tells = made[list(STATIC)].notna().any(axis=1).to_numpy()
    return made[tells].reset_index(drop=True), tells


def _made(table: pd.DataFrame, faults: Faults, notes: Counter[str]) -> pd.DataFrame:
    made = table[["mmsi", "time", "source", "row"]].assign(
        imo=_imo(table, faults, notes),
        **{name: text(table, name) for name in ("name", "callsign", "destination")},
        ship_type=coded(table, "ship_type", faults, ship_type).astype("Int64"),
        draught_m=checked_number(table, "draught_m", faults, 25.5, (0.0,)),
    )
    return _sized(made, table, faults)


def _imo(table: pd.DataFrame, faults: Faults, notes: Counter[str]) -> pd.Series:
    """Return seven-digit IMO numbers; null for 0 (not declared) and, counted, for what can be none."""
    if "imo" not in table:
        return pd.Series(None, index=table.index, dtype=object)
    said = pd.Series(mapped(table["imo"], _imo_said, object), index=table.index, dtype=object)
    read = pd.Series(mapped(said, _imo_in, object), index=table.index, dtype=object)
    odd = (said.notna() & read.isna()).to_numpy()
    if odd.any():
        notes[_NO_IMO] += int(odd.sum())
        once = ~pd.DataFrame({"mmsi": table["mmsi"][odd], "imo": said[odd]}).duplicated().to_numpy()
        faults.add(table["row"][odd][once], "imo", _NO_IMO)
    return read


def _imo_said(value: object) -> str | None:
    """Return what stands in the field, None for words and numbers that mean "not declared"."""
    word = str(value).strip()
    return None if word.lower() in NULLS or _UNSET.fullmatch(word) else word


def _imo_in(value: object) -> str | None:
    found = _IMO.fullmatch(str(value))
    return found[1] if found else None


def _sized(made: pd.DataFrame, table: pd.DataFrame, faults: Faults) -> pd.DataFrame:
    """Add dimensions, length and beam; an antenna place that was not set stays null."""
    bow, stern, port, starboard = (_metres(table, name, faults, 511.0, ()) for name in DIMENSIONS)
    along, across = bow + stern, port + starboard
    unset = (bow == 0) & (port == 0)  # M.1371: only length (B) and beam (D) are known
    long = _told(along, _metres(table, "length_m", faults, 1e6, (0.0,)))
    wide = _told(across, _metres(table, "beam_m", faults, 1e6, (0.0,)))
    for values, top, name in ((long, MAX_LENGTH_M, "length_m"), (wide, MAX_BEAM_M, "beam_m")):
        if (values > top).any():
            faults.add(table["row"][values > top], name, "out_of_range_field_dropped")
    no_length = unset | (along == 0) | (along > MAX_LENGTH_M)
    no_beam = unset | (across == 0) | (across > MAX_BEAM_M)
    return made.assign(
        to_bow_m=np.where(no_length, np.nan, bow),
        to_stern_m=np.where(no_length, np.nan, stern),
        to_port_m=np.where(no_beam, np.nan, port),
        to_starboard_m=np.where(no_beam, np.nan, starboard),
        length_m=np.where(long > MAX_LENGTH_M, np.nan, long),
        beam_m=np.where(wide > MAX_BEAM_M, np.nan, wide),
    )


def _metres(table: pd.DataFrame, name: str, faults: Faults, top: float, unset: tuple[float, ...]) -> Array:
    return checked_number(table, name, faults, top, unset).to_numpy(float)


def _told(summed: Array, stated: Array) -> Array:
    """Return the sum of two sides, or what a table states where they are not known."""
    return np.where(np.isnan(summed) | (summed == 0), stated, summed)
