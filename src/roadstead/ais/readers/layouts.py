"""How a table is read: by the layouts of publishers that we know (`presets`), or by a user's column mapping."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from roadstead.ais.readers.batch import COLUMNS
from roadstead.core.errors import AisError
from roadstead.core.geo import KNOT, NAUTICAL_MILE_M

TimeUnit = Literal["s", "ms", "us", "ns"]
SpeedUnit = Literal["kn", "m/s", "km/h"]
PARTS_OF_A_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
KNOTS = {"kn": 1.0, "m/s": 1.0 / KNOT, "km/h": 1000.0 / NAUTICAL_MILE_M}


@dataclass(frozen=True)
class Layout:
    """How to read a table: our column names to the table's, and what all rows share."""

    name: str
    columns: Mapping[str, str]
    constants: Mapping[str, str] = field(default_factory=dict)
    time_format: str = "ISO8601"
    """A strptime pattern, or ``ISO8601`` (epochs are told by their size then); a time without a zone is UTC."""
    time_unit: TimeUnit | None = None
    """Set where times are numbers: what they count since 1970."""
    speed_unit: SpeedUnit = "kn"
    scale: Mapping[str, float] = field(default_factory=dict)
    """Our numeric column to what its values are multiplied by, where a source writes tenths."""
    known_from: str = ""
    """Where we know the columns from; empty for a user's mapping."""

    def present(self, header: Sequence[str]) -> dict[str, str]:
        """Return our name to the table's own spelling, for the columns that this header has."""
        spelt = {plain(name): name for name in header}
        return {ours: spelt[plain(theirs)] for ours, theirs in self.columns.items() if plain(theirs) in spelt}


def plain(name: str) -> str:
    """Return a header without case, quotes and outer blanks."""
    return name.strip().strip("\"'").strip().lower()


TEACH = """\
Write a column mapping and give it with --ais-mapping, for example mapping.yaml:
  columns: {mmsi: THEIR_MMSI, time: THEIR_TIME, lon: THEIR_LON, lat: THEIR_LAT, sog_kn: THEIR_SPEED}
  constants: {source: provider-name}
  time_format: "%d.%m.%Y %H:%M"   # or time_unit: s | ms | us | ns for numbers; ISO 8601 by default
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
    scale: dict[str, float] = Field(default_factory=dict)
    """Our numeric column to what its values are multiplied by, e.g. ``sog_kn: 0.1`` for tenths of a knot."""
    encoding: str | None = None
    delimiter: str | None = Field(default=None, min_length=1, max_length=1)

    def layout(self) -> Layout:
        """Return the mapping as a layout."""
        return Layout(
            "column mapping",
            self.columns,
            self.constants,
            self.time_format,
            self.time_unit,
            self.speed_unit,
            self.scale,
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
    strange = sorted((set(made.columns) | set(made.constants) | set(made.scale)) - set(COLUMNS))
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
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise AisError(f"{path}: the column mapping cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise AisError(f"{path}: a column mapping has keys such as `columns`; see the guide on AIS tables")
    return content
