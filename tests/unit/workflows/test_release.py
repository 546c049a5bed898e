"""What `roadstead export --released` writes holds no identity and no exact place, byte by byte."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from shapely.geometry import Point
from typer.testing import CliRunner

from roadstead.ais import Source, import_files
from roadstead.ais.archive.store import sources_of
from roadstead.apps.cli.main import app
from roadstead.core.errors import BadInputError, UsageError
from roadstead.core.schemas import POSITIONS
from roadstead.core.wording import EXPLANATIONS
from roadstead.publish import Filters
from roadstead.store import Asking, Decisions, Leads, People, Releases, Store, Verdict, evidence_of
from roadstead.workflows.release import Taker, export_released, identified, redistributable, told_of
from tests.unit.apps.desk import builders as r
from tests.unit.builders import ACQUIRED, detections
from tests.unit.publish import builders as e
from tests.unit.store import builders as b

NOW = r.NOW
NAME, IMO, CALLSIGN, MMSI, OTHER = "OCEAN EXAMPLE", "9074729", "BQXY7", "412000001", "413000002"
EXACT = (125.2543219, 38.6712345)
"""Of the hull d1."""
FORMATS = ("geojson", "gpkg", "csv", "geoparquet")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    lon, lat = EXACT
    declared = b.vessels().assign(name=NAME, imo=IMO, callsign=CALLSIGN)
    hulls = [e.hull(0), e.hull(1, lon, lat), e.hull(2, 125.36, 38.72), e.hull(3, 125.2787654, 38.7123456)]
    table = r.matches()
    table = table[table["detection_id"].isin(["d0", "d1", "d2", "d3"]) | table["detection_id"].isna()].copy()
    table.loc[table["detection_id"] == "d1", ["candidates", "distance_m", "dt_s"]] = [OTHER, 31.25, 240.5]
    table["geometry"] = [
        Point(EXACT) if d == "d1" else g for d, g in zip(table.detection_id, table.geometry, strict=True)
    ]
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as opened:
        r.fill(opened, matches=table.reset_index(drop=True), detections=detections(hulls), vessels=declared)
        r.people(opened)
        yield opened


def release(store: Store, finding: str = "d1", now: datetime = NOW, **changes: Any) -> str:
    """Accept, ask and release a finding; return its id."""
    row = Leads(store).one("nampo", finding)
    assert row is not None
    evidence = evidence_of(row)
    chain, releases = Decisions(store), Releases(store)
    told = chain.of("nampo", finding)
    after = told[-1].seq if told else 0
    verdict = Verdict(
        changes.pop("kind", "accepted"),
        "nampo",
        b.OVERPASS_ID,
        finding,
        evidence,
        True,
        **changes.pop("verdict", {}),
    )
    after = chain.add(verdict, "ana", now, after=after).seq
    codes = frozenset(filter(None, f"{evidence['reasons']},{evidence['conflicts']}".split(",")))
    given = {
        "summary": f"{NAME} ({MMSI}, IMO {IMO}, {CALLSIGN}) may be this hull at 38.67123 N.",
        "considered": {key: ("open", f"MMSI {MMSI} says {NAME.lower()}") for key in EXPLANATIONS},
    }
    asking = Asking("nampo", b.OVERPASS_ID, finding, evidence, True, codes, **{**given, **changes})
    asked = releases.ask(asking, "ana", now, after=after)
    return releases.release("nampo", finding, evidence, "bob", now, asked=asked.seq).id


def export(store: Store, folder: Path, formats: tuple[str, ...] = FORMATS, **changes: Any) -> dict[str, Any]:
    """Export and return the GeoJSON features' properties by permanent id."""
    export_released(store, e.port(), folder, formats, **{"now": NOW, **changes})
    (path,) = folder.glob("*released.geojson")
    features = json.loads(path.read_text())["features"]
    return {f["properties"]["permanent_id"]: {**f["properties"], "geometry": f["geometry"]} for f in features}


def everything(folder: Path) -> bytes:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    assert len(files) >= 4
    flat = [pd.read_parquet(path).to_csv().encode() for path in files if path.suffix == ".parquet"]
    return b"\n".join([*(path.read_bytes() for path in files), *flat])


def test_no_identity_and_no_exact_place_in_any_byte(store: Store, tmp_path: Path) -> None:
    name = release(store, "d1")
    vessel = release(store, f"{OTHER}@{b.OVERPASS_ID}")
    releases = Releases(store)
    reply = f"{NAME} was in dock. Call {CALLSIGN} or 412-000-001. Position 38.6712345, 125.2543219."
    releases.reply(name, f"Master of {NAME}", date(2026, 2, 27), reply, "ana", NOW)
    row = export(store, tmp_path / "out")[name]
    content = everything(tmp_path / "out")
    for words in (NAME, NAME.lower(), NAME.title(), IMO, CALLSIGN, MMSI, OTHER, "412 000 001", "412-000-001"):
        assert words.encode() not in content, words
    for coordinate in EXACT:
        for text in (f"{coordinate:.3f}", str(coordinate)[:-4], str(coordinate)[:-1], str(coordinate)):
            assert text.encode() not in content, text
        assert struct.pack("<d", coordinate) not in content
    for hidden in ("d1", "ana", "bob", b.OVERPASS_ID, "S2A_TEST", "31.25", "240.5"):
        assert f'"{hidden}"'.encode() not in content
        assert f",{hidden},".encode() not in content
    assert row["geometry"] == {"type": "Point", "coordinates": [125.25, 38.67]}
    assert (row["lon"], row["lat"], row["redacted"], row["simulated"]) == (125.25, 38.67, True, True)
    assert row["note"].startswith("SIMULATED")
    assert row["state"] == "released"
    assert "verbatim" in row["replies"]
    assert "was in dock" in row["replies"]
    assert row["acquired"].startswith("2020-11-03")
    table = gpd.read_file(tmp_path / "out" / "nampo-released.gpkg", layer="released").to_crs("EPSG:4326")
    places = dict(zip(table["permanent_id"], table.geometry, strict=True))
    assert places[name].distance(Point(125.25, 38.67)) < 1e-7
    assert places[vessel].distance(Point(125.30, 38.73)) < 1e-7
    assert set(pd.read_csv(tmp_path / "out" / "nampo-released.csv")["permanent_id"]) == {name, vessel}


def test_files_agree_with_each_other(store: Store, tmp_path: Path) -> None:
    release(store, "d1")
    gone = release(store, "d0")
    Releases(store).retract(gone, "The hull is a pier that is on the chart.", "bob", NOW)
    export(store, tmp_path)
    json_rows = gpd.read_file(tmp_path / "nampo-released.geojson").sort_values("permanent_id")
    packed = gpd.read_file(tmp_path / "nampo-released.gpkg", layer="released").sort_values("permanent_id")
    parquet = gpd.read_parquet(tmp_path / "nampo-released.parquet").sort_values("permanent_id")
    flat = pd.read_csv(tmp_path / "nampo-released.csv").sort_values("permanent_id")
    for table in (packed, parquet, flat):
        for column in ("permanent_id", "state", "summary", "lon", "length_m", "retraction"):
            assert table[column].fillna("-").tolist() == json_rows[column].fillna("-").tolist(), column
    assert parquet.geometry.isna().sum() == packed.geometry.isna().sum() == 1


def test_only_what_was_released_goes_out(store: Store, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="nothing of nampo was released"):
        export(store, tmp_path)
    row = Leads(store).one("nampo", "d0")
    assert row is not None
    Decisions(store).add(
        Verdict("accepted", "nampo", b.OVERPASS_ID, "d0", evidence_of(row), True), "ana", NOW, after=0
    )
    name = release(store, "d1")
    assert set(export(store, tmp_path)) == {name}


def test_a_young_image_waits_seven_days(store: Store, tmp_path: Path) -> None:
    name = release(store, "d1")
    week = timedelta(days=7)
    young = export_released(store, e.port(), tmp_path / "out", now=ACQUIRED + week - timedelta(seconds=1))
    assert (young.rows, young.withheld) == (0, 1)
    assert "1 not yet: their images are younger than 7 days" in told_of(young)
    assert name.encode() not in b"".join(p.read_bytes() for p in (tmp_path / "out").iterdir())
    assert name in export(store, tmp_path / "out", now=ACQUIRED + week)
    taker = Taker("ana", "command line")
    assert export_released(store, e.port(), tmp_path / "out", now=ACQUIRED, taker=taker).rows == 1


def test_corrections_and_retractions_stand_in_every_later_export(store: Store, tmp_path: Path) -> None:
    first = release(store, "d1")
    second = release(store, "d0")
    again = release(
        store, "d1", kind="corrected", verdict={"hull_class": "other_vessel"}, corrects=first,
        changed="The class was wrong; see 38.67123 N.", summary="A hull of about 150 m, of another class.",
    )  # fmt: skip
    assert again == first
    Releases(store).retract(second, f"It is the pier of {NAME}.", "bob", NOW)
    for filters in (Filters(), Filters(statuses=("unseen",)), Filters(min_probability=0.99)):
        rows = export(store, tmp_path, filters=filters)
        assert rows[second]["state"] == "retracted"
        assert rows[second]["retraction"] == "It is the pier of [withheld]."
        assert rows[second]["retracted"].startswith("2026-03-01")
        empty = (
            "summary",
            "status",
            "geometry",
            "lon",
            "length_m",
            "acquired",
            "other_explanations",
            "reasons",
        )
        assert all(rows[second][name] is None for name in empty)
    rows = export(store, tmp_path)
    assert rows[first]["state"] == "corrected"
    assert rows[first]["class_by_analyst"] == "other_vessel"
    assert rows[first]["corrections"] == "2026-03-01: The class was wrong; see [withheld] N."
    assert rows[first]["summary"] == "A hull of about 150 m, of another class."


DRAWN = "POLYGON ((125.3 38.7, 125.3023 38.7, 125.3023 38.7003, 125.3 38.7003, 125.3 38.7))"
"""About 200 m by 33 m, and 5 km from where the hull was found."""


@pytest.mark.parametrize("taker", [None, Taker("bob", "command line")])
def test_a_box_drawn_anew_goes_out_as_drawn_and_says_so(
    store: Store, tmp_path: Path, taker: Taker | None
) -> None:
    name = release(store, "d1", kind="corrected", verdict={"geometry": DRAWN})
    left = release(store, "d3")
    export_released(store, e.port(), tmp_path, FORMATS[:2], now=NOW, taker=taker)
    (path,) = tmp_path.glob("*released.geojson")
    rows = {f["properties"]["permanent_id"]: f for f in json.loads(path.read_text())["features"]}
    told = rows[name]["properties"]
    assert told["box_by"] == "analyst"
    assert 199 < told["length_m"] < 201 and 32 < told["beam_m"] < 35
    assert told["length_low_m"] is None and told["length_high_m"] is None, (
        "nobody measured how sure a drawing is"
    )
    place = (125.3, 38.7) if taker is None else (125.30115, 38.70015)
    assert rows[name]["geometry"]["coordinates"] == pytest.approx(place, abs=1e-9)
    as_found = rows[left]["properties"]
    assert as_found["box_by"] == "model" and as_found["length_low_m"] < as_found["length_m"]
    if taker is not None:
        assert told["axis_deg"] == pytest.approx(90.0, abs=0.2)
        table = gpd.read_file(tmp_path / "nampo-unredacted-released.gpkg", layer="boxes").to_crs("EPSG:4326")
        box = table.set_index("permanent_id").loc[name]
        assert box["box_by"] == "analyst"
        assert box.geometry.centroid.distance(Point(125.30115, 38.70015)) < 1e-6


def test_what_is_in_question_goes_out_without_its_content(store: Store, tmp_path: Path) -> None:
    name = release(store, "d1")
    Decisions(store).undo(1, "ana", NOW)
    row = export(store, tmp_path)[name]
    assert row["state"] == "in_question"
    assert row["in_question"] == "the decision that it was released on was taken back"
    assert row["geometry"] is row["summary"] is row["status"] is None


def test_filters_hold(store: Store, tmp_path: Path) -> None:
    first, second = release(store, "d1"), release(store, "d0")
    assert set(export(store, tmp_path, filters=Filters(statuses=("matched",)))) == {first}
    assert set(export(store, tmp_path, filters=Filters(classes=("bulk_carrier",), zones=("roads",)))) == {
        first,
        second,
    }
    assert set(export(store, tmp_path, filters=Filters(min_probability=0.9))) == {first}
    year = (datetime(2021, 1, 1, tzinfo=UTC), datetime(2022, 1, 1, tzinfo=UTC))
    assert export(store, tmp_path, between=year) == {}
    with pytest.raises(UsageError, match="--zone nowhere"):
        export(store, tmp_path, filters=Filters(zones=("nowhere",)))


def test_a_zone_that_would_tell_the_place_is_left_out(store: Store, tmp_path: Path) -> None:
    name = release(store, "d1")
    assert export(store, tmp_path)[name]["zone"] == "nampo/roads"
    small = e.port()
    from dataclasses import replace

    tiny = replace(small.zones[0], polygon=Point(*EXACT).buffer(0.004))
    port = replace(small, zones=(tiny, small.zones[1]))
    export_released(store, port, tmp_path, ("geojson",), now=NOW)
    assert "nampo/roads" not in (tmp_path / "nampo-released.geojson").read_text()


@pytest.mark.parametrize("name", ["report", "kmz", "stac", "qgis", "cue", "flatgeobuf", "exe"])
def test_other_formats_are_refused_with_the_reason(store: Store, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"--format {name} is not for --released.*Choose from geojson"):
        export_released(store, e.port(), tmp_path, ("geojson", name), now=NOW)
    assert list(tmp_path.glob("*.geojson")) == []


def ais_store(folder: Path, **terms: Any) -> Path:
    table = b.positions().assign(source="x")
    path = folder / f"{terms['name']}.csv"
    table[list(POSITIONS.columns)].to_csv(path, index=False)
    import_files([str(path)], folder / "ais", source=Source(**terms))
    return folder / "ais"


def test_ais_goes_out_where_every_import_of_its_source_says_so(tmp_path: Path) -> None:
    assert redistributable(tmp_path / "none") == frozenset()
    folder = ais_store(tmp_path, name="open", redistribute=True)
    ais_store(tmp_path, name="closed", redistribute=False)
    ais_store(tmp_path, name="unsaid")
    assert len(sources_of(folder)) == 3
    assert redistributable(folder) == {"open"}
    ais_store(tmp_path, name="open", redistribute=True, licence="another")
    assert redistributable(folder) == {"open"}


@pytest.mark.parametrize("allowed", [True, False])
def test_unredacted_strips_ais_that_may_not_be_passed_on(store: Store, tmp_path: Path, allowed: bool) -> None:
    name = release(store, "d1", summary="A hull of about 150 m lay in the roads.", considered={
        key: ("open", "it may be so") for key in EXPLANATIONS
    })  # fmt: skip
    folder = ais_store(tmp_path, name="test", redistribute=allowed)
    taker = Taker("ana", "command line")
    row = export(store, tmp_path / "out", taker=taker, ais_store=folder)[name]
    assert row["finding"] == "d1"
    assert row["geometry"]["coordinates"] == list(EXACT)
    assert (tmp_path / "out" / "nampo-unredacted-boxes.geojson").exists()
    told = {
        "mmsi": MMSI,
        "vessel_imos": IMO,
        "vessel_callsigns": CALLSIGN,
        "vessel_names": f"“{NAME}”",
        "dt_s": 240.5,
    }
    for column, value in told.items():
        assert row[column] == (value if allowed else None), column
    assert row["ais_rows_withheld"] == (0 if allowed else 3)
    content = everything(tmp_path / "out")
    assert (MMSI.encode() in content) == allowed
    assert (tmp_path / "out" / "nampo-unredacted-positions.csv").exists() == allowed
    log = Decisions(store).newest(1)[0]
    assert (log.kind, log.user_name, log.more["ids"]) == ("exported", "ana", [name])
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "out").iterdir()
    }
    assert log.more["sha256"] == files
    assert Decisions(store).verify().faults == ()


def test_no_unredacted_file_without_its_row(store: Store, tmp_path: Path) -> None:
    release(store, "d1")
    with pytest.raises(UsageError, match="no analyst or admin"):
        export(store, tmp_path / "out", taker=Taker("vic", "command line"))
    assert list((tmp_path / "out").iterdir()) == []


def test_who_takes_identities_out_is_asked_for_the_password(store: Store) -> None:
    assert identified(store, " ANA ", r.PASSWORD).name == "ana"
    for name, password in (("ana", "wrong"), ("nobody", r.PASSWORD), ("", "")):
        with pytest.raises(UsageError, match="name or password is wrong"):
            identified(store, name, password)
    with pytest.raises(UsageError, match="vic is viewer"):
        identified(store, "vic", r.PASSWORD)
    People(store).disable("bob")
    with pytest.raises(UsageError, match="wrong"):
        identified(store, "bob", r.PASSWORD)


def run(tmp_path: Path, *words: str, given: str | None = None) -> Any:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    call = ["export", "nampo", "--store", url, "-o", str(tmp_path / "out"), *words]
    return CliRunner().invoke(app, call, input=given)


def test_the_command_line(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROADSTEAD_HOME", str(tmp_path / "home"))
    release(store, "d1")
    done = run(tmp_path, "--released")
    assert done.exit_code == 0, done.output
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".geojson", ".gpkg", ".csv"}
    taken = run(
        tmp_path, "--released", "--unredacted", "--user", "ana", "--password-stdin", given=f"{r.PASSWORD}\n"
    )
    assert taken.exit_code == 0, taken.output
    assert (tmp_path / "out" / "nampo-unredacted-released.geojson").exists()
    asked = run(tmp_path, "--released", "--unredacted", "--user", "ada", given=f"{r.PASSWORD}\n")
    assert asked.exit_code == 0, asked.output
    assert [row.user_name for row in Decisions(store).newest(2)] == ["ada", "ana"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--unredacted", "--user", "ana"), "go with --released"),
        (("--released", "--unredacted"), "needs --user"),
        (("--released", "--user", "ana"), "goes with --unredacted"),
        (("--released", "--unfiltered"), "never released"),
        (("--released", "--format", "kmz"), "exact box"),
        (("--released", "--from", "2020-01-01"), "both --from and --to"),
        ((), "give --from and --to"),
        (("--released", "--unredacted", "--user", "ana", "--password-stdin"), "wrong"),
    ],
)
def test_wrong_calls_say_what_is_wrong(
    store: Store, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    release(store, "d1")
    done = run(tmp_path, *words, given="nonsense-nonsense\n")
    assert isinstance(done.exception, UsageError)
    assert told in str(done.exception)
    assert not (tmp_path / "out").exists()
