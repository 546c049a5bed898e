"""Rows as a source wrote them to positions, static reports and stations; what cannot be used gets a reason.

"Not available" values are those of ITU-R M.1371-5 annex 8 (tables 48, 52, 63): 181/91 degrees, 102.3 kn, 360.0
degrees of course, 511 degrees of heading, 0 for identity and size.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadstead.ais.codes import MESSAGES, MOBILES, nav_status
from roadstead.ais.data import SIMULATED_SOURCE, Tally, Window
from roadstead.ais.identity.registry import imo_is_valid, is_distress_beacon, mid_is_assigned, station_kind
from roadstead.ais.readers.batch import DYNAMIC, Batch, Fault, IntArray
from roadstead.ais.readers.fields import Faults, checked_number, coded, mapped, numbers, text
from roadstead.ais.static_history import static_of
from roadstead.core.atomic_files import text_of_cell
from roadstead.core.geo import NAUTICAL_MILE_M

FIRST_AIS = pd.Timestamp("1995-01-01", tz="UTC")
"""No AIS report is older."""
CLOCK_SLACK = timedelta(hours=24)
"""A report may lie this far ahead of our clock."""
NULL_ISLAND_DEG = 0.001
"""Nearer to 0 N 0 E than this is an unset position."""
LONG_RANGE = 27
"""Number of the long-range message, whose position is in tenths of a minute."""
COARSE_SIGMA_M = NAUTICAL_MILE_M / 10.0 / math.sqrt(12.0)
"""Standard deviation, along each axis, of a position rounded to a tenth of a minute of latitude."""

_NO_SOURCE = "ais"
"""What the Danish Maritime Authority writes for the kind of source of every row."""
_DIGITS = re.compile(r"([0-9]{1,9})(?:[.,]0*)?")
_E_NOTATION = re.compile(r"([0-9](?:[.,][0-9]*)?)[Ee]\+?0*([0-9]{1,2})")
_EXACT_IN_FLOAT32 = 1 << 24

Mask = NDArray[np.bool_]
_POSITION = ["mmsi", "time", *DYNAMIC, "ais_class", "source", "sigma_m", "row"]
_STATIONS = ["mmsi", "time", "lon", "lat", "kind", "source", "row"]


@dataclass(frozen=True)
class Cleaned:
    """One batch, cleaned. ``row`` in each table is the line it came from."""

    positions: pd.DataFrame
    """Columns of `schemas.POSITIONS` and ``row``."""
    static: pd.DataFrame
    """``mmsi``, ``time``, ``source``, ``row`` and `batch.STATIC`; null where not declared."""
    stations: pd.DataFrame
    """Columns of `schemas.STATIONS` and ``row``."""
    faults: list[Fault]
    tally: Tally = field(default_factory=Tally)
    notes: Mapping[str, int] = field(default_factory=dict)
    """Reasons (`reasons.REASONS`) of what was kept all the same, counted."""
    times: tuple[pd.Timestamp, pd.Timestamp] | None = None
    """First and last time of the usable rows, before the window is applied."""
    usable: int = 0
    """Rows with an MMSI and a time, before the window is applied."""
    repeated: bool = False
    """Some MMSI comes twice; looked at only where all rows have one time."""


@dataclass(frozen=True)
class _Looked:
    """Identity, time and place of every row of a batch."""

    mmsi: NDArray[np.float64]
    """NaN where it is none."""
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    usable: Mask
    """The MMSI and the time can be used."""
    placed: Mask
    """The place can be used, too."""
    meant: Mask
    """The row is of a kind that has a place."""


def clean(
    batch: Batch, source: str, window: Window, now: datetime | None = None, given: str | None = None
) -> Cleaned:
    """Clean one batch.

    Args:
        batch: rows as read.
        source: name for rows that bring none.
        window: place and time to keep; outside it rows are left out without a fault.
        now: our clock; a report from later than a day ahead is refused.
        given: the user's name for the source, for all rows but simulated ones: these stay known as simulated.
    """
    faults = Faults(batch, list(batch.faults))
    seen = _looked(batch.rows, faults, now or datetime.now(UTC))
    inside = seen.placed & window.holds(seen.lon, seen.lat, batch.rows["time"])
    places = np.flatnonzero(seen.usable & (inside | ~seen.placed))
    table = _table(batch, seen, places, source, given)
    beacon = (table["kind"] == "distress_beacon").to_numpy() | mapped(table["mmsi"], is_distress_beacon)
    faults.add(table["row"][beacon], "mmsi", "distress_beacon")
    usable_times = batch.rows["time"].to_numpy("datetime64[ns]")[seen.usable]
    times = _ends(usable_times)
    one_time = times is not None and times[0] == times[1]
    notes: Counter[str] = Counter()
    tables, left = _split(table[~beacon], faults, notes)
    refused = ~seen.usable | (seen.meant & ~seen.placed)
    lost = int((~seen.usable).sum()) + int(beacon.sum()) + int((left & refused[places][~beacon]).sum())
    tally = Tally(
        positions=len(tables[0]),
        stations=len(tables[2]),
        static=int((~left).sum()) - len(tables[0]) - len(tables[2]),
        out_of_reach=int((seen.placed & ~inside).sum()),
        quarantined=lost + len(batch.faults),
        passed_over=int((left & ~refused[places][~beacon]).sum()) + batch.passed_over,
    )
    repeated = one_time and len(np.unique(seen.mmsi[seen.usable])) < len(usable_times)
    return Cleaned(*tables, faults.found, tally, _notes(*tables) | notes, times, len(usable_times), repeated)


def _notes(positions: pd.DataFrame, static: pd.DataFrame, stations: pd.DataFrame) -> dict[str, int]:
    """Count what is odd, or no ship, and kept."""
    imo = static["imo"].dropna()
    counts = {
        "coarse_position": int(positions["sigma_m"].notna().sum()),
        "imo_check_digit": int((~mapped(imo, imo_is_valid)).sum()) if len(imo) else 0,
        "mid_not_assigned": int((~mapped(positions["mmsi"], mid_is_assigned)).sum()) if len(positions) else 0,
        **{str(kind): int(n) for kind, n in stations["kind"].value_counts().items()},
    }
    return {name: int(count) for name, count in counts.items() if count}


def _ends(times: NDArray[np.datetime64]) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    if not len(times):
        return None
    return pd.Timestamp(times.min(), tz="UTC"), pd.Timestamp(times.max(), tz="UTC")


def _looked(rows: pd.DataFrame, faults: Faults, now: datetime) -> _Looked:
    (mmsi, lost), time = _mmsi(rows["mmsi"]), rows["time"].to_numpy("datetime64[ns]")
    late = (pd.Timestamp(now) + CLOCK_SLACK).tz_convert(None).to_datetime64()
    usable = np.ones(len(rows), dtype=bool)
    faults.sift(
        rows["row"],
        usable,
        [
            (lost, "mmsi", "mmsi_lost_digits"),
            (np.isnan(mmsi), "mmsi", "mmsi_invalid"),
            (np.isnat(time), "time", "time_not_understood"),
            (time > late, "time", "time_in_future"),
            (time < FIRST_AIS.to_datetime64(), "time", "time_before_ais"),
        ],
    )
    meant = usable & _meant(rows)
    lon, lat = (_degrees(rows, name) for name in ("lon", "lat"))
    placed = meant.copy()
    faults.sift(
        rows["row"],
        placed,
        [
            (np.isnan(lon) | np.isnan(lat) | (lon == 181.0) | (lat == 91.0), "lon", "position_not_available"),
            (np.abs(lon) > 180.0, "lon", "lon_out_of_range"),
            (np.abs(lat) > 90.0, "lat", "lat_out_of_range"),
            ((np.abs(lon) < NULL_ISLAND_DEG) & (np.abs(lat) < NULL_ISLAND_DEG), "lon", "null_island"),
        ],
    )
    return _Looked(mmsi, lon, lat, usable, placed, meant)


def _meant(rows: pd.DataFrame) -> Mask:
    if "positional" not in rows:
        return np.ones(len(rows), dtype=bool)
    return rows["positional"].to_numpy(bool)


def _degrees(rows: pd.DataFrame, name: str) -> NDArray[np.float64]:
    return numbers(rows, name).to_numpy(float)


def _mmsi(values: pd.Series) -> tuple[NDArray[np.float64], Mask]:
    """Return MMSIs as numbers (leading zeros are not kept), NaN for what is none, and which have lost digits."""
    if pd.api.types.is_numeric_dtype(values):
        given = values.to_numpy(float, na_value=np.nan)
        short = values.dtype == np.float32 or str(values.dtype) == "Float32"
        lost = (given > _EXACT_IN_FLOAT32) if short else np.zeros(len(given), dtype=bool)
    else:
        codes, spelt = pd.factorize(values)
        words = pd.Series(spelt).astype(str).str.strip().map(text_of_cell)
        given = np.append(np.array([_number_of(word) for word in words], float), np.nan)[codes]
        lost = np.append(np.array([_has_lost_digits(word) for word in words], bool), False)[codes]
    with np.errstate(invalid="ignore"):
        good = (given > 0) & (given <= 999_999_999) & (given % 1 == 0) & ~lost
    return np.where(good, given, np.nan), lost


def _number_of(word: str) -> float:
    if found := _DIGITS.fullmatch(word):
        return float(found[1])
    in_powers = _E_NOTATION.fullmatch(word)
    return float(word.replace(",", ".")) if in_powers and not _has_lost_digits(word) else np.nan


def _has_lost_digits(word: str) -> bool:
    """Say whether a number in powers of ten (4.12345E+08) shows fewer digits than it has."""
    found = _E_NOTATION.fullmatch(word)
    return found is not None and len(re.sub(r"\D", "", found[1])) < int(found[2]) + 1


def _table(batch: Batch, seen: _Looked, places: IntArray, source: str, given: str | None) -> pd.DataFrame:
    """Return the rows at some places, every column read, with transmitter class and kind of station."""
    rows = batch.rows
    codes, mmsis = pd.factorize(seen.mmsi[places])
    known = {
        "row": rows["row"].to_numpy()[places],
        "time": rows["time"].take(places).reset_index(drop=True),
        "mmsi": np.array([f"{int(n):09d}" for n in mmsis], dtype=object)[codes],
        "lon": np.where(seen.placed, seen.lon, np.nan)[places],
        "lat": np.where(seen.placed, seen.lat, np.nan)[places],
    }
    table = pd.concat([pd.DataFrame(known), batch.rest(places, (*known, "positional"))], axis=1)
    table["source"] = _sources(text(table, "source"), source, given)
    words = text(table, "ais_class")
    if "message" in table:
        words = words.where(words.notna(), _by_message(table))
    table["ais_class"] = mapped(words, lambda word: _mobile(word)[0], object)
    kind = pd.Series(mapped(words, lambda word: _mobile(word)[1], object))
    by_number = pd.Series(mapped(table["mmsi"], station_kind, object))
    table["kind"] = kind.where(kind.notna(), by_number)
    return table


def _sources(told: pd.Series, otherwise: str, given: str | None) -> pd.Series:
    if given is None:
        return told.where(told.str.lower() != _NO_SOURCE, None).fillna(otherwise)
    return told.where(told.str.startswith(SIMULATED_SOURCE, na=False), given)


def _by_message(table: pd.DataFrame) -> pd.Series:
    return pd.Series(
        mapped(numbers(table, "message"), lambda n: MESSAGES.get(int(n)), object), index=table.index
    )


def _mobile(word: str) -> tuple[str | None, str | None]:
    return MOBILES.get(word.lower(), (None, None))


def _split(
    table: pd.DataFrame, faults: Faults, notes: Counter[str]
) -> tuple[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame], Mask]:
    """Return positions, static reports and stations, and which rows gave none of them."""
    fixed, station = table["lon"].notna().to_numpy(), table["kind"].notna().to_numpy()
    ships = table[~station]
    positions = _dynamic(ships[fixed[~station]], faults)[_POSITION].reset_index(drop=True)
    static, tells = static_of(ships, faults, notes)
    left = ~fixed
    left[~station] &= ~tells
    return (positions, static, table.loc[station & fixed, _STATIONS].reset_index(drop=True)), left


def _dynamic(table: pd.DataFrame, faults: Faults) -> pd.DataFrame:
    course = checked_number(table, "cog_deg", faults, 360.0, (360.0, 511.0))
    heading = checked_number(table, "heading_deg", faults, 360.0, (511.0,))
    return table.assign(
        # 102.2 means "102.2 kn or more"; rounding in a table's floats must not refuse it.
        sog_kn=checked_number(table, "sog_kn", faults, 102.25, (102.3,)).clip(upper=102.2),
        cog_deg=course,
        heading_deg=heading % 360.0,
        nav_status=coded(table, "nav_status", faults, nav_status),
        ais_class=table["ais_class"].where(table["ais_class"].notna(), None),
        sigma_m=np.where(numbers(table, "message") == LONG_RANGE, COARSE_SIGMA_M, np.nan),
    )
