"""Deliveries between two made-up ports: exactly as many as asked for, each one feasible."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roadstead.core.ports import Port, Zone
from roadstead_lab.simulate.scenario.model import FleetRow, Route, Scenario
from roadstead_lab.simulate.small import CLEAR, SMALL_SCENARIO, small_port
from roadstead_lab.simulate.traffic.sailing import NoRoomError, Sailing
from roadstead_lab.simulate.traffic.sea import Sea, simulate_sea
from roadstead_lab.simulate.traffic.voyages import Occasion

NEAR, FAR = "small-port", "far-port"
HOUR = 3600.0
RUN = Route(
    "dprk_delivery",
    NEAR,
    FAR,
    occasions=7,
    hulls=3,
    ship_kind="bulk_carrier",
    length_m=(95.0, 140.0),
    flags=(445,),
    behaviours={"honest": 1.0},
    loading_berths=("quay",),
    loading_anchorages=("roads",),
    delivery_berths=("quay",),
    delivery_anchorages=("roads",),
    sea_nm=200.0,
    speed_kn=(7.0, 10.0),
)
COAST_RUN = replace(
    RUN,
    kind="direct_run",
    occasions=4,
    hulls=2,
    ship_kind="barge",
    length_m=(60.0, 90.0),
    flags=(412,),
    loading_anchorages=(),
    speed_kn=(6.0, 8.0),
)
AT_SEA = replace(RUN, kind="transfer_at_sea", occasions=3, hulls=4, delivery_berths=())
TO_QUAY = replace(AT_SEA, occasions=2, delivery_berths=("quay",))


def far_port() -> Port:
    """The small port again, under another name."""
    port = small_port()
    zones = tuple(replace(zone, id=zone.id.replace(NEAR, FAR)) for zone in port.zones)
    assert all(isinstance(zone, Zone) for zone in zones)
    return Port(FAR, zones)


def world(*routes: Route, days: int = 90, calls: int = 4) -> Scenario:
    fleet = (
        FleetRow("bulk_carrier", (100.0, 150.0), {"call": calls}, berths=("quay",), anchorages=("roads",)),
    )
    passes = tuple(replace(CLEAR, day=day) for day in range(1, days, 5))
    near = replace(SMALL_SCENARIO, fleet=fleet, overpasses=passes, radar=(), receivers=())
    far = replace(near, port=FAR, name="FAR")
    return Scenario("two-ports", "Two ports", date(2020, 11, 1), days, (near, far), routes)


def sail(scenario: Scenario, seed: int) -> Sea:
    return simulate_sea(scenario, (small_port(), far_port()), seed)


def assert_feasible(one: Occasion, route: Route) -> None:
    loading, delivery = one.loading_stay, one.delivery_stay
    ship = one.vessel
    assert loading.start < loading.end <= one.departure < one.arrival < delivery.start < delivery.end
    assert 0.0 < one.sea_speed_kn <= ship.speed_kn
    assert route.speed_kn[0] <= ship.speed_kn <= route.speed_kn[1]
    hours = (one.arrival - one.departure) / HOUR
    assert hours == pytest.approx(route.sea_nm / one.sea_speed_kn)
    assert one.delivery.vessel == ship
    assert not one.loading.laden(loading.start)
    assert one.loading.laden(one.departure)
    assert one.delivery.laden(one.arrival)
    assert not one.delivery.laden(one.delivery.track.end)
    if one.receiver is not None:
        assert_takes_over(one, one.receiver)


def assert_takes_over(one: Occasion, receiver: Sailing) -> None:
    """The receiver waits for the carrier, is laden once it has left, and discharges where it goes on to a berth."""
    handover, (host, *onward) = one.handover, receiver.track.stays
    assert handover is not None
    times = [receiver.track.start, host.start, handover.start, handover.end, host.end]
    times += [time for stay in onward for time in (stay.start, stay.end)]
    times.append(receiver.track.end)
    assert all(before < after for before, after in pairwise(times))
    assert one.delivery_stay == (onward[-1] if onward else handover)
    assert not receiver.laden(handover.start)
    assert receiver.laden(handover.end)
    assert receiver.laden(onward[0].start if onward else receiver.track.end)
    assert all(not receiver.laden(time) for stay in onward for time in (stay.end, receiver.track.end))


def sailings_of(sea: Sea) -> dict[str, list[Sailing]]:
    found = defaultdict(list)
    for port in sea.worlds:
        for sailing in port.sailings:
            found[sailing.vessel.vessel_id].append(sailing)
    return {name: sorted(own, key=lambda s: s.track.start) for name, own in found.items()}


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_every_delivery_is_feasible_whatever_the_seed(seed: int) -> None:
    scenario = world(RUN, COAST_RUN, AT_SEA, TO_QUAY)
    sea = sail(scenario, seed)
    assert Counter(one.route for one in sea.occasions) == {0: 7, 1: 4, 2: 3, 3: 2}
    assert len({one.occasion_id for one in sea.occasions}) == 16
    for one in sea.occasions:
        assert_feasible(one, scenario.routes[one.route])


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_no_ship_is_at_two_places_at_once_and_none_jumps_between_ports(seed: int) -> None:
    sea = sail(world(RUN, COAST_RUN, AT_SEA), seed)
    for own in sailings_of(sea).values():
        for before, after in pairwise(own):
            assert before.track.end < after.track.start
    for _, own in _carriers(sea).items():
        for before, after in pairwise(sorted(own, key=lambda one: one.departure)):
            back = before.route == after.route and RUN.sea_nm / before.vessel.speed_kn * HOUR
            assert after.loading.track.start - before.delivery.track.end >= back


def _carriers(sea: Sea) -> dict[str, list[Occasion]]:
    found = defaultdict(list)
    for one in sea.occasions:
        found[one.vessel.vessel_id].append(one)
    return found


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_hulls_of_deliveries_keep_clear_of_all_others_and_lie_on_water(seed: int) -> None:
    for port in sail(world(RUN, COAST_RUN, AT_SEA), seed).worlds:
        for plan in port.plans:
            moment = plan.acquired(port.start).timestamp()
            present = port.present(moment)
            outlines = np.array([sailing.outline(moment) for sailing in present], object)
            assert all(port.ground.is_water(outline) for outline in outlines)
            for i, sailing in enumerate(present):
                close = np.flatnonzero(shapely.dwithin(outlines[i], outlines, 5.0))
                allowed = _rafted_with(present, i, moment)
                assert set(close) - {i} <= allowed, sailing.vessel.vessel_id


def _rafted_with(present: Sequence[Sailing], i: int, moment: float) -> set[int]:
    own = present[i]
    return {
        j
        for j, other in enumerate(present)
        if own.beside(moment) == other.vessel.vessel_id or other.beside(moment) == own.vessel.vessel_id
    }


def test_the_ends_of_a_delivery_are_sailings_of_the_two_ports() -> None:
    sea = sail(world(RUN, AT_SEA), 3)
    near, far = ({id(s) for s in port.sailings} for port in sea.worlds)
    for one in sea.occasions:
        assert id(one.loading) in near
        assert id(one.delivery) in far
        assert all(sailing.occasion_id == one.occasion_id for sailing in one.sailings())


def test_a_transfer_at_sea_keeps_two_ships_alongside_for_half_a_day_to_a_day_and_a_half() -> None:
    sea = sail(world(AT_SEA), 11)
    for one in sea.occasions:
        assert one.receiver is not None
        assert one.handover is not None
        assert 12.0 <= (one.handover.end - one.handover.start) / HOUR <= 36.1
        middle = (one.handover.start + one.handover.end) / 2
        giver, taker = one.delivery.outline(middle), one.receiver.outline(middle)
        assert giver is not None
        assert taker is not None
        assert 1.0 < giver.distance(taker) < 5.0
        assert one.delivery.beside(middle) == one.receiver.vessel.vessel_id
        assert not one.receiver.laden(one.receiver.track.start)
        assert one.receiver.laden(one.receiver.track.end)


def test_a_receiver_takes_its_cargo_to_a_berth_where_the_route_has_one() -> None:
    sea = sail(world(replace(AT_SEA, delivery_berths=("quay",))), 2)
    for one in sea.occasions:
        assert one.receiver is not None
        assert one.delivery_stay.status == "moored"
        assert one.delivery_stay in one.receiver.track.stays
        assert one.handover is not None
        assert one.delivery_stay.start > one.handover.end
        assert not one.receiver.laden(one.receiver.track.start)
        assert one.receiver.laden((one.handover.end + one.delivery_stay.start) / 2)
        assert not one.receiver.laden(one.delivery_stay.end)
        assert not one.receiver.laden(one.receiver.track.end)


def test_waits_at_anchor_have_a_heavy_tail() -> None:
    route = replace(RUN, occasions=40, hulls=20)
    waits = np.array([one.wait_s / HOUR for one in sail(world(route, days=300), 1).occasions])
    assert np.mean(waits) > 1.3 * np.median(waits)
    assert waits.max() > 3 * np.median(waits)


def test_more_deliveries_than_the_time_holds_name_the_route_and_what_to_change() -> None:
    scenario = world(RUN, replace(RUN, occasions=60, hulls=2), days=60)
    with pytest.raises(NoRoomError, match=r"^sim-route-1-.*fewer occasions, more hulls") as error:
        sail(scenario, 1)
    assert error.value.route == 1


def test_a_time_too_short_for_the_sea_leg_is_refused() -> None:
    with pytest.raises(NoRoomError, match="days at sea"):
        sail(world(replace(RUN, sea_nm=5_000.0), days=10), 1)


def test_a_transfer_needs_two_ships() -> None:
    with pytest.raises(NoRoomError, match=r"^a transfer at sea takes two ships") as error:
        sail(world(replace(AT_SEA, hulls=1)), 1)
    assert error.value.route == 0


def test_the_same_seed_gives_the_same_deliveries() -> None:
    one, again, other = (sail(world(RUN, AT_SEA), seed).occasions for seed in (5, 5, 6))
    assert one == again
    assert one != other
