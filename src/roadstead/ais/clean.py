"""Rows as a source wrote them to positions, static reports and stations; what cannot be used gets a reason.

"Not available" values are those of ITU-R M.1371-5 annex 8 (tables 48, 52, 63): 181/91 degrees, 102.3 kn, 360.0
degrees of course, 511 degrees of heading, 0 for identity and size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from roadstead.ais.batch import DIMENSIONS, DYNAMIC, STATIC, Batch, Fault
from roadstead.ais.codes import MOBILES, NULLS, nav_status, ship_type
from roadstead.ais.data import Window
from roadstead.ais.registry import is_distress_beacon, station_kind

FIRST_AIS = pd.Timestamp("1995-01-01", tz="UTC")
"""No AIS report is older."""
CLOCK_SLACK = timedelta(hours=24)
"""A report may lie this far ahead of our clock."""
NULL_ISLAND_DEG = 0.001
"""Nearer to 0 N 0 E than this is an unset position."""
MAX_LENGTH_M = 460.0
"""The longest ship ever built had 458 m."""
MAX_BEAM_M = 126.0
"""Twice the 63 m that a side dimension can hold."""

_POSITION = ["mmsi", "time", *DYNAMIC, "ais_class", "source", "row"]
_STATIONS = ["mmsi", "time", "lon", "lat", "kind", "source", "row"]


@dataclass(frozen=True)
class Cleaned:
    """One batch, cleaned. ``row`` in each table is the line it came from."""

    positions: pd.DataFrame
    """Columns of `tables.POSITIONS` and ``row``."""
    static: pd.DataFrame
    """``mmsi``, ``time``, ``source``, ``row`` and `batch.STATIC`; null where not declared."""
    stations: pd.DataFrame
    """Columns of `tables.STATIONS` and ``row``."""
    faults: list[Fault]
    times: tuple[pd.Timestamp, pd.Timestamp] | None = None
    """First and last time of the usable rows, before the window is applied."""
    usable: int = 0
    """Rows with an MMSI and a time, before the window is applied."""
    repeated: bool = False
    """Some MMSI comes twice."""


@dataclass
class _Faults:
    """Collects faults of one batch."""

    batch: Batch
    found: list[Fault] = field(default_factory=list)

    def add(self, rows: pd.Series, name: str, reason: str) -> None:
        """Note the fault of each line in ``rows``."""
        self.found.extend(Fault(int(row), name, reason, self.batch.content(int(row))) for row in rows)


def clean(batch: Batch, source: str, window: Window, now: datetime | None = None) -> Cleaned:
    """Clean one batch.

    Args:
        batch: rows as read.
        source: name for rows that bring none.
        window: place and time to keep; outside it rows are left out without a fault.
        now: our clock; a report from later than a day ahead is refused.
    """
    faults = _Faults(batch, list(batch.faults))
    told = _identified(batch.rows, faults, now or datetime.now(UTC))
    times = (told["time"].min(), told["time"].max()) if len(told) else None
    usable, repeated = len(told), bool(told["mmsi"].duplicated().any())
    told = _in_window(_placed(told, faults), window)
    rest = batch.rows.columns.difference(told.columns)
    table = pd.concat([told, batch.rows.loc[told.index, rest]], axis=1)
    table["source"] = _text(table, "source").fillna(source)
    table["ais_class"], table["kind"] = _mobile(table)
    table["kind"] = table["kind"].fillna(table["mmsi"].map(station_kind)).astype(object)
    beacon = (table["kind"] == "distress_beacon") | table["mmsi"].map(is_distress_beacon).astype(bool)
    faults.add(table.loc[beacon, "row"], "mmsi", "distress_beacon")
    table = table[~beacon]
    return Cleaned(*_split(table, faults), faults.found, times, usable, repeated)


def _split(table: pd.DataFrame, faults: _Faults) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    fixed, station = table["lon"].notna(), table["kind"].notna()
    ships = table[~station]
    positions = _dynamic(ships[fixed[~station]], faults)[_POSITION].reset_index(drop=True)
    return positions, _static(ships, faults), table.loc[station & fixed, _STATIONS].reset_index(drop=True)


def _identified(rows: pd.DataFrame, faults: _Faults, now: datetime) -> pd.DataFrame:
    """Return MMSI, time and place of the rows whose MMSI and time can be used."""
    mmsi = _mmsi(rows["mmsi"])
    late = rows["time"] > pd.Timestamp(now) + CLOCK_SLACK
    refused = [
        (mmsi.isna(), "mmsi", "mmsi_invalid"),
        (rows["time"].isna(), "time", "time_not_understood"),
        (late, "time", "time_in_future"),
        (rows["time"] < FIRST_AIS, "time", "time_before_ais"),
    ]
    good = pd.Series(True, index=rows.index)
    for bad, name, reason in refused:
        faults.add(rows.loc[bad & good, "row"], name, reason)
        good &= ~bad
    told = [name for name in ("row", "time", "lon", "lat", "positional") if name in rows]
    return rows.loc[good, told].assign(mmsi=mmsi[good])


def _mmsi(values: pd.Series) -> pd.Series:
    """Return MMSIs as nine digits; null for what is none (zeros are lost where a source wrote numbers)."""
    if not pd.api.types.is_numeric_dtype(values):
        text = values.astype(str).str.strip().str.removesuffix(".0")
        values = pd.to_numeric(text.where(text.str.fullmatch(r"\d{1,9}")), errors="coerce")
    codes, unique = pd.factorize(values)
    words = [f"{int(v):09d}" if 0 < v <= 999_999_999 and v % 1 == 0 else None for v in unique]
    return pd.Series(np.array([*words, None], dtype=object)[codes], index=values.index, dtype=object)


def _placed(table: pd.DataFrame, faults: _Faults) -> pd.DataFrame:
    """Return the rows with ``lon`` and ``lat`` as numbers; null, with a fault, where they cannot be used."""
    meant = table.get("positional", pd.Series(True, index=table.index)).astype(bool)
    lon, lat = (_numbers(table, name) for name in ("lon", "lat"))
    refused = [
        (lon.isna() | lat.isna() | (lon == 181.0) | (lat == 91.0), "lon", "position_not_available"),
        (lon.abs() > 180.0, "lon", "lon_out_of_range"),
        (lat.abs() > 90.0, "lat", "lat_out_of_range"),
        ((lon.abs() < NULL_ISLAND_DEG) & (lat.abs() < NULL_ISLAND_DEG), "lon", "null_island"),
    ]
    good = meant.copy()
    for bad, name, reason in refused:
        faults.add(table.loc[bad & good, "row"], name, reason)
        good &= ~bad
    return table.assign(lon=lon.where(good), lat=lat.where(good))


def _in_window(table: pd.DataFrame, window: Window) -> pd.DataFrame:
    """Keep positions in the window, and static reports without a position whatever their time."""
    placed = table["lon"].notna()
    inside = window.holds_place(table["lon"], table["lat"]) & window.holds_time(table["time"])
    return table[~placed | inside]


def _numbers(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table:
        return pd.Series(np.nan, index=table.index)
    return pd.to_numeric(table[name], errors="coerce").astype(float)


def _text(table: pd.DataFrame, name: str) -> pd.Series:
    """Return a text column without AIS padding; None for words that mean "not known"."""
    if name not in table:
        return pd.Series(None, index=table.index, dtype=object)
    codes, values = pd.factorize(table[name])
    words = np.array([_word(value) for value in values] + [None], dtype=object)
    return pd.Series(words[codes], index=table.index, dtype=object)


def _word(value: object) -> str | None:
    text = " ".join(str(value).replace("@", " ").split())
    return None if text.lower() in NULLS else text


def _mobile(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    words = _text(table, "ais_class").str.lower()
    known = [MOBILES.get(word, (None, None)) if isinstance(word, str) else (None, None) for word in words]
    pairs = pd.DataFrame(known, index=table.index, columns=["ais_class", "kind"], dtype=object)
    return pairs["ais_class"], pairs["kind"]


def _checked_number(
    table: pd.DataFrame, name: str, faults: _Faults, top: float, unset: tuple[float, ...]
) -> pd.Series:
    """Return a column as numbers in [0, top]; null where unset, null with a fault where out of range."""
    values = _numbers(table, name)
    values = values.mask(values.isin(unset))
    outside = (values < 0) | (values > top)
    faults.add(table.loc[outside, "row"], name, "out_of_range_field_dropped")
    return values.mask(outside)


def _coded(
    table: pd.DataFrame, name: str, faults: _Faults, read: Callable[[object], object | None]
) -> pd.Series:
    """Return a column through a reader of codes and words; null with a fault where it raises ValueError."""
    words = _text(table, name)
    known: dict[object, object | None] = {None: None}
    strange = set()
    for word in words.dropna().unique():
        try:
            known[word] = read(word)
        except ValueError:
            strange.add(word)
    faults.add(table.loc[words.isin(strange), "row"], name, "not_understood_field_dropped")
    return words.map(known).astype(object).where(lambda s: s.notna(), None)


def _dynamic(table: pd.DataFrame, faults: _Faults) -> pd.DataFrame:
    course = _checked_number(table, "cog_deg", faults, 360.0, (360.0, 511.0))
    heading = _checked_number(table, "heading_deg", faults, 360.0, (511.0,))
    return table.assign(
        # 102.2 means "102.2 kn or more"; rounding in a table's floats must not refuse it.
        sog_kn=_checked_number(table, "sog_kn", faults, 102.25, (102.3,)).clip(upper=102.2),
        cog_deg=course,
        heading_deg=heading % 360.0,
        nav_status=_coded(table, "nav_status", faults, nav_status),
        ais_class=table["ais_class"].where(table["ais_class"].notna(), None),
    )


def _static(table: pd.DataFrame, faults: _Faults) -> pd.DataFrame:
    """Return the static reports among the rows; those that declare nothing are left out."""
    if not set(STATIC) & set(table.columns):
        table = table.iloc[:0]
    made = table[["mmsi", "time", "source", "row"]].assign(
        imo=_imo(table),
        **{name: _text(table, name) for name in ("name", "callsign", "destination")},
        ship_type=_coded(table, "ship_type", faults, ship_type).astype("Int64"),
        draught_m=_checked_number(table, "draught_m", faults, 25.5, (0.0,)),
    )
    made = _sized(made, table, faults)
    return made[made[list(STATIC)].notna().any(axis=1)].reset_index(drop=True)


def _imo(table: pd.DataFrame) -> pd.Series:
    """Return seven-digit IMO numbers; null for 0 and for other registers' numbers in that field."""
    if "imo" not in table:
        return pd.Series(None, index=table.index, dtype=object)
    found = table["imo"].astype(str).str.extract(r"^\s*(?:IMO)?\s*([1-9]\d{6})(?:\.0)?\s*$", expand=False)
    return found.astype(object).where(found.notna(), None)


def _sized(made: pd.DataFrame, table: pd.DataFrame, faults: _Faults) -> pd.DataFrame:
    """Add dimensions, length and beam; an antenna place that was not set stays null."""
    bow, stern, port, starboard = (_checked_number(table, name, faults, 511.0, ()) for name in DIMENSIONS)
    along, across = bow + stern, port + starboard
    unset = (bow == 0) & (port == 0)  # M.1371: only length (B) and beam (D) are known
    long = along.mask(along == 0).fillna(_checked_number(table, "length_m", faults, 1e6, (0.0,)))
    wide = across.mask(across == 0).fillna(_checked_number(table, "beam_m", faults, 1e6, (0.0,)))
    faults.add(table.loc[long > MAX_LENGTH_M, "row"], "length_m", "out_of_range_field_dropped")
    faults.add(table.loc[wide > MAX_BEAM_M, "row"], "beam_m", "out_of_range_field_dropped")
    no_length, no_beam = (
        unset | (along == 0) | (along > MAX_LENGTH_M),
        unset | (across == 0) | (across > MAX_BEAM_M),
    )
    return made.assign(
        to_bow_m=bow.mask(no_length),
        to_stern_m=stern.mask(no_length),
        to_port_m=port.mask(no_beam),
        to_starboard_m=starboard.mask(no_beam),
        length_m=long.mask(long > MAX_LENGTH_M),
        beam_m=wide.mask(wide > MAX_BEAM_M),
    )
