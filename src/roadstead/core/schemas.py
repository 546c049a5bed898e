"""The tables that pass between stages: columns, types, units and allowed values.

Times are UTC, angles are degrees clockwise from true north, lengths are metres, positions are WGS84
degrees. Each schema is checked with pandera at the door of a stage (`checked`). Columns a source does
not know are null, never a sentinel value.
"""

from __future__ import annotations

from typing import Any, TypeVar

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from roadstead.core.errors import TableError

CLASSES = ("barge", "bulk_carrier", "other_vessel")
"""What a hull looks like, in the order of the model's scores."""
DRY_CARGO = ("barge", "bulk_carrier")
"""The two classes whose sum, `dry_cargo`, stands beside every class count."""
ZONE_KINDS = ("berth", "anchorage", "fairway", "lock")
CONFIDENCES = ("high", "medium", "low")
STATUSES = ("matched", "ambiguous", "no_ais_partner", "unseen", "no_coverage", "not_visible")
OBSERVED_PARTS = ("matched", "no_ais_partner", "ambiguous", "no_coverage")
"""observed = the sum of these."""
DECLARED_PARTS = ("matched", "unseen", "not_visible", "ambiguous")
"""declared = the sum of these."""
QUANTITIES = (
    "observed",
    "declared",
    "matched",
    "no_ais_partner",
    "ambiguous",
    "no_coverage",
    "unseen",
    "not_visible",
)
LENGTH_BINS = ("all", "0-45", "45-60", "60-90", "90-130", "130-170", "170-230", "230+")
"""Length bins in metres, lower edge inside; `all` is their sum."""
SENSORS = ("s2", "s1")
ACQUISITION_STATES = ("processed", "not_observed", "failed")
"""`not_observed`: read, but no zone was seen for the set share; `failed`: could not be read or used."""
MISSING_STATES = ("missing", "not_acquired")
"""Of a pass that the orbits say took place: `missing`: images of that pass are listed elsewhere along its track,
none of this port; `not_acquired`: no catalogue asked lists any image of it."""
LEDGER_STATES = ("processed", "too_cloudy", "failed", *MISSING_STATES)
"""What became of a pass; `too_cloudy` is `not_observed` of an acquisition. Only `processed` says anything of ships."""
ACQUIRED_SOURCES = ("granule_sensing", "datastrip", "datatake_start", "assumed")

UTC = pd.DatetimeTZDtype("ns", "UTC")
_PROBABILITY = pa.Check.in_range(0.0, 1.0)
_LON = pa.Check.in_range(-180.0, 180.0)
_LAT = pa.Check.in_range(-90.0, 90.0)
_MMSI = pa.Check.str_matches(r"^\d{9}$")


def _text(**kw: Any) -> pa.Column:  # noqa: ANN401 - passed through to pandera
    return pa.Column(object, pa.Check(lambda s: s.map(lambda v: isinstance(v, str))), **kw)


def _maybe_bool() -> pa.Column:
    return pa.Column(object, pa.Check.isin([True, False]), nullable=True)


def _maybe_text(*checks: pa.Check) -> pa.Column:
    return pa.Column(object, list(checks), nullable=True)


def _real(*checks: pa.Check, nullable: bool = False) -> pa.Column:
    return pa.Column(float, list(checks), nullable=nullable, coerce=True)


def _one_of(values: tuple[str, ...]) -> pa.Column:
    return pa.Column(object, pa.Check.isin(values))


def _time(nullable: bool = False) -> pa.Column:
    return pa.Column(UTC, nullable=nullable, coerce=True)


SCENES = pa.DataFrameSchema(
    {
        "scene_id": _text(unique=True),
        "overpass_id": _text(),
        "port": _text(),
        "platform": _maybe_text(),
        "sensor": _one_of(SENSORS),
        "acquired": _time(),
        "acquired_source": _one_of(ACQUIRED_SOURCES),
        "acquired_sigma_s": _real(pa.Check.ge(0.0)),
        "provider": _text(),
        "item_href": _maybe_text(),
        "processing_baseline": _maybe_text(),
        "sun_azimuth_deg": _real(nullable=True),
        "sun_elevation_deg": _real(nullable=True),
        "cloud": _one_of(("known", "unknown")),
        "simulated": pa.Column(bool),
        "item_sha256": _maybe_text(),
    }
)

DETECTIONS = pa.DataFrameSchema(
    {
        "detection_id": _text(unique=True),
        "scene_id": _text(),
        "overpass_id": _text(),
        "port": _maybe_text(),
        "acquired": _time(),
        "acquired_sigma_s": _real(pa.Check.ge(0.0)),
        "zone": _maybe_text(),
        "lon": _real(_LON),
        "lat": _real(_LAT),
        "p_vessel": _real(_PROBABILITY),
        "p_barge": _real(_PROBABILITY),
        "p_bulk_carrier": _real(_PROBABILITY),
        "p_other_vessel": _real(_PROBABILITY),
        "class": _one_of(CLASSES),
        "length_m": _real(pa.Check.gt(0.0)),
        "length_low_m": _real(pa.Check.ge(0.0)),
        "length_high_m": _real(pa.Check.gt(0.0)),
        "beam_m": _real(pa.Check.gt(0.0)),
        "axis_deg": _real(pa.Check.in_range(0.0, 180.0, include_max=False)),
        "bow_deg": _real(pa.Check.in_range(0.0, 360.0, include_max=False), nullable=True),
        "p_bow": _real(_PROBABILITY, nullable=True),
        "moving": _maybe_bool(),
        "p_moving": _real(_PROBABILITY, nullable=True),
        "flags": _text(),
        "dropped_because": _maybe_text(),
        "simulated": pa.Column(bool),
        "model_id": _text(),
        "geometry": pa.Column(None),
    }
)
"""One hull a row; a GeoDataFrame whose geometry is the oriented box (4 corners, EPSG:4326). `p_barge +
p_bulk_carrier + p_other_vessel = 1`: class probabilities given that it is a vessel. `length_low_m` to
`length_high_m` is an 80 % interval. `bow_deg` is the bearing of the bow, given with its probability `p_bow` where that
is 0.9 or more; `moving` is true or false where `p_moving` is 0.9 or more, or 0.1 or less. `flags` is a comma-separated
list (`at_edge`, `near_structure`, `under_thin_cloud`), empty when none. `dropped_because` is null for kept rows."""

STRUCTURES = pa.DataFrameSchema(
    {
        "port": _maybe_text(),
        "lon": _real(_LON),
        "lat": _real(_LAT),
        "length_m": _real(pa.Check.gt(0.0)),
        "beam_m": _real(pa.Check.gt(0.0)),
        "axis_deg": _real(pa.Check.in_range(0.0, 180.0, include_max=False)),
        "looks": pa.Column(int, pa.Check.gt(0), coerce=True),
        "seen": pa.Column(int, pa.Check.gt(0), coerce=True),
        "presence_low": _real(_PROBABILITY),
        "first_seen": _time(),
        "last_seen": _time(),
        "simulated": pa.Column(bool),
        "marked_by": _maybe_text(),
        "geometry": pa.Column(None),
    }
)
"""One fixed structure a row (`detection.fixed_structures`); the geometry is its oriented box, EPSG:4326. It was
found in `seen` of `looks` clear overpasses, and `presence_low` is the least share of looks that it is there in (95 %).
`marked_by` names the analyst who said so of one finding; null where it was learnt."""

POSITIONS = pa.DataFrameSchema(
    {
        "mmsi": pa.Column(object, _MMSI),
        "time": _time(),
        "lon": _real(_LON),
        "lat": _real(_LAT),
        "sog_kn": _real(pa.Check.in_range(0.0, 102.2), nullable=True),
        "cog_deg": _real(pa.Check.in_range(0.0, 360.0, include_max=False), nullable=True),
        "heading_deg": _real(pa.Check.in_range(0.0, 360.0, include_max=False), nullable=True),
        "nav_status": _maybe_text(),
        "ais_class": pa.Column(object, pa.Check.isin(("A", "B")), nullable=True),
        "source": _text(),
    }
)
"""Position reports of ships (ITU-R M.1371 messages 1-3, 18, 19, 27), sentinels already null."""

STATIONS = pa.DataFrameSchema(
    {
        "mmsi": pa.Column(object, _MMSI),
        "time": _time(),
        "lon": _real(_LON),
        "lat": _real(_LAT),
        "kind": _one_of(("base_station", "aid_to_navigation", "gear_buoy", "sar_aircraft")),
        "source": _text(),
    }
)
"""Transmitters that are no ships: kept as reception evidence, never matched."""

VESSELS = pa.DataFrameSchema(
    {
        "mmsi": pa.Column(object, _MMSI),
        "time": _time(),
        "imo": _maybe_text(pa.Check.str_matches(r"^\d{7}$")),
        "name": _maybe_text(),
        "callsign": _maybe_text(),
        "flag": _maybe_text(pa.Check.str_length(2, 2)),
        "ship_type": pa.Column("Int64", pa.Check.in_range(0, 99), nullable=True, coerce=True),
        "to_bow_m": _real(pa.Check.ge(0.0), nullable=True),
        "to_stern_m": _real(pa.Check.ge(0.0), nullable=True),
        "to_port_m": _real(pa.Check.ge(0.0), nullable=True),
        "to_starboard_m": _real(pa.Check.ge(0.0), nullable=True),
        "length_m": _real(pa.Check.gt(0.0), nullable=True),
        "beam_m": _real(pa.Check.gt(0.0), nullable=True),
        "draught_m": _real(pa.Check.gt(0.0), nullable=True),
        "destination": _maybe_text(),
        "source": _text(),
    }
)
"""Static data as declared, one row a change (`time` = first heard so): a history, not one row a vessel."""

EVENT_KINDS = ("port_visit", "gap", "loitering", "encounter", "identity_change")

EVENTS = pa.DataFrameSchema(
    {
        "event_id": _text(unique=True),
        "kind": _one_of(EVENT_KINDS),
        "mmsi": pa.Column(object, _MMSI),
        "segment": pa.Column(int, pa.Check.ge(0), coerce=True),
        "other_mmsi": _maybe_text(_MMSI),
        "start": _time(),
        "end": _time(),
        "lon": _real(_LON),
        "lat": _real(_LAT),
        "zone": _maybe_text(),
        "evidence": _text(),
        "could_also_be": _text(),
        "simulated": pa.Column(bool),
    }
)
"""What AIS alone tells of one vessel, or of two (`encounter`): a lead, not a verdict. `segment` is the hull among those
that use the MMSI. `evidence` is a JSON object of what it rests on, with counts; `could_also_be` says what else would
look the same. `lon` and `lat` are the middle of the event; of a gap, the last place before it."""

MATCHES = pa.DataFrameSchema(
    {
        "overpass_id": _text(),
        "port": _maybe_text(),
        "detection_id": _maybe_text(),
        "mmsi": _maybe_text(_MMSI),
        "zone": _maybe_text(),
        "status": _one_of(STATUSES),
        "candidates": _text(),
        "probability": _real(_PROBABILITY),
        "p_kinematic": _real(_PROBABILITY, nullable=True),
        "conflicts": _text(),
        "reasons": _text(),
        "p_heard_class_a": _real(_PROBABILITY, nullable=True),
        "p_heard_class_b": _real(_PROBABILITY, nullable=True),
        "carriage_expected": _one_of(("yes", "no", "unknown")),
        "distance_m": _real(pa.Check.ge(0.0), nullable=True),
        "dt_s": _real(nullable=True),
        "simulated": pa.Column(bool),
        "geometry": pa.Column(None),
    }
)
"""One row per detection and per declared vessel that no detection took; a GeoDataFrame of points: the
detection's centre, or the declared position. `candidates`, `conflicts` and `reasons` are
comma-separated codes. `probability` is that of the status named, given the data."""

COUNTS = pa.DataFrameSchema(
    {
        "port": _text(),
        "zone": _text(),
        "overpass_id": _text(),
        "acquired": _time(),
        "class": _one_of((*CLASSES, "dry_cargo", "all")),
        "length_bin": _one_of(LENGTH_BINS),
        "quantity": _one_of(QUANTITIES),
        "value": _real(pa.Check.ge(0.0), nullable=True),
        "low": _real(pa.Check.ge(0.0), nullable=True),
        "high": _real(pa.Check.ge(0.0), nullable=True),
        "visible_fraction": _real(_PROBABILITY),
        "observed_at_all": pa.Column(bool),
        "simulated": pa.Column(bool),
    }
)
"""`value` is what was found, `low` to `high` the 90 % interval of what was there; all three are null where
`observed_at_all` is false ("not observed", never zero)."""

ACQUISITIONS = pa.DataFrameSchema(
    {
        "port": _text(),
        "overpass_id": _text(unique=True),
        "acquired": _time(nullable=True),
        "acquired_sigma_s": _real(pa.Check.ge(0.0), nullable=True),
        "state": _one_of(ACQUISITION_STATES),
        "reason": _maybe_text(),
        "later_failure": _maybe_text(),
        "model_id": _maybe_text(),
        "model_sha256": _maybe_text(),
        "threshold": _real(_PROBABILITY, nullable=True),
        "roadstead_version": _text(),
        "simulated": pa.Column(object, pa.Check.isin((True, False)), nullable=True),
        "with_ais": pa.Column(object, pa.Check.isin((True, False)), nullable=True),
        "stored": _time(nullable=True),
        "inputs_sha256": _maybe_text(),
        "provider": _maybe_text(),
        "tried": _maybe_text(),
    }
)
"""Every overpass of one port that was tried, with one state and what it was processed with. An item that
could not be used stands under its item id. `reason`: why it failed or was not observed, or, of one that was processed,
why nothing of it supports a lead. `later_failure` says why a later attempt failed where an earlier
result stands. `with_ais`: some AIS report lay around the overpass. `acquired`, `simulated` and `with_ais` are
null where they could not be read. `stored`: when; `provider`: who served the pixels; `tried`: who was asked
before, and why it could not serve them."""

LEDGER = pa.DataFrameSchema(
    {
        "port": _text(),
        "acquired": _time(nullable=True),
        "platform": _maybe_text(),
        "state": _one_of(LEDGER_STATES),
        "overpass_id": _maybe_text(),
        "reason": _maybe_text(),
        "provider": _maybe_text(),
        "stored": _time(nullable=True),
    }
)
"""Every pass over a port, each in one state: those tried, and those that the orbits say took place (`acquired` is
the time expected then) and no catalogue lists."""

QUARANTINE = pa.DataFrameSchema(
    {
        "file": _text(),
        "row": pa.Column(int, coerce=True),
        "field": _text(),
        "reason": _text(),
        "content": _text(),
    }
)
"""Input rows that could not be used: file, 1-based row, field at fault, why, and the row itself."""

Frame = TypeVar("Frame", bound=pd.DataFrame)


def checked(table: Frame, schema: pa.DataFrameSchema, name: str) -> Frame:
    """Return ``table`` if it fits the schema (extra columns kept), else raise `TableError` naming rows."""
    try:
        schema.validate(table, lazy=True)
    except SchemaErrors as error:
        raise TableError(f"{name}: {_faults(error.failure_cases)}") from error
    return table


def _faults(cases: pd.DataFrame, most: int = 5) -> str:
    rows = [
        f"column {c['column'] or c['failure_case']}: {c['check']} fails for {c['failure_case']!r} "
        f"in row {c['index']}"
        for c in cases.head(most).to_dict("records")
    ]
    more = f"; and {len(cases) - most} more" if len(cases) > most else ""
    return "; ".join(rows) + more


def empty(schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Return a table with no rows and the schema's columns and types."""
    columns = {
        name: pd.Series(dtype=str(column.dtype) if column.dtype is not None else "object")
        for name, column in schema.columns.items()
    }
    return pd.DataFrame(columns)
