"""Files and stores of AIS to one `AisData`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import pandas as pd

from roadstead.ais.clean import Cleaned, clean
from roadstead.ais.data import AisData, Box, Progress, Tally, Window
from roadstead.ais.duplicates import Memory, repeats
from roadstead.ais.readers.archives import Piece, expanded, pieces_of
from roadstead.ais.readers.batch import Batch, Fault
from roadstead.ais.readers.csv import read_table
from roadstead.ais.readers.json_lines import read_json
from roadstead.ais.readers.layouts import ColumnMapping, load_mapping
from roadstead.ais.readers.nmea import read_nmea
from roadstead.ais.readers.open_files import opened
from roadstead.ais.readers.parquet import read_parquet
from roadstead.ais.static_history import changes, gear_mmsis, history
from roadstead.ais.tracks import segment
from roadstead.core.errors import AisError
from roadstead.core.schemas import POSITIONS, QUARANTINE, STATIONS, VESSELS, checked, empty

_SYSTEMATIC = {
    "no_receive_time": (
        "no sentence has a receive time (tag block `c:`, $PGHP, or a time with its date before the sentence or after "
        "its checksum), so no position can be placed in time. Record with tag blocks"
    ),
    "time_not_understood": (
        "no time can be read: give a column mapping with `time_format` (strptime) or `time_unit` (s, ms, us, ns)"
    ),
    "mmsi_lost_digits": (
        "every MMSI is written in powers of ten (4.12345E+08) or as a 32-bit float, so digits are lost and no ship can "
        "be told from another. Export the column as text or whole numbers"
    ),
    "mmsi_invalid": "no MMSI can be read: check which column of the mapping is `mmsi`",
    "wrong_number_of_columns": "no row has as many columns as the header: check the `delimiter`",
}
"""Reasons that, when every row of a file has one, mean that the file was misread as a whole."""


@dataclass(frozen=True)
class Part:
    """What one file gave, before files are joined."""

    positions: pd.DataFrame
    """`schemas.POSITIONS` with ``file`` and ``row``."""
    static: pd.DataFrame
    """``mmsi``, ``time``, ``source`` and `batch.STATIC`: what was declared, changes only."""
    stations: pd.DataFrame
    """`schemas.STATIONS`."""
    quarantine: pd.DataFrame
    snapshot_times: frozenset[datetime] = frozenset()
    duplicates: int = 0
    """Reports taken out as repeats of another of the file."""


def read_ais(
    paths: Sequence[str | Path],
    mapping: Mapping[str, Any] | str | Path | None = None,
    *,
    source: str | None = None,
    within: Box | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    progress: Progress | None = None,
) -> AisData:
    """Read AIS files: NMEA, CSV of publishers we know, or any CSV, Parquet or GeoParquet by a column mapping.

    Args:
        paths: files, plain or compressed (gzip, zstd, bzip2, xz), zip and tar archives, folders of such, and patterns
            such as ``may/*.nmea``; the format is told by content.
        mapping: column mapping, as a dict or a YAML, JSON or TOML file, for tables that we do not know.
        source: name of the source; by default the tag block's station or the file's name.
        within: box to keep, (west, south, east, north) in degrees.
        start: first time to keep.
        end: last time to keep.
        progress: called with (bytes done, bytes in all).

    Raises:
        AisError: a file is missing, empty, broken, of an unknown layout, or wholly unusable.
    """
    window = Window(within, start, end)
    mapped = load_mapping(mapping) if mapping is not None else None
    inputs = expanded(paths, take_stores=False)
    meter = Meter(inputs.files, progress)
    parts = [part for path in inputs.files for part in read_file(path, window, mapped, source, meter)]
    return join([*parts, left_out(inputs.left_out)], window)


class Meter:
    """Adds up progress over several files; a member of an archive counts for the archive."""

    def __init__(self, paths: Sequence[str | Path], progress: Progress | None) -> None:
        """Sum the sizes of the files that are there."""
        self._sizes = {Path(path): Path(path).stat().st_size for path in paths if Path(path).is_file()}
        self._done: dict[Path, int] = {}
        self._progress = progress

    def at(self, path: Path, done: int) -> None:
        """Report that ``done`` bytes of one file are read."""
        on_disk = next((one for one in (path, *path.parents) if one in self._sizes), path)
        self._done[on_disk] = done
        if self._progress is not None:
            self._progress(sum(self._done.values()), sum(self._sizes.values()))


def batches_of(
    path: Path,
    mapping: ColumnMapping | None,
    raw: BinaryIO | None = None,
    tell: Callable[[], int] | None = None,
) -> Iterator[Batch]:
    """Yield the batches of a file, or of ``raw``, in whatever format it is.

    Raises:
        AisError: the file cannot be read.
    """
    with opened(path, raw, tell) as file:
        if file.format == "nmea":
            yield from read_nmea(file.stream, file.tell)
        elif file.format == "json":
            yield from read_json(file, path, mapping)
        elif file.format == "table":
            yield from read_table(file, path, mapping)
        else:
            yield from read_parquet(path, mapping, raw=None if raw is None else cast(BinaryIO, file.stream))


@dataclass
class Reading:
    """One file, read batch by batch; knows at the end whether the file was a snapshot."""

    path: Path
    window: Window
    mapping: ColumnMapping | None = None
    source: str | None = None
    meter: Meter | None = None
    batches: Iterable[Batch] | None = None
    """What to read in the file's place."""
    usable: int = 0
    """Rows with an MMSI and a time so far."""
    tally: Tally = field(default_factory=Tally)
    """What became of the rows so far."""
    notes: Counter[str] = field(default_factory=Counter)
    """Reasons of what was kept all the same, so far."""
    _latest: pd.Series = field(default_factory=lambda: pd.Series(dtype="datetime64[ns, UTC]"))
    _seen: Memory = field(default_factory=Memory)
    _faults: Counter[str] = field(default_factory=Counter)
    _times: set[pd.Timestamp] = field(default_factory=set)
    _rows: int = 0
    _is_table: bool = True
    _repeated: bool = False

    def __iter__(self) -> Iterator[Cleaned]:
        """Yield the cleaned batches.

        Raises:
            AisError: the file cannot be read, or every row of it so far has the same systematic fault.
        """
        read = batches_of(self.path, self.mapping) if self.batches is None else self.batches
        for batch in read:
            rows = batch.rows
            done = self._once(clean(batch, self.path.name, self.window, given=self.source))
            self._note(done)
            self._is_table = self._is_table and "positional" not in rows
            if self.meter is not None:
                self.meter.at(self.path, batch.bytes_done)
            self._rows += len(rows)
            yield done
        if self._rows == 0 and not self._faults:
            raise AisError(f"{self.path}: holds no AIS message or row (a table may have columns alone).")

    def _once(self, done: Cleaned) -> Cleaned:
        """Take out the reports that were there already."""
        again = self._seen.repeats(done.positions)
        tally = replace(
            done.tally,
            positions=done.tally.positions - int(again.sum()),
            duplicates=done.tally.duplicates + int(again.sum()),
        )
        self.tally += tally
        self.notes.update(done.notes)
        self.notes["out_of_order"] += self._late(done.positions)
        return replace(done, positions=done.positions[~again].reset_index(drop=True), tally=tally)

    def _late(self, positions: pd.DataFrame) -> int:
        """Count the reports that are earlier than one of the same MMSI before them."""
        if positions.empty:
            return 0
        before = positions["mmsi"].map(self._latest)
        by_ship = positions["time"].groupby(positions["mmsi"], sort=False)
        late = (positions["time"] < by_ship.cummax()) | (positions["time"] < before)
        last = by_ship.max()
        both = pd.concat([self._latest, last]) if len(self._latest) else last
        self._latest = both.groupby(level=0).max()
        return int(late.sum())

    def _note(self, done: Cleaned) -> None:
        self.usable += done.usable
        self._repeated |= done.repeated
        self._times.update(done.times or ())
        self._faults.update(fault.reason for fault in done.faults)
        if self.usable == 0 and self._faults:
            reason, _ = self._faults.most_common(1)[0]
            if reason in _SYSTEMATIC:
                raise AisError(f"{self.path}: {_SYSTEMATIC[reason]}.")

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """First and last time of the usable rows."""
        if not self._times:
            return None
        return min(self._times).to_pydatetime(warn=False), max(self._times).to_pydatetime(warn=False)

    @property
    def snapshot_times(self) -> list[datetime]:
        """The one time that all rows of a table share, with several vessels and each once; else nothing."""
        if len(self._times) != 1 or self.usable < 2 or self._repeated or not self._is_table:
            return []
        return [time.to_pydatetime() for time in self._times]


def reading_of(
    piece: Piece, window: Window, mapping: ColumnMapping | None, source: str | None, meter: Meter | None
) -> Reading:
    """Return the reading of a file, or of a member of an archive."""
    batches = None if piece.raw is None else batches_of(piece.path, mapping, piece.raw, piece.tell)
    return Reading(piece.path, window, mapping, source, meter, batches)


def read_file(
    path: Path,
    window: Window,
    mapping: ColumnMapping | None = None,
    source: str | None = None,
    meter: Meter | None = None,
) -> Iterator[Part]:
    """Read one file whole; of an archive, each member.

    Raises:
        AisError: see `Reading`.
    """
    for piece in pieces_of(path):
        if piece.foreign is not None:
            yield left_out({str(piece.path): piece.foreign})
        else:
            yield _part_of(reading_of(piece, window, mapping, source, meter))


def _part_of(reading: Reading) -> Part:
    positions, static, stations, faults = [], [], [], []
    for done in reading:
        positions.append(done.positions.assign(file=str(reading.path)))
        static.append(changes(done.static))
        stations.append(done.stations.drop(columns="row"))
        faults.append(quarantine_of(done.faults, reading.path))
    return Part(
        stacked(positions, _POSITIONS_OF_FILE),
        stacked(static),
        stacked(stations, empty(STATIONS)),
        stacked(faults, empty(QUARANTINE)),
        frozenset(reading.snapshot_times),
        reading.tally.duplicates,
    )


def left_out(files: Mapping[str, str]) -> Part:
    """Return files that are no AIS, by what they are, as a part that holds them in its quarantine alone."""
    rows = [(name, 0, "file", "no_ais_file", words) for name, words in files.items()]
    refused = pd.DataFrame(rows, columns=list(QUARANTINE.columns)) if rows else empty(QUARANTINE)
    return Part(_POSITIONS_OF_FILE, pd.DataFrame(), empty(STATIONS), refused)


_POSITIONS_OF_FILE = empty(POSITIONS).assign(sigma_m=0.0, row=0, file="")


def quarantine_of(faults: Iterable[Fault], path: Path) -> pd.DataFrame:
    """Return the faults of a file as `schemas.QUARANTINE`."""
    rows = [(str(path), fault.row, fault.field, fault.reason, fault.content) for fault in faults]
    return pd.DataFrame(rows, columns=list(QUARANTINE.columns))


def stacked(frames: Iterable[pd.DataFrame], otherwise: pd.DataFrame | None = None) -> pd.DataFrame:
    """Concatenate the frames that have rows; without any return ``otherwise``, or the first frame."""
    every = list(frames)
    full = [frame for frame in every if len(frame)]
    if full:
        return pd.concat(full, ignore_index=True)
    return every[0] if otherwise is None else otherwise


def join(parts: Sequence[Part], window: Window) -> AisData:
    """Join what files gave into `AisData`: static histories, buoys, duplicates, tracks."""
    positions = stacked((part.positions for part in parts), _POSITIONS_OF_FILE)
    stations = stacked((part.stations for part in parts), empty(STATIONS))
    vessels = (
        history(stacked(part.static for part in parts))
        if any(len(p.static) for p in parts)
        else empty(VESSELS)
    )
    once = positions[~repeats(positions)]
    gear = once["mmsi"].isin(gear_mmsis(vessels))
    tracks = segment(once[~gear])
    buoys = once.loc[gear, ["mmsi", "time", "lon", "lat", "source"]].assign(kind="gear_buoy")
    stations = stacked([stations, buoys[list(STATIONS.columns)]], empty(STATIONS)).drop_duplicates()
    kept = set(tracks.positions["mmsi"])
    mine = (
        vessels["mmsi"].isin(kept)
        if not window.is_open
        else ~vessels["mmsi"].isin(set(stations["mmsi"]) - kept)
    )
    refused = [*(part.quarantine for part in parts), _jumps(tracks.jumps)]
    return AisData(
        positions=checked(
            tracks.positions[[*POSITIONS.columns, "sigma_m", "segment"]], POSITIONS, "positions"
        ),
        vessels=checked(vessels[mine].reset_index(drop=True), VESSELS, "vessels"),
        stations=checked(stations.sort_values(["mmsi", "time"], ignore_index=True), STATIONS, "stations"),
        quarantine=checked(stacked(refused, empty(QUARANTINE)), QUARANTINE, "quarantine"),
        snapshot_times=frozenset().union(*(part.snapshot_times for part in parts)),
        duplicates=sum(part.duplicates for part in parts) + len(positions) - len(once),
    )


def _jumps(reports: pd.DataFrame) -> pd.DataFrame:
    """Return reports that no ship can have made as `schemas.QUARANTINE`."""
    told = reports[["mmsi", "time", "lon", "lat"]].astype(str).agg(",".join, axis=1) if len(reports) else ""
    made = reports.assign(field="lon", reason="impossible_speed", content=told)
    return made[list(QUARANTINE.columns)]
