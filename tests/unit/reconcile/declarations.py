"""AIS tables and a port that the reconcile tests build on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from shapely.geometry import MultiPolygon, box

from roadstead.ais import AisData
from roadstead.core.geo import destination_lonlat
from roadstead.core.ports import Port, Zone
from roadstead.core.schemas import POSITIONS, UTC, VESSELS, empty
from tests.unit.builders import ACQUIRED, detection

LON, LAT = 125.3, 38.7
MMSI = "445000001"


def offset(east_m: float, north_m: float, lon: float = LON, lat: float = LAT) -> tuple[float, float]:
    """Return the place some metres from another."""
    bearing = np.degrees(np.arctan2(east_m, north_m))
    moved = destination_lonlat(
        np.array([[lon, lat]]), np.array([bearing]), np.array([np.hypot(east_m, north_m)])
    )
    return float(moved[0, 0]), float(moved[0, 1])


def report(seconds: float, mmsi: str = MMSI, at: tuple[float, float] = (LON, LAT), **changes: Any) -> dict:
    """Return one row of `schemas.POSITIONS`, some seconds after the overpass."""
    row = {
        "mmsi": mmsi,
        "time": pd.Timestamp(ACQUIRED + timedelta(seconds=seconds)),
        "lon": at[0],
        "lat": at[1],
        "sog_kn": 0.0,
        "cog_deg": np.nan,
        "heading_deg": np.nan,
        "nav_status": None,
        "ais_class": "A",
        "source": "test",
        "segment": 0,
    }
    return {**row, **changes}


def moored(
    mmsi: str = MMSI, at: tuple[float, float] = (LON, LAT), hours: float = 3.0, **changes: Any
) -> list:
    """Return a report every ten minutes of a vessel that stays put."""
    return [report(s, mmsi, at, **changes) for s in np.arange(-hours * 3600 + 60, hours * 3600, 600.0)]


def vessel(mmsi: str = MMSI, length_m: float = 150.0, **changes: Any) -> dict:
    """Return one row of `schemas.VESSELS` of a cargo ship whose antenna stands at its centre."""
    row = {
        "mmsi": mmsi,
        "time": pd.Timestamp(ACQUIRED - timedelta(hours=1)),
        "imo": None,
        "name": None,
        "callsign": None,
        "flag": None,
        "ship_type": 70,
        "to_bow_m": length_m / 2,
        "to_stern_m": length_m / 2,
        "to_port_m": 10.0,
        "to_starboard_m": 10.0,
        "length_m": length_m,
        "beam_m": 20.0,
        "draught_m": np.nan,
        "destination": None,
        "source": "test",
    }
    return {**row, **changes}


def ais(reports: Sequence[Mapping], vessels: Sequence[Mapping] = (), **changes: Any) -> AisData:
    """Return `AisData` of these rows."""
    positions = pd.DataFrame(reports) if reports else empty(POSITIONS)
    static = pd.DataFrame(vessels) if vessels else empty(VESSELS)
    return AisData(
        positions=positions.astype({"time": UTC}),
        vessels=static.astype({"time": UTC, "ship_type": "Int64"}),
        **changes,
    )


def neighbours(n: int, *, silent: int = 0, away_m: float = 8_000.0) -> tuple[list[dict], list[dict]]:
    """Return ``n`` moored vessels in a ring well away; ``silent`` of them unheard within half an hour.

    So short that it says nothing of the image that none of them was seen.
    """
    reports, vessels = [], []
    for k in range(n):
        angle = 2 * np.pi * k / n
        at = offset(away_m * np.sin(angle), away_m * np.cos(angle))
        mmsi = f"4777770{k:02d}"
        own = moored(mmsi, at)
        gap = pd.Timedelta(minutes=40)
        reports += [r for r in own if k >= silent or abs(r["time"] - pd.Timestamp(ACQUIRED)) > gap]
        vessels.append(vessel(mmsi, 50.0))
    return reports, vessels


def hull(index: int = 0, east_m: float = 0.0, north_m: float = 0.0, **changes: Any) -> dict[str, Any]:
    """Return a detection some metres from (LON, LAT)."""
    return detection(index, *offset(east_m, north_m), **changes)


def port(*extra: Zone) -> Port:
    """Return a port of one roads zone around (LON, LAT), about 17 km by 22 km."""
    roads = Zone("nampo/roads", "anchorage", MultiPolygon([box(125.2, 38.6, 125.4, 38.8)]))
    return Port("nampo", (roads, *extra))
