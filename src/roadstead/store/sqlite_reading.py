"""Opening an SQLite store that may not be written: on a read-only file system, or by its permissions."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from roadstead.core.errors import StoreError

READ_ONLY = "it may only be read here, so nothing was written: set ROADSTEAD_STORE to one that may be written"
CHANGED = "it changed while it was read, by somebody who may write it: ask again"
UNMERGED = (
    "it may only be read here, and changes beside it (-wal) were not put into it yet: open it once where it may be "
    "written, or copy all of its files"
)


def may_be_written(path: Path) -> bool:
    """Whether a database file, and what SQLite puts beside it, may be written; one that is not there yet may be."""
    if not path.exists():
        return True
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return False
    return not os.statvfs(path).f_flag & os.ST_RDONLY


def reading_engine(url: URL, path: Path) -> Engine:
    """Return an engine that only reads; each transaction opens the file anew, so that none is read half-changed."""
    engine = create_engine(url, creator=_opener(path), poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    event.listen(engine, "commit", lambda connection: _check_unchanged(connection, url, path))
    return engine


def _opener(path: Path) -> Callable[[], sqlite3.Connection]:
    def opened() -> sqlite3.Connection:
        # Not "immutable" where another process writes: its changes lie in -wal, which that would pass over.
        how = "mode=ro" if is_unmerged(path) else "mode=ro&immutable=1"
        before = _state(path)
        made = sqlite3.connect(
            f"file:{quote(str(path))}?{how}",
            uri=True,
            check_same_thread=False,
            isolation_level=None,
            factory=_Reading,
        )
        made.began_as = before if "immutable" in how else None
        return made

    return opened


class _Reading(sqlite3.Connection):
    """A connection that knows what its file was like when it was opened."""

    began_as: tuple[int, int] | None = None
    """None where SQLite itself sees to that: the file is not taken for immutable."""


def _check_unchanged(connection: Connection, url: URL, path: Path) -> None:
    raw = connection.connection.driver_connection
    if isinstance(raw, _Reading) and raw.began_as not in (None, _state(path)):
        raise StoreError(f"store {url.render_as_string()}: {CHANGED}")


def is_unmerged(path: Path) -> bool:
    """Whether changes of a writer lie beside a database that are not in it."""
    beside = path.with_name(path.name + "-wal")
    return beside.exists() and beside.stat().st_size > 0


def _state(path: Path) -> tuple[int, int]:
    told = path.stat()
    return told.st_size, told.st_mtime_ns
