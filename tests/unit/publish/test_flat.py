"""What is written comes back: rows, places within a centimetre, attributes with their types."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest

from roadstead.ais import read_ais
from roadstead.core.atomic_files import text_of_cell
from roadstead.core.errors import StoreError
from roadstead.core.geo import distance_m
from roadstead.core.leads import with_lead_kind
from roadstead.publish import (
    port_layers,
    positions_table,
    tracks_table,
    write_flat,
    write_geojson_products,
    write_port_geopackage,
)
from roadstead.publish.formats.flat import csv_text, typed, write_flatgeobuf, write_geoparquet
from roadstead.publish.formats.layers import LAYERS
from tests.unit.builders import detections
from tests.unit.publish import builders as e
from tests.unit.publish.roundtrip import CENTIMETRE, assert_same, assert_same_column
from tests.unit.store import builders as b


def layers() -> dict[str, gpd.GeoDataFrame]:
    return {name: typed(table) for name, table in port_layers(e.port_report()).items()}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("kind", ["geoparquet", "flatgeobuf"])
def test_rows_places_and_attributes_come_back(tmp_path: Path, kind: str, name: str) -> None:
    written = layers()[name]
    (path,) = write_flat(tmp_path, "nampo", {name: written}, kind)
    read = gpd.read_parquet(path) if kind == "geoparquet" else gpd.read_file(path)
    assert len(read) == len(written) > 0
    assert read.crs == "EPSG:4326"
    assert_same(read, written)


@pytest.mark.parametrize("name", LAYERS)
def test_rows_places_and_attributes_come_back_from_geojson_and_geopackage(tmp_path: Path, name: str) -> None:
    report, written = e.port_report(), layers()
    tables = (
        report.port,
        report.detections,
        with_lead_kind(report.matches),
        report.counts,
        written["tracks"],
    )
    write_geojson_products(tmp_path, *tables)
    path = write_port_geopackage(tmp_path / "nampo.gpkg", *tables)
    for read in (gpd.read_file(tmp_path / f"nampo-{name}.geojson"), gpd.read_file(path, layer=name)):
        assert len(read) == len(written[name]) > 0
        assert_same(read, written[name])


@pytest.mark.parametrize("kind", ["geoparquet", "flatgeobuf", "csv"])
def test_nothing_found_is_a_file_without_rows(tmp_path: Path, kind: str) -> None:
    none = replace(
        e.port_report(), detections=detections([]), matches=b.matches([]), positions=e.positions()[:0]
    )
    paths = write_flat(tmp_path, "nampo", port_layers(none), kind)
    assert len(paths) == len(LAYERS)
    assert all(path.stat().st_size for path in paths)
    if kind == "flatgeobuf":
        assert pyogrio.read_info(paths[0], force_feature_count=True)["features"] == 0


def test_geoparquet_says_its_version_and_holds_a_bbox_for_fast_reading(tmp_path: Path) -> None:
    path = write_geoparquet(e.hulls(), tmp_path / "a.parquet")
    told = pq.read_schema(path).metadata[b"geo"]
    assert b'"version": "1.1.0"' in told
    assert len(gpd.read_parquet(path, bbox=(125.2, 38.6, 125.26, 38.68))) == 1


def test_a_csv_has_lon_and_lat_first_and_no_geometry(tmp_path: Path) -> None:
    paths = write_flat(tmp_path, "nampo", {**layers(), "positions": positions_table(e.positions())}, "csv")
    for path in paths:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0])[:2] == ["lon", "lat"]
        assert "geometry" not in rows[0]
        assert not any("POLYGON" in text or "POINT" in text for row in rows for text in row.values())
    with (tmp_path / "nampo-detections.csv").open(newline="", encoding="utf-8-sig") as file:
        first = next(csv.DictReader(file))
    assert set(first) == set(e.hulls().columns) - {"geometry"}
    assert (first["moving"], first["simulated"], first["bow_deg"]) == ("true", "true", "")
    assert first["acquired"] == "2020-11-03T02:25:41.000000Z"
    placed = np.array([[float(first["lon"]), float(first["lat"])]])
    assert distance_m(placed, np.array([[e.HULL_LON, e.HULL_LAT]]))[0] < CENTIMETRE


@pytest.mark.parametrize("name", ["detections", "matches", "counts", "zones"])
def test_every_value_of_a_csv_comes_back(tmp_path: Path, name: str) -> None:
    written = layers()[name].drop(columns=["geometry", "lon", "lat"], errors="ignore")
    (path,) = write_flat(tmp_path, "nampo", {name: layers()[name]}, "csv")
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = [{name: text_of_cell(cell) for name, cell in row.items()} for row in csv.DictReader(file)]
    read = pd.read_csv(io.StringIO(pd.DataFrame(rows).to_csv(index=False)), dtype={"mmsi": str})
    assert set(read.columns) == {"lon", "lat", *written.columns}
    for column in written.columns:
        empty_is_null = (
            written[column]
            .astype(object)
            .map(lambda value: None if isinstance(value, str) and not value else value)
        )
        kept = written[column] if isinstance(written[column].dtype, pd.DatetimeTZDtype) else empty_is_null
        assert_same_column(read[column], kept)


def test_text_in_a_csv_is_no_formula() -> None:
    table = positions_table(e.positions().assign(source='=HYPERLINK("http://x")'))
    assert "\"'=HYPERLINK" in csv_text(table)


def test_a_csv_begins_with_the_mark_by_which_spreadsheets_know_utf_8_and_its_mmsi_are_text(
    tmp_path: Path,
) -> None:
    table = positions_table(e.positions().assign(source="锚地 ÅLAND"))
    (path,) = write_flat(tmp_path, "nampo", {"positions": table}, "csv")
    text = path.read_bytes().decode("utf-8-sig")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf") and "锚地 ÅLAND" in text
    assert all(row["mmsi"].startswith("'4") for row in csv.DictReader(io.StringIO(text)))


def test_positions_that_were_exported_are_read_as_the_ais_that_they_were(tmp_path: Path) -> None:
    told = e.positions()
    (path,) = write_flat(tmp_path, "nampo", {"positions": positions_table(told)}, "csv")
    read = read_ais([path])
    assert read.quarantine.empty
    columns = ["mmsi", "time", "lon", "lat", "sog_kn", "cog_deg", "heading_deg", "nav_status", "ais_class"]
    wanted = told.sort_values(["mmsi", "time"], ignore_index=True)[columns]
    found = read.positions.sort_values(["mmsi", "time"], ignore_index=True)[columns]
    pd.testing.assert_frame_equal(found, wanted, check_dtype=False)


def test_a_track_holds_every_report_of_one_vessel_near_one_overpass_in_order() -> None:
    later = e.positions().assign(overpass_id=e.BLIND)
    mixed = pd.concat([later, e.positions()[::-1]], ignore_index=True)
    table = tracks_table(mixed)
    assert [(row.overpass_id, row.mmsi, row.reports) for row in table.itertuples()] == [
        (e.SEEN, "412000001", 2),
        (e.SEEN, "413000002", 1),
        (e.BLIND, "412000001", 2),
        (e.BLIND, "413000002", 1),
    ]
    assert list(table.geometry.iloc[0].coords) == [(125.30, 38.70), (125.31, 38.70)]
    assert table.geometry.iloc[1].length == 0.0
    assert table["first"].iloc[0] < table["last"].iloc[0]


def test_a_rerun_gives_the_same_bytes(tmp_path: Path) -> None:
    for kind in ("geoparquet", "flatgeobuf", "csv"):
        first = [p.read_bytes() for p in write_flat(tmp_path, "nampo", layers(), kind)]
        assert [p.read_bytes() for p in write_flat(tmp_path, "nampo", layers(), kind)] == first


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file, not a folder")
    with pytest.raises(StoreError, match=r"out/a\.fgb: cannot be written"):
        write_flatgeobuf(e.hulls(), tmp_path / "out" / "a.fgb")
    assert [found.name for found in tmp_path.iterdir()] == ["out"]
