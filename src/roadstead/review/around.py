"""What lies around a finding: vessels to link it to, and the looks before and after at the same place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from roadstead.geo import distance_m
from roadstead.review.desk import Desk
from roadstead.review.pictures import near

REACH = timedelta(hours=3)
"""Of position reports around an overpass that are shown."""
NEAR_M = 6_000.0
"""Vessels heard so near are shown and offered for linking."""
SAME_PLACE_M = 100.0
MOST_CHOICES = 30
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Heard:
    """Position reports around an overpass near a finding."""

    reports: Sequence[Row]
    """Of all vessels nearby, and all that are kept of those that the finding names; oldest first."""
    cut: bool
    """Whether some of vessels nearby were left out: there are too many."""
    names: Mapping[str, str]
    """MMSI -> name as declared last, where one was."""


@dataclass(frozen=True)
class Choice:
    """A declared vessel that a hull can be linked to."""

    mmsi: str
    name: str
    metres: float | None
    """From the finding to its report nearest in time; None where none is kept."""
    candidate: bool


@dataclass(frozen=True)
class OtherLook:
    """The same place in another overpass."""

    overpass_id: str
    acquired: Any
    simulated: bool
    hulls: Sequence[Row]
    """Findings with a hull within `SAME_PLACE_M`, nearest first."""


def named(row: Row) -> list[str]:
    """Return the MMSIs that a finding names: its partner and candidates."""
    told = [row["mmsi"], *row["candidates"].split(",")]
    return list(dict.fromkeys(m for m in told if m and len(m) == 9 and m.isdigit()))


def heard_around(desk: Desk, row: Row) -> Heard:
    """Return what was heard around a finding's overpass."""
    port, overpass_id = row["port"], row["overpass_id"]
    if row["acquired"] is None:
        return Heard((), False, {})
    own = desk.nearby.of_vessels(port, overpass_id, named(row)) if named(row) else []
    others, cut = desk.nearby.reports(port, overpass_id, row["acquired"], REACH, near(row, NEAR_M))
    reports = sorted(
        [*own, *(r for r in others if r["mmsi"] not in named(row))], key=lambda r: (r["time"], r["mmsi"])
    )
    mmsis = sorted({*named(row), *(r["mmsi"] for r in reports)})
    static = desk.nearby.static(port, overpass_id, mmsis) if mmsis else []
    return Heard(reports, cut, {r["mmsi"]: r["name"] for r in static if r["name"]})


def choices(row: Row, heard: Heard) -> list[Choice]:
    """Return the vessels to choose a partner from: those named first, then the nearest."""
    place = np.array([[row["geometry"].x, row["geometry"].y]])
    nearest: dict[str, Row] = {}
    for report in heard.reports:
        kept = nearest.get(report["mmsi"])
        away = abs(report["time"] - row["acquired"])
        if kept is None or away < abs(kept["time"] - row["acquired"]):
            nearest[report["mmsi"]] = report
    away_m: dict[str, float] = {}
    if nearest:
        there = np.array([[r["lon"], r["lat"]] for r in nearest.values()])
        metres = distance_m(np.repeat(place, len(there), axis=0), there)
        away_m = dict(zip(nearest, map(float, metres), strict=True))
    own = named(row)
    others = sorted((m for m in nearest if m not in own), key=lambda m: away_m[m])
    listed = [*own, *others][:MOST_CHOICES]
    return [Choice(m, heard.names.get(m, ""), away_m.get(m), m in own) for m in listed]


def looks_around(desk: Desk, row: Row) -> dict[str, OtherLook | None]:
    """Return the clear look before and the one after at a finding's place, of the same sensor."""
    scenes = desk.leads.scenes(row["port"], row["overpass_id"])
    if row["acquired"] is None or not scenes:
        return {"before": None, "after": None}
    place = (row["geometry"].x, row["geometry"].y)
    found = desk.nearby.clear_looks(
        row["port"], row["overpass_id"], place, row["acquired"], scenes[0]["sensor"]
    )
    return {name: _look(desk, row, scene) for name, scene in zip(("before", "after"), found, strict=True)}


def _look(desk: Desk, row: Row, scene: Row | None) -> OtherLook | None:
    if scene is None:
        return None
    around = desk.leads.around(row["port"], scene["overpass_id"], near(row, SAME_PLACE_M * 1.1))
    place = np.array([[row["geometry"].x, row["geometry"].y]])
    hulls = [r for r in around if r["hull_detection_id"] is not None]
    if hulls:
        there = np.array([[r["hull_lon"], r["hull_lat"]] for r in hulls])
        metres = distance_m(np.repeat(place, len(there), axis=0), there)
        order = sorted(zip(metres, range(len(hulls)), strict=True))
        hulls = [{**hulls[i], "metres": float(m)} for m, i in order if m <= SAME_PLACE_M]
    return OtherLook(scene["overpass_id"], scene["acquired"], bool(scene["simulated"]), hulls)
