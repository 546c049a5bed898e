"""Remote rasters by byte range: what GDAL asks for is fetched here, in few requests, and kept on disk.

GDAL's own HTTP reader drops the status of a failed request, reads on after some failures, and never signs an address
anew (docs/decisions/0008-byte-ranges.md). So rasterio is given files whose bytes come from here. No exception crosses
GDAL: a failure is noted (`RemoteFiles.failure`), and whoever reads must look there after each read.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import stamina
from cachetools import TTLCache
from diskcache import Cache
from rasterio.abc import MultiByteRangeResourceContainer
from requests import RequestException, Response

from roadstead.errors import ReadError
from roadstead.imagery.access import Access, access_of
from roadstead.imagery.http import CONNECTIONS, LONGEST_WAIT_S, TIMEOUT_S, TRANSIENT, part_session, told
from roadstead.settings import settings

HEAD = 16 * 1024
"""Bytes of the first request: the header of a COG of a whole tile fits in."""
GAP = 16 * 1024
"""Ranges closer than this are fetched in one request: a request costs more than so many bytes."""
LARGEST = 8 * 1024 * 1024
"""Of one request: more would be lost when a connection breaks."""
AHEAD = (32 * 1024, 1024 * 1024)
"""What is read ahead of a reader that goes on where it was, at first and at most: JPEG 2000 is read so."""
ATTEMPTS = 4
REFUSED = (401, 403, 409)
"""Answers to an address whose signature is missing or has ended."""
KNOWN_FOR_S = 600.0
"""How long a file's size and version are taken to stay as they were."""
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)$")


class PartError(Exception):
    """A range that could not be fetched."""

    def __init__(self, words: str, *, again: bool, wait_s: float | None = None) -> None:
        """Keep what to say, whether to ask again, and after how long."""
        super().__init__(words)
        self.again, self.wait_s = again, wait_s


@dataclass(frozen=True)
class Version:
    """Which bytes an address stands for."""

    size: int
    tag: str
    """ETag, or when it was last changed, as the server says; empty where it says neither."""


@dataclass(frozen=True)
class Part:
    """Some bytes of a file."""

    start: int
    body: bytes
    version: Version


def _again(error: Exception) -> bool | float:
    """Tell stamina whether to ask again, or after how many seconds."""
    if not isinstance(error, PartError) or not error.again:
        return False
    return True if error.wait_s is None else error.wait_s


def fetch(access: Access, href: str, start: int, stop: int, *, text: bool = False) -> Part:
    """Fetch bytes [start, stop) of a file, asking again and signing anew where that may help.

    Args:
        access: how the address is opened.
        href: the address.
        start: first byte.
        stop: byte after the last; less comes where the file ends before.
        text: the file is a text; of a raster, text in its place is an error page.

    Raises:
        PartError: it cannot be fetched; says the server's status.
        ReadError: it cannot be signed.
    """
    for attempt in stamina.retry_context(
        on=_again, attempts=ATTEMPTS, timeout=None, wait_initial=0.2, wait_jitter=0.2, wait_max=5.0
    ):
        with attempt:
            return _once(access, href, start, stop, text)
    raise PartError("it cannot be fetched", again=False)


def _once(access: Access, href: str, start: int, stop: int, text: bool) -> Part:
    asked = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}
    try:
        with part_session().get(
            access.url(href), headers=asked, timeout=(10.0, TIMEOUT_S), stream=True
        ) as answer:
            _check(access, href, answer, text)
            return _part(answer, start, stop)
    except RequestException as error:
        raise PartError(told(error), again=True) from error


def _check(access: Access, href: str, answer: Response, text: bool) -> None:
    """Raise `PartError` where the server gives no bytes of the file."""
    status = answer.status_code
    words = f"the server answers with HTTP status {status}"
    if status in REFUSED:
        access.forget(href)
        raise PartError(words, again=True)
    if status in TRANSIENT:
        raise PartError(words, again=True, wait_s=_wait(answer))
    if status not in (200, 206):
        raise PartError(words, again=False)
    if not text and answer.headers.get("Content-Type", "").startswith(
        ("text/", "application/xml", "application/json")
    ):
        raise PartError(f"the server sends {answer.headers['Content-Type']} in its place", again=True)


def _wait(answer: Response) -> float | None:
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked), LONGEST_WAIT_S) if asked.isdigit() else None


def _part(answer: Response, start: int, stop: int) -> Part:
    tag = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
    if answer.status_code == 200:
        size = int(answer.headers.get("Content-Length") or -1)
        if not 0 <= size <= LARGEST:
            raise PartError("the server gives whole files alone, no byte ranges", again=False)
        body = _whole(answer, size)
        return Part(start, body[start:stop], Version(size, tag))
    found = _CONTENT_RANGE.match(answer.headers.get("Content-Range", ""))
    if found is None or int(found.group(1)) != start or int(found.group(2)) >= stop:
        raise PartError("the server gives another range than was asked for", again=True)
    first, last, size = map(int, found.groups())
    if last != min(stop, size) - 1:
        raise PartError("the server gives less than was asked for", again=True)
    return Part(start, _whole(answer, last - first + 1), Version(size, tag))


def _whole(answer: Response, size: int) -> bytes:
    body = answer.content
    if len(body) != size:
        raise PartError(f"the answer ends after {len(body)} of {size} bytes", again=True)
    return body


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="ranges")


@lru_cache(maxsize=4)
def _cache(folder: str, size: int) -> Cache:
    return Cache(folder, size_limit=size, eviction_policy="least-recently-used", cull_limit=50)


def byte_cache() -> Cache:
    """Return the cache on disk: under the home, bounded by the setting ``cache_gb``."""
    base = settings()
    return _cache(str(base.cache), int(base.cache_gb * 1e9))


_versions: TTLCache[str, tuple[Version, bytes]] = TTLCache(4096, KNOWN_FOR_S)
"""Address without signature -> version and head, so that a raster opened several times is asked for once."""
_versions_lock = Lock()


class Kept:
    """Bytes of one version of one file that are on disk."""

    def __init__(self, address: str, version: Version) -> None:
        """Look up which spans there are."""
        self._cache = byte_cache()
        text = f"{address}|{version.size}|{version.tag}"
        self._name = hashlib.sha256(text.encode()).hexdigest()
        # A file that the server gives no version of may change under the same address: keep nothing of it.
        self._keeps = bool(version.tag)
        self._spans: list[tuple[int, int]] = list(self._cache.get(self._name, ())) if self._keeps else []

    def get(self, start: int, stop: int) -> bytes | None:
        """Return bytes [start, stop), or None where any of them is not there."""
        pieces, at = [], start
        while at < stop:
            index = bisect_right(self._spans, (at, 1 << 62)) - 1
            if index < 0 or self._spans[index][1] <= at:
                return None
            first, last = self._spans[index]
            body = self._cache.get((self._name, first))
            if not isinstance(body, bytes) or len(body) != last - first:
                self._spans.pop(index)  # evicted
                return None
            pieces.append(body[at - first : stop - first])
            at = last
        return b"".join(pieces)

    def put(self, parts: Sequence[Part]) -> None:
        """Keep some more."""
        if not self._keeps:
            return
        for part in parts:
            self._cache.set((self._name, part.start), part.body)
        new = {(part.start, part.start + len(part.body)) for part in parts}
        self._spans = sorted({*self._cache.get(self._name, ()), *self._spans, *new})
        self._cache.set(self._name, self._spans)

    def drop(self) -> None:
        """Forget all of it: it is not what the file holds."""
        for first, _ in self._spans:
            self._cache.delete((self._name, first))
        self._cache.delete(self._name)
        self._spans = []


def _joined(wanted: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield ranges that cover the wanted ones, joined across gaps under `GAP` up to `LARGEST` bytes."""
    first, last = None, 0
    for start, stop in sorted(wanted):
        if first is not None and start - last <= GAP and stop - first <= LARGEST:
            last = max(last, stop)
            continue
        if first is not None:
            yield first, last
        first, last = start, stop
    if first is not None:
        yield first, last


class RemoteFile:
    """One file as GDAL reads it."""

    def __init__(self, files: RemoteFiles) -> None:
        """Fetch the head, unless it is known."""
        self._files, self._at, self._ahead, self._expected = files, 0, AHEAD[0], -1
        self._recent = Part(0, b"", Version(0, ""))

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes from where the reader is; fewer at the end, and where they can't be had."""
        start = self._at
        stop = self._files.version.size if size < 0 else min(start + size, self._files.version.size)
        if stop <= start:
            return b""
        near = self._recent
        if not near.start <= start <= stop <= near.start + len(near.body):
            self._ahead = min(self._ahead * 2, AHEAD[1]) if start == self._expected else AHEAD[0]
            upto = min(max(stop, start + self._ahead), self._files.version.size)
            self._recent = near = Part(start, self._files.bytes_of([(start, upto)])[0], self._files.version)
            self._expected = upto
        body = near.body[start - near.start : stop - near.start]
        self._at = start + len(body)
        return body

    def get_byte_ranges(self, offsets: Sequence[int], sizes: Sequence[int]) -> list[bytes]:
        """Return several ranges, fetched at once."""
        wanted = [(int(at), int(at) + int(size)) for at, size in zip(offsets, sizes, strict=True)]
        return self._files.bytes_of(wanted)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the reader."""
        self._at = offset + {0: 0, 1: self._at, 2: self._files.version.size}[whence]
        return self._at

    def tell(self) -> int:
        """Return where the reader is."""
        return self._at

    def close(self) -> None:
        """Let go of what was read ahead."""
        self._recent = Part(0, b"", Version(0, ""))

    def __enter__(self) -> RemoteFile:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


class RemoteFiles:
    """A "file system" of one remote file, for ``rasterio.open(..., opener=...)``."""

    def __init__(self, href: str) -> None:
        """Ask the server for the file's head.

        Raises:
            ReadError: it cannot be fetched; names the address without its signature, and the server's status.
        """
        self.failure: ReadError | None = None
        """Why some bytes could not be had; look here after each read."""
        self._href, self._address = href, href.partition("?")[0]
        self._access = access_of(href)
        with _versions_lock:
            known = _versions.get(self._address)
        self.version, self._head = known or self._first()
        self._kept = Kept(self._address, self.version)

    def _first(self) -> tuple[Version, bytes]:
        try:
            part = fetch(self._access, self._href, 0, HEAD)
        except PartError as error:
            raise self._said(error) from error
        with _versions_lock:
            _versions[self._address] = part.version, part.body
        return part.version, part.body

    def _said(self, error: Exception) -> ReadError:
        return ReadError(f"{self._address}: cannot be read: {error}; check the address, or try again later")

    def bytes_of(self, wanted: Sequence[tuple[int, int]]) -> list[bytes]:
        """Return ranges [start, stop); what cannot be had is zeros, and `failure` says why."""
        found = {span: self._held(*span) for span in wanted}
        lacking = list(_joined([span for span, body in found.items() if body is None]))
        if lacking and self.failure is None:
            try:
                parts = list(_pool().map(lambda span: self._fetched(*span), lacking))
                self._kept.put(parts)
            except (PartError, ReadError) as error:
                self.failure = error if isinstance(error, ReadError) else self._said(error)
            else:
                found |= {span: _cut(parts, span) for span, body in found.items() if body is None}
        return [found[span] or bytes(span[1] - span[0]) for span in wanted]

    def _held(self, start: int, stop: int) -> bytes | None:
        return self._head[start:stop] if stop <= len(self._head) else self._kept.get(start, stop)

    def _fetched(self, start: int, stop: int) -> Part:
        part = fetch(self._access, self._href, start, stop)
        if part.version != self.version:
            self.forget()
            raise PartError("the file was changed on the server while it was read", again=False)
        return part

    def forget(self) -> None:
        """Drop what was kept: it cannot be decoded, so it is not what the file holds."""
        with _versions_lock:
            _versions.pop(self._address, None)
        self._kept.drop()

    def open(self, path: str, mode: str = "rb", **_: object) -> RemoteFile:
        """Return the file, whatever name GDAL has for it."""
        return RemoteFile(self)

    def isfile(self, path: str) -> bool:
        """Say yes."""
        return True

    def isdir(self, path: str) -> bool:
        """Say no."""
        return False

    def ls(self, path: str) -> list[str]:
        """List nothing."""
        return []

    def size(self, path: str) -> int:
        """Return the bytes of the file."""
        return self.version.size

    def mtime(self, path: str) -> int:
        """Return nothing known."""
        return 0


def _cut(parts: Sequence[Part], span: tuple[int, int]) -> bytes:
    """Return one wanted range out of the fetched parts, one of which holds it whole."""
    start, stop = span
    for part in parts:
        if part.start <= start and stop <= part.start + len(part.body):
            return part.body[start - part.start : stop - part.start]
    return b""


MultiByteRangeResourceContainer.register(RemoteFiles)
