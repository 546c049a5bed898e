"""A store on a read-only file system, or without permission to write it, can be looked at."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from roadstead.apps.desk import review_app
from roadstead.apps.desk.assemble import opened_desk
from roadstead.core.errors import StoreError
from roadstead.store import Store, engine
from tests.unit.apps.desk import builders as r
from tests.unit.store import builders as b

COMMANDS = """
import sys
from pathlib import Path
from typer.testing import CliRunner
from roadstead.store import Store
from roadstead.apps.cli.main import app
from roadstead.core.errors import RoadsteadError
folder, output = sys.argv[1:]
url = f"sqlite:///{folder}/store.sqlite"
try:
    Path(folder, "probe").touch()
    sys.exit("the folder can be written, so nothing is tried")
except OSError:
    pass
for words in (
    ["status", "nampo"], ["counts", "nampo", "--json"], ["review", "verify"], ["audit", "status"],
    ["export", "nampo", "--from", "2020-11-01", "--to", "2020-11-30", "-o", output, "--format", "csv"],
    ["review", "add-user", "eve", "--role", "viewer", "--no-password"],
):
    run = CliRunner().invoke(app, [*words, "--store", url])
    code = run.exception.exit_code if isinstance(run.exception, RoadsteadError) else run.exit_code
    print(words[0], code, repr(run.exception) if run.exception else "")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a store that nobody has open."""
    made = tmp_path / "held"
    made.mkdir()
    with Store.open(url_of(made)) as store:
        r.fill(store)
        r.people(store)
    return made


@pytest.fixture
def read_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder, of which Roadstead is told that it may not be written, as tests may run as root."""
    monkeypatch.setattr(engine, "may_be_written", lambda _: False)
    yield folder
    assert sorted(path.name for path in folder.iterdir()) == ["store.sqlite"], "nothing is put beside it"


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'store.sqlite'}"


def mounted_read_only(folder: Path) -> list[str]:
    """Return the words that run a command for which a folder is on a read-only file system."""
    script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
    for who in ([], ["--user", "--map-root-user"]):
        words = ["unshare", *who, "--mount", "sh", "-c", script, "sh", str(folder)]
        if (
            shutil.which("unshare")
            and not subprocess.run([*words, "true"], check=False, capture_output=True).returncode
        ):
            return words
    pytest.skip("this machine lets nobody mount a read-only file system in a namespace of their own")


def test_commands_that_read_work_on_a_read_only_file_system_and_others_say_why_not(
    folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    words = [*mounted_read_only(folder), sys.executable, "-c", COMMANDS, str(folder), str(output)]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    *reading, writing = run.stdout.splitlines()
    assert [line.split()[1] for line in reading] == ["0"] * 5, run.stdout
    assert writing.startswith("review 4 StoreError(") and "may be written" in writing
    assert list(output.iterdir())


def test_what_is_stored_is_read_and_nothing_is_written(read_only: Path) -> None:
    with Store.open(url_of(read_only), writes=False) as store:
        assert store.read_only
        assert len(store.detections("nampo")) == 7
        with pytest.raises(
            StoreError, match=r"store\.sqlite: it may only be read here, so nothing was written"
        ):
            b.put(store)
        with pytest.raises(StoreError, match="read"), store.transaction(writes=False) as connection:
            connection.execute(text("DELETE FROM users"))


def test_a_store_that_may_be_written_is_opened_as_ever(folder: Path) -> None:
    with Store.open(url_of(folder), writes=False) as store:
        assert not store.read_only
        b.put(store)


def test_a_store_that_somebody_else_writes_is_read_with_what_they_wrote(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their newest changes lie beside the file, in -wal."""
    with Store.open(url_of(folder)) as writer:
        monkeypatch.setattr(engine, "may_be_written", lambda _: False)
        with Store.open(url_of(folder), writes=False) as reader:
            before = len(reader.acquisitions("nampo"))
            writer.record_failure("nampo", "new", b.ACQUIRED, "asset red: HTTP 403")
            assert len(reader.acquisitions("nampo")) == before + 1


def test_a_store_that_changes_while_it_is_read_says_so(read_only: Path) -> None:
    with Store.open(url_of(read_only), writes=False) as store:
        with pytest.raises(StoreError, match="it changed while it was read"):
            with store.transaction(writes=False):
                (read_only / "store.sqlite").touch()
        assert len(store.detections("nampo")) == 7, "the next one reads it anew"


def test_changes_that_were_not_put_into_it_yet_are_not_passed_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a copy of a store whose writer was killed: without its index SQLite cannot read them."""
    with sqlite3.connect(folder / "store.sqlite") as open_:
        open_.execute("PRAGMA journal_mode = WAL")
        open_.execute("UPDATE users SET role = 'viewer'")
        open_.commit()
        copied = folder.parent / "copied"
        copied.mkdir()
        for name in ("store.sqlite", "store.sqlite-wal"):
            shutil.copy(folder / name, copied)
    open_.close()
    monkeypatch.setattr(engine, "may_be_written", lambda _: False)
    with Store.open(url_of(copied), writes=False) as store:
        assert {person.role for person in r.desk(store).people.all()} == {"viewer"}


def test_a_store_of_another_version_that_may_not_be_written_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(folder / "store.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    monkeypatch.setattr(engine, "may_be_written", lambda _: False)
    with pytest.raises(StoreError, match=r"schema 0000, here \d{4}\) and it may only be read here"):
        Store.open(url_of(folder), writes=False)


def test_the_desk_shows_a_store_that_may_only_be_read_and_says_what_it_cannot_do(
    read_only: Path, tmp_path: Path
) -> None:
    with opened_desk(url_of(read_only), tmp_path / "nowhere", port=0, open=True) as opened:
        assert "The store may only be read here: nobody can log in or decide." in " ".join(opened.words)
    assert not (tmp_path / "nowhere").exists(), "no key is written either"
    with Store.open(url_of(read_only), writes=False) as store:
        browser = r.Browser(r.desk(store, open=True), app=review_app(r.desk(store, open=True)))
        for page in ("/", "/leads", "/finding/nampo/d0", "/log", "/vessels"):
            assert browser.get(page).status_code == 200, page
        answer = browser.log_in("ana")
        assert answer.status_code == 503
        assert "Nothing can be written here" in answer.text and "it may only be read here" in answer.text
