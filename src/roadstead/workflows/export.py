"""Write what the store holds as files that others open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np

from roadstead.audit import stated_recall, with_recall
from roadstead.core.errors import BadInputError, UsageError
from roadstead.core.ports import Port, coast, coasts
from roadstead.core.settings import settings
from roadstead.core.wording import port_name
from roadstead.publish import (
    EVERYTHING,
    Brief,
    Filters,
    PortReport,
    Quicklook,
    ReportData,
    brief_html,
    brief_of,
    chosen,
    port_layers,
    positions_table,
    write_brief,
    write_cues,
    write_flat,
    write_geojson_products,
    write_kmz,
    write_port_geopackage,
    write_qgis_project,
    write_report,
    write_stac,
)
from roadstead.reconcile import CONFLICTS, REASONS
from roadstead.store import Store
from roadstead.workflows.status import next_passes

FORMATS = (
    "geojson",
    "gpkg",
    "report",
    "geoparquet",
    "flatgeobuf",
    "csv",
    "kmz",
    "cue",
    "qgis",
    "stac",
    "brief",
)
DEFAULT_FORMATS = ("geojson", "gpkg", "report")
"""Written where no format is named."""
WEEK = 7
"""Days of a brief."""
_WITH_CHIPS = {"report", "kmz", "brief"}
_FLAT = ("geoparquet", "flatgeobuf", "csv")


def export_ports(
    store: Store,
    ports: Sequence[Port],
    start: datetime,
    end: datetime,
    folder: Path,
    formats: Sequence[str] = DEFAULT_FORMATS,
    *,
    unfiltered: bool = False,
    filters: Filters = EVERYTHING,
    provenance: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write the stored tables of some ports into ``folder`` and return the files.

    Every format holds the rows that ``filters`` leave. With ``unfiltered`` all but the report also hold the detections
    that were dropped, with ``dropped_because``. The report, one for all ports, also shows ``provenance``.

    Raises:
        UsageError: an unknown format, zone, class or status.
        BadInputError: the store holds nothing of any of the ports in this range.
        StoreError: a file cannot be written.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise UsageError(f"--format {', '.join(unknown)}: choose from {', '.join(FORMATS)}")
    pictures = bool(_WITH_CHIPS & set(formats))
    reports = [port_report(store, port, start, end, pictures=pictures) for port in ports]
    if all(report.acquisitions.empty for report in reports):
        names = ", ".join(port.slug for port in ports)
        raise BadInputError(f"the store holds nothing of {names} in this range: run 'roadstead watch' first")
    written: list[Path] = []
    for report in reports:
        if unfiltered:
            every = store.detections(report.port.slug, start, end, unfiltered=True)
            report = replace(report, detections=every)
        shown = chosen(report, filters)
        written += port_files(shown, folder, formats)
        if "brief" in formats:
            written += write_brief(folder, report.port.slug, port_brief(store, shown, start, end))
    if "report" in formats:
        told = {**(provenance or {}), **({"Filters": filters.words} if filters else {})}
        kept = tuple(chosen(report, filters) for report in reports)
        data = ReportData(kept, start, end, REASONS, CONFLICTS, told)
        written.append(write_report(folder / "report.html", data))
    return written


def port_files(report: PortReport, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write the tables of one port in each format but the report, which is one for all; return the files.

    Raises:
        StoreError: a file cannot be written.
    """
    port, layers = report.port, port_layers(report)
    tables = (report.detections, layers["matches"], report.counts, layers["tracks"])
    written = write_geojson_products(folder, port, *tables) if "geojson" in formats else []
    if {"gpkg", "qgis"} & set(formats):
        written.append(write_port_geopackage(folder / f"{port.slug}.gpkg", port, *tables))
    if "qgis" in formats:
        project, title = folder / f"{port.slug}.qgz", f"Roadstead: {report.name}"
        written.append(write_qgis_project(project, f"{port.slug}.gpkg", layers, port.crs, title))
    for kind in _FLAT:
        if kind in formats:
            written += write_flat(folder, port.slug, _flat_layers(report, layers, kind), kind)
    if "kmz" in formats:
        written += write_kmz(folder, report, REASONS, CONFLICTS)
    if "stac" in formats:
        written += write_stac(folder, report, known_models())
    if "cue" in formats:
        written += write_cues(folder, report)
    return written


def port_brief(store: Store, report: PortReport, start: datetime, end: datetime) -> Brief:
    """Return the brief of a port from its tables, its ledger and the passes expected."""
    coming = next_passes(store.ledger(report.port.slug), datetime.now(UTC))
    return brief_of(report, start, end, coming, stated_recall(store, report.port.slug).words)


def week_brief(store: Store, port: Port, end: datetime, days: int = WEEK) -> str | None:
    """Return the brief of the last days as part of a page of the desk; None where the store holds nothing of them."""
    start = end - timedelta(days=days)
    report = port_report(store, port, start, end, pictures=False)
    if report.acquisitions.empty:
        return None
    page = port_brief(store, report, start, end)
    found = store.quicklook(port.slug, page.overpass_id) if page.overpass_id else None
    picture = Quicklook(*found) if found else None
    return brief_html(replace(page, picture=picture), f"/quicklook/{port.slug}/{page.overpass_id}.webp")


def week_briefs(
    store: Store, ports: Sequence[Port], end: datetime, folder: Path, days: int = WEEK
) -> list[Path]:
    """Write the brief of the last days of each port of which the store holds any pass; return the files.

    Raises:
        StoreError: a file cannot be written.
    """
    start = end - timedelta(days=days)
    held = [port for port in ports if not store.acquisitions(port.slug, start, end).empty]
    return export_ports(store, held, start, end, folder, ("brief",)) if held else []


def known_models() -> dict[str, Path]:
    """Return model id -> folder, of the models at hand."""
    return {path.parent.name: path.parent for path in sorted(settings().models_dir.glob("*/model.json"))}


def _flat_layers(
    report: PortReport, layers: Mapping[str, gpd.GeoDataFrame], kind: str
) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers of a format: a CSV holds no lines, so it has the reports themselves."""
    if kind != "csv":
        return dict(layers)
    points = {name: table for name, table in layers.items() if name != "tracks"}
    return {**points, "positions": positions_table(report.positions)}


def port_report(
    store: Store, port: Port, start: datetime, end: datetime, *, pictures: bool = True
) -> PortReport:
    """Return everything that the store holds of a port in [start, end); pictures only where asked for."""
    slug = port.slug
    acquisitions = store.acquisitions(slug, start, end)
    shown = acquisitions["overpass_id"] if pictures else ()
    quicklooks = {name: store.quicklook(slug, name) for name in shown}
    chips: dict[str, np.ndarray] = {}
    for name in shown:
        chips.update(store.chips(slug, name))
    return PortReport(
        port=port,
        name=port_name(slug),
        acquisitions=acquisitions,
        scenes=store.scenes(slug, start, end),
        detections=store.detections(slug, start, end),
        matches=store.matches(slug, start, end),
        counts=with_recall(store, slug, store.counts(slug, start, end)),
        vessels=store.vessels(slug, start, end),
        ledger=store.ledger(slug, start, end),
        coast=coast(slug) if slug in coasts() else None,
        quicklooks={name: Quicklook(*picture) for name, picture in quicklooks.items() if picture},
        chips=chips,
        positions=store.evidence(slug, start, end),
    )
