from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from roadstead.core.errors import StoreError, UsageError
from roadstead.store import Decisions, OvertakenError, Store, Verdict
from roadstead.store.chain import GENESIS
from tests.unit.builders import detection, detections
from tests.unit.store import builders as b

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{path}") as opened:
        yield opened


def verdict(finding: str = "d0", kind: str = "accepted", **changes: Any) -> Verdict:
    given: dict[str, Any] = {
        "kind": kind,
        "port": "nampo",
        "overpass_id": b.OVERPASS_ID,
        "finding": finding,
        "evidence": {"model_id": "test-model", "p_vessel": 0.9, "name": "Ō"},
        "simulated": True,
    }
    return Verdict(**{**given, **changes})


def three(store: Store) -> Decisions:
    chain = Decisions(store)
    for index in range(3):
        chain.add(verdict(f"d{index}"), "ana", NOW + timedelta(minutes=index), after=0)
    return chain


def tampered(path: Path, *statements: str) -> None:
    """Change rows as somebody with the file would: the triggers go first."""
    with sqlite3.connect(path) as connection:
        for statement in (
            "DROP TRIGGER decisions_no_update",
            "DROP TRIGGER decisions_no_delete",
            *statements,
        ):
            connection.execute(statement)
    connection.close()


def test_each_row_holds_the_hash_of_the_one_before(store: Store) -> None:
    chain = three(store)
    newest = chain.newest(10)
    assert [row.seq for row in newest] == [3, 2, 1]
    assert newest[0].previous_sha256 == newest[1].sha256
    assert newest[2].previous_sha256 == GENESIS
    found = chain.verify()
    assert (found.rows, found.head, found.faults) == (3, newest[0].sha256, ())


def test_an_empty_chain_is_consistent(store: Store) -> None:
    assert Decisions(store).verify().head == GENESIS


@pytest.mark.parametrize(
    "change",
    [
        "note = 'other'",
        "kind = 'rejected'",
        "user_name = 'eve'",
        "simulated = 0",
        "evidence = '{}'",
        "decided = '2026-03-01 12:01:00.123457'",
        "undoes = 1",
        "finding = 'd9'",
    ],
)
def test_a_row_that_was_changed_is_named(store: Store, path: Path, change: str) -> None:
    three(store)
    tampered(path, f"UPDATE decisions SET {change} WHERE seq = 2")  # noqa: S608
    (fault,) = Decisions(store).verify().faults
    assert fault.startswith("decision 2 (")
    assert "does not have the hash" in fault


def test_a_row_changed_with_its_hash_made_anew_breaks_the_next(store: Store, path: Path) -> None:
    three(store)
    from roadstead.store.chain import digest

    with sqlite3.connect(path) as connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute("SELECT * FROM decisions WHERE seq = 2").fetchone())
    connection.close()
    row["decided"] = datetime.fromisoformat(row["decided"]).replace(tzinfo=UTC)
    row["note"] = "forged"
    tampered(path, f"UPDATE decisions SET note = 'forged', sha256 = '{digest(row)}' WHERE seq = 2")  # noqa: S608
    (fault,) = Decisions(store).verify().faults
    assert fault.startswith("decision 3 (")
    assert "does not follow" in fault


def test_a_row_that_was_taken_out_is_named(store: Store, path: Path) -> None:
    three(store)
    tampered(path, "DELETE FROM decisions WHERE seq = 2")
    (fault,) = Decisions(store).verify().faults
    assert "row 2 is missing before it" in fault


def test_a_cut_off_end_shows_only_to_who_kept_the_head(store: Store, path: Path) -> None:
    head = three(store).verify().head
    tampered(path, "DELETE FROM decisions WHERE seq = 3")
    found = Decisions(store).verify()
    assert found.faults == ()
    assert head not in found.hashes


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET note = 'x'",
        "DELETE FROM decisions",
        "INSERT OR REPLACE INTO decisions SELECT * FROM decisions WHERE seq = 2",
    ],
)
def test_the_database_itself_refuses_to_change_a_decision(store: Store, path: Path, statement: str) -> None:
    three(store)
    with sqlite3.connect(path) as connection, pytest.raises(sqlite3.IntegrityError, match="only ever added"):
        connection.execute(statement)
    connection.close()


def test_decisions_survive_a_rerun_that_replaces_the_overpass(store: Store) -> None:
    b.put(store)
    chain = three(store)
    before = chain.newest(10)
    b.put(store, detections=detections([detection(7)]), matches=b.matches([{"detection_id": "d7"}]))
    assert chain.newest(10) == before
    assert {row.finding for row in chain.standing()} == {"d0", "d1", "d2"}


def test_findings_are_asked_for_in_parts_that_a_statement_holds(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = three(store)
    monkeypatch.setattr("roadstead.store.rows.AT_ONCE", 2)
    with b.asked(store) as statements:
        found = chain.about([("nampo", f"d{index}") for index in range(5)])
        numbered = chain.some([3, 1, 2])
    assert [len(found["nampo", f"d{index}"]) for index in range(5)] == [1, 1, 1, 0, 0]
    assert sorted(row.seq for row in numbered) == [1, 2, 3]
    held = [len(parameters) for statement, parameters in statements if "FROM decisions" in statement]
    assert held == [4, 4, 2, 2, 1], "two findings by port and name, then one; two numbers, then one"


def test_undoing_adds_a_row_and_what_stood_before_stands_again(store: Store) -> None:
    chain = Decisions(store)
    first = chain.add(verdict(), "ana", NOW, after=0)
    second = chain.add(verdict(kind="rejected", because="no_vessel"), "ana", NOW, after=first.seq)
    back = chain.undo(second.seq, "ana", NOW)
    assert (back.kind, back.undoes, back.seq) == ("undone", 2, 3)
    assert [row.kind for row in chain.of("nampo", "d0")] == ["accepted", "rejected", "undone"]
    assert [row.seq for row in chain.standing()] == [1]
    with pytest.raises(OvertakenError, match="does not stand"):
        chain.undo(second.seq, "ana", NOW)
    chain.undo(first.seq, "ana", NOW)
    assert chain.standing() == ()
    assert chain.verify().faults == ()


def test_only_an_admin_takes_back_what_another_decided(store: Store) -> None:
    chain = Decisions(store)
    row = chain.add(verdict(), "ana", NOW, after=0)
    with pytest.raises(UsageError, match="ana's"):
        chain.undo(row.seq, "bob", NOW)
    assert chain.undo(row.seq, "bob", NOW, others=True).user_name == "bob"


def test_who_had_not_seen_the_newest_row_decides_nothing(store: Store) -> None:
    chain = Decisions(store)
    chain.add(verdict(), "ana", NOW, after=0)
    with pytest.raises(OvertakenError, match="ana accepted this finding"):
        chain.add(verdict(kind="rejected"), "bob", NOW, after=0)
    assert chain.verify().rows == 1


def test_of_two_who_decide_at_one_moment_one_wins_and_the_chain_stays_whole(path: Path) -> None:
    url = f"sqlite:///{path}"
    Store.open(url).close()
    start, told = threading.Barrier(8), []

    def decide(index: int) -> None:
        with Store.open(url) as own:
            start.wait()
            try:
                Decisions(own).add(verdict("same"), f"user{index}", NOW, after=0)
                told.append("won")
            except OvertakenError:
                told.append("lost")
            Decisions(own).add(verdict(f"own{index}"), f"user{index}", NOW, after=0)

    threads = [threading.Thread(target=decide, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["lost"] * 7 + ["won"]
    with Store.open(url) as store:
        found = Decisions(store).verify()
    assert (found.rows, found.faults) == (9, ())


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "undone"},
        {"kind": "corrected"},
        {"kind": "corrected", "hull_class": "tanker"},
        {"kind": "corrected", "linked_mmsi": "12345678"},
        {"kind": "corrected", "linked_mmsi": "12345678x"},
        {"kind": "accepted", "hull_class": "barge"},
        {"kind": "accepted", "because": "no_vessel"},
        {"kind": "rejected", "because": "other"},
        {"note": "x" * 4001},
    ],
)
def test_what_makes_no_sense_is_no_decision(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        verdict(**changes)


def test_a_store_that_cannot_be_written_loses_nothing(store: Store, path: Path) -> None:
    chain = three(store)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON decisions BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    connection.close()
    with pytest.raises(StoreError):
        chain.add(verdict("d9"), "ana", NOW, after=0)
    assert chain.verify().rows == 3
