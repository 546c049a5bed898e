"""The ships of a simulated port or route: what they are, and what they say they are.

Classes of transmitter and behaviours are dealt out exactly by their shares; the seed picks the ships.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice

import numpy as np

from roadstead.core.errors import BadInputError
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.hulls.spec import HullSpec, Kind, random_hull
from roadstead_lab.simulate.scenario.model import AisClass, Behaviour, FleetRow, Pattern, PortScenario, Route
from roadstead_lab.simulate.traffic.dealing import dealt
from roadstead_lab.simulate.traffic.identities import (
    ELSEWHERE,
    Identity,
    Numbers,
    borrowed,
    falsely_flagged,
    mistyped,
    shortened,
    true_identity,
)

FIRST_ROUTE_BLOCK = 15
"""Block of numbers of the first route's fleet; ports have the blocks before it."""
_SPEEDS_KN: Mapping[Kind, tuple[float, float]] = {
    "barge": (5.0, 8.0),
    "bulk_carrier": (7.0, 11.0),
    "general_cargo": (7.0, 11.0),
    "container": (8.0, 14.0),
    "tanker": (7.0, 11.0),
    "ro_ro": (9.0, 15.0),
    "fishing": (4.0, 9.0),
    "small_craft": (5.0, 12.0),
    "tug": (6.0, 10.0),
}


@dataclass(frozen=True)
class Vessel:
    """One simulated ship."""

    vessel_id: str
    hull: HullSpec
    true: Identity
    declared: Identity
    """What it says when it arrives; see `behaviours.transmission` for what changes later."""
    ais_class: AisClass
    behaviour: Behaviour
    speed_kn: float
    tow: HullSpec | None = None
    """The tug that pushes or tows it."""

    @property
    def mmsi(self) -> str:
        """Declared MMSI."""
        return self.declared.mmsi

    @property
    def name(self) -> str:
        """Declared name."""
        return self.declared.name

    @property
    def antenna_m(self) -> tuple[float, float]:
        """True place of the antenna from the hull centre: (forward, to starboard), metres."""
        t = self.true
        return t.to_stern_m - self.hull.length_m / 2, t.to_port_m - self.hull.beam_m / 2


@dataclass(frozen=True)
class _Lot:
    """Hulls of one kind whose cards are dealt together."""

    kind: Kind
    length_m: tuple[float, float]
    flags: tuple[int, ...]
    ais_class: Mapping[AisClass, float]
    behaviours: Mapping[Behaviour, float]
    count: int
    port: str
    """Destination they declare."""
    speed_kn: tuple[float, float]
    tows: float = 0.0
    residents: int = 0
    """How many, the last ones, lie in the port all the time."""


@dataclass(frozen=True)
class _Fleet:
    """Names and numbers of the ships of one port or route."""

    seed: int
    vessel_id: str
    """Before the number, e.g. ``sim-nampo``."""
    name: str
    """Before the number, e.g. ``SIM HAEDANG``."""
    digits: int
    block: int

    def ships(self, lots: Sequence[_Lot]) -> list[list[Vessel]]:
        """Return the ships of each lot, numbered through from 1."""
        made, first = [], 1
        for index, lot in enumerate(lots):
            made.append(self._lot(lot, index, first))
            first += lot.count
        return _cloned(made, [lot.residents for lot in lots])

    def _lot(self, lot: _Lot, index: int, first: int) -> list[Vessel]:
        rng = generator(self.seed, self.vessel_id, "dealt", index)
        classes = dealt(lot.ais_class, lot.count, rng)
        behaviours = dealt(lot.behaviours, lot.count, rng)
        towed = dealt({True: lot.tows, False: 1.0 - lot.tows}, lot.count, rng)
        cards = zip(cycle(lot.flags), classes, behaviours, towed, strict=False)
        return [self._ship(lot, first + i, *card) for i, card in enumerate(islice(cards, lot.count))]

    def _ship(
        self, lot: _Lot, number: int, mid: int, ais_class: AisClass, behaviour: Behaviour, towed: bool
    ) -> Vessel:
        rng = generator(self.seed, self.vessel_id, "vessel", number)
        hull = random_hull(rng, lot.kind, length_m=float(rng.uniform(*lot.length_m)))
        numbers = Numbers(self.block, number)
        true = true_identity(rng, hull, numbers, mid, f"{self.name}{number:0{self.digits}d}", lot.port)
        speed = float(rng.uniform(*lot.speed_kn))
        declared = _declared(true, hull, numbers, behaviour, lot, generator(self.seed, true.mmsi, "declared"))
        tug = random_hull(generator(self.seed, self.vessel_id, "tug", number), "tug") if towed else None
        name = f"{self.vessel_id}-{number:03d}"
        return Vessel(name, hull, true, declared, ais_class, behaviour, speed, tug)


def _declared(
    true: Identity,
    hull: HullSpec,
    numbers: Numbers,
    behaviour: Behaviour,
    lot: _Lot,
    rng: np.random.Generator,
) -> Identity:
    """What a ship of this behaviour says; clones take theirs once the whole fleet is known."""
    match behaviour:
        case "wrong_length":
            return shortened(true)
        case "wrong_type":
            return mistyped(true, rng)
        case "false_flag":
            return falsely_flagged(true, lot.flags, rng)
        case "borrowed_identity":
            return borrowed(hull, numbers, int(true.mmsi[:3]), lot.port, rng)
        case "stale_destination":
            return replace(true, destination=str(rng.choice(ELSEWHERE)))
        case _:
            return true


def _cloned(lots: Sequence[list[Vessel]], residents: Sequence[int]) -> list[list[Vessel]]:
    """Give each clone the identity of another ship: always there, and of its kind and class, if there is such a one.

    Raises:
        BadInputError: no ship of the fleet transmits under its own identity.
    """
    always = {v.vessel_id for lot, n in zip(lots, residents, strict=True) for v in lot[len(lot) - n :]}
    free = [v for lot in lots for v in lot if v.behaviour == "honest"]
    taken: Counter[str] = Counter()
    made = []
    for lot in lots:
        row = []
        for vessel in lot:
            if vessel.behaviour == "cloned_mmsi":
                twin = _twin(vessel, free, always, taken)
                vessel = replace(vessel, declared=twin.declared)
            row.append(vessel)
        made.append(row)
    return made


def _twin(clone: Vessel, free: Sequence[Vessel], always: set[str], taken: Counter[str]) -> Vessel:
    """Return the ship whose identity a clone takes, if it can one that is sure to transmit at the same time."""
    if not free:
        raise BadInputError(f"{clone.vessel_id} is to clone an MMSI, but no ship of its fleet is honest")

    def unfit(v: Vessel) -> tuple[bool, bool, bool, int, str]:
        other_kind, other_class = v.hull.kind != clone.hull.kind, v.ais_class != clone.ais_class
        return v.vessel_id not in always, other_kind, other_class, taken[v.vessel_id], v.vessel_id

    twin = min(free, key=unfit)
    taken[twin.vessel_id] += 1
    return twin


def fleet_of(
    seed: int, scenario: PortScenario, block: int = 0
) -> list[tuple[int, FleetRow, Vessel, Pattern]]:
    """Return every movement of a port's fleet: its number from 1, fleet row, ship and pattern.

    Where a row has fewer hulls than calls, the same ships call again in turn.

    Args:
        seed: The world's seed.
        scenario: The port and its fleet.
        block: Keeps MMSIs and IMO numbers of several ports of a world apart, from 0.

    Raises:
        BadInputError: a fleet of more hulls than there are numbers, or of clones alone.
    """
    lots = [_lot_of(row, scenario.name) for row in scenario.fleet]
    ships = _Fleet(seed, f"sim-{scenario.port}", f"SIM {scenario.name} ", 2, block).ships(lots)
    moves = [
        (row, vessel, pattern)
        for row, own in zip(scenario.fleet, ships, strict=True)
        for vessel, pattern in _moves(row, own)
    ]
    return [(number, *move) for number, move in enumerate(moves, start=1)]


def _lot_of(row: FleetRow, port: str) -> _Lot:
    return _Lot(
        row.kind,
        row.length_m,
        row.flags,
        row.ais_class,
        row.behaviours,
        row.different_hulls,
        port,
        _SPEEDS_KN[row.kind],
        row.tows,
        row.residents,
    )


def _moves(row: FleetRow, ships: Sequence[Vessel]) -> list[tuple[Vessel, Pattern]]:
    """Deal a row's ships to its patterns: callers first, ships that stay last."""
    order: tuple[Pattern, ...] = ("through", "at_berth", "at_anchor")
    rest: list[Pattern] = [pattern for pattern in order for _ in range(row.ships.get(pattern, 0))]
    called: list[tuple[Vessel, Pattern]] = [
        (v, "call") for v in islice(cycle(ships[: row.callers]), row.calls)
    ]
    return [*called, *zip(ships[row.callers :], rest, strict=True)]


def route_fleet(seed: int, index: int, route: Route, name: str) -> list[Vessel]:
    """Return the ships that make a route's deliveries.

    Args:
        seed: The world's seed.
        index: The route's place in the scenario, from 0 to 9.
        route: What kind of ships, and how many.
        name: What its ships are called after SIM, and where they are bound.

    Raises:
        BadInputError: too many routes or hulls, or clones alone.
    """
    lot = _Lot(
        route.ship_kind,
        route.length_m,
        route.flags,
        route.ais_class,
        route.behaviours,
        route.hulls,
        name,
        route.speed_kn,
    )
    letter = chr(ord("A") + index)
    fleet = _Fleet(seed, f"sim-route-{index}", f"SIM {name} {letter}", 3, FIRST_ROUTE_BLOCK + index)
    return fleet.ships([lot])[0]
