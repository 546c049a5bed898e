"""AIS tracks as a small map, drawn on the server: lines, times, the hull's box and where vessels may have been."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from roadstead.apps.desk.context import REACH, SHARES, Heard, Spread, named, outline, spreads
from roadstead.core.geo import Array, lonlat_to_xy, utm_crs

WIDTH, HEIGHT = 720.0, 440.0
CLOSE = timedelta(minutes=45)
"""Of a vessel named so much is shown in any case."""
LEAST_M, MOST_M = 600.0, 8_000.0
"""Half the height of what is shown."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
"""Of the vessels named (Okabe and Ito); those nearby are grey."""
DASHES = ("", "7 3", "2 3", "10 3 2 3")
MOST_DOTS = 150
MOST_NAMES = 10
APART = 46.0
"""Units between labels of one track."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Label:
    """Words at a place, in units of the map."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Track:
    """Reports of one vessel."""

    mmsi: str
    name: str
    own: bool
    """Whether the finding names it."""
    colour: str
    dash: str
    line: str
    """Points of an SVG polyline, by time."""
    dots: Sequence[tuple[float, float]]
    labels: Sequence[Label]
    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Area:
    """Where a vessel was at the overpass with a probability."""

    mmsi: str
    share: float
    points: str
    colour: str
    dash: str


@dataclass(frozen=True)
class Place:
    """In words, of a vessel that the finding names."""

    mmsi: str
    name: str
    spread: Spread | None
    """None where no report is kept."""
    metres: float | None
    """From the finding to the middle of its density."""


@dataclass(frozen=True)
class Chart:
    """A map of tracks in units of its own, north up."""

    width: float
    height: float
    tracks: Sequence[Track]
    areas: Sequence[Area]
    places: Sequence[Place]
    box: str
    """Corners of the hull's box as SVG points; empty where there is none."""
    middle: tuple[float, float]
    bar: tuple[float, str]
    """Length of the scale's bar in units, and its words."""
    cut: bool

    @property
    def others(self) -> int:
        """Vessels nearby that the finding does not name."""
        return sum(not track.own for track in self.tracks)


@dataclass(frozen=True)
class View:
    """Metres of a UTM zone to units of a map."""

    crs: str
    middle: Array
    scale: float
    """Units a metre."""
    width: float = WIDTH
    height: float = HEIGHT

    def of_xy(self, xy: Array) -> Array:
        """Map (n, 2) metres to (n, 2) units, rightwards and downwards."""
        return np.asarray((xy - self.middle) * [self.scale, -self.scale] + [self.width / 2, self.height / 2])

    def of_lonlat(self, lonlat: Array) -> Array:
        """Map (n, 2) degrees to units."""
        return self.of_xy(lonlat_to_xy(lonlat, self.crs))

    def holds(self, units: Array) -> Array:
        """Return which units lie on the map."""
        return np.asarray(((units >= 0) & (units <= [self.width, self.height])).all(axis=1))


def chart(row: Row, heard: Heard) -> Chart | None:
    """Return the map of what was heard around a finding; None where no report is kept."""
    if not heard.reports:
        return None
    lonlat = (row["geometry"].x, row["geometry"].y)
    crs, own = utm_crs(*lonlat), named(row)
    middle = lonlat_to_xy(np.array([lonlat]), crs)[0]
    kept = [report for report in heard.reports if report["mmsi"] in own]
    static = [one for one in heard.static if one["mmsi"] in own]
    places = spreads(kept, static, row["acquired"], row["acquired_sigma_s"] or 0.0, crs, lonlat)
    shown = [r for r in heard.reports if abs(r["time"] - row["acquired"]) <= REACH]
    half = _half_height(middle, places, shown, own, row["acquired"], crs)
    view = View(crs, middle, HEIGHT / 2 / half)
    looks = {mmsi: (COLOURS[i % 4], DASHES[i % 4]) for i, mmsi in enumerate(own)}
    tracks = _tracks(view, shown, heard.names, looks, row["acquired"])
    box = row["hull_geometry"]
    return Chart(
        WIDTH,
        HEIGHT,
        tracks,
        [
            Area(one.mmsi, share, points(view.of_xy(outline(one.ellipses[share]))), *looks[one.mmsi])
            for one in places
            for share in SHARES
        ],
        [_place(mmsi, heard.names, places, middle) for mmsi in own],
        points(view.of_lonlat(np.array(box.exterior.coords[:-1]))) if box is not None else "",
        (WIDTH / 2, HEIGHT / 2),
        scale_bar(view.scale),
        heard.cut,
    )


def _place(mmsi: str, names: Mapping[str, str], places: Iterable[Spread], middle: Array) -> Place:
    spread = next((one for one in places if one.mmsi == mmsi), None)
    away = None if spread is None else math.dist(spread.ellipses[SHARES[0]].xy, middle)
    return Place(mmsi, names.get(mmsi, ""), spread, away)


def _half_height(
    middle: Array,
    places: Sequence[Spread],
    shown: Sequence[Row],
    own: Sequence[str],
    moment: datetime,
    crs: str,
) -> float:
    """Return what shows the densities and the vessels named, else those nearby."""
    told = [LEAST_M]
    for one in places:
        area = one.ellipses[SHARES[-1]]
        told.append(math.dist(area.xy, middle) + max(area.along_m, area.cross_m))
    reports = [r for r in shown if r["mmsi"] in own and abs(r["time"] - moment) <= CLOSE]
    reports = reports or [r for r in shown if r["mmsi"] in own] or list(shown)
    if reports:
        xy = lonlat_to_xy(np.array([[r["lon"], r["lat"]] for r in reports]), crs)
        away = np.abs(xy - middle) / [WIDTH / HEIGHT, 1.0]
        told.append(float(np.quantile(away.max(axis=1), 0.8)))
    return min(max(told) * 1.15, MOST_M)


def _tracks(
    view: View,
    reports: Sequence[Row],
    names: Mapping[str, str],
    looks: Mapping[str, tuple[str, str]],
    moment: datetime,
) -> list[Track]:
    """Return a track a vessel that lies on the map, those named last, so that they are drawn on top."""
    by_vessel: dict[str, list[int]] = defaultdict(list)
    for number, report in enumerate(reports):
        by_vessel[report["mmsi"]].append(number)
    every = view.of_lonlat(np.array([[r["lon"], r["lat"]] for r in reports], float).reshape(-1, 2))
    tracks, labelled = [], 0
    for mmsi in sorted(by_vessel, key=lambda m: (m in looks, m)):
        rows, units = [reports[number] for number in by_vessel[mmsi]], every[by_vessel[mmsi]]
        if not view.holds(units).any():
            continue
        own = mmsi in looks
        labels: Sequence[Label] = ()
        if own:
            labels = time_labels(view, units, rows, moment)
        elif labelled < MOST_NAMES:
            labels = _name_label(view, units, rows, moment, names.get(mmsi) or mmsi)
            labelled += 1
        tracks.append(
            track(mmsi, names.get(mmsi, ""), own, looks.get(mmsi, ("#5b6670", "")), units, rows, labels)
        )
    return tracks


def track(
    mmsi: str,
    name: str,
    own: bool,
    look: tuple[str, str],
    units: Array,
    rows: Sequence[Row],
    labels: Sequence[Label],
) -> Track:
    """Return a track of reports by time; of many dots every so many is drawn."""
    step = -(-len(units) // MOST_DOTS)
    dots = [(round(float(x), 1), round(float(y), 1)) for x, y in units[::step]]
    line = points(units[::step])
    return Track(mmsi, name, own, *look, line, dots, labels, len(rows), rows[0]["time"], rows[-1]["time"])


def time_labels(view: View, units: Array, rows: Sequence[Row], moment: datetime | None) -> list[Label]:
    """Return times at reports: those nearest the overpass first, then as many as have room."""
    order = range(len(rows))
    if moment is not None:
        order = sorted(order, key=lambda i: abs(rows[i]["time"] - moment))  # type: ignore[assignment]
    labels: list[Label] = []
    for i in order:
        x, y = map(float, units[i])
        room = all(math.dist((x, y), (one.x, one.y)) >= APART for one in labels)
        if view.holds(units[i : i + 1])[0] and room:
            told = f"{rows[i]['time']:%H:%M}" if moment is not None else f"{rows[i]['time']:%m-%d %H:%M}"
            labels.append(Label(round(x, 1), round(y, 1), told))
    return labels


def _name_label(view: View, units: Array, rows: Sequence[Row], moment: datetime, text: str) -> list[Label]:
    nearest = min(range(len(rows)), key=lambda i: abs(rows[i]["time"] - moment))
    if not view.holds(units[nearest : nearest + 1])[0]:
        return []
    x, y = map(float, units[nearest])
    return [Label(round(x, 1), round(y, 1), text[:20])]


def points(units: Array) -> str:
    """Return places as the points of an SVG shape."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in units)


def scale_bar(scale: float) -> tuple[float, str]:
    """Return a bar of a round length that takes about a fifth of the width: its units and its words."""
    wanted = WIDTH / 5 / scale
    size = 10 ** math.floor(math.log10(wanted))
    metres = max(size * step for step in (1, 2, 5) if size * step <= wanted)
    words = f"{metres:.0f} m" if metres < 1000 else f"{metres / 1000:.0f} km"
    return round(metres * scale, 1), words
