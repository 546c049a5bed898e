"""Detect hulls in given scenes, or in the zones of a port; and hold a detections file against AIS files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlparse

import geopandas as gpd
import pandas as pd
from shapely import union_all

from roadstead.ais import AisData
from roadstead.core.detections_file import (
    DetectionsHeader,
    SceneHeader,
    read_detections,
    to_features,
    write_json,
)
from roadstead.core.errors import BadInputError, ReadError, RoadsteadError, SceneError
from roadstead.core.ports import Port
from roadstead.core.schemas import DETECTIONS, empty
from roadstead.core.settings import Settings
from roadstead.detection import Model, detect_mosaic, load_model
from roadstead.imagery import (
    NO_HINTS,
    Mosaic,
    NamedScene,
    Overpass,
    RasterHints,
    Scene,
    Searched,
    group_overpasses,
    is_remote,
    is_safe,
    local_path,
    scenes_in,
)
from roadstead.reconcile import Reconciled, read_stated, reconcile_checked
from roadstead.workflows.load_ais import load_around, write_quarantine

Progress = Callable[[int, int], None]


def detect_overpass(
    mosaic: Mosaic,
    overpass: Overpass,
    model: Model,
    port: Port | None,
    *,
    unfiltered: bool = False,
    progress: Progress | None = None,
) -> tuple[gpd.GeoDataFrame, tuple[SceneHeader, ...]]:
    """Detect hulls in one opened overpass and describe what was searched.

    Raises:
        ReadError: pixels could not be read; the overpass has no result then, not an empty one.
        SceneError: no hull could have been found in its pixels (`imagery.optical.plausibility`).
    """
    polygons = {zone.id: zone.polygon for zone in port.zones} if port else {}
    searched = Searched(mosaic)
    table = detect_mosaic(
        searched,
        model,
        zones=polygons or None,
        overpass=overpass,
        port=port,
        unfiltered=unfiltered,
        progress=progress,
    )
    searched.check()
    visible, area = mosaic.visibilities(polygons), mosaic.valid_area(port.footprint if port else None)
    headers = tuple(
        SceneHeader(
            scene_id=scene.scene_id,
            overpass_id=overpass.overpass_id,
            acquired=scene.acquired,
            acquired_sigma_s=scene.acquired_sigma_s,
            sensor=scene.sensor,
            footprint=scene.footprint,
            valid_area=area,
            cloud=mosaic.cloud,
            visible_fraction={zone: share.seen for zone, share in visible.items()},
            simulated=scene.simulated,
            hidden={zone: share.hidden for zone, share in visible.items()},
        )
        for scene in overpass.scenes
    )
    return table, headers


def detect_scenes(
    given: Sequence[str],
    model: Model,
    port: Port | None = None,
    *,
    hints: RasterHints = NO_HINTS,
    unfiltered: bool = False,
    on_scene: Callable[[str, int, int], Progress | None] = lambda *_: None,
) -> tuple[gpd.GeoDataFrame, DetectionsHeader]:
    """Detect hulls in what `imagery.scenes_in` opens: STAC items, saved searches, rasters, SAFE products.

    ``hints`` say of rasters what they do not say themselves. A scene that fails is named in the header's ``failures``
    and the others go on.

    Raises:
        RoadsteadError: every scene failed; names each with its reason.
    """
    scenes, failures, errors = _open_all(given, hints)
    overpasses = group_overpasses([scene for scene, _ in scenes], port)
    names = {scene.scene_id: name for scene, name in scenes}
    searched = {scene.scene_id for overpass in overpasses for scene in overpass.scenes}
    for scene_id in names.keys() - searched:
        failures[names[scene_id]] = (
            "shows the same ground at the same time as another scene given, which is searched"
        )
    return _detect_each(overpasses, names, model, port, failures, errors, unfiltered, on_scene)


def detect_overpasses(
    overpasses: Sequence[Overpass],
    model: Model,
    port: Port | None = None,
    *,
    unfiltered: bool = False,
    on_scene: Callable[[str, int, int], Progress | None] = lambda *_: None,
) -> tuple[gpd.GeoDataFrame, DetectionsHeader]:
    """Detect hulls in overpasses that a catalogue listed; failures as in `detect_scenes`.

    Raises:
        RoadsteadError: every overpass failed; names each with its reason.
    """
    names = {
        scene.scene_id: scene.item_href or scene.scene_id
        for overpass in overpasses
        for scene in overpass.scenes
    }
    return _detect_each(overpasses, names, model, port, {}, [], unfiltered, on_scene)


def _detect_each(
    overpasses: Sequence[Overpass],
    names: Mapping[str, str],
    model: Model,
    port: Port | None,
    failures: dict[str, str],
    errors: list[RoadsteadError],
    unfiltered: bool,
    on_scene: Callable[[str, int, int], Progress | None],
) -> tuple[gpd.GeoDataFrame, DetectionsHeader]:
    """Detect in one overpass after the other; ``failures`` and ``errors`` hold what failed before."""
    tables: list[gpd.GeoDataFrame] = []
    headers: list[SceneHeader] = []
    for index, overpass in enumerate(overpasses):
        label = ", ".join(names[scene.scene_id] for scene in overpass.scenes)
        try:
            with Mosaic(overpass, port.grid() if port else None) as mosaic:
                table, found = detect_overpass(
                    mosaic,
                    overpass,
                    model,
                    port,
                    unfiltered=unfiltered,
                    progress=on_scene(label, index, len(overpasses)),
                )
                if all(scene.valid_area.is_empty for scene in found):
                    raise SceneError(
                        f"{label}: no valid pixel{' in any zone' if port else ''}: nothing was searched"
                    )
        except RoadsteadError as error:
            failures[label] = _reason(label, error)
            errors.append(error)
            continue
        tables.append(table)
        headers.extend(found)
    if errors and not headers:
        raise _all_failed(errors, failures)
    header = DetectionsHeader(
        tuple(headers), model.model_id, model.threshold, "partial" if failures else "done", failures
    )
    return _stack(tables), header


def _open_all(
    given: Sequence[str], hints: RasterHints
) -> tuple[list[tuple[Scene, str]], dict[str, str], list[RoadsteadError]]:
    scenes: list[tuple[Scene, str]] = []
    failures: dict[str, str] = {}
    errors: list[RoadsteadError] = []
    for one in _named(given, hints, failures, errors):
        try:
            scene = one.open()
            if scene.scene_id in {other.scene_id for other, _ in scenes}:
                digest = hashlib.sha256(one.name.encode()).hexdigest()
                scene = replace(scene, scene_id=f"{scene.scene_id}-{digest[:8]}")
            scenes.append((scene, one.name))
        except RoadsteadError as error:
            failures[one.name] = _reason(one.name, error)
            errors.append(error)
    return scenes, failures, errors


def _named(
    given: Sequence[str], hints: RasterHints, failures: dict[str, str], errors: list[RoadsteadError]
) -> Iterator[NamedScene]:
    """Yield every scene that is named; what names none is noted with its reason."""
    for name in given:
        try:
            yield from scenes_in(_there(name), hints)
        except RoadsteadError as error:
            failures[name] = _reason(name, error)
            errors.append(error)


def _there(name: str) -> str:
    try:
        if not is_remote(name) and urlparse(name).scheme != "file" and not Path(name).exists():
            local_path(name)  # says better what is no path at all
            raise SceneError(f"{name}: no such file")
        if Path(name).is_dir() and not is_safe(Path(name)):
            raise SceneError(f"{name}: is a folder; name the files in it")
    except (OSError, ValueError) as error:
        raise SceneError(f"{name}: is neither a path nor an address: {error}") from error
    return name


def _reason(name: str, error: RoadsteadError) -> str:
    """Return an error's message without the name that it is listed under."""
    return str(error).removeprefix(f"{name}: ")


def _all_failed(errors: Sequence[RoadsteadError], failures: dict[str, str]) -> RoadsteadError:
    kind = SceneError if all(isinstance(error, BadInputError) for error in errors) else ReadError
    lines = [f"{name}: {reason}" for name, reason in failures.items()]
    return kind(lines[0] if len(lines) == 1 else "\n  ".join(["every scene failed:", *lines]))


def _stack(tables: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    full = [table for table in tables if len(table)]
    if not full:
        return gpd.GeoDataFrame(empty(DETECTIONS), geometry="geometry", crs="EPSG:4326")
    return gpd.GeoDataFrame(pd.concat(full, ignore_index=True), geometry="geometry", crs="EPSG:4326")


def reconcile_file(
    detections: Path,
    ais: tuple[str, ...],
    output: Path,
    mapping: Path | None,
    settings: Settings,
    reception: Path | None = None,
) -> Reconciled:
    """Reconcile a detections file with AIS files, write the matches as GeoJSON and return them.

    AIS rows that cannot be used go to `quarantine_path`. ``reception`` is a file of statements on the reception of
    sources (`reconcile.reception`).

    Raises:
        DetectionsError: the file is no detections file.
        AisError: an AIS file cannot be used.
        StoreError: the output cannot be written.
    """
    table, header = read_detections(detections)
    declared = _declared(header, ais, mapping, settings.ais_window_h) if ais else None
    recall = load_model(header.model_id, settings.models_dir).recall_by_length
    held = reconcile_checked(
        table,
        header,
        declared,
        port=None,
        window_h=settings.ais_window_h,
        recall_by_length=recall,
        stated=read_stated(reception) if reception else (),
    )
    if declared is not None:
        write_quarantine(declared.quarantine, quarantine_path(output))
    write_json(output, to_features(held.matches))
    return held


def quarantine_path(output: Path) -> Path:
    """Return where AIS rows that could not be used go: beside the output."""
    return output.with_name(f"{output.stem}.quarantine.csv")


def _declared(header: DetectionsHeader, ais: tuple[str, ...], mapping: Path | None, hours: float) -> AisData:
    bounds = union_all([scene.footprint for scene in header.scenes]).bounds
    return load_around(ais, mapping, bounds, [scene.acquired for scene in header.scenes], hours)
