"""Tables of vendors are told by their header; every reason code is in the guide."""

import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from roadstead.ais import import_files, read_ais, read_store
from roadstead.ais.readers.presets import PRESETS, layout_of
from roadstead.ais.reasons import REASONS, reason_of, renewed
from tests.unit.ais.messages import BAD_IMO, GOOD_IMO, SHIP, at, nmea, position, voyage, write

ROOT = Path(__file__).parents[3]
SPIRE = (
    "created_at,timestamp,mmsi,msg_type,latitude,longitude,speed,course,heading,rot,imo,name,call_sign,flag,draught,"
    "ship_and_cargo_type,length,width,eta,destination,status,maneuver,accuracy,collection_type"
)
TABLES = {
    "spire": (
        SPIRE,
        f",2020-11-03T02:20:00.000Z,{SHIP},1,38.7,125.2,8.0,90.0,91,0,{GOOD_IMO},"
        "GREY HERON,P7TST,KP,8.1,70,150,22,,NAMPO,1,0,1,terrestrial",
    ),
    "exactearth": (
        "mmsi,imo,vessel_name,callsign,vessel_type,vessel_type_code,length,width,flag_country,destination,draught,"
        "longitude,latitude,sog,cog,rot,heading,nav_status,dt_pos_utc,dt_static_utc,message_type",
        f"{SHIP},{GOOD_IMO},GREY HERON,P7TST,Cargo,70,150,22,KP,NAMPO,8.1,125.2,38.7,8.0,90.0,0,91,At Anchor,"
        "2020-11-03 02:20:00,2020-11-03 02:00:00,1",
    ),
    "marinetraffic": (
        "MMSI,IMO,SHIP_ID,LAT,LON,SPEED,HEADING,COURSE,STATUS,TIMESTAMP,DSRC,SHIPNAME,SHIPTYPE,CALLSIGN,LENGTH,WIDTH,"
        "DRAUGHT,DESTINATION",
        f"{SHIP},{GOOD_IMO},77,38.7,125.2,80,91,90,1,2020-11-03T02:20:00,TER,GREY HERON,70,P7TST,150,22,81,NAMPO",
    ),
    "s&p": (
        "MMSI,LRIMOShipNo,ShipName,ShipType,CallSign,Latitude,Longitude,Length,Beam,Draught,Heading,Speed,Destination,"
        "ETA,MovementDateTime,MoveStatus",
        f"{SHIP},{GOOD_IMO},GREY HERON,Bulk Carrier,P7TST,38.7,125.2,150,22,8.1,91,8.0,"
        "NAMPO,,2020-11-03 02:20:00,At anchor",
    ),
    "lloyds": (
        "IMO,MMSI,Vessel Name,Callsign,Position Timestamp,Latitude,Longitude,Speed,Course,Heading,Draught,Destination",
        f"{GOOD_IMO},{SHIP},GREY HERON,P7TST,2020-11-03T02:20:00Z,38.7,125.2,8.0,90,91,8.1,NAMPO",
    ),
    "gfw": (
        "ssvid,timestamp,lat,lon,speed_knots,course,heading,shipname,callsign,imo",
        f"{SHIP},2020-11-03 02:20:00 UTC,38.7,125.2,8.0,90,91,GREY HERON,P7TST,{GOOD_IMO}".replace(
            " UTC", "+00:00"
        ),
    ),
}


@pytest.mark.parametrize("vendor", TABLES)
def test_a_vendors_table_is_told_by_its_header_and_read_in_our_units(tmp_path: Path, vendor: str) -> None:
    data = read_ais([write(tmp_path / "a.csv", TABLES[vendor])])
    (report,) = data.positions.to_dict("records")
    assert (report["mmsi"], report["time"]) == (str(SHIP), at(0))
    assert (report["lon"], report["lat"]) == (125.2, 38.7)
    assert report["sog_kn"] == pytest.approx(8.0)
    assert report["heading_deg"] == 91.0
    (vessel,) = data.vessels.to_dict("records")
    assert (vessel["name"], vessel["imo"], vessel["callsign"]) == ("GREY HERON", GOOD_IMO, "P7TST")
    assert pd.isna(vessel["draught_m"]) or vessel["draught_m"] == pytest.approx(8.1)
    assert data.quarantine.empty


def test_vessel_tables_of_global_fishing_watch_are_static_data(tmp_path: Path) -> None:
    rows = [
        "vesselId,ssvid,shipname,nShipname,flag,callsign,imo,transmissionDateFrom,transmissionDateTo",
        f"a1,{SHIP},GREY HERON,GREYHERON,PRK,P7TST,{GOOD_IMO},2020-11-03T02:20:00Z,2021-01-01T00:00:00Z",
    ]
    data = read_ais([write(tmp_path / "a.csv", rows)])
    assert list(data.vessels["name"]) == ["GREY HERON"]
    assert data.positions.empty


def test_the_geoparquet_of_marinecadastre_needs_no_mapping(tmp_path: Path) -> None:
    points = gpd.points_from_xy([-90.1, -90.2], [29.0, 29.1], crs="EPSG:4326")
    columns: dict[str, Any] = {
        "mmsi": [366000001, 366000002],
        "base_date_time": [at(0).tz_convert(None), at(60).tz_convert(None)],
        "sog": [1.0, 2.0],
        "vessel_name": ["GREY HERON", None],
        "transceiver": ["A", "B"],
    }
    gpd.GeoDataFrame(columns, geometry=points).to_parquet(tmp_path / "ais.parquet")
    data = read_ais([tmp_path / "ais.parquet"])
    assert list(data.positions["lon"]) == [-90.1, -90.2]
    assert list(data.positions["time"]) == [at(0), at(60)]
    assert list(data.positions["ais_class"]) == ["A", "B"]


def test_every_known_table_has_one_layout_and_says_where_its_columns_are_known_from() -> None:
    for telling, layout in PRESETS:
        assert layout_of(sorted(telling), Path("a.csv"), None).name == layout.name
        assert layout.known_from


def test_the_guide_has_the_tables_of_the_code() -> None:
    page = (ROOT / "docs/ais.md").read_text(encoding="utf-8")
    assert renewed(page) == page
    assert "`LRIMOShipNo`" in page


def test_every_reason_that_the_code_gives_is_in_the_guide() -> None:
    source = "\n".join(path.read_text() for path in sorted((ROOT / "src/roadstead/ais").rglob("*.py")))
    given = set(re.findall(r'_Refused\("\w+", "(\w+)"\)', source))
    given |= set(re.findall(r'Fault\([^()]*?"(?:line|payload)", "(\w+)"', source))
    given |= set(re.findall(r', "(?:mmsi|time|lon|lat)", "([a-z]+_\w+)"\)', source))
    given |= set(re.findall(r'"(\w+_field_dropped)"', source))
    assert len(given) >= 18
    assert given <= set(REASONS)
    assert reason_of("not_gb18030_text") == reason_of("not_utf-8_text")


# Kept, and noted


def test_a_long_range_report_is_kept_with_a_sigma_of_its_own(tmp_path: Path) -> None:
    coarse = nmea(60, type=27, mmsi=SHIP + 1, lon=125.1, lat=38.6, speed=8, course=90, status=0)
    log = write(tmp_path / "a.nmea", [*position(0), *coarse])
    done = import_files([log], tmp_path / "ais")
    assert done.notes == {"coarse_position": 1}
    for data in (read_ais([log]), read_store(tmp_path / "ais")):
        sigma = data.positions.set_index("mmsi")["sigma_m"]
        assert sigma[str(SHIP + 1)] == pytest.approx(185.2 / np.sqrt(12))
        assert np.isnan(sigma[str(SHIP)])


def test_a_long_range_report_of_a_table_is_told_by_its_message_number(tmp_path: Path) -> None:
    header, row = TABLES["spire"]
    rows = [
        header,
        row,
        row.replace(f"{SHIP},1,", f"{SHIP + 1},27,"),
        row.replace(f"{SHIP},1,", f"{SHIP + 2},18,"),
    ]
    data = read_ais([write(tmp_path / "a.csv", rows)])
    assert list(data.positions["ais_class"]) == ["A", "A", "B"]
    assert data.positions["sigma_m"].notna().tolist() == [False, True, False]


def test_what_is_odd_is_counted_and_kept(tmp_path: Path) -> None:
    lines = [
        *position(100),
        *position(0),
        *position(0, mmsi=123456789),
        *voyage(5, imo=int(BAD_IMO)),
        *nmea(0, type=4, mmsi="004451234", lon=125.1, lat=38.6),
    ]
    done = import_files([write(tmp_path / "a.nmea", lines)], tmp_path / "ais")
    assert done.notes == {"out_of_order": 1, "imo_check_digit": 1, "mid_not_assigned": 1, "base_station": 1}
    assert done.tally.quarantined == 0
    assert read_store(tmp_path / "ais").vessels["imo"].tolist() == [BAD_IMO]


@pytest.mark.parametrize(
    ("later", "source", "kept"), [(1, "r2", 1), (1, "r1", 2), (5, "r2", 2), (0, "r1", 1)]
)
def test_one_message_of_two_receivers_is_one_report(
    tmp_path: Path, later: int, source: str, kept: int
) -> None:
    rows = ["mmsi,time,lon,lat,sog_kn,source"]
    rows += [f"{SHIP},{at(s).isoformat()},125.2,38.7,8.0,{name}" for s, name in ((0, "r1"), (later, source))]
    one = read_ais([write(tmp_path / "a.csv", rows)])
    assert (len(one.positions), one.duplicates) == (kept, 2 - kept)
    two = [write(tmp_path / f"{n}.csv", [rows[0], rows[n]]) for n in (1, 2)]
    assert len(read_ais(two).positions) == kept


def test_identities_without_places_are_no_faults_in_parquet_either(tmp_path: Path) -> None:
    names = (
        "vessel_id",
        "ssvid",
        "shipname",
        "callsign",
        "imo",
        "transmissionDateFrom",
        "transmissionDateTo",
    )
    row = ("v", str(SHIP), "GREY HERON", "P7TST", GOOD_IMO, at(0).isoformat(), at(60).isoformat())
    rows = pd.DataFrame([row, (*row[:2], "WHITE HERON", *row[3:])], columns=names)
    rows.to_csv(tmp_path / "a.csv", index=False)
    rows.to_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        data = read_ais([tmp_path / name, write(tmp_path / "b.nmea", position(0))])
        assert data.quarantine.empty, name
        assert {"GREY HERON", "WHITE HERON"} <= set(data.vessels["name"]), name
