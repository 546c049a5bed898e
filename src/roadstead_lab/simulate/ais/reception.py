"""What one AIS source hears of what units send: range, satellite passes, failures, chance, and thinning.

A source that thins keeps the first report it hears of a unit in each window of so many seconds. That report is
drawn directly (how many reports fail before one is heard is geometric), so that a year needs no draw of every
report that was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from roadstead.core.geo import NAUTICAL_MILE_M, Array, lonlat_to_xy
from roadstead_lab.simulate.ais.keyed import uniforms
from roadstead_lab.simulate.ais.reporting import LONG_RANGE_S, STATIC_S, Schedule, Span, within
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.scenario.model import AisClass, Receiver
from roadstead_lab.simulate.traffic.sea import PortWorld

DROPOUT_S = 1_200.0
"""Mean length of a short failure; lengths are exponential."""
STATIC_THIN_S = 1_800
"""A source that thins keeps static data of a unit at most so often."""
CLASS_B_REACH = 0.5
"""Of Class A's range: 2 W against 12.5 W."""
_DAY = 86_400.0
_JITTER = 0.1
"""Units pick a slot within 10 % of the interval about the nominal one (M.1371-5, annex 2: SI = 0.2 NI)."""


@dataclass(frozen=True)
class Heard:
    """Reports of one kind that a source heard of one unit, in order of time."""

    time: NDArray[np.int64]
    """Seconds since 1970."""
    long_range: NDArray[np.bool_]
    """Whether a report is message 27."""


@dataclass(frozen=True)
class Circles:
    """The water inside some circles, or beyond all of them."""

    centres_xy: Array
    """[n, 2] map metres."""
    radii_m: Array
    """[n]."""
    beyond: bool = False

    def crossings(self, sent: Schedule) -> Array:
        """Return when a unit crosses the circles: where |a + s (b - a) - c| = r on its way from a to b."""
        along, length = sent.b_xy - sent.a_xy, sent.end - sent.start
        moving = (along**2).sum(axis=1) > 0
        a, d, start, length = sent.a_xy[moving], along[moving], sent.start[moving], length[moving]
        found = [np.empty(0)]
        for centre, radius in zip(self.centres_xy, self.radii_m, strict=True):
            f = a - centre
            qa, qb, qc = (d * d).sum(axis=1), 2 * (f * d).sum(axis=1), (f * f).sum(axis=1) - radius**2
            root = np.sqrt(np.maximum(qb * qb - 4 * qa * qc, 0.0))
            for share in ((-qb - root) / (2 * qa), (-qb + root) / (2 * qa)):
                met = (share > 0) & (share < 1)
                found.append(start[met] + share[met] * length[met])
        return np.concatenate(found)

    def holds(self, sent: Schedule) -> NDArray[np.bool_]:
        """Tell which pieces lie there by their middle; cut them at `crossings` before."""
        inside = np.zeros(len(sent.start), bool)
        for centre, radius in zip(self.centres_xy, self.radii_m, strict=True):
            inside |= np.hypot(*(sent.middle_xy - centre).T) <= radius
        return np.asarray(inside != self.beyond)


@dataclass(frozen=True)
class Ear:
    """One source of a port's world."""

    receiver: Receiver
    begin: int
    """First second of the simulated time, since 1970."""
    open: Array
    """[n, 2] times in which the source receives, from and to, in order and apart."""
    own: Circles
    """Where it hears Class A units."""
    bases: Circles
    """Where any base station of the port hears them; a unit in there sends no message 27."""

    def positions(
        self, sent: Schedule, ais_class: AisClass, off: tuple[Span, ...], rng: np.random.Generator
    ) -> Heard:
        """Return the position reports heard of a unit.

        Args:
            sent: When and where it reports.
            ais_class: Its class.
            off: Times in which it sends nothing.
            rng: Chance of reception.
        """
        thin = self.receiver.thin_s
        times = self._drawn(self._audible(sent, self._reach(ais_class), off, thin), thin, rng)
        if self.receiver.kind == "terrestrial" or ais_class == "B":
            return Heard(times, np.zeros(len(times), bool))
        # Message 27 is sent outside of base stations' coverage (M.1371-5, annex 4, § 3).
        long_range = sent.every(LONG_RANGE_S, float(sent.phase[0]))
        far = self._audible(long_range, replace(self.bases, beyond=True), off, thin)
        return _merged(times, self._drawn(far, thin, rng), self._window(thin))

    def statics(
        self, sent: Schedule, ais_class: AisClass, off: tuple[Span, ...], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return when static data of a unit are heard."""
        thin = max(self.receiver.thin_s, STATIC_THIN_S) if self.receiver.thin_s else 0
        every = sent.every(STATIC_S, float(sent.phase[0]))
        return self._drawn(self._audible(every, self._reach(ais_class), off, thin), thin, rng)

    def _reach(self, ais_class: AisClass) -> Circles:
        if ais_class == "A" or self.receiver.kind == "satellite":
            return self.own
        return replace(self.own, radii_m=CLASS_B_REACH * self.own.radii_m)

    def _audible(self, sent: Schedule, reach: Circles, off: tuple[Span, ...], thin: int) -> Schedule:
        """Cut to what can be heard: the source is open, the unit on and in reach, each piece in one window."""
        cut = sent.cut(
            np.concatenate([self._edges(sent, thin), np.array(off).ravel(), reach.crossings(sent)])
        )
        return cut.kept(_in_spans(cut.start, self.open) & ~within(cut.start, off) & reach.holds(cut))

    def _edges(self, sent: Schedule, thin: int) -> Array:
        """Return when the source opens and closes, and where its windows begin, while a unit is there."""
        start, end = sent.start[0], sent.end[-1]
        edges = self.open.ravel()
        edges = edges[np.searchsorted(edges, start) : np.searchsorted(edges, end)]
        if not thin:
            return edges
        first, last = (np.floor((t - self.begin) / thin) for t in (start, end))
        return np.concatenate([edges, self.begin + thin * np.arange(first, last + 1)])

    def _window(self, thin: int) -> Span:
        return float(self.begin), float(thin)

    def _drawn(self, audible: Schedule, thin: int, rng: np.random.Generator) -> NDArray[np.int64]:
        if self.receiver.heard == 0.0 or len(audible.start) == 0:
            return np.empty(0, np.int64)
        if thin:
            return _first_of_windows(_firsts(audible, self.receiver.heard, rng), *self._window(thin))
        times = _all(audible)
        return times[rng.random(len(times)) < self.receiver.heard]


def ear_of(world: PortWorld, receiver: Receiver) -> Ear:
    """Return one source of a port, with its passes and failures drawn by chance."""
    ground = [r for r in world.scenario.receivers if r.kind == "terrestrial"]
    nowhere = np.empty((0, 2)), np.empty(0)
    own = _circles(world, [receiver]) if receiver in ground else Circles(*nowhere, beyond=True)
    spans = np.array(open_spans(world, receiver)).reshape(-1, 2)
    return Ear(receiver, round(world.begin_s), spans, own, _circles(world, ground))


def _circles(world: PortWorld, receivers: Sequence[Receiver]) -> Circles:
    reach = [(lon, lat, NAUTICAL_MILE_M * r.range_nm) for r in receivers for lon, lat in r.stations]
    table = np.array(reach, float).reshape(-1, 3)
    return Circles(lonlat_to_xy(table[:, :2], world.ground.grid.crs), table[:, 2])


def open_spans(world: PortWorld, receiver: Receiver) -> list[Span]:
    """Return the times in which a source receives: passes of a satellite, less outages and dropouts."""
    rng = generator(world.seed, world.scenario.port, "source", receiver.source)
    begin, end = world.begin_s, world.end_s
    closed = [(begin + _DAY * o.day + 3600.0 * o.from_hour, 3600.0 * o.hours) for o in receiver.outages]
    spans = [(start, start + length) for start, length in closed]
    number = rng.poisson(receiver.dropouts_per_day * (end - begin) / _DAY)
    starts, lengths = rng.uniform(begin, end, number), rng.exponential(DROPOUT_S, number)
    spans += zip(starts.tolist(), (starts + lengths).tolist(), strict=True)
    if receiver.kind == "terrestrial":
        return _without([(begin, end)], spans)
    every, lasts = 60.0 * receiver.pass_every_min, 60.0 * receiver.pass_min
    passes = np.arange(begin - every * rng.random(), end, every)
    seen = [(max(p, begin), min(p + lasts, end)) for p in passes.tolist() if p + lasts > begin]
    return _without(seen, spans)


def _without(spans: list[Span], closed: list[Span]) -> list[Span]:
    """Return spans (in order, apart) less others."""
    for shut, reopened in closed:
        cut = [
            part for start, end in spans for part in ((start, min(end, shut)), (max(start, reopened), end))
        ]
        spans = [(start, end) for start, end in cut if end > start]
    return spans


def _in_spans(times: Array, spans: Array) -> NDArray[np.bool_]:
    """Tell which times lie in any of [n, 2] spans that are in order and apart."""
    of = np.searchsorted(spans[:, 0], times, side="right") - 1
    inside = np.zeros(len(times), bool)
    inside[of >= 0] = times[of >= 0] < spans[of[of >= 0], 1]
    return inside


def _sent(sent: Schedule, of: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the second in which a report of each piece is sent; every source hears a report at the same time."""
    every = sent.every_s[of]
    nominal = sent.start[of] + every * (sent.phase[of] + count)
    jitter = _JITTER * (2.0 * uniforms(sent.key, np.rint(10.0 * nominal)) - 1.0)
    return np.floor(nominal + every * jitter).astype(np.int64)


def _all(sent: Schedule) -> NDArray[np.int64]:
    """Return when each report is sent; one more before and after, since jitter may bring them into the piece."""
    number = np.maximum(np.ceil((sent.end - sent.start) / sent.every_s - sent.phase), 0).astype(np.int64) + 2
    of = np.repeat(np.arange(len(number)), number)
    count = np.arange(len(of)) - np.repeat(np.cumsum(number) - number, number) - 1
    times = _sent(sent, of, count)
    return np.unique(times[(times >= sent.start[of]) & (times < sent.end[of])])


def _firsts(sent: Schedule, heard: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return when the first report of each piece is heard, where one is."""
    of = np.arange(len(sent.start))
    early = [_sent(sent, of, np.full(len(of), count)) < sent.start for count in (-1, 0)]
    first = np.sum(early, axis=0) - 1
    times = _sent(sent, of, first + rng.geometric(heard, len(of)) - 1)
    return np.unique(times[times < sent.end])


def _first_of_windows(times: NDArray[np.int64], begin: float, thin: float) -> NDArray[np.int64]:
    """Return the first of ascending times in each window."""
    _, first = np.unique((times - begin) // thin, return_index=True)
    return times[first]


def _merged(near: NDArray[np.int64], far: NDArray[np.int64], window: Span) -> Heard:
    """Join ordinary and long-range reports; of one second, or of one window where thinned, the first counts."""
    begin, thin = window
    times = np.concatenate([near, far])
    long_range = np.repeat([False, True], [len(near), len(far)])
    order = np.argsort(times, kind="stable")
    times, long_range = times[order], long_range[order]
    _, first = np.unique((times - begin) // (thin or 1.0), return_index=True)
    return Heard(times[first], long_range[first])
