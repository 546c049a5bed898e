"""A cue list: where, when and for what length of hull to look in archives, or to task a satellite for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from roadstead.core.leads import lead_probability, leads_of
from roadstead.core.schemas import UTC
from roadstead.publish.formats.flat import write_csv
from roadstead.publish.formats.geojson import write_geojson
from roadstead.publish.report.data import PortReport
from roadstead.publish.report.rows import declared_of

CUE_HOURS = 24.0
"""The window reaches so far either side of the overpass: a hull at a berth or anchor is mostly still there."""
CUE_RADIUS_M = 2000.0
"""Around the hull's centre: its own length, its swing at anchor and the error of place of another sensor."""
DECLARED_ERROR = 0.1
"""Of a declared length either way, where no hull was seen to measure."""
COLUMNS = (
    "cue_id", "rank", "kind", "probability", "lon", "lat", "radius_m", "window_from", "window_to", "seen_at",
    "length_low_m", "length_high_m", "length_from", "looks_like", "moving", "zone", "port", "detection_id", "mmsi",
    "overpass_id", "reasons", "conflicts", "simulated", "note",
)  # fmt: skip
_NOTES = {
    "no_ais_partner": "A hull that no vessel heard fits: a lead. Another image may tell what it is.",
    "conflict": "A declaration that disagrees with the image or with itself: a lead. Another image may settle it.",
    "unseen": "A vessel declared itself here and was not found: a lead. Another image may show the water empty or not.",
    "ambiguous": "A hull that some vessel heard fits well, and not well enough to name it: a lead.",
    "hull": "A hull where there was no AIS to hold it against. Another image, or AIS of that day, may tell what it is.",
}
"""Kind of lead -> what it says."""


def cue_table(report: PortReport) -> gpd.GeoDataFrame:
    """Return one cue a lead, likeliest first: points, EPSG:4326, with `COLUMNS`.

    ``probability`` is that of the status times that of being a vessel at all. ``length_low_m`` to ``length_high_m``
    is the 80 % interval of the hull that was seen, or a tenth either way of what was declared (``length_from``);
    null where neither is known.
    """
    hulls = {row["detection_id"]: row for row in report.detections.to_dict("records")}
    times = dict(zip(report.acquisitions["overpass_id"], report.acquisitions["acquired"], strict=True))
    rows = list(_rows(report, hulls, times))
    rows.sort(key=lambda row: (-row["probability"], row["cue_id"]))
    table = pd.DataFrame([{**row, "rank": index + 1} for index, row in enumerate(rows)])
    table = table.reindex(columns=[*COLUMNS, "geometry"])
    for name in ("window_from", "window_to", "seen_at"):
        table[name] = pd.to_datetime(table[name], utc=True).astype(UTC)
    for name in ("probability", "lon", "lat", "radius_m", "length_low_m", "length_high_m"):
        table[name] = table[name].astype(float)
    return gpd.GeoDataFrame(table, geometry="geometry", crs="EPSG:4326")


def write_cues(folder: Path, report: PortReport) -> list[Path]:
    """Write ``<port>-cues.csv`` and ``<port>-cues.geojson`` and return them.

    Raises:
        StoreError: a file cannot be written.
    """
    table, stem = cue_table(report), f"{report.port.slug}-cues"
    return [write_csv(table, folder / f"{stem}.csv"), write_geojson(table, folder / f"{stem}.geojson")]


def _rows(
    report: PortReport, hulls: dict[Any, Any], times: dict[str, pd.Timestamp]
) -> Iterator[dict[str, Any]]:
    for match in leads_of(report.matches).to_dict("records"):
        hull = hulls.get(match["detection_id"])
        seen = pd.Timestamp(hull["acquired"] if hull else times[match["overpass_id"]])
        reach = timedelta(hours=CUE_HOURS)
        yield {
            "cue_id": match["detection_id"] or f"{match['overpass_id']}-{match['mmsi']}",
            "kind": match["lead"],
            "probability": lead_probability(match["probability"], hull["p_vessel"] if hull else None),
            "lon": match["geometry"].x,
            "lat": match["geometry"].y,
            "radius_m": CUE_RADIUS_M,
            "window_from": seen - reach,
            "window_to": seen + reach,
            "seen_at": seen,
            **_length(match, hull, report.vessels, seen),
            "looks_like": hull["class"] if hull else None,
            "moving": hull["moving"] if hull else None,
            **{name: match[name] for name in ("zone", "port", "detection_id", "mmsi", "overpass_id")},
            **{name: match[name] for name in ("reasons", "conflicts", "simulated", "geometry")},
            "note": _NOTES[match["lead"]],
        }


def _length(
    match: dict[Any, Any], hull: dict[Any, Any] | None, vessels: pd.DataFrame, at: pd.Timestamp
) -> dict[str, Any]:
    if hull:
        low, high = hull["length_low_m"], hull["length_high_m"]
        return {"length_low_m": low, "length_high_m": high, "length_from": "image"}
    told = (declared_of(vessels, match["mmsi"], at) or {}).get("length_m")
    if told is None:
        return {"length_low_m": np.nan, "length_high_m": np.nan, "length_from": None}
    low, high = told * (1 - DECLARED_ERROR), told * (1 + DECLARED_ERROR)
    return {"length_low_m": low, "length_high_m": high, "length_from": "declared"}
