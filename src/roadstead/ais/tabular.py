"""Tables of AIS reports (CSV in any encoding, Parquet, GeoParquet) to rows, in bounded memory."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from roadstead.ais.batch import NUMERIC, Batch, Fault
from roadstead.ais.codes import NULLS
from roadstead.ais.files import HEAD_BYTES, Opened, encoding_of, text_of
from roadstead.ais.layouts import KNOTS, ColumnMapping, Layout, layout_of
from roadstead.errors import AisError

BATCH_ROWS = 50_000
_SURROGATE = re.compile("[\ud800-\udfff]")
_DELIMITERS = ",;\t|"
_NULL_SPELLINGS = sorted(
    {spelt for word in NULLS for spelt in (word, word.upper(), word.capitalize(), word.title())}
)


def read_table(
    file: Opened, path: Path, mapping: ColumnMapping | None = None, batch_rows: int = BATCH_ROWS
) -> Iterator[Batch]:
    """Yield the rows of a delimited text file with a header.

    Raises:
        AisError: the encoding cannot be told, or the columns are unknown or contradict the mapping.
    """
    head = file.stream.peek(HEAD_BYTES)
    encoding = (mapping.encoding if mapping else None) or encoding_of(head, path)
    try:
        with text_of(file, encoding, path) as text:
            yield from _batches(text, file.tell, path, encoding, mapping, batch_rows)
    except UnicodeError as error:
        raise AisError(
            f"{path} was read as {encoding}, which it is not: {error}. Save it as UTF-8"
        ) from error


def _batches(
    lines: Iterator[str],
    tell: Callable[[], int],
    path: Path,
    encoding: str,
    mapping: ColumnMapping | None,
    batch_rows: int,
) -> Iterator[Batch]:
    first = next(lines, "")
    delimiter = (mapping.delimiter if mapping else None) or _delimiter(first)
    header = _split(first, delimiter)
    layout = layout_of(header, path, mapping)
    numbered = enumerate(lines, 2)
    while chunk := list(islice(numbered, batch_rows)):
        yield _batch(chunk, header, delimiter, layout, encoding, tell())


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=header.count)


def _split(line: str, delimiter: str) -> list[str]:
    """Split one line; a quote never swallows the next line, since no AIS field holds a line break."""
    bare = line.rstrip("\r\n")
    return next(csv.reader((bare,), delimiter=delimiter), []) if '"' in bare else bare.split(delimiter)


def _batch(
    chunk: list[tuple[int, str]],
    header: list[str],
    delimiter: str,
    layout: Layout,
    encoding: str,
    bytes_done: int,
) -> Batch:
    rows, good, faults = [], [], []
    for row, line in chunk:
        fault = None if line.isascii() else _text_fault(line, encoding)
        whole = line.rstrip("\r\n") if fault is None else None
        if whole is not None and (whole.count(delimiter) != len(header) - 1 or '"' in whole):
            whole = _mended(whole, len(header), delimiter)
            fault = "wrong_number_of_columns"
        if whole is not None:
            rows.append(row)
            good.append(whole)
        elif fault is not None and line.strip():
            faults.append(Fault(row, "line", fault, _shown(line)))
    first = chunk[0][0]
    named = _named(_frame(good, header, delimiter, layout), layout)
    return Batch(named.assign(row=rows), lambda row: _shown(chunk[row - first][1]), faults, bytes_done)


def _text_fault(line: str, encoding: str) -> str | None:
    return f"not_{encoding}_text" if _SURROGATE.search(line) else None


def _mended(line: str, width: int, delimiter: str) -> str | None:
    """Return a line with quotes, or with empty cells too many, as one that cannot swallow the next; None if broken."""
    cells = _split(line, delimiter)
    if len(cells) < width or any(cells[width:]):
        return None
    return delimiter.join('"' + cell.replace('"', '""') + '"' for cell in cells[:width])


def _frame(lines: list[str], header: list[str], delimiter: str, layout: Layout) -> pd.DataFrame:
    """Parse whole lines; numeric columns come as numbers where all their cells are, the others as text."""
    present = layout.present(header)
    if not lines:
        return pd.DataFrame(columns=list(present.values()), dtype=object)
    place = {ours: header.index(theirs) for ours, theirs in present.items()}
    table = pd.read_csv(
        io.StringIO("\n".join(lines)),
        sep=delimiter,
        header=None,
        names=range(len(header)),
        usecols=list(place.values()),
        index_col=False,
        dtype={number: str for ours, number in place.items() if ours not in NUMERIC},
        na_values=_NULL_SPELLINGS,
        decimal="." if delimiter == "," else ",",
        low_memory=False,
    )
    return table[list(place.values())].set_axis(list(present.values()), axis=1)


def _shown(line: str) -> str:
    return line.rstrip("\r\n").encode("utf-8", "backslashreplace").decode("utf-8")


def _named(table: pd.DataFrame, layout: Layout) -> pd.DataFrame:
    """Return the table under our column names, constants filled in, times and speeds in our units."""
    present = layout.present(table.columns.tolist())
    named = table[list(present.values())].set_axis(list(present), axis=1)
    named = named.assign(**{name: value for name, value in layout.constants.items() if name not in named})
    named["time"] = _times(named["time"], layout)
    if "sog_kn" in named and layout.speed_unit != "kn":
        named["sog_kn"] = pd.to_numeric(named["sog_kn"], errors="coerce") * KNOTS[layout.speed_unit]
    if "lon" not in named or "lat" not in named:
        named["positional"] = False
    return named


def _times(values: pd.Series, layout: Layout) -> pd.Series:
    if layout.time_unit is not None:
        numbers = pd.to_numeric(values, errors="coerce")
        parsed = pd.to_datetime(numbers, unit=layout.time_unit, utc=True, errors="coerce")
    else:
        # A publisher's own format is tried first: ISO 8601 would not take it for another date.
        parsed = pd.to_datetime(values, format=layout.time_format, utc=True, errors="coerce")
    return parsed.astype("datetime64[ns, UTC]")


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
            _named(table, layout).assign(row=rows),
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
