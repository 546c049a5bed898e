"""The rows of the match table: one per detection, one per declared vessel that no detection took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from shapely.geometry import Point

from roadstead.ais import flag_of, imo_is_valid, mid_is_assigned
from roadstead.core.geo import Array
from roadstead.core.schemas import MATCHES, empty
from roadstead.reconcile.decide import Decision, candidates_of, join_codes
from roadstead.reconcile.declared_vessel import Declared
from roadstead.reconcile.density import Prediction
from roadstead.reconcile.fit import Fit
from roadstead.reconcile.overpass_view import View
from roadstead.reconcile.position import STALE_S
from roadstead.reconcile.score import Pairs, Seen, length_sd, raw_class_ratio

Row = dict[str, Any]

MIN_HEARD = 0.9
"""`no_ais_partner` needs this chance of having heard a transmitting hull."""
CLASS_A_LENGTH_M = 60.0
"""Hulls from this length on are asked of Class A reception, shorter ones of Class B."""
MIN_VISIBLE_LENGTH_M = 45.0
"""Shorter declared vessels are not counted on in a 10 m image."""
MIN_HULL = 0.75
"""`no_ais_partner` needs this chance that there is a hull at all."""
MIN_IN_VIEW = 0.9
MIN_IN_REACH = 0.05
"""Vessels less likely than this to have been in the port's zones (or the frame) get no row."""
UNCERTAIN_M = 500.0
LENGTH_CONFLICT_Z = 2.576
"""Declared and seen length conflict beyond the 99 % interval of their difference ..."""
LENGTH_CONFLICT_SHARE = 0.2
"""... if they also differ by this share of the longer."""
CLASS_CONFLICT_RATIO = 0.15
"""A class six times rarer under the declared type than among all hulls conflicts. Types that mean dry cargo
never reach it, whichever class is seen: the published confusion lies within."""
ELSEWHERE_M = 1_000.0
"""A match this far from the declared place says that the hull is not where it says."""
SURELY_500_GT_M = 170.0
"""Non-barge hulls this long exceed 500 GT many times over, and no inland ship of these waters is as long."""


@dataclass(frozen=True)
class Found:
    """Detections, vessels, their pairs, and the association."""

    seen: Seen
    at: Prediction
    pairs: Pairs
    fit: Fit


@dataclass(frozen=True)
class Reception:
    """P(heard) at each of m detections by class of transmitter, NaN where unknown, and what it rests on."""

    class_a: Array
    class_b: Array
    basis_a: NDArray[np.str_]
    """A reason code, or empty where it is the vessels heard before and after."""
    basis_b: NDArray[np.str_]

    def asked(self, i: int, length_m: float) -> tuple[float, str]:
        """Return what is asked of a hull of some length: P(heard) and its basis."""
        if length_m >= CLASS_A_LENGTH_M:
            return float(self.class_a[i]), str(self.basis_a[i])
        return float(self.class_b[i]), str(self.basis_b[i])


@dataclass(frozen=True)
class Scored:
    """All that is known of one overpass before its rows are written."""

    view: View
    table: gpd.GeoDataFrame
    """Kept detections, aligned with ``seen``."""
    seen: Seen
    at: Prediction
    declared: Declared
    vessel_lonlat: Array
    pairs: Pairs
    fit: Fit
    decision: Decision
    in_view: Array
    in_reach: Array
    recall: Array
    """(n,) probability that a visible hull like each vessel is detected."""
    heard: Reception


def carriage_expected(length_low_m: float, p_barge: float) -> str:
    """Say ``yes`` where SOLAS V/19 carriage follows from size alone, else ``unknown``.

    Flag and voyage are not known from an image: SOLAS asks 300 GT abroad and 500 GT of other cargo ships.
    """
    return "yes" if length_low_m >= SURELY_500_GT_M and p_barge < 0.1 else "unknown"


def _detection_base(scene: View, record: Row, heard_a: float, heard_b: float) -> Row:
    return {
        "overpass_id": scene.overpass_id,
        "port": record["port"] if isinstance(record["port"], str) else (scene.port and scene.port.slug),
        "detection_id": record["detection_id"],
        "mmsi": None,
        "zone": record["zone"] if isinstance(record["zone"], str) else None,
        "candidates": "",
        "p_kinematic": np.nan,
        "conflicts": "",
        "p_heard_class_a": heard_a,
        "p_heard_class_b": heard_b,
        "carriage_expected": carriage_expected(record["length_low_m"], record["p_barge"]),
        "distance_m": np.nan,
        "dt_s": np.nan,
        "simulated": scene.simulated or bool(record["simulated"]),
        "geometry": Point(record["lon"], record["lat"]),
    }


def rows_without_ais(scene: View, table: gpd.GeoDataFrame, reason: str) -> list[Row]:
    """Return one `no_coverage` row a detection."""
    return [
        {
            **_detection_base(scene, record, np.nan, np.nan),
            "status": "no_coverage",
            "probability": 1.0,
            "reasons": reason,
        }
        for record in table.to_dict("records")
    ]


def detection_rows(s: Scored) -> list[Row]:
    """Return one row a detection."""
    pair_of = {int(s.pairs.detection[p]): int(p) for p in s.decision.matched}
    ambiguous = set(s.pairs.detection[s.decision.ambiguous].tolist())
    contested = set(s.decision.contested_detections.tolist())
    rows = []
    for i, record in enumerate(s.table.to_dict("records")):
        base = _detection_base(s.view, record, s.heard.class_a[i], s.heard.class_b[i])
        if i in pair_of:
            rows.append({**base, **_matched(s, pair_of[i], record)})
        elif i in ambiguous:
            rows.append({**base, **_ambiguous(s, i)})
        elif i in contested:
            rows.append({**base, **_alone(s, i, "no_coverage", "contested"), **_names(s, i)})
        else:
            rows.append({**base, **_unpartnered(s, i)})
    return rows


def _matched(s: Scored, p: int, record: Row) -> Row:
    i, j = int(s.pairs.detection[p]), int(s.pairs.vessel[p])
    off = s.seen.xy[i] - s.at.xy[j] - s.at.velocity[j] * s.seen.later_s[i]
    return {
        "status": "matched",
        "mmsi": s.at.mmsi[j],
        "probability": s.fit.full.pair[p],
        "p_kinematic": s.fit.kinematic.pair[p],
        "conflicts": join_codes(_conflicts(s, i, j, record)),
        "reasons": join_codes(["position_fits", *_report_reasons(s, j)]),
        "distance_m": float(np.hypot(*off)),
        "dt_s": s.at.dt_s[j],
    }


def _conflicts(s: Scored, i: int, j: int, record: Row) -> list[str]:
    codes = []
    said, seen = s.declared.length_m[j], s.seen.length_m[i]
    sd = float(length_sd(s.seen.length_sd_m[i], said))
    far = abs(said - seen) > max(LENGTH_CONFLICT_Z * sd, LENGTH_CONFLICT_SHARE * max(said, seen))
    if far and "at_edge" not in record["flags"]:
        codes.append("length")
    imo = s.declared.imo[j]
    if isinstance(imo, str) and not imo_is_valid(imo):
        codes.append("imo_check_digit")
    return [*codes, *_identity_conflicts(s, i, j), *_place_conflicts(s, i, j)]


def _identity_conflicts(s: Scored, i: int, j: int) -> Iterator[str]:
    fits = raw_class_ratio(s.seen.p_class[i : i + 1], s.declared.ship_type[j : j + 1])[0]
    if fits < CLASS_CONFLICT_RATIO:
        yield "class"
    mmsi, flag = str(s.at.mmsi[j]), s.declared.flag[j]
    if not mid_is_assigned(mmsi):
        yield "mmsi_unassigned"
    elif isinstance(flag, str) and flag_of(mmsi) not in (None, flag):
        yield "flag"


def _place_conflicts(s: Scored, i: int, j: int) -> Iterator[str]:
    if s.at.jumped[j]:
        yield "two_places"
    if s.at.unsound[j]:
        yield "track_contradicts_itself"
    off = float(np.hypot(*(s.seen.xy[i] - s.at.xy[j] - s.at.velocity[j] * s.seen.later_s[i])))
    if off > ELSEWHERE_M and off > 8 * s.at.spread_m[j]:
        yield "declared_elsewhere"


def _report_reasons(s: Scored, j: int) -> list[str]:
    if s.at.snapshot[j]:
        return ["snapshot_position"]
    return ["stale_report"] if abs(s.at.dt_s[j]) > STALE_S else []


def _names(s: Scored, i: int) -> Row:
    names = candidates_of(s.pairs.detection, s.pairs.vessel, s.fit.full.pair, i)
    return {"candidates": join_codes(s.at.mmsi[names])}


def _ambiguous(s: Scored, i: int) -> Row:
    named = _names(s, i)
    one = "," not in named["candidates"] and s.fit.full.detection_alone[i] > 0.02
    reason = "weak_fit" if one else "several_candidates"
    probability = 1 - s.fit.full.detection_alone[i]
    return {"status": "ambiguous", "probability": probability, "reasons": reason, **named}


def _alone(s: Scored, i: int, status: str, *reasons: str) -> Row:
    probability = s.fit.full.detection_alone[i]
    return {"status": status, "probability": probability, "reasons": join_codes(reasons)}


def _unpartnered(s: Scored, i: int) -> Row:
    heard, basis = s.heard.asked(i, s.seen.length_m[i])
    if np.isnan(heard):
        return _alone(s, i, "no_coverage", "reception_unknown")
    if heard < MIN_HEARD:
        return _alone(s, i, "no_coverage", "reception_low")
    if s.seen.length_m[i] < MIN_VISIBLE_LENGTH_M:
        return _alone(s, i, "no_coverage", "too_small_for_a_lead")
    if s.fit.p_hull[i] < MIN_HULL:
        return _alone(s, i, "no_coverage", "perhaps_no_hull")
    lead = _alone(s, i, "no_ais_partner", *filter(None, ("no_vessel_fits", basis)))
    return {**lead, "probability": lead["probability"] * s.fit.p_hull[i]}


def vessel_rows(s: Scored) -> list[Row]:
    """Return one row for each declared vessel in reach that was not matched."""
    taken = set(s.pairs.vessel[s.decision.matched].tolist())
    partner = dict(
        zip(
            s.pairs.vessel[s.decision.ambiguous].tolist(),
            s.pairs.detection[s.decision.ambiguous].tolist(),
            strict=True,
        )
    )
    contested = set(s.decision.contested_vessels.tolist())
    zones = s.view.port.zone_of(s.vessel_lonlat) if s.view.port and len(s.at) else [None] * len(s.at)
    rows = []
    for j in range(len(s.at)):
        if j in taken or not (s.in_reach[j] >= MIN_IN_REACH or j in partner or j in contested):
            continue
        row = {**_vessel_base(s, j, zones[j]), **_unmatched(s, j, j in partner, j in contested)}
        if j in partner:
            # The pair it may be part of is counted where the hull was seen.
            zone = s.table["zone"].iloc[partner[j]]
            row["zone"] = zone if isinstance(zone, str) else None
        rows.append(row)
    return rows


def _vessel_base(s: Scored, j: int, zone: str | None) -> Row:
    return {
        "overpass_id": s.view.overpass_id,
        "port": s.view.port.slug if s.view.port else None,
        "detection_id": None,
        "mmsi": s.at.mmsi[j],
        "zone": zone,
        "candidates": "",
        "p_kinematic": np.nan,
        "conflicts": "two_places" if s.at.jumped[j] else "",
        "p_heard_class_a": np.nan,
        "p_heard_class_b": np.nan,
        "carriage_expected": "unknown",
        "distance_m": np.nan,
        "dt_s": s.at.dt_s[j],
        "simulated": s.view.simulated,
        "geometry": Point(*s.vessel_lonlat[j]),
    }


def _unmatched(s: Scored, j: int, ambiguous: bool, contested: bool) -> Row:
    alone = float(s.fit.full.vessel_alone[j])
    if ambiguous or contested:
        rivals = candidates_of(s.pairs.vessel, s.pairs.detection, s.fit.full.pair, j)
        return {
            "status": "ambiguous" if ambiguous else "not_visible",
            "probability": 1 - alone if ambiguous else alone,
            "reasons": "several_candidates" if ambiguous else "contested",
            "candidates": join_codes(s.seen.detection_id[rivals]),
        }
    reasons = _hidden_because(s, j)
    if reasons:
        return {"status": "not_visible", "probability": alone, "reasons": join_codes(reasons)}
    return {
        "status": "unseen",
        "probability": alone * min(1.0, float(s.in_view[j])),
        "reasons": join_codes(["clear_no_detection", *_report_reasons(s, j)]),
    }


def _hidden_because(s: Scored, j: int) -> list[str]:
    """Return why nothing can be said of a vessel without a detection; empty where clear water was seen."""
    length = s.declared.length_m[j]
    if np.isnan(length):
        return ["too_small", "length_unknown"]
    if length < MIN_VISIBLE_LENGTH_M or s.declared.class_b[j]:
        return ["too_small"]
    if s.in_view[j] >= MIN_IN_VIEW:
        return [] if s.view.cloud_known else ["cloud_unknown"]
    if s.at.spread_m[j] > UNCERTAIN_M:
        return ["position_too_uncertain"]
    if s.in_reach[j] < MIN_IN_VIEW:
        return ["outside_searched_area"]
    unsure = s.view.zones_only and s.view.port is None
    return ["cloud_or_no_data", "outside_searched_area"] if unsure else ["cloud_or_no_data"]


def match_table(rows: list[Row]) -> gpd.GeoDataFrame:
    """Return rows as `schemas.MATCHES`."""
    if not rows:
        return gpd.GeoDataFrame(empty(MATCHES), geometry="geometry", crs="EPSG:4326")
    frame = pd.DataFrame(rows, columns=list(MATCHES.columns))
    for name in ("port", "detection_id", "mmsi", "zone"):
        frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    for name in ("probability", "p_kinematic", "p_heard_class_a", "p_heard_class_b", "distance_m", "dt_s"):
        frame[name] = frame[name].astype(float)
    frame["probability"] = frame["probability"].clip(0.0, 1.0)
    frame["p_kinematic"] = frame["p_kinematic"].clip(0.0, 1.0)
    return gpd.GeoDataFrame(frame, geometry="geometry", crs="EPSG:4326")


def excluded_evidence(
    pairs: Pairs, pair: Array, hull: NDArray[np.object_], m: int, known: NDArray[np.object_], least: float
) -> NDArray[np.bool_]:
    """Return (m, len(known)): vessels that may be the very detection and so prove nothing about it."""
    column = {name: k for k, name in enumerate(known)}
    mask = np.zeros((m, len(known)), bool)
    for p in np.flatnonzero(pair >= least):
        k = column.get(hull[pairs.vessel[p]])
        if k is not None:
            mask[pairs.detection[p], k] = True
    return mask
