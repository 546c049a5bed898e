"""A dossier: all that is known of a finding, the same bytes each time, and no word that accuses."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from roadstead.apps.cli.main import app
from roadstead.core.errors import BadInputError, UsageError
from roadstead.core.schemas import STATUSES
from roadstead.core.wording import EXPLANATIONS
from roadstead.imagery import open_item
from roadstead.publish.dossier import dossier_files
from roadstead.publish.dossier.text import ELSE
from roadstead.publish.wording import check_words
from roadstead.reconcile import CONFLICTS, REASONS
from roadstead.store import GENESIS, Asking, Decisions, Leads, People, Releases, Store, Verdict, evidence_of
from roadstead.store.chain import digest
from roadstead.workflows.dossier import Asked, find_findings, make_dossier
from tests import builders
from tests.unit.builders import ACQUIRED, detection, detections
from tests.unit.store import builders as b

NAME = "ILLEGAL <DARK SHIP>"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FILES = {
    "dossier.html",
    "dossier.pdf",
    "finding.geojson",
    "chip.png",
    "ais-positions.csv",
    "ais-static.csv",
    "decisions.json",
}


def put(store: Store, item: Path | None = None, lon: float = 125.3, lat: float = 38.7) -> None:
    """Store an overpass of a matched hull, whose vessel has a name of its own choice, and of another hull."""
    taken = b.overpass()
    if item is not None:
        scene = replace(open_item(str(item)), scene_id="S2A_TEST", acquired=taken.acquired, simulated=True)
        taken = replace(taken, scenes=(scene,))
    key = {"overpass_id": b.OVERPASS_ID}
    codes = {"reasons": "position_fits,stale_report", "conflicts": "length"}
    b.put(
        store,
        taken,
        detections=detections([detection(0, lon, lat, **key), detection(1, lon=125.4, zone=None, **key)]),
        matches=b.matches(
            [
                {
                    **key,
                    "detection_id": "d0",
                    "mmsi": "412000001",
                    "status": "matched",
                    "distance_m": 31.0,
                    **codes,
                },
                {
                    **key,
                    "detection_id": "d1",
                    "zone": None,
                    "status": "no_ais_partner",
                    "reasons": "no_vessel_fits",
                },
            ]
        ),
        vessels=b.vessels().assign(name=NAME, destination="NAMPO\n<b>VIOLATION</b>"),
        with_ais=True,
    )


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    with Store.open(url) as store:
        put(store)
    return url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


def test_a_dossier_holds_everything_and_lists_the_checksum_of_each_file(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "out"
    written = make_dossier(store, ["d0"], out)
    assert {path.name for path in written} == {*FILES, "manifest.json"}
    manifest = json.loads((out / "manifest.json").read_text())
    assert set(manifest["sha256"]) == {f"d0/{name}" for name in FILES}
    for name, expected in manifest["sha256"].items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == expected
    (origin,) = manifest["findings"]
    assert (origin["scene_id"], origin["processing_baseline"], origin["model_id"]) == (
        "S2A_TEST",
        "05.00",
        "test-model",
    )
    assert origin["model_sha256"] == "a" * 64
    assert origin["threshold"] == 0.4
    assert origin["simulated"] is True
    assert {"numpy", "rasterio", "fpdf2"} <= set(manifest["libraries"])


def test_rebuilt_from_the_store_it_is_the_same_byte_for_byte(url: str, tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        with Store.open(url) as store:
            make_dossier(store, ["d0", "d1"], tmp_path / name)
            (packed,) = make_dossier(store, ["d0", "d1"], tmp_path / f"{name}.zip")
        files = {
            p.relative_to(tmp_path / name): p.read_bytes()
            for p in (tmp_path / name).rglob("*")
            if p.is_file()
        }
        made.append((files, packed.read_bytes()))
    assert made[0] == made[1]
    with zipfile.ZipFile(io.BytesIO(made[0][1])) as archive:
        assert {Path(name): archive.read(name) for name in archive.namelist()} == made[0][0]


def test_every_reason_stands_in_words_with_what_else_could_explain_it(store: Store, tmp_path: Path) -> None:
    files = dossier_files(find_findings(store, ["d0", "d1"]), REASONS, CONFLICTS)
    page = files["d0/dossier.html"].decode()
    for text in (REASONS["position_fits"], REASONS["stale_report"], CONFLICTS["length"], *ELSE["matched"]):
        assert text in page
    other = files["d1/dossier.html"].decode()
    assert REASONS["no_vessel_fits"] in other
    assert all(text in other for text in ELSE["no_ais_partner"])
    assert "a lead with a probability, never a verdict" in page
    assert "UTC at Nampo, " in page
    assert set(ELSE) == set(STATUSES)


def test_a_declared_name_is_quoted_whatever_it_says_and_nothing_else_accuses(store: Store) -> None:
    (finding,) = find_findings(store, ["d0"])
    page = dossier_files([finding], REASONS, CONFLICTS)["d0/dossier.html"].decode()
    assert "“ILLEGAL &lt;DARK SHIP&gt;”" in page
    assert "<DARK SHIP>" not in page and "<b>VIOLATION" not in page
    check_words(page, finding.declared)
    assert page.upper().count("DARK SHIP") == 1


def test_what_was_decided_stands_in_it_with_the_head_of_the_chain(store: Store) -> None:
    told = Decisions(store)
    before = dossier_files(find_findings(store, ["d0"]), REASONS, CONFLICTS)
    assert json.loads(before["d0/decisions.json"]) == {"rows": 0, "head": GENESIS, "about": []}
    assert "Nobody has decided anything" in before["d0/dossier.html"].decode()
    given = {"port": "nampo", "overpass_id": b.OVERPASS_ID, "evidence": {"length_m": 150}, "simulated": True}
    note = "an illegal <b> smuggler? no: a crane"
    first = told.add(
        Verdict("rejected", finding="d0", note=note, because="no_vessel", **given), "ana", NOW, after=0
    )
    last = told.add(Verdict("accepted", finding="d1", **given), "ben", NOW, after=0)
    files = dossier_files(find_findings(store, ["d0"]), REASONS, CONFLICTS)
    log = json.loads(files["d0/decisions.json"])
    assert (log["rows"], log["head"]) == (2, last.sha256)
    (row,) = log["about"]
    assert (row["sha256"], row["user_name"], row["note"]) == (first.sha256, "ana", note)
    again = {**row, "decided": datetime.fromisoformat(row["decided"])}
    assert digest(again) == first.sha256, "whoever holds the file can check the row"
    page = files["d0/dossier.html"].decode()
    assert (
        last.sha256 in page
        and first.sha256 in page
        and "“an illegal &lt;b&gt; smuggler? no: a crane”" in page
    )
    assert json.loads(files["manifest.json"])["findings"][0]["decisions"] == {"rows": 2, "head": last.sha256}


def test_a_box_drawn_anew_is_told_beside_the_one_found(store: Store) -> None:
    row = Leads(store).one("nampo", "d0")
    assert row is not None
    drawn = "POLYGON ((125.3 38.7, 125.3023 38.7, 125.3023 38.7003, 125.3 38.7003, 125.3 38.7))"
    verdict = Verdict(
        "corrected", "nampo", b.OVERPASS_ID, "d0", evidence_of(row), simulated=True, geometry=drawn
    )
    assert find_findings(store, ["d0"], Asked(imagery=False))[0].drawn == ""
    made = Decisions(store).add(verdict, "ana", NOW, after=0)
    (found,) = find_findings(store, ["d0"], Asked(imagery=False))
    assert re.fullmatch(r"\d+ × \d+ m, axis \d+° then 200 × 33 m, axis 90°, middle moved \d+ m", found.drawn)
    assert found.drawn in dossier_files([found], REASONS, CONFLICTS)["d0/dossier.html"].decode()
    Decisions(store).undo(made.seq, "ana", NOW)
    assert find_findings(store, ["d0"], Asked(imagery=False))[0].drawn == ""


def test_what_a_ship_types_in_is_no_formula_in_a_table(store: Store) -> None:
    (found,) = find_findings(store, ["d0"], Asked(imagery=False))
    named = replace(found, vessels=found.vessels.assign(name='=HYPERLINK("http://x")', destination="+1"))
    files = dossier_files([named], REASONS, CONFLICTS)
    (static,) = [
        content.decode("utf-8-sig") for name, content in files.items() if name.endswith("ais-static.csv")
    ]
    rows = list(csv.DictReader(io.StringIO(static)))
    assert rows and {row["name"][0] for row in rows} == {row["destination"][0] for row in rows} == {"'"}


def test_the_page_asks_no_host_for_anything_and_says_simulated(store: Store) -> None:
    page = dossier_files(find_findings(store, ["d0"]), REASONS, CONFLICTS)["d0/dossier.html"].decode()
    assert "http" not in page and "<script" not in page
    assert page.count("SIMULATED") >= 2


def test_the_pdf_is_one_and_the_chip_is_that_of_the_store(store: Store) -> None:
    files = dossier_files(find_findings(store, ["d0"]), REASONS, CONFLICTS)
    pdf = files["d0/dossier.pdf"]
    assert pdf.startswith(b"%PDF-")
    streams = re.findall(rb"/FlateDecode.*?stream\n(.*?)\nendstream", pdf, flags=re.DOTALL)
    text = b"\n".join(zlib.decompress(stream) for stream in streams)
    for words in (b"SIMULATED", b"a lead with a probability, never a verdict", b"What else could explain it"):
        assert words in text
    assert np.array_equal(
        np.asarray(Image.open(io.BytesIO(files["d0/chip.png"]))), store.chips("nampo", b.OVERPASS_ID)["d0"]
    )


def test_ais_that_may_not_be_passed_on_is_left_out_everywhere_and_counted(
    store: Store, tmp_path: Path
) -> None:
    for source in ("test", "all"):
        files = dossier_files(find_findings(store, ["d0"], Asked((source,))), REASONS, CONFLICTS)
        assert {name for name in files if "ais" in name} == set()
        assert not any(b"DARK" in content for content in files.values())
        origin = json.loads(files["manifest.json"])["findings"][0]
        assert origin["ais_rows_withheld"] == {"test": 3}
        assert "3 rows of AIS source “test” are left out" in files["d0/dossier.html"].decode()
    kept = dossier_files(find_findings(store, ["d0"], Asked(("other",))), REASONS, CONFLICTS)
    assert len(list(csv.DictReader(io.StringIO(kept["d0/ais-positions.csv"].decode())))) == 2


def test_pixels_and_item_are_there_where_the_scene_can_still_be_read(tmp_path: Path) -> None:
    frame = builders.grid(120, 100)
    item = builders.write_item(tmp_path / "scene", "S2", frame, builders.water(frame))
    at = builders.area(frame, 60, 50, 61, 51).centroid
    with Store.open(f"sqlite:///{tmp_path / 'pixels.sqlite'}") as store:
        put(store, item, at.x, at.y)
        files = dossier_files(find_findings(store, ["d0"]), REASONS, CONFLICTS)
        assert dossier_files(find_findings(store, ["d0"]), REASONS, CONFLICTS) == files
        assert json.loads(files["d0/item.json"])["id"] == "S2"
        assert files["d0/pixels.tif"][:2] in (b"II", b"MM")
        assert "Its item is the one that was used" in files["d0/dossier.html"].decode()
        for path in (tmp_path / "scene").rglob("*"):
            if path.is_file():
                path.unlink()
        gone = dossier_files(find_findings(store, ["d0"]), REASONS, CONFLICTS)
    assert "d0/pixels.tif" not in gone
    assert "could not be read again" in gone["d0/dossier.html"].decode()
    assert str(tmp_path) not in gone["manifest.json"].decode() + gone["d0/dossier.html"].decode()


def test_a_folder_of_something_else_is_left_alone_and_one_of_ours_is_made_anew(
    store: Store, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="something else"):
        make_dossier(store, ["d0"], other)
    assert (other / "thesis.txt").read_text() == "mine"
    make_dossier(store, ["d0", "d1"], tmp_path / "out")
    make_dossier(store, ["d1"], tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["d1", "manifest.json"]
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="of no dossier"):
        make_dossier(store, ["d1"], tmp_path / "out")


def test_a_finding_that_is_not_there_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="holds no detection d7"):
        make_dossier(store, ["d0", "d7"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command_writes_a_zip(url: str, tmp_path: Path) -> None:
    told = CliRunner().invoke(
        app,
        ["dossier", "d0", "d1", "-o", str(tmp_path / "a.zip"), "--store", url, "--json"],
        catch_exceptions=False,
    )
    assert (told.exit_code, json.loads(told.stdout)) == (0, [str(tmp_path / "a.zip")])
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {"manifest.json", "d0/dossier.html", "d1/dossier.pdf"} <= set(archive.namelist())
        assert all(entry.date_time == (1980, 1, 1, 0, 0, 0) for entry in archive.infolist())


def test_letters_that_the_pdf_lacks_break_nothing(store: Store) -> None:
    (finding,) = find_findings(store, ["d0"])
    named = replace(
        finding, vessels=finding.vessels.assign(name="海龙 7", time=pd.Timestamp("2020-11-03", tz="UTC"))
    )
    files = dossier_files([named], REASONS, CONFLICTS)
    assert "“海龙 7”" in files["d0/dossier.html"].decode()


def test_what_people_decided_stands_in_it_with_the_head_of_the_chain(store: Store, tmp_path: Path) -> None:
    chain, evidence = Decisions(store), {"status": "matched", "reasons": "", "conflicts": "", "mmsi": None}
    People(store).add("ana", "analyst", "x", ACQUIRED)
    People(store).add("bob", "analyst", "x", ACQUIRED)
    accepted = Verdict(
        "accepted", "nampo", b.OVERPASS_ID, "d0", evidence, True, note="No illegal act is shown."
    )
    chain.add(accepted, "ana", ACQUIRED, after=0)
    considered = {key: ("open", "it may be so") for key in EXPLANATIONS}
    words = "A hull of about 150 m lay in the roads."
    asking = Asking("nampo", b.OVERPASS_ID, "d0", evidence, True, frozenset(), considered, words)
    Releases(store).ask(asking, "ana", ACQUIRED, after=1)
    release = Releases(store).release("nampo", "d0", evidence, "bob", ACQUIRED, asked=2)
    Releases(store).reply(release.id, "The owner", ACQUIRED.date(), "We deny any violation.", "ana", ACQUIRED)
    make_dossier(store, ["d0"], tmp_path / "out")
    told = json.loads((tmp_path / "out" / "d0" / "decisions.json").read_text())
    assert (told["rows"], told["head"]) == (4, chain.verify().head)
    assert [row["kind"] for row in told["about"]] == ["accepted", "asked_release", "released", "reply"]
    page = html.unescape((tmp_path / "out" / "d0" / "dossier.html").read_text())
    for text in (
        told["head"],
        words,
        "“We deny any violation.”",
        "“No illegal act is shown.”",
        "asked release",
    ):
        assert text in page
