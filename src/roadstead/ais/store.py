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

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.dataset as ds

from roadstead.ais.data import AisData, Box, Progress, Window
from roadstead.ais.layouts import ColumnMapping, load_mapping
from roadstead.ais.read import Meter, Part, Reading, join, quarantine_of, read_file, stacked
from roadstead.ais.store_files import (
    FORMAT,
    SCHEMAS,
    Manifest,
    Writer,
    abandoned_on_error,
    commit,
    found,
    is_store,
    manifest_of,
    writing,
)
from roadstead.ais.vessels import changes, typed
from roadstead.errors import AisError
from roadstead.tables import QUARANTINE, empty

_HASH_BLOCK = 1 << 20


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
    found(folder)
    for path in map(Path, paths):
        key = _key(path, window, mapped, source)
        manifest = manifest_of(folder, key)
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


def _import(
    path: Path,
    folder: Path,
    key: str,
    window: Window,
    mapping: ColumnMapping | None,
    source: str | None,
    meter: Meter,
) -> Manifest:
    writer, static = Writer(folder, key), []
    reading = Reading(path, window, mapping, source, meter)
    with writing(folder), abandoned_on_error(writer):
        for done in reading:
            writer.by_day("positions", done.positions.assign(file=str(path)))
            writer.by_day("stations", done.stations.assign(file=str(path)))
            writer.refuse(quarantine_of(done.faults, path))
            static.append(changes(done.static))
        writer.whole("vessels", changes(stacked(static)))
        return commit(writer, str(path), source, reading.snapshot_times)


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
    found(folder)
    if (before := manifest_of(folder, key)) is not None:
        return before
    writer = Writer(folder, key)
    with writing(folder), abandoned_on_error(writer):
        writer.by_day("positions", data.positions.assign(file="", row=0))
        writer.by_day("stations", data.stations.assign(file="", row=0))
        writer.refuse(data.quarantine)
        writer.whole("vessels", data.vessels)
        return commit(writer, "", None, sorted(data.snapshot_times))


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


def load_ais(
    paths: Sequence[str | Path],
    mapping: Mapping[str, Any] | str | Path | None = None,
    *,
    source: str | None = None,
    within: Box | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    progress: Progress | None = None,
) -> AisData:
    """Read AIS files and store folders together; arguments as for `read_ais`.

    Raises:
        AisError: a file cannot be used, or a folder is no store.
    """
    window = Window(within, start, end)
    mapped = load_mapping(mapping) if mapping is not None else None
    meter = Meter(paths, progress)
    return join([_part(Path(path), window, mapped, source, meter) for path in paths], window)


def _part(
    path: Path, window: Window, mapping: ColumnMapping | None, source: str | None, meter: Meter
) -> Part:
    return _stored(path, window) if path.is_dir() else read_file(path, window, mapping, source, meter)


def _stored(folder: Path, window: Window) -> Part:
    if not is_store(folder):
        raise AisError(
            f"{folder} is no AIS store: make one with `roadstead ais import FILE... --ais-store {folder}`"
        )
    manifests = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("files/*.json"))]
    if not manifests:
        raise AisError(f"{folder} is an AIS store, but nothing was imported into it")
    keys = {str(manifest["key"]) for manifest in manifests}
    times = {datetime.fromisoformat(time) for manifest in manifests for time in manifest["snapshot_times"]}
    return Part(
        positions=_rows(folder, "positions", keys, window),
        static=typed(_rows(folder, "vessels", keys, Window())),
        stations=_rows(folder, "stations", keys, window).drop(columns=["file", "row"]),
        quarantine=empty(QUARANTINE),
        snapshot_times=frozenset(times),
    )


def _rows(folder: Path, table: str, keys: set[str], window: Window) -> pd.DataFrame:
    """Return the rows of one table that lie in the window, from the files of finished imports."""
    days = _days(window)
    paths = [
        str(path)
        for path in sorted((folder / table).rglob("*.parquet"))
        if path.stem in keys and (days is None or path.parent.name.removeprefix("date=") in days)
    ]
    if not paths:
        return pd.DataFrame(SCHEMAS[table].empty_table().to_pandas())
    rows: pd.DataFrame = (
        ds.dataset(paths, schema=SCHEMAS[table], format="parquet")
        .to_table(filter=_filter(window))
        .to_pandas()
    )
    return rows


def _days(window: Window) -> set[str] | None:
    """Return the days of a window that is closed on both sides; None for any day."""
    if window.start is None or window.end is None:
        return None
    first, last = (pd.Timestamp(time).tz_convert("UTC").date() for time in (window.start, window.end))
    return {(first + timedelta(days=n)).isoformat() for n in range(_span(first, last) + 1)}


def _span(first: date, last: date) -> int:
    return max((last - first).days, 0)


def _filter(window: Window) -> ds.Expression | None:
    lon, lat, time = ds.field("lon"), ds.field("lat"), ds.field("time")
    tests = []
    if window.within is not None:
        west, south, east, north = window.within
        along = (lon >= west) | (lon <= east) if west > east else (lon >= west) & (lon <= east)
        tests += [along, lat >= south, lat <= north]
    if window.start is not None:
        tests.append(time >= pd.Timestamp(window.start))
    if window.end is not None:
        tests.append(time <= pd.Timestamp(window.end))
    return reduce(and_, tests) if tests else None
