"""AIS in the containers and forms that people have: read for what it is, or named for what it is."""

import bz2
import gzip
import io
import json
import lzma
import sqlite3
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from roadstead.ais import AisData, import_files, load_ais, read_ais, read_store
from roadstead.core.errors import AisError
from tests.unit.ais.messages import GOOD_IMO, SHIP, T0, at, nmea, position, voyage, write

HEADER = "mmsi,time,lon,lat"
ROWS = [f"{SHIP},{at(60 * n):%Y-%m-%dT%H:%M:%SZ},{125.2 + n / 1000:.3f},38.7" for n in range(3)]
TABLE = "\n".join([HEADER, *ROWS, ""]).encode()
OTHER = TABLE.replace(str(SHIP).encode(), str(SHIP + 1).encode())
LOG = "\n".join(line for n in range(3) for line in position(60 * n)).encode()


def table(path: Path, header: str, *rows: str, encoding: str = "utf-8") -> AisData:
    return read_ais([write(path, [header, *rows], encoding)])


# Compression and archives


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress, gzip.compress])
def test_every_compression_is_told_by_content(tmp_path: Path, pack: Any) -> None:
    for name, content in (("a", TABLE), ("b", LOG), ("c", b"" + TABLE)):
        (tmp_path / name).write_bytes(pack(content))
        assert len(read_ais([tmp_path / name]).positions) == 3


def test_concatenated_streams_are_read_to_the_last(tmp_path: Path) -> None:
    half = TABLE.index(b"\n", len(TABLE) // 2) + 1
    for pack in (
        bz2.compress,
        lzma.compress,
        gzip.compress,
        lambda part: pa.compress(part, "zstd", asbytes=True),
    ):
        (tmp_path / "a").write_bytes(pack(TABLE[:half]) + pack(TABLE[half:]))
        assert len(read_ais([tmp_path / "a"]).positions) == 3


def test_a_zstd_file_may_begin_with_a_frame_without_data(tmp_path: Path) -> None:
    skipped = b"\x5a\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"size"
    (tmp_path / "a.zst").write_bytes(skipped + pa.compress(TABLE, "zstd", asbytes=True))
    assert len(read_ais([tmp_path / "a.zst"]).positions) == 3


def zipped(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/", 1) if name.startswith("in__") else name, content)
    return path


def tarred(path: Path, mode: Any, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


RUBBISH = {
    "__MACOSX/._a.csv": b"\x00\x05\x16\x07rubbish",
    ".DS_Store": b"\x00\x00\x00\x01Bud1",
    "Thumbs.db": b"\xd0\xcf\x11\xe0rubbish",
    "data/desktop.ini": b"[.ShellClassInfo]",
    "_SUCCESS": b"",
}


def test_every_member_of_an_archive_is_read_and_rubbish_beside_it_is_not(tmp_path: Path) -> None:
    files = {"may/a.csv": TABLE, "may/b.nmea": LOG, "may/c.csv.gz": gzip.compress(OTHER), **RUBBISH}
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    paths = [tmp_path / "a.zip"]
    paths += [
        tarred(tmp_path / f"a.tar{end}", f"w{end.replace('.', ':')}", files)
        for end in ("", ".gz", ".bz2", ".xz")
    ]
    whole = tarred(tmp_path / "plain.tar", "w", files).read_bytes()
    (tmp_path / "a.tar.zst").write_bytes(pa.compress(whole, "zstd", asbytes=True))
    for path in [*paths, tmp_path / "a.tar.zst"]:
        data = read_ais([path])
        assert set(data.positions["mmsi"]) == {str(SHIP), str(SHIP + 1)}, path
        assert data.quarantine.empty


def test_a_zip_of_one_table_and_the_mark_of_a_mac_is_one_table(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", TABLE)
        archive.writestr("__MACOSX/._a.csv", b"\x00\x05\x16\x07")
    assert len(read_ais([tmp_path / "a.zip"]).positions) == 3


def test_a_bad_row_of_a_member_is_named_by_archive_and_member(tmp_path: Path) -> None:
    path = zipped(
        tmp_path / "a.zip", **{"one.csv": TABLE, "two.csv": OTHER + b"x,2020-11-03T02:20:00Z,1,2\n"}
    )
    (row,) = read_ais([path]).quarantine.to_dict("records")
    assert (row["file"], row["row"], row["reason"]) == (f"{path}/two.csv", 5, "mmsi_invalid")


def test_a_paper_beside_the_data_is_left_out_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "may"
    folder.mkdir()
    (folder / "a.csv").write_bytes(TABLE)
    (folder / "terms.pdf").write_bytes(b"%PDF-1.4")
    (folder / "!_README.txt").write_text("Downloaded in May, thank you.\nSee the terms.")
    (folder / ".DS_Store").write_bytes(b"\x00\x00\x00\x01Bud1")
    data = load_ais([folder])
    assert len(data.positions) == 3
    assert dict(zip(data.quarantine["file"], data.quarantine["content"], strict=True)) == {
        str(folder / "terms.pdf"): "a PDF document",
        str(folder / "!_README.txt"): "a text without columns",
    }
    done = import_files([folder], tmp_path / "store")
    assert set(done.left_out) == set(data.quarantine["file"])
    assert done.files == (str(folder / "a.csv"),)


def test_a_table_in_a_folder_that_is_not_understood_is_never_left_out(tmp_path: Path) -> None:
    (tmp_path / "may").mkdir()
    (tmp_path / "may/a.csv").write_bytes(TABLE)
    (tmp_path / "may/b.csv").write_text("ship,when,x,y\n1,2,3,4\n")
    with pytest.raises(AisError, match=r"b\.csv: neither NMEA nor a table"):
        load_ais([tmp_path / "may"])


def test_members_are_imported_each_once(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{"one.csv": TABLE, "two.csv": OTHER})
    first, again = (import_files([path], tmp_path / "store") for _ in range(2))
    assert first.files == (f"{path}/one.csv", f"{path}/two.csv")
    assert (first.already, again.already) == ((), first.files)
    assert len(read_store(tmp_path / "store").positions) == 6


def workbook(path: Path) -> Path:
    return zipped(path, **{"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})


def test_what_is_not_read_is_named_for_what_it_is(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "db") as base:
        base.execute("create table a (b)")
    files = {
        "kml": (b'<?xml version="1.0"?><kml xmlns="x"></kml>', "KML"),
        "kmz": (zipped(tmp_path / "z", **{"doc.kml": b"<kml/>"}).read_bytes(), "KMZ"),
        "xlsx": (workbook(tmp_path / "w").read_bytes(), "Excel workbook"),
        "xml": (b"<?xml version='1.0'?><ships/>", "an XML file"),
        "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Office"),
        "pdf": (b"%PDF-1.7\n", "PDF"),
        "html": (b"<!DOCTYPE html><html>log in</html>", "HTML"),
        "db": ((tmp_path / "db").read_bytes(), "SQLite"),
        "rar": (b"Rar!\x1a\x07\x00", "RAR"),
        "7z": (b"7z\xbc\xaf\x27\x1c", "7z"),
        "geojson": (b'{"type": "FeatureCollection", "features": []}', "GeoJSON"),
        "zip": (
            zipped(tmp_path / "y", **{"in.zip": zipped(tmp_path / "x", a=TABLE).read_bytes()}).read_bytes(),
            "inside",
        ),
        "pkl": (b"\x80\x04\x95rest", "pickle"),
        "tar": (tarred(tmp_path / "t", "w", {"a.pdf": b"%PDF"}).read_bytes(), "none of them AIS"),
    }
    for end, (content, words) in files.items():
        path = tmp_path / f"may.{end}"
        path.write_bytes(content)
        with pytest.raises(AisError, match=words) as told:
            read_ais([path])
        assert "may." in str(told.value)


def test_an_encrypted_zip_and_a_cut_one_are_refused_by_name(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{"one.csv": TABLE * 50})
    raw = bytearray(path.read_bytes())
    (tmp_path / "cut.zip").write_bytes(raw[: len(raw) // 2])
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    with pytest.raises(AisError, match="encrypted"):
        read_ais([path])
    with pytest.raises(AisError, match=r"cut\.zip cannot be read"):
        read_ais([tmp_path / "cut.zip"])


def test_patterns_and_folders_are_taken_and_a_pattern_without_a_file_is_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(TABLE if name == "a.csv" else OTHER)
    assert len(load_ais([f"{tmp_path}/*.csv"]).positions) == 6
    assert len(load_ais([tmp_path]).positions) == 6
    with pytest.raises(AisError, match="no file fits"):
        load_ais([f"{tmp_path}/*.nmea"])
    (tmp_path / "odd[1].csv").write_bytes(TABLE)
    assert len(load_ais([tmp_path / "odd[1].csv"]).positions) == 3
    (tmp_path / "none").mkdir()
    with pytest.raises(AisError, match="holds no file of AIS"):
        load_ais([tmp_path / "none"])


# Tables


@pytest.mark.parametrize(
    "form",
    [
        "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d %H:%M:%S.000000 UTC", "%Y-%m-%d %H:%M:%S.318353123 +0000 UTC",
        "%Y%m%dT%H%M%SZ", "%Y%m%d%H%M%S", "%Y%m%d_%H%M%S", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M:%S",
        "%d-%b-%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S GMT",
    ],
)  # fmt: skip
def test_times_are_read_in_the_forms_that_mean_one_time(tmp_path: Path, form: str) -> None:
    rows = [f"{SHIP},{at(60 * n).strftime(form)},125.2,38.7" for n in range(3)]
    data = table(tmp_path / "a.csv", HEADER, *rows)
    assert [time.floor("s") for time in data.positions["time"]] == [at(60 * n) for n in range(3)]


@pytest.mark.parametrize("parts", [1, 1e3, 1e6, 1e9])
def test_the_size_of_an_epoch_tells_its_unit(tmp_path: Path, parts: float) -> None:
    rows = [f"{SHIP},{int((T0 + 60 * n) * parts)},125.2,38.7" for n in range(3)]
    assert list(table(tmp_path / "a.csv", HEADER, *rows).positions["time"]) == [at(60 * n) for n in range(3)]
    frame = pd.DataFrame({"mmsi": [SHIP], "time": [int(T0 * parts)], "lon": [125.2], "lat": [38.7]})
    frame.to_parquet(tmp_path / "a.parquet")
    assert list(read_ais([tmp_path / "a.parquet"]).positions["time"]) == [at(0)]


def test_a_time_without_a_zone_does_not_take_that_of_the_row_before(tmp_path: Path) -> None:
    rows = [f"{SHIP},2020-11-03 10:20:00+08:00,125.2,38.7", f"{SHIP},2020-11-03 02:21:00,125.2,38.7"]
    assert list(table(tmp_path / "a.csv", HEADER, *rows).positions["time"]) == [at(0), at(60)]


@pytest.mark.parametrize(
    "form", ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%d-%m-%Y %H:%M:%S"]
)
def test_a_local_date_is_read_where_another_of_the_file_tells_its_order(tmp_path: Path, form: str) -> None:
    days = [at(86_400 * n) for n in range(14)]
    rows = [f"{SHIP + n},{day.strftime(form)},125.2,38.7" for n, day in enumerate(days)]
    assert sorted(table(tmp_path / "a.csv", HEADER, *rows).positions["time"]) == days


def test_a_local_date_that_may_be_two_days_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AisError, match=r"day or the month first.*time_format"):
        table(tmp_path / "a.csv", HEADER, f"{SHIP},05/03/2024 02:00,125.2,38.7")


def test_a_line_that_names_the_delimiter_and_empty_ends_of_a_header_are_no_columns(tmp_path: Path) -> None:
    row = f"{SHIP};2020-11-03T02:20:00Z;125,2;38,7"
    for lines in (["sep=;", HEADER.replace(",", ";"), row], ['"sep=;"', "", HEADER.replace(",", ";"), row]):
        (report,) = read_ais([write(tmp_path / "a.csv", lines, "utf-8-sig")]).positions.to_dict("records")
        assert (report["lon"], report["lat"]) == (125.2, 38.7)
    bad = read_ais([write(tmp_path / "b.csv", ["sep=,", HEADER, *ROWS, "x,,,"])])
    assert list(bad.quarantine["row"]) == [6]
    assert len(table(tmp_path / "c.csv", HEADER + ",,", *ROWS).positions) == 3
    assert len(table(tmp_path / "d.csv", HEADER, *(row + ",," for row in ROWS)).positions) == 3


KYSTVERKET = (
    "mmsi;date_time_utc;longitude;latitude;course_over_ground;speed_over_ground;true_heading;nav_status;imo;callsign;"
    "ship_name;ship_type;length;breadth;draught",
    f"{SHIP};2020-11-03 02:20:00;10,5;59,1;123,4;9,9;124;0;{GOOD_IMO};P7TST;GRÅ HEGRE;70;120;20;7,1",
)
EXACT_EARTH = (
    "MMSI,Message_ID,Repeat_indicator,Time,Millisecond,Vessel_Name,Call_sign,IMO,Ship_Type,Dimension_to_Bow,"
    "Dimension_to_stern,Dimension_to_port,Dimension_to_starboard,Draught,Destination,Navigational_status,ROT,SOG,Accuracy,"
    "Longitude,Latitude,COG,Heading",
    f"{SHIP},1,0,20201103_022000,318,GRÅ HEGRE,P7TST,{GOOD_IMO},70,100,20,8,12,7.1,NAMPO,0,0,9.9,1,10.5,59.1,123.4,124",
)
BY_NAMES = (
    "MMSI\tTimestamp_UTC\tLongitude\tLatitude\tSOG\tCOG\tTrueHeading\tIMO\tCallSign\tVesselName\tShip Type\tLength\t"
    "Width\tDraft",
    f"{SHIP}\t2020-11-03 02:20:00\t10.5\t59.1\t9.9\t123.4\t124\t{GOOD_IMO}\tP7TST\tGRÅ HEGRE\t70\t120\t20\t7.1",
)


@pytest.mark.parametrize(
    "rows", [KYSTVERKET, EXACT_EARTH, BY_NAMES], ids=["kystverket", "exactearth", "names"]
)
def test_further_tables_are_told_by_their_header(tmp_path: Path, rows: tuple[str, str]) -> None:
    data = table(tmp_path / "a.csv", *rows)
    (report,) = data.positions.to_dict("records")
    (vessel,) = data.vessels.to_dict("records")
    assert (report["time"], report["lon"], report["lat"]) == (at(0), 10.5, 59.1)
    assert (report["sog_kn"], report["cog_deg"], report["heading_deg"]) == (9.9, 123.4, 124.0)
    assert (vessel["name"], vessel["imo"], vessel["callsign"]) == ("GRÅ HEGRE", GOOD_IMO, "P7TST")
    assert (vessel["length_m"], vessel["beam_m"], vessel["draught_m"]) == (120.0, 20.0, 7.1)
    assert data.quarantine.empty


def test_a_speed_of_no_unit_and_a_name_that_two_columns_have_are_not_guessed(tmp_path: Path) -> None:
    header = "mmsi,timestamp,longitude,latitude,speed,name,shipname"
    data = table(tmp_path / "a.csv", header, f"{SHIP},2020-11-03T02:20:00Z,125.2,38.7,80,A,B")
    assert data.positions["sog_kn"].isna().all()
    assert data.vessels.empty
    with pytest.raises(AisError, match="neither NMEA nor a table"):
        table(tmp_path / "b.csv", "mmsi,time,timestamp,x,y", "1,2,3,4,5")


# Digits


@pytest.mark.parametrize("spelt", ["4.45111E+08", "4.45E8", "4,45111E+08"])
def test_an_mmsi_that_has_lost_digits_is_no_identity(tmp_path: Path, spelt: str) -> None:
    row = ROWS[0].replace(str(SHIP), f'"{spelt}"')
    data = table(tmp_path / "a.csv", HEADER, row, ROWS[1])
    assert list(data.positions["mmsi"]) == [str(SHIP)]
    assert list(data.quarantine["reason"]) == ["mmsi_lost_digits"]
    assert spelt in data.quarantine["content"][0]


def test_a_file_in_which_every_mmsi_has_lost_digits_is_refused(tmp_path: Path) -> None:
    rows = [row.replace(str(SHIP), "4.45111E+08") for row in ROWS]
    with pytest.raises(AisError, match="digits are lost"):
        table(tmp_path / "a.csv", HEADER, *rows)


@pytest.mark.parametrize("spelt", ["445111000.0", "445111000.00", " 445111000", "4.45111000E+08"])
def test_an_mmsi_that_has_all_its_digits_is_read_however_it_is_written(tmp_path: Path, spelt: str) -> None:
    data = table(tmp_path / "a.csv", HEADER, *(row.replace(str(SHIP), spelt) for row in ROWS))
    assert set(data.positions["mmsi"]) == {str(SHIP)}


def test_a_float_of_32_bits_holds_no_mmsi(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "mmsi": np.array([445_111_001, 1234], np.float32),
            "time": [at(0), at(60)],
            "lon": 125.2,
            "lat": 38.7,
        }
    )
    frame.to_parquet(tmp_path / "a.parquet")
    data = read_ais([tmp_path / "a.parquet"])
    assert list(data.positions["mmsi"]) == ["000001234"]
    assert list(data.quarantine["reason"]) == ["mmsi_lost_digits"]


def test_an_imo_number_that_can_be_none_is_counted_with_its_reason(tmp_path: Path) -> None:
    said = ["123456", "99999930", "9.99999E+06", "ABC", GOOD_IMO, "9999990", "0", "", "IMO0000000", "Unknown"]
    rows = [
        f"{row},{imo}" for n, imo in enumerate(said) for row in [ROWS[0].replace(":20:00", f":20:{n:02d}")]
    ]
    path = write(tmp_path / "a.csv", [f"{HEADER},imo", *rows, rows[0].replace(":20:00", ":21:00")])
    done = import_files([path], tmp_path / "store")
    assert done.notes["imo_not_seven_digits"] == 5
    assert done.notes["imo_check_digit"] == 1
    faults = read_ais([path]).quarantine
    assert list(faults["reason"]) == ["imo_not_seven_digits"] * 4
    assert set(faults["field"]) == {"imo"}
    assert done.tally.quarantined == 0


# Logs with a time of their own


@pytest.mark.parametrize(
    "before",
    [
        "2020-11-03T02:20:00Z ", "2020-11-03 02:20:00,", "2020-11-03 02:20:00.000 ; ", "[2020-11-03 02:20:00] ",
        f"{T0} ", f"{T0}.000,", f"{T0}000\t", '"2020-11-03 10:20:00+0800","', "20201103022000,", "20201103T022000Z,",
        f"mast7;{T0};", "2020/11/03 02:20:00 ", "03.11.2020 02:20:00 ", "2020-11-03,02:20:00,",
        "192.168.1.10 2020-11-03 02:20:00,123 INFO ",
        "445111000," + f"{T0},",
    ],
)  # fmt: skip
def test_a_time_before_a_sentence_is_that_of_its_reception(tmp_path: Path, before: str) -> None:
    lines = [before + line for line in (*position(None), *voyage(None))]
    data = read_ais([write(tmp_path / "a.log", lines)])
    assert [time.floor("s") for time in data.positions["time"]] == [at(0)]
    assert [time.floor("s") for time in data.vessels["time"]] == [at(0)]
    assert data.quarantine.empty


@pytest.mark.parametrize("after", [",2020-11-03 02:20:00", f" {T0}", "\t2020-11-03T02:20:00Z", f",{T0}.5"])
def test_a_time_after_a_sentence_is_that_of_its_reception(tmp_path: Path, after: str) -> None:
    data = read_ais([write(tmp_path / "a.log", [line + after for line in position(None)])])
    assert [time.floor("s") for time in data.positions["time"]] == [at(0)]


def test_the_tag_block_is_believed_before_the_log(tmp_path: Path) -> None:
    data = read_ais([write(tmp_path / "a.log", ["2020-11-03T09:00:00Z " + line for line in position(0)])])
    assert list(data.positions["time"]) == [at(0)]


def test_a_time_of_day_alone_is_no_time_of_reception(tmp_path: Path) -> None:
    with pytest.raises(AisError, match="time with its date"):
        read_ais([write(tmp_path / "a.log", ["02:20:00 " + line for line in position(None)])])


# JSON


def stream(kind: str, seconds: float = 0.0, **body: Any) -> dict[str, Any]:
    """Return a message as aisstream.io sends it."""
    about = {
        "MMSI": SHIP,
        "MMSI_String": SHIP,
        "ShipName": "GREY HERON",
        "latitude": 38.7,
        "longitude": 125.2,
    }
    about["time_utc"] = f"{at(seconds):%Y-%m-%d %H:%M:%S}.318353123 +0000 UTC"
    return {
        "MessageType": kind,
        "MetaData": about,
        "Message": {kind: {"UserID": SHIP, "Valid": True, **body}},
    }


FIX = {
    "Longitude": 125.2,
    "Latitude": 38.7,
    "Sog": 8.0,
    "Cog": 90.0,
    "TrueHeading": 91,
    "NavigationalStatus": 0,
}
SIDES = {"A": 120, "B": 30, "C": 8, "D": 14}
STREAM = [
    stream("PositionReport", MessageID=1, **FIX),
    stream("ShipStaticData", 5, MessageID=5, ImoNumber=int(GOOD_IMO), Name="GREY HERON", CallSign="P7TST", Type=70,
           Dimension=SIDES, MaximumStaticDraught=8.1, Destination="NAMPO"),
    stream("StandardClassBPositionReport", 10, MessageID=18, **FIX | {"Longitude": 125.21}),
    stream("StaticDataReport", 15, MessageID=24, PartNumber=True, ReportA={"Valid": False, "Name": ""},
           ReportB={"Valid": True, "CallSign": "P7NEW", "ShipType": 70, "Dimension": SIDES}),
    stream("BaseStationReport", 20, MessageID=4, Longitude=125.0, Latitude=38.6),
    stream("SafetyBroadcastMessage", 25, Text="HELLO"),
]  # fmt: skip


@pytest.mark.parametrize("form", ["lines", "array", "array of lines", "indented"])
def test_messages_of_aisstream_are_read(tmp_path: Path, form: str) -> None:
    lines = [json.dumps(one) for one in STREAM]
    text = {
        "lines": "\n".join(lines),
        "array": json.dumps(STREAM),
        "array of lines": "[\n" + ",\n".join(lines) + "\n]",
        "indented": json.dumps(STREAM, indent=2),
    }[form]
    (tmp_path / "a.json").write_text(text)
    data = read_ais([tmp_path / "a.json"])
    assert [(row.lon, row.ais_class, row.sog_kn) for row in data.positions.itertuples()] == [
        (125.2, "A", 8.0),
        (125.21, "B", 8.0),
    ]
    assert data.positions["time"][0].floor("s") == at(0)
    assert list(data.vessels["callsign"]) == ["P7TST", "P7NEW"]
    assert (data.vessels["name"][1], data.vessels["imo"][1], data.vessels["length_m"][1]) == (
        "GREY HERON",
        GOOD_IMO,
        150.0,
    )
    assert list(data.stations["kind"]) == ["base_station"]
    done = import_files([tmp_path / "a.json"], tmp_path / "store")
    assert (done.tally.passed_over, done.tally.quarantined, done.tally.read) == (1, 0, 6)


def test_a_damaged_line_and_an_error_of_the_feed_are_quarantined_alone(tmp_path: Path) -> None:
    lines = [json.dumps(STREAM[0]), json.dumps(STREAM[2])[:80], '{"error": "Api Key Is Not Valid"}']
    data = read_ais([write(tmp_path / "a.jsonl", lines)])
    assert len(data.positions) == 1
    assert list(zip(data.quarantine["row"], data.quarantine["reason"], strict=True)) == [
        (2, "not_json"),
        (3, "error_of_the_feed"),
    ]


def catcher(seconds: float, sentences: list[str], **more: Any) -> str:
    return json.dumps(
        {"class": "AIS", "device": "AIS-catcher", "rxuxtime": T0 + seconds, "nmea": sentences, **more}
    )


def test_sentences_of_ais_catcher_have_its_time_of_reception(tmp_path: Path) -> None:
    lines = [catcher(0, position(None)), catcher(5.25, voyage(None)), catcher(60, position(None, lon=125.3))]
    data = read_ais([write(tmp_path / "a.json", lines)])
    assert list(data.positions["time"]) == [at(0), at(60)]
    assert list(data.vessels["time"]) == [at(5.25)]
    assert data.quarantine.empty
    said = json.dumps({"class": "AIS", "rxtime": "20201103022000", "nmea": position(None)})
    assert list(read_ais([write(tmp_path / "b.json", [said])]).positions["time"]) == [at(0)]


def test_decoded_fields_of_ais_catcher_are_read(tmp_path: Path) -> None:
    fix = {"class": "AIS", "mmsi": SHIP, "rxuxtime": T0, "type": 1, "lon": 125.2, "lat": 38.7, "speed": 8.0,
           "course": 90.0, "heading": 91, "status": 0}  # fmt: skip
    said = {"class": "AIS", "mmsi": SHIP, "rxuxtime": T0 + 5, "type": 5, "shipname": "GREY HERON", "imo": int(GOOD_IMO),
            "callsign": "P7TST", "shiptype": 70, "to_bow": 120, "to_stern": 30, "to_port": 8, "to_starboard": 14,
            "draught": 8.1}  # fmt: skip
    posted = {"protocol": "jsonaiscatcher", "msgs": [fix, said, {"mmsi": SHIP, "type": 8, "rxuxtime": T0}]}
    (tmp_path / "post.json").write_text(json.dumps(posted, indent=1))
    for path in (write(tmp_path / "a.json", [json.dumps(fix), json.dumps(said)]), tmp_path / "post.json"):
        data = read_ais([path])
        (report,), (vessel,) = data.positions.to_dict("records"), data.vessels.to_dict("records")
        assert (report["time"], report["sog_kn"], report["ais_class"]) == (at(0), 8.0, "A")
        assert (vessel["name"], vessel["imo"], vessel["length_m"]) == ("GREY HERON", GOOD_IMO, 150.0)
        assert data.quarantine.empty


def test_flat_records_are_read_by_the_names_of_their_keys(tmp_path: Path) -> None:
    records = [
        {"mmsi": SHIP, "timestamp": T0 * 1000, "lon": 125.2, "lat": 38.7, "sog": 8.0, "extra": {"a": 1}}
    ]
    (report,) = read_ais([write(tmp_path / "a.jsonl", map(json.dumps, records))]).positions.to_dict("records")
    assert (report["time"], report["sog_kn"]) == (at(0), 8.0)
    with pytest.raises(AisError, match="Columns found: ship"):
        read_ais([write(tmp_path / "b.jsonl", ['{"ship": 1}'])])
    with pytest.raises(AisError, match="no whole JSON"):
        read_ais([write(tmp_path / "c.json", ['[{"mmsi": 1,', '"time": '])])


# Parquet


@pytest.mark.parametrize("index", [["time"], ["mmsi"], ["mmsi", "time"]])
def test_columns_that_are_the_index_of_pandas_are_found(tmp_path: Path, index: list[str]) -> None:
    frame = pd.DataFrame(
        {"mmsi": [SHIP] * 3, "time": [at(60 * n) for n in range(3)], "lon": 125.2, "lat": 38.7}
    )
    frame.set_index(index).to_parquet(tmp_path / "a.parquet")
    data = read_ais([tmp_path / "a.parquet"])
    assert list(data.positions["time"]) == [at(60 * n) for n in range(3)]


def test_a_nameless_index_of_times_is_the_time(tmp_path: Path) -> None:
    times = pd.DatetimeIndex([at(60 * n) for n in range(3)])
    pd.DataFrame({"mmsi": SHIP, "lon": 125.2, "lat": 38.7}, index=times).to_parquet(tmp_path / "a.parquet")
    assert list(read_ais([tmp_path / "a.parquet"]).positions["time"]) == list(times)


POINTS = shapely.points([[125.2, 38.7], [125.3, 38.8]])


def points_as(kind: str) -> tuple[pa.Array, dict[str, str]]:
    """Return two points in one of the forms that writers use, with the metadata of the field."""
    xy = shapely.get_coordinates(POINTS)
    about = {"ARROW:extension:name": "geoarrow.point", "ARROW:extension:metadata": '{"crs": "OGC:CRS84"}'}
    match kind:
        case "struct":
            return pa.StructArray.from_arrays([pa.array(xy[:, 0]), pa.array(xy[:, 1])], ["x", "y"]), about
        case "pairs":
            return pa.FixedSizeListArray.from_arrays(pa.array(xy.ravel()), 2), about
        case "wkb":
            return pa.array(shapely.to_wkb(POINTS)), {"ARROW:extension:name": "geoarrow.wkb"}
        case _:
            return pa.array(shapely.to_wkb(POINTS)), {}


@pytest.mark.parametrize("kind", ["struct", "pairs", "wkb", "plain wkb"])
def test_points_are_read_in_every_form(tmp_path: Path, kind: str) -> None:
    values, about = points_as(kind)
    schema = pa.schema(
        [
            ("mmsi", pa.int64()),
            ("time", pa.timestamp("us", "UTC")),
            pa.field("geometry", values.type, metadata=about),
        ]
    )
    whole = pa.table([[SHIP, SHIP + 1], [at(0), at(60)], values], schema=schema)
    pq.write_table(whole, tmp_path / "a.parquet")
    data = read_ais([tmp_path / "a.parquet"])
    assert sorted(zip(data.positions["lon"], data.positions["lat"], strict=True)) == [
        (125.2, 38.7),
        (125.3, 38.8),
    ]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.parquet", "a.parquet")
    assert len(read_ais([tmp_path / "a.zip"]).positions) == 2


def test_native_points_of_geoparquet_are_read_and_null_ones_are_faults(tmp_path: Path) -> None:
    values, _ = points_as("struct")
    geo = {
        "version": "1.1.0",
        "primary_column": "geom",
        "columns": {"geom": {"encoding": "point", "geometry_types": []}},
    }
    schema = pa.schema(
        [("mmsi", pa.int64()), ("time", pa.timestamp("us")), ("geom", values.type)], {"geo": json.dumps(geo)}
    )
    values = pa.array([values[0].as_py(), None], values.type)
    pq.write_table(
        pa.table([[SHIP, SHIP + 1], [at(0), at(60)], values], schema=schema), tmp_path / "a.parquet"
    )
    data = read_ais([tmp_path / "a.parquet"])
    assert list(data.positions["lon"]) == [125.2]
    assert list(data.quarantine["reason"]) == ["position_not_available"]


@pytest.mark.parametrize(
    ("shapes", "about", "words"),
    [
        (shapely.box(125, 38, [126, 127], 39), {}, "no position reports"),
        (shapely.set_srid(POINTS, 32651), {}, "EPSG:32651"),
        (
            POINTS,
            {"ARROW:extension:name": "geoarrow.wkb", "ARROW:extension:metadata": '{"crs": "EPSG:32651"}'},
            "32651",
        ),
    ],
)
def test_other_shapes_and_other_coordinates_are_refused(
    tmp_path: Path, shapes: Any, about: Any, words: str
) -> None:
    column = pa.array(shapely.to_wkb(shapes, include_srid=True))
    schema = pa.schema(
        [
            ("mmsi", pa.int64()),
            ("time", pa.timestamp("us")),
            pa.field("geometry", column.type, metadata=about),
        ]
    )
    pq.write_table(pa.table([[1, 2], [at(0), at(60)], column], schema=schema), tmp_path / "a.parquet")
    with pytest.raises(AisError, match=words):
        read_ais([tmp_path / "a.parquet"])


# What the simulator wrote


def test_simulated_ais_stays_known_from_any_file(tmp_path: Path) -> None:
    dma = ["# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Name,Data source type"]
    real = write(
        tmp_path / "real.csv", [*dma, f"03/11/2020 02:20:00,Class A,{SHIP},38.7,125.2,GREY HERON,AIS"]
    )
    made = write(
        tmp_path / "made.csv", [*dma, f"03/11/2020 02:20:00,Class A,{SHIP},38.7,125.2,GREY HERON,SIM-MAST"]
    )
    log = write(tmp_path / "made.nmea", nmea(0, "SIM-MAST", type=1, lon=125.2, lat=38.7))
    assert set(read_ais([real]).positions["source"]) == {"real.csv"}
    for path in (made, log):
        assert set(read_ais([path], source="my-mast").positions["source"]) == {"SIM-MAST"}
        import_files([path], tmp_path / "store", source="my-mast")
    mapping = {"mmsi": "MMSI", "time": "# Timestamp", "lon": "Longitude", "lat": "Latitude"}
    by_hand = read_ais([made], {"columns": mapping, "time_format": "%d/%m/%Y %H:%M:%S"})
    assert set(by_hand.positions["source"]) == {"SIM-MAST"}
    assert set(read_store(tmp_path / "store").positions["source"]) == {"SIM-MAST"}
    read_ais([made]).positions.to_parquet(tmp_path / "again.parquet")
    assert set(read_ais([tmp_path / "again.parquet"]).positions["source"]) == {"SIM-MAST"}
