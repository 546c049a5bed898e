"""Delimited tables of AIS reports, in any encoding, to rows in bounded memory.

Every line is cut into cells twice at most: first for identity, time and place alone, then, only for lines that are
kept, for the rest. Lines that the quick parser cannot be trusted with (quotation marks, bytes of another encoding,
another number of columns) are looked at one by one.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
from numpy.typing import NDArray

from roadstead.ais.codes import NULLS
from roadstead.ais.readers.batch import NUMERIC, Batch, Fault, IntArray
from roadstead.ais.readers.fields import as_numbers, in_our_units
from roadstead.ais.readers.layouts import ColumnMapping, Layout
from roadstead.ais.readers.open_files import HEAD_BYTES, Opened, encoding_of
from roadstead.ais.readers.presets import layout_of
from roadstead.ais.readers.text_blocks import BLOCK_BYTES, Block, blocks_of
from roadstead.ais.readers.time_forms import times_of_words, with_time_form
from roadstead.core.errors import AisError

_SEP_LINE = re.compile(rb'"?sep=(?:(.|\\t)"?|(\t))', re.IGNORECASE)
_MOST_BEFORE = 10
"""Empty lines that may stand above a header."""
_SAMPLE_LINES, _SAMPLE = 50_000, 2_000
"""Lines of a file that tell the form of its times, and spellings of them that are tried."""
_QUICK_SAMPLE, _SAMPLE_BYTES = 50, 64 * 1024
"""Where some of the first lines have the form that the layout has, the others are not looked at for that."""
READERS = 2
"""Blocks that are cut into cells at once."""
_DELIMITERS = ",;\t|"
_FIRST = ("mmsi", "time", "lon", "lat")
"""Read for every row; the others only for rows that are kept."""
_NULL_SPELLINGS = sorted(
    {spelt for word in NULLS for spelt in (word, word.upper(), word.capitalize(), word.title())}
    | {"#N/A", "#NA", "<NA>", "-NaN", "-nan", "NaN", "1.#QNAN", "-1.#IND"}
)
_TEXT = pa.dictionary(pa.int32(), pa.string())


def read_table(
    file: Opened, path: Path, mapping: ColumnMapping | None = None, block_bytes: int | None = None
) -> Iterator[Batch]:
    """Yield the rows of a delimited text file with a header.

    Raises:
        AisError: the encoding cannot be told, or the columns are unknown or contradict the mapping.
    """
    head = file.stream.peek(HEAD_BYTES)
    encoding = (mapping.encoding if mapping else None) or encoding_of(head, path)
    try:
        blocks = blocks_of(file.stream, encoding, path, file.tell, block_bytes or BLOCK_BYTES)
        yield from _batches(blocks, path, encoding, mapping)
    except UnicodeError as error:
        raise AisError(
            f"{path} was read as {encoding}, which it is not: {error}. Save it as UTF-8"
        ) from error


def _batches(
    blocks: Iterator[Block], path: Path, encoding: str, mapping: ColumnMapping | None
) -> Iterator[Batch]:
    first = next(blocks, None)
    if first is None:
        raise AisError(f"{path} is empty but for its byte order mark")
    told, at = _header_line(first)
    line = first.line(at).decode("utf-8", "surrogateescape")
    delimiter = (mapping.delimiter if mapping else None) or told or _delimiter(line)
    below = Block(first.text[first.ends[at] + 1 :], at + 2, first.bytes_done)
    header = _without_empty_ends(_split(line, delimiter), below, delimiter)
    table = _Table(tuple(header), delimiter, layout_of(header, path, mapping), encoding)
    table = replace(table, layout=with_time_form(table.layout, table.some_times(below), path))
    yield from _in_turn(table, chain([below], blocks))


def _header_line(block: Block) -> tuple[str | None, int]:
    """Return the delimiter that Excel's line ``sep=;`` names, and the place of the header: the first line with text."""
    told = None
    for place in range(min(len(block.ends), _MOST_BEFORE)):
        line = block.line(place).strip(b"\r\n ")
        if found := _SEP_LINE.fullmatch(line):
            told = (found[1] or found[2]).decode().replace("\\t", "\t")
        elif line:
            return told, place
    return told, 0


def _without_empty_ends(header: list[str], below: Block, delimiter: str) -> list[str]:
    """Return the header without empty cells at its end that the first row has not."""
    ends = len(header) - len(
        "".join(f"{cell.strip()} " if not cell.strip() else "x" for cell in header).rstrip()
    )
    if not ends or not len(below.ends):
        return header
    width = len(_split(below.line(0).decode("utf-8", "surrogateescape"), delimiter))
    return header[:width] if len(header) - ends <= width < len(header) else header


def _in_turn(table: _Table, blocks: Iterable[Block]) -> Iterator[Batch]:
    """Cut a few blocks into cells at once; batches come in the order of the file."""
    waiting: list[Future[Batch]] = []
    with ThreadPoolExecutor(READERS) as readers:
        for block in blocks:
            if block.text:
                waiting.append(readers.submit(table.batch, block))
            if len(waiting) > READERS:
                yield waiting.pop(0).result()
        for batch in waiting:
            yield batch.result()


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=header.count)


def _split(line: str, delimiter: str) -> list[str]:
    """Split one line; a quote never swallows the next line, since no AIS field holds a line break."""
    return next(csv.reader((line,), delimiter=delimiter), []) if '"' in line else line.split(delimiter)


@dataclass(frozen=True)
class _Table:
    """How to cut the lines of one file."""

    header: tuple[str, ...]
    delimiter: str
    layout: Layout
    encoding: str

    def batch(self, block: Block) -> Batch:
        """Return the rows of a block: identity, time and place at once, the rest when asked for."""
        present = self.layout.present(self.header)
        place = {ours: self.header.index(theirs) for ours, theirs in present.items()}
        early = {ours: n for ours, n in place.items() if ours in _FIRST}
        late = {ours: n for ours, n in place.items() if ours not in _FIRST}
        apart = np.union1d(block.quoted, block.broken).astype(np.intp)
        lines = np.setdiff1d(np.arange(len(block.ends)), apart) if len(apart) else np.arange(len(block.ends))
        text = block.without(apart) if len(apart) else block.text
        cells, wrong = self._cells(text, early, quoted=False)
        blank = lines[np.array(wrong, dtype=np.intp)]
        whole = np.setdiff1d(lines, blank) if len(blank) else lines
        mended, faults = self._one_by_one(block, np.union1d(apart, blank))
        empty = (block.ends - block.starts) == 0
        rows = _joined(cells, whole, self._mended_cells(mended, early), np.array(sorted(mended), np.intp))
        rows = rows[~empty[rows["line"]]].reset_index(drop=True)
        at = rows["line"].to_numpy()
        shared = {name: value for name, value in self.layout.constants.items() if name not in place}
        rows = in_our_units(rows.drop(columns="line"), replace(self.layout, constants=shared))
        rows = rows.assign(row=at + block.first_row)
        if "lon" not in place or "lat" not in place:
            rows["positional"] = False

        def more(places: IntArray) -> pd.DataFrame:
            return self._late(block, at[places], late, mended)

        return Batch(rows, block.shown, faults, block.bytes_done, more=more)

    @property
    def _decimal(self) -> str:
        return "." if self.delimiter == "," else ","

    def some_times(self, block: Block) -> list[str]:
        """Return spellings of times of the first lines, each once, those at the end too."""
        place = self.layout.present(self.header).get("time")
        if place is None or not len(block.ends):
            return []
        text = block.text[: block.ends[min(len(block.ends), _SAMPLE_LINES) - 1] + 1]
        n = self.header.index(place)
        first = [line for line in text[:_SAMPLE_BYTES].split(b"\n")[:_QUICK_SAMPLE] if line]
        cells = [_split(line.decode("utf-8", "replace"), self.delimiter) for line in first]
        words = [row[n].strip() for row in cells if len(row) > n and row[n].strip().lower() not in NULLS]
        if not words or times_of_words(pd.Series(words, dtype=object), self.layout.time_format).notna().any():
            return words[:1]
        whole, _ = self._cells(text, {"time": n}, quoted=b'"' in text)
        spelt = whole["time"].dropna().astype(str).str.strip().unique().tolist()
        return list(spelt if len(spelt) <= _SAMPLE else spelt[:: len(spelt) // _SAMPLE + 1])

    def _late(
        self, block: Block, lines: IntArray, late: Mapping[str, int], mended: Mapping[int, str]
    ) -> pd.DataFrame:
        plain = np.array([n for n in lines if n not in mended], dtype=np.intp) if mended else lines
        cells, _ = self._cells(block.only(plain), late, quoted=False)
        odd = {int(n): mended[int(n)] for n in lines if int(n) in mended} if mended else {}
        rows = _joined(cells, plain, self._mended_cells(odd, late), np.array(sorted(odd), np.intp))
        return in_our_units(rows.drop(columns="line"), replace(self.layout, constants={}))

    def _one_by_one(self, block: Block, places: IntArray) -> tuple[dict[int, str], list[Fault]]:
        """Return lines that could be mended, by place, and the faults of those that could not."""
        mended, faults = {}, []
        broken = set(block.broken.tolist())
        for place in map(int, places):
            row = place + block.first_row
            if place in broken:
                faults.append(Fault(row, "line", f"not_{self.encoding}_text", block.shown(row)))
                continue
            line = block.line(place).decode("utf-8")
            whole = self._mend(line)
            if whole is not None:
                mended[place] = whole
            elif line.strip():
                faults.append(Fault(row, "line", "wrong_number_of_columns", block.shown(row)))
        return mended, faults

    def _mend(self, line: str) -> str | None:
        """Return a line with quotes or empty cells too many as one that cannot swallow the next; None if broken."""
        try:
            cells = _split(line, self.delimiter)
        except csv.Error:
            return None
        if len(cells) < len(self.header) or any(cells[len(self.header) :]):
            return None
        kept = (cell.replace("\r", " ").replace("\n", " ") for cell in cells[: len(self.header)])
        return self.delimiter.join('"' + cell.replace('"', '""') + '"' for cell in kept)

    def _mended_cells(self, mended: Mapping[int, str], place: Mapping[str, int]) -> pd.DataFrame:
        text = "".join(f"{mended[n]}\n" for n in sorted(mended)).encode()
        return self._cells(text, place, quoted=True)[0]

    def _cells(self, text: bytes, place: Mapping[str, int], quoted: bool) -> tuple[pd.DataFrame, list[int]]:
        """Return columns by our names, and places (0-based) of lines of another width.

        Numeric columns come as numbers, null where a cell is none; the others as categories.
        """
        if not text or not place:
            lines = np.arange(text.count(b"\n") if not place else 0)
            return pd.DataFrame(index=lines, columns=list(place), dtype=object), []
        wrong: list[int] = []
        numbers = {ours: pa.float64() for ours in place if ours in NUMERIC}
        if "mmsi" in numbers:
            numbers["mmsi"] = pa.int64()  # no float: what is written as 4.12E+08 has lost digits
        table = self._table(text, place, numbers, quoted, wrong)
        cells = pa.table({ours: table.column(f"c{n}") for ours, n in place.items()}).to_pandas()
        read = {ours: as_numbers(cells[ours], self._decimal) for ours in numbers if ours != "mmsi"}
        return cells.assign(**read), wrong

    def _table(
        self,
        text: bytes,
        place: Mapping[str, int],
        numbers: Mapping[str, pa.DataType],
        quoted: bool,
        wrong: list[int],
    ) -> pa.Table:
        """Cut lines into cells: numbers as such where all are, else the identity as text, else all of them."""
        for kinds in (numbers, {ours: kind for ours, kind in numbers.items() if ours != "mmsi"}, {}):
            wrong.clear()
            try:
                return self._arrow(text, place, kinds, quoted, wrong)
            except pa.ArrowInvalid:
                if not kinds:
                    raise
        raise AssertionError("the last kinds are empty")

    def _arrow(
        self,
        text: bytes,
        place: Mapping[str, int],
        numbers: Mapping[str, pa.DataType],
        quoted: bool,
        wrong: list[int],
    ) -> pa.Table:
        def passed_over(row: arrow_csv.InvalidRow) -> str:
            wrong.append(int(row.number) - 1)
            return "skip"

        columns = [f"c{n}" for n in range(len(self.header))]
        return arrow_csv.read_csv(
            pa.BufferReader(text),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=len(text) + 1, column_names=columns
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self.delimiter,
                quote_char='"' if quoted else False,
                ignore_empty_lines=False,
                invalid_row_handler=passed_over,
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=[columns[n] for n in sorted(set(place.values()))],
                column_types={columns[n]: numbers.get(ours, _TEXT) for ours, n in place.items()},
                null_values=_NULL_SPELLINGS,
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                decimal_point=self._decimal,
            ),
        )


def _joined(
    cells: pd.DataFrame, lines: IntArray, odd: pd.DataFrame, odd_lines: Sequence[int] | IntArray
) -> pd.DataFrame:
    """Put lines read quickly and lines looked at one by one into the order of the file."""
    plain = cells.assign(line=lines)
    apart = odd.assign(line=odd_lines)
    if not len(apart):
        return plain
    if not len(plain):
        return apart
    rows = pd.DataFrame({name: _end_to_end(plain[name], apart[name]) for name in plain})
    return rows.sort_values("line", ignore_index=True)


def _end_to_end(first: pd.Series, second: pd.Series) -> NDArray[Any]:
    """Return two columns as one: as numbers where both are, else as plain values, since categories are not shared."""
    numeric = all(pd.api.types.is_numeric_dtype(column) for column in (first, second))
    kind = np.result_type(first, second) if numeric else object
    return np.concatenate([column.to_numpy(kind) for column in (first, second)])
