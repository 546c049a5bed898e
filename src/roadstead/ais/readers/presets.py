"""The tables of publishers that we read without a mapping; docs/ais.md lists them from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from roadstead.ais.readers.batch import COLUMNS, DIMENSIONS, STATIC
from roadstead.ais.readers.layouts import TEACH, ColumnMapping, Layout, plain
from roadstead.core.errors import AisError

_DMA = Layout(
    "Danish Maritime Authority",
    {
        "time": "# Timestamp",
        "mmsi": "MMSI",
        "lat": "Latitude",
        "lon": "Longitude",
        "ais_class": "Type of mobile",
        "nav_status": "Navigational status",
        "sog_kn": "SOG",
        "cog_deg": "COG",
        "heading_deg": "Heading",
        "imo": "IMO",
        "callsign": "Callsign",
        "name": "Name",
        "ship_type": "Ship type",
        "beam_m": "Width",
        "length_m": "Length",
        "draught_m": "Draught",
        "destination": "Destination",
        **dict(zip(DIMENSIONS, "ABCD", strict=True)),
    },
    time_format="%d/%m/%Y %H:%M:%S",
    known_from="documentation: `!_README_information_CSV_files.txt` beside the data",
)
_DMA_SIZES = Layout(
    _DMA.name,
    {
        **_DMA.columns,
        "time": "Timestamp",
        **{ours: f"Size {c}" for ours, c in zip(DIMENSIONS, "ABCD", strict=True)},
    },
    time_format=_DMA.time_format,
    known_from=_DMA.known_from,
)
_CADASTRE = Layout(
    "MarineCadastre (to 2024)",
    {
        "mmsi": "MMSI",
        "time": "BaseDateTime",
        "lat": "LAT",
        "lon": "LON",
        "sog_kn": "SOG",
        "cog_deg": "COG",
        "heading_deg": "Heading",
        "name": "VesselName",
        "imo": "IMO",
        "callsign": "CallSign",
        "ship_type": "VesselType",
        "nav_status": "Status",
        "length_m": "Length",
        "beam_m": "Width",
        "draught_m": "Draft",
        "ais_class": "TransceiverClass",
    },
    known_from="documentation: the AIS Vessel Traffic Data dictionary",
)
_CADASTRE_NEW = Layout(
    "MarineCadastre (from 2025)",
    {
        **_CADASTRE.columns,
        "time": "base_date_time",
        "lat": "latitude",
        "lon": "longitude",
        "name": "vessel_name",
        "callsign": "call_sign",
        "ship_type": "vessel_type",
        "ais_class": "transceiver",
    },
    known_from="documentation: the data dictionary",
)
_CADASTRE_POINTS = replace(
    _CADASTRE_NEW,
    name="MarineCadastre (GeoParquet, from 2025)",
    columns={**_CADASTRE_NEW.columns, "lon": "lon", "lat": "lat"},
    known_from="documentation: the data dictionary; `lon` and `lat` are those of the points",
)
_SPIRE = Layout(
    "Spire Maritime (data extracts)",
    {
        "mmsi": "mmsi",
        "time": "timestamp",
        "message": "msg_type",
        "lat": "latitude",
        "lon": "longitude",
        "sog_kn": "speed",
        "cog_deg": "course",
        "heading_deg": "heading",
        "nav_status": "status",
        "imo": "imo",
        "name": "name",
        "callsign": "call_sign",
        "ship_type": "ship_and_cargo_type",
        "length_m": "length",
        "beam_m": "width",
        "draught_m": "draught",
        "destination": "destination",
    },
    known_from="documentation: documentation.spire.com, data extracts (field names partly from public code)",
)
_EXACT_EARTH = Layout(
    "Spire Maritime (exactEarth, UN Global Platform)",
    {
        "mmsi": "mmsi",
        "time": "dt_pos_utc",
        "message": "message_type",
        "lat": "latitude",
        "lon": "longitude",
        "sog_kn": "sog",
        "cog_deg": "cog",
        "heading_deg": "heading",
        "nav_status": "nav_status",
        "imo": "imo",
        "name": "vessel_name",
        "callsign": "callsign",
        "ship_type": "vessel_type_code",
        "length_m": "length",
        "beam_m": "width",
        "draught_m": "draught",
        "destination": "destination",
    },
    known_from="public code that reads such files; partly assumed",
)
_MARINE_TRAFFIC = Layout(
    "MarineTraffic (Kpler)",
    {
        "mmsi": "MMSI",
        "time": "TIMESTAMP",
        "lat": "LAT",
        "lon": "LON",
        "sog_kn": "SPEED",
        "cog_deg": "COURSE",
        "heading_deg": "HEADING",
        "nav_status": "STATUS",
        "imo": "IMO",
        "name": "SHIPNAME",
        "callsign": "CALLSIGN",
        "ship_type": "SHIPTYPE",
        "length_m": "LENGTH",
        "beam_m": "WIDTH",
        "draught_m": "DRAUGHT",
        "destination": "DESTINATION",
    },
    scale={"sog_kn": 0.1, "draught_m": 0.1},
    known_from="documentation: servicedocs.marinetraffic.com (speed in tenths of a knot); tenths of a metre of "
    "draught are assumed",
)
_SP_GLOBAL = Layout(
    "S&P Global (IHS Markit, AISLive)",
    {
        "mmsi": "MMSI",
        "time": "MovementDateTime",
        "lat": "Latitude",
        "lon": "Longitude",
        "sog_kn": "Speed",
        "heading_deg": "Heading",
        "nav_status": "MoveStatus",
        "imo": "LRIMOShipNo",
        "name": "ShipName",
        "callsign": "CallSign",
        "length_m": "Length",
        "beam_m": "Beam",
        "draught_m": "Draught",
        "destination": "Destination",
    },
    known_from="public code that reads such files; no public documentation was found",
)
_LLOYDS_LIST = Layout(
    "Lloyd's List Intelligence",
    {
        "mmsi": "MMSI",
        "time": "Position Timestamp",
        "lat": "Latitude",
        "lon": "Longitude",
        "sog_kn": "Speed",
        "cog_deg": "Course",
        "heading_deg": "Heading",
        "imo": "IMO",
        "name": "Vessel Name",
        "callsign": "Callsign",
        "draught_m": "Draught",
        "destination": "Destination",
    },
    known_from="assumed: no public documentation was found; check it against your file, or write a mapping",
)
_GFW_POSITIONS = Layout(
    "Global Fishing Watch (position tables)",
    {
        "mmsi": "ssvid",
        "time": "timestamp",
        "lat": "lat",
        "lon": "lon",
        "sog_kn": "speed_knots",
        "cog_deg": "course",
        "heading_deg": "heading",
        "name": "shipname",
        "callsign": "callsign",
        "imo": "imo",
    },
    known_from="documentation: GFW technical documentation, message tables; partly assumed",
)
_GFW_VESSELS = Layout(
    "Global Fishing Watch (vessel identity, self-reported)",
    {
        "mmsi": "ssvid",
        "time": "transmissionDateFrom",
        "name": "shipname",
        "callsign": "callsign",
        "imo": "imo",
    },
    known_from="documentation: Vessels API, `selfReportedInfo`; static data alone",
)
_OWN = Layout("Roadstead", {name: name for name in COLUMNS}, known_from="our own column names")

PRESETS: tuple[tuple[frozenset[str], Layout], ...] = (
    (frozenset({"# timestamp", "mmsi", "latitude", "longitude"}), _DMA),
    (frozenset({"timestamp", "mmsi", "latitude", "longitude", "type of mobile"}), _DMA_SIZES),
    (frozenset({"mmsi", "basedatetime", "lat", "lon"}), _CADASTRE),
    (frozenset({"mmsi", "base_date_time", "longitude", "latitude"}), _CADASTRE_NEW),
    (frozenset({"mmsi", "base_date_time", "lon", "lat"}), _CADASTRE_POINTS),
    (frozenset({"mmsi", "timestamp", "latitude", "longitude", "msg_type"}), _SPIRE),
    (frozenset({"mmsi", "timestamp", "latitude", "longitude", "collection_type"}), _SPIRE),
    (frozenset({"mmsi", "dt_pos_utc", "latitude", "longitude"}), _EXACT_EARTH),
    (frozenset({"mmsi", "timestamp", "lat", "lon", "speed", "course", "status"}), _MARINE_TRAFFIC),
    (frozenset({"mmsi", "movementdatetime", "latitude", "longitude"}), _SP_GLOBAL),
    (frozenset({"mmsi", "position timestamp", "latitude", "longitude"}), _LLOYDS_LIST),
    (frozenset({"ssvid", "timestamp", "lat", "lon"}), _GFW_POSITIONS),
    (frozenset({"ssvid", "transmissiondatefrom", "shipname"}), _GFW_VESSELS),
    (frozenset({"mmsi", "time", "lon", "lat"}), _OWN),
)
"""The columns that tell a layout."""


def layout_of(header: Sequence[str], path: Path, mapping: ColumnMapping | None) -> Layout:
    """Return the layout of a table by its header, or by the user's mapping.

    Raises:
        AisError: no layout fits; the message lists the columns found and teaches the mapping.
    """
    names = {plain(name) for name in header}
    if mapping is not None:
        return _mapped(mapping, names, header, path)
    for telling, layout in PRESETS:
        if telling <= names:
            return layout
    found = ", ".join(name.strip() for name in header[:60])
    raise AisError(
        f"{path}: neither NMEA nor a table whose columns we know. Columns found: {found}.\n{TEACH}{', '.join(COLUMNS)}"
    )


def _mapped(mapping: ColumnMapping, names: set[str], header: Sequence[str], path: Path) -> Layout:
    implied = {name: name for name in ("lon", "lat") if name in names}
    layout = replace(mapping.layout(), columns={**implied, **mapping.columns})
    absent = [theirs for theirs in layout.columns.values() if plain(theirs) not in names]
    if absent:
        raise AisError(
            f"{path}: the column mapping names {', '.join(absent)}, but the columns are: {', '.join(header)}"
        )
    needed = {"mmsi", "time"} | (set() if set(layout.columns) & set(STATIC) else {"lon", "lat"})
    lacking = sorted(needed - set(layout.columns) - set(layout.constants))
    if lacking:
        raise AisError(f"{path}: the column mapping does not say which column is {', '.join(lacking)}")
    return layout
