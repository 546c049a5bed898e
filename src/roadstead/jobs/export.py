"""Write what the store holds as files that others open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

from roadstead.aoi import Port, coast, coasts
from roadstead.catalog import Store
from roadstead.errors import BadInputError, UsageError
from roadstead.export import (
    PortReport,
    Quicklook,
    ReportData,
    write_geojson_products,
    write_port_geopackage,
    write_report,
)
from roadstead.reconcile import CONFLICTS, REASONS

FORMATS = ("geojson", "gpkg", "report")


def export_ports(
    store: Store,
    ports: Sequence[Port],
    start: datetime,
    end: datetime,
    folder: Path,
    formats: Sequence[str] = FORMATS,
    *,
    unfiltered: bool = False,
    provenance: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write the stored tables of some ports into ``folder`` and return the files.

    GeoJSON (WGS84) and GeoPackage (UTM) per port, one report for all, which also shows ``provenance``. With
    ``unfiltered`` the first two also hold the detections that were dropped, with ``dropped_because``.

    Raises:
        UsageError: an unknown format.
        BadInputError: the store holds nothing of any of the ports in this range.
        StoreError: a file cannot be written.
    """
    unknown = sorted(set(formats) - set(FORMATS))
    if unknown:
        raise UsageError(f"--format {', '.join(unknown)}: choose from {', '.join(FORMATS)}")
    reports = [_port_report(store, port, start, end) for port in ports]
    if all(report.acquisitions.empty for report in reports):
        names = ", ".join(port.slug for port in ports)
        raise BadInputError(f"the store holds nothing of {names} in this range: run 'roadstead watch' first")
    written: list[Path] = []
    for report in reports:
        listed = store.detections(report.port.slug, start, end, unfiltered=unfiltered)
        written += _port_files(replace(report, detections=listed), folder, formats)
    if "report" in formats:
        data = ReportData(tuple(reports), start, end, REASONS, CONFLICTS, provenance or {})
        written.append(write_report(folder / "report.html", data))
    return written


def _port_files(report: PortReport, folder: Path, formats: Sequence[str]) -> list[Path]:
    port, tables = report.port, (report.detections, report.matches, report.counts)
    written = write_geojson_products(folder, port, *tables) if "geojson" in formats else []
    if "gpkg" in formats:
        written.append(write_port_geopackage(folder / f"{port.slug}.gpkg", port, *tables))
    return written


def _port_report(store: Store, port: Port, start: datetime, end: datetime) -> PortReport:
    slug = port.slug
    acquisitions = store.acquisitions(slug, start, end)
    pictures = {name: store.quicklook(slug, name) for name in acquisitions["overpass_id"]}
    chips: dict[str, np.ndarray] = {}
    for name in acquisitions["overpass_id"]:
        chips.update(store.chips(slug, name))
    return PortReport(
        port=port,
        name=slug.title(),
        acquisitions=acquisitions,
        scenes=store.scenes(slug, start, end),
        detections=store.detections(slug, start, end),
        matches=store.matches(slug, start, end),
        counts=store.counts(slug, start, end),
        vessels=store.vessels(slug, start, end),
        coast=coast(slug) if slug in coasts() else None,
        quicklooks={name: Quicklook(*picture) for name, picture in pictures.items() if picture},
        chips=chips,
    )
