"""NMEA 0183 sentences (AIVDM, AIVDO) to rows, through pyais.

The receive time comes from the tag block (``c:``, seconds or milliseconds), from a Gatehouse sentence ($PGHP)
before the message, or from a time or epoch that a receiver's log has before the sentence or after its checksum; the
source from the tag block (``s:``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from pyais.exceptions import AISBaseException
from pyais.messages import AISSentence, GatehouseSentence, NMEASentenceFactory, TagBlock

from roadstead.ais.readers.batch import Batch, Fault
from roadstead.ais.readers.message_kinds import BITS, FIX, READ, SENTENCE, Row, checksum, decoded
from roadstead.ais.readers.time_forms import from_epoch, seconds_of_epochs

LINE = re.compile(rb"(?:\\([^\\]*)\\)?([!$][^!$\\*\r\n]*\*[0-9A-Fa-f]{2})([^\\!$]*)")
"""A tag block where there is one, a sentence up to its checksum, and what follows it."""
_AIS = re.compile(rb"!..VD[MO],", re.IGNORECASE)
_FIRST_SENTENCE = re.compile(rb"\\[^\\]*\\!|[!$][A-Za-z]{4,5},")
_EPOCH = re.compile(rb",\s*(\d{9,10}(?:\.\d+)?|\d{13})\s*$")
_LOG_TIME = re.compile(
    rb"(?<![\d.:-])(\d{4}[-/]\d\d[-/]\d\d[T ,;_]\d\d:\d\d(?::\d\d(?:\.\d+|,\d{3}(?!\d))?)?(?:Z|\s?[+-]\d\d:?\d\d)?"
    rb"|\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d|\d{8}[T_]\d{6}Z?|\d{10}(?:\.\d+)?|\d{13}|\d{14}|\d{16}|\d{19})(?![\d:])"
)
"""A time, or an epoch, that a log has outside the sentence."""
_SENTENCE_STARTS = frozenset(b"!\\$# \t\r\n")
"""Bytes that a line begins with where nothing stands before its sentence."""
_STATION = re.compile(rb",\s*([rbRB][A-Za-z0-9_-]+)\s*(?:,|$)")
_ARMOUR = bytes(range(48, 88)) + bytes(range(96, 120))

BATCH_MESSAGES = 50_000
_MAX_WAIT_LINES = 2_000
"""A multipart message whose parts lie further apart is given up."""
_MAX_WAIT_S = 60.0


def looks_like_nmea(head: bytes) -> bool:
    """Say whether the start of a file holds AIS sentences."""
    return any(_AIS.search(line) for line in head.splitlines()[:50])


class _Refused(Exception):
    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


@dataclass(slots=True)
class _Part:
    """One sentence with the line, time (epoch seconds) and source it came with."""

    row: int
    time: float | None
    source: str | None
    group: int | None
    sentence: AISSentence


def _seconds(text: str | bytes | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value / 1000.0 if value is not None and value > 1e11 else value


@dataclass
class _Parser:
    """Sentences to parts; holds the time of a Gatehouse sentence until the next message."""

    clock: Callable[[], float] | None = None
    """Receive time of what brings none."""
    gatehouse_s: float | None = None

    def parse(
        self, row: int, tag: bytes | None, raw: bytes, rest: bytes, before: float | None = None
    ) -> _Part | None:
        """Return the part, or None for a sentence that is not AIS; ``before`` is the time that its line begins with.

        Raises:
            _Refused: the sentence or its tag block is damaged.
        """
        if not _AIS.match(raw):
            self._note_gatehouse(raw)
            return None
        sentence = NMEASentenceFactory.produce(raw)
        if sentence.checksum != checksum(raw):
            raise _Refused("checksum", "bad_checksum")
        if not isinstance(sentence, AISSentence) or sentence.payload.translate(None, _ARMOUR):
            raise _Refused("payload", "payload_not_armoured")
        waiting, self.gatehouse_s = self.gatehouse_s, None
        time, source, group = _tagged(tag) if tag else (None, None, None)
        time = time if time is not None else waiting
        time = time if time is not None else before
        if rest and rest.strip():
            time, source = _trailing(rest, time, source)
        if time is None and self.clock is not None:
            time = self.clock()
        return _Part(row, time, source, group, sentence)

    def _note_gatehouse(self, raw: bytes) -> None:
        if raw.startswith(b"$PGHP"):
            sentence = NMEASentenceFactory.produce(raw)
            if isinstance(sentence, GatehouseSentence):
                self.gatehouse_s = pd.Timestamp(sentence.timestamp, tz="UTC").timestamp()


@lru_cache(maxsize=8192)
def _log_time(text: bytes) -> float | None:
    """Return the time (epoch seconds) in what a log writes outside a sentence; None where it tells none."""
    found = _LOG_TIME.search(text)
    if found is None:
        return None
    word = found[1].decode("ascii")
    if word[:10].isdigit():
        return _clock_digits(word)
    try:
        if word[2] == ".":
            return datetime.strptime(f"{word}+0000", "%d.%m.%Y %H:%M:%S%z").timestamp()
        day, clock = word[:10].replace("/", "-"), word[11:].replace(" ", "").replace(",", ".")
        read = datetime.fromisoformat(f"{day}T{clock}" if "-" in day else word)
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _clock_digits(word: str) -> float | None:
    """Return the time of an epoch of any unit, or of year to second without marks."""
    if len(word) == 14 and word.isdigit():
        try:
            return datetime.strptime(f"{word}+0000", "%Y%m%d%H%M%S%z").timestamp()
        except ValueError:
            return None
    (seconds,) = seconds_of_epochs(np.array([float(word)]))
    return None if np.isnan(seconds) else float(seconds)


@lru_cache(maxsize=8192)
def _tagged(raw: bytes) -> tuple[float | None, str | None, int | None]:
    tag = TagBlock(raw)
    tag.init()
    if not tag.is_valid:
        raise _Refused("tag_block", "bad_tag_block_checksum")
    return _seconds(tag.receiver_timestamp), tag.source_station, tag.group.group_id if tag.group else None


def _trailing(rest: bytes, time: float | None, source: str | None) -> tuple[float | None, str | None]:
    if time is None and (epoch := _EPOCH.search(rest)):
        time = _seconds(epoch[1])
    if time is None:
        time = _log_time(rest.strip())
    if source is None and (station := _STATION.search(rest)):
        source = station[1].decode("ascii")
    return time, source


@dataclass
class _Assembler:
    """Parts to whole messages, tolerant of interleaved stations and of parts out of order."""

    waiting: dict[tuple[Any, ...], list[_Part]] = field(default_factory=dict)

    def add(self, part: _Part) -> list[_Part] | None:
        """Return all parts of a message, in order, once its last one is there."""
        if part.sentence.frag_cnt == 1:
            return [part]
        key = self._slot(part)
        parts = self.waiting.setdefault(key, [])
        parts.append(part)
        if len(parts) < part.sentence.frag_cnt:
            return None
        del self.waiting[key]
        return sorted(parts, key=lambda p: p.sentence.frag_num)

    def stale(self, row: int | None = None) -> list[_Part]:
        """Give up, and return the first parts of, messages begun long before line ``row`` (None: all)."""
        old = [k for k, p in self.waiting.items() if row is None or row - p[0].row > _MAX_WAIT_LINES]
        return [part for key in old for part in self.waiting.pop(key)]

    def _slot(self, part: _Part) -> tuple[Any, ...]:
        """Return the key of the message that the part belongs to, free for it."""
        sentence = part.sentence
        base: tuple[Any, ...] = (sentence.seq_id, sentence.channel, sentence.frag_cnt)
        base = ("group", part.group) if part.group is not None else base
        fits = (k for k, parts in self.waiting.items() if k[:-1] == base and _belongs(part, parts))
        return next(fits, (*base, part.row))


def _belongs(part: _Part, parts: list[_Part]) -> bool:
    first = parts[0]
    same_station = part.source is None or first.source is None or part.source == first.source
    together = part.time is None or first.time is None or abs(part.time - first.time) <= _MAX_WAIT_S
    new = all(part.sentence.frag_num != other.sentence.frag_num for other in parts)
    return same_station and together and new


def _decoded(parts: list[_Part]) -> Row | None:
    """Return line, time and source of a whole message, then its `Row`; None for a kind we do not read.

    Raises:
        _Refused: no receive time, the wrong number of bits, or fields that pyais cannot read.
    """
    first = parts[0]
    sentence, time, source = first.sentence, first.time, first.source
    if len(parts) > 1:
        time = next((part.time for part in parts if part.time is not None), None)
        source = next((part.source for part in parts if part.source), None)
        sentence = AISSentence.assemble_from_iterable([part.sentence for part in parts])
    if time is None:
        raise _Refused("time", "no_receive_time")
    kind = sentence.ais_id
    if not sentence.payload or kind not in BITS:
        return None
    least, most = BITS[kind]
    if not least <= len(sentence.bv) <= most:
        raise _Refused("payload", "bad_bit_count")
    return first.row, time, source, *READ[kind](sentence.decode())


@dataclass
class _Collected:
    rows: list[Row] = field(default_factory=list)
    quick: list[tuple[int, float, str | None, bytes]] = field(default_factory=list)
    """Line, time, source and payload of flawless position reports."""
    faults: list[Fault] = field(default_factory=list)
    text: dict[int, bytes] = field(default_factory=dict)
    passed_over: int = 0

    def _others(self, bytes_done: int) -> Batch:
        columns = list(zip(*self.rows, strict=True)) or [()] * (len(FIX) + 5)
        table = pd.DataFrame(dict(zip(("row", "time", "source", "mmsi", *FIX), columns, strict=False)))
        said = {n: told for n, told in enumerate(columns[-1]) if told is not None}
        if said:
            static = pd.DataFrame.from_dict(said, orient="index").reindex(table.index)
            table = pd.concat([table, static], axis=1)
        return Batch(_timed(table), self._content, tuple(self.faults), bytes_done, self.passed_over)

    def batch(self, bytes_done: int) -> Batch:
        """Return all reports in the order of their lines, those decoded at once among the rest."""
        rest = self._others(bytes_done)
        if not self.quick:
            return rest
        row, time, source, payloads = zip(*self.quick, strict=True)
        quick = decoded(list(payloads)).assign(row=row, time=time, source=pd.Series(source, dtype=object))
        rows = _timed(quick)
        if len(rest.rows):
            # A column that one of the two says nothing in takes its type from the other.
            said = [part.dropna(axis=1, how="all") for part in (rows, rest.rows)]
            columns = list(dict.fromkeys([*rows.columns, *rest.rows.columns]))
            rows = pd.concat(said).reindex(columns=columns).sort_values("row", kind="stable")
        return replace(rest, rows=rows.reset_index(drop=True))

    def _content(self, row: int) -> str:
        return _text(self.text.get(row, b""))


def _timed(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(time=from_epoch(table["time"].to_numpy(float)))


def read_nmea(
    lines: Iterable[bytes],
    tell: Callable[[], int] = lambda: 0,
    clock: Callable[[], float] | None = None,
) -> Iterator[Batch]:
    """Yield the position, static and station reports of NMEA lines.

    Args:
        lines: lines of a file, in bytes.
        tell: bytes of the file on disk read so far.
        clock: gives the receive time (epoch seconds) of sentences that bring none: live feeds.
    """
    parser, assembler, kept = _Parser(clock), _Assembler(), _Collected()
    for row, line in enumerate(lines, 1):
        _take_line(row, line, parser, assembler, kept)
        if len(kept.rows) + len(kept.quick) + len(kept.faults) >= BATCH_MESSAGES:
            yield kept.batch(tell())
            kept = _Collected()
        if row % _MAX_WAIT_LINES == 0:
            kept.faults.extend(_incomplete(assembler.stale(row)))
    kept.faults.extend(_incomplete(assembler.stale()))
    yield kept.batch(tell())


def _take_line(row: int, line: bytes, parser: _Parser, assembler: _Assembler, kept: _Collected) -> None:
    before, whole = None, line
    if line and line[0] not in _SENTENCE_STARTS:
        before, line = _after_log_time(line)
    if _take_quickly(row, line, parser, kept, before):
        return
    found = LINE.findall(line)
    if not found and (bare := line.strip()) and not bare.startswith(b"#"):
        kept.faults.append(Fault(row, "line", "not_an_nmea_sentence", _text(whole)))
    for tag, raw, rest in found:
        parts: list[_Part] | None = None
        try:
            part = parser.parse(row, tag or None, raw, rest, before)
            if part is None:
                kept.passed_over += 1
                continue
            parts = assembler.add(part)
            decoded = _decoded(parts) if parts else None
        except (_Refused, AISBaseException, ValueError) as error:
            kept.faults.append(_fault(error, *_where(parts, row, whole)))
        else:
            if decoded:
                kept.rows.append(decoded)
                at, text = _where(parts, row, line)
                kept.text[at] = text
            elif parts:
                kept.passed_over += 1


def _after_log_time(line: bytes) -> tuple[float | None, bytes]:
    """Return the time that a log has before a sentence, and the line from its tag block or sentence on."""
    sentence = _FIRST_SENTENCE.search(line)
    if sentence is None:
        return None, line
    return _log_time(line[: sentence.start()]), line[sentence.start() :]


def _take_quickly(
    row: int, line: bytes, parser: _Parser, kept: _Collected, before: float | None = None
) -> bool:
    """Keep a line that is a flawless position report with a time of its own; say whether it is."""
    found = SENTENCE.fullmatch(line)
    if found is None or parser.gatehouse_s is not None or int(found[4], 16) != checksum(found[2]):
        return False
    time, source = before, None
    if time is None and parser.clock is not None:
        time = parser.clock()
    if found[1]:
        try:
            told, source, _ = _tagged(found[1])
        except _Refused:
            return False
        time = told if told is not None else time
    if time is None:
        return False
    kept.quick.append((row, time, source, found[3]))
    kept.text[row] = line
    return True


def _where(parts: list[_Part] | None, row: int, line: bytes) -> tuple[int, bytes]:
    """Return the line a message begins on, and its text."""
    if parts is None or len(parts) == 1:
        return row, line
    return parts[0].row, b" ".join(raw.strip() for raw in parts[0].sentence.raw.split(b"\n"))


def _fault(error: Exception, row: int, line: bytes) -> Fault:
    content = _text(line)
    if isinstance(error, _Refused):
        return Fault(row, error.field, error.reason, content)
    return Fault(row, "payload", "undecodable", content)


def _incomplete(parts: Iterable[_Part]) -> Iterator[Fault]:
    for part in parts:
        yield Fault(part.row, "payload", "part_of_message_missing", _text(part.sentence.raw))


def _text(line: bytes) -> str:
    return line.strip().decode("utf-8", "backslashreplace")
