"""What a user names (files, folders, patterns, archives) to the files of AIS in it; rubbish beside them is left out.

Folders and archives hold more than data: ``__MACOSX``, ``.DS_Store``, ``Thumbs.db``, marks of Spark, a read-me, a PDF.
The first kinds are left out without a word; what is no AIS by its content is left out and named.
"""

from __future__ import annotations

import glob
import io
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from roadstead.ais.archive.store_files import is_store
from roadstead.ais.readers.nmea import looks_like_nmea
from roadstead.ais.readers.open_files import (
    HEAD_BYTES,
    STDIN,
    archive_kind,
    decompressed,
    foreign_type,
    foreign_zip,
    read_errors,
)
from roadstead.core.errors import AisError

_RUBBISH = re.compile(
    r"^(?:\.|__MACOSX$|Thumbs\.db$|desktop\.ini$|_SUCCESS$|_(?:common_)?metadata$|_(?:started|committed)_|\$RECYCLE\.BIN$)",
    re.IGNORECASE,
)
"""Names that operating systems and Spark leave beside data; a folder so named is left out whole."""
_PAPERS = re.compile(r"(?:^|[^a-z])(?:read_?me|licen[cs]e|changelog|notice|terms)", re.IGNORECASE)
_PAPER_SUFFIXES = (".md", ".rst", ".md5", ".sha1", ".sha256", ".sha512", ".xsd", ".log.txt")
_FEWEST_COLUMNS = 3
"""A ``.txt`` with fewer columns in its first line, and no sentence, is prose."""


@dataclass(frozen=True)
class Piece:
    """One file of AIS: a file on disk, or a member of an archive."""

    path: Path
    """What it is called in messages: a member's is ARCHIVE/MEMBER."""
    on_disk: Path
    member: str | None = None
    """Set for one of several members of an archive."""
    raw: BinaryIO | None = None
    """Its bytes; None for a file on disk. To be read before the next piece is asked for."""
    tell: Callable[[], int] | None = None
    """Bytes of the file on disk read so far."""
    foreign: str | None = None
    """What it is, where it is no AIS."""


@dataclass
class Inputs:
    """What was named, as files and stores."""

    files: list[Path] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    """File or member that is no AIS -> what it is."""


def expanded(paths: Iterable[str | Path], take_stores: bool = True) -> Inputs:
    """Return the files and stores that paths, folders and patterns (``may/*.nmea``) name.

    Raises:
        AisError: a pattern fits nothing, or a folder holds neither a store nor a file of AIS.
    """
    found = Inputs()
    for given in paths:
        for path in _matched(str(given)):
            if path.is_dir() and not (take_stores and is_store(path)):
                _add_folder(path, found)
            else:
                found.files.append(path)
    return found


def _matched(given: str) -> list[Path]:
    if Path(given) == STDIN or Path(given).exists() or not glob.has_magic(given):
        return [Path(given)]
    names = sorted(glob.glob(given, recursive=True))
    if not names:
        raise AisError(f"{given}: no file fits this pattern")
    return [path for path in map(Path, names) if not _is_rubbish(path.name)]


def _add_folder(folder: Path, found: Inputs) -> None:
    before = len(found.files)
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if any(_is_rubbish(part) for part in inside.parts) or path.is_dir():
            continue
        if is_store(path.parent):
            raise AisError(f"{folder} holds an AIS store in {path.parent}: name the store itself")
        words = _foreign_file(path)
        if words is None:
            found.files.append(path)
        else:
            found.left_out[str(path)] = words
    if len(found.files) == before:
        raise AisError(
            f"{folder} is no AIS store: make one with `roadstead ais import FILE... --ais-store {folder}`. As a folder "
            "of files it holds no file of AIS"
        )


def _is_rubbish(name: str) -> bool:
    return _RUBBISH.match(name) is not None


def _foreign_file(path: Path) -> str | None:
    with read_errors(path), path.open("rb") as raw:
        if archive_kind(raw):
            return None
        with decompressed(raw, path) as plain:
            return _foreign(path.name, plain.read(HEAD_BYTES))


def _foreign(name: str, head: bytes) -> str | None:
    """Return what a file beside others is, where it is no AIS."""
    if words := foreign_type(head):
        return words
    if not head.strip():
        return "an empty file"
    if looks_like_nmea(head):
        return None
    first = next((line for line in head.splitlines() if line.strip()), b"")
    columns = max(first.count(mark) for mark in (b",", b";", b"\t", b"|")) + 1
    is_text = name.lower().endswith((".txt", *_PAPER_SUFFIXES)) or _PAPERS.search(name)
    return "a text without columns" if is_text and columns < _FEWEST_COLUMNS else None


def pieces_of(path: Path) -> Iterator[Piece]:
    """Yield the files of AIS in a file: itself, or the members of a zip or tar; those that are no AIS say so.

    Raises:
        AisError: the file cannot be opened, its archive is damaged or encrypted, or nothing in it is AIS.
    """
    if path == STDIN:
        yield Piece(path, path)
        return
    with read_errors(path), path.open("rb") as raw:
        kind = archive_kind(raw)
        if kind is None:
            yield Piece(path, path)
            return
        members = _zipped(raw, path) if kind == "zip" else _tarred(raw, path)
        seen, used = 0, 0
        for piece in members:
            seen, used = seen + 1, used + (piece.foreign is None)
            yield piece
        if not used:
            raise AisError(f"{path} holds {seen} files, none of them AIS")


def _zipped(raw: BinaryIO, path: Path) -> Iterator[Piece]:
    with zipfile.ZipFile(raw) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir() and not _in_rubbish(info.filename)]
        if words := foreign_zip([info.filename for info in infos]):
            raise AisError(f"{path} is {words}")
        for info in infos:
            with _zip_member(archive, info, path) as stream:
                yield _piece(path, info.filename, stream, len(infos) > 1, raw.tell)


@contextmanager
def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> Iterator[BinaryIO]:
    if info.flag_bits & 1:
        raise AisError(f"{path}: {info.filename} is encrypted: unpack it")
    try:
        stream = archive.open(info)
    except NotImplementedError as error:
        raise AisError(f"{path}: {info.filename}: {error}; unpack it") from error
    with stream:
        yield cast(BinaryIO, stream)


def _tarred(raw: BinaryIO, path: Path) -> Iterator[Piece]:
    """Yield the members of a tar in its order: it is read once, from front to back."""
    with decompressed(raw, path) as plain, tarfile.open(fileobj=_Forward(plain), mode="r:") as archive:
        for info in archive:
            stream = archive.extractfile(info) if info.isfile() and not _in_rubbish(info.name) else None
            if stream is not None:
                yield _piece(path, info.name, cast(BinaryIO, stream), True, raw.tell)


class _Forward(io.RawIOBase):
    """A stream that can only be read on, with a place: what lies between is read over. No tar asks for more."""

    def __init__(self, stream: BinaryIO) -> None:
        """Read from ``stream``."""
        self._stream, self._at = stream, 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True: a place further on can be reached."""
        return True

    def tell(self) -> int:
        """Return the bytes read so far."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Read on to a place.

        Raises:
            io.UnsupportedOperation: it lies before what was read.
        """
        if whence != io.SEEK_SET or offset < self._at:
            raise io.UnsupportedOperation("a compressed archive is read from front to back")
        while self._at < offset and self.read(min(offset - self._at, HEAD_BYTES)):
            pass
        return self._at

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        """Read into a buffer; return the bytes read."""
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def _in_rubbish(member: str) -> bool:
    return any(_is_rubbish(part) for part in PurePosixPath(member).parts if part not in (".", ".."))


def _piece(path: Path, name: str, stream: BinaryIO, several: bool, tell: Callable[[], int]) -> Piece:
    raw = io.BufferedReader(cast(io.RawIOBase, stream), HEAD_BYTES)
    called = path / name if several else path
    if archive_kind(raw):
        raise AisError(f"{called} is an archive inside an archive: unpack it")
    words = _foreign(name, raw.peek(HEAD_BYTES)) if several else None
    return Piece(called, path, name if several else None, cast(BinaryIO, raw), tell, words)
