"""Parquet and GeoParquet tables of AIS reports to rows, in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from roadstead.ais.readers.batch import Batch
from roadstead.ais.readers.layouts import ColumnMapping
from roadstead.ais.readers.normalise import named
from roadstead.ais.readers.presets import layout_of
from roadstead.core.errors import AisError

BATCH_ROWS = 50_000


def read_parquet(
    path: Path, mapping: ColumnMapping | None = None, batch_rows: int = BATCH_ROWS
) -> Iterator[Batch]:
    """Yield the rows of a Parquet or GeoParquet file (points of EPSG:4326 or OGC:CRS84).

    Raises:
        AisError: the file is broken, or the columns are unknown or contradict the mapping.
    """
    try:
        with pq.ParquetFile(path) as file:
            yield from _parquet_batches(file, path, mapping, batch_rows)
    except (pa.ArrowException, OSError) as error:
        raise AisError(f"{path} cannot be read as Parquet: {error}") from error


def _parquet_batches(
    file: pq.ParquetFile, path: Path, mapping: ColumnMapping | None, batch_rows: int
) -> Iterator[Batch]:
    points = _point_column(file, path)
    header: list[str] = list(file.schema_arrow.names)
    seen = header + [name for name in ("lon", "lat") if points and name not in header]
    layout = layout_of(seen, path, mapping)
    wanted = [name for name in layout.present(seen).values() if name in header]
    done, total, size = 0, file.metadata.num_rows, path.stat().st_size
    for part in file.iter_batches(batch_rows, columns=[*wanted, points] if points else wanted):
        table = part.to_pandas()
        if points:
            table = _with_lonlat(table, points)
        rows = range(done + 1, done + len(table) + 1)
        done += len(table)
        yield Batch(
            named(table, layout).assign(row=rows),
            _row_text(table, rows[0] if rows else 1),
            (),
            size * done // max(total, 1),
        )


def _point_column(file: pq.ParquetFile, path: Path) -> str | None:
    """Return the geometry column of a GeoParquet file."""
    raw = (file.schema_arrow.metadata or {}).get(b"geo")
    if raw is None:
        return None
    geo: dict[str, Any] = json.loads(raw)
    name = str(geo["primary_column"])
    crs = geo["columns"][name].get("crs")
    code = (crs or {}).get("id", {}).get("code", "CRS84")
    if str(code) not in {"4326", "CRS84"}:
        raise AisError(f"{path}: geometry is in EPSG:{code}; save it as EPSG:4326 (longitude, latitude)")
    return name


def _with_lonlat(table: pd.DataFrame, points: str) -> pd.DataFrame:
    geometry = shapely.from_wkb(table[points].to_numpy())
    given = {"lon": shapely.get_x(geometry), "lat": shapely.get_y(geometry)}
    return table.drop(columns=points).assign(**{n: v for n, v in given.items() if n not in table})


def _row_text(table: pd.DataFrame, first: int) -> Callable[[int], str]:
    def text(row: int) -> str:
        cells: Sequence[Any] = table.iloc[row - first].tolist()
        return ",".join("" if pd.isna(cell) else str(cell) for cell in cells)

    return text
