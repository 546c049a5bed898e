"""Rows on the way to the outside in the chain, and permanent ids."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from roadstead.core.errors import UsageError
from roadstead.core.wording import EXPLANATIONS
from roadstead.store import Asking, Decisions, OvertakenError, People, Releases, Store, Verdict, gate_of
from roadstead.store.chain import GENESIS, digest
from roadstead.store.releases import LETTERS, check_letter, new_id, plain_id
from tests.unit.store import builders as b

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
EVIDENCE = {
    "status": "matched",
    "mmsi": "412000001",
    "conflicts": "length",
    "reasons": "weak_fit",
    "acquired": "2020-11-03T02:25:41+00:00",
    "hull": None,
}
OLD_ROW: dict[str, Any] = {
    "seq": 1, "previous_sha256": GENESIS, "decided": NOW, "user_name": "ana", "kind": "accepted", "port": "nampo",
    "overpass_id": "o", "finding": "d0", "hull_class": None, "linked_mmsi": None, "because": None, "note": "Ō",
    "undoes": None, "evidence": "{}", "simulated": True,
}  # fmt: skip
OLD_SHA256 = "8e5cd1c571de6eab4f2e02366347ceef7e022d1cf73c4467199c826c873bffd9"
"""Of `OLD_ROW`, as the version before releases hashed it."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        for name, role in (("ana", "analyst"), ("bob", "analyst"), ("ada", "admin"), ("vic", "viewer")):
            People(opened).add(name, role, "x", NOW - timedelta(days=1))
        yield opened


def accepted(store: Store, user: str = "ana", after: int = 0) -> int:
    verdict = Verdict("accepted", "nampo", b.OVERPASS_ID, "d0", EVIDENCE, True)
    return Decisions(store).add(verdict, user, NOW, after=after).seq


def asking(**changes: Any) -> Asking:
    considered = {key: ("open", "it may be so") for key in EXPLANATIONS}
    given = Asking(
        "nampo", b.OVERPASS_ID, "d0", EVIDENCE, True, frozenset({"length", "weak_fit"}), considered,
        "A hull of about 150 m lay in the roads.",
    )  # fmt: skip
    return replace(given, **changes)


def released(store: Store) -> str:
    seq = accepted(store)
    asked = Releases(store).ask(asking(), "ana", NOW, after=seq)
    return Releases(store).release("nampo", "d0", EVIDENCE, "bob", NOW, asked=asked.seq).id


def test_rows_made_before_releases_keep_their_hashes() -> None:
    assert digest(OLD_ROW) == OLD_SHA256
    assert digest({**OLD_ROW, "details": None}) == OLD_SHA256
    assert digest({**OLD_ROW, "details": "{}"}) != OLD_SHA256


@pytest.mark.parametrize("kind", ["asked_release", "released", "retraction", "reply", "exported"])
def test_changed_details_are_named(store: Store, tmp_path: Path, kind: str) -> None:
    name = released(store)
    Releases(store).reply(name, "The owner", date(2026, 2, 27), "Not so.", "ana", NOW)
    Releases(store).retract(name, "It is a pier, built in spring.", "bob", NOW)
    Releases(store).exported("nampo", {"sha256": {"a.csv": "0" * 64}}, True, "ana", NOW)
    assert Decisions(store).verify().faults == ()
    with sqlite3.connect(tmp_path / "store.sqlite") as raw:
        raw.execute("DROP TRIGGER decisions_no_update")
        (text,) = raw.execute("SELECT details FROM decisions WHERE kind = ?", [kind]).fetchone()
        forged = json.dumps({**json.loads(text), "more": 1})
        raw.execute("UPDATE decisions SET details = ? WHERE kind = ?", [forged, kind])
    raw.close()
    (fault,) = Decisions(store).verify().faults
    assert "does not have the hash" in fault


def test_a_reply_is_entered_once_and_not_from_before_the_overpass(store: Store) -> None:
    name, releases, day = released(store), Releases(store), date(2026, 2, 27)
    releases.reply(name, "The owner", day, "Not so.", "ana", NOW)
    with pytest.raises(UsageError, match="entered already"):
        releases.reply(name, " The  owner", day, "Not so. ", "bob", NOW)
    with pytest.raises(UsageError, match="received 2020-11-02: that is before the overpass of 2020-11-03"):
        releases.reply(name, "The owner", date(2020, 11, 2), "Not so either.", "ana", NOW)
    releases.reply(name, "The owner", day, "Not so at all.", "ana", NOW)
    found = releases.one(name)
    assert found is not None and [row.more["text"] for row in found.replies] == ["Not so.", "Not so at all."]


@pytest.mark.parametrize("user", ["vic", "nobody", "", "eve"])
def test_roles_are_looked_up_as_a_row_is_written(store: Store, user: str) -> None:
    seq = accepted(store)
    releases = Releases(store)
    asked = releases.ask(asking(), "ana", NOW, after=seq)
    for step in (
        lambda: releases.release("nampo", "d0", EVIDENCE, user, NOW, asked=asked.seq),
        lambda: releases.send_back("nampo", "d0", "not so", user, NOW, asked=asked.seq),
        lambda: releases.exported("nampo", {}, True, user, NOW),
    ):
        with pytest.raises(UsageError, match="no analyst or admin"):
            step()
    assert Decisions(store).newest(1)[0].kind == "asked_release"


def test_somebody_shut_out_meanwhile_releases_nothing(store: Store) -> None:
    seq = accepted(store)
    asked = Releases(store).ask(asking(), "ana", NOW, after=seq)
    People(store).disable("bob")
    with pytest.raises(UsageError, match="no analyst or admin"):
        Releases(store).release("nampo", "d0", EVIDENCE, "bob", NOW, asked=asked.seq)


def test_a_request_on_an_older_page_is_refused(store: Store) -> None:
    seq = accepted(store)
    accepted(store, "bob", after=seq)
    with pytest.raises(OvertakenError):
        Releases(store).ask(asking(), "ana", NOW, after=seq)


def test_a_request_for_a_correction_of_what_is_not_out_is_refused(store: Store) -> None:
    seq = accepted(store)
    with pytest.raises(UsageError, match="is not out"):
        Releases(store).ask(
            asking(corrects=new_id(2026), changed="something or other"), "ana", NOW, after=seq
        )


def test_what_is_gone_from_the_store_is_in_question(store: Store) -> None:
    released(store)
    told = Decisions(store).of("nampo", "d0")
    assert gate_of(told, EVIDENCE).question == ""
    assert "no longer holds" in gate_of(told, None).question
    assert "its mmsi" in gate_of(told, {**EVIDENCE, "mmsi": "412000002"}).question
    assert gate_of(told, {**EVIDENCE, "probability": 0.5}).question == ""


def test_ids_are_random_and_never_used_twice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len({new_id(2026) for _ in range(500)}) == 500
    name = released(store)
    Releases(store).retract(name, "It is a pier, built in spring.", "bob", NOW)
    another = next(other for other in iter(lambda: new_id(2026), None) if other != name)
    drawn = iter([name, name, another])
    monkeypatch.setattr("roadstead.store.releases.new_id", lambda _: next(drawn))
    asked = Releases(store).ask(asking(), "ana", NOW, after=Decisions(store).newest(1)[0].seq)
    assert Releases(store).release("nampo", "d0", EVIDENCE, "bob", NOW, asked=asked.seq).id == another


def test_one_mistyped_character_or_two_exchanged_are_noticed() -> None:
    name = "RS-2026-7K3QF2" + check_letter(2026, "7K3QF2")
    assert plain_id(f" {name.lower()} ") == name
    for at in (*range(3, 7), *range(8, 15)):
        for other in "0123456789" if at < 7 else LETTERS:
            if other != name[at]:
                with pytest.raises(UsageError):
                    plain_id(name[:at] + other + name[at + 1 :])
    for at in range(8, 14):
        if name[at] != name[at + 1]:
            with pytest.raises(UsageError):
                plain_id(name[:at] + name[at + 1] + name[at] + name[at + 2 :])
    for wrong in (
        "",
        "RS-2026",
        "RS-2026-",
        "XX" + name[2:],
        name + "2",
        "RS-２０２６-" + name[8:],
        "x" * 500,
    ):
        with pytest.raises(UsageError):
            plain_id(wrong)
