"""A text file to blocks of whole lines, in UTF-8, and where their lines lie."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from roadstead.ais.readers.batch import IntArray
from roadstead.core.errors import AisError

BLOCK_BYTES = 16 << 20
LONGEST_LINE = 64 << 20
"""A line longer than this is cut: what has no line breaks is no table."""
_NEWLINE, _QUOTE, _NOT_ASCII = 10, 34, 128


@dataclass(frozen=True)
class Block:
    """Whole lines, each ended by a line feed; bytes that did not fit the file's encoding are no valid UTF-8."""

    text: bytes
    first_row: int
    """1-based line of the file that the first line is."""
    bytes_done: int = 0

    @cached_property
    def ends(self) -> IntArray:
        """Place of each line's line feed."""
        return np.flatnonzero(np.frombuffer(self.text, np.uint8) == _NEWLINE)

    @cached_property
    def starts(self) -> IntArray:
        """Place of each line's first byte."""
        return np.concatenate([[0], self.ends[:-1] + 1]).astype(np.intp)

    def line(self, place: int) -> bytes:
        """Return the line at a place (0-based), without its end."""
        return self.text[self.starts[place] : self.ends[place]]

    def shown(self, row: int) -> str:
        """Return the text of a line of the file, for the quarantine."""
        return self.line(row - self.first_row).decode("utf-8", "backslashreplace")

    def lines_with(self, byte: int) -> IntArray:
        """Return the places of lines that hold a byte."""
        found = np.flatnonzero(np.frombuffer(self.text, np.uint8) == byte)
        return np.unique(np.searchsorted(self.ends, found))

    @cached_property
    def quoted(self) -> IntArray:
        """Places of lines with a quotation mark."""
        return self.lines_with(_QUOTE) if b'"' in self.text else np.empty(0, np.intp)

    @cached_property
    def broken(self) -> IntArray:
        """Places of lines that are no valid UTF-8."""
        if self.text.isascii() or _decodes(self.text):
            return np.empty(0, np.intp)
        odd = np.flatnonzero(np.frombuffer(self.text, np.uint8) >= _NOT_ASCII)
        lines = np.unique(np.searchsorted(self.ends, odd))
        return np.array([n for n in lines if not _decodes(self.line(int(n)))], dtype=np.intp)

    def without(self, places: IntArray) -> bytes:
        """Return the text without the lines at some places (ascending)."""
        edges = [0, *(edge for n in places for edge in (self.starts[n], self.ends[n] + 1)), len(self.text)]
        return b"".join(self.text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True))

    def only(self, places: IntArray) -> bytes:
        """Return the lines at some places (ascending), each run of neighbours cut out at once."""
        if not len(places):
            return b""
        breaks = np.flatnonzero(np.diff(places) != 1)
        first, last = places[np.r_[0, breaks + 1]], places[np.r_[breaks, len(places) - 1]]
        return b"".join(self.text[a:b] for a, b in zip(self.starts[first], self.ends[last] + 1, strict=True))


def _decodes(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def blocks_of(
    stream: io.BufferedReader[io.RawIOBase],
    encoding: str,
    path: Path,
    tell: Callable[[], int],
    size: int = BLOCK_BYTES,
) -> Iterator[Block]:
    """Yield a file in blocks of whole lines; every kind of line end becomes a line feed.

    Raises:
        AisError: Python has no such encoding.
    """
    row, rest = 1, b""
    for read in _utf8(stream, encoding, path, size):
        text, rest = _whole_lines(rest + read)
        if text:
            yield Block(text, row, tell())
            row += text.count(b"\n")
    rest = rest.replace(b"\r", b"\n")
    if rest:
        yield Block(rest if rest.endswith(b"\n") else rest + b"\n", row, tell())


def _whole_lines(data: bytes) -> tuple[bytes, bytes]:
    """Return whole lines and what follows them."""
    if b"\r" in data:
        held = data.endswith(b"\r")  # its \n may come next
        data = data.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n") + b"\r" * held
    cut = data.rfind(b"\n") + 1
    if not cut and len(data) > LONGEST_LINE:
        return data + b"\n", b""
    return data[:cut], data[cut:]


def _utf8(stream: io.BufferedReader[io.RawIOBase], encoding: str, path: Path, size: int) -> Iterator[bytes]:
    """Yield the file in UTF-8; what does not fit its encoding comes out as no valid UTF-8."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise AisError(f"{path}: no encoding is called {encoding!r}") from error
    if name in ("utf-8", "utf-8-sig", "ascii"):
        yield from _bare(stream, size)
        return
    with io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="") as text:
        while read := text.read(size):
            yield read.encode("utf-8", "surrogatepass")


def _bare(stream: io.BufferedReader[io.RawIOBase], size: int) -> Iterator[bytes]:
    first = True
    while read := stream.read(size):
        yield read.removeprefix(codecs.BOM_UTF8) if first else read
        first = False
