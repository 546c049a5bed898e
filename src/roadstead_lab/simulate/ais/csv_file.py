"""What AIS sources heard as the Danish Maritime Authority's CSV: a row a position, with the static data of then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from roadstead.ais.codes import SHIP_TYPES
from roadstead_lab.simulate.ais.received import STATIC_MESSAGES, Received
from roadstead_lab.simulate.traffic.identities import Identity

CSV_COLUMNS = (
    "# Timestamp",
    "Type of mobile",
    "MMSI",
    "Latitude",
    "Longitude",
    "Navigational status",
    "ROT",
    "SOG",
    "COG",
    "Heading",
    "IMO",
    "Callsign",
    "Name",
    "Ship type",
    "Cargo type",
    "Width",
    "Length",
    "Type of position fixing device",
    "Draught",
    "Destination",
    "ETA",
    "Data source type",
    "A",
    "B",
    "C",
    "D",
)
"""Columns of the Danish Maritime Authority's daily files."""
NAV_STATUS = ("Under way using engine", "At anchor", "Moored")
"""Words for `tracks.STATUSES`."""
_MOBILES = {1: "Class A", 27: "Class A", 18: "Class B", 4: "Base Station"}
_TYPES = {code: word.capitalize() for word, code in SHIP_TYPES.items()}


def csv_text(heard: Received) -> str:
    """Return the header and one row a position report; static reports show in the rows after them."""
    rows = heard.messages[~heard.messages["message"].isin(STATIC_MESSAGES)]
    return "\n".join([",".join(CSV_COLUMNS), *_rows(rows, heard), ""])


def _rows(rows: pd.DataFrame, heard: Received) -> Iterator[str]:
    ends: dict[tuple[int, int], str] = {}
    columns = (
        rows["message"].tolist(),
        rows["identity"].tolist(),
        _stamps(rows),
        _places(rows),
        _motions(rows),
    )
    for kind, number, stamp, place, motion in zip(*columns, strict=True):
        identity = heard.identities[number]
        if (kind, number) not in ends:
            ends[kind, number] = ",".join(_static_cells(kind, identity, heard.receiver.source))
        yield f"{stamp},{_MOBILES[kind]},{identity.mmsi},{place},{motion},{ends[kind, number]}"


def _stamps(rows: pd.DataFrame) -> Sequence[str]:
    """Return times as day/month/year hour:minute:second."""
    days, seconds = np.divmod(rows["time"].to_numpy(), 86_400)
    known = {day: f"{pd.Timestamp(day, unit='D'):%d/%m/%Y}" for day in np.unique(days).tolist()}
    clock = zip(days.tolist(), seconds.tolist(), strict=True)
    return [f"{known[d]} {s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for d, s in clock]


def _places(rows: pd.DataFrame) -> Sequence[str]:
    return [
        f"{lat:.6f},{lon:.6f}" for lat, lon in zip(rows["lat"].tolist(), rows["lon"].tolist(), strict=True)
    ]


def _motions(rows: pd.DataFrame) -> Iterator[str]:
    """Yield status, rate of turn (never sent), speed, course and heading."""
    names = ("message", "status", "sog_kn", "cog_deg", "heading_deg")
    for kind, status, speed, course, heading in zip(*(rows[n].tolist() for n in names), strict=True):
        if kind == 4:
            yield ",,,,"
            continue
        word = "Unknown value" if kind == 18 else NAV_STATUS[status]
        # NaN, which is not equal to itself, marks a heading that is not sent.
        told = f"{heading:.0f}" if heading == heading else ""
        yield f"{word},,{speed:.1f},{course:.1f},{told}"


def _static_cells(kind: int, identity: Identity, source: str) -> list[str]:
    """Return the cells from IMO on; what was not declared is left empty, as the Authority does, or ``Unknown``."""
    if kind == 4:
        return [*[""] * 11, source, *[""] * 4]
    sides = (identity.to_bow_m, identity.to_stern_m, identity.to_port_m, identity.to_starboard_m)
    voyage = kind != 18
    return [
        identity.imo if identity.imo and voyage else "Unknown",
        identity.callsign,
        identity.name,
        _type_word(identity.ship_type),
        "",
        _size(identity.beam_m),
        _size(identity.length_m),
        "GPS",
        f"{identity.draught_m:.1f}" if voyage else "",
        identity.destination if voyage else "Unknown",
        "",
        source,
        *(_size(side, identity.length_m) for side in sides),
    ]


def _type_word(code: int) -> str:
    return _TYPES.get(code) or _TYPES.get(code // 10 * 10) or "Undefined"


def _size(metres: int, length_m: int | None = None) -> str:
    known = metres if length_m is None else length_m
    return str(metres) if known else ""
