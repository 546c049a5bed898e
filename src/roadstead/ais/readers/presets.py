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
        "source": "Data source type",
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
_EXACT_AIS = Layout(
    "exactEarth (exactAIS archive)",
    {
        "mmsi": "MMSI",
        "time": "Time",
        "message": "Message_ID",
        "lon": "Longitude",
        "lat": "Latitude",
        "sog_kn": "SOG",
        "cog_deg": "COG",
        "heading_deg": "Heading",
        "nav_status": "Navigational_status",
        "imo": "IMO",
        "name": "Vessel_Name",
        "callsign": "Call_sign",
        "ship_type": "Ship_Type",
        "to_bow_m": "Dimension_to_Bow",
        "to_stern_m": "Dimension_to_stern",
        "to_port_m": "Dimension_to_port",
        "to_starboard_m": "Dimension_to_starboard",
        "draught_m": "Draught",
        "destination": "Destination",
    },
    known_from="documentation: the column list in the guide of aisdb, which reads such files",
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
_KYSTVERKET = Layout(
    "Kystverket (Norwegian Coastal Administration)",
    {
        "mmsi": "mmsi",
        "time": "date_time_utc",
        "lon": "longitude",
        "lat": "latitude",
        "sog_kn": "speed_over_ground",
        "cog_deg": "course_over_ground",
        "heading_deg": "true_heading",
        "nav_status": "nav_status",
        "message": "message_nr",
        "imo": "imo",
        "name": "ship_name",
        "callsign": "callsign",
        "ship_type": "ship_type",
        "length_m": "length",
        "beam_m": "breadth",
        "draught_m": "draught",
    },
    known_from="public code that reads such files; no public documentation was found",
)
_KYSTDATAHUSET = replace(
    _KYSTVERKET,
    columns={
        **_KYSTVERKET.columns,
        "lon": "lon",
        "lat": "lat",
        "sog_kn": "sog",
        "cog_deg": "cog",
        "message": "ais_msg_type",
    },
)
AIS_CATCHER = Layout(
    "AIS-catcher (decoded fields)",
    {
        "mmsi": "mmsi",
        "time": "rxuxtime",
        "message": "type",
        "lon": "lon",
        "lat": "lat",
        "sog_kn": "speed",
        "cog_deg": "course",
        "heading_deg": "heading",
        "nav_status": "status",
        "imo": "imo",
        "name": "shipname",
        "callsign": "callsign",
        "ship_type": "shiptype",
        **{name: name.removesuffix("_m") for name in DIMENSIONS},
        "draught_m": "draught",
        "destination": "destination",
    },
    known_from="documentation: jvde-github.github.io/AIS-catcher-docs, JSON output",
)
_BY_NAMES = "columns by their names"
_OWN = Layout("Roadstead", {name: name for name in COLUMNS}, known_from="our own column names")

PRESETS: tuple[tuple[frozenset[str], Layout], ...] = (
    (frozenset({"# timestamp", "mmsi", "latitude", "longitude"}), _DMA),
    (frozenset({"timestamp", "mmsi", "latitude", "longitude", "type of mobile"}), _DMA_SIZES),
    (frozenset({"mmsi", "basedatetime", "lat", "lon"}), _CADASTRE),
    (frozenset({"mmsi", "base_date_time", "longitude", "latitude"}), _CADASTRE_NEW),
    (frozenset({"mmsi", "base_date_time", "lon", "lat"}), _CADASTRE_POINTS),
    (frozenset({"mmsi", "timestamp", "latitude", "longitude", "msg_type"}), _SPIRE),
    (frozenset({"mmsi", "timestamp", "latitude", "longitude", "collection_type"}), _SPIRE),
    (frozenset({"mmsi", "message_id", "time", "longitude", "latitude"}), _EXACT_AIS),
    (frozenset({"mmsi", "dt_pos_utc", "latitude", "longitude"}), _EXACT_EARTH),
    (frozenset({"mmsi", "timestamp", "lat", "lon", "speed", "course", "status"}), _MARINE_TRAFFIC),
    (frozenset({"mmsi", "movementdatetime", "latitude", "longitude"}), _SP_GLOBAL),
    (frozenset({"mmsi", "position timestamp", "latitude", "longitude"}), _LLOYDS_LIST),
    (frozenset({"ssvid", "timestamp", "lat", "lon"}), _GFW_POSITIONS),
    (frozenset({"ssvid", "transmissiondatefrom", "shipname"}), _GFW_VESSELS),
    (frozenset({"mmsi", "date_time_utc", "longitude", "latitude"}), _KYSTVERKET),
    (frozenset({"mmsi", "date_time_utc", "lon", "lat"}), _KYSTDATAHUSET),
    (frozenset({"mmsi", "rxuxtime", "lon", "lat"}), AIS_CATCHER),
    (frozenset({"mmsi", "time", "lon", "lat"}), _OWN),
)
"""The columns that tell a layout."""

NAMES: dict[str, tuple[str, ...]] = {
    "mmsi": ("mmsi", "ssvid", "userid", "mmsi_number"),
    "time": ("time", "timestamp", "datetime", "date_time", "time_utc", "timestamp_utc", "datetime_utc", "utc_time",
             "utc_datetime", "timestamputc", "basedatetime", "base_date_time", "msgtime", "received_at", "epoch",
             "unixtime", "unix_time", "position_time", "tid"),
    "lon": ("lon", "longitude", "lng", "long", "x_lon", "lon_deg", "lengdegrad"),
    "lat": ("lat", "latitude", "y_lat", "lat_deg", "breddegrad"),
    "sog_kn": ("sog", "speed_over_ground", "speedoverground", "sog_kn", "sog_knots", "speed_knots", "speed_kn"),
    "cog_deg": ("cog", "course_over_ground", "courseoverground", "course", "cog_deg"),
    "heading_deg": ("heading", "true_heading", "trueheading", "hdg", "heading_deg"),
    "nav_status": ("nav_status", "navstatus", "navigational_status", "navigation_status", "navigationalstatus"),
    "message": ("msg_type", "message_type", "message_id", "messageid", "message_nr", "ais_msg_type"),
    "imo": ("imo", "imo_number", "imonumber"),
    "name": ("name", "shipname", "ship_name", "vessel_name", "vesselname"),
    "callsign": ("callsign", "call_sign"),
    "ship_type": ("ship_type", "shiptype", "vessel_type", "vesseltype", "vessel_type_code"),
    "to_bow_m": ("to_bow", "dimension_to_bow"),
    "to_stern_m": ("to_stern", "dimension_to_stern"),
    "to_port_m": ("to_port", "dimension_to_port"),
    "to_starboard_m": ("to_starboard", "dimension_to_starboard"),
    "length_m": ("length", "length_m", "loa"),
    "beam_m": ("width", "beam", "breadth"),
    "draught_m": ("draught", "draft"),
    "destination": ("destination",),
    "ais_class": ("ais_class", "transceiver_class", "class"),
    "source": ("source", "data source type"),
}  # fmt: skip
"""Our column to names, in lower case and with ``_`` for blanks, that mean it wherever they stand. ``speed`` alone is
none of them: it may be in knots, tenths of a knot, m/s or km/h."""


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
    if (named := _by_names(header)) is not None:
        return named
    found = ", ".join(name.strip() for name in header[:60])
    raise AisError(
        f"{path}: neither NMEA nor a table whose columns we know. Columns found: {found}.\n{TEACH}{', '.join(COLUMNS)}"
    )


def _by_names(header: Sequence[str]) -> Layout | None:
    """Return a layout of columns whose names mean one thing only; None without identity, time and place.

    A field that two columns may be is not read; where that is the identity, the time or the place, nothing is.
    """
    spelt = {plain(name).replace(" ", "_"): name for name in header}
    fits = {ours: [spelt[name] for name in names if name in spelt] for ours, names in NAMES.items()}
    columns = {ours: names[0] for ours, names in fits.items() if len(names) == 1}
    if not {"mmsi", "time", "lon", "lat"} <= set(columns):
        return None
    return Layout(_BY_NAMES, columns, known_from="names that mean one thing only")


def _mapped(mapping: ColumnMapping, names: set[str], header: Sequence[str], path: Path) -> Layout:
    implied = {name: name for name in ("lon", "lat") if name in names}
    if "source" not in mapping.constants and plain(_DMA.columns["source"]) in names:
        implied["source"] = _DMA.columns["source"]  # simulated AIS is marked there
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
