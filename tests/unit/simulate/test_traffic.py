"""Ships of a simulated port: where they lie, and that they never meet."""

from datetime import UTC, date, datetime, time
from itertools import combinations, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from roadstead.aoi import load_port
from roadstead.errors import PortError
from roadstead.simulate.scenario import SCENARIOS, PortScenario, scenario_of
from roadstead.simulate.sea import PortWorld, port_ground, sail
from roadstead.simulate.small import SMALL_SCENARIO, small_port
from roadstead.simulate.tracks import Stay
from roadstead.simulate.traffic import HOUR, Sailing

START = date(2020, 11, 1)
GROUND = port_ground(small_port(), SMALL_SCENARIO)


def times_of(scenario: PortScenario) -> list[float]:
    return [plan.acquired(START).timestamp() for plan in scenario.overpasses]


def rafted(a: Sailing, b: Sailing) -> bool:
    return a.alongside == b.vessel.vessel_id or b.alongside == a.vessel.vessel_id


def assert_apart(sailings: tuple[Sailing, ...], moment: float) -> None:
    present = [(s, outline) for s in sailings if (outline := s.outline(moment)) is not None]
    for (a, hull_a), (b, hull_b) in combinations(present, 2):
        gap = hull_a.distance(hull_b)
        assert gap > (0.5 if rafted(a, b) else 5.0), (a.vessel.vessel_id, b.vessel.vessel_id, gap)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_no_two_hulls_overlap_and_all_are_on_water_whatever_the_seed(seed: int) -> None:
    sailings = sail(GROUND, SMALL_SCENARIO, seed, START)
    assert len(sailings) == 7
    for moment in times_of(SMALL_SCENARIO):
        assert_apart(sailings, moment)
        for sailing in sailings:
            hull = sailing.outline(moment)
            assert hull is None or GROUND.is_water(hull)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_the_built_in_fleets_find_room_and_keep_clear(name: str) -> None:
    scenario, port = SCENARIOS[name], load_port(name)
    ground = port_ground(port, scenario)
    sailings = sail(ground, scenario, 3, START)
    assert len(sailings) == sum(len(row.patterns) for row in scenario.fleet)
    for moment in times_of(scenario):
        assert_apart(sailings, moment)
        outlines = [sailing.outline(moment) for sailing in sailings]
        assert 10 <= sum(outline is not None for outline in outlines) <= len(sailings)
        assert all(outline is None or ground.is_water(outline) for outline in outlines)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_fleet_rows_name_zones_that_the_port_has_inside_the_frame(name: str) -> None:
    scenario, port = SCENARIOS[name], load_port(name)
    kinds = {area.id.partition("/")[2]: area.kind for area in port_ground(port, scenario).areas}
    for row in scenario.fleet:
        assert all(kinds[zone] == "berth" for zone in row.berths)
        assert all(kinds[zone] == "anchorage" for zone in row.anchorages)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_one_overpass_of_each_port_falls_into_six_hours_without_ais(name: str) -> None:
    scenario = SCENARIOS[name]
    midnight = datetime.combine(START, time(), UTC).timestamp()
    hours = [(moment - midnight) / HOUR for moment in times_of(scenario)]
    outages = [(24 * day + start, 24 * day + end) for day, start, end in scenario.reception.outages]
    silent = [any(start < hour - 6 and hour + 6 < end for start, end in outages) for hour in hours]
    assert silent.count(True) == 1


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_each_port_has_every_behaviour_and_every_weather(name: str) -> None:
    scenario = SCENARIOS[name]
    always = {
        row.behaviours[i % len(row.behaviours)].split()[1]
        for row in scenario.fleet
        for i, pattern in enumerate(row.patterns)
        if pattern.startswith("at_")
    }
    assert always == {"honest", "silent", "switched_off", "wrong_length"}
    assert {plan.weather.cloud for plan in scenario.overpasses} == {"none", "patches", "overcast"}
    assert sum(plan.no_data_wedge for plan in scenario.overpasses) == 1


def test_an_unknown_port_has_no_scenario() -> None:
    with pytest.raises(PortError, match="atlantis"):
        scenario_of("atlantis")


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
            assert hull.exterior.coords[0] != hull.exterior.coords[1]
            assert stay.heading_deg % 180.0 == pytest.approx(90.0, abs=1.0)


def test_hulls_at_anchor_lie_in_the_roads(small_world: PortWorld) -> None:
    roads = small_world.ground.area("small-port/roads").polygon.buffer(100.0)
    for sailing in small_world.sailings:
        for stay in sailing.track.stays:
            if stay.status == "anchored":
                assert roads.contains(_centre(stay))


def _centre(stay: Stay) -> Point:
    return Point(stay.at(stay.start).xy)


def test_tracks_have_no_gaps_and_no_jumps(small_world: PortWorld) -> None:
    for sailing in small_world.sailings:
        parts = sailing.track.parts
        for before, after in pairwise(parts):
            assert before.end == pytest.approx(after.start)
            a, b = before.at(before.end), after.at(after.start)
            # A hull at anchor swings, so its leg starts near, not at, its place.
            assert ((a.xy[0] - b.xy[0]) ** 2 + (a.xy[1] - b.xy[1]) ** 2) ** 0.5 < 150.0


def test_the_same_seed_gives_the_same_traffic_and_another_seed_another() -> None:
    first, again, other = (sail(GROUND, SMALL_SCENARIO, seed, START) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_a_ship_that_switches_off_is_off_at_an_overpass(small_world: PortWorld) -> None:
    (vessel,) = [s.vessel for s in small_world.sailings if s.vessel.transmitter.behaviour == "switched_off"]
    off = vessel.transmitter.off
    assert off is not None
    assert any(not vessel.transmitter.sends(moment) for moment in times_of(SMALL_SCENARIO))
    assert 28 * HOUR <= off[1] - off[0] <= 60 * HOUR
    assert vessel.transmitter.sends(off[0] - 1.0)


def test_identities_are_invented(small_world: PortWorld) -> None:
    for sailing in small_world.sailings:
        assert sailing.vessel.name.startswith("SIM ")
        assert sailing.vessel.mmsi[3:6] == "000"
        assert len(sailing.vessel.mmsi) == 9
    assert len({s.vessel.mmsi for s in small_world.sailings}) == len(small_world.sailings)
