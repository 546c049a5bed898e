"""Which column of a table holds what, for the publishers we know and by a user's mapping.

Danish Maritime Authority: ``!_README_information_CSV_files.txt`` beside its data (dimensions A-D are read in the
order of ITU-R M.1371). MarineCadastre: "AIS Vessel Traffic Data" dictionaries, the classic columns (2015-2024)
and those in use since 2025.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from roadstead.ais.batch import COLUMNS, DIMENSIONS, STATIC
from roadstead.errors import AisError
from roadstead.geo import KNOT, NAUTICAL_MILE_M

TimeUnit = Literal["s", "ms"]
SpeedUnit = Literal["kn", "m/s", "km/h"]
KNOTS = {"kn": 1.0, "m/s": 1.0 / KNOT, "km/h": 1000.0 / NAUTICAL_MILE_M}


@dataclass(frozen=True)
class Layout:
    """How to read a table: our column names to the table's, and what all rows share."""

    name: str
    columns: Mapping[str, str]
    constants: Mapping[str, str] = field(default_factory=dict)
    time_format: str = "ISO8601"
    """A strptime pattern, or ``ISO8601``; a time without a zone is UTC."""
    time_unit: TimeUnit | None = None
    """Set where times are numbers: seconds or milliseconds since 1970."""
    speed_unit: SpeedUnit = "kn"

    def present(self, header: Sequence[str]) -> dict[str, str]:
        """Return our name to the table's own spelling, for the columns that this header has."""
        spelt = {plain(name): name for name in header}
        return {ours: spelt[plain(theirs)] for ours, theirs in self.columns.items() if plain(theirs) in spelt}


def plain(name: str) -> str:
    """Return a header without case, quotes and outer blanks."""
    return name.strip().strip("\"'").strip().lower()


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
)
_DMA_SIZES = Layout(
    _DMA.name,
    {
        **_DMA.columns,
        "time": "Timestamp",
        **{ours: f"Size {c}" for ours, c in zip(DIMENSIONS, "ABCD", strict=True)},
    },
    time_format=_DMA.time_format,
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
)
_OWN = Layout("Roadstead", {name: name for name in COLUMNS})

_TELLING: tuple[tuple[frozenset[str], Layout], ...] = (
    (frozenset({"# timestamp", "mmsi", "latitude", "longitude"}), _DMA),
    (frozenset({"timestamp", "mmsi", "latitude", "longitude", "type of mobile"}), _DMA_SIZES),
    (frozenset({"mmsi", "basedatetime", "lat", "lon"}), _CADASTRE),
    (frozenset({"mmsi", "base_date_time", "longitude", "latitude"}), _CADASTRE_NEW),
    (frozenset({"mmsi", "time", "lon", "lat"}), _OWN),
)
"""The columns that tell a layout."""

_TEACH = """\
Write a column mapping and give it with --ais-mapping, for example mapping.yaml:
  columns: {mmsi: THEIR_MMSI, time: THEIR_TIME, lon: THEIR_LON, lat: THEIR_LAT, sog_kn: THEIR_SPEED}
  constants: {source: provider-name}
  time_format: "%d.%m.%Y %H:%M"   # or time_unit: s | ms for numbers; ISO 8601 by default
Our columns are: """


class ColumnMapping(BaseModel):
    """A user's column mapping (YAML, JSON or TOML)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[str, str] = Field(min_length=1)
    """Our column to theirs; ``mmsi``, ``time``, ``lon`` and ``lat`` are needed (by column or constant)."""
    constants: dict[str, str] = Field(default_factory=dict)
    """Our column to a value that all rows share, e.g. ``source`` or ``ais_class``."""
    time_format: str = "ISO8601"
    time_unit: TimeUnit | None = None
    speed_unit: SpeedUnit = "kn"
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)

    def layout(self) -> Layout:
        """Return the mapping as a layout."""
        return Layout(
            "column mapping", self.columns, self.constants, self.time_format, self.time_unit, self.speed_unit
        )


def load_mapping(mapping: Mapping[str, Any] | str | Path) -> ColumnMapping:
    """Return a column mapping from a dict (flat, or of the file's shape) or a YAML, JSON or TOML file.

    Raises:
        AisError: the file cannot be read, or names a column or key that we do not have.
    """
    where = "column mapping" if isinstance(mapping, Mapping) else str(mapping)
    content = dict(mapping) if isinstance(mapping, Mapping) else _parsed(Path(mapping))
    if "columns" not in content:
        content = {"columns": content}
    try:
        made = ColumnMapping.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise AisError(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    strange = sorted((set(made.columns) | set(made.constants)) - set(COLUMNS))
    if strange:
        raise AisError(
            f"{where}: we have no column {', '.join(strange)}. Our columns are: {', '.join(COLUMNS)}"
        )
    return made


def _parsed(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        readers = {".toml": tomllib.loads, ".json": json.loads}
        content = readers.get(path.suffix.lower(), yaml.safe_load)(text)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise AisError(f"{path}: the column mapping cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise AisError(f"{path}: a column mapping has keys such as `columns`; see the guide on AIS tables")
    return content


def layout_of(header: Sequence[str], path: Path, mapping: ColumnMapping | None) -> Layout:
    """Return the layout of a table by its header, or by the user's mapping.

    Raises:
        AisError: no layout fits; the message lists the columns found and teaches the mapping.
    """
    names = {plain(name) for name in header}
    if mapping is not None:
        return _mapped(mapping, names, header, path)
    for telling, layout in _TELLING:
        if telling <= names:
            return layout
    found = ", ".join(name.strip() for name in header[:60])
    raise AisError(
        f"{path}: neither NMEA nor a table whose columns we know. Columns found: {found}.\n{_TEACH}{', '.join(COLUMNS)}"
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
