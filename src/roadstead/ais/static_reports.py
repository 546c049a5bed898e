"""Static reports (ITU-R M.1371 messages 5, 19, 24, and the static columns of tables) among the rows of a batch."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadstead.ais.codes import NULLS, ship_type
from roadstead.ais.readers.batch import DIMENSIONS, STATIC
from roadstead.ais.readers.fields import Faults, checked_number, coded, mapped, text
from roadstead.core.geo import Array

MAX_LENGTH_M = 460.0
"""The longest ship ever built had 458 m."""
MAX_BEAM_M = 126.0
"""Twice the 63 m that a side dimension can hold."""
_IMO = re.compile(r"\s*(?:IMO)?\s*:?\s*([1-9][0-9]{6})(?:[.,]0*)?\s*", re.IGNORECASE)
_UNSET = re.compile(r"(?:IMO)?\s*0*(?:[.,]0*)?", re.IGNORECASE)
_NO_IMO = "imo_not_seven_digits"


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
