"""Invented identities: names that begin with SIM, and numbers that no real ship has.

An MMSI is a country's maritime identification digits, 0 and five digits. An IMO number begins with 2, as that of
no ship does, and ends in its right check digit (resolution A.1117(30)).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from roadstead.ais.identity.registry import imo_check_digit, mid_table
from roadstead.core.errors import BadInputError
from roadstead_lab.simulate.hulls.spec import HullSpec, Kind

SHIP_TYPES: Mapping[Kind, int] = {
    "barge": 70,
    "bulk_carrier": 70,
    "general_cargo": 70,
    "container": 71,
    "tanker": 80,
    "ro_ro": 60,
    "fishing": 30,
    "small_craft": 37,
    "tug": 52,
}
"""AIS ship types (ITU-R M.1371-5, table 53): there is none for bulk carriers or barges."""
ELSEWHERE = ("SAEBYOK", "LINGANG", "YUNHAI", "CHONGSAN", "BAISHA", "PADO")
"""Invented ports that ships come from and go to."""
MAX_HULLS = 1_999
"""Of one fleet."""
MAX_BLOCKS = 25
_BLOCK = 2 * (MAX_HULLS + 1)
_NUMBERED: frozenset[Kind] = frozenset({"bulk_carrier", "general_cargo", "container", "tanker", "ro_ro"})
_NUMBERED_FROM_M = 50.0
"""Cargo ships of 300 GT, about this long, bear an IMO number (SOLAS XI-1/3)."""
_FALSE_TYPES = (30, 52, 60, 70, 80, 90)
_SHORTENED = 0.55
_TUG_M = (26.0, 36.0)
_COASTER_M = (84.0, 116.0)
_NO_TUG_BELOW_M = 60.0


@dataclass(frozen=True)
class Identity:
    """What a ship says about itself, or truly is: the static and voyage data of ITU-R M.1371-5, message 5."""

    mmsi: str
    """Nine digits."""
    imo: str | None
    """Seven digits; None for ships without."""
    name: str
    callsign: str
    ship_type: int
    to_bow_m: int
    """Whole metres from the antenna to the bow (A), stern (B), port side (C) and starboard side (D)."""
    to_stern_m: int
    to_port_m: int
    to_starboard_m: int
    draught_m: float
    destination: str

    @property
    def length_m(self) -> int:
        """Length overall."""
        return self.to_bow_m + self.to_stern_m

    @property
    def beam_m(self) -> int:
        """Beam."""
        return self.to_port_m + self.to_starboard_m


@dataclass(frozen=True)
class Numbers:
    """The numbers of one ship in a world; blocks keep those of different fleets apart."""

    block: int
    number: int
    """From 1."""

    def __post_init__(self) -> None:
        """Refuse more hulls or fleets than there are numbers."""
        if not 1 <= self.number <= MAX_HULLS:
            raise BadInputError(
                f"a fleet has at most {MAX_HULLS:,} hulls: set `hulls` so that ships call again"
            )
        if not 0 <= self.block < MAX_BLOCKS:
            raise BadInputError("a world has at most 15 ports and 10 routes")

    @property
    def own(self) -> int:
        """Serial number of the ship itself."""
        return self.block * _BLOCK + self.number

    @property
    def invented(self) -> int:
        """Serial number of the ship whose identity it may borrow; no hull bears it."""
        return self.own + MAX_HULLS + 1


def true_identity(
    rng: np.random.Generator, hull: HullSpec, numbers: Numbers, mid: int, name: str, port: str
) -> Identity:
    """Return what a ship is, with its antenna on the wheelhouse.

    Args:
        rng: Places the antenna athwartships and loads the ship.
        hull: The hull.
        numbers: Its place in the fleet.
        mid: Maritime identification digits of its flag.
        name: At most 20 characters.
        port: Where it is bound.
    """
    length, beam = round(hull.length_m), round(hull.beam_m)
    to_stern = round(length * (1 + hull.house_at) / 2)
    to_port = round(beam * rng.uniform(0.35, 0.65))
    numbered = hull.kind in _NUMBERED and hull.length_m >= _NUMBERED_FROM_M
    return Identity(
        mmsi=_mmsi(mid, numbers.own),
        imo=_imo(numbers.own) if numbered else None,
        name=name,
        callsign=f"SM{numbers.own:05d}",
        ship_type=SHIP_TYPES[hull.kind],
        to_bow_m=length - to_stern,
        to_stern_m=to_stern,
        to_port_m=to_port,
        to_starboard_m=beam - to_port,
        draught_m=round(float(hull.length_m * rng.uniform(0.03, 0.055)), 1),
        destination=port,
    )


def shortened(identity: Identity) -> Identity:
    """Return an identity whose length is too short; the antenna stays where it is above the stern."""
    to_bow = max(round(_SHORTENED * identity.length_m) - identity.to_stern_m, 1)
    return replace(identity, to_bow_m=to_bow)


def mistyped(identity: Identity, rng: np.random.Generator) -> Identity:
    """Return an identity of another ship type, of another first digit."""
    others = [code for code in _FALSE_TYPES if code // 10 != identity.ship_type // 10]
    return replace(identity, ship_type=int(rng.choice(others)))


def falsely_flagged(identity: Identity, flags: tuple[int, ...], rng: np.random.Generator) -> Identity:
    """Return an identity whose MMSI names another flag state, or, for one ship in two, none that exists.

    Args:
        identity: The true one.
        flags: Maritime identification digits it must not bear.
        rng: Picks the digits.
    """
    pool = _mids(assigned=bool(rng.random() < 0.5))
    mid = int(rng.choice([mid for mid in pool if mid not in flags]))
    return replace(identity, mmsi=f"{mid}{identity.mmsi[3:]}")


def borrowed(hull: HullSpec, numbers: Numbers, mid: int, port: str, rng: np.random.Generator) -> Identity:
    """Return the identity of an invented ship of another size: a tug's, or a coaster's on a small hull."""
    tug = hull.length_m >= _NO_TUG_BELOW_M
    length = float(rng.uniform(*(_TUG_M if tug else _COASTER_M)))
    beam = length / float(rng.uniform(2.8, 3.3) if tug else rng.uniform(5.6, 6.6))
    bow, left = round(length * (0.35 if tug else 0.85)), round(beam / 2)
    serial = numbers.invented
    return Identity(
        mmsi=_mmsi(mid, serial),
        imo=_imo(serial),
        name=f"SIM {'TUG' if tug else 'COASTER'} {numbers.number:02d}",
        callsign=f"SM{serial:05d}",
        ship_type=52 if tug else 70,
        to_bow_m=bow,
        to_stern_m=round(length) - bow,
        to_port_m=left,
        to_starboard_m=round(beam) - left,
        draught_m=round(length * 0.045 + (2.5 if tug else 0.5), 1),
        destination=port,
    )


def station_identity(mmsi: str, name: str = "", ship_type: int = 0) -> Identity:
    """Return what a base station or gear buoy says: hardly anything."""
    return Identity(mmsi, None, name, "", ship_type, 0, 0, 0, 0, 0.0, "")


def _mmsi(mid: int, serial: int) -> str:
    return f"{mid}0{serial:05d}"


def _imo(serial: int) -> str:
    """IMO number with its check digit."""
    digits = f"2{serial:05d}"
    return digits + imo_check_digit(digits)


@lru_cache(maxsize=2)
def _mids(*, assigned: bool) -> tuple[int, ...]:
    """Return digits of ship stations that the ITU has, or has not, given to a state."""
    return tuple(mid for mid in range(201, 776) if (str(mid) in mid_table()) == assigned)
