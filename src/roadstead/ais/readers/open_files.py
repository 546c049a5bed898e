"""Opening AIS files: compression, format and encoding by content, never by the extension; what we do not read."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

import pyarrow as pa
from charset_normalizer import from_bytes

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
OFFICE_MEMBERS = {
    "xl/": "an Excel workbook (xlsx): save the sheet as CSV UTF-8",
    "word/": "a Word document (docx)",
    "ppt/": "a PowerPoint presentation (pptx)",
    "content.xml": "an OpenDocument file: save the sheet as CSV UTF-8",
    "doc.kml": "a KMZ file (KML): drawings for a map, not position reports",
}
"""A member, or the folder of members, that tells a zip which is one document -> what it is."""
_LEADS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (xls, doc): save the sheet as CSV UTF-8"),
    (b"SQLite format 3\x00", "an SQLite database (also GeoPackage): save the table as CSV or Parquet"),
    (b"\x89HDF", "an HDF5 or netCDF file"),
    (b"CDF\x01", "a netCDF file"),
    (b"CDF\x02", "a netCDF file"),
    (b"Rar!", "a RAR archive: unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it"),
    (b"ARROW1", "an Arrow (Feather) file: save the table as Parquet"),
    (b"FEA1", "a Feather file: save the table as Parquet"),
    (b"ORC", "an ORC file: save the table as Parquet"),
    (b"Obj\x01", "an Avro file: save the table as Parquet or CSV"),
    (b"\x00\x00\x27\x0a", "a Shapefile: save the table as CSV, or the points as GeoParquet"),
    (b"\x1f\x9d", "a file of compress (.Z): unpack it"),
    (b"\x04\x22\x4d\x18", "an LZ4 file: unpack it"),
    (b"\x80\x04", "a Python pickle, which could run code: save the table as CSV or Parquet"),
    (b"\x80\x05", "a Python pickle, which could run code: save the table as CSV or Parquet"),
    (b"PGDMP", "a PostgreSQL dump: save the table as CSV"),
    (b"{\\rtf", "an RTF document"),
)
_XML: tuple[tuple[bytes, str], ...] = (
    (b"<kml", "a KML file: drawings for a map, not position reports"),
    (b"<gpx", "a GPX file: a track of one receiver, without MMSI"),
    (b"<html", "an HTML page (was a log-in page saved in the file's place?)"),
    (b"<!doctype html", "an HTML page (was a log-in page saved in the file's place?)"),
)
_GEOJSON = re.compile(rb'"type"\s*:\s*"(?:FeatureCollection|Feature)"')


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


def foreign_type(head: bytes, may_be_xml: bool = False) -> str | None:
    """Return what a file is, in words, by its first bytes; None where it may be a log, a table or a list.

    Args:
        head: the first bytes.
        may_be_xml: XML of further kinds is read: watchlists are published so.
    """
    for lead, words in _LEADS:
        if head.startswith(lead) and not (lead == b"ORC" and b"\n" in head[:200]):
            return words
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:4096]
    if text.startswith(b"<"):
        told = next((words for mark, words in _XML if mark in text.lower()), None)
        return told if told or may_be_xml else "an XML file"
    if text.startswith(b"{") and _GEOJSON.search(text):
        return "a GeoJSON file: shapes for a map; save the reports as CSV, or as GeoParquet"
    return None


def foreign_zip(members: Sequence[str]) -> str | None:
    """Return what a zip is whose members make one document; None where it is an archive of files."""
    for mark, words in OFFICE_MEMBERS.items():
        if any(name == mark or (name.startswith(mark) and mark.endswith("/")) for name in members):
            if mark != "content.xml" or "mimetype" in members:
                return words
    if members and all(name.lower().endswith(".kml") for name in members):
        return OFFICE_MEMBERS["doc.kml"]
    return None
