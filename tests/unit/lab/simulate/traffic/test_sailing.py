"""Ships of a simulated port: where they lie, and that they never meet."""

from dataclasses import replace
from datetime import date
from itertools import combinations, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from roadstead_lab.simulate.scenario.file import load_scenario
from roadstead_lab.simulate.scenario.model import FleetRow, PortScenario
from roadstead_lab.simulate.small import SMALL_SCENARIO, small_port
from roadstead_lab.simulate.traffic.sailing import Cargo, NoRoomError, Sailing
from roadstead_lab.simulate.traffic.sea import PortWorld, port_ground, simulate_sea
from roadstead_lab.simulate.traffic.tracks import Stay
from tests.unit.lab.simulate.builders import simulate_port

START = date(2020, 11, 1)
BUSY = replace(
    SMALL_SCENARIO,
    fleet=(
        *SMALL_SCENARIO.fleet,
        FleetRow(
            "barge", (50.0, 90.0), {"call": 12}, hulls=5, berths=("quay",), anchorages=("roads",), rafts=0.7
        ),
        FleetRow("barge", (50.0, 80.0), {"at_anchor": 2}, anchorages=("roads",), tows=1.0),
    ),
    moored_craft=6,
)
"""Ships that come again, rafts, tows and small craft, in a frame of 5 km."""


def times_of(world: PortWorld) -> list[float]:
    plans = [*world.plans, *world.scenario.radar]
    return [plan.acquired(world.start).timestamp() for plan in plans]


def rafted(a: Sailing, b: Sailing, moment: float) -> bool:
    return a.beside(moment) == b.vessel.vessel_id or b.beside(moment) == a.vessel.vessel_id


def assert_apart(world: PortWorld, moment: float) -> None:
    present = [(s, outline) for s in world.sailings if (outline := s.outline(moment)) is not None]
    for (a, hull_a), (b, hull_b) in combinations(present, 2):
        gap = hull_a.distance(hull_b)
        assert gap > (0.5 if rafted(a, b, moment) else 5.0), (a.vessel.vessel_id, b.vessel.vessel_id, gap)


def at_stays(world: PortWorld) -> list[float]:
    """Moments at which some ship has just come to lie still."""
    return [stay.start + 1.0 for sailing in world.sailings for stay in sailing.track.stays]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_no_two_hulls_overlap_and_all_are_on_water_whatever_the_seed(seed: int) -> None:
    world = simulate_port(small_port(), BUSY, seed, START, 40)
    for moment in times_of(world):
        assert_apart(world, moment)
        for sailing in world.sailings:
            hull = sailing.outline(moment)
            assert hull is None or world.ground.is_water(hull)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_hulls_that_lie_still_never_share_a_place(seed: int) -> None:
    world = simulate_port(small_port(), BUSY, seed, START, 40)
    for moment in at_stays(world):
        still = [
            (s, s.outline(moment))
            for s in world.sailings
            if (motion := s.at(moment)) is not None and motion.status != "under_way"
        ]
        for (a, hull_a), (b, hull_b) in combinations(still, 2):
            assert hull_a is not None
            assert hull_b is not None
            assert hull_a.distance(hull_b) > (0.5 if rafted(a, b, moment) else 5.0)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_a_ship_that_calls_again_has_been_away_for_a_day(seed: int) -> None:
    world = simulate_port(small_port(), BUSY, seed, START, 40)
    for vessel_id in {s.vessel.vessel_id for s in world.sailings}:
        tracks = sorted(
            (s.track for s in world.sailings if s.vessel.vessel_id == vessel_id),
            key=lambda track: track.start,
        )
        assert all(b.start - a.end >= 86_400.0 for a, b in pairwise(tracks))


def test_every_movement_of_the_fleet_is_placed() -> None:
    world = simulate_port(small_port(), BUSY, 5, START, 40)
    assert len(world.sailings) == 7 + 12 + 2 + 6
    callers = [
        s.vessel.vessel_id for s in world.sailings if s.vessel.hull.kind == "barge" and len(s.track.parts) > 1
    ]
    assert len(callers) == 12
    assert len(set(callers)) == 5


def test_a_raft_lasts_no_longer_than_its_host_stays() -> None:
    rafts = 0
    for seed in range(6):
        world = simulate_port(small_port(), BUSY, seed, START, 40)
        for sailing in world.sailings:
            if sailing.raft is None:
                continue
            rafts += 1
            stays = [
                stay
                for s in world.sailings
                if s.vessel.vessel_id == sailing.alongside
                for stay in s.track.stays
            ]
            assert any(stay.start <= sailing.raft.start and sailing.raft.end <= stay.end for stay in stays)
    assert rafts > 0


def test_the_tug_of_a_tow_lies_close_behind_its_barge_and_on_water() -> None:
    world = simulate_port(small_port(), BUSY, 2, START, 40)
    tows = [sailing for sailing in world.sailings if sailing.vessel.tow is not None]
    assert len(tows) == 2
    for sailing in tows:
        moment = world.begin_s + 3_600.0
        motion, hull = sailing.at(moment), sailing.outline(moment)
        assert motion is not None
        assert hull is not None
        tug = sailing.tug(motion)
        assert tug is not None
        spec, xy, heading = tug
        assert heading == motion.heading_deg
        assert 0.5 < hull.distance(Point(xy)) - spec.length_m / 2 < 1.5


def test_small_craft_lie_by_the_shore_outside_the_zones() -> None:
    world = simulate_port(small_port(), BUSY, 4, START, 40)
    craft = [s for s in world.sailings if s.vessel.hull.kind == "small_craft"]
    assert len(craft) == 6
    for sailing in craft:
        (stay,) = sailing.track.stays
        assert not any(area.polygon.contains(Point(stay.xy)) for area in world.ground.areas)
        assert world.ground.land.distance(Point(stay.xy)) < 120.0


def test_a_fleet_too_large_for_its_berths_names_port_and_row() -> None:
    crowd = FleetRow("bulk_carrier", (180.0, 190.0), {"at_berth": 40}, berths=("quay",))
    scenario = PortScenario(
        "small-port", (crowd,), bounds_xy=SMALL_SCENARIO.bounds_xy, land_xy=SMALL_SCENARIO.land_xy
    )
    with pytest.raises(NoRoomError, match="quay at small-port") as error:
        simulate_port(small_port(), scenario, 1, START, 3)
    assert (error.value.port, error.value.row, error.value.route) == ("small-port", 0, None)


def test_a_port_without_a_frame_of_its_own_is_simulated_whole() -> None:
    whole = port_ground(small_port(), replace(SMALL_SCENARIO, bounds_xy=None))
    left, bottom, right, top = small_port().grid().bounds_xy
    assert whole.grid.bounds_xy[0] <= left
    assert whole.grid.bounds_xy[2] >= right
    assert whole.grid.bounds_xy[3] - whole.grid.bounds_xy[1] >= top - bottom


def test_moored_hulls_lie_close_along_the_quay(small_world: PortWorld) -> None:
    (quay,) = small_world.ground.quays
    rafts = {sailing.vessel.vessel_id for sailing in small_world.sailings if sailing.alongside}
    for sailing in small_world.sailings:
        for stay in sailing.track.stays:
            if stay.status != "moored" or sailing.vessel.vessel_id in rafts:
                continue
            hull = sailing.outline(max(stay.start, small_world.begin_s) + 1.0)
            assert hull is not None
            assert 1.0 < hull.distance(quay.edge) < 6.0
            assert stay.heading_deg % 180.0 == pytest.approx(90.0, abs=1.0)


def test_hulls_at_anchor_lie_in_the_roads(small_world: PortWorld) -> None:
    roads = small_world.ground.area("small-port/roads").polygon.buffer(100.0)
    for sailing in small_world.sailings:
        for stay in sailing.track.stays:
            if stay.status == "anchored":
                assert roads.contains(_centre(stay))


def _centre(stay: Stay) -> Point:
    return Point(stay.at(stay.start).xy)


def test_parts_of_a_call_follow_without_gaps_and_begin_where_the_last_ended(small_world: PortWorld) -> None:
    for sailing in small_world.sailings:
        for before, after in pairwise(sailing.track.parts):
            assert after.start == pytest.approx(before.end)
            end, begin = before.at(before.end), after.at(after.start)
            assert Point(end.xy).distance(Point(begin.xy)) < 5.0


def test_a_ship_that_loads_comes_empty_and_leaves_laden() -> None:
    loading = Cargo(before=False, changes=(100.0,))
    assert [loading.laden(time) for time in (0.0, 99.0, 101.0)] == [False, False, True]
    assert Cargo(before=True).laden(1e12)


def test_the_same_seed_gives_the_same_traffic_and_another_seed_another() -> None:
    one, again, other = (simulate_port(small_port(), BUSY, seed, START, 40) for seed in (3, 3, 4))
    assert one.sailings == again.sailings
    assert one.sailings != other.sailings


def test_ships_that_always_raft_lie_in_rafts_of_several_and_elsewhere_when_there_is_no_room() -> None:
    rafts = FleetRow("barge", (70.0, 110.0), {"at_anchor": 9}, anchorages=("roads",), rafts=1.0)
    world = simulate_port(small_port(), replace(BUSY, fleet=(rafts,), moored_craft=0), 2, START, 5)
    hosts = {sailing.vessel.vessel_id: sailing.alongside for sailing in world.sailings}
    assert len(hosts) == 9
    assert any(host is not None and hosts[host] is not None for host in hosts.values())
    for moment in times_of(world):
        assert_apart(world, moment)


@pytest.mark.parametrize("name", ["fortnight", "dense-anchorage", "rafted-barges"])
def test_the_built_in_fleets_find_room_and_keep_clear(name: str) -> None:
    loaded = load_scenario(name)
    for world in simulate_sea(loaded.scenario, loaded.ports, 3).worlds:
        for moment in times_of(world):
            assert_apart(world, moment)
            outlines = [sailing.outline(moment) for sailing in world.present(moment)]
            assert len(outlines) >= 10
            assert all(outline is not None and world.ground.is_water(outline) for outline in outlines)
