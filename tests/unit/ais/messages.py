"""AIS messages and tables made for tests; every name, callsign and number is invented."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from pyais import encode_dict
from pyais.messages import TagBlock

T0 = 1_604_370_000
"""2020-11-03 02:20:00 UTC."""
SHIP = 445_111_000
GOOD_IMO = "9999993"
"""Its check digit is right; no ship has it."""
BAD_IMO = "9999990"


def at(seconds: float = 0.0) -> pd.Timestamp:
    """Return T0 plus some seconds."""
    return pd.Timestamp(datetime.fromtimestamp(T0 + seconds, UTC))


def nmea(seconds: float | None = 0.0, station: str = "r1", **message: Any) -> list[str]:
    """Return the sentences of one message, each with a tag block where ``seconds`` is given."""
    sentences = encode_dict({"mmsi": SHIP, **message}, talker_id="AI", seq_id=1)
    if seconds is None:
        return list(sentences)
    tag = TagBlock.create_str(receiver_timestamp=int(T0 + seconds), source_station=station)
    payload, check = tag.split("*")
    return [f"\\{payload}*{check.zfill(2)}\\{sentence}" for sentence in sentences]


def position(seconds: float | None = 0.0, lon: float = 125.2, lat: float = 38.7, **message: Any) -> list[str]:
    """Return a Class A position report."""
    known = {"type": 1, "lon": lon, "lat": lat, "speed": 8.0, "course": 90.0, "heading": 91, "status": 0}
    return nmea(seconds, **{**known, **message})


def voyage(seconds: float | None = 0.0, **message: Any) -> list[str]:
    """Return a message 5."""
    known = {
        "type": 5,
        "imo": int(GOOD_IMO),
        "callsign": "P7TST",
        "shipname": "GREY HERON",
        "ship_type": 70,
        "to_bow": 120,
        "to_stern": 30,
        "to_port": 8,
        "to_starboard": 14,
        "draught": 8.1,
        "destination": "NAMPO",
    }
    return nmea(seconds, **{**known, **message})


def write(path: Path, lines: Sequence[str], encoding: str = "utf-8") -> Path:
    """Write lines to a file."""
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def report(mmsi: str = str(SHIP), seconds: float = 0.0, **changes: Any) -> dict[str, Any]:
    """Return one row of `schemas.POSITIONS`."""
    row = {
        "mmsi": mmsi,
        "time": at(seconds),
        "lon": 125.2,
        "lat": 38.7,
        "sog_kn": 8.0,
        "cog_deg": 90.0,
        "heading_deg": 90.0,
        "nav_status": None,
        "ais_class": "A",
        "source": "test",
    }
    return {**row, **changes}


def reports(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return rows as `schemas.POSITIONS`."""
    return pd.DataFrame(rows).astype({"time": "datetime64[ns, UTC]"})
