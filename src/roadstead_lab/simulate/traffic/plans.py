"""Plans of single ships, drawn by chance: how long to lie where, and the ways between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from roadstead.core.geo import KNOT
from roadstead_lab.simulate.coast.ground import Vector
from roadstead_lab.simulate.scenario.model import Pattern
from roadstead_lab.simulate.traffic.harbour import Harbour
from roadstead_lab.simulate.traffic.places import Places, Stop
from roadstead_lab.simulate.traffic.routes import NoWayError
from roadstead_lab.simulate.traffic.sailing import DAY, HOUR, Berthing, Cargo, NoRoomError, Raft, Sailing
from roadstead_lab.simulate.traffic.tracks import Leg, Stay, Track, leg

_TRIES = 300
_PLACES = 12
"""Places looked at before a ship waits longer or a plan is dropped."""
_QUEUE_STEP_S = 6 * HOUR
_LONGEST_QUEUE = 40
"""A ship gives up a plan after so many steps of waiting for a berth: ten days."""
_CAUGHT_MOVING = 0.35
"""Share of calls timed so that an overpass falls into one of their legs."""
_FEW_OVERPASSES = 20
"""With more than these chance alone shows ships under way; timed calls would bend a year's statistics."""

Planned = tuple[Sailing, list[Berthing]]


@dataclass(frozen=True)
class Times:
    """How long a call waits and works."""

    arrival: float
    """When it comes into the area, seconds since 1970."""
    wait_s: float
    work_s: float


@dataclass(frozen=True)
class Planner(Places):
    """Draws plans of one ship in one harbour."""

    def place(self, pattern: Pattern) -> Sailing:
        """Find a free plan, give it its places and return the sailing.

        Raises:
            NoRoomError: no free plan was found.
        """
        draw: dict[Pattern, Callable[[], Planned | None]] = {
            "call": self._call,
            "at_berth": lambda: self._resident(self.berth),
            "at_anchor": lambda: self._resident(self.anchor),
            "through": self._through,
        }
        return admitted(self.harbour, self._tried(draw[pattern], pattern))

    def _tried(self, draw: Callable[[], Planned | None], what: str) -> Planned:
        for _ in range(_TRIES):
            plan = possible(draw)
            if plan is not None and self.harbour.is_free(*plan):
                return plan
        hull = self.vessel.hull
        raise NoRoomError(
            f"no free place for {self.vessel.vessel_id} ({hull.kind}, {hull.length_m:.0f} m, {what}) in "
            f"{self.needs.zones} at {self.harbour.port}: fewer ships, more zones or a longer time",
            port=self.harbour.port,
        )

    def _resident(self, find: Callable[[float, float], Stop | None]) -> Planned | None:
        stop = find(self.harbour.start - HOUR, self.harbour.end + HOUR)
        if stop is None:
            return None
        berthing, raft = stop
        cargo = Cargo(before=bool(self.rng.random() < 0.5))
        return Sailing(self.vessel, Track((berthing.stay,)), raft, cargo), [berthing]

    def _through(self) -> Planned | None:
        entries = self.harbour.entries
        if len(entries) < 2:
            return None
        first, last = self.rng.permutation(len(entries))[:2]
        run = leg(self.harbour.graph.way(entries[first], entries[last]), 0.0, self.vessel.speed_kn)
        start = self._caught(run) if self._few else float(self.rng.uniform(*self._span()))
        cargo = Cargo(before=bool(self.rng.random() < 0.5))
        return Sailing(self.vessel, Track((replace(run, start=start),)), cargo=cargo), []

    @property
    def _few(self) -> bool:
        return 0 < len(self.harbour.overpasses) <= _FEW_OVERPASSES

    def _span(self) -> tuple[float, float]:
        """First and last arrival, so that a call falls into the simulated time."""
        start, end = self.harbour.start, self.harbour.end
        scale = min(end - start, 20 * DAY)
        return start - 0.3 * scale, end - 0.1 * scale

    def _call(self) -> Planned | None:
        """Come in, wait at anchor where there are anchorages, load or discharge at berth, leave."""
        rng = self.rng
        arrival = float(rng.uniform(*self._span()))
        times = Times(
            arrival, float(1.0 + rng.gamma(2.0, 14.0)) * HOUR, float(rng.uniform(28.0, 84.0)) * HOUR
        )
        loads = bool(rng.random() < 0.5)
        plan = self.call(times, loads=loads)
        if plan is None or not self._few or rng.random() >= _CAUGHT_MOVING:
            return plan
        legs = [part for part in plan[0].track.parts if isinstance(part, Leg)]
        moving = legs[int(rng.integers(len(legs)))]
        return self.call(replace(times, arrival=arrival + self._caught(moving) - moving.start), loads=loads)

    def _caught(self, run: Leg) -> float:
        """A start of a leg that lets some overpass fall into it."""
        time = float(self.rng.choice(self.harbour.overpasses))
        return time - float(self.rng.uniform(0.05, 0.95)) * (run.end - run.start)

    def call(self, times: Times, *, loads: bool, occasion_id: str | None = None) -> Planned | None:
        """Return a call whose arrival is fixed, or None where chance gave no free place.

        A ship that finds no berth waits at anchor longer.

        Args:
            times: Arrival, wait at anchor and work at berth; with no berths it works at anchor.
            loads: Whether it comes in ballast and leaves laden, or the other way round.
            occasion_id: The delivery it is an end of.
        """
        if self.harbour.is_busy(self.vessel.vessel_id, times.arrival, times.arrival + times.work_s):
            return None
        entry = self.harbour.entries[int(self.rng.integers(len(self.harbour.entries)))]
        draw = self._via_anchor if self.needs.anchorages else self._straight_in
        stops = draw(entry, times)
        return None if stops is None else self.voyage(entry, times.arrival, stops, loads, occasion_id)

    def _straight_in(self, entry: Vector, times: Times) -> list[Stop] | None:
        stop = self.berthed(entry, times.arrival, times.work_s)
        return None if stop is None else [stop]

    def _via_anchor(self, entry: Vector, times: Times) -> list[Stop] | None:
        stay_s = times.wait_s if self.needs.berths else times.work_s
        anchored = self._anchored(entry, times.arrival, stay_s)
        if anchored is None or not self.needs.berths:
            return None if anchored is None else [anchored]
        stay = anchored[0].stay
        for step in range(_LONGEST_QUEUE):
            leaves = stay.end + step * _QUEUE_STEP_S
            berthed = self.berthed(stay.at(leaves).xy, leaves, times.work_s)
            if berthed is not None and not (anchored[1] and berthed[1]):
                return [_lasting(anchored, leaves), berthed]
        return None

    def _anchored(self, entry: Vector, departs: float, stay_s: float) -> Stop | None:
        """A free place at anchor, from when the ship gets there."""
        for _ in range(_PLACES):
            stop = self.anchor(departs, departs + stay_s)
            if stop is not None and (timed := self._timed(stop, entry, departs, stay_s)) is not None:
                return timed
        return None

    def berthed(self, origin: Vector, departs: float, stay_s: float) -> Stop | None:
        """Return a free berth from when the ship gets there, or None where chance found none."""
        for _ in range(_PLACES):
            stop = self.berth(departs, departs + stay_s)
            if stop is not None and (timed := self._timed(stop, origin, departs, stay_s)) is not None:
                return timed
        return None

    def _timed(self, stop: Stop, origin: Vector, departs: float, stay_s: float) -> Stop | None:
        """Let a stay begin when its ship arrives; None where it is not free then."""
        berthing, raft = stop
        # Ways are dear: a place that is taken as soon as the ship departs is not worth one.
        if not self.harbour.is_place(berthing, raft.host if raft else None):
            return None
        start = departs + self.run_s(origin, berthing.stay, departs)
        placed = replace(berthing, stay=replace(berthing.stay, start=start, end=start + stay_s))
        if raft is not None:
            raft = Raft(raft.host, start, start + stay_s)
            if not self.harbour.is_host(raft):
                return None
        return (placed, raft) if self.harbour.is_place(placed, raft.host if raft else None) else None

    def run_s(self, origin: Vector, stay: Stay, departs: float) -> float:
        """Return how long the run to a stay takes, seconds."""
        way = self._way(origin, stay.at(departs).xy)
        return float(np.hypot(*np.diff(way, axis=0).T).sum()) / (self.vessel.speed_kn * KNOT)

    def _way(self, origin: Vector, place: Vector) -> np.ndarray:
        graph = self.harbour.graph
        # Trees are kept by where a way begins: entries and berths come again, places at anchor do not.
        if origin in self.harbour.entries:
            return graph.way(origin, place)
        return graph.way(place, origin)[::-1]

    def voyage(
        self, entry: Vector, arrival: float, stops: Sequence[Stop], loads: bool, occasion_id: str | None
    ) -> Planned:
        """Join stops by legs from an entry and back, each starting when the one before ends.

        A stop keeps its end where the run to it takes a little longer than was thought.
        """
        parts: list[Stay | Leg] = []
        placed: list[Berthing] = []
        beside: Raft | None = None
        place, time = entry, arrival
        for berthing, raft in stops:
            stay = berthing.stay
            parts.append(leg(self._way(place, stay.at(stay.start).xy), time, self.vessel.speed_kn))
            stay = replace(stay, start=parts[-1].end)
            parts.append(stay)
            placed.append(replace(berthing, stay=stay))
            beside = beside if raft is None else Raft(raft.host, stay.start, stay.end)
            place, time = stay.at(stay.end).xy, stay.end
        parts.append(leg(self._way(entry, place)[::-1], time, self.vessel.speed_kn))
        worked = placed[-1].stay
        cargo = Cargo(before=not loads, changes=((worked.start + worked.end) / 2,))
        return Sailing(self.vessel, Track(tuple(parts)), beside, cargo, occasion_id), placed


def admitted(harbour: Harbour, plan: Planned) -> Sailing:
    """Give a free plan its places and return its sailing."""
    harbour.admit(*plan)
    return plan[0]


def possible(draw: Callable[[], Planned | None]) -> Planned | None:
    """Return a drawn plan, None where no water joins its places."""
    try:
        return draw()
    except NoWayError:
        return None


def _lasting(stop: Stop, end: float) -> Stop:
    berthing, raft = stop
    longer = replace(berthing, stay=replace(berthing.stay, end=end))
    return longer, None if raft is None else Raft(raft.host, raft.start, end)
