"""What a port's receivers hear: position reports, static data and base stations.

Reporting intervals are those of ITU-R M.1371-5 thinned, as archives thin them: every 6 minutes under way,
every 15 minutes moored or at anchor, static data every 30 minutes. Positions are the antenna's, with a
standard error of `POSITION_SIGMA_M`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from roadstead.geo import convergence_deg, xy_to_lonlat
from roadstead.simulate.chance import generator
from roadstead.simulate.fleet import Vessel
from roadstead.simulate.scenario import Reception
from roadstead.simulate.sea import PortWorld
from roadstead.simulate.tracks import Leg, Motion, Status, moved
from roadstead.simulate.traffic import HOUR, Sailing

UNDER_WAY_EVERY_S = 360
MOORED_EVERY_S = 900
STATIC_EVERY_S = 1800
STATION_EVERY_S = 1800
POSITION_SIGMA_M = 6.0
"""Standard error of a reported position along each axis, metres."""


@dataclass(frozen=True)
class Report:
    """One position report as received."""

    time: int
    """Seconds since 1970 UTC."""
    vessel: Vessel
    lon: float
    lat: float
    speed_kn: float
    course_deg: float
    """True."""
    heading_deg: int | None
    """True; Class B units carry no compass."""
    status: Status


@dataclass(frozen=True)
class StaticReport:
    """One report of static data as received."""

    time: int
    vessel: Vessel


@dataclass(frozen=True)
class StationReport:
    """One base station report as received."""

    time: int
    mmsi: str
    lon: float
    lat: float


Message = Report | StaticReport | StationReport


def received(world: PortWorld) -> list[Message]:
    """Return all messages received at a port in the simulated time, in order of time."""
    reception = world.scenario.reception
    messages: list[Message] = [*_stations(world)]
    for sailing in world.sailings:
        if sailing.vessel.transmitter.behaviour != "silent":
            messages.extend(_from_ship(world, sailing))
    heard = [m for m in messages if not _in_outage(reception, m.time - world.begin_s)]
    return sorted(heard, key=lambda m: (m.time, _sender(m), type(m).__name__))


def _sender(message: Message) -> str:
    return message.mmsi if isinstance(message, StationReport) else message.vessel.mmsi


def _in_outage(reception: Reception, seconds: float) -> bool:
    hours = seconds / HOUR
    return any(24 * day + start <= hours < 24 * day + end for day, start, end in reception.outages)


def _from_ship(world: PortWorld, sailing: Sailing) -> Iterator[Message]:
    vessel = sailing.vessel
    rng = generator(world.seed, world.scenario.port, "ais", vessel.vessel_id)
    times = [t for t in _send_times(world, sailing, rng) if _arrives(world, vessel, t, rng)]
    yield from _positions(world, sailing, times, rng)
    phase = int(rng.integers(STATIC_EVERY_S))
    for time in range(int(world.begin_s) + phase, int(world.end_s), STATIC_EVERY_S):
        if sailing.at(time) is not None and _arrives(world, vessel, time, rng):
            yield StaticReport(time, vessel)


def _arrives(world: PortWorld, vessel: Vessel, time: float, rng: np.random.Generator) -> bool:
    return bool(rng.random() < world.scenario.reception.heard) and vessel.transmitter.sends(time)


def _send_times(world: PortWorld, sailing: Sailing, rng: np.random.Generator) -> Iterator[int]:
    for part in sailing.track.parts:
        every = UNDER_WAY_EVERY_S if isinstance(part, Leg) else MOORED_EVERY_S
        start, end = max(part.start, world.begin_s), min(part.end, world.end_s)
        first = np.ceil(start + rng.uniform(0, every))
        for time in np.arange(first, end, every):
            jittered = int(time + rng.integers(0, 20))
            if jittered < end:
                yield jittered


def _positions(
    world: PortWorld, sailing: Sailing, times: Sequence[int], rng: np.random.Generator
) -> Iterator[Report]:
    places = [(time, motion) for time in times if (motion := sailing.at(time)) is not None]
    if not places:
        return
    crs = world.ground.grid.crs
    xy = np.array([antenna_xy(sailing.vessel, motion) for _, motion in places])
    lonlat = xy_to_lonlat(xy + rng.normal(0.0, POSITION_SIGMA_M, xy.shape), crs)
    turn = convergence_deg(float(lonlat[0, 0]), float(lonlat[0, 1]), crs)
    compass = sailing.vessel.transmitter.ais_class == "A"
    for (time, motion), (lon, lat) in zip(places, lonlat, strict=True):
        drift = motion.status != "under_way"
        yield Report(
            time=time,
            vessel=sailing.vessel,
            lon=round(float(lon), 6),
            lat=round(float(lat), 6),
            speed_kn=round(float(rng.choice([0.0, 0.0, 0.1])) if drift else motion.speed_kn, 1),
            course_deg=round(float(rng.uniform(0, 359.9)) if drift else (motion.course_deg + turn) % 360, 1)
            % 360,
            heading_deg=round(motion.heading_deg + turn) % 360 if compass else None,
            status=motion.status,
        )


def antenna_xy(vessel: Vessel, motion: Motion) -> tuple[float, float]:
    """Return where a ship's antenna is, map metres."""
    forward, starboard = vessel.antenna_m
    return moved(moved(motion.xy, motion.heading_deg, forward), motion.heading_deg + 90.0, starboard)


def _stations(world: PortWorld) -> Iterator[StationReport]:
    reception = world.scenario.reception
    for number, (lon, lat) in enumerate(reception.stations, start=1):
        rng = generator(world.seed, world.scenario.port, "station", number)
        for time in range(int(world.begin_s) + 60 * number, int(world.end_s), STATION_EVERY_S):
            if rng.random() < reception.heard:
                yield StationReport(time, f"00{reception.station_mid}{number:04d}", lon, lat)
