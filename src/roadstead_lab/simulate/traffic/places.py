"""Places of single ships, drawn by chance: along a quay, at anchor, or alongside another ship."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from shapely.geometry import Point

from roadstead_lab.simulate.coast.ground import Quay
from roadstead_lab.simulate.traffic.fleet import Vessel
from roadstead_lab.simulate.traffic.harbour import Harbour
from roadstead_lab.simulate.traffic.sailing import Berthing, Raft, aft_m
from roadstead_lab.simulate.traffic.tracks import Stay, moved

BERTH_GAP_M = 3.0
"""Fenders: water between quay and hull."""
_QUAY_ENDS_M = 5.0
_RAFT_GAP_M = 1.5
_SHACKLES_M = 60.0
"""Horizontal reach of the anchor chain ahead of the bow."""
_SWING_DEG = 12.0

Stop = tuple[Berthing, Raft | None]


@dataclass(frozen=True)
class Needs:
    """What a ship wants of a port."""

    berths: tuple[str, ...] = ()
    """Zones without the port's slug."""
    anchorages: tuple[str, ...] = ()
    rafts: float = 0.0
    """Chance to lie alongside a ship of its kind where one is there."""

    @property
    def zones(self) -> str:
        """The zones in words."""
        return ", ".join((*self.berths, *self.anchorages)) or "the fairways"


@dataclass(frozen=True)
class Places:
    """Draws places of one ship in one harbour."""

    harbour: Harbour
    vessel: Vessel
    needs: Needs
    rng: np.random.Generator

    def berth(self, start: float, end: float) -> Stop | None:
        """Draw a place along a quay, or alongside a ship there; it may be taken."""
        raft = self._alongside("moored", self.needs.berths, start, end)
        if raft is not None:
            return raft
        hull, aft = self.vessel.hull, aft_m(self.vessel)
        whole = hull.length_m + aft
        quays = self._quays(whole)
        if not quays:
            return None
        weights = np.array([quay.length_m for quay in quays])
        quay = quays[self.rng.choice(len(quays), p=weights / weights.sum())]
        half = whole / 2 + _QUAY_ENDS_M
        along = float(self.rng.uniform(half, quay.length_m - half))
        middle = quay.place(along, hull.beam_m / 2 + BERTH_GAP_M)
        heading = (math.degrees(math.atan2(*quay.along)) + float(self.rng.choice([0.0, 180.0]))) % 360.0
        stay = Stay(quay.zone, "moored", moved(middle, heading, aft / 2), heading, start, end)
        return Berthing(stay, self.vessel, quay.seaward), None

    def _quays(self, whole_m: float) -> list[Quay]:
        quays = [quay for quay in self.harbour.ground.quays if _slug(quay.zone) in self.needs.berths]
        return [quay for quay in quays if quay.length_m > whole_m + 2 * _QUAY_ENDS_M]

    def anchor(self, start: float, end: float) -> Stop | None:
        """Draw a place at anchor, or alongside a ship there; it may be taken."""
        raft = self._alongside("anchored", self.needs.anchorages, start, end)
        if raft is not None:
            return raft
        areas = [area for area in self.harbour.ground.areas if _slug(area.id) in self.needs.anchorages]
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
        anchor = moved(xy, heading, scope)
        stay = Stay(area.id, "anchored", anchor, heading, start, end, scope_m=scope, swing_deg=_SWING_DEG)
        return Berthing(stay, self.vessel), None

    def _alongside(self, status: str, zones: Sequence[str], start: float, end: float) -> Stop | None:
        """Lie outside a ship of the same kind that stays the whole time and has nobody alongside yet."""
        if self.rng.random() >= self.needs.rafts:
            return None
        hosts = [
            host
            for host in self.harbour.hosts(start, end)
            if (host.stay.status, host.hull.kind) == (status, self.vessel.hull.kind)
            and _slug(host.stay.zone) in zones
            and host.vessel_id != self.vessel.vessel_id
        ]
        if not hosts:
            return None
        berthing, raft = alongside(self.vessel, hosts[int(self.rng.integers(len(hosts)))], start, end)
        # Where there is no room alongside the ship lies elsewhere.
        return (berthing, raft) if self.harbour.is_place(berthing, raft.host) else None


def alongside(guest: Vessel, host: Berthing, start: float, end: float) -> tuple[Berthing, Raft]:
    """Return the stay of a ship that lies alongside another for some time of the other's stay."""
    apart = (host.hull.beam_m + guest.hull.beam_m) / 2 + _RAFT_GAP_M
    (x, y), (east, north) = host.stay.xy, host.seaward
    stay = replace(host.stay, xy=(x + east * apart, y + north * apart), start=start, end=end)
    if host.stay.status == "anchored":
        stay = replace(host.stay, abeam_m=host.stay.abeam_m + apart, start=start, end=end)
    return Berthing(stay, guest, host.seaward), Raft(host.vessel_id, start, end)


def _tide_deg(zone: str) -> float:
    """Mean heading of ships at anchor in a zone."""
    return float(sum(zone.encode()) % 180)


def _slug(zone: str) -> str:
    return zone.partition("/")[2]
