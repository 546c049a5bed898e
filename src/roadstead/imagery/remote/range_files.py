"""Remote rasters by byte range: what GDAL asks for is fetched here, in few requests, and kept on disk.

GDAL's own HTTP reader drops the status of a failed request, reads on after some failures, and never signs an address
anew (docs/decisions/0008-byte-ranges.md). So rasterio is given files whose bytes come from here. No exception crosses
GDAL: a failure is noted (`RemoteFiles.failure`), and whoever reads must look there after each read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import Lock
from urllib.parse import urlsplit

from cachetools import TTLCache
from rasterio.abc import MultiByteRangeResourceContainer

from roadstead.core.errors import ReadError
from roadstead.imagery.remote.address_rules import check_url
from roadstead.imagery.remote.range_request import LARGEST, Kept, Part, PartError, Version, fetch
from roadstead.imagery.remote.session import CONNECTIONS
from roadstead.imagery.remote.signing import access_of

HEAD = 16 * 1024
"""Bytes of the first request: the header of a COG of a whole tile fits in."""
GAP = 16 * 1024
"""Ranges closer than this are fetched in one request: a request costs more than so many bytes."""
AHEAD = (32 * 1024, 1024 * 1024)
"""What is read ahead of a reader that goes on where it was, at first and at most: JPEG 2000 is read so."""
KNOWN_FOR_S = 600.0
"""How long a file's size and version are taken to stay as they were."""


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="ranges")


_versions: TTLCache[tuple[str, str | None], tuple[Version, bytes]] = TTLCache(4096, KNOWN_FOR_S)
"""Address without signature, and who names it -> version and head, so that a raster opened several times is asked for
once. What one catalogue may ask for another may not."""
_versions_lock = Lock()


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

    def __init__(self, href: str, home: str | None) -> None:
        """Ask the server for the file's head.

        Args:
            href: the address.
            home: ``host:port`` of the catalogue that names it; None for a file of this machine.

        Raises:
            AddressError: the address is not asked.
            ReadError: it cannot be fetched; names the address without its signature, and the server's status.
        """
        self.failure: ReadError | None = None
        """Why some bytes could not be had; look here after each read."""
        self._href, self._address, self._home = href, href.partition("?")[0], home
        self._access = access_of(href)
        check_url(href, self._access.home(href, home), urlsplit(href).netloc)
        with _versions_lock:
            known = _versions.get((self._address, home))
        self.version, self._head = known or self._first()
        self._kept = Kept(self._address, self.version)

    def _first(self) -> tuple[Version, bytes]:
        try:
            part = fetch(self._access, self._href, 0, HEAD, self._home)
        except PartError as error:
            raise self._said(error) from error
        with _versions_lock:
            _versions[self._address, self._home] = part.version, part.body
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
        part = fetch(self._access, self._href, start, stop, self._home)
        if part.version != self.version:
            self.forget()
            raise PartError("the file was changed on the server while it was read", again=False)
        return part

    def forget(self) -> None:
        """Drop what was kept: it cannot be decoded, so it is not what the file holds."""
        with _versions_lock:
            _versions.pop((self._address, self._home), None)
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
