"""What sources hear: places, motions and identities as the messages have them."""

import numpy as np
import pytest

from roadstead.core.geo import convergence_deg
from roadstead_lab.simulate.ais.received import POSITION_SIGMA_M, received
from roadstead_lab.simulate.traffic.sea import PortWorld
from roadstead_lab.simulate.traffic.tracks import STATUSES, moved
from tests.unit.lab.simulate.ais.builders import (
    BEGIN,
    CRS,
    HOUR,
    MIDDLE,
    STATION,
    antenna_xy,
    at_anchor,
    calling,
    passing,
    places_xy,
    positions,
    receiver,
    satellite,
    scenario,
    world_of,
)


@pytest.fixture(scope="module")
def call() -> PortWorld:
    """One ship that comes, anchors, berths and leaves."""
    return world_of(scenario(receiver(thin_s=60)), [calling()], days=3)


def test_reported_positions_are_the_antennas_within_the_declared_error(call: PortWorld) -> None:
    (sailing,) = call.sailings
    table = positions(received(call)["SIM-TEST"])
    motions = [sailing.at(time) for time in table["time"]]
    true = np.array([antenna_xy(sailing.vessel, motion) for motion in motions if motion is not None])
    errors = places_xy(table) - true
    assert np.std(errors, axis=0) == pytest.approx(POSITION_SIGMA_M, rel=0.05)
    assert np.abs(errors.mean(axis=0)).max() < 0.5


def test_declared_dimensions_lead_from_the_antenna_to_the_hull(call: PortWorld) -> None:
    (sailing,) = call.sailings
    told = sailing.vessel.declared
    motion = sailing.at(BEGIN + 10 * HOUR)
    assert motion is not None
    ahead, right = (told.to_bow_m - told.to_stern_m) / 2, (told.to_starboard_m - told.to_port_m) / 2
    antenna = antenna_xy(sailing.vessel, motion)
    centre = moved(moved(antenna, motion.heading_deg, ahead), motion.heading_deg + 90.0, right)
    assert np.hypot(*np.subtract(centre, motion.xy)) < 1.0, "dimensions are whole metres"


def test_speed_course_and_status_are_the_ships_about_true_north(call: PortWorld) -> None:
    (sailing,) = call.sailings
    table = positions(received(call)["SIM-TEST"])
    turn = convergence_deg(*STATION, CRS)
    for row in table.iloc[::50].itertuples():
        motion = sailing.at(row.time)
        assert motion is not None
        assert STATUSES[row.status] == motion.status
        assert row.sog_kn == pytest.approx(motion.speed_kn, abs=0.3)
        assert abs((row.heading_deg - motion.heading_deg - turn + 180) % 360 - 180) < 0.6
        if motion.status == "under_way":
            assert abs((row.cog_deg - motion.course_deg - turn + 180) % 360 - 180) < 2.0


def test_a_ship_that_lies_still_reports_next_to_no_speed_and_any_course() -> None:
    table = positions(received(world_of(scenario(receiver()), [at_anchor()]))["SIM-TEST"])
    assert table["sog_kn"].max() <= 0.3
    assert np.histogram(table["cog_deg"], bins=4, range=(0, 360))[0].min() > 60


def test_class_b_units_have_no_compass() -> None:
    for ais_class in ("A", "B"):
        world = world_of(scenario(receiver(), ais_class={ais_class: 1.0}), [at_anchor()])
        table = positions(received(world)["SIM-TEST"])
        assert table["heading_deg"].isna().all() == (ais_class == "B")
        assert set(table["message"]) == ({1} if ais_class == "A" else {18})


def test_message_27_is_as_coarse_as_the_standard_has_it() -> None:
    world = world_of(scenario(satellite(pass_every_min=10.0)), [passing(10.4)])
    table = received(world)["SIM-SAT"].messages
    coarse, fine = table[table["message"] == 27], table[table["message"] == 1]
    assert len(coarse) > 10
    assert _off_step(coarse["lon"], 600) < 1e-6 and _off_step(coarse["lat"], 600) < 1e-6
    assert _off_step(coarse["sog_kn"], 1) == 0 and _off_step(coarse["cog_deg"], 1) == 0
    assert coarse["heading_deg"].isna().all()
    assert _off_step(fine["lon"], 600) > 0.1 and _off_step(fine["lon"], 600_000) < 1e-4
    assert _off_step(fine["sog_kn"], 10) < 1e-9 and _off_step(fine["cog_deg"], 10) < 1e-9


def _off_step(values: "np.ndarray", steps: int) -> float:
    counted = np.asarray(values, float) * steps
    return float(np.abs(counted - np.rint(counted)).max())


def test_messages_are_in_order_of_time() -> None:
    world = world_of(scenario(receiver(), satellite(), ships={"at_anchor": 3}), [at_anchor()] * 3)
    for heard in received(world).values():
        assert (np.diff(heard.messages["time"]) >= 0).all()


def test_reports_near_an_overpass_are_counted_by_ship() -> None:
    x, y = MIDDLE
    tracks = [at_anchor(), at_anchor((x + 900.0, y)), passing(9.0, (x, y - 9_000.0), (x, y), start=BEGIN)]
    port = scenario(receiver(thin_s=600), ships={"at_anchor": 3}, behaviours={"honest": 0.67, "silent": 0.33})
    world = world_of(port, tracks)
    heard, moment = received(world)["SIM-TEST"], BEGIN + 12 * HOUR
    counts = heard.reports_near(moment, 2 * HOUR)
    for sailing in world.sailings:
        there, silent = sailing.at(moment) is not None, sailing.vessel.behaviour == "silent"
        expected = 24 if there and not silent else 0
        assert counts.get(sailing.vessel.vessel_id, 0) == pytest.approx(expected, abs=1)


def test_the_seed_gives_the_same_messages_again_and_another_seed_others() -> None:
    port = scenario(receiver(heard=0.7), satellite())
    first, again, other = (received(world_of(port, [calling()], days=3, seed=seed)) for seed in (5, 5, 6))
    for source in ("SIM-TEST", "SIM-SAT"):
        assert first[source].messages.equals(again[source].messages)
        assert not first[source].messages.equals(other[source].messages)


def test_one_source_more_changes_nothing_of_what_another_hears() -> None:
    alone = received(world_of(scenario(receiver(heard=0.7)), [calling()], days=3))
    both = received(world_of(scenario(satellite(), receiver(heard=0.7)), [calling()], days=3))
    assert alone["SIM-TEST"].messages.equals(both["SIM-TEST"].messages)


def test_base_stations_are_numbered_through_over_a_ports_sources() -> None:
    other = receiver(source="SIM-OTHER", stations=(STATION, STATION))
    heard = received(world_of(scenario(receiver(), other), [at_anchor()]))
    mmsis = [
        identity.mmsi for one in heard.values() for identity in one.identities if identity.mmsi[:2] == "00"
    ]
    assert mmsis == ["004450001", "004450002", "004450003"]
