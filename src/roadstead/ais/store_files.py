"""The files of an AIS store: where they lie, what their columns are, and how they are written whole or not at all."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from roadstead.ais.batch import STATIC
from roadstead.errors import StoreError
from roadstead.tables import POSITIONS, STATIONS

FORMAT = {"format": "roadstead-ais-store", "version": 1}
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
    "positions": _schema([*POSITIONS.columns, "file", "row"]),
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
    quarantined: int
    snapshot_times: tuple[str, ...] = ()
    """ISO 8601; moments at which the reports were placed by their maker."""


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
            _replace(
                folder / "store.json", lambda path: path.write_text(json.dumps(FORMAT), encoding="utf-8")
            )


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name, then put it in place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def manifest_of(folder: Path, key: str) -> Manifest | None:
    """Return the manifest of an import, None where it was not made or not finished."""
    path = folder / "files" / f"{key}.json"
    return Manifest(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


@dataclass
class Writer:
    """Writes the tables of one import under temporary names and puts all in place at the end."""

    folder: Path
    key: str
    open: dict[Path, pq.ParquetWriter] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*SCHEMAS, "quarantine"), 0))
    quarantine_part: Path | None = None

    def by_day(self, table: str, frame: pd.DataFrame) -> None:
        """Append rows of a table with a time to the files of their days."""
        for day, rows in frame.groupby(frame["time"].dt.date, sort=True):
            self._append(table, self.folder / table / f"date={day}" / f"{self.key}.parquet", rows)

    def whole(self, table: str, frame: pd.DataFrame) -> None:
        """Append rows to the one file of a table."""
        if len(frame):
            self._append(table, self.folder / table / f"{self.key}.parquet", frame)

    def refuse(self, frame: pd.DataFrame) -> None:
        """Append rows to the quarantine file."""
        path = self.folder / "quarantine" / f"{self.key}.csv"
        self.quarantine_part = _part_of(path)
        self.quarantine_part.parent.mkdir(parents=True, exist_ok=True)
        fresh = not self.quarantine_part.exists()
        frame.to_csv(self.quarantine_part, mode="a", header=fresh, index=False, quoting=csv.QUOTE_MINIMAL)
        self.rows["quarantine"] += len(frame)

    def _append(self, table: str, path: Path, rows: pd.DataFrame) -> None:
        schema = SCHEMAS[table]
        if path not in self.open:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.open[path] = pq.ParquetWriter(_part_of(path), schema, compression="zstd")
        frame = rows.reindex(columns=schema.names)
        self.open[path].write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False))
        self.rows[table] += len(rows)

    def place(self) -> None:
        """Put every file in place."""
        self._close()
        for path in self.open:
            _part_of(path).replace(path)
        if self.quarantine_part is not None:
            self.quarantine_part.replace(self.folder / "quarantine" / f"{self.key}.csv")

    def abandon(self) -> None:
        """Remove what was written."""
        self._close()
        for part in (*map(_part_of, self.open), *filter(None, [self.quarantine_part])):
            part.unlink(missing_ok=True)

    def _close(self) -> None:
        for writer in self.open.values():
            writer.close()


def _part_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


@contextmanager
def abandoned_on_error(writer: Writer) -> Iterator[None]:
    """Remove what an import wrote if it fails."""
    try:
        yield
    except BaseException:
        writer.abandon()
        raise


def commit(writer: Writer, file: str, source: str | None, snapshots: Sequence[datetime]) -> Manifest:
    """Put the files of an import in place, its manifest last."""
    writer.place()
    manifest = Manifest(
        key=writer.key,
        file=file,
        source=source,
        kept=writer.rows["positions"],
        stations=writer.rows["stations"],
        static=writer.rows["vessels"],
        quarantined=writer.rows["quarantine"],
        snapshot_times=tuple(moment.isoformat() for moment in snapshots),
    )
    text = json.dumps(asdict(manifest), indent=1)
    _replace(
        writer.folder / "files" / f"{writer.key}.json", lambda path: path.write_text(text, encoding="utf-8")
    )
    return manifest
