"""One range of bytes of a remote file, asked for again and signed anew where that may help; and kept on disk."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import stamina
from diskcache import Cache
from requests import RequestException, Response

from roadstead.core.settings import settings
from roadstead.imagery.remote.bounded_answers import is_packed, read_within
from roadstead.imagery.remote.session import (
    LONGEST_WAIT_S,
    TIMEOUT_S,
    TRANSIENT,
    RefusedAddress,
    part_session,
    told,
)
from roadstead.imagery.remote.signing import Access

LARGEST = 8 * 1024 * 1024
"""Of one request: more would be lost when a connection breaks."""
START_S = 30.0
SLOWEST_BYTES_S = 10_000
"""An answer has `START_S` and the time that its bytes take at this rate, of which `CONNECTIONS` share a line."""
ATTEMPTS = 4
REFUSED = (401, 403, 409)
"""Answers to an address whose signature is missing or has ended."""
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


@stamina.retry(on=_again, attempts=ATTEMPTS, timeout=None, wait_initial=0.2, wait_jitter=0.2, wait_max=5.0)
def fetch(access: Access, href: str, start: int, stop: int, home: str | None, *, text: bool = False) -> Part:
    """Fetch bytes [start, stop) of a file, asking again and signing anew where that may help.

    Args:
        access: how the address is opened.
        href: the address.
        start: first byte.
        stop: byte after the last; less comes where the file ends before.
        home: ``host:port`` of the catalogue that names the address; None for a file of this machine.
        text: the file is a text; of a raster, text in its place is an error page.

    Raises:
        PartError: it cannot be fetched; says the server's status.
        ReadError: it cannot be signed.
    """
    asked = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}
    url = access.url(href)
    try:
        with part_session(access.home(href, home)).get(
            url, headers=asked, timeout=(10.0, TIMEOUT_S), stream=True
        ) as answer:
            _check(access, href, answer, text)
            return _part(answer, start, stop)
    except RefusedAddress as error:
        raise PartError(str(error), again=False) from error
    except RequestException as error:
        raise PartError(told(error), again=True) from error


def _check(access: Access, href: str, answer: Response, text: bool) -> None:
    """Raise `PartError` where the server gives no bytes of the file."""
    status = answer.status_code
    if status in (200, 206) and is_packed(answer):
        raise PartError("the server sends the range packed, which was not asked for", again=False)
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
    body = read_within(answer, size, START_S + size / SLOWEST_BYTES_S)
    if len(body) != size:
        raise PartError(f"the answer ends after {len(body)} of {size} bytes", again=True)
    return body


@lru_cache(maxsize=4)
def _cache(folder: str, size: int) -> Cache:
    return Cache(folder, size_limit=size, eviction_policy="least-recently-used", cull_limit=50)


def byte_cache() -> Cache:
    """Return the cache on disk: under the home, bounded by the setting ``cache_gb``."""
    base = settings()
    return _cache(str(base.cache), int(base.cache_gb * 1e9))


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
