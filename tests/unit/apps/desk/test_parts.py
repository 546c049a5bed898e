"""Precision, labels, the key, and the commands."""

from __future__ import annotations

import json
import stat
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from roadstead.apps.cli.main import app
from roadstead.apps.desk.assemble import desk, opened_desk, signing_key
from roadstead.apps.desk.login.security import Guess, Limiter
from roadstead.audit.precision import Share
from roadstead.core.errors import BadInputError, RoadsteadError, StoreError, UsageError
from roadstead.core.ports import load_port
from roadstead.store import Decisions, People, Store, Verdict, evidence_of
from roadstead.workflows.labels import label_features, write_labels
from roadstead_lab.training.places import read_labels
from tests.unit.apps.desk import builders as r
from tests.unit.publish import builders as e


def run(*words: str, given: str | None = None) -> Any:
    return CliRunner().invoke(app, ["review", *words], input=given)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.sqlite'}"


def decided(store: Store, finding: str, kind: str = "accepted", **changes: Any) -> None:
    row = r.desk(store).leads.one("nampo", finding)
    assert row is not None
    verdict = Verdict(kind, "nampo", row["overpass_id"], finding, evidence_of(row), True, **changes)
    Decisions(store).add(verdict, "ana", r.NOW, after=0)


def some(store: Store) -> None:
    decided(store, "d0")
    decided(store, "d3", "rejected", because="no_vessel")
    decided(store, "d4", "rejected", because="explained")
    decided(store, "d5", "corrected", hull_class="barge", note="hatches")
    decided(store, "d6", "rejected")


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 1, 0.0, 0.7935), (1, 1, 0.2065, 1.0), (8, 10, 0.4902, 0.9433), (50, 100, 0.4038, 0.5962)],
)
def test_wilsons_interval_has_the_published_values(hits: int, n: int, low: float, high: float) -> None:
    assert Share(hits, n).interval == pytest.approx((low, high), abs=1e-4)


def test_labels_are_in_the_format_of_the_labelled_scenes(store: Store, tmp_path: Path) -> None:
    some(store)
    (tmp_path / "labels").mkdir()
    features = label_features(Decisions(store).standing(), {"nampo": e.port()})
    (name,) = features
    document = {"type": "FeatureCollection", "features": features[name]}
    (tmp_path / "labels" / f"{name}.geojson").write_text(json.dumps(document))
    read = {label.label_id.split("/")[1]: label for label in read_labels(tmp_path, name)}
    assert {key: label.use for key, label in read.items()} == {
        "unsearched": "unsearched", "d0": "yes", "d3": "no", "d4": "yes", "d5": "yes",
    }  # fmt: skip
    assert (read["d0"].class_, read["d4"].class_, read["d5"].class_) == ("bulk_carrier", None, "barge")
    assert read["d0"].length_m == 150.0
    assert read["d0"].corners.shape == (4, 2)
    side = np.linalg.norm(np.diff(read["d0"].corners, axis=0), axis=1)
    assert sorted(side.round()) == [7.0, 7.0, 35.0] or sorted(side.round()) == [7.0, 35.0, 35.0]
    own = {f["properties"]["label_id"].split("/")[1]: f["properties"] for f in features[name]}
    assert own["d5"]["note"] == "hatches"
    assert own["d5"]["kind_confidence"] == "med"
    assert all(p["simulated"] for p in own.values())
    kept = {
        "scene_id",
        "label_id",
        "use",
        "class",
        "kind",
        "kind_confidence",
        "kind_other_annotator",
        "lon",
        "lat",
    }
    assert kept | {"length_m", "width_m", "axis_deg", "polygon_px", "note"} <= set(own["d0"])


def test_labels_outlive_a_rerun_and_undo_takes_one_away(store: Store) -> None:
    some(store)
    before = label_features(Decisions(store).standing(), {"nampo": e.port()})
    r.fill(store, detections=r.hulls()[:0], matches=r.matches()[:0], chips={})
    assert label_features(Decisions(store).standing(), {"nampo": e.port()}) == before
    Decisions(store).undo(1, "ana", r.NOW)
    after = label_features(Decisions(store).standing(), {"nampo": e.port()})
    assert len(after["S2A_TEST"]) == len(before["S2A_TEST"]) - 1


def test_labels_of_a_port_without_zones_are_refused(store: Store) -> None:
    decided(store, "d0")
    with pytest.raises(BadInputError, match="--aoi"):
        label_features(Decisions(store).standing(), {})


def test_labels_go_into_one_file_or_one_a_scene(store: Store, tmp_path: Path) -> None:
    some(store)
    files, boxes = write_labels(store, tmp_path / "all.geojson")
    assert ([f.name for f in files], boxes) == (["all.geojson"], 4)
    files, _ = write_labels(store, tmp_path / "folder")
    assert [f.relative_to(tmp_path).as_posix() for f in files] == ["folder/S2A_TEST.geojson"]


def test_a_scene_id_names_no_other_folder(store: Store, tmp_path: Path) -> None:
    row = r.desk(store).leads.one("nampo", "d0")
    assert row is not None
    evidence = evidence_of(row)
    evidence["hull"]["scene_id"] = "../../etc/evil"
    Decisions(store).add(
        Verdict("accepted", "nampo", row["overpass_id"], "d0", evidence, True), "ana", r.NOW, after=0
    )
    (file,), _ = write_labels(store, tmp_path / "folder")
    assert file.parent == tmp_path / "folder"


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path, found = tmp_path / "home" / "review.key", []
    threads = [threading.Thread(target=lambda: found.append(signing_key(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["review.key"]
    path.write_bytes(b"short")
    with pytest.raises(StoreError, match="holds no key"):
        signing_key(path)


def test_the_desk_of_a_store_knows_the_ports_that_ship(store: Store, tmp_path: Path) -> None:
    made = desk(store, tmp_path / "home")
    assert {"nampo", "ningbo-zhoushan"} <= set(made.ports)
    assert made.zone_name("nampo/coal-berths", "nampo") in {z.name for z in load_port("nampo").zones} | {
        "coal berths"
    }
    assert made.next_passes(store.ledger("nampo"), r.NOW + timedelta(days=9000)) == [], (
        "the passes are years old"
    )


def fail(limiter: Limiter, name: str, address: str) -> None:
    guess = limiter.reserve(name, address, r.NOW)
    assert isinstance(guess, Guess)
    limiter.failed(guess)


def test_the_limiter_forgets_and_its_memory_is_bounded() -> None:
    limiter, now = Limiter(per_name=2, per_address=100), r.NOW
    for index in range(20_000):
        fail(limiter, f"name{index}", f"10.0.{index // 250}.{index % 250}")
    assert {len(held) for held in limiter._guesses.values()} == {10_000}
    fail(limiter, "ana", "a")
    fail(limiter, "ana", "b")
    assert limiter.wait_s("ana", "c", now) == 900
    assert limiter.wait_s("ana", "c", now + timedelta(minutes=15)) == 0


def test_somebody_without_a_password_is_added_and_none_fits(url: str) -> None:
    add = ("add-user", "ana", "--role", "viewer", "--no-password", "--store", url)
    assert isinstance(run(*add, "--password-stdin", given="long enough one\n").exception, UsageError)
    told = run(*add)
    assert told.exit_code == 0 and told.output.strip() == "ana may log in as viewer."
    with Store.open(url) as store:
        browser = r.Browser(r.desk(store))
        assert browser.log_in("ana", "").status_code == 401


def test_people_are_added_replaced_and_shut_out_at_the_terminal(url: str, tmp_path: Path) -> None:
    add = ("add-user", "Ana", "--role", "analyst", "--password-stdin", "--store", url)
    assert run(*add, given="long enough password\n").exit_code == 0
    taken = run(*add, given="long enough password\n")
    assert isinstance(taken.exception, UsageError)
    assert "--replace" in str(taken.exception)
    assert run(*add, "--replace", given="another long password\n").exit_code == 0
    for bad in (("--role", "boss"), ("--role", "admin")):
        words = ("add-user", "../x" if bad[1] == "admin" else "bob", *bad, "--password-stdin", "--store", url)
        assert isinstance(run(*words, given="long enough password\n").exception, UsageError)
    assert isinstance(run(*add, "--replace", given="short\n").exception, UsageError)
    with Store.open(url) as store:
        browser = r.Browser(r.desk(store))
        assert browser.log_in("ana", "long enough password").status_code == 401
        assert browser.log_in("ana", "another long password").status_code == 303
    assert run("disable-user", "ana", "--store", url).exit_code == 0
    with Store.open(url) as store:
        assert [p.disabled for p in People(store).all()] == [True]


def test_a_password_is_asked_for_twice_where_it_is_typed(url: str) -> None:
    told = run(
        "add-user", "ana", "--role", "viewer", "--store", url, given="long enough one\nlong enough one\n"
    )
    assert told.exit_code == 0
    assert "long enough" not in told.output


def test_a_store_that_holds_nothing_is_told_of_at_the_start(url: str, tmp_path: Path) -> None:
    with opened_desk(url, tmp_path) as empty:
        assert any("holds no overpass yet" in line for line in empty.words)
    with Store.open(url) as store:
        r.fill(store)
    with opened_desk(url, tmp_path) as full:
        assert not any("holds no overpass" in line for line in full.words)


def test_verify_prints_the_head_and_names_what_is_wrong(store: Store, url: str, tmp_path: Path) -> None:
    some(store)
    told = run("verify", "--store", url)
    head = Decisions(store).verify().head
    assert told.exit_code == 0
    assert told.output.strip() == f"5 rows in the chain of decisions, head {head}"
    assert run("verify", "--contains", head, "--store", url).exit_code == 0
    lost = run("verify", "--contains", "f" * 64, "--store", url)
    assert isinstance(lost.exception, RoadsteadError)
    assert lost.exception.exit_code == 3
    import sqlite3

    with sqlite3.connect(tmp_path / "store.sqlite") as connection:
        connection.execute("DROP TRIGGER decisions_no_update")
        connection.execute("UPDATE decisions SET note = 'forged' WHERE seq = 4")
    connection.close()
    wrong = run("verify", "--json", "--store", url)
    assert "decision 4 (ana, d5)" in str(wrong.exception)
    assert json.loads(wrong.output)["faults"][0].startswith("decision 4")


def test_labels_at_the_terminal(store: Store, url: str, tmp_path: Path) -> None:
    none = run("labels", "-o", str(tmp_path / "l.geojson"), "--store", url)
    assert isinstance(none.exception, BadInputError)
    some(store)
    assert run("labels", "-o", str(tmp_path / "l.geojson"), "--store", url).exit_code == 0
    assert len(json.loads((tmp_path / "l.geojson").read_text())["features"]) == 5
