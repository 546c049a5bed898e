"""Delimited tables of AIS reports, in any encoding, to rows in bounded memory.

Every line is cut into cells twice at most: first for identity, time and place alone, then, only for lines that are
kept, for the rest. Lines that the quick parser cannot be trusted with (quotation marks, bytes of another encoding,
another number of columns) are looked at one by one.
"""

from __future__ import annotations

import csv
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
from roadstead.ais.readers.fields import as_numbers
from roadstead.ais.readers.layouts import ColumnMapping, Layout
from roadstead.ais.readers.normalise import in_our_units
from roadstead.ais.readers.open_files import HEAD_BYTES, Opened, encoding_of
from roadstead.ais.readers.presets import layout_of
from roadstead.ais.readers.text_blocks import BLOCK_BYTES, Block, blocks_of
from roadstead.core.errors import AisError

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
    line = first.line(0).decode("utf-8", "surrogateescape")
    delimiter = (mapping.delimiter if mapping else None) or _delimiter(line)
    header = _split(line, delimiter)
    table = _Table(tuple(header), delimiter, layout_of(header, path, mapping), encoding)
    below = Block(first.text[first.ends[0] + 1 :], 2, first.bytes_done)
    yield from _in_turn(table, chain([below], blocks))


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
        try:
            table = self._arrow(text, place, numbers, quoted, wrong)
        except pa.ArrowInvalid:
            wrong.clear()
            table = self._arrow(text, place, {}, quoted, wrong)
        cells = pa.table({ours: table.column(f"c{n}") for ours, n in place.items()}).to_pandas()
        read = {ours: as_numbers(cells[ours], self._decimal) for ours in numbers}
        return cells.assign(**read), wrong

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
