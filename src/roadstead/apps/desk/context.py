"""What lies around a finding: vessels to link it to, where they were, and observations before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from roadstead.apps.desk.desk import Desk
from roadstead.apps.desk.picture_frames import near
from roadstead.core.geo import Array, distance_m
from roadstead.core.schemas import POSITIONS, VESSELS
from roadstead.reconcile.density import Ellipse, ellipse
from roadstead.reconcile.position import GEOREFERENCE_SD_M, predict, with_hull
from roadstead.store.rows import frame

REACH = timedelta(hours=3)
"""Of position reports around an overpass that are shown."""
NEAR_M = 6_000.0
"""Vessels heard so near are shown and offered for linking."""
SAME_PLACE_M = 100.0
MOST_CHOICES = 30
MOST_CANDIDATES = 4
"""Candidates whose declarations are shown beside the hull."""
Row = Mapping[str, Any]
SHARES = (0.5, 0.9)
LEAST_IN_SNAPSHOT = 3
"""A source that gives so many vessels all at one moment placed them there itself."""


@dataclass(frozen=True)
class Heard:
    """Position reports around an overpass near a finding."""

    reports: Sequence[Row]
    """Of all vessels nearby, and all that are kept of those that the finding names; oldest first."""
    cut: bool
    """Whether some of vessels nearby were left out: there are too many."""
    static: Sequence[Row]
    """What these vessels declared of themselves, as kept with the overpass, oldest first."""

    @cached_property
    def names(self) -> Mapping[str, str]:
        """MMSI -> name as declared last, where one was."""
        return {row["mmsi"]: row["name"] for row in self.static if row["name"]}


@dataclass(frozen=True)
class Choice:
    """A declared vessel that a hull can be linked to."""

    mmsi: str
    name: str
    metres: float | None
    """From the finding to its report nearest in time; None where none is kept."""
    candidate: bool


@dataclass(frozen=True)
class Declared:
    """A vessel that a finding was matched to or may be."""

    mmsi: str
    static: Row | None
    """What it declared of itself last before the overpass, else first after it."""
    report: Row | None
    """Its report nearest in time."""
    minutes: int | None
    """From the overpass to that report."""


@dataclass(frozen=True)
class OtherLook:
    """The same place in another overpass."""

    overpass_id: str
    acquired: Any
    simulated: bool
    hulls: Sequence[Row]
    """Findings with a hull within `SAME_PLACE_M`, nearest first."""


@dataclass(frozen=True)
class SamePlace:
    """What was seen at a finding's place."""

    scenes: Sequence[Row]
    """Of its overpass."""
    beside: Sequence[Row]
    """Other findings of its overpass close by."""
    looks: Mapping[str, OtherLook | None]
    """The clear look ``before`` and the one ``after``, of the same sensor."""


def named(row: Row) -> list[str]:
    """Return the MMSIs that a finding names: its partner and candidates."""
    told = [row["mmsi"], *row["candidates"].split(",")]
    return list(dict.fromkeys(m for m in told if m and len(m) == 9 and m.isdigit()))


def heard_around(desk: Desk, row: Row) -> Heard:
    """Return what was heard around a finding's overpass."""
    port, overpass_id = row["port"], row["overpass_id"]
    if row["acquired"] is None:
        return Heard((), False, ())
    given = named(row)
    own = desk.nearby.of_vessels(port, overpass_id, given) if given else []
    others, cut = desk.nearby.reports(port, overpass_id, row["acquired"], REACH, near(row, NEAR_M))
    reports = sorted(
        [*own, *(r for r in others if r["mmsi"] not in given)], key=lambda r: (r["time"], r["mmsi"])
    )
    mmsis = sorted({*given, *(r["mmsi"] for r in reports)})
    return Heard(reports, cut, desk.nearby.static(port, overpass_id, mmsis) if mmsis else ())


def declared_by(row: Row, heard: Heard) -> list[Declared]:
    """Return the vessel a finding was matched to, else those it may be, with what they declared around the overpass."""
    return [
        _declared(row, heard, mmsi)
        for mmsi in ([row["mmsi"]] if row["mmsi"] else named(row))[:MOST_CANDIDATES]
    ]


def _declared(row: Row, heard: Heard, mmsi: str) -> Declared:
    told = [r for r in heard.static if r["mmsi"] == mmsi]
    kept = [r for r in told if r["time"] <= row["acquired"]][-1:] or told[:1]
    reports = [r for r in heard.reports if r["mmsi"] == mmsi]
    nearest = min(reports, key=lambda r: abs(r["time"] - row["acquired"]), default=None)
    away = None if nearest is None else round((nearest["time"] - row["acquired"]).total_seconds() / 60)
    return Declared(mmsi, kept[0] if kept else None, nearest, away)


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


def same_place(desk: Desk, row: Row) -> SamePlace:
    """Return what was seen at a finding's place, in its overpass and in the clear looks around it."""
    port, own = row["port"], row["overpass_id"]
    scenes = desk.leads.scenes(port, own)
    looks: tuple[Row | None, Row | None] = (None, None)
    if row["acquired"] is not None and scenes:
        place = (row["geometry"].x, row["geometry"].y)
        looks = desk.nearby.clear_looks(port, own, place, row["acquired"], scenes[0]["sensor"])
    found = desk.leads.around(port, [own, *(look["overpass_id"] for look in looks if look)], near(row))
    beside = [one for one in found if one["overpass_id"] == own and one["finding"] != row["finding"]]
    return SamePlace(
        scenes,
        beside,
        {name: _look(row, look, found) for name, look in zip(("before", "after"), looks, strict=True)},
    )


def _look(row: Row, scene: Row | None, found: Sequence[Row]) -> OtherLook | None:
    if scene is None:
        return None
    place = np.array([[row["geometry"].x, row["geometry"].y]])
    own = [r for r in found if r["overpass_id"] == scene["overpass_id"]]
    hulls = [r for r in own if r["hull_detection_id"] is not None]
    if hulls:
        there = np.array([[r["hull_lon"], r["hull_lat"]] for r in hulls])
        metres = distance_m(np.repeat(place, len(there), axis=0), there)
        order = sorted(zip(metres, range(len(hulls)), strict=True))
        hulls = [{**hulls[i], "metres": float(m)} for m, i in order if m <= SAME_PLACE_M]
    return OtherLook(scene["overpass_id"], scene["acquired"], bool(scene["simulated"]), hulls)


@dataclass(frozen=True)
class Spread:
    """One vessel's place at the overpass."""

    mmsi: str
    ellipses: Mapping[float, Ellipse]
    """Share of the density -> the ellipse that holds it."""
    minutes: float
    """Nearest report minus the overpass."""
    doubtful: bool
    """The reports contradict each other, or several transmitters use the MMSI."""


def spreads(
    reports: Sequence[Row],
    static: Sequence[Row],
    moment: datetime,
    sigma_s: float,
    crs: str,
    centre_lonlat: tuple[float, float],
) -> list[Spread]:
    """Return where each vessel of some reports was at a moment, in metres of ``crs``.

    Args:
        reports: all that is kept of these vessels, as rows of `schemas.POSITIONS`.
        static: what they declared of themselves (`schemas.VESSELS`).
        moment: of the overpass, UTC.
        sigma_s: its standard error.
        crs: metric CRS.
        centre_lonlat: a place in it.
    """
    if not reports:
        return []
    positions = with_hull(frame(reports, POSITIONS))
    at, _ = predict(
        positions,
        frame(static, VESSELS),
        moment,
        sigma_s=sigma_s,
        snapshot_times=_snapshots(positions),
        crs=crs,
        centre_lonlat=centre_lonlat,
    )
    return [
        Spread(
            str(at.mmsi[i]),
            {share: ellipse(at, i, share, GEOREFERENCE_SD_M) for share in SHARES},
            float(at.dt_s[i]) / 60,
            bool(at.jumped[i] or at.unsound[i]),
        )
        for i in range(len(at))
    ]


def _snapshots(positions: pd.DataFrame) -> frozenset[datetime]:
    by_source = positions.groupby("source").agg(
        times=("time", "nunique"), hulls=("hull", "nunique"), at=("time", "min")
    )
    placed = by_source[(by_source["times"] == 1) & (by_source["hulls"] >= LEAST_IN_SNAPSHOT)]
    return frozenset(pd.Timestamp(time).to_pydatetime() for time in placed["at"])


def outline(one: Ellipse, points: int = 72) -> Array:
    """Return the (n, 2) metres of an ellipse's edge."""
    turn = np.linspace(0.0, 2 * np.pi, points, endpoint=False)
    course = np.radians(one.course_deg)
    along = np.array([np.sin(course), np.cos(course)])
    across = np.array([along[1], -along[0]])
    return np.asarray(
        np.array(one.xy)
        + one.along_m * np.cos(turn)[:, None] * along
        + one.cross_m * np.sin(turn)[:, None] * across
    )
