"""A port is read from the files that people draw it in; what cannot be read right is refused by name."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from shapely.geometry import Polygon, box

from roadstead.core.errors import PortError
from roadstead.core.ports import Port, load_port, named_port

ROADS, QUAY = box(124.84, 38.72, 124.87, 38.74), box(124.88, 38.72, 124.89, 38.73)


def zones(crs: str = "EPSG:4326", **columns: Any) -> gpd.GeoDataFrame:
    told = columns or {"zone": ["here/roads", "here/quay"], "kind": ["anchorage", "berth"]}
    return gpd.GeoDataFrame(told, geometry=[ROADS, QUAY], crs="EPSG:4326").to_crs(crs)


def kml(*placemarks: str, folder: str = "drawn") -> str:
    inside = "".join(placemarks)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        f"<Folder><name>{folder}</name>{inside}</Folder></Document></kml>"
    )


def placemark(name: str, polygon: Polygon = ROADS, **fields: str) -> str:
    ring = " ".join(f"{x},{y},0" for x, y in polygon.exterior.coords)
    data = "".join(f'<Data name="{key}"><value>{value}</value></Data>' for key, value in fields.items())
    return (
        f'<Placemark id="0A3B4C"><name>{name}</name><ExtendedData>{data}</ExtendedData><Polygon><outerBoundaryIs>'
        f"<LinearRing><coordinates>{ring}</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
    )


def geojson(path: Path, *features: dict[str, Any], **members: Any) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features), **members}))
    return path


def feature(properties: dict[str, Any], shape: Polygon = ROADS) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": json.loads(shapely.to_geojson(shape)),
    }


def ids(port: Port) -> dict[str, str]:
    return {zone.id: zone.kind for zone in port.zones}


def fault(path: Path) -> str:
    with pytest.raises(PortError) as raised:
        load_port(path)
    assert str(raised.value).startswith(f"{path}: ")
    return str(raised.value)


def lies_as_drawn(port: Port) -> bool:
    drawn = shapely.union_all([ROADS, QUAY])
    return bool(port.footprint.symmetric_difference(drawn).area < 1e-7)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3857", "EPSG:32651", "EPSG:4490"])
@pytest.mark.parametrize("name", ["here.gpkg", "here.shp", "here.geojson"])
def test_a_port_is_read_in_any_crs_that_its_file_names(tmp_path: Path, name: str, crs: str) -> None:
    zones(crs).to_file(tmp_path / name)
    port = load_port(tmp_path / name)
    assert ids(port) == {"here/roads": "anchorage", "here/quay": "berth"}
    assert lies_as_drawn(port)


def test_a_shapefile_is_read_as_a_folder_and_as_a_zip_with_rubbish_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "drawn"
    folder.mkdir()
    zones("EPSG:32651").to_file(folder / "here.shp")
    packed = tmp_path / "here.zip"
    with zipfile.ZipFile(packed, "w") as out:
        for file in folder.iterdir():
            out.write(file, f"port (1)/{file.name}")
            out.writestr(f"__MACOSX/._{file.name}", b"\x00\x05")
        out.writestr("port (1)/.DS_Store", b"\x00")
    for path in (folder, packed):
        assert lies_as_drawn(load_port(path))


def test_shapefiles_called_after_kinds_say_the_kind_of_their_zones(tmp_path: Path) -> None:
    told = zones(name=["Outer roads", "Coal quay"])
    told.iloc[[0]].to_file(tmp_path / "anchorages.shp")
    told.iloc[[1]].to_file(tmp_path / "berth.shp")
    assert ids(named_port("here", tmp_path)) == {"here/outer-roads": "anchorage", "here/coal-quay": "berth"}


@pytest.mark.parametrize("name", ["here.kml", "here.kmz"])
def test_a_kml_says_the_kind_in_its_data(tmp_path: Path, name: str) -> None:
    text = kml(placemark("Outer roads", kind="Anchorage"), placemark("Coal quay", QUAY, type="berths"))
    if name.endswith("kmz"):
        with zipfile.ZipFile(tmp_path / name, "w") as out:
            out.writestr("doc.kml", text)
    else:
        (tmp_path / name).write_text(text)
    port = load_port(tmp_path / name)
    assert ids(port) == {"here/outer-roads": "anchorage", "here/coal-quay": "berth"}
    assert [zone.name for zone in port.zones] == ["Outer roads", "Coal quay"]
    assert lies_as_drawn(port)


def test_a_folder_of_a_kml_says_the_kind_of_what_lies_in_it(tmp_path: Path) -> None:
    (tmp_path / "here.kml").write_text(kml(placemark("Outer roads"), folder="Anchorages"))
    assert ids(load_port(tmp_path / "here.kml")) == {"here/outer-roads": "anchorage"}


def test_a_zone_without_a_kind_is_named_with_the_field_and_the_kinds_that_there_are(tmp_path: Path) -> None:
    (tmp_path / "here.kml").write_text(kml(placemark("here/roads")))
    message = fault(tmp_path / "here.kml")
    assert "feature 0 (zone 'here/roads'): 'kind' is missing" in message
    assert "one of berth, anchorage, fairway, lock" in message


def test_a_feature_without_properties_is_told_what_it_lacks(tmp_path: Path) -> None:
    message = fault(geojson(tmp_path / "here.geojson", feature({})))
    assert "feature 0: 'zone' is missing: an id such as 'nampo/coal-berths'" in message
    assert "'kind' is missing" in message


@pytest.mark.parametrize(
    ("properties", "zone"),
    [
        ({"Name": "Östra redden"}, "here/ostra-redden"),
        ({"id": "east-roads", "name": "东锚地"}, "here/east-roads"),
        ({"id": 3, "name": "East roads"}, "here/east-roads"),
        ({"id": 3, "name": None}, "here/3"),
        ({"ZONE_ID": "there/east"}, "there/east"),
        ({"name": "there/east"}, "there/east"),
        ({"harbour": "there", "title": "East"}, "there/east"),
    ],
)
def test_a_zone_takes_its_id_from_what_people_call_it(
    tmp_path: Path, properties: dict[str, Any], zone: str
) -> None:
    path = geojson(tmp_path / "here.geojson", feature({"Type": "ANCHORAGE", **properties}))
    assert ids(load_port(path)) == {zone: "anchorage"}


def test_a_name_without_a_latin_letter_makes_no_id(tmp_path: Path) -> None:
    path = geojson(tmp_path / "here.geojson", feature({"kind": "anchorage", "name": "东锚地"}))
    assert "feature 0 ('东锚地'): 'zone' is missing" in fault(path)


def test_a_file_that_names_no_port_is_of_the_port_asked_for(tmp_path: Path) -> None:
    path = geojson(tmp_path / "drawn.geojson", feature({"kind": "anchorage", "name": "Roads"}))
    assert ids(named_port("testport", path)) == {"testport/roads": "anchorage"}
    assert load_port(path).slug == "drawn"


def test_a_file_of_another_port_than_the_one_asked_for_is_refused(tmp_path: Path) -> None:
    zones().to_file(tmp_path / "here.gpkg")
    with pytest.raises(PortError, match="holds port 'here', not 'there'"):
        named_port("there", tmp_path / "here.gpkg")


def test_the_zones_of_an_export_are_read_and_its_other_layers_are_not(tmp_path: Path) -> None:
    path = tmp_path / "here.gpkg"
    zones().to_file(path, layer="zones")
    gpd.GeoDataFrame({"zone": ["x"]}, geometry=[ROADS.centroid], crs=4326).to_file(path, layer="matches")
    assert lies_as_drawn(load_port(path))


def test_latitude_before_longitude_is_named(tmp_path: Path) -> None:
    turned = shapely.transform(ROADS, lambda xy: xy[:, ::-1])
    path = geojson(tmp_path / "here.geojson", feature({"zone": "here/roads", "kind": "anchorage"}, turned))
    assert "latitude before longitude" in fault(path)


def test_a_ring_that_was_not_closed_is_closed(tmp_path: Path) -> None:
    open_ring = feature({"zone": "here/roads", "kind": "anchorage"})
    open_ring["geometry"]["coordinates"][0].pop()
    port = load_port(geojson(tmp_path / "here.geojson", open_ring))
    assert port.footprint.equals(ROADS)


def test_metres_without_a_crs_are_refused_not_guessed(tmp_path: Path) -> None:
    zones("EPSG:32651").to_file(tmp_path / "here.shp")
    (tmp_path / "here.prj").unlink()
    assert "is not WGS84 longitude/latitude: reproject to EPSG:4326, or say" in fault(tmp_path / "here.shp")


def test_degrees_that_are_said_to_be_metres_are_refused(tmp_path: Path) -> None:
    zones().set_crs("EPSG:32651", allow_override=True).to_file(tmp_path / "here.gpkg")
    assert "its coordinates are degrees, but it says that they are in WGS 84 / UTM zone 51N" in fault(
        tmp_path / "here.gpkg"
    )


def test_a_point_among_the_zones_is_named(tmp_path: Path) -> None:
    point = "<Placemark><name>buoy</name><Point><coordinates>124.8,38.7</coordinates></Point></Placemark>"
    (tmp_path / "here.kml").write_text(kml(placemark("roads", kind="anchorage"), point))
    assert "feature 1 (zone 'here/buoy'): " in fault(tmp_path / "here.kml")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("here.kml", b"<kml><Document><Placemark>", "cannot be read|is not a port file"),
        ("here.kml", b"<gpx></gpx>", "is not UTF-8 text or not JSON; a port file is GeoJSON"),
        ("here.gpkg", b"SQLite format 3\x00" + b"\x00" * 200, "cannot be read|is not a port file"),
        ("here.shp", b"\x00\x00\x27\x0a" + b"\x00" * 40, "cannot be read"),
        ("here.zip", b"PK\x03\x04 and no more", "is a zip that cannot be read"),
        ("here.geojson", "{}".encode("utf-16"), "is not UTF-8 text but UTF-16"),
        ("here.geojson", b"[" * 200_000, "is not JSON"),
        ("here.json", b"\x00" * 100, "is not UTF-8 text or not JSON"),
    ],
)
def test_a_file_that_is_no_port_file_says_what_is_read(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PortError, match=words) as raised:
        load_port(path)
    assert str(raised.value).startswith(f"{path}: ")


def test_a_zip_without_a_port_or_with_two_of_them_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "here.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("readme.txt", "nothing")
    assert "is a zip without a port file in it" in fault(path)
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("one.kml", kml(placemark("roads")))
        out.writestr("two.kml", kml(placemark("roads")))
    assert "holds one.kml, two.kml: one file holds one port" in fault(path)


def test_a_zip_that_unpacks_to_more_than_a_port_holds_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "here.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("here.geojson", b" " * (65 * 2**20))
    assert "holds more than 64 MB" in fault(path)


def vrt(secret: Path, inside: str = "") -> str:
    """Return the text by which GDAL's driver OGR_VRT reads another file."""
    return (
        f"<OGRVRTDataSource>{inside}<OGRVRTLayer name='zones'><SrcDataSource>{secret}</SrcDataSource>"
        "</OGRVRTLayer></OGRVRTDataSource>"
    )


@pytest.mark.parametrize(
    "text",
    [
        "{vrt}",
        "<!-- <kml > -->{vrt}",
        "{vrt}<kml/>",
        "<kml/>{vrt}",
        "<kml>{vrt}</kml>",
        "<kml><!-- {vrt} --></kml>",
    ],
)
@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("here.kml", ""),
        ("here.zip", "a.kml"),
        ("here.kmz", "doc.kml"),
        ("here.zip", "a.shp"),
        ("here", "a.shp"),
    ],
)
def test_no_file_makes_gdal_read_another_file_whatever_it_holds_it_in(
    tmp_path: Path, text: str, name: str, member: str
) -> None:
    zones().to_file(tmp_path / "secret.gpkg", layer="zones")
    hostile = text.format(vrt=vrt(tmp_path / "secret.gpkg"))
    path = tmp_path / name
    if name == "here":
        path.mkdir()
        (path / member).write_text(hostile)
    elif member:
        with zipfile.ZipFile(path, "w") as out:
            out.writestr(member, hostile)
    else:
        path.write_text(hostile)
    assert "secret" not in fault(path)


def test_of_two_members_of_one_name_the_one_that_was_checked_is_read(tmp_path: Path) -> None:
    zones().to_file(tmp_path / "secret.gpkg", layer="zones")
    with zipfile.ZipFile(tmp_path / "here.kmz", "w") as out, pytest.warns(UserWarning, match="Duplicate"):
        out.writestr("doc.kml", vrt(tmp_path / "secret.gpkg"))
        out.writestr("doc.kml", kml(placemark("Mine", kind="anchorage")))
    assert ids(load_port(tmp_path / "here.kmz")) == {"here/mine": "anchorage"}


def test_a_comment_on_kml_makes_no_kml(tmp_path: Path) -> None:
    zones().to_file(tmp_path / "secret.gpkg", layer="zones")
    path = tmp_path / "here.kml"
    path.write_text(vrt(tmp_path / "secret.gpkg", "<!-- <kml > -->"))
    assert "is not UTF-8 text or not JSON" in fault(path)


def test_a_database_that_is_no_geopackage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "here.gpkg"
    zones().to_file(path, driver="SQLite")
    assert "it is an SQLite database, but no GeoPackage" in fault(path)


def test_a_kml_that_defines_entities_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "here.kml"
    path.write_text('<!DOCTYPE kml [<!ENTITY a "b">]>' + kml(placemark("Roads")).partition("?>")[2])
    assert "it defines XML entities" in fault(path)


@pytest.mark.parametrize("name", ["a:b.gpkg", 'a"b.gpkg'])
def test_a_geopackage_may_be_called_anything(tmp_path: Path, name: str) -> None:
    zones().to_file(tmp_path / "plain.gpkg")
    (tmp_path / "plain.gpkg").rename(tmp_path / name)
    assert lies_as_drawn(load_port(tmp_path / name))


@pytest.mark.parametrize("suffix", [".gpkg", ".kml"])
def test_a_zip_of_any_kind_is_read(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"drawn{suffix}"
    if suffix == ".kml":
        file.write_text(kml(placemark("roads", kind="anchorage"), placemark("quay", QUAY, kind="berth")))
    else:
        zones().to_file(file)
    with zipfile.ZipFile(tmp_path / "here.zip", "w") as out:
        out.write(file, f"port/{file.name}")
    assert ids(load_port(tmp_path / "here.zip")) == {"here/roads": "anchorage", "here/quay": "berth"}


def test_a_file_that_makes_gdal_read_another_file_is_not_handed_to_it(tmp_path: Path) -> None:
    zones().to_file(tmp_path / "secret.gpkg")
    path = tmp_path / "here.geojson"
    path.write_text(
        f"<OGRVRTDataSource><OGRVRTLayer name='zones'><SrcDataSource>{tmp_path}/secret.gpkg</SrcDataSource>"
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    assert "is not UTF-8 text or not JSON" in fault(path)


def test_a_pipe_is_no_port_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "here.geojson")
    assert "cannot be read: it is no regular file" in fault(tmp_path / "here.geojson")
