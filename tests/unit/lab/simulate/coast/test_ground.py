"""Land, quays and ways over water."""

import numpy as np
import pytest
from shapely.geometry import LineString, Point, Polygon, box

from roadstead.core.geo import Grid, xy_to_lonlat
from roadstead_lab.simulate.coast.ground import Area, Ground, build_ground, frame, quays_of, rasterized_share
from roadstead_lab.simulate.optical.tiles import tiles_over
from roadstead_lab.simulate.traffic.routes import NoWayError, WaterGraph

CRS = "EPSG:32651"
FRAME = (700_000.0, 4_280_000.0, 706_000.0, 4_284_000.0)


def bay(*, lock: bool) -> Ground:
    """A wall from north to south through the frame's middle, with a lock in it or not."""
    wall = box(702_950.0, 4_279_000.0, 703_050.0, 4_285_000.0)
    areas = [Area("p/lock", "lock", box(702_900.0, 4_281_800.0, 703_100.0, 4_282_200.0))] if lock else []
    return build_ground(CRS, FRAME, wall, areas)


def test_a_zone_is_water_although_the_coast_outline_calls_it_land() -> None:
    berth = Area("p/berth", "berth", box(701_000.0, 4_281_000.0, 702_000.0, 4_281_400.0))
    ground = build_ground(CRS, FRAME, box(700_000.0, 4_281_100.0, 706_000.0, 4_284_000.0), [berth])
    assert ground.is_water(Point(701_500.0, 4_281_300.0).buffer(20.0))
    assert not ground.is_water(Point(701_500.0, 4_281_600.0).buffer(20.0))
    assert not ground.is_water(Point(699_990.0, 4_280_500.0).buffer(20.0)), "outside the frame"


def test_a_quay_runs_along_the_edge_that_faces_land_and_looks_seaward() -> None:
    berth = Area("p/berth", "berth", box(701_000.0, 4_281_000.0, 702_000.0, 4_281_400.0))
    (quay,) = quays_of(berth, box(700_000.0, 4_281_420.0, 706_000.0, 4_284_000.0))
    assert quay.length_m == pytest.approx(1000.0)
    assert quay.edge.equals(LineString([(701_000.0, 4_281_400.0), (702_000.0, 4_281_400.0)]))
    assert quay.seaward == pytest.approx((0.0, -1.0))
    assert berth.polygon.contains(Point(quay.place(500.0, 20.0)))


def test_a_berth_zone_off_the_shore_gets_a_jetty_with_trestles() -> None:
    berth = Area("p/berth", "berth", box(701_000.0, 4_281_000.0, 702_000.0, 4_281_400.0))
    ground = build_ground(CRS, FRAME, box(700_000.0, 4_281_800.0, 706_000.0, 4_284_000.0), [berth])
    assert ground.land.contains(Point(701_500.0, 4_281_420.0)), "the jetty"
    assert ground.is_water(Point(701_500.0, 4_281_600.0).buffer(50.0)), "water between jetty and shore"
    assert ground.land.geom_type == "Polygon", "trestles join them"
    assert not ground.land.intersects(berth.polygon.buffer(-0.1))


def test_land_is_drawn_where_it_lies_with_holes_and_islands_in_them() -> None:
    grid = frame(CRS, FRAME)
    ring = box(701_000.0, 4_281_000.0, 703_000.0, 4_283_000.0) - box(
        701_500.0, 4_281_500.0, 702_500.0, 4_282_500.0
    )
    island = box(701_900.0, 4_281_900.0, 702_100.0, 4_282_100.0)
    share = rasterized_share(ring | island, grid)
    assert share.sum() * 100.0 == pytest.approx((ring | island).area, rel=0.01)
    col, row = grid.xy_to_colrow(np.array([[702_000.0, 4_282_000.0]]))[0].astype(int)
    assert share[row, col] == 1.0
    assert share[row - 30, col] == 0.0


def test_shore_distance_grows_off_the_land() -> None:
    ground = build_ground(CRS, FRAME, box(700_000.0, 4_283_000.0, 706_000.0, 4_284_000.0), [])
    distance = ground.shore_distance_m
    assert distance[300, 300] == pytest.approx(2000.0, abs=60.0)
    assert distance[20, 300] < 0.0


def test_a_way_crosses_no_land_and_keeps_its_ends() -> None:
    ground = bay(lock=True)
    start, end = (700_500.0, 4_280_600.0), (705_500.0, 4_283_500.0)
    way = WaterGraph(ground).way(start, end)
    assert tuple(way[0]) == start
    assert tuple(way[-1]) == end
    line = LineString(way)
    assert not line.intersects(ground.land)
    assert line.intersects(ground.area("p/lock").polygon)
    assert len(way) < 12, "straight legs, not a staircase of cells"


def test_waters_that_a_wall_parts_are_not_joined() -> None:
    graph = WaterGraph(bay(lock=False))
    with pytest.raises(NoWayError):
        graph.way((700_500.0, 4_282_000.0), (705_500.0, 4_282_000.0))


def test_a_way_prefers_the_fairway() -> None:
    fairway = Area("p/fairway", "fairway", box(700_000.0, 4_280_600.0, 706_000.0, 4_281_200.0))
    ground = build_ground(CRS, FRAME, Polygon(), [fairway])
    way = WaterGraph(ground).way((700_300.0, 4_281_600.0), (705_700.0, 4_281_600.0))
    inside = LineString(way) & fairway.polygon
    assert inside.length > 3000.0


def test_ships_come_in_by_the_widest_water_of_a_side() -> None:
    ground = build_ground(CRS, FRAME, box(700_000.0, 4_280_000.0, 703_000.0, 4_284_000.0), [])
    graph = WaterGraph(ground)
    ((x, y),) = graph.entries("N")
    assert x == pytest.approx(704_500.0, abs=200.0)
    assert y > 4_283_600.0
    assert graph.entries("W") == []


def frame_at(lon_x: float, y: float, width: int = 400, height: int = 400) -> Grid:
    return frame(CRS, (lon_x, y, lon_x + 10.0 * width, y + 10.0 * height))


def test_tiles_of_the_two_ports_have_their_known_names() -> None:
    quays = [tile.id for tile in tiles_over(frame_at(711_000.0, 4_286_000.0))]
    barrage = [tile.id for tile in tiles_over(frame_at(688_000.0, 4_282_000.0))]
    beilun = [tile.id for tile in tiles_over(frame_at(388_000.0, 3_311_000.0))]
    assert (quays, barrage, beilun) == (["51SYC"], ["51SXC"], ["51RUP"])


def test_tiles_that_meet_in_a_frame_share_a_strip_and_cover_it() -> None:
    grid = frame(CRS, (690_000.0, 4_282_000.0, 712_000.0, 4_284_000.0))
    west, east = tiles_over(grid)
    assert (west.id, east.id) == ("51SXC", "51SYC")
    shared = west.grid.bounds_xy[2] - east.grid.bounds_xy[0]
    assert shared == 9_840.0
    assert west.grid.bounds_xy[0] == 690_000.0
    assert east.grid.bounds_xy[2] == 712_000.0
    lonlat = xy_to_lonlat(np.array([[710_000.0, 4_283_000.0]]), CRS)[0]
    assert lonlat == pytest.approx((125.415, 38.67), abs=0.01)
