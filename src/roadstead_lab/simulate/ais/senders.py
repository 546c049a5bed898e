"""Everything at a port that transmits over AIS: ships, gear buoys and base stations, each as what it sends when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from roadstead.core.geo import Array, lonlat_to_xy
from roadstead_lab.simulate.ais.antenna import antenna_motions
from roadstead_lab.simulate.ais.behaviours import Transmission, transmission
from roadstead_lab.simulate.ais.gear import GearBuoy, gear_buoys
from roadstead_lab.simulate.ais.keyed import uniforms
from roadstead_lab.simulate.ais.reporting import STATION_S, Schedule, Span, fixed, interval_s, schedule
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.ground import Vector
from roadstead_lab.simulate.scenario.model import AisClass, Receiver
from roadstead_lab.simulate.traffic.identities import Identity, station_identity
from roadstead_lab.simulate.traffic.sailing import Sailing
from roadstead_lab.simulate.traffic.sea import PortWorld
from roadstead_lab.simulate.traffic.tracks import STATUSES, Motions

_CHANCE_STREAM = 8
"""Stream of `keyed` that makes a jammed speed leap."""


@dataclass(frozen=True)
class Sender:
    """One AIS unit during one stay in the simulated area."""

    sender_id: str
    """The vessel's, buoy's or station's id."""
    ais_class: AisClass
    sent: Schedule
    """Its position reports."""
    off: tuple[Span, ...]
    identities: tuple[tuple[float, Identity], ...]
    """What it declares, each from a time on."""
    claims: Callable[[Array], Motions]
    """The antenna's place and motion as the unit believes it, at [n] times."""
    compass: bool
    """Whether it reports a heading."""

    def identity_index(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return which of `identities` holds at each time."""
        starts = np.array([start for start, _ in self.identities])
        return np.maximum(np.searchsorted(starts, times, side="right") - 1, 0)


def senders(world: PortWorld) -> list[Sender]:
    """Return every ship and gear buoy that transmits in the simulated time; base stations are `stations`."""
    ships = [_ship(world, sailing) for sailing in world.sailings]
    buoys = [_gear(world, buoy) for buoy in gear_buoys(world)]
    return [*(ship for ship in ships if ship is not None), *buoys]


def _ship(world: PortWorld, sailing: Sailing) -> Sender | None:
    """None for ships that are silent, or gone before and come after the simulated time."""
    vessel, track = sailing.vessel, sailing.track
    if vessel.behaviour == "silent" or track.end <= world.begin_s or track.start >= world.end_s:
        return None
    unit = transmission(world, sailing)
    rng = generator(world.seed, world.scenario.port, "ais", vessel.vessel_id, round(track.start))
    fast = unit.false.fast() if unit.false else ()
    sent = schedule(track, vessel.ais_class, fast, rng)
    compass = vessel.ais_class == "A"
    claims = _claims(sailing, unit, sent.key)
    return Sender(vessel.vessel_id, vessel.ais_class, sent, unit.off, unit.identities, claims, compass)


def _claims(sailing: Sailing, unit: Transmission, key: int) -> Callable[[Array], Motions]:
    def claims(times: Array) -> Motions:
        true = antenna_motions(sailing.vessel, sailing.track, times)
        if unit.false is None:
            return true
        false = (times >= unit.false.start) & (times < unit.false.end)
        leaps = uniforms(key, times[false], _CHANCE_STREAM)
        return _with_rows(true, false, unit.false.of(times[false], _rows(true, false), leaps))

    return claims


def _rows(motions: Motions, which: NDArray[np.bool_]) -> Motions:
    return Motions(**{f.name: getattr(motions, f.name)[which] for f in fields(Motions)})


def _with_rows(motions: Motions, which: NDArray[np.bool_], other: Motions) -> Motions:
    merged = {f.name: getattr(motions, f.name).copy() for f in fields(Motions)}
    for name, column in merged.items():
        column[which] = getattr(other, name)
    return Motions(**merged)


def _gear(world: PortWorld, buoy: GearBuoy) -> Sender:
    rng = generator(world.seed, world.scenario.port, "ais", buoy.buoy_id)
    begin, end = world.begin_s, world.end_s
    sent = fixed(buoy.xy, begin, end, interval_s("B", 0.0, still=True), rng)
    return Sender(buoy.buoy_id, "B", sent, (), buoy.identities(begin, end), buoy.motions, False)


def stations(world: PortWorld, receiver: Receiver) -> list[Sender]:
    """Return the base stations of one source; they lie where the scenario says, and report with message 4."""
    places = lonlat_to_xy(np.array(receiver.stations, float).reshape(-1, 2), world.ground.grid.crs)
    numbers = _station_numbers(world, receiver)
    return [
        _station(world, receiver, number, (float(x), float(y)))
        for number, (x, y) in zip(numbers, places, strict=True)
    ]


def _station_numbers(world: PortWorld, receiver: Receiver) -> range:
    """Stations of one country are numbered through over a port's sources, so that no two share an MMSI."""
    same = [r for r in world.scenario.receivers if r.station_mid == receiver.station_mid]
    before = sum(len(r.stations) for r in same[: same.index(receiver)])
    return range(before + 1, before + 1 + len(receiver.stations))


def _station(world: PortWorld, receiver: Receiver, number: int, xy: Vector) -> Sender:
    mmsi = f"00{receiver.station_mid}{number:04d}"
    rng = generator(world.seed, world.scenario.port, "station", mmsi)
    sent = fixed(xy, world.begin_s, world.end_s, STATION_S, rng)
    identities = ((world.begin_s, station_identity(mmsi)),)

    def claims(times: Array) -> Motions:
        still = np.zeros(len(times))
        status = np.full(len(times), STATUSES.index("moored"))
        places = np.tile(np.array(xy), (len(times), 1))
        return Motions(places, still, still, still, status, np.ones(len(times), bool))

    return Sender(f"station-{mmsi}", "A", sent, (), identities, claims, False)
