"""How each behaviour shows in what is heard, and that the transmission tells it."""

from itertools import combinations

import numpy as np
import pytest

from roadstead.ais.codes import is_gear_name
from roadstead.core.geo import KNOT
from roadstead_lab.simulate.ais.behaviours import transmission
from roadstead_lab.simulate.ais.false_positions import Circle, FalseTrack
from roadstead_lab.simulate.ais.received import Received, received
from roadstead_lab.simulate.scenario.model import PortScenario
from roadstead_lab.simulate.traffic.fleet import fleet_of
from roadstead_lab.simulate.traffic.sailing import Cargo, Sailing
from roadstead_lab.simulate.traffic.sea import PortWorld
from roadstead_lab.simulate.traffic.tracks import Stay
from tests.unit.lab.simulate.ais.builders import (
    BOTTOM,
    HOUR,
    MIDDLE,
    SIDE_M,
    START,
    antenna_xy,
    at_anchor,
    calling,
    open_sea,
    passing,
    places_xy,
    positions,
    receiver,
    scenario,
    world_of,
)


def world_with(behaviour: str, ships: int = 8, days: int = 4, **row: object) -> PortWorld:
    """Ships that call, all of one behaviour, and one source that hears everything."""
    port = scenario(receiver(thin_s=60), ships={"call": ships}, behaviours={behaviour: 1.0}, **row)
    return world_of(port, [calling()] * ships, days=days)


def heard_in(world: PortWorld) -> Received:
    return received(world)["SIM-TEST"]


def errors_m(world: PortWorld, sailing: Sailing, heard: Received) -> tuple[np.ndarray, np.ndarray]:
    """Times of every fifth report of a ship and how far (m) it lies from the antenna."""
    table = positions(heard, sailing.vessel.vessel_id)[::5]
    motions = [sailing.at(time) for time in table["time"]]
    true = np.array([antenna_xy(sailing.vessel, motion) for motion in motions if motion is not None])
    return table["time"].to_numpy(), np.hypot(*(places_xy(table) - true).T)


def test_silent_ships_are_never_heard() -> None:
    world = world_with("silent")
    assert not set(heard_in(world).senders) & {sailing.vessel.vessel_id for sailing in world.sailings}
    assert not any(transmission(world, one).sends(one.track.start + HOUR) for one in world.sailings)


def test_a_ship_switched_off_is_off_for_a_leg_after_a_stay_or_rarely_for_a_stay() -> None:
    world = world_with("switched_off", ships=40)
    legs, stays = 0, 0
    for sailing in world.sailings:
        ((start, end),) = transmission(world, sailing).off
        parts = sailing.track.parts
        legs += any(start <= part.start and part.end <= end for part in (parts[2], parts[4]))
        stays += any((start, end) == (part.start, part.end) for part in parts if isinstance(part, Stay))
        assert end - start < 31 * HOUR
    assert legs + stays == 40
    assert 25 <= legs < 40


def test_nobody_is_heard_while_switched_off() -> None:
    world = world_with("switched_off")
    heard = heard_in(world)
    for sailing in world.sailings:
        unit = transmission(world, sailing)
        table = heard.messages[heard.messages["sender"] == heard.senders.index(sailing.vessel.vessel_id)]
        assert len(table) > 100
        assert all(unit.sends(time) for time in table["time"])
        assert not unit.sends(sum(unit.off[0]) / 2)


def test_a_ship_that_stays_all_the_time_is_off_for_a_day_or_two_at_most() -> None:
    port = scenario(receiver(), behaviours={"switched_off": 1.0})
    world = world_of(port, [at_anchor(days=9.0)], days=9)
    ((start, end),) = transmission(world, world.sailings[0]).off
    assert world.begin_s <= start < end <= world.end_s
    assert 14 * HOUR <= end - start <= 48 * HOUR


def test_a_ship_that_passes_is_off_for_a_part_of_her_way() -> None:
    world = world_of(scenario(receiver(), behaviours={"switched_off": 1.0}), [passing(8.0)])
    ((start, end),) = transmission(world, world.sailings[0]).off
    track = world.sailings[0].track
    assert track.start <= start < end <= track.end
    assert len(positions(heard_in(world))) > 50


def test_a_clone_and_her_twin_send_one_mmsi_from_two_places_at_one_time() -> None:
    x, y = MIDDLE
    row = {"ships": {"at_anchor": 4}, "behaviours": {"honest": 0.75, "cloned_mmsi": 0.25}}
    tracks = [at_anchor((x + 3_000.0 * number, y)) for number in range(4)]
    world = world_of(scenario(receiver(thin_s=60), **row), tracks)
    heard = heard_in(world)
    (clone,) = [s.vessel for s in world.sailings if s.vessel.behaviour == "cloned_mmsi"]
    (twin,) = [s.vessel for s in world.sailings if s.vessel.true.mmsi == clone.declared.mmsi]
    places = [places_xy(positions(heard, one.vessel_id)) for one in (clone, twin)]
    assert np.hypot(*(places[0].mean(axis=0) - places[1].mean(axis=0))) > 2_900.0
    windows = [set(positions(heard, one.vessel_id)["time"] // 600) for one in (clone, twin)]
    assert len(windows[0] & windows[1]) > 100
    sent = positions(heard, clone.vessel_id)["identity"].map(lambda number: heard.identities[number].mmsi)
    assert set(sent) == {twin.true.mmsi}
    assert clone.true.mmsi != twin.true.mmsi, "the truth has both"


def test_a_borrowed_identity_is_what_is_heard() -> None:
    world = world_with("borrowed_identity", ships=3)
    heard = heard_in(world)
    for sailing in world.sailings:
        vessel = sailing.vessel
        numbers = positions(heard, vessel.vessel_id)["identity"].unique()
        lengths = {heard.identities[number].length_m for number in numbers}
        assert all(abs(length / vessel.hull.length_m - 1.0) > 0.3 for length in lengths)
        assert errors_m(world, sailing, heard)[1].mean() < 10.0, "positions are the true antenna's"


def test_an_honest_ship_names_the_port_until_she_leaves_it() -> None:
    world = world_with("honest", ships=1)
    (sailing,) = world.sailings
    unit, departure = transmission(world, sailing), sailing.track.parts[3].end
    assert unit.declared(departure - 1.0).destination == "TEST"
    assert unit.declared(departure).destination != "TEST"
    heard = heard_in(world)
    table = positions(heard)
    told = table["identity"].map(lambda number: heard.identities[number].destination)
    assert ((told == "TEST") == (table["time"] < departure)).all()


def test_a_stale_destination_is_one_voyage_behind() -> None:
    world = world_with("stale_destination", ships=1)
    (sailing,) = world.sailings
    unit, departure = transmission(world, sailing), sailing.track.parts[3].end
    assert unit.declared(sailing.track.start).destination not in ("TEST", "")
    assert unit.declared(departure - 1.0).destination != "TEST"
    assert unit.declared(departure).destination == "TEST"


def test_a_ship_that_loads_declares_a_deeper_draught_when_she_leaves() -> None:
    port = scenario(receiver(), ships={"call": 1})
    vessel, track = fleet_of(5, port)[0][2], calling()
    sailing = Sailing(vessel, track, cargo=Cargo(before=False, changes=(track.parts[3].start + 9 * HOUR,)))
    world = PortWorld(port, 5, START, 4, open_sea(), (sailing,))
    (_, arriving), (_, leaving) = transmission(world, sailing).identities
    assert leaving.draught_m == vessel.true.draught_m
    assert arriving.draught_m == pytest.approx(0.6 * leaving.draught_m, abs=0.06)


def test_positions_agree_with_the_truth_except_while_spoofed() -> None:
    world = world_with("position_spoofing", ships=12)
    heard = heard_in(world)
    for sailing in world.sailings:
        unit = transmission(world, sailing)
        times, errors = errors_m(world, sailing, heard)
        true = np.array([unit.is_true_position(time) for time in times])
        assert errors[true].max() < 40.0
        ((start, end),) = unit.false_positions
        middle = np.abs(times - (start + end) / 2) < 600
        assert errors[middle].min() > 1_000.0


def test_a_spoofed_track_is_smooth_and_its_speed_is_what_its_places_imply() -> None:
    world = world_with("position_spoofing", ships=12)
    heard = heard_in(world)
    kinds = set()
    for sailing in world.sailings:
        false = transmission(world, sailing).false
        assert isinstance(false, FalseTrack)
        kinds.add(false.reach_m > 0)
        table = positions(heard, sailing.vessel.vessel_id)
        times, xy = table["time"].to_numpy(), places_xy(table)
        seconds, steps = np.diff(times), np.hypot(*np.diff(xy, axis=0).T)
        # The error of two positions is about 12 m, over a minute 0.4 kn.
        near = seconds < 200
        assert (steps[near] / seconds[near] / KNOT).max() < 26.0, "no jump"
        spoofed = near & (times[1:] < false.end) & (times[:-1] >= false.start) & (seconds >= 55)
        implied = steps[spoofed] / seconds[spoofed] / KNOT
        assert np.median(np.abs(implied - table["sog_kn"].to_numpy()[1:][spoofed])) < 0.5
    assert kinds == {True, False}, "some sail at the false place, some lie at anchor"


def test_a_false_place_lies_off_a_side_that_ships_come_in_by() -> None:
    world = world_of(
        scenario(receiver(), behaviours={"position_spoofing": 1.0}), [at_anchor(days=6.0)], days=6
    )
    false = transmission(world, world.sailings[0]).false
    assert isinstance(false, FalseTrack)
    assert false.place[1] < BOTTOM, "the entry is in the south"
    assert false.place[1] > BOTTOM - SIDE_M - 1_000.0


def test_gnss_circles_run_round_one_place_of_the_port_at_a_constant_radius() -> None:
    world = world_with("gnss_circles", ships=4, ais_class={"A": 1.0})
    heard = heard_in(world)
    centres = set()
    for sailing in world.sailings:
        false = transmission(world, sailing).false
        assert isinstance(false, Circle)
        centres.add(false.centre)
        table = positions(heard, sailing.vessel.vessel_id)
        jammed = table[(table["time"] >= false.start) & (table["time"] < false.end)]
        radius = np.hypot(*(places_xy(jammed) - false.centre).T)
        assert radius.std() == pytest.approx(6.0, rel=0.25), "no more than the position error"
        assert radius.mean() == pytest.approx(false.radius_m, abs=2.0)
        assert 200.0 < false.radius_m < 5_000.0
        jumps = np.abs(np.diff(jammed["sog_kn"]))
        assert np.median(jumps) > 5.0
    assert len(centres) == 1


def test_gear_buoys_are_class_b_beacons_named_after_gear_and_battery() -> None:
    port = scenario(receiver(thin_s=600))
    told = {name: getattr(port, name) for name in port.__dataclass_fields__}
    world = world_of(PortScenario(**{**told, "gear_buoys": 6}), [at_anchor(days=3.0)], days=3)
    heard = heard_in(world)
    buoys = [sender for sender in heard.senders if "gear" in sender]
    assert len(buoys) == 6
    for buoy in buoys:
        table = positions(heard, buoy)
        names = [heard.identities[number].name for number in dict.fromkeys(table["identity"])]
        assert all(name.startswith("SIM NET-") and is_gear_name(name) for name in names)
        assert len(names) == 6, "the battery loses a percent in half a day"
        assert set(table["message"]) == {18}
        xy = places_xy(table)
        assert np.hypot(*(xy - xy.mean(axis=0)).T).max() < 150.0


def test_buoys_lie_in_different_places_inside_the_frame() -> None:
    port = scenario(receiver(thin_s=3_600))
    told = {name: getattr(port, name) for name in port.__dataclass_fields__}
    world = world_of(PortScenario(**{**told, "gear_buoys": 5}), [at_anchor()])
    heard = heard_in(world)
    places = [places_xy(positions(heard, b)).mean(axis=0) for b in heard.senders if "gear" in b]
    assert min(np.hypot(*(a - b)) for a, b in combinations(places, 2)) > 20.0
    assert all(open_sea().grid.bounds_xy[1] < y < open_sea().grid.bounds_xy[3] for _, y in places)


def test_a_transmission_is_the_same_whenever_it_is_asked_for() -> None:
    for behaviour in ("switched_off", "position_spoofing", "gnss_circles", "stale_destination"):
        world = world_with(behaviour, ships=2)
        assert [transmission(world, one) for one in world.sailings] == [
            transmission(world, one) for one in world.sailings[::-1]
        ][::-1]


def test_a_ship_that_takes_her_cargo_at_sea_declares_it_on_her_way_to_the_berth() -> None:
    port = scenario(receiver(), ships={"call": 1})
    vessel, track = fleet_of(5, port)[0][2], calling()
    anchored, moored = track.stays
    taken, given = (anchored.start + anchored.end) / 2, (moored.start + moored.end) / 2
    sailing = Sailing(vessel, track, cargo=Cargo(before=False, changes=(taken, given)))
    unit = transmission(PortWorld(port, 5, START, 4, open_sea(), (sailing,)), sailing)
    empty, full, again = (
        unit.declared(t).draught_m for t in (track.start, anchored.end + 60, moored.end + 60)
    )
    assert empty == again < full == vessel.declared.draught_m
    assert unit.declared(anchored.end + 60).destination == unit.declared(track.start).destination
