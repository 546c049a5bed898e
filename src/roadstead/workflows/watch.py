"""The main job: search, read, detect, reconcile, count, store, for one port and time range.

`find` lists what there is to do; `gather_inputs` cuts the AIS of one overpass and hashes all that its result is made
from; `process` does that overpass and changes nothing in the store; `keep` stores its result in one transaction;
`summary` reads back what the store holds. `watch` runs them in order. The Prefect flow runs the same `watch` with
its long steps wrapped as tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from roadstead.ais import AisData
from roadstead.core.detections_file import DetectionsHeader
from roadstead.core.errors import (
    EmptySearchError,
    PartialError,
    ReadError,
    RoadsteadError,
    SceneError,
    UpstreamError,
    UsageError,
)
from roadstead.core.geo import Bounds
from roadstead.counting import counts
from roadstead.detection.fixed_structures import beside, mark
from roadstead.imagery import Mosaic, Overpass
from roadstead.reconcile import AisWindow, reconcile_overpass
from roadstead.store import MissingPass, Store
from roadstead.workflows.detect import detect_overpass
from roadstead.workflows.fingerprint import OverpassInputs, gather_inputs, reuse_reason
from roadstead.workflows.load_ais import load_around, write_quarantine
from roadstead.workflows.watch_search import Plan, WatchRequest, alternates, find

Progress = Callable[[int, int], None]
"""Called with (tiles done, tiles in all)."""


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
    quicklook: tuple[np.ndarray, Bounds]
    """uint8 RGB [H, W, 3] and its bounds (w, s, e, n) in degrees."""
    chips: Mapping[str, np.ndarray]
    """Detection id -> cut-out, uint8 RGB [H, W, 3]."""
    with_ais: bool
    """Whether any AIS report lay around the overpass."""
    inputs_sha256: str
    doubt: str | None = None
    """Why nothing of it supports a lead, in words."""


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
    unchanged: tuple[str, ...] = ()
    """Overpasses left as stored: all that they were made from is as it was."""
    missing: tuple[MissingPass, ...] = ()
    """Passes that the orbits tell of and no catalogue lists."""
    unasked: Mapping[str, str] = field(default_factory=dict)
    """Name of a catalogue -> why it could not be asked."""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Overpass -> why it was not read where it is listed first."""


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
    inputs: OverpassInputs,
    progress: Progress | None = None,
) -> OverpassResult:
    """Read, detect, reconcile and count one overpass.

    Raises:
        ReadError: pixels could not be read; the overpass failed then, it is not empty.
    """
    port, model, overpass = request.port, request.model, inputs.overpass
    with Mosaic(overpass, port.grid()) as mosaic:
        detections, scenes = detect_overpass(mosaic, overpass, model, port, progress=progress)
        quicklook = mosaic.quicklook()
        detections = mark(detections, inputs.structures)
        scenes = beside(scenes, detections)
        kept = detections[detections["dropped_because"].isna()]
        chips = {row.detection_id: mosaic.chip(row.lon, row.lat) for row in kept.itertuples()}
    header = DetectionsHeader(scenes, model.model_id, model.threshold)
    reconciled = reconcile_overpass(
        detections,
        header,
        inputs.ais,
        port=port,
        recall_by_length=model.recall_by_length,
        stated=request.stated,
    )
    matches, doubt = reconciled.matches, reconciled.doubts.get(overpass.overpass_id)
    table = counts(
        detections,
        matches,
        header,
        port,
        recall_by_length=model.recall_by_length,
        min_visible_fraction=request.settings.min_visible_fraction,
        with_ais=inputs.ais is not None,
    )
    positions, vessels = _evidence(inputs.ais, matches)
    return OverpassResult(
        overpass,
        header,
        detections,
        matches,
        table,
        positions,
        vessels,
        quicklook,
        chips,
        inputs.ais is not None,
        inputs.sha256,
        doubt.words if doubt else None,
    )


def _evidence(window: AisWindow | None, matches: gpd.GeoDataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the positions that speak for the overpass and the static rows of the vessels that any match names."""
    if window is None:
        return pd.DataFrame(), pd.DataFrame()
    positions, vessels = window.positions, window.ais.vessels
    named = set(matches["mmsi"].dropna())
    for codes in matches["candidates"]:
        named.update(code for code in codes.split(",") if code)
    return (
        positions[positions["mmsi"].isin(named)].reset_index(drop=True),
        vessels[vessels["mmsi"].isin(named)].reset_index(drop=True),
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
            inputs_sha256=result.inputs_sha256,
            tried="; ".join(result.overpass.tried) or None,
            doubt=result.doubt,
        )


def do_overpass(request: WatchRequest, inputs: OverpassInputs, progress: Progress | None = None) -> None:
    """Do one overpass from pixels to the store."""
    keep(request, process(request, inputs, progress))


@dataclass(frozen=True)
class Steps:
    """The steps of `watch`; the Prefect flow wraps each as a task."""

    find: Callable[[WatchRequest], Plan] = find
    load: Callable[[WatchRequest, Plan], AisData | None] = load_declarations
    overpass: Callable[[WatchRequest, OverpassInputs, Progress | None], None] = do_overpass


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
    record_missing(request, plan.missing)
    if plan.empty:
        raise EmptySearchError(plan.empty)
    ais = steps.load(request, plan)
    failures = dict(plan.rejected)
    record_failures(request, {item: (None, reason) for item, reason in plan.rejected.items()})
    done, kept, unheard, unchanged = [], [], [], []
    elsewhere: dict[str, str] = {}
    for index, overpass in enumerate(plan.overpasses):
        progress = on_overpass(overpass, index, len(plan.overpasses))
        try:
            inputs = gather_inputs(request, overpass, ais)
            if request.ais and inputs.ais is None:
                unheard.append(overpass.overpass_id)
            reason = reuse_reason(request, inputs)
            if reason == "better":
                kept.append(overpass.overpass_id)
            elif reason == "unchanged":
                unchanged.append(overpass.overpass_id)
            else:
                used = _from_any(request, steps, inputs, ais, progress)
                if used.tried:
                    elsewhere[overpass.overpass_id] = "; ".join(used.tried)
        except UsageError:
            raise
        except RoadsteadError as error:
            failures[overpass.overpass_id] = str(error)
            record_failures(request, {overpass.overpass_id: (overpass.acquired, str(error))})
            continue
        done.append(overpass.overpass_id)
    watched = Watched(
        tuple(done),
        failures,
        kept=tuple(kept),
        without_ais=tuple(unheard),
        unchanged=tuple(unchanged),
        missing=plan.missing,
        unasked=plan.unasked,
        elsewhere=elsewhere,
    )
    if ais is None:
        return watched
    return replace(watched, quarantined=len(ais.quarantine), quarantine=_quarantine(request, ais))


def _from_any(
    request: WatchRequest,
    steps: Steps,
    inputs: OverpassInputs,
    ais: AisData | None,
    progress: Progress | None,
) -> Overpass:
    """Do an overpass from the catalogue that lists it first, or else from the next one that has all of it.

    What another catalogue lists are other scenes, so its inputs are gathered anew.

    Raises:
        UpstreamError: none could serve it; the first one's reason, and what the others said.
    """
    try:
        steps.overpass(request, inputs, progress)
        return inputs.overpass
    except (ReadError, SceneError) as error:
        first = error
    tried: tuple[str, ...] = ()
    for other in alternates(request, inputs.overpass, str(first)):
        try:
            steps.overpass(request, gather_inputs(request, other, ais), progress)
            return other
        except (ReadError, SceneError) as error:
            tried = (*tried, f"{other.scenes[0].provider}: {error}")
    if tried:
        raise ReadError("; ".join([str(first), *tried])) from first
    raise first


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


def record_missing(request: WatchRequest, missing: Sequence[MissingPass]) -> None:
    """List the passes that no catalogue lists; what the store holds of one already stands."""
    if missing:
        with Store.open(request.store_url) as store:
            store.record_missing(request.port.slug, missing)


def finish(any_done: bool, failures: Mapping[str, str]) -> None:
    """Raise if anything failed.

    Raises:
        UpstreamError: everything failed.
        PartialError: some failed; each is named.
    """
    if failures and not any_done:
        lines = "\n".join(f"  {name}: {reason}" for name, reason in failures.items())
        raise UpstreamError(f"every scene failed, so nothing was observed:\n{lines}")
    if failures:
        raise PartialError(failures)
