"""What a ship's AIS unit sends while the ship is in the area: when, under which identity, from which claimed place.

All of it follows from the seed, the vessel and its sailing, so that the truth can tell it again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress, pairwise

import numpy as np

from roadstead_lab.simulate.ais.false_positions import FalsePositions, draw_circle, draw_false_track
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.ground import Vector
from roadstead_lab.simulate.traffic.fleet import Vessel
from roadstead_lab.simulate.traffic.identities import ELSEWHERE, Identity
from roadstead_lab.simulate.traffic.sailing import HOUR, Sailing
from roadstead_lab.simulate.traffic.sea import PortWorld
from roadstead_lab.simulate.traffic.tracks import Leg, Stay, Track

Span = tuple[float, float]
"""From and to, seconds since 1970."""
_BALLAST = 0.6
"""Draught in ballast, of the draught laden."""
_OFF_AT_BERTH = 0.2
"""Share of ships that switch off for a stay instead of a leg."""
_OFF_MARGIN_S = 1_200.0
"""A unit is switched off and on at most this long before and after the leg."""


@dataclass(frozen=True)
class Transmission:
    """What one unit sends during one sailing."""

    vessel: Vessel
    identities: tuple[tuple[float, Identity], ...]
    """What it declares, each from a time on (seconds since 1970), in order."""
    off: tuple[Span, ...] = ()
    """Times in which it sends nothing, in order."""
    false: FalsePositions | None = None
    """Where it claims to be when that is not where it is."""

    def sends(self, time: float) -> bool:
        """Tell whether it transmits at a time."""
        return not any(start <= time < end for start, end in self.off)

    def declared(self, time: float) -> Identity:
        """Return the identity that it declares at a time."""
        started = bisect_right([start for start, _ in self.identities], time)
        return self.identities[max(started - 1, 0)][1]

    @property
    def false_positions(self) -> tuple[Span, ...]:
        """Times in which reported positions are not the ship's."""
        return () if self.false is None else ((self.false.start, self.false.end),)

    def is_true_position(self, time: float) -> bool:
        """Tell whether a position reported at a time is that of the antenna, but for its error."""
        return not any(start <= time < end for start, end in self.false_positions)


def transmission(world: PortWorld, sailing: Sailing) -> Transmission:
    """Return what a ship's unit sends during a sailing at a port."""
    rng = generator(
        world.seed, world.scenario.port, "unit", sailing.vessel.vessel_id, round(sailing.track.start)
    )
    identities = _identities(world, sailing, rng)
    vessel, track = sailing.vessel, sailing.track
    match vessel.behaviour:
        case "silent":
            return Transmission(vessel, identities, off=((track.start, track.end),))
        case "switched_off":
            return Transmission(vessel, identities, off=_off(world, track, rng))
        case "position_spoofing" | "gnss_circles":
            return Transmission(vessel, identities, false=_false(world, sailing, rng))
        case _:
            return Transmission(vessel, identities)


def _identities(
    world: PortWorld, sailing: Sailing, rng: np.random.Generator
) -> tuple[tuple[float, Identity], ...]:
    """A ship names this port until she leaves it, then the next; a stale destination stays one voyage behind.

    What she tells is set as she sets out: at sea, and at each departure.
    """
    vessel, here = sailing.vessel, world.scenario.name
    following = str(rng.choice(ELSEWHERE))
    stale = vessel.behaviour == "stale_destination"
    arriving = vessel.declared.destination if stale else here
    leaving = here if stale else following
    start, departures = sailing.track.start, _departures(sailing.track)
    bound = [(start, arriving), *((time, arriving) for time in departures[:-1])]
    bound += [(time, leaving) for time in departures[-1:]]
    told = [(time, _on_voyage(sailing, destination, time)) for time, destination in bound]
    changed = [True, *(before[1] != after[1] for before, after in pairwise(told))]
    return tuple(compress(told, changed))


def _on_voyage(sailing: Sailing, destination: str, time: float) -> Identity:
    """Set the destination, and the draught of a ship that works cargo here; a false identity keeps its own."""
    vessel = sailing.vessel
    identity = replace(vessel.declared, destination=destination)
    own = vessel.behaviour not in ("cloned_mmsi", "borrowed_identity")
    if not own or not sailing.cargo.changes or sailing.laden(time):
        return identity
    return replace(identity, draught_m=round(_BALLAST * identity.draught_m, 1))


def _departures(track: Track) -> list[float]:
    """When the ship leaves each of her berths and anchorages; the last time she leaves the port."""
    return [
        stay.end for stay, then in pairwise(track.parts) if isinstance(stay, Stay) and isinstance(then, Leg)
    ]


def _off(world: PortWorld, track: Track, rng: np.random.Generator) -> tuple[Span, ...]:
    """A leg after the first stay; for one ship in five, and where there is no such leg, a stay or a part of it."""
    legs = _legs_after_a_stay(track)
    if legs and rng.random() >= _OFF_AT_BERTH:
        start, end = legs[int(rng.integers(len(legs)))]
        before, after = (float(v) for v in rng.uniform(0.0, _OFF_MARGIN_S, 2))
        return ((max(start - before, track.start), min(end + after, track.end)),)
    parts: Sequence[Stay | Leg] = track.stays or track.parts
    part = parts[int(rng.integers(len(parts)))]
    start, end = _within(world, part.start, part.end)
    if len(track.parts) == 1:
        return (_drawn_span(rng, start, end, (14 * HOUR, 48 * HOUR)),)
    return ((start, end),)


def _legs_after_a_stay(track: Track) -> list[Span]:
    """Times of the legs from one stay to the next, or from the last one out of the area."""
    spans: list[Span] = []
    moored = False
    for part in track.parts:
        if isinstance(part, Stay):
            moored = True
        elif moored:
            goes_on = bool(spans) and spans[-1][1] == part.start
            start = spans.pop()[0] if goes_on else part.start
            spans.append((start, part.end))
    return spans


def _within(world: PortWorld, start: float, end: float) -> Span:
    """Cut a span to the simulated time."""
    first = max(start, world.begin_s)
    return first, max(min(end, world.end_s), first)


def _drawn_span(rng: np.random.Generator, start: float, end: float, lasts: Span) -> Span:
    """Draw a span of this many seconds within another, or the middle third of it where it is short."""
    length = min(float(rng.uniform(*lasts)), max(end - start, 0.0) / 1.5)
    first = start + float(rng.uniform(0.0, 1.0)) * (end - start - length)
    return first, first + length


def _false(world: PortWorld, sailing: Sailing, rng: np.random.Generator) -> FalsePositions | None:
    """A false track or circle for some hours to days; None for a ship that is not there in the simulated time."""
    begin, finish = _within(world, sailing.track.start, sailing.track.end)
    if finish - begin < 60.0:
        return None
    if sailing.vessel.behaviour == "gnss_circles":
        start, end = _drawn_span(rng, begin, finish, (3 * HOUR, 36 * HOUR))
        return draw_circle(rng, start, end, _jammed_place(world))
    start, end = _drawn_span(rng, begin, finish, (10 * HOUR, 72 * HOUR))
    motion = sailing.at((start + end) / 2)
    true_xy = motion.xy if motion is not None else _jammed_place(world)
    return draw_false_track(rng, start, end, true_xy, _seaward_place(world, rng))


def _jammed_place(world: PortWorld) -> Vector:
    """The one place about which GNSS interference turns every receiver of a port."""
    rng = generator(world.seed, world.scenario.port, "jammed")
    left, bottom, right, top = world.ground.grid.bounds_xy
    x, y = (float(v) for v in rng.uniform(0.3, 0.7, 2))
    return left + x * (right - left), bottom + y * (top - bottom)


def _seaward_place(world: PortWorld, rng: np.random.Generator) -> Vector:
    """A place 4 to 20 km outside the frame, off a side by which ships come in."""
    left, bottom, right, top = world.ground.grid.bounds_xy
    side = str(rng.choice(list(world.scenario.entries)))
    off, along = float(rng.uniform(4_000.0, 20_000.0)), float(rng.uniform(0.2, 0.8))
    x, y = left + along * (right - left), bottom + along * (top - bottom)
    return {"N": (x, top + off), "S": (x, bottom - off), "E": (right + off, y), "W": (left - off, y)}[side]
