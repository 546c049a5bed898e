"""What the store does when the disk, another process or the file itself is in the way."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event

from roadstead.core.errors import StoreError, UsageError
from roadstead.store import Store
from tests.unit.builders import detection, detections
from tests.unit.store import builders as b
from tests.unit.store.test_store import dump

MANY = 4000


def put_many(store: Store) -> None:
    rows = [detection(i, lon=125.0 + i * 1e-4) for i in range(MANY)]
    b.put(store, detections=detections(rows))


def filled(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    with Store.open(url) as store:
        b.put(store)
    return url


def test_a_full_disk_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    url = filled(tmp_path)
    before = dump(url)
    with Store.open(url) as store:
        event.listen(store._engine, "connect", _limit_pages(60))
        store._engine.dispose()
        with pytest.raises(StoreError, match=r"store\.sqlite: the disk is full: free some space.*as it was"):
            put_many(store)
    assert dump(url) == before


def _limit_pages(pages: int) -> Callable[[sqlite3.Connection, object], None]:
    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    return limit


def test_a_file_that_may_not_grow_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    url = filled(tmp_path)
    before = dump(url)
    done = run_limited(
        f"""
        from roadstead.store import Store
        from roadstead.core.errors import StoreError
        from tests.unit.store.test_trouble import put_many
        with Store.open({url!r}) as store:
            limit(300_000)
            try:
                put_many(store)
            except StoreError as error:
                print(error)
        """
    )
    assert "it is as it was" in done
    assert dump(url) == before


def run_limited(code: str) -> str:
    """Run code in a process of its own where ``limit(n)`` bounds the size of files it may write."""
    prelude = """
        import resource, signal
        def limit(size):
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    """
    source = textwrap.dedent(prelude) + textwrap.dedent(code)
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, cwd=root, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_process_killed_half_way_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    url = filled(tmp_path)
    before = dump(url)
    code = f"""
        import os
        from sqlalchemy import event
        from roadstead.store import Store
        from tests.unit.store.test_trouble import put_many
        store = Store.open({url!r})
        @event.listens_for(store._engine, "before_cursor_execute")
        def die(connection, cursor, statement, *rest):
            if statement.startswith("INSERT INTO matches"):
                os._exit(0)
        put_many(store)
        os._exit(1)
    """
    run_limited(code)
    assert dump(url) == before


def test_a_store_that_another_process_is_writing_says_so(tmp_path: Path) -> None:
    url = filled(tmp_path)
    other = sqlite3.connect(tmp_path / "store.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Store.open(f"{url}?timeout=0.1") as store:
        assert len(store.detections("nampo")) == 2, "readers are not held up"
        with pytest.raises(StoreError, match="another process is writing it"):
            b.put(store)
    other.execute("ROLLBACK")
    other.close()


def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'store.sqlite'}"

    def write(index: int) -> None:
        with Store.open(url) as store:
            b.put(store, port=f"port{index}")

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    with Store.open(url) as store:
        assert [len(store.detections(f"port{i}")) for i in range(6)] == [2] * 6


def test_a_store_that_may_not_be_written_says_so(tmp_path: Path) -> None:
    url = filled(tmp_path)
    with Store.open(url) as store:
        event.listen(store._engine, "connect", lambda c, _: c.execute("PRAGMA query_only = ON"))
        store._engine.dispose()
        assert len(store.detections("nampo")) == 2
        with pytest.raises(StoreError, match="it may not be written"):
            b.put(store)


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but somebody's notes\n" * 50)
    with pytest.raises(StoreError, match=r"notes\.txt: it is no SQLite database"):
        Store.open(f"sqlite:///{path}")
    assert path.read_text().startswith("not a database")


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        Store.open(f"sqlite:///{tmp_path}")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="folder cannot be made"):
        Store.open(f"sqlite:///{tmp_path / 'file' / 'store.sqlite'}")


@pytest.mark.parametrize("url", ["store.txt", "nosuchdatabase://x", "postgresql+psycopg2://u:secret@h/d"])
def test_a_wrong_url_is_a_usage_error_and_shows_no_password(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Store.open(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["s.sqlite", "s.sqlite3", "s.db"])
def test_the_path_of_an_sqlite_file_is_taken_as_its_url(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with Store.open(str(path)):
        pass
    assert path.read_bytes().startswith(b"SQLite format 3")
    with Store.open(f"sqlite:///{path}"):
        pass


def test_another_path_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no database URL"):
        Store.open(str(tmp_path / "s.txt"))
    assert not list(tmp_path.iterdir())
