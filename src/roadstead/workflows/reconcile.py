"""Hold a detections file against AIS files."""

from __future__ import annotations

from pathlib import Path

from shapely import union_all

from roadstead.ais import AisData
from roadstead.core.detections_file import DetectionsHeader, read_detections, to_features, write_json
from roadstead.core.settings import Settings
from roadstead.detection import load_model
from roadstead.reconcile import Reconciled, read_stated, reconcile_checked
from roadstead.workflows.load_ais import load_around
from roadstead.workflows.quarantine import write_quarantine


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
    sources (`reconcile.declared_reception`).

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
