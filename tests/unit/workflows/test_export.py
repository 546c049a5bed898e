"""Every format from one store, with one set of filters."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import pytest
from typer.testing import CliRunner

from roadstead.apps.cli.main import app
from roadstead.core.errors import BadInputError, UsageError
from roadstead.publish import Filters
from roadstead.store import Store
from roadstead.workflows.export import DEFAULT_FORMATS, FORMATS, export_ports, week_briefs
from tests.unit.apps.desk import builders as r
from tests.unit.builders import ACQUIRED, detection, detections
from tests.unit.publish import builders as e
from tests.unit.store import builders as b

FIRST, LAST = datetime(2020, 11, 1, tzinfo=UTC), datetime(2020, 11, 30, tzinfo=UTC)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return a store of two overpasses of two hulls; one hull of the second was dropped."""
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    with Store.open(url) as store:
        b.put(store, with_ais=True)
        late = ACQUIRED + timedelta(days=5)
        key = {"overpass_id": "nampo_s2_20201108T022541"}
        dropped = detection(3, lon=125.4, zone=None, dropped_because="fixed_structure", **key)
        b.put(
            store,
            b.overpass(key["overpass_id"], b.scene("S2A_LATER", late)),
            detections=detections([detection(2, **key), dropped]),
            matches=b.matches([{**key, "detection_id": "d2", "status": "no_ais_partner"}]),
            positions=b.positions()[:1],
            chips={},
            with_ais=True,
        )
    return url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened


def ids(path: Path) -> set[str]:
    return set(gpd.read_file(path)["detection_id"])


def test_every_format_is_written(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "out"
    written = export_ports(store, [e.port()], FIRST, LAST, out, FORMATS)
    assert all(path.is_file() for path in written)
    assert sorted(path.name for path in out.iterdir()) == [
        *("nampo-brief.html", "nampo-brief.pdf"),
        *("nampo-counts.csv", "nampo-counts.fgb", "nampo-counts.geojson", "nampo-counts.parquet"),
        *("nampo-cues.csv", "nampo-cues.geojson"),
        *(
            "nampo-detections.csv",
            "nampo-detections.fgb",
            "nampo-detections.geojson",
            "nampo-detections.parquet",
        ),
        "nampo-kmz",
        *("nampo-matches.csv", "nampo-matches.fgb", "nampo-matches.geojson", "nampo-matches.parquet"),
        "nampo-positions.csv",
        "nampo-stac",
        *("nampo-tracks.fgb", "nampo-tracks.geojson", "nampo-tracks.parquet"),
        *("nampo-zones.csv", "nampo-zones.fgb", "nampo-zones.geojson", "nampo-zones.parquet"),
        *("nampo.gpkg", "nampo.qgz", "report.html"),
    ]
    assert set(DEFAULT_FORMATS) < set(FORMATS)


def test_positions_come_with_the_overpass_they_were_kept_for(store: Store) -> None:
    table = store.evidence("nampo")
    assert table.groupby("overpass_id").size().to_dict() == {b.OVERPASS_ID: 2, "nampo_s2_20201108T022541": 1}


def test_the_same_rows_are_left_in_every_format(store: Store, tmp_path: Path) -> None:
    formats = ("geojson", "gpkg", "geoparquet", "flatgeobuf", "csv", "kmz", "stac", "cue", "report")
    kept = Filters(statuses=("no_ais_partner",))
    export_ports(store, [e.port()], FIRST, LAST, tmp_path, formats, filters=kept)
    wanted = {"d2"}
    assert ids(tmp_path / "nampo-detections.geojson") == ids(tmp_path / "nampo-detections.fgb") == wanted
    assert set(gpd.read_file(tmp_path / "nampo.gpkg", layer="detections")["detection_id"]) == wanted
    assert set(gpd.read_parquet(tmp_path / "nampo-detections.parquet")["detection_id"]) == wanted
    for name in ("detections", "cues"):
        with (tmp_path / f"nampo-{name}.csv").open(newline="", encoding="utf-8-sig") as file:
            assert {row["detection_id"] for row in csv.DictReader(file)} == wanted
    assert {path.stem for path in (tmp_path / "nampo-kmz").iterdir()} == wanted
    stac = [json.loads(path.read_text()) for path in (tmp_path / "nampo-stac").rglob("detections.geojson")]
    assert {f["properties"]["detection_id"] for d in stac for f in d["features"]} == wanted
    report = (tmp_path / "report.html").read_text()
    assert "status no_ais_partner" in report


def test_unfiltered_adds_what_was_dropped_with_its_reason(store: Store, tmp_path: Path) -> None:
    export_ports(store, [e.port()], FIRST, LAST, tmp_path, ("geoparquet",), unfiltered=True)
    table = gpd.read_parquet(tmp_path / "nampo-detections.parquet").set_index("detection_id")
    assert table["dropped_because"].to_dict() == {"d0": None, "d1": None, "d2": None, "d3": "fixed_structure"}
    export_ports(store, [e.port()], FIRST, LAST, tmp_path, ("geoparquet",))
    assert len(gpd.read_parquet(tmp_path / "nampo-detections.parquet")) == 3


def test_a_time_range_holds_for_every_layer(store: Store, tmp_path: Path) -> None:
    export_ports(store, [e.port()], FIRST, ACQUIRED + timedelta(days=1), tmp_path, ("geoparquet",))
    for name in ("detections", "matches", "counts", "tracks"):
        table = gpd.read_parquet(tmp_path / f"nampo-{name}.parquet")
        assert set(table["overpass_id"]) == {b.OVERPASS_ID}


def test_what_cannot_be_is_said(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="choose from"):
        export_ports(store, [e.port()], FIRST, LAST, tmp_path, ("shapefile",))
    with pytest.raises(UsageError, match="did you mean nampo/roads"):
        export_ports(store, [e.port()], FIRST, LAST, tmp_path, ("csv",), filters=Filters(zones=("road",)))
    with pytest.raises(BadInputError, match="holds nothing"):
        export_ports(store, [e.port()], LAST, LAST + timedelta(days=1), tmp_path)


def test_the_command_takes_the_filters(url: str, tmp_path: Path) -> None:
    given = ["export", "nampo", "--from", "2020-11-01", "--to", "2020-11-30", "-o", str(tmp_path / "out")]
    wanted = ["--format", "csv", "--format", "cue", "--status", "no_ais_partner", "--class", "bulk_carrier"]
    told = CliRunner().invoke(
        app, [*given, *wanted, "--min-probability", "0.5", "--store", url, "--json"], catch_exceptions=False
    )
    assert told.exit_code == 0, told.output
    paths = [Path(text) for text in json.loads(told.stdout)]
    assert {path.name for path in paths} >= {"nampo-detections.csv", "nampo-cues.csv"}
    with (tmp_path / "out" / "nampo-detections.csv").open(newline="", encoding="utf-8-sig") as file:
        assert [row["detection_id"] for row in csv.DictReader(file)] == ["d2"]


def test_a_brief_is_written_of_each_port_that_had_a_pass_in_the_week(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        r.fill(store)
        end = ACQUIRED + timedelta(days=3)
        written = week_briefs(store, [e.port()], end, tmp_path / "out")
        assert [path.name for path in written] == ["nampo-brief.html", "nampo-brief.pdf"]
        page = written[0].read_text()
        assert "1 of 2</b> passes that say something of ships" in page
        assert "asset red: HTTP 403" in page
        assert week_briefs(store, [e.port()], end - timedelta(days=30), tmp_path / "none") == []
        assert not (tmp_path / "none").exists()
