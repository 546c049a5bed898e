"""A folder of Parquet files by day that AIS files are imported into, each once.

::

    store.json                                      format and version
    files/<key>.json                                one imported file; written last, so it commits the import
    positions/date=YYYY-MM-DD/<key>.parquet
    stations/date=YYYY-MM-DD/<key>.parquet
    vessels/<key>.parquet                           static reports, changes only
    quarantine/<key>.csv

``key`` is a hash of the file's content and of how it was read, so importing it again changes nothing. Readers take
the keys in ``files/`` alone: an import that was cut off is never seen.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from roadstead.ais.batch import COLUMNS, STATIC, Fault
from roadstead.ais.data import AisData, Box, Progress, Window
from roadstead.ais.layouts import ColumnMapping, load_mapping
from roadstead.ais.read import Meter, Part, cleaned_batches, join, quarantine_of, read_file, stacked
from roadstead.ais.vessels import changes, typed
from roadstead.errors import AisError, StoreError
from roadstead.tables import POSITIONS, QUARANTINE, STATIONS, empty

FORMAT = {"format": "roadstead-ais-store", "version": 1}
_HASH_BLOCK = 1 << 20
_TIME = pa.timestamp("ns", "UTC")
_TEXTS = {"mmsi", "nav_status", "ais_class", "source", "file", "kind", "imo", "name", "callsign", "destination"}
_WHOLE = {"row": pa.int64(), "ship_type": pa.int64()}
_STATIC_COLUMNS = ("mmsi", "time", "source", *STATIC)


def _schema(columns: Sequence[str]) -> pa.Schema:
    def kind(name: str) -> pa.DataType:
        return _TIME if name == "time" else pa.string() if name in _TEXTS else _WHOLE.get(name, pa.float64())

    return pa.schema([(name, kind(name)) for name in columns])


_SCHEMAS = {
    "positions": _schema([*POSITIONS.columns, "file", "row"]),
    "stations": _schema([*STATIONS.columns, "file", "row"]),
    "vessels": _schema(_STATIC_COLUMNS),
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
    snapshot_time: str | None = None
    """ISO 8601; set where the whole file is placed at one moment."""


@dataclass(frozen=True)
class ImportSummary:
    """What an import did, files imported before included in the figures."""

    kept: int
    """Position reports of ships in the store from these files."""
    stations: int
    """Reports of transmitters that are no ships."""
    static: int
    """Static reports that said something new."""
    quarantined: int
    """Rows, or fields of rows, that could not be used."""
    files: tuple[str, ...]
    already: tuple[str, ...]
    """Of ``files``, those that the store held already and that were passed over."""
    quarantine: Path
    """CSV of `tables.QUARANTINE` for one file, else the folder with one such CSV a file."""


def is_store(folder: Path) -> bool:
    """Say whether a folder is an AIS store."""
    return (folder / "store.json").is_file()


def import_files(
    paths: Sequence[str | Path],
    store_folder: str | Path,
    *,
    mapping: Mapping[str, Any] | str | Path | None = None,
    source: str | None = None,
    within: Box | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    progress: Progress | None = None,
) -> ImportSummary:
    """Import AIS files into a store, in bounded memory; arguments as for `read_ais`.

    Raises:
        AisError: a file cannot be used; files before it are in the store, it is not.
        StoreError: the store cannot be written; files before are in it.
    """
    folder, window = Path(store_folder), Window(within, start, end)
    mapped = load_mapping(mapping) if mapping is not None else None
    meter, done, before = Meter(paths, progress), [], []
    _found(folder)
    for path in map(Path, paths):
        key = _key(path, window, mapped, source)
        manifest = _manifest(folder, key)
        if manifest is not None:
            before.append(str(path))
            meter.at(path, path.stat().st_size)
        else:
            manifest = _import(path, folder, key, window, mapped, source, meter)
        done.append(manifest)
    return _summary(folder, [str(path) for path in paths], done, before)


def _summary(folder: Path, files: list[str], done: list[Manifest], before: list[str]) -> ImportSummary:
    quarantine = folder / "quarantine"
    return ImportSummary(
        kept=sum(m.kept for m in done),
        stations=sum(m.stations for m in done),
        static=sum(m.static for m in done),
        quarantined=sum(m.quarantined for m in done),
        files=tuple(files),
        already=tuple(before),
        quarantine=quarantine / f"{done[0].key}.csv" if len(done) == 1 else quarantine,
    )


@contextmanager
def _writing(what: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"the AIS store {what} cannot be written: {error}") from error


def _found(folder: Path) -> None:
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not is_store(folder):
            _replace(folder / "store.json", lambda path: path.write_text(json.dumps(FORMAT), encoding="utf-8"))


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name, then put it in place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _key(path: Path, window: Window, mapping: ColumnMapping | None, source: str | None) -> str:
    """Return the hash of a file's content and of how it is read.

    Raises:
        AisError: the file cannot be opened.
    """
    how = [asdict(window), mapping.model_dump() if mapping else None, source, FORMAT["version"]]
    digest = hashlib.sha256(json.dumps(how, sort_keys=True, default=str).encode())
    try:
        with path.open("rb") as stream:
            while block := stream.read(_HASH_BLOCK):
                digest.update(block)
    except OSError as error:
        raise AisError(f"{path} cannot be opened: {error.strerror}") from error
    return digest.hexdigest()[:20]


def _manifest(folder: Path, key: str) -> Manifest | None:
    path = folder / "files" / f"{key}.json"
    return Manifest(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


@dataclass
class _Writer:
    """Writes the tables of one import under temporary names and puts all in place at the end."""

    folder: Path
    key: str
    open: dict[Path, pq.ParquetWriter] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*_SCHEMAS, "quarantine"), 0))
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
        schema = _SCHEMAS[table]
        if path not in self.open:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.open[path] = pq.ParquetWriter(_part_of(path), schema, compression="zstd")
        frame = rows.reindex(columns=schema.names)
        self.open[path].write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False))
        self.rows[table] += len(rows)

    def commit(self) -> None:
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


def _import(
    path: Path,
    folder: Path,
    key: str,
    window: Window,
    mapping: ColumnMapping | None,
    source: str | None,
    meter: Meter,
) -> Manifest:
    writer, static, snapshot = _Writer(folder, key), [], None
    with _writing(folder), _abandoned_on_error(writer):
        for done, snapshot in cleaned_batches(path, window, mapping, source, meter):
            writer.by_day("positions", done.positions.assign(file=str(path)))
            writer.by_day("stations", done.stations.assign(file=str(path)))
            writer.refuse(quarantine_of(done.faults, path))
            static.append(changes(done.static))
        writer.whole("vessels", changes(stacked(static)))
        return _commit(writer, str(path), source, snapshot)


@contextmanager
def _abandoned_on_error(writer: _Writer) -> Iterator[None]:
    try:
        yield
    except BaseException:
        writer.abandon()
        raise


def _commit(writer: _Writer, file: str, source: str | None, snapshot: datetime | None) -> Manifest:
    writer.commit()
    manifest = Manifest(
        key=writer.key,
        file=file,
        source=source,
        kept=writer.rows["positions"],
        stations=writer.rows["stations"],
        static=writer.rows["vessels"],
        quarantined=writer.rows["quarantine"],
        snapshot_time=snapshot.isoformat() if snapshot else None,
    )
    text = json.dumps(asdict(manifest), indent=1)
    _replace(writer.folder / "files" / f"{writer.key}.json", lambda path: path.write_text(text, encoding="utf-8"))
    return manifest


def write_store(data: AisData, store_folder: str | Path) -> Manifest:
    """Write tables that are in memory into a store; the same tables again change nothing.

    Raises:
        StoreError: the store cannot be written.
    """
    folder = Path(store_folder)
    tables = (data.positions, data.stations, data.vessels)
    digest = hashlib.sha256(repr(sorted(data.snapshot_times)).encode())
    for table in tables:
        digest.update(pd.util.hash_pandas_object(table.astype(str), index=False).to_numpy().tobytes())
    key = digest.hexdigest()[:20]
    _found(folder)
    if (before := _manifest(folder, key)) is not None:
        return before
    writer = _Writer(folder, key)
    with _writing(folder), _abandoned_on_error(writer):
        writer.by_day("positions", data.positions.assign(file="", row=0))
        writer.by_day("stations", data.stations.assign(file="", row=0))
        writer.refuse(data.quarantine)
        writer.whole("vessels", data.vessels)
        return _commit(writer, "", None, min(data.snapshot_times, default=None))


def read_store(
    store_folder: str | Path,
    start: datetime | None = None,
    end: datetime | None = None,
    bbox: Box | None = None,
) -> AisData:
    """Read what a store holds of a time range and box; tracks are made over all files.

    Raises:
        AisError: the folder is no store, or nothing was imported into it.
    """
    window = Window(bbox, start, end)
    return join([_stored(Path(store_folder), window)], window)
