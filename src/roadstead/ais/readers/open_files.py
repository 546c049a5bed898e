"""Opening AIS files: compression, format and encoding told by content, never by the extension."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

import pyarrow as pa
from charset_normalizer import from_bytes

from roadstead.ais.readers.foreign import foreign_type
from roadstead.ais.readers.nmea import looks_like_nmea
from roadstead.core.errors import AisError

Format = Literal["nmea", "parquet", "json", "table"]
STDIN = Path("-")
"""The name that stands for standard input."""
HEAD_BYTES = 256 * 1024
_GZIP, _ZIP, _ZSTD, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"PAR1"
_EMPTY_ZIP, _BZIP2, _XZ = b"PK\x05\x06", b"BZh", b"\xfd7zXZ\x00"
_ZSTD_SKIPPED = b"\x2a\x4d\x18"
"""Last three bytes of a Zstandard frame that holds no data; its first is 0x50 to 0x5f. pzstd begins with one."""
_TAR_MARK, _TAR_MARK_AT = b"ustar", 257
_LEAD_BYTES = 512
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
def opened(
    path: Path, raw: BinaryIO | None = None, tell: Callable[[], int] | None = None
) -> Iterator[Opened]:
    """Open an AIS file (plain, gzip, zstd, bzip2 or xz), or read what ``raw`` gives under its name.

    Args:
        path: the file; archives are taken apart before, by `archives.pieces_of`.
        raw: its bytes, of standard input or of an archive's member.
        tell: bytes of the file on disk read so far, where ``raw`` does not know.

    Raises:
        AisError: there is no such file, it is empty, of a kind that we do not read, or its compression is broken.
    """
    with read_errors(path), _raw(path, raw) as start, decompressed(start, path) as plain:
        with io.BufferedReader(cast(io.RawIOBase, plain), HEAD_BYTES) as stream:
            head = stream.peek(HEAD_BYTES)
            if not head.strip():
                raise AisError(f"{path} is empty")
            yield Opened(stream, _format(head, path), tell or _Place(start))


@contextmanager
def read_errors(path: Path) -> Iterator[None]:
    """Turn what the disk and the compression say into an `AisError` that names the file."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError) as error:
        raise AisError(f"{path} cannot be opened: {error.strerror}") from error
    except (
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
        tarfile.TarError,
        EOFError,
        pa.ArrowInvalid,
        OSError,
    ) as error:
        raise AisError(f"{path} cannot be read to its end, is it whole? {error}") from error


@contextmanager
def _raw(path: Path, given: BinaryIO | None) -> Iterator[BinaryIO]:
    if given is not None:
        yield given
    else:
        with path.open("rb") as raw:
            yield raw


@contextmanager
def decompressed(raw: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    """Give the content of a file that may be compressed, from its beginning.

    Raises:
        AisError: a zip or Parquet file comes from where nobody can seek.
    """
    lead = cast(io.BufferedReader, raw).peek(len(_XZ))[: len(_XZ)]
    if not raw.seekable() and lead[:4] in (_ZIP, _PARQUET):
        raise AisError("zip and Parquet cannot be read from standard input: give the file's name")
    if lead.startswith(_GZIP):
        with gzip.GzipFile(fileobj=raw) as plain:
            yield cast(BinaryIO, plain)
    elif lead.startswith(_ZSTD) or lead[1:4] == _ZSTD_SKIPPED:
        with pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd") as plain:
            yield cast(BinaryIO, plain)
    elif lead.startswith(_BZIP2):
        with bz2.BZ2File(raw) as plain:
            yield cast(BinaryIO, plain)
    elif lead.startswith(_XZ):
        with lzma.LZMAFile(raw) as plain:
            yield cast(BinaryIO, plain)
    else:
        yield raw


def archive_kind(raw: BinaryIO) -> Literal["zip", "tar"] | None:
    """Return what kind of archive a stream is, compressed or not, and leave it at its beginning; None for no archive.

    Raises:
        zlib.error, lzma.LZMAError, OSError: its compression is broken.
    """
    lead = cast(io.BufferedReader, raw).peek(len(_XZ))[:4]
    if lead in (_ZIP, _EMPTY_ZIP):
        return "zip"
    head = _lead_of(cast(io.BufferedReader, raw).peek(HEAD_BYTES))
    return "tar" if head[_TAR_MARK_AT:].startswith(_TAR_MARK) else None


def _lead_of(head: bytes) -> bytes:
    """Return the first bytes of what a file's first bytes are when unpacked; as far as they can be."""
    with io.BufferedReader(cast(io.RawIOBase, io.BytesIO(head))) as raw:
        try:
            with decompressed(cast(BinaryIO, raw), STDIN) as plain:
                return bytes(plain.read(_LEAD_BYTES))
        except (zlib.error, lzma.LZMAError, EOFError, pa.ArrowException, OSError):
            return b""  # cut short: whoever reads it to its end says so


def _format(head: bytes, path: Path) -> Format:
    if head.startswith(_PARQUET):
        return "parquet"
    if head[_TAR_MARK_AT:].startswith(_TAR_MARK):
        raise AisError(f"{path} is a tar archive: give the file's name, or unpack it")
    if words := foreign_type(head):
        raise AisError(f"{path} is {words}")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return "json" if _is_json(head) else "nmea"
    return "nmea" if looks_like_nmea(head) else "table"


def _is_json(head: bytes) -> bool:
    """Say whether text that begins with a bracket is JSON, and not the time of a log in brackets."""
    return re.match(rb"[\xef\xbb\xbf\s]*(?:\[\s*\{|\{|\[\s*\])", head) is not None


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
