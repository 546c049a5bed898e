"""Who lies where and when: berths, anchor places and ways are given out so that no two hulls overlap.

Ships are placed one after the other. A ship's plan is drawn by chance and kept if its stays are free for
their whole time and if, at every overpass, its hull lies on water clear of all others; else it is drawn anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from shapely import STRtree
from shapely.geometry import Point, Polygon

from roadstead.errors import BadInputError
from roadstead.simulate.fleet import FleetRow, Pattern, Vessel
from roadstead.simulate.ground import Ground, Vector
from roadstead.simulate.hulls import HullSpec
from roadstead.simulate.routes import NoWayError, WaterGraph
from roadstead.simulate.tracks import Leg, Motion, Stay, Track, hull_outline, leg, moved

HOUR = 3600.0
BERTH_GAP_M = 3.0
"""Fenders: water between quay and hull."""
_CLEARANCE_M = 12.0
_RAFT_GAP_M = 1.5
_SHACKLES_M = 60.0
"""Horizontal reach of the anchor chain ahead of the bow."""
_SWING_DEG = 12.0
_TRIES = 300
_CAUGHT_MOVING = 0.35
"""Share of calls timed so that an overpass falls into one of their legs."""


class NoRoomError(BadInputError):
    """A ship finds no free place in the zones its fleet row names."""


@dataclass(frozen=True)
class Berthing:
    """A stay with what is needed to lie clear of it or alongside it."""

    stay: Stay
    hull: HullSpec
    vessel_id: str
    seaward: Vector = (0.0, 0.0)
    """Unit vector off the quay, for whoever comes alongside."""

    @property
    def outline(self) -> Polygon:
        """The hull at berth, or the circle that an anchored hull keeps clear."""
        stay, hull = self.stay, self.hull
        if stay.status == "moored":
            return hull_outline(stay.xy, stay.heading_deg, hull.length_m, hull.beam_m)
        reach = stay.scope_m * math.sin(math.radians(2 * stay.swing_deg)) + hull.length_m / 2 + 60.0
        return Point(moved(stay.xy, stay.heading_deg, -stay.scope_m)).buffer(reach, quad_segs=4)

    def overlaps(self, other: Berthing) -> bool:
        """Tell whether two stays would meet."""
        a, b = self.stay, other.stay
        if a.start >= b.end or b.start >= a.end:
            return False
        return bool(self.outline.distance(other.outline) < _CLEARANCE_M)


@dataclass(frozen=True)
class Sailing:
    """A ship, its track, and the ship it lies alongside of, if any."""

    vessel: Vessel
    track: Track
    alongside: str | None = None

    def at(self, time: float) -> Motion | None:
        """Return the hull at a time, None while it is outside the area."""
        return self.track.at(time)

    def outline(self, time: float) -> Polygon | None:
        """Return the hull's rectangle at a time, map metres."""
        motion, hull = self.at(time), self.vessel.hull
        if motion is None:
            return None
        return hull_outline(motion.xy, motion.heading_deg, hull.length_m, hull.beam_m)


@dataclass
class Harbour:
    """Gives out places in one port's area over the simulated time."""

    ground: Ground
    graph: WaterGraph
    entries: Sequence[Vector]
    start: float
    end: float
    overpasses: Sequence[float]
    berthings: list[Berthing] = field(default_factory=list)
    sailings: list[Sailing] = field(default_factory=list)

    def admit(self, vessel: Vessel, row: FleetRow, pattern: Pattern, rng: np.random.Generator) -> Sailing:
        """Place a ship for the whole time and return its sailing.

        Raises:
            NoRoomError: no free plan was found.
        """
        for _ in range(_TRIES):
            plan = _Plan(self, vessel, row, rng).draw(pattern)
            if plan is not None and self._is_free(*plan):
                sailing, berthings = plan
                self.sailings.append(sailing)
                self.berthings.extend(berthings)
                return sailing
        raise NoRoomError(
            f"no free place for {vessel.vessel_id} ({row.kind}, {vessel.hull.length_m:.0f} m, {pattern}) in "
            f"{', '.join((*row.berths, *row.anchorages)) or 'the fairways'}"
        )

    def _is_free(self, sailing: Sailing, berthings: Sequence[Berthing]) -> bool:
        host = sailing.alongside
        for one in berthings:
            if not self.ground.is_water(one.outline):
                return False
            if any(one.overlaps(other) for other in self.berthings if other.vessel_id != host):
                return False
        return all(self._is_clear(sailing, time) for time in self.overpasses)

    def _is_clear(self, sailing: Sailing, time: float) -> bool:
        hull = sailing.outline(time)
        if hull is None:
            return True
        if not self.ground.is_water(hull):
            return False
        others = [s.outline(time) for s in self.sailings if s.vessel.vessel_id != sailing.alongside]
        present = [outline for outline in others if outline is not None]
        return len(STRtree(present).query(hull, predicate="dwithin", distance=_CLEARANCE_M)) == 0


@dataclass(frozen=True)
class _Plan:
    """One try at a plan for one ship."""

    harbour: Harbour
    vessel: Vessel
    row: FleetRow
    rng: np.random.Generator

    def draw(self, pattern: Pattern) -> tuple[Sailing, list[Berthing]] | None:
        """Return a sailing with its stays, or None where chance gave no possible one."""
        drawers: dict[Pattern, Callable[[], tuple[Sailing, list[Berthing]] | None]] = {
            "call": self._call,
            "at_berth": self._at_berth,
            "at_anchor": self._at_anchor,
            "through": self._through,
        }
        try:
            return drawers[pattern]()
        except NoWayError:
            return None

    def _always(self) -> tuple[float, float]:
        return self.harbour.start - HOUR, self.harbour.end + HOUR

    def _at_berth(self) -> tuple[Sailing, list[Berthing]] | None:
        return self._resident(self._berth(*self._always()))

    def _at_anchor(self) -> tuple[Sailing, list[Berthing]] | None:
        return self._resident(self._anchor(*self._always()))

    def _resident(self, found: tuple[Berthing, str | None] | None) -> tuple[Sailing, list[Berthing]] | None:
        if found is None:
            return None
        berthing, host = found
        return Sailing(self.vessel, Track((berthing.stay,)), host), [berthing]

    def _through(self) -> tuple[Sailing, list[Berthing]] | None:
        entries = self.harbour.entries
        if len(entries) < 2:
            return None
        first, last = self.rng.permutation(len(entries))[:2]
        way = self.harbour.graph.way(entries[first], entries[last])
        run = leg(way, 0.0, self.vessel.speed_kn)
        return Sailing(self.vessel, Track((replace(run, start=self._caught([run], 0)),))), []

    def _call(self) -> tuple[Sailing, list[Berthing]] | None:
        """Come in, wait at anchor where the row has anchorages, load or discharge at berth, leave."""
        rng, span = self.rng, self.harbour.end - self.harbour.start
        arrival = self.harbour.start + float(rng.uniform(-0.3, 0.9)) * span
        wait, work = float(rng.gamma(2.0, 14.0)) * HOUR, float(rng.uniform(28.0, 84.0)) * HOUR
        anchor = self._anchor(arrival, arrival + wait) if self.row.anchorages else None
        berth = self._berth(arrival, arrival + work) if self.row.berths else None
        found = [stop for stop in (anchor, berth) if stop is not None]
        hosts = [host for _, host in found if host is not None]
        if not found or len(hosts) > 1:
            return None
        return self._voyage(arrival, [stop for stop, _ in found], hosts[0] if hosts else None)

    def _voyage(
        self, arrival: float, stops: list[Berthing], host: str | None
    ) -> tuple[Sailing, list[Berthing]]:
        entries = self.harbour.entries
        entry = entries[int(self.rng.integers(len(entries)))]
        parts = self._parts(entry, arrival, stops)
        legs = [part for part in parts if isinstance(part, Leg)]
        if self.rng.random() < _CAUGHT_MOVING:
            moving = int(self.rng.integers(len(legs)))
            parts = self._parts(entry, arrival + self._caught(legs, moving) - legs[moving].start, stops)
        stays = [part for part in parts if isinstance(part, Stay)]
        placed = [replace(stop, stay=stay) for stop, stay in zip(stops, stays, strict=True)]
        return Sailing(self.vessel, Track(tuple(parts)), host), placed

    def _caught(self, legs: Sequence[Leg], which: int) -> float:
        """A start of one leg that lets some overpass fall into it."""
        time = float(self.rng.choice(self.harbour.overpasses))
        run = legs[which]
        return time - float(self.rng.uniform(0.05, 0.95)) * (run.end - run.start)

    def _parts(self, entry: Vector, arrival: float, stops: Sequence[Berthing]) -> list[Stay | Leg]:
        """Legs and stays one after the other, each starting when the one before ends."""
        graph, speed = self.harbour.graph, self.vessel.speed_kn
        # Where the anchored hull lies turns with the tide; where its leg ends is the mean place.
        places = [stop.stay.at(0.0).xy for stop in stops]
        parts: list[Stay | Leg] = [leg(graph.way(entry, places[0]), arrival, speed)]
        for i, stop in enumerate(stops):
            begin = parts[-1].end
            parts.append(replace(stop.stay, start=begin, end=begin + stop.stay.end - stop.stay.start))
            onward = graph.way(places[i + 1] if i + 1 < len(stops) else entry, places[i])[::-1]
            parts.append(leg(onward, parts[-1].end, speed))
        return parts

    def _berth(self, start: float, end: float) -> tuple[Berthing, str | None] | None:
        raft = self._raft("moored", self.row.berths, start, end)
        if raft is not None:
            return raft
        hull = self.vessel.hull
        quays = [q for q in self.harbour.ground.quays if _slug(q.zone) in self.row.berths]
        quays = [q for q in quays if q.length_m > hull.length_m + 10.0]
        if not quays:
            return None
        weights = np.array([q.length_m for q in quays])
        quay = quays[self.rng.choice(len(quays), p=weights / weights.sum())]
        half = hull.length_m / 2 + 5.0
        along = float(self.rng.uniform(half, quay.length_m - half))
        xy = quay.place(along, hull.beam_m / 2 + BERTH_GAP_M)
        heading = math.degrees(math.atan2(*quay.along)) + float(self.rng.choice([0.0, 180.0]))
        stay = Stay(quay.zone, "moored", xy, heading % 360.0, start, end)
        return Berthing(stay, hull, self.vessel.vessel_id, seaward=quay.seaward), None

    def _raft(
        self, status: str, zones: Sequence[str], start: float, end: float
    ) -> tuple[Berthing, str | None] | None:
        """Lie outside a ship of the same kind that stays the whole time and has nobody alongside yet."""
        if not self.row.rafts or self.rng.random() < 0.5:
            return None
        hull, taken = self.vessel.hull, {sailing.alongside for sailing in self.harbour.sailings}
        hosts = [
            other
            for other in self.harbour.berthings
            if (other.stay.status, other.hull.kind) == (status, hull.kind)
            and _slug(other.stay.zone) in zones
            and other.vessel_id not in taken
            and (other.stay.start, other.stay.end) == self._always()
        ]
        if not hosts:
            return None
        host = hosts[int(self.rng.integers(len(hosts)))]
        apart = (host.hull.beam_m + hull.beam_m) / 2 + _RAFT_GAP_M
        (x, y), (east, north) = host.stay.xy, host.seaward
        stay = replace(host.stay, xy=(x + east * apart, y + north * apart), start=start, end=end)
        if status == "anchored":
            stay = replace(host.stay, abeam_m=host.stay.abeam_m + apart, start=start, end=end)
        return Berthing(stay, hull, self.vessel.vessel_id, seaward=host.seaward), host.vessel_id

    def _anchor(self, start: float, end: float) -> tuple[Berthing, str | None] | None:
        raft = self._raft("anchored", self.row.anchorages, start, end)
        if raft is not None:
            return raft
        areas = [a for a in self.harbour.ground.areas if _slug(a.id) in self.row.anchorages]
        if not areas:
            return None
        area = areas[int(self.rng.integers(len(areas)))]
        west, south, east, north = area.polygon.bounds
        xy = float(self.rng.uniform(west, east)), float(self.rng.uniform(south, north))
        if not area.polygon.contains(Point(xy)):
            return None
        # One tide turns all ships of an anchorage alike; each lies a few degrees off by wind and draught.
        heading = (_tide_deg(area.id) + float(self.rng.normal(0.0, 6.0))) % 360.0
        scope = self.vessel.hull.length_m / 2 + _SHACKLES_M
        stay = Stay(
            zone=area.id,
            status="anchored",
            xy=moved(xy, heading, scope),
            heading_deg=heading,
            start=start,
            end=end,
            scope_m=scope,
            swing_deg=_SWING_DEG,
        )
        return Berthing(stay, self.vessel.hull, self.vessel.vessel_id), None


def _tide_deg(zone: str) -> float:
    """Mean heading of ships at anchor in a zone."""
    return float(sum(zone.encode()) % 180)


def _slug(zone: str) -> str:
    return zone.partition("/")[2]
