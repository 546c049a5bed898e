"""Bytes of remote files that are kept on disk: by address, size and version, bounded, whole or not at all."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from diskcache import Cache

from roadstead.core.settings import settings
from roadstead.imagery.remote.range_request import Part, Version


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
