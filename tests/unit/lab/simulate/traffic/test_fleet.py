"""Fleets and their identities."""

from collections import Counter

import numpy as np
import pytest

from roadstead.ais.identity.registry import flag_of, imo_is_valid, mid_is_assigned
from roadstead.core.errors import BadInputError
from roadstead_lab.simulate.scenario.model import FleetRow, PortScenario, Route
from roadstead_lab.simulate.traffic.dealing import dealt
from roadstead_lab.simulate.traffic.fleet import Vessel, fleet_of, route_fleet
from tests.unit.lab.simulate.ais.builders import scenario, vessels


def by_behaviour(port: PortScenario, behaviour: str, seed: int = 5) -> list[Vessel]:
    return [vessel for vessel in vessels(seed, port) if vessel.behaviour == behaviour]


def test_shares_are_dealt_exactly_by_largest_remainders() -> None:
    cards = dealt({"a": 0.5, "b": 0.3, "c": 0.2}, 7, np.random.default_rng(1))
    assert Counter(cards) == {"a": 4, "b": 2, "c": 1}, "quotas 3.5, 2.1, 1.4"


def test_the_seed_picks_the_ships_but_never_their_numbers() -> None:
    port = scenario(ships={"at_anchor": 20}, behaviours={"honest": 0.6, "silent": 0.4})
    dealt_out = [[v.behaviour for v in vessels(seed, port)] for seed in range(6)]
    assert all(Counter(row) == {"honest": 12, "silent": 8} for row in dealt_out)
    assert len({tuple(row) for row in dealt_out}) > 1


def test_classes_and_flags_are_dealt_too() -> None:
    fleet = vessels(5, scenario(ships={"at_anchor": 10}, ais_class={"A": 0.7, "B": 0.3}))
    assert Counter(v.ais_class for v in fleet) == {"A": 7, "B": 3}
    assert Counter(flag_of(v.true.mmsi) for v in fleet) == {"KP": 5, "CN": 5}


def test_ships_that_call_again_are_the_same_ships() -> None:
    port = scenario(ships={"call": 10, "at_anchor": 2}, hulls=4, behaviours={"honest": 0.5, "silent": 0.5})
    moves = fleet_of(5, port)
    assert [number for number, *_ in moves] == list(range(1, 13))
    callers = [vessel for *_, vessel, pattern in moves if pattern == "call"]
    assert Counter(Counter(v.vessel_id for v in callers).values()) == {3: 2, 2: 2}
    hulls = {vessel.vessel_id: vessel.behaviour for *_, vessel, _ in moves}
    assert Counter(hulls.values()) == {"honest": 3, "silent": 3}, (
        "behaviours are dealt to hulls, not to calls"
    )


def test_every_number_is_a_ships_own_in_all_ports_and_routes() -> None:
    port = scenario(ships={"at_anchor": 40}, behaviours={"honest": 0.5, "borrowed_identity": 0.5})
    run = Route(
        kind="direct_run", loads_at="nampo", delivers_at="open-sea", occasions=9, hulls=9,
        ship_kind="barge", length_m=(50.0, 90.0), flags=(412,),
    )  # fmt: skip
    fleets = [*fleet_of(5, port, 0), *fleet_of(5, port, 1)]
    ships = [vessel for *_, vessel, _ in fleets] + route_fleet(5, 0, run, "TEST")
    told = {(v.vessel_id, i.mmsi, i.imo) for v in ships for i in (v.true, v.declared)}
    assert len({mmsi for _, mmsi, _ in told}) == 40 * 2 + 9 + 20 * 2, "own ones, and those of invented ships"
    imos = Counter(imo for _, imo in {(mmsi, imo) for _, mmsi, imo in told} if imo)
    assert max(imos.values()) == 1


def test_identities_are_clearly_invented() -> None:
    for vessel in vessels(5, scenario(ships={"at_anchor": 30}, length_m=(60.0, 300.0))):
        identity = vessel.true
        assert identity.name.startswith("SIM TEST ")
        assert identity.imo is not None and identity.imo.startswith("2") and imo_is_valid(identity.imo)
        assert identity.mmsi[3:6] == "000"
        assert len(identity.name) <= 20 and len(identity.callsign) <= 7 and len(identity.destination) <= 20


def test_declared_sizes_of_honest_ships_are_the_hulls() -> None:
    for vessel in vessels(5, scenario(ships={"at_anchor": 20})):
        assert vessel.declared == vessel.true
        assert vessel.true.length_m == pytest.approx(vessel.hull.length_m, abs=0.51)
        forward, starboard = vessel.antenna_m
        assert forward == pytest.approx((vessel.true.to_stern_m - vessel.true.to_bow_m) / 2, abs=0.51)
        assert starboard == pytest.approx((vessel.true.to_port_m - vessel.true.to_starboard_m) / 2, abs=0.51)


def test_a_wrong_length_is_too_short_and_leaves_the_antenna_above_the_stern() -> None:
    for vessel in by_behaviour(
        scenario(ships={"at_anchor": 9}, behaviours={"wrong_length": 1.0}), "wrong_length"
    ):
        assert vessel.declared.length_m < 0.7 * vessel.hull.length_m
        assert vessel.declared.to_stern_m == vessel.true.to_stern_m


@pytest.mark.parametrize("length_m", [(20.0, 55.0), (90.0, 160.0)])
def test_a_borrowed_identity_is_given_away_by_the_hulls_length(length_m: tuple[float, float]) -> None:
    port = scenario(ships={"at_anchor": 12}, length_m=length_m, behaviours={"borrowed_identity": 1.0})
    for vessel in vessels(5, port):
        declared, true = vessel.declared, vessel.true
        assert abs(declared.length_m / vessel.hull.length_m - 1.0) > 0.3
        assert declared.mmsi != true.mmsi and declared.name != true.name


def test_a_false_flag_is_of_another_state_or_of_none() -> None:
    port = scenario(ships={"at_anchor": 30}, behaviours={"false_flag": 1.0})
    ships = vessels(5, port)
    assert not {int(v.declared.mmsi[:3]) for v in ships} & {445, 412}
    assert {int(v.true.mmsi[:3]) for v in ships} == {445, 412}
    assert {mid_is_assigned(v.declared.mmsi) for v in ships} == {True, False}


def test_a_wrong_type_has_another_first_digit() -> None:
    for vessel in vessels(5, scenario(ships={"at_anchor": 9}, behaviours={"wrong_type": 1.0})):
        assert vessel.declared.ship_type // 10 != vessel.true.ship_type // 10


def test_a_clone_declares_what_an_honest_ship_that_is_always_there_declares() -> None:
    port = scenario(ships={"call": 6, "at_anchor": 4}, behaviours={"honest": 0.7, "cloned_mmsi": 0.3})
    moves = fleet_of(5, port)
    always = {v.mmsi for *_, v, pattern in moves if pattern == "at_anchor" and v.behaviour == "honest"}
    clones = [v for *_, v, _ in moves if v.behaviour == "cloned_mmsi"]
    assert len(clones) == 3 and always
    for clone in clones:
        assert clone.declared.mmsi in always
        assert clone.declared.mmsi != clone.true.mmsi


def test_a_fleet_of_clones_alone_is_refused() -> None:
    with pytest.raises(BadInputError, match="no ship of its fleet is honest"):
        fleet_of(5, scenario(behaviours={"cloned_mmsi": 1.0}))


def test_a_fleet_of_more_hulls_than_numbers_is_refused() -> None:
    with pytest.raises(BadInputError, match="at most 1,999 hulls"):
        fleet_of(5, scenario(ships={"through": 2_000}))


def test_a_share_of_barges_has_a_tug() -> None:
    row = FleetRow("barge", (40.0, 60.0), {"at_anchor": 10}, tows=0.4)
    fleet = vessels(5, PortScenario(port="open-sea", name="TEST", fleet=(row,)))
    tugs = [vessel.tow for vessel in fleet if vessel.tow is not None]
    assert len(tugs) == 4 and {tug.kind for tug in tugs} == {"tug"}
