"""The page of a declared vessel, and finding one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
import pandas as pd
from fastapi import APIRouter, HTTPException, Query, Request
from starlette.responses import RedirectResponse, Response

from roadstead.ais import AisData
from roadstead.ais.events import events
from roadstead.ais.identity.watchlists import Identifiers, ListMatch, matches
from roadstead.apps.desk.access import TheSite, Viewer
from roadstead.apps.desk.desk import Desk
from roadstead.apps.desk.track_map import COLOURS, HEIGHT, WIDTH, Chart, View, scale_bar, time_labels, track
from roadstead.core.geo import lonlat_to_xy, utm_crs
from roadstead.core.schemas import POSITIONS, VESSELS
from roadstead.store.rows import frame

router = APIRouter()
MOST_WINDOWS = 8
"""Overpasses around which events are looked for, the newest."""
MARGIN_DEG = 0.25
"""Others heard so near tell of reception and encounters: some 25 km."""
BREAK = timedelta(hours=3)
"""A track is drawn as one line while its reports follow each other faster."""
EVENT_WORDS = {
    "port_visit": "call",
    "gap": "gap in its reports",
    "loitering": "slow outside the zones",
    "encounter": "near another vessel",
    "identity_change": "identity changed",
}
LIST_WORDS = {
    "hit": "listed under identifiers that agree",
    "one_identifier": "one identifier alone agrees",
    "other_hull": "another hull: the IMO numbers differ",
    "similar_name": "a similar name alone, no hit",
}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """What the reports kept tell of a vessel over time."""

    events: Sequence[Row]
    """Rows of `schemas.EVENTS` with their evidence read, newest first."""
    windows: Sequence[Row]
    """Overpasses around which they were looked for."""
    unknown: Sequence[str]
    """Ports whose zones are not known: nothing was looked for there."""


@router.get("/vessels")
def find(
    request: Request, site: TheSite, visitor: Viewer, q: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """Find vessels by MMSI, IMO number or name; where one alone is meant, show it."""
    vessels = site.desk.vessels
    found = vessels.find(q) if q.strip() else []
    if len(found) == 1:
        return RedirectResponse(f"/vessel/{found[0]}", 303)
    said = vessels.last_said(found)
    return site.page(
        request,
        "vessels.html.j2",
        visitor,
        simulated=any(row["simulated"] for row in said.values()),
        q=q,
        found=[(mmsi, said.get(mmsi)) for mmsi in found],
    )


@router.get("/vessel/{mmsi}")
def vessel(
    request: Request,
    site: TheSite,
    visitor: Viewer,
    mmsi: str,
    asked: Annotated[str, Query(alias="events")] = "",
) -> Response:
    """Show what the store holds of a declared vessel; its events, which take a while, where they are asked for."""
    if not re.fullmatch(r"[0-9]{9}", mmsi):
        raise HTTPException(404)
    desk, found = site.desk, site.desk.leads
    history, sightings, positions = found.history(mmsi), found.sightings(mmsi), found.positions(mmsi)
    if not (history or sightings or positions):
        raise HTTPException(404)
    heard = [row["time"] for row in (*positions, *history)] + [
        r["acquired"] for r in sightings if r["acquired"]
    ]
    at = max(heard).date() if heard else desk.clock().date()
    return site.page(
        request,
        "vessel.html.j2",
        visitor,
        simulated=any(row["simulated"] for row in (*history, *sightings, *positions)),
        mmsi=mmsi,
        history=history,
        sightings=sightings,
        positions=positions,
        track=vessel_chart(positions),
        events=desk.kept(("events", mmsi), lambda: told_of(desk, mmsi, history)) if asked else None,
        event_words=EVENT_WORDS,
        list_words=LIST_WORDS,
        lists=desk.lists,
        listed=listed(desk, mmsi, history, at),
        at=at,
    )


def listed(desk: Desk, mmsi: str, history: Sequence[Row], at: date) -> list[ListMatch]:
    """Return the list entries that a vessel may be by what it declared last of itself, as of a day."""

    def last(name: str) -> str | None:
        return next((str(row[name]) for row in history if row[name]), None)

    said = Identifiers(mmsi, last("imo"), last("name"), last("callsign"))
    return matches(said, desk.lists, at)


def told_of(desk: Desk, mmsi: str, history: Sequence[Row]) -> Told:
    """Return the events of a vessel, looked for around each overpass by itself: between them nothing is kept."""
    windows = desk.vessels.windows(mmsi, MOST_WINDOWS)
    found: dict[str, Row] = {}
    static = frame(history[::-1], VESSELS)
    for window in windows:
        port = desk.ports.get(window["port"])
        if port is None:
            continue
        reports = desk.vessels.heard(window["port"], window["overpass_id"], mmsi, MARGIN_DEG)
        positions = frame(reports, POSITIONS).assign(sigma_m=float("nan"), segment=0)
        positions = positions.sort_values(["mmsi", "time"], kind="stable", ignore_index=True)
        table = events(AisData(positions=positions, vessels=static), port, mmsi)
        own = table[(table["mmsi"] == mmsi) | (table["other_mmsi"] == mmsi)]
        for row in own.to_dict("records"):
            found[row["event_id"]] = {
                **{str(name): None if pd.isna(value) else value for name, value in row.items()},
                "evidence": json.loads(row["evidence"]),
                "port": window["port"],
            }
    unknown = sorted({w["port"] for w in windows} - set(desk.ports))
    return Told(sorted(found.values(), key=lambda row: row["start"], reverse=True), windows, unknown)


def vessel_chart(positions: Sequence[Row]) -> Chart | None:
    """Return the map of a vessel's reports, a line for each stretch; None where none is kept."""
    if not positions:
        return None
    rows = sorted(positions, key=lambda row: row["time"])
    lonlat = np.array([[row["lon"], row["lat"]] for row in rows])
    crs = utm_crs(*lonlat.mean(axis=0))
    xy = lonlat_to_xy(lonlat, crs)
    low, high = xy.min(axis=0), xy.max(axis=0)
    half = max(float(((high - low) / 2 / [WIDTH / HEIGHT, 1.0]).max()) * 1.15, 500.0)
    view = View(crs, (low + high) / 2, HEIGHT / 2 / half)
    units = view.of_xy(xy)
    starts = [
        0,
        *(i for i in range(1, len(rows)) if rows[i]["time"] - rows[i - 1]["time"] > BREAK),
        len(rows),
    ]
    tracks = []
    for first, end in pairwise(starts):
        part, places = rows[first:end], units[first:end]
        labels = time_labels(view, places[:1], part[:1], None)
        tracks.append(track(rows[0]["mmsi"], "", True, (COLOURS[0], ""), places, part, labels))
    return Chart(WIDTH, HEIGHT, tracks, (), (), "", (0.0, 0.0), scale_bar(view.scale), False)
