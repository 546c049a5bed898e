"""Importing AIS files, standard input and live feeds into a store, each once."""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from roadstead.ais.archive.store_files import Manifest, found, manifest_of, write_manifest, writing
from roadstead.ais.archive.store_writer import Writer, abandoned_on_error, commit
from roadstead.ais.data import Box, Progress, Window
from roadstead.ais.read import Meter, Reading, batches_of, quarantine_of
from roadstead.ais.readers.layouts import ColumnMapping, load_mapping
from roadstead.ais.readers.open_files import STDIN
from roadstead.ais.source import Source
from roadstead.ais.static_changes import News
from roadstead.ais.tally import Tally
from roadstead.core.errors import AisError

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
        paths: files; ``-`` is standard input.
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
    meter, done, before = Meter(paths, progress), [], []
    found(folder)
    for path in map(Path, paths):
        manifest, fresh = _from_stdin(folder, how) if path == STDIN else _from_file(path, folder, how, meter)
        before += [] if fresh else [str(path)]
        done.append(manifest)
    return summary(folder, [str(path) for path in paths], done, before)


def summary(folder: Path, files: list[str], done: list[Manifest], before: list[str]) -> ImportSummary:
    """Add up what some imports did."""
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
        quarantine=quarantine / f"{done[0].key}.csv" if len(done) == 1 else quarantine,
    )


@dataclass(frozen=True)
class How:
    """How files are read: part of what tells one import from another."""

    window: Window
    mapping: ColumnMapping | None = None
    source: Source = field(default_factory=Source)

    def digest(self) -> _Digest:
        """Return a hash to go on with over the content."""
        mapping = self.mapping.model_dump() if self.mapping else None
        how = [asdict(self.window), mapping, self.source.name, _KEY_VERSION]
        return hashlib.sha256(json.dumps(how, sort_keys=True, default=str).encode())


class _Digest(Protocol):
    def update(self, data: Any, /) -> None: ...  # noqa: ANN401 - any buffer
    def hexdigest(self) -> str: ...


def key_of(digest: _Digest) -> str:
    """Return the name of an import."""
    return digest.hexdigest()[:20]


def _from_file(path: Path, folder: Path, how: How, meter: Meter) -> tuple[Manifest, bool]:
    """Import a file; return its manifest, and False where the store held it already."""
    key = _key_of_file(path, how)
    before = manifest_of(folder, key)
    if before is not None:
        meter.at(path, path.stat().st_size)
        return _with_terms(folder, before, how.source), False
    reading = Reading(path, how.window, how.mapping, how.source.name, meter)
    return write_import(folder, reading, how.source, lambda: key)


def _with_terms(folder: Path, before: Manifest, source: Source) -> Manifest:
    """Return an earlier import; terms that are told only now, or otherwise, are written into its record."""
    if not source.says_something or before.terms == source:
        return before
    made = replace(before, about=source.as_json())
    write_manifest(folder, made)
    return made


def _key_of_file(path: Path, how: How) -> str:
    digest = how.digest()
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise AisError(f"{path} cannot be opened: {error.strerror}") from error
    return key_of(digest)


def _from_stdin(folder: Path, how: How) -> tuple[Manifest, bool]:
    raw = Hashed(cast(io.BufferedIOBase, sys.stdin.buffer), how.digest())
    stream = cast(BinaryIO, io.BufferedReader(raw))
    reading = Reading(
        STDIN, how.window, how.mapping, how.source.name, batches=batches_of(STDIN, how.mapping, stream)
    )
    return write_import(folder, reading, how.source, lambda: key_of(raw.digest))


class Hashed(io.RawIOBase):
    """A stream that hashes what is read from it."""

    def __init__(self, stream: io.BufferedIOBase, digest: _Digest) -> None:
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
