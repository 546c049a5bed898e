"""A folder of Parquet files by day that AIS files are imported into, each once.

::

    store.json                                      format and version
    files/<key>.json                                one imported file; written last, so it commits the import
    positions/date=YYYY-MM-DD/cell=E125N35/<key>-<n>.parquet   cells of 5 degrees, named by their SW corner
    stations/date=YYYY-MM-DD/cell=E125N35/<key>-<n>.parquet
    vessels/<key>-<n>.parquet                       static reports, changes only
    quarantine/<key>.csv

``key`` is a hash of the file's content and of how it was read, so importing it again changes nothing. Readers take
the keys in ``files/`` alone: an import that was cut off is never seen, and what it left is removed by the next one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import reduce
from operator import and_, or_
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
from numpy.typing import NDArray

from roadstead.ais.archive.store_files import (
    SCHEMAS,
    Manifest,
    found,
    is_store,
    manifest_of,
    manifests,
    writing,
)
from roadstead.ais.archive.store_writer import (
    CELL_DEG,
    Writer,
    abandoned_on_error,
    cell_corner,
    cell_name,
    commit,
)
from roadstead.ais.data import AisData, Box, Progress, Source, Tally, Window
from roadstead.ais.read import Meter, Part, join, left_out, read_file
from roadstead.ais.readers.archives import expanded
from roadstead.ais.readers.layouts import ColumnMapping, load_mapping
from roadstead.ais.static_history import typed
from roadstead.core.errors import AisError
from roadstead.core.schemas import QUARANTINE, empty


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
    writer = Writer(folder)
    tally = Tally(positions=len(data.positions), stations=len(data.stations), static=len(data.vessels))
    with writing(folder), abandoned_on_error(writer):
        writer.add("positions", data.positions.assign(file="", row=0))
        writer.add("stations", data.stations.assign(file="", row=0))
        writer.refuse(data.quarantine)
        writer.add("vessels", data.vessels)
        return commit(writer, key, "", Source(), tally, None, sorted(data.snapshot_times))


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
    """Read AIS files and store folders together; arguments as for `read_ais`, whose folders may be stores.

    Raises:
        AisError: a file cannot be used, or a folder is no store.
    """
    window = Window(within, start, end)
    mapped = load_mapping(mapping) if mapping is not None else None
    inputs = expanded(paths)
    meter = Meter(inputs.files, progress)
    parts = [part for path in inputs.files for part in _parts(path, window, mapped, source, meter)]
    return join([*parts, left_out(inputs.left_out)], window)


def _parts(
    path: Path, window: Window, mapping: ColumnMapping | None, source: str | None, meter: Meter
) -> Iterable[Part]:
    if path.is_dir():
        return (_stored(path, window),)
    return read_file(path, window, mapping, source, meter)


def _stored(folder: Path, window: Window) -> Part:
    imports = manifests(_checked(folder))
    if not imports:
        raise AisError(f"{folder} is an AIS store, but nothing was imported into it")
    keys = {manifest.key for manifest in imports}
    times = {datetime.fromisoformat(time) for manifest in imports for time in manifest.snapshot_times}
    return Part(
        positions=_rows(folder, "positions", keys, window),
        static=typed(_rows(folder, "vessels", keys, Window())),
        stations=_rows(folder, "stations", keys, window).drop(columns=["file", "row"]),
        quarantine=empty(QUARANTINE),
        snapshot_times=frozenset(times),
    )


def _rows(folder: Path, table: str, keys: set[str], window: Window) -> pd.DataFrame:
    """Return the rows of one table that lie in the window, from the files of finished imports."""
    days, cells = _days(window), _cells(window)
    paths = [
        str(path)
        for path in sorted((folder / table).rglob("*.parquet"))
        if path.stem.split("-")[0] in keys and _within(days, path, "date=") and _within(cells, path, "cell=")
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


def _cells(window: Window) -> set[str] | None:
    """Return the cells that a window's box touches; None for any cell."""
    if not window.boxes:
        return None
    return {
        cell_name(w, s)
        for west, south, east, north in window.boxes
        for left, right in ([(west, east)] if west <= east else [(west, 180.0), (-180.0, east)])
        for w in _edges(left, right, 180.0)
        for s in _edges(south, north, 90.0)
    }


def _edges(low: float, high: float, top: float) -> NDArray[np.float64]:
    first, last = cell_corner(np.clip(np.array([low, high]), -top, top), top)
    return np.arange(first, last + CELL_DEG, CELL_DEG)


def _within(names: set[str] | None, path: Path, lead: str) -> bool:
    """Say whether a file lies in a folder of one of these names; so does one that lies in no such folder."""
    folders = [part.removeprefix(lead) for part in path.parts if part.startswith(lead)]
    return names is None or not folders or folders[-1] in names


def _span(first: date, last: date) -> int:
    return max((last - first).days, 0)


def _filter(window: Window) -> ds.Expression | None:
    lon, lat, time = ds.field("lon"), ds.field("lat"), ds.field("time")
    tests = []
    if window.boxes:
        tests.append(reduce(or_, [_inside(lon, lat, box) for box in window.boxes]))
    if window.start is not None:
        tests.append(time >= pd.Timestamp(window.start))
    if window.end is not None:
        tests.append(time <= pd.Timestamp(window.end))
    return reduce(and_, tests) if tests else None


def _inside(lon: ds.Expression, lat: ds.Expression, box: Box) -> ds.Expression:
    west, south, east, north = box
    along = (lon >= west) | (lon <= east) if west > east else (lon >= west) & (lon <= east)
    return along & (lat >= south) & (lat <= north)


def sources_of(store_folder: str | Path) -> list[dict[str, Any]]:
    """Return the sources of a store, each with its terms, imports, position reports, and first and last time.

    Raises:
        AisError: the folder is no store.
    """
    groups: dict[tuple[Any, ...], list[Manifest]] = {}
    for manifest in manifests(_checked(Path(store_folder))):
        terms = manifest.terms
        name = terms.name or Path(manifest.file).name or "tables in memory"
        groups.setdefault((name, *list(terms.as_json().values())[1:]), []).append(manifest)
    names = ("source", "licence", "redistribute", "thinning_s", "receiver")
    return [
        {
            **dict(zip(names, about, strict=True)),
            "imports": len(made),
            "kept": sum(m.kept for m in made),
            "first": min((m.first for m in made if m.first), default=None),
            "last": max((m.last for m in made if m.last), default=None),
        }
        for about, made in sorted(groups.items(), key=lambda pair: str(pair[0]))
    ]


def _checked(folder: Path) -> Path:
    if not is_store(folder):
        raise AisError(
            f"{folder} is no AIS store: make one with `roadstead ais import FILE... --ais-store {folder}`"
        )
    return folder
