"""Hold detections against declared vessels, one overpass at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from roadstead.ais import AisData, from_simulator
from roadstead.core.detections_file import DetectionsHeader, SceneHeader
from roadstead.core.errors import DetectionsError
from roadstead.core.geo import convergence_deg, lonlat_to_xy
from roadstead.core.ports import Port
from roadstead.core.schemas import DETECTIONS, MATCHES, checked
from roadstead.detection.recall import BY_QUAYS, recall_of, recall_of_declared
from roadstead.reconcile import reception
from roadstead.reconcile.ais_window import AisWindow, cut_ais_window
from roadstead.reconcile.alignment import Alignment, alignment, seen_too_seldom
from roadstead.reconcile.decide import decide
from roadstead.reconcile.density import Prediction, lonlat
from roadstead.reconcile.doubt import MOST_SIGMA_S, Doubt, doubt_of, either_way, in_doubt, rows_in_doubt
from roadstead.reconcile.false_positions import rests
from roadstead.reconcile.fit import associate
from roadstead.reconcile.match_rows import (
    MIN_IN_REACH,
    Found,
    Reception,
    Row,
    Scored,
    detection_rows,
    excluded_evidence,
    match_table,
    rows_without_ais,
    vessel_rows,
)
from roadstead.reconcile.overpass_view import View, mass_inside, view_of
from roadstead.reconcile.position import GEOREFERENCE_SD_M, SNAPSHOT_REACH_S, by_hull_and_time, keyed, predict
from roadstead.reconcile.reception import StatedReception, stated_for
from roadstead.reconcile.score import Seen, pair_up, seen_of

WINDOW_H = 6.0
"""AIS this many hours either side of an overpass speaks for it."""


@dataclass(frozen=True)
class Reconciled:
    """The matches of one or more overpasses, and what speaks against trusting them."""

    matches: gpd.GeoDataFrame
    """`schemas.MATCHES`."""
    alignments: Mapping[str, Alignment]
    """Overpass -> how its hulls and tracks fit in time and place; those without AIS around are left out."""
    doubts: Mapping[str, Doubt]
    """Overpass -> why nothing in it supports a lead."""


@dataclass(frozen=True)
class _Given:
    """What a caller gives beside detections and AIS; see `reconcile_checked`."""

    port: Port | None
    recall_by_length: Sequence[Mapping[str, Any]] | None
    stated: Sequence[StatedReception]


@dataclass(frozen=True)
class _Part:
    """The matches of one overpass, and what speaks against trusting them."""

    overpass_id: str
    rows: Sequence[Row]
    alignment: Alignment | None
    doubt: Doubt | None


def reconcile(
    detections: gpd.GeoDataFrame,
    header: DetectionsHeader,
    ais: AisData | None,
    *,
    port: Port | None = None,
    window_h: float = WINDOW_H,
    recall_by_length: Sequence[Mapping[str, Any]] | None = None,
    stated: Sequence[StatedReception] = (),
) -> gpd.GeoDataFrame:
    """Return the matches of `reconcile_checked`."""
    return reconcile_checked(
        detections,
        header,
        ais,
        port=port,
        window_h=window_h,
        recall_by_length=recall_by_length,
        stated=stated,
    ).matches


def reconcile_checked(
    detections: gpd.GeoDataFrame,
    header: DetectionsHeader,
    ais: AisData | None,
    *,
    port: Port | None = None,
    window_h: float = WINDOW_H,
    recall_by_length: Sequence[Mapping[str, Any]] | None = None,
    stated: Sequence[StatedReception] = (),
) -> Reconciled:
    """Return `schemas.MATCHES`, a row per detection and per declared vessel that no detection took, and their doubts.

    An overpass whose hulls and tracks fit better at a common offset in time or place, or whose time contradicts its own
    product, supports no lead.

    Args:
        detections: `schemas.DETECTIONS`; rows with ``dropped_because`` are left out.
        header: the scenes that were searched, of one or more overpasses.
        ais: declared positions and static data; None or empty makes every detection `no_coverage`.
        port: its zones limit the search and tell which declared vessels get a row.
        window_h: hours of AIS either side of an overpass.
        recall_by_length: the model card's, used by the kind of zone where it tells berths and open water apart and
            a port is given; a default where None.
        stated: what a person states of the reception of sources that cannot show it themselves.

    Raises:
        TableError: a row breaks `schemas.DETECTIONS`.
        DetectionsError: a detection's overpass is not in the header.
    """
    given = _Given(port, recall_by_length, stated)
    without_ais = "no_ais_given" if ais is None else "no_ais_in_window"
    parts = []
    for scenes, table in _by_overpass(_searched(detections), header):
        window = cut_ais_window(ais, min(scene.acquired for scene in scenes), window_h)
        parts.append(_one(scenes, table, window, without_ais, given))
    return _together(parts)


def reconcile_overpass(
    detections: gpd.GeoDataFrame,
    header: DetectionsHeader,
    window: AisWindow | None,
    *,
    port: Port | None = None,
    recall_by_length: Sequence[Mapping[str, Any]] | None = None,
    stated: Sequence[StatedReception] = (),
) -> Reconciled:
    """Return what `reconcile_checked` returns, of one overpass whose AIS is cut already; None: there is none.

    Raises:
        TableError: a row breaks `schemas.DETECTIONS`.
        DetectionsError: a detection's overpass is not in the header.
    """
    given = _Given(port, recall_by_length, stated)
    return _together(
        [
            _one(scenes, table, window, "no_ais_given", given)
            for scenes, table in _by_overpass(_searched(detections), header)
        ]
    )


def _one(
    scenes: Sequence[SceneHeader],
    table: gpd.GeoDataFrame,
    window: AisWindow | None,
    without_ais: str,
    given: _Given,
) -> _Part:
    """Reconcile one overpass; ``without_ais`` is the reason of its rows where there is no window."""
    view = view_of(scenes, given.port)
    stated_sigma_s = view.sigma_s
    view = replace(view, sigma_s=min(view.sigma_s, MOST_SIGMA_S))
    if window is None:
        rows = rows_without_ais(view, table, without_ais)
        doubt = doubt_of(Alignment(), stated_sigma_s)
        kept = rows if doubt is None else [in_doubt(row, doubt) for row in rows]
        return _Part(view.overpass_id, kept, None, doubt)
    ais, history = window.ais, keyed(window.ais.positions)
    near = by_hull_and_time(history[window.speaks])
    view = replace(view, simulated=view.simulated or from_simulator(near["source"]))
    scored = _score(view, table, ais, near, history, given)
    fits = _alignment(scored, ais, history)
    doubt = doubt_of(fits, stated_sigma_s)
    if doubt is None:
        return _Part(view.overpass_id, (*detection_rows(scored), *vessel_rows(scored)), fits, None)
    then = _predicted_then(view, ais, history, fits.offset_s, window.hours) if fits.offset_s else None
    return _Part(view.overpass_id, rows_in_doubt(scored, doubt, either_way(scored, then)), fits, doubt)


def _together(parts: Sequence[_Part]) -> Reconciled:
    rows = [row for part in parts for row in part.rows]
    return Reconciled(
        checked(match_table(rows), MATCHES, "matches"),
        {part.overpass_id: part.alignment for part in parts if part.alignment is not None},
        {part.overpass_id: part.doubt for part in parts if part.doubt is not None},
    )


def _searched(detections: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the detections that take part, in order.

    Raises:
        TableError: a row breaks `schemas.DETECTIONS`.
    """
    checked(detections, DETECTIONS, "detections")
    return detections[detections["dropped_because"].isna()].sort_values("detection_id")


def _by_overpass(
    kept: gpd.GeoDataFrame, header: DetectionsHeader
) -> Iterator[tuple[list[SceneHeader], gpd.GeoDataFrame]]:
    names = list(dict.fromkeys(scene.overpass_id for scene in header.scenes))
    lost = set(kept["overpass_id"]) - set(names)
    if lost:
        raise DetectionsError(
            f"overpass {sorted(lost)[0]} has detections but no scene in the 'roadstead' member; "
            "make the file again with 'roadstead detect'"
        )
    for name in names:
        scenes = [scene for scene in header.scenes if scene.overpass_id == name]
        yield scenes, kept[kept["overpass_id"] == name]


def _seen(view: View, table: gpd.GeoDataFrame) -> Seen:
    places = table[["lon", "lat"]].to_numpy(float)
    xy = lonlat_to_xy(places, view.crs) if len(places) else np.empty((0, 2))
    later = (table["acquired"] - pd.Timestamp(view.moment)).dt.total_seconds().to_numpy(float)
    kinds = view.port.kind_of(places) if view.port and len(places) else [None] * len(places)
    by_quay = np.array([kind in BY_QUAYS for kind in kinds], bool)
    turn = convergence_deg(*view.centre_lonlat, view.crs)
    return seen_of(table, xy, later, turn, view.searched.area, by_quay)


def _score(
    view: View,
    table: gpd.GeoDataFrame,
    ais: AisData,
    near: pd.DataFrame,
    history: pd.DataFrame,
    given: _Given,
) -> Scored:
    at, declared = predict(
        near,
        ais.vessels,
        view.moment,
        sigma_s=view.sigma_s,
        snapshot_times=ais.snapshot_times,
        crs=view.crs,
        centre_lonlat=view.centre_lonlat,
    )
    seen = _seen(view, table)
    in_view, in_reach = mass_inside(at, [view.searched, view.interest], GEOREFERENCE_SD_M)
    pairs = pair_up(seen, at, declared, rests(history, at, pd.Timestamp(view.moment), view.crs))
    # Vessels neither near a detection nor in reach play no part.
    keep = np.union1d(np.flatnonzero(in_reach >= MIN_IN_REACH), np.unique(pairs.vessel)).astype(np.intp)
    at, declared, in_view, in_reach = at.take(keep), declared.take(keep), in_view[keep], in_reach[keep]
    pairs = replace(pairs, vessel=np.searchsorted(keep, pairs.vessel).astype(np.intp))
    places = lonlat(at, view.crs)
    kinds = view.port.kind_of(places) if view.port else [None] * len(at)
    recall = recall_of_declared(declared.length_m, declared.class_b, kinds, recall_of(given.recall_by_length))
    fit = associate(pairs, seen, at, in_view, recall)
    heard = _reception(view, ais, near, Found(seen, at, pairs, fit), given.stated)
    return Scored(
        view=view,
        table=table,
        seen=seen,
        at=at,
        declared=declared,
        vessel_lonlat=places,
        pairs=pairs,
        fit=fit,
        decision=decide(pairs, fit.full, at.mmsi),
        in_view=in_view,
        in_reach=in_reach,
        recall=recall,
        heard=heard,
    )


def _alignment(s: Scored, ais: AisData, history: pd.DataFrame) -> Alignment:
    """Return how hulls and tracks of an overpass fit in time and place."""
    placed = history["time"].isin([pd.Timestamp(time) for time in ais.snapshot_times])
    fits = alignment(
        s.table[["lon", "lat"]].to_numpy(float),
        s.seen,
        history[~placed] if ais.snapshot_times else history,
        ais.vessels,
        pd.Timestamp(s.view.moment),
        s.view.sigma_s,
    )
    if not s.view.cloud_known:
        return fits
    expected, seen, few = seen_too_seldom(
        s.at, s.declared.length_m, s.in_view, 1 - s.fit.full.vessel_alone, s.recall
    )
    named = bool(fits.offset_s) or fits.place_off
    return replace(fits, expected=expected, found=seen, disagree=few and not named)


def _predicted_then(
    view: View, ais: AisData, history: pd.DataFrame, offset_s: float, window_h: float
) -> Prediction:
    """Return where vessels were some seconds after the overpass."""
    then = view.moment + timedelta(seconds=offset_s)
    away = (history["time"] - pd.Timestamp(then)).abs()
    return predict(
        by_hull_and_time(history[away <= pd.Timedelta(hours=window_h)]),
        ais.vessels,
        then,
        sigma_s=view.sigma_s,
        snapshot_times=ais.snapshot_times,
        crs=view.crs,
        centre_lonlat=view.centre_lonlat,
    )[0]


def _reception(
    view: View, ais: AisData, near: pd.DataFrame, found: Found, stated: Sequence[StatedReception]
) -> Reception:
    """Return P(heard) at each detection: as stated, else by vessels heard before and after, else by the image."""
    moment, seen, fit = pd.Timestamp(view.moment), found.seen, found.fit
    stated_by_class = stated_for(stated, near, moment, max(SNAPSHOT_REACH_S, 2 * view.sigma_s))
    known = reception.evidence(near, view.moment, view.crs, ais.snapshot_times)
    excluded = excluded_evidence(
        found.pairs, fit.full.pair, found.at.hull, len(seen), known.hull, MIN_IN_REACH
    )
    image = reception.p_heard_by_image(seen.xy, seen.length_m, fit.full.detection_alone, fit.p_hull)
    by_class, basis = [], []
    for p_stated, class_b in zip(stated_by_class, (False, True), strict=True):
        own = reception.p_heard(known, seen.xy, excluded, class_b=class_b)
        by_class.append(np.where(np.isfinite(p_stated), p_stated, np.where(np.isfinite(own), own, image)))
        basis.append(
            np.where(
                np.isfinite(p_stated),
                "reception_stated",
                np.where(np.isfinite(own), "", np.where(np.isfinite(image), "reception_by_image", "")),
            )
        )
    return Reception(by_class[0], by_class[1], basis[0], basis[1])
