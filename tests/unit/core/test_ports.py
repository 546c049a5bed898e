"""Port files: what is refused and how, which zone a ship lies in, and what our own two ports promise."""

import json
import math
import re
from copy import deepcopy
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st
from shapely import Point, box
from shapely.geometry import LinearRing

from roadstead.core import port_file, ports, schemas
from roadstead.core.errors import PortError
from roadstead.core.geo import WGS84, project
from roadstead.core.ports import Port, coast, coasts, known_ports, load_port, parse_port

AOI = Path(__file__).parents[3] / "aoi"
OURS = ("nampo", "ningbo-zhoushan")

# Stored counts refer to these ids: add to this list, never rename or drop.
ZONES = {
    "nampo": {
        "coal-berths": "berth",
        "general-berths": "berth",
        "container-berths": "berth",
        "roads": "anchorage",
        "barrage-locks": "lock",
        "waiting-anchorage": "anchorage",
        "outer-fairway": "fairway",
        "inner-fairway": "fairway",
        "river-fairway": "fairway",
        "taean-roads": "anchorage",
        "taean-berths": "berth",
        "songnim-berths": "berth",
    },
    "ningbo-zhoushan": {
        "zhenhai-berths": "berth",
        "beilun-berths": "berth",
        "daxie-berths": "berth",
        "chuanshan-berths": "berth",
        "liuheng-coal-berths": "berth",
        "majishan-berths": "berth",
        "beilun-anchorage": "anchorage",
        "mazhi-anchorage": "anchorage",
        "qushan-anchorage": "anchorage",
        "xiazhimen-north-anchorage": "anchorage",
        "tiaozhoumen-anchorage": "anchorage",
        "xiushan-east-anchorage": "anchorage",
        "luhuashan-anchorage": "anchorage",
        "majishan-anchorage": "anchorage",
        "xiazhimen-fairway": "fairway",
        "jintang-fairway": "fairway",
        "tiaozhoumen-fairway": "fairway",
        "majishan-fairway": "fairway",
    },
}

# Published positions (lon, lat) and how far from the zone they may lie, in metres.
PLACES = [
    ("nampo/general-berths", 125.400, 38.7167, 0),  # World Port Index, Nampo
    ("nampo/coal-berths", 125.4169, 38.7281, 300),  # AllSource Analysis 2018
    ("nampo/songnim-berths", 125.6167, 38.7333, 0),  # World Port Index, Songnim
    ("nampo/barrage-locks", 125.167, 38.683, 0),  # to the minute
    ("ningbo-zhoushan/zhenhai-berths", 121.7181, 29.9500, 300),  # China MSA
    ("ningbo-zhoushan/beilun-berths", 121.8514, 29.9357, 300),  # China MSA
    ("ningbo-zhoushan/qushan-anchorage", 122.4679, 30.4598, 0),  # Wilhelmsen 2022, position 1
    ("ningbo-zhoushan/qushan-anchorage", 122.4904, 30.4601, 0),  # position 2
    ("ningbo-zhoushan/mazhi-anchorage", 122.2077, 29.8772, 0),  # agent's position 2
    ("ningbo-zhoushan/mazhi-anchorage", 122.2308, 29.9020, 0),  # position Y8
    ("ningbo-zhoushan/mazhi-anchorage", 122.2297, 29.9228, 0),  # position 15
]

# World Port Index 2023, ports that ours stand for.
WORLD_PORT_INDEX = [
    ("nampo", 125.4, 38.716667),
    ("nampo", 125.616667, 38.733333),
    ("ningbo-zhoushan", 121.7, 29.95),
]


def square(west: float, south: float, side: float = 0.02) -> dict[str, Any]:
    return json.loads(shapely.to_geojson(box(west, south, west + side, south + side)))


def feature(
    zone: str = "here/roads", kind: str = "anchorage", geometry: Any = None, **more: Any
) -> dict[str, Any]:
    properties = {"port": zone.split("/")[0], "zone": zone, "kind": kind, **more}
    return {"type": "Feature", "properties": properties, "geometry": geometry or square(125.0, 38.0)}


def document(*features: Any, **members: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features), **members}


def fault(doc: object) -> str:
    with pytest.raises(PortError) as raised:
        parse_port(doc)
    return str(raised.value)


def metres(port: Port, zone: ports.Zone) -> Any:
    return project(zone.polygon, WGS84, port.crs)


@pytest.fixture(scope="module", params=OURS)
def ours(request: pytest.FixtureRequest) -> Port:
    return load_port(request.param, AOI)


# A user's own port file ------------------------------------------------------------------------------


def test_a_port_file_needs_port_zone_and_kind_only() -> None:
    port = parse_port(document(feature()))
    assert (port.slug, port.zones[0].id, port.zones[0].kind) == ("here", "here/roads", "anchorage")
    assert port.zones[0].confidence is None and port.zones[0].source is None


def test_other_properties_and_a_third_coordinate_are_left_alone() -> None:
    geometry = square(125.0, 38.0)
    geometry["coordinates"] = [[[*xy, 3.0] for xy in ring] for ring in geometry["coordinates"]]
    port = parse_port(document(feature(geometry=geometry, depth_m=11, colour="red")))
    assert not port.zones[0].polygon.has_z


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"port": 7}, ("port 7",)),
        ({"zone": 7}, ("zone 7",)),
        ({"kind": "quay"}, ("kind 'quay'", "'berth', 'anchorage', 'fairway' or 'lock'")),
        ({"confidence": "certain"}, ("confidence 'certain'", "'high'")),
        ({"zone": "there/roads"}, ("zone must start with 'here/'",)),
        ({"zone": "roads"}, ("zone 'roads'", "such as 'nampo/coal-berths'")),
        ({"zone": "here/Coal Berths"}, ("zone 'here/Coal Berths'", "lower-case")),
        ({"port": "../etc"}, ("port '../etc'", "lower-case")),
        ({"note": ["a"]}, ("note ['a']",)),
    ],
)
def test_a_wrong_property_is_named_with_its_feature(changes: dict[str, Any], words: tuple[str, ...]) -> None:
    bad = feature("here/berths", "berth", square(125.1, 38.0))
    bad["properties"] |= changes
    message = fault(document(feature(), bad))
    assert message.startswith("feature 1 (zone '")
    for word in words:
        assert word in message


@pytest.mark.parametrize("name", ["zone", "kind"])
def test_a_missing_property_is_named_with_its_feature(name: str) -> None:
    bad = feature("here/berths")
    del bad["properties"][name]
    message = fault(document(feature(), bad))
    assert f"'{name}' is missing" in message
    assert message.startswith("feature 1" if name == "zone" else "feature 1 (zone 'here/berths')")


@pytest.mark.parametrize("member", ["type", "properties", "geometry"])
def test_a_feature_without_a_member_of_geojson_is_refused(member: str) -> None:
    bad = feature()
    del bad[member]
    assert f"'{member}' is missing" in fault(document(bad))


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        ({"type": "Point", "coordinates": [125.0, 38.0]}, "geometry is Point, must be Polygon"),
        ({"type": "LineString", "coordinates": [[125, 38], [126, 38]]}, "geometry is LineString"),
        ({"type": "GeometryCollection", "geometries": []}, "geometry is GeometryCollection"),
        ({"type": "Polygon", "coordinates": []}, "geometry is empty"),
        ({"type": "MultiPolygon", "coordinates": []}, "geometry is empty"),
        ({"type": "Polygon"}, "geometry cannot be read"),
        ({"type": "Polygon", "coordinates": [[["a", 1], [2, 3]]]}, "geometry cannot be read"),
        ({"type": "Polygon", "coordinates": [[[125, 38], [126, 38], [125, 38]]]}, "geometry"),
        (
            {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]},
            "geometry is invalid: Self-intersection[0.5 0.5]",
        ),
        (square(673_840.0, 4_300_390.0, 500.0), "is not WGS84 longitude/latitude: reproject to EPSG:4326"),
        (square(179.0, 38.0, 2.0), "[181.0, 38.0] is not WGS84"),
        (square(200.0, 38.0), "longitudes run -180 to 180"),
        ("water", "geometry is water"),
    ],
)
def test_a_geometry_that_is_no_polygon_in_degrees_is_refused(geometry: Any, words: str) -> None:
    message = fault(document(feature(), feature("here/berths", "berth", geometry)))
    assert message.startswith("feature 1 (zone 'here/berths'): ")
    assert words in message


def test_null_geometry_is_refused() -> None:
    bad = feature() | {"geometry": None}
    assert "geometry is None" in fault(document(bad))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_coordinate_that_is_no_number_is_refused(value: float) -> None:
    geometry = square(125.0, 38.0)
    geometry["coordinates"][0][1][0] = value
    assert "feature 0 (zone 'here/roads'): " in fault(document(feature(geometry=geometry)))


def test_two_ports_in_one_file_are_refused() -> None:
    message = fault(document(feature(), feature("there/roads", geometry=square(125.1, 38.0))))
    assert "feature 1 (zone 'there/roads'): port is 'there', but feature 0 has 'here'" in message


def test_a_zone_id_used_twice_is_refused() -> None:
    message = fault(document(feature(), feature(kind="berth")))
    assert "feature 1 (zone 'here/roads'): zone id is already that of feature 0" in message


def test_zones_of_one_kind_must_not_overlap() -> None:
    message = fault(document(feature(), feature("here/more", geometry=square(125.01, 38.0))))
    assert "feature 0 (zone 'here/roads') and feature 1 (zone 'here/more') are both anchorage" in message
    assert "m2" in message


def test_zones_of_different_kinds_may_overlap_and_zones_of_one_kind_may_touch() -> None:
    port = parse_port(
        document(
            feature(),
            feature("here/berths", "berth", square(125.01, 38.0)),
            feature("here/more", geometry=square(125.02, 38.0)),
        )
    )
    assert len(port.zones) == 3


@pytest.mark.parametrize(
    ("doc", "words"),
    [
        ({}, "'type' is missing; 'features' is missing"),
        ([], "is not a port file"),
        (None, "is not a port file"),
        ({"type": "Feature", "features": []}, "type 'Feature'"),
        ({"type": "FeatureCollection", "features": []}, "features []"),
        ({"type": "FeatureCollection", "features": {"a": 1}}, "features"),
        ({"type": "FeatureCollection", "features": [None]}, "feature 0: "),
        ({"type": "FeatureCollection", "features": ["x"]}, "feature 0: "),
    ],
)
def test_a_document_that_is_no_feature_collection_is_refused(doc: object, words: str) -> None:
    assert words in fault(doc)


def crs_member(name: str) -> dict[str, Any]:
    return {"type": "name", "properties": {"name": name}}


def test_a_crs_member_that_names_no_crs_is_refused() -> None:
    message = fault(document(feature(), crs=crs_member("nonsense")))
    assert "nonsense" in message and "reproject to EPSG:4326" in message


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:EPSG::32651", "EPSG:3857"])
def test_degrees_under_a_crs_member_in_metres_are_refused(name: str) -> None:
    assert "its coordinates are degrees, but it says" in fault(document(feature(), crs=crs_member(name)))


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"])
def test_the_crs_member_that_qgis_writes_for_wgs84_is_accepted(name: str) -> None:
    assert parse_port(document(feature(), crs=crs_member(name))).slug == "here"


def test_a_port_across_the_antimeridian_is_refused() -> None:
    doc = document(feature(geometry=square(179.9, 38.0)), feature("here/b", geometry=square(-179.9, 38.0)))
    assert "antimeridian" in fault(doc)


def test_a_port_larger_than_a_utm_zone_is_refused() -> None:
    doc = document(feature(), feature("here/far", geometry=square(132.0, 38.0)))
    assert "7.0 x 0.0 degrees, more than one UTM zone" in fault(doc)


@pytest.mark.parametrize("south", [84.5, -81.0])
def test_a_port_where_there_are_no_utm_zones_is_refused(south: float) -> None:
    assert "no UTM zones" in fault(document(feature(geometry=square(20.0, south))))


# Finding a port ----------------------------------------------------------------------------------------


def write(path: Path, doc: object, encoding: str = "utf-8") -> Path:
    path.write_text(json.dumps(doc, ensure_ascii=False), encoding=encoding)
    return path


def test_a_port_is_loaded_by_slug_or_by_path(tmp_path: Path) -> None:
    path = write(tmp_path / "here.geojson", document(feature(name="Größe")), "utf-8-sig")
    for key in (path, str(path)):
        assert load_port(key).zones[0].name == "Größe"
    assert load_port("here", tmp_path).slug == "here"
    assert known_ports(tmp_path) == ("here",)


def test_an_unknown_port_lists_the_known_ones_and_suggests_the_closest() -> None:
    with pytest.raises(
        PortError, match=r"unknown port 'Zhoushan'; did you mean 'ningbo-zhoushan'\?"
    ) as error:
        load_port("Zhoushan", AOI)
    assert "Known: nampo, ningbo-zhoushan." in str(error.value)
    with pytest.raises(PortError) as error:
        load_port("qqqqqq", AOI)
    assert "did you mean" not in str(error.value)


def test_a_folder_without_port_files_says_so(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="there are no port files in"):
        load_port("nampo", tmp_path / "none")


def test_a_file_in_the_folder_must_bear_the_name_of_its_port(tmp_path: Path) -> None:
    write(tmp_path / "there.geojson", document(feature()))
    with pytest.raises(PortError, match=r"there\.geojson: holds port 'here'; name the file here\.geojson"):
        load_port("there", tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is not JSON"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "is not UTF-8"),
        (b"", "is not JSON"),
        (b'{"type": "FeatureCollection", "features": []}', "is not a port file"),
    ],
)
def test_a_file_that_is_no_port_file_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "odd.geojson"
    path.write_bytes(content)
    with pytest.raises(PortError, match=words) as error:
        load_port(path)
    assert str(error.value).startswith(str(path))


def test_a_file_that_is_not_there_or_a_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.geojson", tmp_path):
        with pytest.raises(PortError, match="cannot be read") as error:
            load_port(path)
        assert str(error.value).startswith(str(path))


@pytest.mark.shared_data
def test_the_ports_of_the_real_images_load(shared_data: Path) -> None:
    files = sorted((shared_data / "aoi").glob("*.geojson"))
    assert len(files) == 16
    for file in files:
        port = load_port(file)
        assert port.slug == file.stem
        assert len(port.zones) == 1


# Where a ship lies ---------------------------------------------------------------------------------------


def nested() -> Port:
    return parse_port(
        document(
            feature("here/roads", "anchorage", square(125.0, 38.0, 0.1)),
            feature("here/way", "fairway", square(125.02, 38.02, 0.02)),
            feature("here/lock", "lock", square(125.025, 38.025, 0.004)),
            feature("here/quay", "berth", square(125.025, 38.025, 0.004)),
        )
    )


def test_a_ship_lies_in_the_smallest_zone_that_holds_it_and_a_berth_wins_a_tie() -> None:
    lonlat = np.array([[125.09, 38.09], [125.022, 38.022], [125.027, 38.027], [126.0, 38.0]])
    assert nested().zone_of(lonlat) == ["here/roads", "here/way", "here/quay", None]


def test_a_ship_in_a_zone_lies_in_its_kind_of_water_and_one_outside_in_none() -> None:
    lonlat = np.array([[125.09, 38.09], [125.022, 38.022], [125.027, 38.027], [126.0, 38.0]])
    assert nested().kind_of(lonlat) == ["anchorage", "fairway", "berth", None]


def test_no_ship_has_no_zone() -> None:
    assert nested().zone_of(np.empty((0, 2))) == []


def test_a_position_that_is_not_known_lies_in_no_zone() -> None:
    assert nested().zone_of(np.array([[np.nan, 38.0], [125.01, 38.01]])) == [None, "here/roads"]


degrees = st.floats(0.0, 0.1).map(lambda v: round(v, 4))


@given(st.lists(st.tuples(degrees, degrees), min_size=1, max_size=20))
def test_zone_of_agrees_with_looking_at_each_zone_in_turn(offsets: list[tuple[float, float]]) -> None:
    port = nested()
    lonlat = np.array([(125.0 + x, 38.0 + y) for x, y in offsets])
    in_order = ["here/quay", "here/lock", "here/way", "here/roads"]
    shapes = {zone.id: zone.polygon for zone in port.zones}
    expected = [next(z for z in in_order if shapes[z].intersects(Point(xy))) for xy in lonlat]
    assert port.zone_of(lonlat) == expected


@given(
    st.floats(-179.0, 178.0),
    st.floats(-79.0, 83.0),
    st.floats(0.001, 0.5),
    st.sampled_from([10.0, 20.0, 2.5]),
)
def test_the_grid_holds_the_port_with_its_margin_on_whole_pixels(
    west: float, south: float, side: float, pixel_m: float
) -> None:
    port = parse_port(document(feature(geometry=square(west, south, side))))
    grid = port.grid(pixel_m)
    left, bottom, right, top = grid.bounds_xy
    w, s, e, n = shapely.bounds(project(port.footprint, WGS84, port.crs))
    for inside, outside in ((left, w), (bottom, s)):
        assert ports.MARGIN_M <= outside - inside <= ports.MARGIN_M + pixel_m
    for inside, outside in ((right, e), (top, n)):
        assert ports.MARGIN_M <= inside - outside <= ports.MARGIN_M + pixel_m
    assert all(math.isclose(v % pixel_m, 0.0, abs_tol=1e-6) for v in (left, bottom, right, top))
    assert grid.pixel_m == pixel_m and grid.crs == port.crs


@given(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05))
@example(dx=0.015625, dy=0.02)
def test_two_zones_of_one_kind_load_exactly_when_they_do_not_overlap(dx: float, dy: float) -> None:
    other = square(125.0 + dx, 38.0 + dy)
    doc = document(feature(), feature("here/more", geometry=other))
    shared = box(125.0, 38.0, 125.02, 38.02).intersection(box(125.0 + dx, 38.0 + dy, 125.02 + dx, 38.02 + dy))
    if shared.area > 1e-9:  # about 10 m2
        assert "overlap" in fault(doc)
    elif shared.area == 0.0:
        assert len(parse_port(doc).zones) == 2


def test_kinds_and_confidences_are_those_of_the_tables() -> None:
    assert get_args(port_file.Kind) == schemas.ZONE_KINDS
    assert get_args(port_file.Confidence) == schemas.CONFIDENCES


# Our own two ports ----------------------------------------------------------------------------------------


def test_the_ports_that_ship_are_nampo_and_ningbo_zhoushan() -> None:
    assert known_ports() == OURS
    assert coasts() == OURS


def test_our_zone_ids_and_kinds_are_stable(ours: Port) -> None:
    found = {zone.id.removeprefix(f"{ours.slug}/"): zone.kind for zone in ours.zones}
    assert found == ZONES[ours.slug]


def test_each_of_our_zones_has_source_and_confidence_and_says_it_is_not_surveyed(ours: Port) -> None:
    for zone in ours.zones:
        assert zone.name and zone.source and zone.confidence, zone.id
        assert zone.note and zone.note.endswith("Not surveyed."), zone.id


def test_no_two_of_our_zones_of_one_kind_overlap(ours: Port) -> None:
    for kind in schemas.ZONE_KINDS:
        assert list(ports.overlaps(ours, kind)) == []


def test_our_fairways_end_where_an_anchorage_begins(ours: Port) -> None:
    kinds = {kind: [metres(ours, z) for z in ours.zones if z.kind == kind] for kind in schemas.ZONE_KINDS}
    shared = shapely.union_all(kinds["fairway"]).intersection(shapely.union_all(kinds["anchorage"]))
    assert shared.area < ports.OVERLAP_M2


def water_share(port: Port, zone: ports.Zone) -> float:
    shape = metres(port, zone)
    land = project(coast(port.slug).intersection(zone.polygon.envelope), WGS84, port.crs)
    return 1.0 - float(shape.intersection(land).area / shape.area)


def test_our_anchorages_and_fairways_are_water(ours: Port) -> None:
    shares = {z.id: water_share(ours, z) for z in ours.zones if z.kind in ("anchorage", "fairway")}
    assert {zone: share for zone, share in shares.items() if share < 0.95} == {}


def test_a_berth_or_lock_that_the_coast_contradicts_has_low_confidence_and_a_reason(ours: Port) -> None:
    readme = (AOI / "README.md").read_text(encoding="utf-8")
    reasons = readme.split("## Where GSHHG disagrees")[1].split("## Share of water")[0]
    for zone in ours.zones:
        if zone.kind in ("berth", "lock") and water_share(ours, zone) < 0.95:
            assert zone.confidence == "low", zone.id
            assert f"- `{zone.id}`: " in reasons, zone.id


def test_the_table_of_water_shares_is_that_of_the_zones(ours: Port) -> None:
    readme = (AOI / "README.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| `(.+)` \| (\w+) \| (\w+) \| ([\d.]+) \| (\d+) % \|$", re.MULTILINE)
    told = {m[1]: (m[2], m[3], float(m[4]), int(m[5])) for m in row.finditer(readme)}
    for zone in ours.zones:
        kind, confidence, km2, percent = told.pop(zone.id)
        assert (kind, confidence) == (zone.kind, zone.confidence)
        assert km2 == pytest.approx(metres(ours, zone).area / 1e6, abs=0.051)
        assert percent == pytest.approx(100 * water_share(ours, zone), abs=3.0)
    assert not [zone for zone in told if zone.startswith(f"{ours.slug}/")]


def test_our_berth_zones_are_wide_enough_for_hulls_alongside(ours: Port) -> None:
    for zone in ours.zones:
        if zone.kind == "berth":
            inner = shapely.maximum_inscribed_circle(metres(ours, zone))
            assert 2.0 * inner.length >= 300.0, zone.id


@pytest.mark.parametrize(("zone", "lon", "lat", "within_m"), PLACES)
def test_published_positions_lie_in_their_zone(zone: str, lon: float, lat: float, within_m: float) -> None:
    port = load_port(zone.split("/")[0], AOI)
    (shape,) = (metres(port, z) for z in port.zones if z.id == zone)
    assert shape.distance(project(Point(lon, lat), WGS84, port.crs)) <= within_m


@pytest.mark.parametrize(("slug", "lon", "lat"), WORLD_PORT_INDEX)
def test_the_world_port_index_lies_within_5_km_of_a_zone(slug: str, lon: float, lat: float) -> None:
    port = load_port(slug, AOI)
    here = project(Point(lon, lat), WGS84, port.crs)
    assert project(port.footprint, WGS84, port.crs).distance(here) < 5_000.0


def test_ships_wait_west_of_the_barrage_and_berth_east_of_it() -> None:
    bounds = {zone.id: zone.polygon.bounds for zone in load_port("nampo", AOI).zones}
    lock_west, _, lock_east, _ = bounds["nampo/barrage-locks"]
    assert 125.15 < lock_west < lock_east < 125.20
    assert bounds["nampo/waiting-anchorage"][2] < lock_east
    for inner in ("coal-berths", "general-berths", "container-berths", "roads", "taean-roads"):
        assert bounds[f"nampo/{inner}"][0] > lock_east


@pytest.mark.parametrize("slug", OURS)
def test_our_files_follow_rfc_7946(slug: str) -> None:
    doc = json.loads((AOI / f"{slug}.geojson").read_text(encoding="utf-8"))
    assert "crs" not in doc
    for zone in load_port(slug, AOI).zones:
        for polygon in zone.polygon.geoms:
            assert LinearRing(polygon.exterior).is_ccw, zone.id
            assert not any(LinearRing(hole).is_ccw for hole in polygon.interiors), zone.id


def test_a_fault_in_our_own_file_would_be_found() -> None:
    doc = json.loads((AOI / "nampo.geojson").read_text(encoding="utf-8"))
    doc["features"].append(deepcopy(doc["features"][0]))
    doc["features"][-1]["properties"]["zone"] = "nampo/again"
    assert "(zone 'nampo/coal-berths') and feature 12 (zone 'nampo/again') are both berth" in fault(doc)


# The land outline -------------------------------------------------------------------------------------------


def test_the_coast_knows_land_from_water() -> None:
    assert coast("nampo").contains(Point(125.40, 38.76))  # the city
    assert not coast("nampo").intersects(Point(125.40, 38.71))  # the roads
    assert coast("ningbo-zhoushan").contains(Point(122.10, 30.05))  # Zhoushan island
    assert not coast("ningbo-zhoushan").intersects(Point(122.45, 29.78))  # off Xiazhimen


MAINLAND = {"nampo": ("south", "east", "north"), "ningbo-zhoushan": ("west", "south")}


def test_the_coast_reaches_10_km_beyond_the_zones(ours: Port) -> None:
    sides = ("west", "south", "east", "north")
    zones = shapely.bounds(project(ours.footprint, WGS84, ours.crs))
    land = shapely.bounds(project(coast(ours.slug), WGS84, ours.crs))
    beyond = dict(zip(sides, (zones - land) * (1, 1, -1, -1), strict=True))
    assert coast(ours.slug).is_valid
    for side in MAINLAND[ours.slug]:
        assert beyond[side] == pytest.approx(10_000.0, abs=60.0)


def test_the_coast_files_are_small_and_say_where_they_are_from(ours: Port) -> None:
    file = resources.files("roadstead.core") / "coast" / f"{ours.slug}.geojson"
    text = file.read_text(encoding="utf-8")
    assert len(text) < 400_000
    (land,) = json.loads(text)["features"]
    assert land["properties"]["kind"] == "land"
    assert "GSHHG 2.3.6" in land["properties"]["source"]
    assert land["properties"]["licence"].startswith("LGPL")
    assert "Not surveyed" in land["properties"]["note"]


def test_a_port_without_an_outline_says_so() -> None:
    with pytest.raises(PortError, match="no coast outline ships for port 'durban'; there is one for nampo"):
        coast("durban")
