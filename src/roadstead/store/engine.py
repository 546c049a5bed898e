"""Opening the database: pragmas, migrations, SQLite that may only be read, and its errors in our words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import stamina
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from roadstead.core.errors import StoreError, UsageError
from roadstead.store.schema import SCHEMA_VERSION

BUSY_TIMEOUT_S = 30.0
"""How long a command waits for another one that is writing."""
_SQLITE_SUFFIXES = (".sqlite", ".sqlite3", ".db")
MIGRATIONS = Path(__file__).parent / "migrations"

_CAUSES = {
    "SQLITE_FULL": "the disk is full: free some space and run it again",
    "SQLITE_IOERR": "the disk cannot be read or written: check it and its free space",
    "SQLITE_READONLY": "it may not be written: check its permissions, or set ROADSTEAD_STORE elsewhere",
    "SQLITE_CANTOPEN": "it cannot be opened: check that its folder exists and may be written",
    "SQLITE_BUSY": "another process is writing it: wait for that one to end and run it again",
    "SQLITE_LOCKED": "another process is writing it: wait for that one to end and run it again",
    "SQLITE_NOTADB": "it is no SQLite database: name another file",
    "SQLITE_CORRUPT": "it is damaged: restore it from a copy, or delete it and run the watch again",
}
"""SQLite's error names (https://www.sqlite.org/rescode.html) by prefix -> what to do."""
READ_ONLY = "it may only be read here, so nothing was written: set ROADSTEAD_STORE to one that may be written"
CHANGED = "it changed while it was read, by somebody who may write it: ask again"
UNMERGED = (
    "it may only be read here, and changes beside it (-wal) were not put into it yet: open it once where it may be "
    "written, or copy all of its files"
)


@contextmanager
def store_errors(url: URL) -> Iterator[None]:
    """Raise `StoreError` naming the store and the remedy for whatever the database raises."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(f"store {url.render_as_string()}: {_cause(error)}; it is as it was") from error


def _cause(error: SQLAlchemyError) -> str:
    original = error.orig if isinstance(error, DBAPIError) else None
    name = getattr(original, "sqlite_errorname", "")
    known = [words for prefix, words in _CAUSES.items() if name.startswith(prefix)]
    return known[0] if known else str(original or error)


def open_engine(url: str, writes: bool = True) -> tuple[Engine, URL, bool]:
    """Return an engine whose database holds the newest schema, its URL, and whether it can only be read.

    Args:
        url: SQLAlchemy URL, or the path of an SQLite file (.sqlite, .sqlite3, .db).
        writes: False: an SQLite file that may not be written is opened all the same, to be read.

    Raises:
        UsageError: the URL is wrong or its driver is not installed.
        StoreError: the database cannot be opened, or its schema is unknown here, as a newer Roadstead's is.
    """
    try:
        parsed = make_url(_as_url(url))
        if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
            raise UsageError(
                f"store {url!r} is in memory and would be lost: write sqlite:///path/to/file.sqlite"
            )
        file = None if writes else _only_readable(parsed)
        engine = _engine(parsed) if file is None else reading_engine(parsed, file)
    except (ArgumentError, NoSuchModuleError) as error:
        raise UsageError(f"store {url!r} is no database URL: write sqlite:///path/to/file.sqlite") from error
    except ImportError as error:
        raise UsageError(
            f"store {url.split(':')[0]}: its driver is missing: pip install {error.name}"
        ) from error
    try:
        if file is not None:
            _check_schema(engine, parsed, file)
        else:
            with store_errors(parsed):
                _upgrade_once(engine, parsed)
    except BaseException:
        engine.dispose()
        raise
    return engine, parsed, file is not None


def _as_url(url: str) -> str:
    """Return a plain path to an SQLite file as its URL; anything else as it is."""
    return f"sqlite:///{url}" if "://" not in url and url.endswith(_SQLITE_SUFFIXES) else url


def _only_readable(url: URL) -> Path | None:
    """Return the file of an SQLite store that is there and may not be written; None for any other store."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    path = Path(url.database)
    return None if may_be_written(path) else path


def _check_schema(engine: Engine, url: URL, path: Path) -> None:
    """Make sure that a store that cannot be brought up to date need not be.

    Raises:
        StoreError: it need be, or cannot be opened.
    """
    try:
        with store_errors(url):
            version = _version(engine)
    except StoreError as error:
        if is_unmerged(path):
            raise StoreError(f"store {url.render_as_string()}: {UNMERGED}") from error
        raise
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"store {url.render_as_string()}: another version of Roadstead made it (schema {version}, here "
            f"{SCHEMA_VERSION}) and it may only be read here: open it once where it may be written"
        )


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url)
    if url.database and url.database != ":memory:":
        _make_folder(url)
    waits = {} if "timeout" in url.query else {"timeout": BUSY_TIMEOUT_S}
    engine = create_engine(url, connect_args=waits)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _make_folder(url: URL) -> None:
    try:
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"store {url.render_as_string()}: its folder cannot be made: {error}") from error


def _on_connect(connection: sqlite3.Connection, _: Any) -> None:  # noqa: ANN401 - SQLAlchemy's record
    """Leave transactions to us (the driver opens none before DDL) and switch on what SQLite leaves off."""
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")


def _on_begin(connection: Connection) -> None:
    """Begin; a writer takes its lock at once, so that it waits its turn and never fails half-way."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _is_busy(error: Exception) -> bool:
    return getattr(getattr(error, "orig", None), "sqlite_errorname", "").startswith("SQLITE_BUSY")


def _upgrade_once(engine: Engine, url: URL) -> None:
    """Bring the schema up to date; two processes may make a new store at the same moment.

    The change to WAL ignores the busy timeout (https://www.sqlite.org/wal.html), hence the retries.
    """
    waits = float(str(url.query.get("timeout", BUSY_TIMEOUT_S)))
    for attempt in stamina.retry_context(on=_is_busy, attempts=None, timeout=waits, wait_initial=0.05):
        with attempt:
            if _version(engine) != SCHEMA_VERSION:
                _migrate(engine, url)


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


def _migrate(engine: Engine, url: URL) -> None:
    # Alembic takes a quarter of a second to import, and an up-to-date store does not need it.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.execution_options(writes=True).begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                f"store {url.render_as_string()}: its schema is unknown here ({error}; here {SCHEMA_VERSION}): update "
                "Roadstead if a newer one made it; one from before the first release has to be made anew"
            ) from error


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
