"""The main job: search, read, detect, reconcile, count, store, for one port and time range.

`find` lists what there is to do; `process` does one overpass and changes nothing in the store; `keep` stores
its result in one transaction; `summary` reads back what the store holds. `watch` runs them in order. The
Prefect flow runs the same `watch` with each step wrapped as a task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from roadstead.ais import AisData
from roadstead.aoi import Port
from roadstead.catalog import Store
from roadstead.detection import Model
from roadstead.detection.structures import beside, mark
from roadstead.errors import (
    EmptySearchError,
    PartialError,
    ReadError,
    RoadsteadError,
    UpstreamError,
    UsageError,
)
from roadstead.headers import DetectionsHeader
from roadstead.imagery import SAME_PASS, Mosaic, Overpass, SearchResult, group_overpasses, search
from roadstead.jobs.declared import load_around
from roadstead.jobs.detect import detect_overpass
from roadstead.jobs.quarantine import write_quarantine
from roadstead.jobs.structures import known_structures
from roadstead.reconcile import counts, reconcile
from roadstead.settings import Settings

Progress = Callable[[int, int], None]
"""Called with (tiles done, tiles in all)."""


@dataclass(frozen=True)
class WatchRequest:
    """What to watch and with what."""

    port: Port
    start: datetime
    """First moment, UTC."""
    end: datetime
    """First moment after the range, UTC."""
    catalog: str
    model: Model
    settings: Settings
    store_url: str
    """SQLAlchemy URL."""
    ais: tuple[str, ...] = ()
    """AIS files or Parquet stores; empty: counts only, every detection is `no_coverage`."""
    ais_mapping: Path | None = None


@dataclass(frozen=True)
class Plan:
    """What a search found."""

    overpasses: tuple[Overpass, ...]
    rejected: Mapping[str, str]
    """Item id -> why it cannot be used; listed as failed, never as empty."""


@dataclass(frozen=True)
class OverpassResult:
    """All that one overpass gave, ready to be stored at once."""

    overpass: Overpass
    header: DetectionsHeader
    detections: gpd.GeoDataFrame
    matches: gpd.GeoDataFrame
    counts: pd.DataFrame
    positions: pd.DataFrame
    vessels: pd.DataFrame
    quicklook: tuple[np.ndarray, tuple[float, float, float, float]]
    """uint8 RGB [H, W, 3] and its bounds (w, s, e, n) in degrees."""
    chips: Mapping[str, np.ndarray]
    """Detection id -> cut-out, uint8 RGB [H, W, 3]."""
    with_ais: bool
    """Whether any AIS report lay around the overpass."""


@dataclass(frozen=True)
class Watched:
    """How a watch ended."""

    done: tuple[str, ...]
    failures: dict[str, str] = field(default_factory=dict)
    quarantined: int = 0
    """AIS rows that could not be used."""
    quarantine: Path | None = None
    """CSV of those rows with their reasons."""
    kept: tuple[str, ...] = ()
    """Overpasses left as stored: they were held against AIS before, and this run has none around them."""
    without_ais: tuple[str, ...] = ()
    """Overpasses around which the AIS given holds no report."""


def find(request: WatchRequest) -> Plan:
    """Search the catalogue and group what it holds into overpasses.

    Raises:
        EmptySearchError: nothing there: not observed, not zero.
        CatalogueError: the catalogue cannot be read.
    """
    # Look a little further on both sides, so that no overpass is cut in half by the range.
    start, end = request.start - SAME_PASS, request.end + SAME_PASS
    try:
        found = _search(request, start, end)
    except EmptySearchError:
        found = _search(request, request.start, request.end)
    whole = group_overpasses(found.scenes, request.port)
    inside = tuple(o for o in whole if request.start <= o.acquired < request.end)
    if not inside and not found.rejected:
        raise EmptySearchError(
            f"{request.catalog}: nothing of {request.port.slug} from {request.start:%Y-%m-%d %H:%M} to "
            f"{request.end:%Y-%m-%d %H:%M} UTC: not observed, which is not zero ships"
        )
    return Plan(inside, dict(found.rejected))


def _search(request: WatchRequest, start: datetime, end: datetime) -> SearchResult:
    return search(request.catalog, request.port, start, end, request.settings.collection)


def load_declarations(request: WatchRequest, plan: Plan) -> AisData | None:
    """Load the AIS around the plan's overpasses; None where the request names no AIS."""
    if not request.ais or not plan.overpasses:
        return None
    times = [overpass.acquired for overpass in plan.overpasses]
    return load_around(
        request.ais, request.ais_mapping, request.port.bounds, times, request.settings.ais_window_h
    )


def process(
    request: WatchRequest,
    overpass: Overpass,
    ais: AisData | None,
    progress: Progress | None = None,
) -> OverpassResult:
    """Read, detect, reconcile and count one overpass; of the store only earlier overpasses are read.

    Raises:
        ReadError: pixels could not be read; the overpass failed then, it is not empty.
    """
    port, model = request.port, request.model
    near = around(request, overpass, ais)
    with Mosaic(overpass, port.grid()) as mosaic:
        detections, scenes = detect_overpass(mosaic, overpass, model, port, progress=progress)
        quicklook = mosaic.quicklook()
        with Store.open(request.store_url) as store:
            detections = mark(detections, known_structures(store, port.slug, overpass))
        scenes = beside(scenes, detections)
        kept = detections[detections["dropped_because"].isna()]
        chips = {row.detection_id: mosaic.chip(row.lon, row.lat) for row in kept.itertuples()}
    header = DetectionsHeader(scenes, model.model_id, model.threshold)
    matches = reconcile(
        detections,
        header,
        near,
        port=port,
        window_h=request.settings.ais_window_h,
        recall_by_length=model.recall_by_length,
    )
    table = counts(
        detections,
        matches,
        header,
        port,
        recall_by_length=model.recall_by_length,
        min_visible_fraction=request.settings.min_visible_fraction,
        with_ais=near is not None,
    )
    positions, vessels = _evidence(near, matches)
    return OverpassResult(
        overpass, header, detections, matches, table, positions, vessels, quicklook, chips, near is not None
    )


def around(request: WatchRequest, overpass: Overpass, ais: AisData | None) -> AisData | None:
    """Return the AIS around one overpass; None where there is no position report."""
    if ais is None:
        return None
    reach = timedelta(hours=request.settings.ais_window_h)
    near = ais.positions["time"].between(overpass.acquired - reach, overpass.acquired + reach)
    return replace(ais, positions=ais.positions[near].reset_index(drop=True)) if near.any() else None


def _evidence(ais: AisData | None, matches: gpd.GeoDataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the positions and static rows of the vessels that any match names."""
    if ais is None:
        return pd.DataFrame(), pd.DataFrame()
    named = set(matches["mmsi"].dropna())
    for codes in matches["candidates"]:
        named.update(code for code in codes.split(",") if code)
    return (
        ais.positions[ais.positions["mmsi"].isin(named)].reset_index(drop=True),
        ais.vessels[ais.vessels["mmsi"].isin(named)].reset_index(drop=True),
    )


def keep(request: WatchRequest, result: OverpassResult) -> None:
    """Store one overpass in one transaction; doing it again changes nothing."""
    with Store.open(request.store_url) as store:
        store.put_overpass(
            result.overpass,
            port=request.port.slug,
            header=result.header,
            detections=result.detections,
            matches=result.matches,
            counts=result.counts,
            positions=result.positions,
            vessels=result.vessels,
            quicklook=result.quicklook,
            chips=result.chips,
            model_sha256=request.model.sha256,
            with_ais=result.with_ais,
        )


def do_overpass(
    request: WatchRequest, overpass: Overpass, ais: AisData | None, progress: Progress | None = None
) -> None:
    """Do one overpass from pixels to the store."""
    keep(request, process(request, overpass, ais, progress))


@dataclass(frozen=True)
class Steps:
    """The steps of `watch`; the Prefect flow wraps each as a task."""

    find: Callable[[WatchRequest], Plan] = find
    load: Callable[[WatchRequest, Plan], AisData | None] = load_declarations
    overpass: Callable[[WatchRequest, Overpass, AisData | None, Progress | None], None] = do_overpass


def watch(
    request: WatchRequest,
    steps: Steps = Steps(),
    on_overpass: Callable[[Overpass, int, int], Progress | None] = lambda *_: None,
) -> Watched:
    """Run the whole job for one port and time range.

    An overpass that fails is recorded as failed and named; the others go on.

    Raises:
        EmptySearchError: the catalogue holds nothing for this port and range.
        CatalogueError: the catalogue cannot be read.
        AisError: an AIS file cannot be used.
        UsageError: simulated data would take the place of real in the store, or real of simulated.
    """
    plan = steps.find(request)
    ais = steps.load(request, plan)
    failures = dict(plan.rejected)
    record_failures(request, {item: (None, reason) for item, reason in plan.rejected.items()})
    done, kept, unheard = [], [], []
    for index, overpass in enumerate(plan.overpasses):
        progress = on_overpass(overpass, index, len(plan.overpasses))
        heard = around(request, overpass, ais) is not None
        if request.ais and not heard:
            unheard.append(overpass.overpass_id)
        try:
            if _better_stands(request, overpass, heard):
                kept.append(overpass.overpass_id)
            else:
                steps.overpass(request, overpass, ais, progress)
        except UsageError:
            raise
        except RoadsteadError as error:
            failures[overpass.overpass_id] = str(error)
            record_failures(request, {overpass.overpass_id: (overpass.acquired, str(error))})
            continue
        done.append(overpass.overpass_id)
    watched = Watched(tuple(done), failures, kept=tuple(kept), without_ais=tuple(unheard))
    if ais is None:
        return watched
    return replace(watched, quarantined=len(ais.quarantine), quarantine=_quarantine(request, ais))


def _better_stands(request: WatchRequest, overpass: Overpass, heard: bool) -> bool:
    """Return whether the stored result was held against AIS and this run has none around the overpass.

    Raises:
        ReadError: the stored result used more scenes than can be used now.
    """
    scenes = {scene.scene_id for scene in overpass.scenes}
    with Store.open(request.store_url) as store:
        standing = store.standing(request.port.slug, scenes)
    if standing is None:
        return False
    if standing.scene_ids > scenes:
        missing = ", ".join(sorted(standing.scene_ids - scenes))
        raise ReadError(
            f"the stored result also used {missing}, which cannot be used now; that result stands"
        )
    return standing.with_ais and not heard


def _quarantine(request: WatchRequest, ais: AisData) -> Path | None:
    name = f"{request.port.slug}-{request.start:%Y%m%d}-{request.end:%Y%m%d}-ais.csv"
    return write_quarantine(ais.quarantine, request.settings.home / "quarantine" / name)


def record_failures(request: WatchRequest, failures: Mapping[str, tuple[datetime | None, str]]) -> None:
    """List items and overpasses as failed; an earlier success stays."""
    if not failures:
        return
    with Store.open(request.store_url) as store:
        for name, (acquired, reason) in failures.items():
            store.record_failure(request.port.slug, name, acquired, reason)


def finish(watched: Watched) -> None:
    """Raise if anything failed.

    Raises:
        UpstreamError: everything failed.
        PartialError: some failed; each is named.
    """
    if watched.failures and not watched.done:
        lines = "\n".join(f"  {name}: {reason}" for name, reason in watched.failures.items())
        raise UpstreamError(f"every scene failed, so nothing was observed:\n{lines}")
    if watched.failures:
        raise PartialError(watched.failures)
