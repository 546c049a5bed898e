"""Events from AIS around a port, as a GeoJSON file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from roadstead.ais import load_ais
from roadstead.ais.events import events, is_simulated
from roadstead.core.detections_file import write_json
from roadstead.core.ports import Port
from roadstead.workflows.load_ais import widened

_DECIMALS = 6


def write_events(
    output: Path,
    port: Port,
    paths: Sequence[str],
    mapping: Path | None,
    span: tuple[datetime, datetime] | None = None,
) -> pd.DataFrame:
    """Find the events in AIS files around a port, write them as GeoJSON and return `schemas.EVENTS`.

    Raises:
        AisError: a file cannot be used.
        StoreError: the output cannot be written.
    """
    start, end = span or (None, None)
    heard = load_ais(paths, mapping=mapping, within=widened(port.bounds), start=start, end=end)
    found = events(heard, port)
    write_json(output, features_of(found, port.slug, is_simulated(heard)))
    return found


def features_of(table: pd.DataFrame, port: str, simulated: bool = False) -> dict[str, Any]:
    """Return `schemas.EVENTS` as a GeoJSON feature collection (RFC 7946) of points, WGS84.

    Args:
        table: the events.
        port: the port's slug.
        simulated: whether they were looked for in simulated AIS: to be told where there are none, too.
    """
    simulated = simulated or (bool(len(table)) and bool(table["simulated"].any()))
    features = [_feature(row) for row in table.to_dict("records")]
    return {
        "type": "FeatureCollection",
        "features": features,
        "roadstead": {"kind": "events", "port": port, "simulated": simulated},
    }


def _feature(row: dict[Any, Any]) -> dict[str, Any]:
    place = [round(float(row["lon"]), _DECIMALS), round(float(row["lat"]), _DECIMALS)]
    told = {
        **{name: row[name] for name in ("event_id", "kind", "mmsi", "segment", "other_mmsi", "zone")},
        "start": row["start"].isoformat(),
        "end": row["end"].isoformat(),
        "evidence": json.loads(row["evidence"]),
        "could_also_be": row["could_also_be"],
        "simulated": bool(row["simulated"]),
    }
    return {
        "type": "Feature",
        "id": row["event_id"],
        "geometry": {"type": "Point", "coordinates": place},
        "properties": told,
    }
