"""Hand-made worlds for the tests of AIS: open water of 20 km, ships whose tracks are known."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from shapely.geometry import Polygon

from roadstead.core.geo import lonlat_to_xy, xy_to_lonlat
from roadstead_lab.simulate.ais.received import Received
from roadstead_lab.simulate.coast.ground import Ground, build_ground
from roadstead_lab.simulate.scenario.model import FleetRow, PortScenario, Receiver
from roadstead_lab.simulate.traffic.fleet import Vessel, fleet_of
from roadstead_lab.simulate.traffic.sailing import Sailing
from roadstead_lab.simulate.traffic.sea import PortWorld
from roadstead_lab.simulate.traffic.tracks import Motion, Stay, Track, leg, moved

CRS = "EPSG:32651"
LEFT, BOTTOM, SIDE_M = 697_400.0, 4_283_000.0, 20_480.0
MIDDLE = (LEFT + SIDE_M / 2, BOTTOM + SIDE_M / 2)
START = date(2020, 11, 1)
BEGIN = datetime(2020, 11, 1, tzinfo=UTC).timestamp()
HOUR = 3600.0
STATION = tuple(float(v) for v in xy_to_lonlat(np.array([MIDDLE]), CRS)[0])


def open_sea() -> Ground:
    return build_ground(CRS, (LEFT, BOTTOM, LEFT + SIDE_M, BOTTOM + SIDE_M), Polygon(), [])


def receiver(**changes: Any) -> Receiver:
    told: dict[str, Any] = {"stations": (STATION,), "station_mid": 445, "heard": 1.0}
    return Receiver(**{"source": "SIM-TEST", **told, **changes})


def satellite(**changes: Any) -> Receiver:
    return Receiver(**{"source": "SIM-SAT", "kind": "satellite", "heard": 1.0, **changes})


def scenario(*receivers: Receiver, **row: Any) -> PortScenario:
    told: dict[str, Any] = {"kind": "bulk_carrier", "length_m": (90.0, 160.0), "ships": {"at_anchor": 1}}
    fleet = (FleetRow(**{**told, "flags": (445, 412), **row}),)
    return PortScenario(port="open-sea", name="TEST", fleet=fleet, receivers=receivers, entries="S")


def at_anchor(xy: tuple[float, float] = MIDDLE, days: float = 1.0, **swing: float) -> Track:
    end = BEGIN + 24 * HOUR * days + HOUR
    return Track((Stay("open-sea/roads", "anchored", xy, 30.0, BEGIN - HOUR, end, **swing),))


def passing(speed_kn: float, *way: tuple[float, float], start: float = BEGIN) -> Track:
    """Straight through the middle from west to east where no way is told."""
    x, y = MIDDLE
    return Track((leg(way or ((x - 9_000.0, y), (x + 9_000.0, y)), start, speed_kn),))


def calling(arrival: float = BEGIN, speed_kn: float = 9.0) -> Track:
    """In from the south, 20 hours at anchor, 30 hours at berth, out again."""
    x, y = MIDDLE
    gate, roads, quay = (x, y - 9_000.0), (x, y), (x + 3_000.0, y + 3_000.0)
    comes = leg((gate, roads), arrival, speed_kn)
    waits = Stay("open-sea/roads", "anchored", roads, 30.0, comes.end, comes.end + 20 * HOUR)
    shifts = leg((roads, quay), waits.end, speed_kn)
    works = Stay("open-sea/quay", "moored", quay, 90.0, shifts.end, shifts.end + 30 * HOUR)
    return Track((comes, waits, shifts, works, leg((quay, gate), works.end, speed_kn)))


def vessels(seed: int, port: PortScenario) -> list[Vessel]:
    return [vessel for _, _, vessel, _ in fleet_of(seed, port)]


def world_of(
    port: PortScenario, tracks: Sequence[Track], *, days: int = 1, seed: int = 5, fleet: Sequence[Vessel] = ()
) -> PortWorld:
    """Give each ship of the fleet one track."""
    ships = fleet or vessels(seed, port)
    sailings = tuple(Sailing(vessel, track) for vessel, track in zip(ships, tracks, strict=True))
    return PortWorld(port, seed, START, days, open_sea(), sailings)


def positions(heard: Received, vessel_id: str | None = None) -> Any:
    """Position reports, those of one ship or all."""
    table = heard.messages[heard.messages["message"].isin((1, 18, 27))]
    return table if vessel_id is None else table[table["sender"] == heard.senders.index(vessel_id)]


def places_xy(table: Any) -> np.ndarray:
    return lonlat_to_xy(table[["lon", "lat"]].to_numpy(float), CRS)


def antenna_xy(vessel: Vessel, motion: Motion) -> tuple[float, float]:
    """Where a ship's antenna is, map metres: written anew, to hold the simulator's against."""
    forward, starboard = vessel.antenna_m
    return moved(moved(motion.xy, motion.heading_deg, forward), motion.heading_deg + 90.0, starboard)
