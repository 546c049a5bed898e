"""Importing AIS files, standard input and live feeds into a store, each once."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from roadstead.ais.archive.file_prefix import Digest, Prefix, held
from roadstead.ais.archive.store_files import Manifest, found, manifest_of, write_manifest, writing
from roadstead.ais.archive.store_writer import Writer, abandoned_on_error, commit
from roadstead.ais.data import Box, Progress, Source, Tally, Window
from roadstead.ais.read import Meter, Reading, batches_of, quarantine_of, reading_of
from roadstead.ais.readers.archives import Piece, expanded, pieces_of
from roadstead.ais.readers.layouts import ColumnMapping, load_mapping
from roadstead.ais.readers.open_files import STDIN
from roadstead.ais.static_history import News

_KEY_VERSION = 1
"""Part of every key: files imported by earlier versions are known again."""


@dataclass(frozen=True)
class ImportSummary:
    """What an import did, files imported before included in the figures."""

    kept: int
    """Position reports of ships in the store from these files."""
    stations: int
    """Reports of transmitters that are no ships."""
    static: int
    """Static reports that said something new."""
    quarantined: int
    """Entries of the quarantine: rows that could not be used, and fields of rows that were kept."""
    tally: Tally
    """What became of every row; its parts add up to the rows read."""
    notes: Mapping[str, int]
    """Reasons (`reasons.REASONS`) of what was kept all the same, counted."""
    files: tuple[str, ...]
    already: tuple[str, ...]
    """Of ``files``, those that the store held already and that were passed over."""
    left_out: Mapping[str, str]
    """Files of folders and archives that are no AIS -> what they are."""
    quarantine: Path
    """CSV of `schemas.QUARANTINE` for one file, else the folder with one such CSV a file."""


def import_files(
    paths: Sequence[str | Path],
    store_folder: str | Path,
    *,
    mapping: Mapping[str, Any] | str | Path | None = None,
    source: str | Source | None = None,
    within: Box | Sequence[Box] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    progress: Progress | None = None,
) -> ImportSummary:
    """Import AIS files into a store, in bounded memory; arguments as for `read_ais`.

    Args:
        paths: files, archives, folders and patterns; ``-`` is standard input.
        store_folder: the store; made where there is none.
        mapping: column mapping of tables that we do not know.
        source: name of the source, or its record with licence and kind.
        within: box, or boxes, to keep; rows from elsewhere are counted.
        start: first time to keep.
        end: last time to keep.
        progress: called with (bytes done, bytes in all).

    Raises:
        AisError: a file cannot be used; files before it are in the store, it is not.
        StoreError: the store cannot be written; files before are in it.
    """
    folder, window = Path(store_folder), Window(within, start, end)
    mapped = load_mapping(mapping) if mapping is not None else None
    how = How(window, mapped, source if isinstance(source, Source) else Source(source))
    inputs = expanded(paths, take_stores=False)
    meter = Meter(inputs.files, progress)
    files, done, before, other = [], [], [], dict(inputs.left_out)
    found(folder)
    for path in inputs.files:
        for piece, manifest, fresh in _imports(path, folder, how, meter, other):
            files.append(str(piece))
            done.append(manifest)
            before += [] if fresh else [str(piece)]
    return summary(folder, files, done, before, other)


def summary(
    folder: Path,
    files: list[str],
    done: list[Manifest],
    before: list[str],
    other: Mapping[str, str] | None = None,
) -> ImportSummary:
    """Add up what some imports did; ``other`` are files that are no AIS, and what they are."""
    quarantine = folder / "quarantine"
    return ImportSummary(
        kept=sum(m.kept for m in done),
        stations=sum(m.stations for m in done),
        static=sum(m.static for m in done),
        quarantined=sum(m.quarantined for m in done),
        tally=sum((m.tally for m in done), Tally()),
        notes=dict(sum((Counter(m.notes) for m in done), Counter())),
        files=tuple(files),
        already=tuple(before),
        left_out=dict(other or {}),
        quarantine=quarantine / f"{done[0].key}.csv" if len(done) == 1 else quarantine,
    )


@dataclass(frozen=True)
class How:
    """How files are read: part of what tells one import from another."""

    window: Window
    mapping: ColumnMapping | None = None
    source: Source = field(default_factory=Source)

    def digest(self) -> Digest:
        """Return a hash to go on with over the content."""
        mapping = self.mapping.model_dump() if self.mapping else None
        how = [asdict(self.window), mapping, self.source.name, _KEY_VERSION]
        return hashlib.sha256(json.dumps(how, sort_keys=True, default=str).encode())


def key_of(digest: Digest) -> str:
    """Return the name of an import."""
    return digest.hexdigest()[:20]


def _imports(
    path: Path, folder: Path, how: How, meter: Meter, other: dict[str, str]
) -> Iterator[tuple[Path, Manifest, bool]]:
    """Import a file, or the members of an archive; yield each with its manifest, and False where it was there already.

    A file is read as it was when it was hashed. Members that are no AIS are added to ``other``.
    """
    if path == STDIN:
        yield path, *_from_stdin(folder, how)
        return
    with held(path, how.digest) as prefix:
        for piece in pieces_of(path):
            if piece.foreign is not None:
                other[str(piece.path)] = piece.foreign
                continue
            if piece.raw is None:
                piece = replace(piece, raw=prefix.stream())
            yield piece.path, *_from_piece(piece, prefix, folder, how, meter)


def _from_piece(piece: Piece, prefix: Prefix, folder: Path, how: How, meter: Meter) -> tuple[Manifest, bool]:
    """Import one piece of a file; its name is that of the bytes that were read."""
    key = _key_of_piece(piece, prefix.digest)
    before = manifest_of(folder, key)
    if before is not None:
        if piece.member is None:
            meter.at(piece.path, prefix.size)
        return _with_terms(folder, before, how.source), False

    def name() -> str:
        prefix.check()
        return key

    return write_import(
        folder, reading_of(piece, how.window, how.mapping, how.source.name, meter), how.source, name
    )


def _with_terms(folder: Path, before: Manifest, source: Source) -> Manifest:
    """Return an earlier import; terms that are told only now, or otherwise, are written into its record."""
    if not source.says_something or before.terms == source:
        return before
    made = replace(before, about=source.as_json())
    write_manifest(folder, made)
    return made


def _key_of_piece(piece: Piece, digest: Digest) -> str:
    if piece.member is None:
        return key_of(digest)
    own = digest.copy()
    own.update(piece.member.encode())
    return key_of(own)


def _from_stdin(folder: Path, how: How) -> tuple[Manifest, bool]:
    raw = Hashed(cast(io.BufferedIOBase, sys.stdin.buffer), how.digest())
    stream = cast(BinaryIO, io.BufferedReader(raw))
    reading = Reading(
        STDIN, how.window, how.mapping, how.source.name, batches=batches_of(STDIN, how.mapping, stream)
    )
    return write_import(folder, reading, how.source, lambda: key_of(raw.digest))


class Hashed(io.RawIOBase):
    """A stream that hashes what is read from it."""

    def __init__(self, stream: io.BufferedIOBase, digest: Digest) -> None:
        """Read from ``stream`` and go on with ``digest``."""
        self._stream, self.digest = stream, digest

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        """Read into a buffer; return the bytes read."""
        got = self._stream.read1(len(buffer))
        buffer[: len(got)] = got
        self.digest.update(got)
        return len(got)


def write_import(
    folder: Path, reading: Reading, source: Source, key: Callable[[], str]
) -> tuple[Manifest, bool]:
    """Read to the end and put it all in place; return the manifest, and False where the store held it already.

    Args:
        folder: the store.
        reading: what to read.
        source: where it comes from.
        key: asked for the import's name once all is read.
    """
    writer, news = Writer(folder), News()
    with writing(folder), abandoned_on_error(writer):
        for done in reading:
            writer.add("positions", done.positions.assign(file=str(reading.path)))
            writer.add("stations", done.stations.assign(file=str(reading.path)))
            writer.add("vessels", news.of(done.static))
            writer.refuse(quarantine_of(done.faults, reading.path))
        name = key()
        before = manifest_of(folder, name)
        if before is not None:
            writer.abandon()
            return _with_terms(folder, before, source), False
        made = commit(
            writer,
            name,
            str(reading.path),
            source,
            reading.tally,
            +reading.notes,
            reading.snapshot_times,
            reading.span,
        )
    return made, True
