"""Deliveries between ports: load, sail, wait, deliver, return in ballast; or hand the cargo over at sea.

The sea between the ports lies outside every frame: a ship leaves one port's area laden and comes into the other's
after the time that the route takes at its speed. Waits at anchor have a heavy (lognormal) tail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import shapely

from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.coast.ground import Vector
from roadstead_lab.simulate.scenario.model import Route
from roadstead_lab.simulate.traffic.fleet import Vessel, route_fleet
from roadstead_lab.simulate.traffic.harbour import Harbour
from roadstead_lab.simulate.traffic.places import Needs, Stop, alongside
from roadstead_lab.simulate.traffic.plans import Planned, Planner, Times, possible
from roadstead_lab.simulate.traffic.sailing import (
    CLEARANCE_M,
    DAY,
    HOUR,
    Berthing,
    Cargo,
    NoRoomError,
    Sailing,
)
from roadstead_lab.simulate.traffic.tracks import Stay

_TRIES = 400
_WORK_H = (28.0, 84.0)
_TRANSFER_H = (12.0, 36.0)
_LOADING_WAIT = (14.0, 0.8)
_DELIVERY_WAIT = (20.0, 1.2)
"""Median in hours and sigma of lognormal waits at anchor: one in twenty waits longer than six days."""
_SEA_PACE = (0.85, 0.99)
"""Share of the ship's speed at which a voyage is made."""


@dataclass(frozen=True)
class Occasion:
    """One delivery: a loading, the run, and the arrival."""

    occasion_id: str
    route: int
    """Index in the scenario."""
    kind: str
    loading: Sailing
    """At the loading port."""
    delivery: Sailing
    """Of the same ship at the delivering port; alongside the receiver where the cargo changes ships at sea."""
    loading_port: str
    delivery_port: str
    sea_nm: float
    receiver: Sailing | None = None
    """Of the ship that takes the cargo at sea and delivers it."""

    @property
    def vessel(self) -> Vessel:
        """The ship that loads."""
        return self.loading.vessel

    @property
    def loading_stay(self) -> Stay:
        """Where and when it loads."""
        return self.loading.track.stays[-1]

    @property
    def handover(self) -> Stay | None:
        """Where and when two ships lie alongside; None for a delivery in port."""
        return None if self.receiver is None else self.delivery.track.stays[-1]

    @property
    def delivery_stay(self) -> Stay:
        """Where and when the cargo is discharged; after a transfer by the receiver, if it does so in this port."""
        taken = () if self.receiver is None else self.receiver.track.stays[1:]
        return taken[-1] if taken else self.delivery.track.stays[-1]

    @property
    def departure(self) -> float:
        """When it leaves the loading port's area, seconds since 1970."""
        return self.loading.track.end

    @property
    def arrival(self) -> float:
        """When it comes into the delivering port's area, seconds since 1970."""
        return self.delivery.track.start

    @property
    def sea_speed_kn(self) -> float:
        """Speed over the whole run between the two areas."""
        return self.sea_nm / ((self.arrival - self.departure) / HOUR)

    @property
    def wait_s(self) -> float:
        """How long the ship that loaded waits at anchor before it discharges or is discharged."""
        return sum(stay.end - stay.start for stay in self.delivery.track.stays[:-1])

    def sailings(self) -> tuple[Sailing, ...]:
        """Return both ends, and the receiver's where there is one."""
        ends = (self.loading, self.delivery)
        return ends if self.receiver is None else (*ends, self.receiver)


@dataclass
class _Ships:
    """When each ship of a route is on a voyage."""

    voyages: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def free(self, vessel: Vessel, start: float, end: float) -> bool:
        """Tell whether a ship is on no voyage for the whole of a time."""
        known = self.voyages.get(vessel.vessel_id, [])
        return all(end <= first or start >= last for first, last in known)

    def take(self, vessel: Vessel, start: float, end: float) -> None:
        """Send a ship on a voyage."""
        self.voyages.setdefault(vessel.vessel_id, []).append((start, end))


def deliver(
    route: Route, index: int, harbours: Mapping[str, Harbour], name: str, seed: int
) -> Iterator[Occasion]:
    """Yield a route's deliveries, exactly as many as it says; their places are given out.

    Args:
        route: What is to be delivered.
        index: Its place in the scenario.
        harbours: By port.
        name: What its ships are called after SIM, and the destination they declare.
        seed: The world's.

    Raises:
        NoRoomError: with the route's index; one of the deliveries finds no time or no free place.
    """
    fleet = route_fleet(seed, index, route, name)
    carriers, receivers = _parted(route, index, fleet)
    ships = _Ships()
    for number in range(route.occasions):
        rng = generator(seed, "route", index, "occasion", number)
        occasion_id = f"sim-route-{index}-occasion-{number + 1:04d}"
        receiver = receivers[number % len(receivers)] if receivers else None
        maker = _Maker(route, index, occasion_id, harbours, ships, rng)
        yield maker.make(carriers[number % len(carriers)], receiver)


def _parted(route: Route, index: int, fleet: Sequence[Vessel]) -> tuple[Sequence[Vessel], Sequence[Vessel]]:
    """Ships that load and, for transfers, ships that take over: the second half of the fleet."""
    if route.kind != "transfer_at_sea":
        return fleet, ()
    if len(fleet) < 2:
        raise NoRoomError("a transfer at sea takes two ships; give hulls: 2 or more", route=index)
    half = (len(fleet) + 1) // 2
    return fleet[:half], fleet[half:]


@dataclass(frozen=True)
class _Maker:
    """Draws one delivery."""

    route: Route
    index: int
    occasion_id: str
    harbours: Mapping[str, Harbour]
    ships: _Ships
    rng: np.random.Generator

    @property
    def origin(self) -> Harbour:
        """Where it loads."""
        return self.harbours[self.route.loads_at]

    @property
    def target(self) -> Harbour:
        """Where it delivers."""
        return self.harbours[self.route.delivers_at]

    def make(self, carrier: Vessel, receiver: Vessel | None) -> Occasion:
        """Find a time and free places for a delivery and give them out.

        Raises:
            NoRoomError: there are none.
        """
        for _ in range(_TRIES):
            occasion = self._drawn(carrier, receiver)
            if occasion is not None:
                return occasion
        raise NoRoomError(
            f"{self.occasion_id} by {carrier.vessel_id} finds no time or free place between "
            f"{self.route.loads_at} and {self.route.delivers_at}: the simulated time must hold loading, "
            f"{self._sea_s(carrier.speed_kn) / DAY:.1f} days at sea, waiting and delivery; "
            "ask for fewer occasions, more hulls, more zones or more days",
            route=self.index,
        )

    def _sea_s(self, speed_kn: float) -> float:
        return self.route.sea_nm / speed_kn * HOUR

    def _drawn(self, carrier: Vessel, receiver: Vessel | None) -> Occasion | None:
        begin, end = self.origin.start, self.origin.end
        start = float(self.rng.uniform(begin, max(end - self._sea_s(carrier.speed_kn), begin)))
        speed = carrier.speed_kn * float(self.rng.uniform(*_SEA_PACE))
        least = start + 2 * self._sea_s(speed) + 4 * DAY
        if not self.ships.free(carrier, start, least):
            return None
        loading = possible(partial(self._loading, carrier, start))
        if loading is None or not self.origin.is_free(*loading):
            return None
        arrival = loading[0].track.end + self._sea_s(speed)
        make = self._discharged if receiver is None else partial(self._transferred, receiver)
        ends = make(carrier, arrival)
        if ends is None or max(sailing.track.end for sailing, _ in ends) > end:
            return None
        return self._settled(loading, ends, speed, receiver)

    def _settled(
        self, loading: Planned, ends: Sequence[Planned], speed_kn: float, receiver: Vessel | None
    ) -> Occasion | None:
        """Give out all places if the ships are free until they could be back in ballast."""
        sailing, back = ends[0][0], self._sea_s(speed_kn)
        first, last = loading[0].track.start, sailing.track.end + back
        if not self.ships.free(sailing.vessel, first, last):
            return None
        self.ships.take(sailing.vessel, first, last)
        self.origin.admit(*loading)
        for plan in reversed(ends):
            self.target.admit(*plan)
        return Occasion(
            self.occasion_id,
            self.index,
            self.route.kind,
            loading[0],
            sailing,
            self.route.loads_at,
            self.route.delivers_at,
            self.route.sea_nm,
            ends[1][0] if receiver is not None else None,
        )

    def _loading(self, carrier: Vessel, start: float) -> Planned | None:
        needs = Needs(self.route.loading_berths, self.route.loading_anchorages)
        times = Times(start, self._wait_s(*_LOADING_WAIT), self._hours(_WORK_H))
        planner = Planner(self.origin, carrier, needs, self.rng)
        return planner.call(times, loads=True, occasion_id=self.occasion_id)

    def _discharged(self, carrier: Vessel, arrival: float) -> list[Planned] | None:
        needs = Needs(self.route.delivery_berths, self.route.delivery_anchorages)
        times = Times(arrival, self._wait_s(*_DELIVERY_WAIT), self._hours(_WORK_H))
        planner = Planner(self.target, carrier, needs, self.rng)
        plan = possible(lambda: planner.call(times, loads=False, occasion_id=self.occasion_id))
        return None if plan is None or not self.target.is_free(*plan) else [plan]

    def _wait_s(self, median_h: float, sigma: float) -> float:
        return max(float(median_h * np.exp(sigma * self.rng.standard_normal())), 1.0) * HOUR

    def _hours(self, span: tuple[float, float]) -> float:
        return float(self.rng.uniform(*span)) * HOUR

    def _transferred(self, receiver: Vessel, carrier: Vessel, arrival: float) -> list[Planned] | None:
        """The carrier alongside an anchored receiver; the receiver delivers where there are berths, or leaves."""
        taker = self._planner(self.target, receiver, self.route.delivery_berths)
        giver = self._planner(self.target, carrier, ())
        entry = self.target.entries[int(self.rng.integers(len(self.target.entries)))]
        found = taker.anchor(arrival, arrival + 4 * DAY)
        if found is None:
            return None
        start = arrival + giver.run_s(entry, found[0].stay, arrival)
        end = start + self._hours(_TRANSFER_H)
        waited, stays_on = self._wait_s(*_LOADING_WAIT), self._hours((1.0, 6.0))
        host = replace(found[0], stay=replace(found[0].stay, start=start - waited, end=end + stays_on))
        onward = self._onward(taker, host)
        if onward is None or not self.target.is_place(host):
            return None
        half = (start + end) / 2
        carried = self._visit(giver, entry, [alongside(carrier, host, start, end)], Cargo(True, (half,)))
        received = self._visit(taker, entry, [(host, None), *onward], Cargo(False, (half,)))
        return [carried, received] if self._fit(carried, received) else None

    def _planner(self, harbour: Harbour, vessel: Vessel, berths: tuple[str, ...]) -> Planner:
        return Planner(harbour, vessel, Needs(berths, self.route.delivery_anchorages), self.rng)

    def _onward(self, taker: Planner, host: Berthing) -> list[Stop] | None:
        """Where the receiver goes next: a berth, or nowhere in this port; None where no berth is free."""
        if not taker.needs.berths:
            return []
        stay = host.stay
        stop = taker.berthed(stay.at(stay.end).xy, stay.end, self._hours(_WORK_H))
        return None if stop is None else [stop]

    def _visit(self, planner: Planner, entry: Vector, stops: Sequence[Stop], cargo: Cargo) -> Planned:
        """Come in so that the first stop begins when it should; each later stop works the cargo again."""
        first = stops[0][0].stay
        arrival = first.start - planner.run_s(entry, first, first.start)
        sailing, placed = planner.voyage(entry, arrival, stops, loads=True, occasion_id=self.occasion_id)
        later = tuple((berthing.stay.start + berthing.stay.end) / 2 for berthing in placed[1:])
        return replace(sailing, cargo=replace(cargo, changes=cargo.changes + later)), placed

    def _fit(self, carried: Planned, received: Planned) -> bool:
        """Tell whether two ships are clear of all others and, but for the handover, of each other."""
        (guest, places), (host, _) = carried, received
        if host.track.start < self.target.start or not self.target.is_free(*received):
            return False
        # The host has no place yet, so the guest is asked for alone.
        if not self.target.is_free(replace(guest, raft=None), places):
            return False
        times = self.target.overpasses
        first, stop = np.searchsorted(times, [guest.track.start, guest.track.end])
        apart = [time for time in times[first:stop] if guest.beside(time) is None and host.at(time)]
        gaps = shapely.distance(guest.extents(np.array(apart)), host.extents(np.array(apart)))
        return bool((gaps > CLEARANCE_M).all())
