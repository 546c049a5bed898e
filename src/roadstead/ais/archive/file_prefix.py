"""A file as it was at one moment, although somebody may go on writing it: its first bytes, and whether they stayed."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from roadstead.core.errors import AisError

_BLOCK = 1 << 20
_SETTLED_S = 2.0
"""A file written to this lately may be written to again without a new time of change: its clock ticks coarsely."""


class Digest(Protocol):
    """A hash that goes on, of :mod:`hashlib`."""

    def update(self, data: Any, /) -> None:  # noqa: ANN401 - any buffer
        """Go on over further bytes."""

    def hexdigest(self) -> str:
        """Return it as text."""

    def copy(self) -> Digest:
        """Return one that goes on apart from this."""


@dataclass(frozen=True)
class Prefix:
    """The bytes that a file held when it was opened."""

    path: Path
    digest: Digest
    """Over what `held` was begun with, and the bytes."""
    size: int
    _file: BinaryIO
    _begun: Callable[[], Digest]
    _seen: tuple[int, ...]
    _settled: bool

    def stream(self) -> BinaryIO:
        """Return the bytes, to be read once; what is written behind them meanwhile is no part of it."""
        self._file.seek(0)
        return cast(BinaryIO, io.BufferedReader(_Bounded(self._file, self.size)))

    def check(self) -> None:
        """Make sure that what was read is what was hashed.

        Raises:
            AisError: somebody wrote over the bytes meanwhile, or cut them off.
        """
        if self._settled and _state(self._file) == self._seen:
            return
        if _hashed(self._file, self.size, self._begun()).hexdigest() != self.digest.hexdigest():
            raise AisError(
                f"{self.path} was changed while it was read: import it again once nobody writes over it "
                "(what is only added at its end does no harm)"
            )


@contextmanager
def held(path: Path, begun: Callable[[], Digest]) -> Iterator[Prefix]:
    """Open a file and hash what it holds now.

    Args:
        path: The file.
        begun: Gives the hash to go on with.

    Raises:
        AisError: it cannot be opened.
    """
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise AisError(f"{path} cannot be opened: {error.strerror}") from error
    with file:
        raw = cast(BinaryIO, file)
        seen, size = _state(raw), os.fstat(raw.fileno()).st_size
        settled = time.time() - os.fstat(raw.fileno()).st_mtime > _SETTLED_S
        yield Prefix(path, _hashed(raw, size, begun()), size, raw, begun, seen, settled)


def _state(file: BinaryIO) -> tuple[int, ...]:
    told = os.fstat(file.fileno())
    return told.st_size, told.st_mtime_ns, told.st_ctime_ns


def _hashed(file: BinaryIO, size: int, digest: Digest) -> Digest:
    file.seek(0)
    left = size
    while left and (block := file.read(min(_BLOCK, left))):
        digest.update(block)
        left -= len(block)
    return digest


class _Bounded(io.RawIOBase):
    """The first bytes of a file; closing it leaves the file open."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size = file, size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        got = self._file.read(max(0, min(len(buffer), self._size - self._file.tell())))
        buffer[: len(got)] = got
        return len(got)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            return self._file.seek(self._size + offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
