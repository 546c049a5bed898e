"""Live NMEA over TCP (we connect) or UDP (we receive), imported into a store piece by piece."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from urllib.parse import urlsplit

from roadstead.ais.archive.importing import How, ImportSummary, key_of, summary, write_import
from roadstead.ais.archive.store_files import Manifest, found
from roadstead.ais.data import Source, Window
from roadstead.ais.read import Reading
from roadstead.ais.readers.nmea import read_nmea
from roadstead.core.errors import UpstreamError, UsageError

PIECE_S = 600.0
"""What was heard is put into the store this often: a crash loses no more."""
ATTEMPTS = 5
"""Times that a lost connection is tried again, after 1, 2, 4, ... seconds."""
_POLL_S = 0.2
_DATAGRAM = 65_536


@dataclass(frozen=True)
class Feed:
    """An address to listen to."""

    kind: str
    host: str
    port: int

    @property
    def name(self) -> str:
        """The address as it was given."""
        return f"{self.kind}://{self.host}:{self.port}"


def feed_of(url: str) -> Feed:
    """Read ``tcp://host:port`` or ``udp://host:port``.

    Raises:
        UsageError: it is neither.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"--listen {url}: {error}") from error
    if parts.scheme not in ("tcp", "udp") or not parts.hostname or not port:
        raise UsageError(f"--listen {url}: write tcp://host:port or udp://host:port")
    return Feed(parts.scheme, parts.hostname, port)


@dataclass
class _Line:
    """Lines from a socket; ends where a piece is full, and stays open for the next."""

    feed: Feed
    until: float
    """Monotonic time to stop at."""
    piece_s: float
    heard: Callable[[int], None]
    stopped: bool = False
    lost: UpstreamError | None = None
    """Set where the connection could not be made again."""
    _socket: socket.socket | None = None
    _rest: bytes = b""
    _lines: int = 0
    _fails: int = field(default=0)

    def piece(self) -> Iterator[bytes]:
        """Yield lines until this piece is over."""
        end = min(time.monotonic() + self.piece_s, self.until)
        try:
            while time.monotonic() < end and self.lost is None:
                yield from self._counted(self._received())
                self.heard(self._lines)
        except KeyboardInterrupt:
            self.stopped = True
        self.stopped |= time.monotonic() >= self.until
        if self.stopped:
            yield from self._counted(self._left())

    def _counted(self, lines: list[bytes]) -> list[bytes]:
        self._lines += len(lines)
        return lines

    def _left(self) -> list[bytes]:
        """Return what came after the last line break, a line that was cut off: it is counted, too."""
        left, self._rest = self._rest, b""
        return [left] if left.strip() else []

    def _received(self) -> list[bytes]:
        try:
            if self._socket is None:
                self._socket = _connected(self.feed)
            data = self._socket.recv(_DATAGRAM)
        except TimeoutError:
            return []
        except OSError as error:
            return self._again(str(error))
        if not data and self.feed.kind == "tcp":
            return self._again("the other side closed the connection")
        self._fails = 0
        return self._whole(data)

    def _whole(self, data: bytes) -> list[bytes]:
        if self.feed.kind == "udp":
            return [line for line in data.splitlines() if line.strip()]
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line for line in lines if line.strip()]

    def _again(self, why: str) -> list[bytes]:
        """Wait before the connection is tried again, or give up; return what was left of a line."""
        self.close()
        self._fails += 1
        if self._fails > ATTEMPTS:
            self.lost = UpstreamError(f"{self.feed.name}: {why}; what was heard before is in the store")
        else:
            time.sleep(min(2.0 ** (self._fails - 1), max(self.until - time.monotonic(), 0.0)))
        return self._left()

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None


def _connected(feed: Feed) -> socket.socket:
    if feed.kind == "tcp":
        made = socket.create_connection((feed.host, feed.port), timeout=10.0)
    else:
        family = socket.AF_INET6 if ":" in feed.host else socket.AF_INET
        made = socket.socket(family, socket.SOCK_DGRAM)
        made.bind((feed.host, feed.port))
    made.settimeout(_POLL_S)
    return made


def listen(
    url: str,
    store_folder: str | Path,
    window: Window | None = None,
    source: Source | None = None,
    seconds: float = float("inf"),
    piece_s: float = PIECE_S,
    heard: Callable[[int], None] = lambda lines: None,
) -> ImportSummary:
    """Import what a feed sends until the time is over or the user stops it (Ctrl-C).

    A sentence that brings no receive time gets that of our clock.

    Args:
        url: ``tcp://host:port`` to connect to, or ``udp://host:port`` to receive at.
        store_folder: the store; made where there is none.
        window: what to keep.
        source: its record; without a name rows are named by the tag block's station or the address.
        seconds: how long.
        piece_s: how often what was heard is put into the store.
        heard: called with the lines heard so far.

    Raises:
        UsageError: the address is none.
        UpstreamError: the connection was lost and could not be made again; what was heard before is in the store.
        StoreError: the store cannot be written.
    """
    feed, folder = feed_of(url), Path(store_folder)
    found(folder)
    lines = _Line(feed, time.monotonic() + seconds, piece_s, heard)
    done: list[Manifest] = []
    how = How(window or Window(), None, source or Source())
    with closing(lines):
        while not lines.stopped and lines.lost is None:
            done += _piece(lines, folder, how)
    if lines.lost is not None:
        raise lines.lost
    return summary(folder, [feed.name], done, [])


def _piece(lines: _Line, folder: Path, how: How) -> list[Manifest]:
    """Import one piece; nothing where nothing was heard."""
    # The same lines heard again are not the same import: our clock gives them another time.
    digest = how.digest()
    digest.update(f"{lines.feed.name} {time.time_ns()}".encode())
    heard = lines.piece()
    first = next(heard, None)
    if first is None:
        return []
    batches = read_nmea(chain([first], heard), clock=time.time)
    reading = Reading(Path(lines.feed.name), how.window, source=how.source.name, batches=batches)
    return [write_import(folder, reading, how.source, lambda: key_of(digest))[0]]
