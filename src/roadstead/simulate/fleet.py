"""The ships of a simulated port: what they are, and what they tell over AIS.

Every identity is invented: names begin with SIM, MMSIs are a country's MID (ITU) followed by 000, and no
ship has an IMO number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from roadstead.simulate.chance import generator
from roadstead.simulate.hulls import HullSpec, Kind, random_hull

Behaviour = Literal["honest", "silent", "switched_off", "wrong_length"]
Card = TypeVar("Card")
Pattern = Literal["call", "at_berth", "at_anchor", "through"]

_SHIP_TYPES: Mapping[Kind, int] = {
    "barge": 70,
    "bulk_carrier": 70,
    "general_cargo": 70,
    "container": 71,
    "tanker": 80,
    "ro_ro": 60,
    "fishing": 30,
    "small_craft": 37,
}
"""AIS ship types (ITU-R M.1371-5, table 53): there is none for bulk carriers or barges."""
_SPEEDS_KN: Mapping[Kind, tuple[float, float]] = {
    "barge": (5.0, 8.0),
    "bulk_carrier": (7.0, 11.0),
    "general_cargo": (7.0, 11.0),
    "container": (8.0, 14.0),
    "tanker": (7.0, 11.0),
    "ro_ro": (9.0, 15.0),
    "fishing": (4.0, 9.0),
    "small_craft": (5.0, 12.0),
}


@dataclass(frozen=True)
class FleetRow:
    """Ships of one kind in a port's fleet."""

    kind: Kind
    length_m: tuple[float, float]
    patterns: tuple[Pattern, ...]
    """One a ship: how it moves."""
    behaviours: tuple[str, ...]
    """Dealt out in turn: AIS class (A or B) and behaviour, e.g. ``A honest`` or ``B silent``."""
    mids: tuple[int, ...]
    """Maritime identification digits, dealt out in turn."""
    berths: tuple[str, ...] = ()
    """Zones (without the port's slug) it may berth in."""
    anchorages: tuple[str, ...] = ()
    """Zones it may anchor in."""
    rafts: bool = False
    """Whether it may lie alongside a ship of its kind."""


@dataclass(frozen=True)
class Transmitter:
    """What a ship's AIS unit sends."""

    ais_class: Literal["A", "B"]
    behaviour: Behaviour
    to_bow_m: int
    to_stern_m: int
    to_port_m: int
    to_starboard_m: int
    off: tuple[float, float] | None = None
    """Seconds since 1970 between which it is switched off."""

    def sends(self, time: float) -> bool:
        """Tell whether it transmits at a time."""
        if self.behaviour == "silent":
            return False
        return self.off is None or not self.off[0] <= time < self.off[1]

    @property
    def length_m(self) -> int:
        """Declared length."""
        return self.to_bow_m + self.to_stern_m


@dataclass(frozen=True)
class Vessel:
    """One simulated ship."""

    vessel_id: str
    mmsi: str
    name: str
    callsign: str
    hull: HullSpec
    transmitter: Transmitter
    ship_type: int
    draught_m: float
    destination: str
    speed_kn: float

    @property
    def antenna_m(self) -> tuple[float, float]:
        """True place of the antenna from the hull centre: (forward, to starboard), metres."""
        t = self.transmitter
        return t.to_stern_m - self.hull.length_m / 2, t.to_port_m - self.hull.beam_m / 2


def make_vessel(
    seed: int, port: str, number: int, row: FleetRow, index: int, off: tuple[float, float], name: str
) -> Vessel:
    """Return one ship of a fleet row.

    Args:
        seed: The world's seed.
        port: Slug of the port.
        number: The ship's number in the port's fleet, from 1.
        row: What kind of ship.
        index: Its number within the row, from 0; deals out behaviours and flags.
        off: When it is switched off, should its behaviour be so.
        name: What the port's ships are called after SIM.
    """
    rng = generator(seed, port, "vessel", number)
    hull = random_hull(rng, row.kind, length_m=float(rng.uniform(*row.length_m)))
    ais_class, behaviour = _dealt(row.behaviours, index).split()
    return Vessel(
        vessel_id=f"sim-{port}-{number:03d}",
        mmsi=f"{_dealt(row.mids, index)}000{number:03d}",
        name=f"SIM {name} {number:02d}",
        callsign=f"SIM{number:03d}",
        hull=hull,
        transmitter=_transmitter(rng, hull, ais_class, behaviour, off),
        ship_type=_SHIP_TYPES[row.kind],
        draught_m=round(float(hull.length_m * rng.uniform(0.03, 0.055)), 1),
        destination=name,
        speed_kn=float(rng.uniform(*_SPEEDS_KN[row.kind])),
    )


def _dealt(cards: Sequence[Card], index: int) -> Card:
    return cards[index % len(cards)]


def _transmitter(
    rng: np.random.Generator, hull: HullSpec, ais_class: str, behaviour: str, off: tuple[float, float]
) -> Transmitter:
    """An antenna on the wheelhouse. A wrong length leaves the antenna's place by the stern as it is."""
    length, beam = round(hull.length_m), round(hull.beam_m)
    to_stern = round(length * (1 + hull.house_at) / 2)
    to_bow = length - to_stern
    if behaviour == "wrong_length":
        to_bow = max(round(0.55 * length) - to_stern, 1)
    to_port = round(beam * rng.uniform(0.35, 0.65))
    return Transmitter(
        ais_class="A" if ais_class == "A" else "B",
        behaviour=_behaviour(behaviour),
        to_bow_m=to_bow,
        to_stern_m=to_stern,
        to_port_m=to_port,
        to_starboard_m=beam - to_port,
        off=off if behaviour == "switched_off" else None,
    )


def _behaviour(word: str) -> Behaviour:
    known: tuple[Behaviour, ...] = ("honest", "silent", "switched_off", "wrong_length")
    return next(behaviour for behaviour in known if behaviour == word)
