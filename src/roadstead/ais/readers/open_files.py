"""Opening AIS files: compression, format and encoding told by content, never by the extension."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

import pyarrow as pa
from charset_normalizer import from_bytes

from roadstead.ais.readers.nmea import looks_like_nmea
from roadstead.core.errors import AisError

Format = Literal["nmea", "parquet", "table"]
STDIN = Path("-")
"""The name that stands for standard input."""
HEAD_BYTES = 256 * 1024
_GZIP, _ZIP, _ZSTD, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"PAR1"
_LIKELY = ("gb18030", "cp1252", "cp949", "cp932")
"""Of encodings that fit alike, those that AIS tables come in."""
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class Opened:
    """A file, decompressed, ready to be read from its beginning."""

    stream: io.BufferedReader[io.RawIOBase]
    format: Format
    tell: Callable[[], int]
    """Bytes of the file on disk read so far."""


@dataclass
class _Place:
    """Where a file is being read; still told once it is closed."""

    raw: BinaryIO
    last: int = 0

    def __call__(self) -> int:
        """Return the bytes read so far."""
        if not self.raw.closed and self.raw.seekable():
            self.last = self.raw.tell()
        return self.last


@contextmanager
def opened(path: Path, raw: BinaryIO | None = None) -> Iterator[Opened]:
    """Open an AIS file (plain, gzip, zstd, or zip of one file), or read what ``raw`` gives under its name.

    Raises:
        AisError: there is no such file, it is empty, or its compression is broken.
    """
    try:
        with _raw(path, raw) as start, _decompressed(start, path) as plain:
            with io.BufferedReader(cast(io.RawIOBase, plain), HEAD_BYTES) as stream:
                head = stream.peek(HEAD_BYTES)
                if not head.strip():
                    raise AisError(f"{path} is empty")
                yield Opened(stream, _format(head), _Place(start))
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise AisError(f"{path} cannot be opened: {error.strerror}") from error
    except (zlib.error, zipfile.BadZipFile, EOFError, pa.ArrowInvalid, OSError) as error:
        raise AisError(f"{path} cannot be read to its end, is it whole? {error}") from error


@contextmanager
def _raw(path: Path, given: BinaryIO | None) -> Iterator[BinaryIO]:
    if given is not None:
        yield given
    else:
        with path.open("rb") as raw:
            yield raw


@contextmanager
def _decompressed(raw: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    lead = cast(io.BufferedReader, raw).peek(4)[:4]
    if not raw.seekable() and lead in (_ZIP, _PARQUET):
        raise AisError("zip and Parquet cannot be read from standard input: give the file's name")
    if lead.startswith(_GZIP):
        with gzip.GzipFile(fileobj=raw) as plain:
            yield cast(BinaryIO, plain)
    elif lead == _ZSTD:
        with pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd") as plain:
            yield cast(BinaryIO, plain)
    elif lead == _ZIP:
        with zipfile.ZipFile(raw) as archive, archive.open(_only_member(archive, path)) as plain:
            yield cast(BinaryIO, plain)
    else:
        yield raw


def _only_member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) != 1:
        raise AisError(f"{path} holds {len(members)} files: unpack it and name those to read")
    return members[0]


def _format(head: bytes) -> Format:
    if head.startswith(_PARQUET):
        return "parquet"
    return "nmea" if looks_like_nmea(head) else "table"


def encoding_of(head: bytes, path: Path) -> str:
    """Return the Python name of a text file's encoding, from its first bytes.

    Raises:
        AisError: no encoding fits.
    """
    for bom, name in _BOMS.items():
        if head.startswith(bom):
            return name
    if _is_utf8(head):
        return "utf-8"
    if b"\x00" not in head[:200]:
        # Whole lines that are not ASCII tell most; a cut character at the end would mislead.
        odd = [line for line in head.splitlines()[:-1] if not line.isascii()]
        head = b"\n".join(odd[:500]) or head
    found = from_bytes(head)
    best = found.best()
    if best is None:
        raise AisError(
            f"{path} is not UTF-8 and no other encoding fits it: "
            "save it as UTF-8, or name its `encoding` in a column mapping"
        )
    as_good = {m.encoding for m in found if (m.chaos, m.coherence) == (best.chaos, best.coherence)}
    return next((name for name in _LIKELY if name in as_good), best.encoding)


def _is_utf8(head: bytes) -> bool:
    if b"\x00" in head[:200]:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 and len(head) >= HEAD_BYTES
    return True
