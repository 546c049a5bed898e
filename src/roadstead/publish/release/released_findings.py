"""Released findings for the outside: redacted by default, corrections, replies and retractions beside them.

A redacted row holds no MMSI, IMO number, name or callsign, nothing that was computed from an identity, no finding key,
and its place to 0.01 degree. A finding in question or retracted stays listed with the reason, without its content.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import geopandas as gpd
import pandas as pd
from shapely.geometry import Point, Polygon
from shapely.geometry.base import BaseGeometry

from roadstead.core.schemas import UTC
from roadstead.core.wording import EXPLANATIONS, coded
from roadstead.publish.filters import Filters
from roadstead.publish.formats.layers import listed, positions_table
from roadstead.publish.release.redaction import Known, masked
from roadstead.publish.wording import LEAD, check_words, quoted
from roadstead.store import Decision, Release

DELAY = timedelta(days=7)
"""A redacted finding goes out no sooner after its image was taken."""
DECIMALS = 2
"""Of a redacted position in degrees: about a kilometre."""
ZONE_DEG = 0.02
"""A zone smaller than this either way would say more of the place than its rounded position, and is left out."""
_NUMBERS = (
    "probability", "p_vessel", "p_barge", "p_bulk_carrier", "p_other_vessel", "length_m", "length_low_m",
    "length_high_m", "beam_m", "lon", "lat",
)  # fmt: skip
_IDENTITY_NUMBERS = ("axis_deg", "distance_m", "dt_s")
_TIMES = ("released", "acquired", "retracted")
COLUMNS = (
    "permanent_id", "state", "released", "port", "zone", "acquired", "status", "probability", "p_vessel", "looks_like",
    "class_by_analyst", "p_barge", "p_bulk_carrier", "p_other_vessel", "length_m", "length_low_m", "length_high_m",
    "beam_m", "box_by", "lon", "lat", "reasons", "conflicts", "in_words", "summary", "other_explanations",
    "corrections", "replies", "in_question", "retracted", "retraction", "model_id", "roadstead_version",
    "chain_sha256", "simulated", "redacted", "note",
)  # fmt: skip
IDENTITY_COLUMNS = (
    "finding", "overpass_id", "scene_id", "mmsi", "candidates", "linked_mmsi", "vessel_names", "vessel_imos",
    "vessel_callsigns", *_IDENTITY_NUMBERS, "asked_by", "released_by", "ais_rows_withheld",
)  # fmt: skip


@dataclass(frozen=True)
class Spoken:
    """One release and what stands beside it."""

    release: Release
    question: str = ""
    """Why it is in question; see `store.release_gate.in_question`."""
    positions: pd.DataFrame | None = None
    """`schemas.POSITIONS` of the vessels named, those that may not be passed on left out; None: none looked up."""
    vessels: pd.DataFrame | None = None
    """`schemas.VESSELS` of the same."""
    withheld: int = 0
    """AIS rows left out."""


@dataclass(frozen=True)
class Terms:
    """How released findings are told."""

    reasons: Mapping[str, str]
    """Reason or conflict code -> words."""
    known: Known = field(default_factory=Known)
    """Names that are masked in free text."""
    zones: Mapping[str, BaseGeometry] = field(default_factory=dict)
    """Zone id -> its polygon; others are left out of redacted rows."""
    redacted: bool = True


def may_go(release: Release, now: datetime) -> bool:
    """Whether the content of a release is old enough to go out redacted; one of unknown time never is."""
    acquired = release.content.seen.get("acquired")
    return acquired is not None and datetime.fromisoformat(acquired) + DELAY <= now


def chosen_releases(spoken: Sequence[Spoken], filters: Filters) -> list[Spoken]:
    """Return those that fit the filters of `roadstead export`; what is retracted or in question is never left out."""
    return [
        one for one in spoken if one.release.retraction is not None or one.question or _fits(one, filters)
    ]


def _fits(one: Spoken, filters: Filters) -> bool:
    seen = one.release.content.seen
    hull = seen.get("hull") or {}
    port = one.release.content.port
    zones = {name if "/" in name else f"{port}/{name}" for name in filters.zones}
    return (
        (not zones or seen.get("zone") in zones)
        and (not filters.classes or hull.get("class") in filters.classes)
        and (not filters.statuses or seen.get("status") in filters.statuses)
        and (seen.get("probability") or 0.0) >= filters.min_probability
        and hull.get("p_vessel", 1.0) >= filters.min_probability
    )


def outside_layers(spoken: Sequence[Spoken], terms: Terms) -> dict[str, gpd.GeoDataFrame]:
    """Return ``released`` (points, EPSG:4326) and, unredacted, ``boxes`` and ``positions``.

    Raises:
        AccusationError: a text of ours accuses.
    """
    rows = [_row(one, terms) for one in spoken]
    columns = COLUMNS if terms.redacted else (*COLUMNS, *IDENTITY_COLUMNS)
    layers = {"released": _table(rows, columns)}
    if terms.redacted:
        return layers
    shown = [one for one in spoken if _has_content(one)]
    boxes = [
        {
            "permanent_id": one.release.id,
            "simulated": one.release.content.simulated,
            "box_by": hull["box_by"],
            "geometry": Polygon(hull["box"]),
        }
        for one in shown
        if (hull := one.release.hull)
    ]
    if boxes:
        layers["boxes"] = gpd.GeoDataFrame(boxes, geometry="geometry", crs="EPSG:4326")
    heard = [
        one.positions.assign(permanent_id=one.release.id, simulated=one.release.content.simulated)
        for one in shown
        if one.positions is not None and len(one.positions)
    ]
    if heard:
        layers["positions"] = positions_table(pd.concat(heard, ignore_index=True))
    return layers


def _has_content(one: Spoken) -> bool:
    return one.release.retraction is None and not one.question


def _row(one: Spoken, terms: Terms) -> dict[str, Any]:
    """Return one release as a row; free text is masked where redacted, and ours is checked for what accuses."""
    release, said = one.release, _teller(terms)
    retraction = release.retraction
    state = "in_question" if one.question and retraction is None else release.state
    row: dict[str, Any] = {
        "permanent_id": release.id,
        "state": state,
        "released": release.first.decided,
        "port": release.first.port,
        "retracted": None if retraction is None else retraction.decided,
        "retraction": None if retraction is None else said(retraction.more["words"]),
        "in_question": one.question or None,
        "corrections": _listed(f"{_day(r)}: {said(r.more['changed'])}" for r in release.corrections),
        "replies": _listed(_reply(reply, terms) for reply in release.replies),
        "chain_sha256": release.content.sha256,
        "simulated": release.content.simulated,
        "redacted": terms.redacted,
        "note": _note(state, release.content.simulated),
        "geometry": None,
    }
    if not _has_content(one):
        return row | {"corrections": None}  # what was wrong would tell the content again
    return row | _content(one, terms, said)


def _teller(terms: Terms) -> Callable[[str], str]:
    """Return what makes text of analysts fit to go out."""

    def said(text: str) -> str:
        return check_words(masked(text, terms.known) if terms.redacted else text)

    return said


def _content(one: Spoken, terms: Terms, said: Callable[[str], str]) -> dict[str, Any]:
    content = one.release.content
    seen, hull = content.seen, one.release.hull or {}
    codes = ",".join(filter(None, (seen["reasons"], seen["conflicts"])))
    considered = [
        f"{EXPLANATIONS[key]}: {'ruled out' if what == 'ruled_out' else 'cannot be ruled out'} ({said(why)})"
        for key, (what, why) in content.more["considered"].items()
    ]
    lon, lat = (hull["lon"], hull["lat"]) if hull else seen["lonlat"]
    place = (round(lon, DECIMALS), round(lat, DECIMALS)) if terms.redacted else (lon, lat)
    row = {
        "zone": _zone(seen.get("zone"), terms),
        "acquired": seen["acquired"],
        "status": seen["status"],
        "probability": seen["probability"],
        "looks_like": hull.get("class"),
        "class_by_analyst": None if one.release.decided is None else one.release.decided.hull_class,
        **{name: hull.get(name) for name in _NUMBERS if name not in ("probability", "lon", "lat")},
        "box_by": hull.get("box_by"),
        "lon": place[0],
        "lat": place[1],
        "reasons": seen["reasons"],
        "conflicts": seen["conflicts"],
        "in_words": check_words(" ".join(words for _, words in coded(codes, terms.reasons))),
        "summary": said(content.more["summary"]),
        "other_explanations": "; ".join(considered),
        "model_id": seen["model_id"],
        "roadstead_version": seen["roadstead_version"],
        "geometry": Point(place),
    }
    return row if terms.redacted else row | _identity(one)


def _identity(one: Spoken) -> dict[str, Any]:
    """Return what only an unredacted row holds; what AIS alone tells is there where a source may be passed on."""
    content = one.release.content
    seen, hull = content.seen, one.release.hull or {}
    tables = [table for table in (one.vessels, one.positions) if table is not None]
    told = {mmsi for table in tables for mmsi in table["mmsi"]}
    vessels = one.vessels if one.vessels is not None else pd.DataFrame(columns=["name", "imo", "callsign"])
    from_ais = seen["mmsi"] in told
    return {
        "finding": content.finding if "@" not in content.finding or from_ais else None,
        "overpass_id": content.overpass_id,
        "scene_id": hull.get("scene_id"),
        "mmsi": seen["mmsi"] if from_ais else None,
        "candidates": ",".join(name for name in (seen["candidates"] or "").split(",") if name in told)
        or None,
        "linked_mmsi": None if one.release.decided is None else one.release.decided.linked_mmsi,
        "vessel_names": listed(vessels["name"].map(quoted, na_action="ignore")),
        "vessel_imos": listed(vessels["imo"]),
        "vessel_callsigns": listed(vessels["callsign"]),
        "axis_deg": hull.get("axis_deg"),
        **{name: seen[name] if from_ais else None for name in ("distance_m", "dt_s")},
        "asked_by": content.more["asked_by"],
        "released_by": content.user_name,
        "ais_rows_withheld": one.withheld,
    }


def _zone(zone: str | None, terms: Terms) -> str | None:
    if zone is None or not terms.redacted:
        return zone
    polygon = terms.zones.get(zone)
    if polygon is None:
        return None
    west, south, east, north = polygon.bounds
    return zone if min(east - west, north - south) >= ZONE_DEG else None


def _reply(row: Decision, terms: Terms) -> str:
    """Return a reply word for word, between quotation marks: its words are its sender's, not ours."""
    parts = (row.more["sender"], row.more["text"])
    sender, text = (masked(part, terms.known) if terms.redacted else part for part in parts)
    told = f"{row.more['received']}, reply of {quoted(sender)}, verbatim: {quoted(text)}"
    return check_words(told, (sender, text))


def _day(row: Decision) -> str:
    return f"{row.decided:%Y-%m-%d}"


def _listed(parts: Any) -> str | None:  # noqa: ANN401 - an iterable of text
    return " | ".join(parts) or None


def _note(state: str, simulated: bool) -> str:
    told = {
        "retracted": "Retracted: do not use what was released under this id.",
        "in_question": "In question: it will be corrected or retracted; do not use it until then.",
    }.get(state, LEAD)
    return f"{'SIMULATED: nothing of this was seen in the world. ' if simulated else ''}{told}"


def _table(rows: Sequence[Mapping[str, Any]], columns: Collection[str]) -> gpd.GeoDataFrame:
    table = pd.DataFrame(rows, columns=[*columns, "geometry"], dtype=object)
    for name in _TIMES:
        table[name] = pd.to_datetime(table[name], utc=True, format="ISO8601").astype(UTC)
    for name in (*_NUMBERS, *_IDENTITY_NUMBERS):
        if name in table:
            table[name] = table[name].astype(float)
    for name in ("simulated", "redacted"):
        table[name] = table[name].astype(bool)
    for name in table.select_dtypes(object).columns:
        table[name] = table[name].where(table[name].notna(), None)
    return gpd.GeoDataFrame(table, geometry="geometry", crs="EPSG:4326")
