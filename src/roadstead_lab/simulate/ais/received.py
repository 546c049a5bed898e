"""What a port's AIS sources hear: position reports, static data and base stations, as one table a source.

Units report by ITU-R M.1371-5 (`reporting`), sources hear a part of it (`reception`). Positions are the antenna's
with a standard error of `POSITION_SIGMA_M`, rounded as the messages have them. A report is the same whichever
source hears it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from roadstead.core.geo import Array, convergence_deg, xy_to_lonlat
from roadstead_lab.simulate.ais.keyed import normals
from roadstead_lab.simulate.ais.reception import Ear, ear_of
from roadstead_lab.simulate.ais.senders import Sender, senders, stations
from roadstead_lab.simulate.chance import generator
from roadstead_lab.simulate.scenario.model import Receiver
from roadstead_lab.simulate.traffic.identities import Identity
from roadstead_lab.simulate.traffic.sea import PortWorld

__all__ = ["POSITION_SIGMA_M", "VELOCITY_SIGMA_KN", "Received", "received"]

POSITION_SIGMA_M = 6.0
"""Standard error of a reported position along each axis, metres."""
VELOCITY_SIGMA_KN = 0.05
"""Standard error of the reported velocity along each axis, knots: it makes the course of a still ship turn."""
POSITION_MESSAGES = (1, 18, 27)
STATIC_MESSAGES = (5, 24)
STATION_MESSAGE = 4
_FINE = (600_000.0, 10.0)
"""Steps to a degree of longitude and latitude, and to a knot or degree of course (M.1371-5, tables 48 and 67)."""
_COARSE = (600.0, 1.0)
"""The same for message 27 (table 83)."""
_TOP_KN, _COARSE_TOP_KN = 102.2, 62.0
"""The highest speed that a message can tell, and that message 27 can."""

Column = NDArray[np.int64] | Array
_Table = dict[str, Column]


@dataclass(frozen=True)
class Received:
    """What one source heard."""

    receiver: Receiver
    messages: pd.DataFrame
    """One row a message, in order of time. ``time`` (whole seconds since 1970 UTC), ``message`` (number by M.1371-5:
    1, 4, 5, 18, 24 or 27), ``sender`` and ``identity`` (places in `senders` and `identities`), ``lon``, ``lat``,
    ``sog_kn``, ``cog_deg`` and ``heading_deg`` (true; NaN where not sent), ``status`` (place in `tracks.STATUSES`)."""
    senders: tuple[str, ...]
    """Ids of vessels, gear buoys and stations."""
    identities: tuple[Identity, ...]
    """What they declared."""

    def __len__(self) -> int:
        """Number of messages."""
        return len(self.messages)

    def reports_near(self, time_s: float, within_s: float) -> dict[str, int]:
        """Return how many position reports of each vessel were heard so near a time (seconds since 1970)."""
        times = self.messages["time"].to_numpy()
        first = np.searchsorted(times, time_s - within_s, side="left")
        last = np.searchsorted(times, time_s + within_s, side="right")
        near = self.messages.iloc[first:last]
        numbers = near.loc[near["message"].isin(POSITION_MESSAGES), "sender"].to_numpy()
        found, counts = np.unique(numbers, return_counts=True)
        near_ids: dict[str, int] = {}
        for number, count in zip(found.tolist(), counts.tolist(), strict=True):
            near_ids[self.senders[number]] = near_ids.get(self.senders[number], 0) + count
        return near_ids


def received(world: PortWorld) -> dict[str, Received]:
    """Return what each source of a port hears in the simulated time, by the source's name."""
    units = senders(world)
    return {receiver.source: _heard(world, receiver, units) for receiver in world.scenario.receivers}


def _heard(world: PortWorld, receiver: Receiver, units: list[Sender]) -> Received:
    ear = ear_of(world, receiver)
    bases = stations(world, receiver) if receiver.kind == "terrestrial" else []
    every = [*units, *bases]
    identities = [identity for unit in every for _, identity in unit.identities]
    parts: list[_Table] = []
    first = 0
    for number, unit in enumerate(every):
        heard = _station_rows(world, ear, unit) if number >= len(units) else _unit_rows(world, ear, unit)
        for part in heard:
            size = len(part["time"])
            which = first + unit.identity_index(part["time"].astype(np.int64))
            parts.append(part | {"sender": np.full(size, number), "identity": which})
        first += len(unit.identities)
    table = _in_order(world, parts)
    return Received(receiver, table, tuple(unit.sender_id for unit in every), tuple(identities))


def _unit_rows(world: PortWorld, ear: Ear, unit: Sender) -> Iterator[_Table]:
    begun = round(float(unit.sent.start[0]))
    rng = generator(world.seed, world.scenario.port, ear.receiver.source, unit.sender_id, begun)
    heard = ear.positions(unit.sent, unit.ais_class, unit.off, rng)
    number = 1 if unit.ais_class == "A" else 18
    yield _position_rows(world, unit, heard.time, np.where(heard.long_range, 27, number))
    times = ear.statics(unit.sent, unit.ais_class, unit.off, rng)
    yield _rows(times, 5 if unit.ais_class == "A" else 24)


def _station_rows(world: PortWorld, ear: Ear, unit: Sender) -> Iterator[_Table]:
    rng = generator(world.seed, world.scenario.port, ear.receiver.source, unit.sender_id)
    times = ear.positions(unit.sent, "A", (), rng).time
    xy = unit.claims(times.astype(float)).xy
    yield _rows(times, STATION_MESSAGE) | {"x": xy[:, 0], "y": xy[:, 1]}


def _rows(times: NDArray[np.int64], message: int) -> _Table:
    size = len(times)
    unset = {name: np.full(size, np.nan) for name in ("x", "y", "sog_kn", "cog_deg", "heading_deg")}
    return {"time": times, "message": np.full(size, message), **unset, "status": np.zeros(size, np.int64)}


def _position_rows(
    world: PortWorld, unit: Sender, times: NDArray[np.int64], message: NDArray[np.int64]
) -> _Table:
    """Return position reports with their errors, places still in map metres."""
    claimed, key = unit.claims(times.astype(float)), unit.sent.key
    xy = claimed.xy + POSITION_SIGMA_M * _pair(key, times, 0)
    turn = _convergence(world, xy)
    angle = np.radians(claimed.course_deg + turn)
    true_kn = np.column_stack([np.sin(angle), np.cos(angle)]) * claimed.speed_kn[:, None]
    velocity = true_kn + VELOCITY_SIGMA_KN * _pair(key, times, 4)
    heading = np.rint(claimed.heading_deg + turn) % 360.0
    silent = (message == 27) | (not unit.compass)
    return {
        "time": times,
        "message": message,
        "x": xy[:, 0],
        "y": xy[:, 1],
        "sog_kn": np.hypot(velocity[:, 0], velocity[:, 1]),
        "cog_deg": np.degrees(np.arctan2(velocity[:, 0], velocity[:, 1])) % 360.0,
        "heading_deg": np.where(silent, np.nan, heading),
        "status": claimed.status,
    }


def _pair(key: int, times: NDArray[np.int64], stream: int) -> Array:
    return np.column_stack([normals(key, times, stream), normals(key, times, stream + 2)])


def _convergence(world: PortWorld, xy: Array) -> float:
    """Grid convergence where a unit is; over one port's area it changes by less than a heading's step."""
    if len(xy) == 0:
        return 0.0
    crs = world.ground.grid.crs
    lon, lat = (float(v) for v in xy_to_lonlat(xy[:1], crs)[0])
    return convergence_deg(lon, lat, crs)


def _in_order(world: PortWorld, parts: list[_Table]) -> pd.DataFrame:
    """Join parts, bring places to longitude and latitude, round as the messages do, and sort by time."""
    names = (
        "time", "message", "sender", "identity", "x", "y", "sog_kn", "cog_deg", "heading_deg", "status",
    )  # fmt: skip
    empty: _Table = {name: np.empty(0, np.int64) for name in names}
    table = {name: np.concatenate([part[name] for part in [empty, *parts]]) for name in names}
    order = np.lexsort([table["message"], table["sender"], table["time"]])
    table = {name: column[order] for name, column in table.items()}
    return pd.DataFrame(_rounded(world, table))


def _rounded(world: PortWorld, table: _Table) -> _Table:
    message = table["message"]
    coarse = message == 27
    place, step = (np.where(coarse, *pair) for pair in zip(_COARSE, _FINE, strict=True))
    lonlat = xy_to_lonlat(np.column_stack([table.pop("x"), table.pop("y")]), world.ground.grid.crs)
    lonlat[~np.isfinite(lonlat)] = np.nan
    top = np.where(coarse, _COARSE_TOP_KN, _TOP_KN)
    rounded = {
        "lon": np.rint(lonlat[:, 0] * place) / place,
        "lat": np.rint(lonlat[:, 1] * place) / place,
        "sog_kn": np.minimum(np.rint(table["sog_kn"] * step) / step, top),
        "cog_deg": np.rint(table["cog_deg"] * step) / step % 360.0,
    }
    return table | rounded
