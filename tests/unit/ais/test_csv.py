"""Tables of publishers we know are read as they are; any other by a column mapping; an unknown one is refused."""

import json
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pytest

from roadstead.ais import AisData, import_files, load_ais, read_ais
from roadstead.core.errors import AisError
from tests.unit.ais.messages import GOOD_IMO, at, write

DMA = (
    "# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading,IMO,Callsign,Name,"
    "Ship type,Cargo type,Width,Length,Type of position fixing device,Draught,Destination,ETA,Data source type,A,B,C,D"
)
DMA_ROW = (
    "03/11/2020 02:20:00,Class A,445111000,38.7,125.2,At anchor,0.0,0.1,360.0,511,9999993,P7TST,GREY HERON,"
    "Cargo,,22,150,GPS,8.1,NAMPO,,AIS,120,30,8,14"
)
CADASTRE = (
    "MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length,Width,Draft,Cargo,"
    "TransceiverClass"
)
CADASTRE_ROW = (
    "445111000,2020-11-03T02:20:00,38.7,125.2,0.1,360.0,511.0,GREY HERON,IMO9999993,P7TST,70,1,"
    "150,22,8.1,70,A"
)
CADASTRE_NEW = (
    "mmsi,base_date_time,longitude,latitude,sog,cog,heading,vessel_name,imo,call_sign,vessel_type,status,length,width,"
    "draft,cargo,transceiver"
)
CADASTRE_NEW_ROW = (
    "445111000,2020-11-03 02:20:00,125.2,38.7,0.1,360.0,511,GREY HERON,IMO9999993,P7TST,70,1,150,22,8.1,70,A"
)
OWN = (
    "mmsi,time,lon,lat,sog_kn,cog_deg,heading_deg,nav_status,ship_type,name,imo,callsign,length_m,beam_m,draught_m,"
    "destination,ais_class"
)
OWN_ROW = (
    "445111000,2020-11-03T02:20:00Z,125.2,38.7,0.1,,,at anchor,70,GREY HERON,9999993,P7TST,150,22,8.1,NAMPO,A"
)


def read(
    tmp_path: Path,
    *lines: str,
    name: str = "ais.csv",
    encoding: str = "utf-8",
    mapping: Any = None,
    **kept: Any,
) -> AisData:
    return read_ais([write(tmp_path / name, lines, encoding)], mapping, **kept)


@pytest.mark.parametrize(
    ("header", "row"),
    [(DMA, DMA_ROW), (CADASTRE, CADASTRE_ROW), (CADASTRE_NEW, CADASTRE_NEW_ROW), (OWN, OWN_ROW)],
    ids=["danish", "marinecadastre", "marinecadastre-2025", "own"],
)
def test_known_tables_are_told_by_their_header_and_read_to_the_same_report(
    tmp_path: Path, header: str, row: str
) -> None:
    data = read(tmp_path, header, row, name="table.dat")
    (report,) = data.positions.to_dict("records")
    assert (report["mmsi"], report["time"]) == ("445111000", at(0))
    assert (report["lon"], report["lat"], report["sog_kn"]) == (125.2, 38.7, 0.1)
    assert pd.isna(report["cog_deg"])
    assert pd.isna(report["heading_deg"])
    assert (report["nav_status"], report["ais_class"], report["source"]) == ("at anchor", "A", "table.dat")
    (vessel,) = data.vessels.to_dict("records")
    assert (vessel["name"], vessel["imo"], vessel["callsign"]) == ("GREY HERON", GOOD_IMO, "P7TST")
    assert (vessel["ship_type"], vessel["flag"]) == (70, "KP")
    assert (vessel["length_m"], vessel["beam_m"], vessel["draught_m"]) == (150.0, 22.0, 8.1)


def test_the_danish_dimensions_give_the_antenna(tmp_path: Path) -> None:
    (vessel,) = read(tmp_path, DMA, DMA_ROW).vessels.to_dict("records")
    assert [vessel[f"to_{side}_m"] for side in ("bow", "stern", "port", "starboard")] == [120, 30, 8, 14]


def test_absent_columns_are_accepted_and_a_table_placed_at_one_moment_is_a_snapshot(tmp_path: Path) -> None:
    header = "# Timestamp,MMSI,Latitude,Longitude,Type of mobile,Ship type,Navigational status,Heading,Width,Length"
    data = read(
        tmp_path,
        header,
        "12/08/2022 10:30:31,2190075,55.0,10.6,Base Station,,Unknown value,,,",
        "12/08/2022 10:30:31,203246646,54.5,10.1,Class B,Pleasure,Unknown value,,4.0,12.0",
        "12/08/2022 10:30:31,219001431,54.6,10.2,Class A,Cargo,Moored,17.0,14.0,104.0",
    )
    assert list(data.positions["ais_class"]) == ["B", "A"]
    assert list(data.stations["mmsi"]) == ["002190075"]
    assert list(data.vessels["ship_type"]) == [37, 70]
    assert {time.isoformat() for time in data.snapshot_times} == {"2022-08-12T10:30:31+00:00"}


@pytest.mark.parametrize(
    "rows",
    [
        ["1,2020-11-03T02:20:00Z,125.2,38.7", "2,2020-11-03T02:20:01Z,125.2,38.7"],
        ["1,2020-11-03T02:20:00Z,125.2,38.7", "1,2020-11-03T02:20:00Z,125.3,38.7"],
        ["1,2020-11-03T02:20:00Z,125.2,38.7"],
    ],
    ids=["two times", "one vessel twice", "one row"],
)
def test_ordinary_reports_are_no_snapshot(tmp_path: Path, rows: list[str]) -> None:
    assert read(tmp_path, "mmsi,time,lon,lat", *rows).snapshot_times == frozenset()


def test_a_snapshot_stays_one_when_its_rows_are_cut_to_a_box(tmp_path: Path) -> None:
    rows = ["1,2020-11-03T02:20:00Z,125.2,38.7", "2,2020-11-03T02:20:00Z,10.0,50.0"]
    data = read(tmp_path, "mmsi,time,lon,lat", *rows, within=(125.0, 38.0, 126.0, 39.0))
    assert len(data.positions) == 1
    assert len(data.snapshot_times) == 1


def test_an_unknown_header_is_refused_with_the_columns_found_and_how_to_map_them(tmp_path: Path) -> None:
    with pytest.raises(AisError, match=r"(?s)ship_no, when_utc.*columns: \{mmsi: THEIR_MMSI") as caught:
        read(tmp_path, "ship_no,when_utc,x,y", "445111000,2020-11-03,125.2,38.7")
    assert "sog_kn" in str(caught.value)


MAPPING = {
    "columns": {"mmsi": "ship_no", "time": "when", "lon": "x", "lat": "y", "sog_kn": "v"},
    "constants": {"source": "provider-x", "ais_class": "B"},
    "time_format": "%d.%m.%Y %H:%M",
    "speed_unit": "m/s",
}


@pytest.mark.parametrize("kind", ["dict", "json", "yaml", "toml"])
def test_any_table_is_read_by_a_mapping_of_columns_constants_and_units(
    tmp_path: Path, kind: str | None
) -> None:
    mapping = MAPPING
    if kind != "dict":
        texts = {
            "json": json.dumps(MAPPING),
            "yaml": json.dumps(MAPPING),
            "toml": 'time_format = "%d.%m.%Y %H:%M"\nspeed_unit = "m/s"\n[columns]\nmmsi = "ship_no"\ntime = "when"\n'
            'lon = "x"\nlat = "y"\nsog_kn = "v"\n[constants]\nsource = "provider-x"\nais_class = "B"\n',
        }
        mapping = write(tmp_path / f"map.{kind}", texts[kind].splitlines())
    data = read(tmp_path, "ship_no;when;x;y;v", "445111000;03.11.2020 02:20;125,2;38,7;4,0", mapping=mapping)
    (report,) = data.positions.to_dict("records")
    assert (report["time"], report["lon"], report["lat"]) == (at(0), 125.2, 38.7)
    assert report["sog_kn"] == pytest.approx(4.0 * 3600 / 1852)
    assert (report["source"], report["ais_class"]) == ("provider-x", "B")


@pytest.mark.parametrize(("unit", "value"), [("s", "1604370000"), ("ms", "1604370000000")])
def test_times_may_be_numbers(tmp_path: Path, unit: str, value: str) -> None:
    mapping = {"columns": {"mmsi": "m", "time": "t", "lon": "x", "lat": "y"}, "time_unit": unit}
    data = read(tmp_path, "m,t,x,y", f"445111000,{value},125.2,38.7", mapping=mapping)
    assert list(data.positions["time"]) == [at(0)]


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        (
            {"mmsi": "ship_no", "time": "when", "lon": "x", "lat": "nope"},
            "names nope, but the columns are: ship_no",
        ),
        ({"mmsi": "ship_no", "time": "when", "lon": "x"}, "does not say which column is lat"),
        ({"mmsi": "ship_no", "speed": "v"}, "we have no column speed"),
        ({"columns": {"mmsi": "ship_no"}, "time_unit": "minutes"}, "time_unit"),
    ],
)
def test_a_wrong_mapping_is_refused_with_what_is_wrong(tmp_path: Path, mapping: Any, says: str) -> None:
    with pytest.raises(AisError, match=says):
        read(tmp_path, "ship_no,when,x,y", "445111000,2020-11-03,125.2,38.7", mapping=mapping)


def test_a_mapping_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(AisError, match=r"gone\.yaml: the column mapping cannot be read"):
        read(tmp_path, OWN, OWN_ROW, mapping=tmp_path / "gone.yaml")


def test_times_in_another_format_are_one_error_that_teaches_the_mapping(tmp_path: Path) -> None:
    with pytest.raises(
        AisError, match=r"ais\.csv: no time can be read: give a column mapping with `time_format`"
    ):
        read(tmp_path, "mmsi,time,lon,lat", "1,at noon,125.2,38.7", "2,at one,125.2,38.7")


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-16", "海安散货船"),
        ("utf-8-sig", "海安散货船"),
        ("gb18030", "海安散货船"),
        ("latin-1", "SJÖFÅGELN"),
    ],
)
def test_other_encodings_are_told_and_read(tmp_path: Path, encoding: str, name: str) -> None:
    rows = [
        OWN_ROW.replace("GREY HERON", f"{name}{n}").replace("02:20:00", f"02:20:{n:02d}") for n in range(20)
    ]
    data = read(tmp_path, OWN, *rows, encoding=encoding)
    assert list(data.vessels["name"]) == [f"{name}{n}" for n in range(20)]


def test_an_encoding_that_cannot_be_told_is_refused_by_name_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "blob.csv"
    path.write_bytes(bytes(range(128, 256)) * 40 + b"\x00\x81\x8d" * 300)
    with pytest.raises(AisError, match=r"blob\.csv"):
        read_ais([path])


def test_an_encoding_named_in_the_mapping_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    mapping = {"columns": {"mmsi": "mmsi", "time": "time"}, "encoding": "klingon"}
    with pytest.raises(AisError, match="no encoding is called 'klingon'"):
        read(tmp_path, OWN, OWN_ROW, mapping=mapping)


def test_a_row_in_a_stray_encoding_is_quarantined_and_the_rest_kept(tmp_path: Path) -> None:
    path = tmp_path / "ais.csv"
    filler = "\n".join(
        OWN_ROW.replace("02:20:00", f"{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}") for n in range(3000)
    )
    path.write_bytes(
        f"{OWN}\n{filler}\n".encode() + OWN_ROW.replace("GREY", "GR\u00d6Y").encode("latin-1") + b"\n"
    )
    data = read_ais([path])
    assert len(data.positions) == 3000
    assert list(data.quarantine["reason"]) == ["not_utf-8_text"]
    assert list(data.quarantine["row"]) == [3002]


def test_rows_with_a_wrong_number_of_columns_are_quarantined_with_their_line(tmp_path: Path) -> None:
    data = read(
        tmp_path,
        OWN,
        OWN_ROW,
        "445111000,2020-11-03T02:20:00Z",
        "",
        OWN_ROW.replace("02:20", "02:30"),
        OWN_ROW + ",,",
    )
    assert len(data.positions) == 2
    assert data.duplicates == 1
    assert data.quarantine[["row", "reason", "content"]].to_numpy().tolist() == [
        [3, "wrong_number_of_columns", "445111000,2020-11-03T02:20:00Z"]
    ]


def test_an_open_quote_does_not_swallow_the_rows_after_it(tmp_path: Path) -> None:
    quoted = OWN_ROW.replace("GREY HERON", '"GREY, HERON"')
    opened = OWN_ROW.replace("GREY HERON", '"GREY HERON').replace("02:20", "02:30")
    data = read(tmp_path, OWN, quoted, opened, OWN_ROW.replace("02:20", "02:40"))
    assert len(data.positions) == 2
    assert list(data.vessels["name"]) == ["GREY, HERON", "GREY HERON"]
    assert list(data.quarantine["row"]) == [3]


def test_zip_and_zstandard_are_told_by_content(tmp_path: Path) -> None:
    text = f"{CADASTRE_NEW}\n{CADASTRE_NEW_ROW}\n".encode()
    with zipfile.ZipFile(tmp_path / "a.bin", "w") as archive:
        archive.writestr("ais.csv", text)
    with pa.CompressedOutputStream(str(tmp_path / "b.bin"), "zstd") as stream:
        stream.write(text)
    for name in ("a.bin", "b.bin"):
        assert len(read_ais([tmp_path / name]).positions) == 1


def test_missing_and_empty_files_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_bytes(b"\n")
    with pytest.raises(AisError, match=r"empty\.csv is empty"):
        read_ais([tmp_path / "empty.csv"])
    with pytest.raises(AisError, match=r"gone\.csv cannot be opened"):
        read_ais([tmp_path / "gone.csv"])


def frame() -> pd.DataFrame:
    rows = {
        "mmsi": [445111000, 445111001],
        "time": [at(0), at(60)],
        "lon": [125.2, 125.3],
        "lat": [38.7, 38.8],
    }
    return pd.DataFrame(rows)


def test_parquet_is_read_as_a_table(tmp_path: Path) -> None:
    frame().to_parquet(tmp_path / "ais.bin")
    data = read_ais([tmp_path / "ais.bin"])
    assert list(data.positions["mmsi"]) == ["445111000", "445111001"]
    assert list(data.positions["time"]) == [at(0), at(60)]


def test_the_points_of_geoparquet_are_the_positions(tmp_path: Path) -> None:
    table = frame()
    points = gpd.points_from_xy(table["lon"], table["lat"], crs="EPSG:4326")
    named = gpd.GeoDataFrame(table[["mmsi", "time"]].rename(columns={"mmsi": "id"}), geometry=points)
    named.to_parquet(tmp_path / "ais.parquet")
    data = read_ais([tmp_path / "ais.parquet"], {"mmsi": "id", "time": "time"})
    assert list(data.positions["lon"]) == [125.2, 125.3]
    named.to_crs("EPSG:32651").to_parquet(tmp_path / "utm.parquet")
    with pytest.raises(AisError, match=r"utm\.parquet: geometry is in EPSG:32651"):
        read_ais([tmp_path / "utm.parquet"], {"mmsi": "id", "time": "time"})


def test_a_table_of_static_data_alone_adds_to_the_positions_of_another(tmp_path: Path) -> None:
    fixes = write(tmp_path / "fixes.csv", ["mmsi,time,lon,lat", "445111000,2020-11-03T02:20:00Z,125.2,38.7"])
    names = write(tmp_path / "names.csv", ["mmsi,seen,called", "445111000,2020-11-01,GREY HERON"])
    import_files([fixes], tmp_path / "ais")
    import_files([names], tmp_path / "ais", mapping={"mmsi": "mmsi", "time": "seen", "name": "called"})
    data = load_ais([tmp_path / "ais"])
    assert len(data.positions) == 1
    assert list(data.vessels["name"]) == ["GREY HERON"]
    assert data.quarantine.empty


def test_broken_parquet_is_refused_by_name(tmp_path: Path) -> None:
    frame().to_parquet(tmp_path / "whole.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "whole.parquet").read_bytes()[:-40])
    with pytest.raises(AisError, match=r"cut\.parquet cannot be read as Parquet"):
        read_ais([tmp_path / "cut.parquet"])


def test_progress_tells_bytes_of_all_files_and_ends_at_their_sum(tmp_path: Path) -> None:
    one, two = (write(tmp_path / f"{n}.csv", [OWN, OWN_ROW]) for n in "ab")
    seen: list[tuple[int, int]] = []
    read_ais([one, two], progress=lambda done, total: seen.append((done, total)))
    size = one.stat().st_size
    assert seen == [(size, 2 * size), (2 * size, 2 * size)]


@pytest.mark.shared_data
def test_the_danish_table_of_the_chips_is_read_whole(shared_data: Path) -> None:
    data = read_ais([shared_data / "s2_ais/2022-08-12/ais_at_overpass.csv"])
    assert (len(data.positions), len(data.stations)) == (521, 1)
    assert data.positions["ais_class"].value_counts().to_dict() == {"B": 435, "A": 86}
    assert len(data.snapshot_times) == 1
    assert (data.vessels["length_m"] >= 60).sum() >= 17
