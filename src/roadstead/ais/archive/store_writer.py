"""Writing one import into a store: by day and cell, in bounded memory, whole or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from roadstead.ais.archive.store_files import SCHEMAS, Manifest, part_of, write_manifest
from roadstead.ais.data import Source, Tally
from roadstead.core.atomic_files import cells

CELL_DEG = 5
"""A cell is this wide and high."""
FLUSH_ROWS = 200_000
"""Rows held in memory before they are written to the files of their days and cells."""
MOST_OPEN = 64
"""Files written at once; beyond it the one written longest ago is closed, and a new one begun when it has more."""


def cell_name(west: float, south: float) -> str:
    """Return the name of the cell whose south-western corner (degrees) is given, such as ``E125N35``."""
    return f"{'W' if west < 0 else 'E'}{abs(int(west)):03d}{'S' if south < 0 else 'N'}{abs(int(south)):02d}"


def cell_corner(values: np.ndarray, top: float) -> np.ndarray:
    """Return the western or southern edge (degrees) of the cells that hold some longitudes or latitudes."""
    return np.asarray(np.clip(np.floor(values / CELL_DEG) * CELL_DEG, -top, top - CELL_DEG))


@dataclass
class Writer:
    """Writes the tables of one import under temporary names and puts all in place at the end."""

    folder: Path
    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*SCHEMAS, "quarantine"), 0))
    _token: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    _waiting: dict[str, list[pd.DataFrame]] = field(default_factory=dict)
    _held: int = 0
    _open: dict[Path, tuple[int, pq.ParquetWriter]] = field(default_factory=dict)
    _begun: dict[Path, int] = field(default_factory=dict)
    """Files begun in each folder."""
    _quarantine: Path | None = None

    def add(self, table: str, frame: pd.DataFrame) -> None:
        """Append rows of a table to the files of their days and cells."""
        if len(frame):
            self._waiting.setdefault(table, []).append(frame)
            self._held += len(frame)
            self.rows[table] += len(frame)
        if self._held >= FLUSH_ROWS:
            self.flush()

    def refuse(self, frame: pd.DataFrame) -> None:
        """Append rows to the quarantine file."""
        fresh = self._quarantine is None
        path = self._quarantine or part_of(self.folder / "quarantine" / f"{self._token}.csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._quarantine = path
        encoding = "utf-8-sig" if fresh else "utf-8"
        cells(frame).to_csv(path, mode="a", header=fresh, index=False, encoding=encoding)
        self.rows["quarantine"] += len(frame)

    def flush(self) -> None:
        """Write what is held in memory."""
        for table, frames in self._waiting.items():
            rows = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
            schema = SCHEMAS[table]
            arrow = pa.Table.from_pandas(
                rows.reindex(columns=schema.names), schema=schema, preserve_index=False
            )
            for folder, chosen in self._folders(table, rows):
                self._writer(folder, schema).write_table(arrow.take(chosen))
        self._waiting, self._held = {}, 0

    def _folders(self, table: str, rows: pd.DataFrame) -> Iterator[tuple[Path, pa.Array]]:
        """Yield each folder with the places of its rows."""
        if table == "vessels":
            yield self.folder / table, pa.array(np.arange(len(rows)))
            return
        day = rows["time"].to_numpy("datetime64[ns]").astype("datetime64[D]")
        west = cell_corner(rows["lon"].to_numpy(float), 180.0)
        south = cell_corner(rows["lat"].to_numpy(float), 90.0)
        cells = pd.DataFrame({"day": day, "west": west, "south": south})
        group = cells.groupby(["day", "west", "south"]).ngroup().to_numpy()
        order = np.argsort(group, kind="stable")
        for chosen in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
            first = chosen[0]
            yield (
                self.folder / table / f"date={day[first]}" / f"cell={cell_name(west[first], south[first])}",
                pa.array(chosen),
            )

    def _writer(self, folder: Path, schema: pa.Schema) -> pq.ParquetWriter:
        if folder in self._open:
            self._open[folder] = self._open.pop(folder)  # written last: closed last
            return self._open[folder][1]
        if len(self._open) >= MOST_OPEN:
            self._open.pop(next(iter(self._open)))[1].close()
        folder.mkdir(parents=True, exist_ok=True)
        number = self._begun.get(folder, 0)
        self._begun[folder] = number + 1
        writer = pq.ParquetWriter(self._part(folder, number), schema, compression="zstd")
        self._open[folder] = number, writer
        return writer

    def _part(self, folder: Path, number: int) -> Path:
        return part_of(folder / f"{self._token}-{number}.parquet")

    def place(self, key: str) -> None:
        """Put every file in place under the name of the import."""
        self.flush()
        self._close()
        for folder, count in self._begun.items():
            for number in range(count):
                self._part(folder, number).replace(folder / f"{key}-{number}.parquet")
        if self._quarantine is not None:
            self._quarantine.replace(self.folder / "quarantine" / f"{key}.csv")

    def abandon(self) -> None:
        """Remove what was written, and folders that were made for it."""
        self._close()
        for folder, count in self._begun.items():
            for number in range(count):
                self._part(folder, number).unlink(missing_ok=True)
            for level in (folder, *folder.parents):
                if level == self.folder or not _emptied(level):
                    break
        if self._quarantine is not None:
            self._quarantine.unlink(missing_ok=True)
            _emptied(self._quarantine.parent)

    def _close(self) -> None:
        for _, writer in self._open.values():
            writer.close()
        self._open = {}


def _emptied(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


@contextmanager
def abandoned_on_error(writer: Writer) -> Iterator[None]:
    """Remove what an import wrote if it fails."""
    try:
        yield
    except BaseException:
        writer.abandon()
        raise


def commit(
    writer: Writer,
    key: str,
    file: str,
    source: Source,
    tally: Tally,
    notes: Mapping[str, int] | None = None,
    snapshots: Sequence[datetime] = (),
    span: tuple[datetime, datetime] | None = None,
) -> Manifest:
    """Put the files of an import in place, its manifest last: from then on readers see it."""
    writer.place(key)
    manifest = Manifest(
        key=key,
        file=file,
        source=source.name,
        kept=writer.rows["positions"],
        stations=writer.rows["stations"],
        static=writer.rows["vessels"],
        quarantined=writer.rows["quarantine"],
        snapshot_times=tuple(moment.isoformat() for moment in snapshots),
        rows=asdict(tally),
        notes=dict(notes or {}),
        about=source.as_json(),
        first=span[0].isoformat() if span else None,
        last=span[1].isoformat() if span else None,
    )
    write_manifest(writer.folder, manifest)
    return manifest
