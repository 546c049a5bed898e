"""Parquet and GeoParquet tables of AIS reports to rows, in bounded memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from roadstead.ais.readers.batch import Batch
from roadstead.ais.readers.layouts import ColumnMapping, Layout
from roadstead.ais.readers.normalise import named
from roadstead.ais.readers.point_columns import Points, lonlat_of, point_column
from roadstead.ais.readers.presets import layout_of
from roadstead.ais.readers.time_forms import with_time_form
from roadstead.core.errors import AisError

BATCH_ROWS = 50_000
_SAMPLE = 2_000
"""Spellings of times that tell the form of a file's times."""


def read_parquet(
    path: Path,
    mapping: ColumnMapping | None = None,
    batch_rows: int = BATCH_ROWS,
    raw: BinaryIO | None = None,
) -> Iterator[Batch]:
    """Yield the rows of a Parquet or GeoParquet file (points of EPSG:4326 or OGC:CRS84).

    Args:
        path: the file, or the name of an archive's member.
        mapping: column mapping of a table that we do not know.
        batch_rows: rows read at once.
        raw: the bytes of an archive's member; they are kept in a temporary file, since Parquet is read from its end.

    Raises:
        AisError: the file is broken, or the columns are unknown or contradict the mapping.
    """
    try:
        with _seekable(path, raw) as opened, pq.ParquetFile(opened) as file:
            yield from _parquet_batches(file, path, mapping, batch_rows, _size(path, raw))
    except (pa.ArrowException, OSError) as error:
        raise AisError(f"{path} cannot be read as Parquet: {error}") from error


@contextmanager
def _seekable(path: Path, raw: BinaryIO | None) -> Iterator[Path | IO[bytes]]:
    if raw is None:
        yield path
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(raw, copy, 1 << 20)
        copy.seek(0)
        yield copy


def _size(path: Path, raw: BinaryIO | None) -> int:
    return path.stat().st_size if raw is None else 0


def _parquet_batches(
    file: pq.ParquetFile, path: Path, mapping: ColumnMapping | None, batch_rows: int, size: int
) -> Iterator[Batch]:
    schema: pa.Schema = file.schema_arrow
    points = point_column(schema, path)
    index = _index_of_times(schema)
    header = [
        "time" if name == index else name for name in schema.names if points is None or name != points.name
    ]
    seen = header + [name for name in ("lon", "lat") if points and name not in header]
    layout = layout_of(seen, path, mapping)
    wanted = [
        index if name == "time" and index else name
        for name in layout.present(seen).values()
        if name in header
    ]
    done, total = 0, file.metadata.num_rows
    for part in file.iter_batches(batch_rows, columns=[*wanted, points.name] if points else wanted):
        # The index that pandas noted in the file stays a column, and so is found.
        table = pa.Table.from_batches([part]).to_pandas(ignore_metadata=True)
        if points:
            table = _with_lonlat(table, points, part.column(points.name), path)
        if index:
            table = table.rename(columns={index: "time"})
        rows = range(done + 1, done + len(table) + 1)
        layout = _formed(layout, table, path) if done == 0 else layout
        done += len(table)
        yield Batch(
            named(table, layout).assign(row=rows),
            _row_text(table, rows[0] if rows else 1),
            (),
            size * done // max(total, 1),
        )


def _index_of_times(schema: pa.Schema) -> str | None:
    """Return the nameless index of a table of pandas where it holds times and no column is called so."""
    return next(
        (
            field.name
            for field in schema
            if field.name.startswith("__index_level_")
            and pa.types.is_timestamp(field.type)
            and "time" not in schema.names
        ),
        None,
    )


def _formed(layout: Layout, table: pd.DataFrame, path: Path) -> Layout:
    time = layout.present(list(table.columns)).get("time")
    if time is None or not pd.api.types.is_object_dtype(table[time]):
        return layout
    return with_time_form(layout, table[time].dropna().unique()[:_SAMPLE].tolist(), path)


def _with_lonlat(table: pd.DataFrame, points: Points, column: pa.Array, path: Path) -> pd.DataFrame:
    lon, lat = lonlat_of(points, column, path)
    given = {"lon": lon, "lat": lat}
    rest = table.drop(columns=points.name)
    return rest.assign(**{name: value for name, value in given.items() if name not in rest})


def _row_text(table: pd.DataFrame, first: int) -> Callable[[int], str]:
    def text(row: int) -> str:
        cells: Sequence[Any] = table.iloc[row - first].tolist()
        return ",".join("" if pd.isna(cell) else str(cell) for cell in cells)

    return text
