"""The files of an AIS store: where they lie, what their columns are, and how they are written whole or not at all."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from roadstead.ais.data import Source, Tally
from roadstead.ais.readers.batch import STATIC
from roadstead.core.errors import StoreError
from roadstead.core.schemas import POSITIONS, STATIONS

FORMAT = {"format": "roadstead-ais-store", "version": 1}
_PART = re.compile(r"\.(\d+)\.part$")
_TIME = pa.timestamp("ns", "UTC")
_TEXTS = {
    "mmsi",
    "nav_status",
    "ais_class",
    "source",
    "file",
    "kind",
    "imo",
    "name",
    "callsign",
    "destination",
}
_WHOLE = {"row": pa.int64(), "ship_type": pa.int64()}
STATIC_COLUMNS = ("mmsi", "time", "source", *STATIC)


def _schema(columns: Sequence[str]) -> pa.Schema:
    def kind(name: str) -> pa.DataType:
        return _TIME if name == "time" else pa.string() if name in _TEXTS else _WHOLE.get(name, pa.float64())

    return pa.schema([(name, kind(name)) for name in columns])


SCHEMAS = {
    "positions": _schema([*POSITIONS.columns, "sigma_m", "file", "row"]),
    "stations": _schema([*STATIONS.columns, "file", "row"]),
    "vessels": _schema(STATIC_COLUMNS),
}


@dataclass(frozen=True)
class Manifest:
    """One imported file."""

    key: str
    file: str
    source: str | None
    kept: int
    """Position reports of ships."""
    stations: int
    static: int
    """Static reports that said something new."""
    quarantined: int
    """Entries of the quarantine: rows, and fields of rows that were kept."""
    snapshot_times: tuple[str, ...] = ()
    """ISO 8601; moments at which the reports were placed by their maker."""
    rows: Mapping[str, int] = field(default_factory=dict)
    """`data.Tally` of the file; empty where an earlier version imported it."""

    notes: Mapping[str, int] = field(default_factory=dict)
    """Reasons (`reasons.REASONS`) of what was kept all the same, counted."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """`data.Source` as JSON; empty where an earlier version imported it."""
    first: str | None = None
    """ISO 8601; first and last time of usable rows, wherever they were."""
    last: str | None = None

    @property
    def terms(self) -> Source:
        """Where it comes from and on what terms."""
        return Source.of(self.about, self.source)

    @property
    def tally(self) -> Tally:
        """What became of the file's rows."""
        return Tally(**self.rows)


def is_store(folder: Path) -> bool:
    """Say whether a folder is an AIS store."""
    return (folder / "store.json").is_file()


@contextmanager
def writing(what: Path) -> Iterator[None]:
    """Turn what the disk says into a `StoreError`."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"the AIS store {what} cannot be written: {error}") from error


def found(folder: Path) -> None:
    """Make the folder a store where it is none yet."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not is_store(folder):
            put(folder / "store.json", lambda path: path.write_text(json.dumps(FORMAT), encoding="utf-8"))
        _sweep(folder)


def _sweep(folder: Path) -> None:
    """Remove what imports left that were killed while they wrote."""
    for part in folder.rglob(".*.part"):
        owner = _PART.search(part.name)
        if owner is not None and not _alive(int(owner[1])):
            part.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def part_of(path: Path) -> Path:
    """Return the temporary name of a file that this process writes."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def put(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name, then put it in place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def manifests(folder: Path) -> list[Manifest]:
    """Return the manifests of all finished imports."""
    return [_manifest(path) for path in sorted(folder.glob("files/*.json"))]


def _manifest(path: Path) -> Manifest:
    return Manifest(**json.loads(path.read_text(encoding="utf-8")))


def manifest_of(folder: Path, key: str) -> Manifest | None:
    """Return the manifest of an import, None where it was not made or not finished."""
    path = folder / "files" / f"{key}.json"
    return _manifest(path) if path.is_file() else None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the record of an import: from then on readers see it."""
    text = json.dumps(asdict(manifest), indent=1)
    put(folder / "files" / f"{manifest.key}.json", lambda path: path.write_text(text, encoding="utf-8"))
