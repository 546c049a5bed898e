"""Which places of a port are free: stays that never meet, and hulls that lie clear at every overpass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray

from roadstead_lab.simulate.coast.ground import Ground, Vector
from roadstead_lab.simulate.traffic.routes import WaterGraph
from roadstead_lab.simulate.traffic.sailing import CLEARANCE_M, DAY, Berthing, Raft, Sailing
from roadstead_lab.simulate.traffic.tracks import Array

AWAY_S = DAY
"""A ship that left stays away at least so long before it calls again."""


@dataclass
class _Stays:
    """Stays given out so far, found by time and place."""

    given: list[Berthing] = field(default_factory=list)
    _rows: NDArray[np.float64] = field(default_factory=lambda: np.empty((64, 5)))
    """[n, 5] start, end, x, y and radius of each."""

    def add(self, one: Berthing) -> None:
        """Give out a place."""
        if len(self.given) == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        (x, y), radius = one.circle
        self._rows[len(self.given)] = one.stay.start, one.stay.end, x, y, radius
        self.given.append(one)

    def near(self, one: Berthing) -> list[Berthing]:
        """Return the stays that may meet one."""
        start, end, x, y, radius = self._rows[: len(self.given)].T
        (cx, cy), own = one.circle
        meets = (start < one.stay.end) & (end > one.stay.start)
        meets &= np.hypot(x - cx, y - cy) < radius + own + CLEARANCE_M
        return [self.given[i] for i in np.flatnonzero(meets)]

    def during(self, start: float, end: float) -> list[Berthing]:
        """Return the stays that last the whole of a time."""
        begun, ended = self._rows[: len(self.given), :2].T
        return [self.given[i] for i in np.flatnonzero((begun <= start) & (ended >= end))]


@dataclass
class _Sight:
    """The hulls present at one overpass."""

    owners: list[str] = field(default_factory=list)
    outlines: list[shapely.Polygon] = field(default_factory=list)


@dataclass
class Harbour:
    """Gives out places in one port's area over the simulated time."""

    port: str
    ground: Ground
    graph: WaterGraph
    entries: Sequence[Vector]
    start: float
    """Seconds since 1970 UTC."""
    end: float
    overpasses: Array
    """[n] times of all images, in order."""
    sailings: list[Sailing] = field(default_factory=list)
    _stays: _Stays = field(default_factory=_Stays)
    _sights: dict[int, _Sight] = field(default_factory=lambda: defaultdict(_Sight))
    _guests: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    _busy: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def admit(self, sailing: Sailing, berthings: Sequence[Berthing]) -> None:
        """Give a sailing its places; ask `is_free` before."""
        self.sailings.append(sailing)
        for one in berthings:
            self._stays.add(one)
        if sailing.raft is not None:
            self._guests[sailing.raft.host].append((sailing.raft.start, sailing.raft.end))
        self._busy[sailing.vessel.vessel_id].append((sailing.track.start, sailing.track.end))
        for number, outline in zip(*self._seen(sailing), strict=True):
            self._sights[number].owners.append(sailing.vessel.vessel_id)
            self._sights[number].outlines.append(outline)

    def is_free(self, sailing: Sailing, berthings: Sequence[Berthing]) -> bool:
        """Tell whether all its places are free, its hull clear at every overpass, and the ship not elsewhere."""
        track = sailing.track
        if self.is_busy(sailing.vessel.vessel_id, track.start, track.end):
            return False
        raft = sailing.raft
        if raft is not None and not self.is_host(raft):
            return False
        if not all(self.is_place(one, sailing.alongside) for one in berthings):
            return False
        return self._is_clear(sailing)

    def is_busy(self, vessel_id: str, start: float, end: float) -> bool:
        """Tell whether a ship is in the port, or has not been away for long enough, at some time."""
        return any(start < last + AWAY_S and end > first - AWAY_S for first, last in self._busy[vessel_id])

    def is_place(self, one: Berthing, host: str | None = None) -> bool:
        """Tell whether a stay is on water and clear of all others but the host's it lies alongside of."""
        if not self.ground.is_water(one.outline):
            return False
        return not any(one.overlaps(other) for other in self._stays.near(one) if other.vessel_id != host)

    def is_host(self, raft: Raft) -> bool:
        """Tell whether the host of a raft stays the whole time and has nobody else alongside in it."""
        return any(one.vessel_id == raft.host for one in self.hosts(raft.start, raft.end))

    def hosts(self, start: float, end: float) -> list[Berthing]:
        """Return the stays that last a whole time and have nobody alongside in it."""
        return [one for one in self._stays.during(start, end) if not self._taken(one.vessel_id, start, end)]

    def _taken(self, host: str, start: float, end: float) -> bool:
        return any(start < last and end > first for first, last in self._guests[host])

    def _seen(self, sailing: Sailing) -> tuple[range, NDArray[np.object_]]:
        """Overpasses at which a sailing is in the area, and its outline at each."""
        first, stop = np.searchsorted(self.overpasses, [sailing.track.start, sailing.track.end])
        return range(int(first), int(stop)), sailing.extents(self.overpasses[first:stop])

    def _is_clear(self, sailing: Sailing) -> bool:
        numbers, outlines = self._seen(sailing)
        if not all(self.ground.is_water(outline) for outline in outlines):
            return False
        return all(self._keeps_off(sailing, n, outline) for n, outline in zip(numbers, outlines, strict=True))

    def _keeps_off(self, sailing: Sailing, number: int, outline: shapely.Polygon) -> bool:
        sight = self._sights.get(number)
        if sight is None:
            return True
        host = sailing.beside(float(self.overpasses[number]))
        close = shapely.dwithin(np.array(sight.outlines, object), outline, CLEARANCE_M)
        return all(sight.owners[i] == host for i in np.flatnonzero(close))
