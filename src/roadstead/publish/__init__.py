"""What leaves Roadstead: files for GIS, spreadsheets, browsers and archives. See ``docs/exports.md``.

Every function takes tables; none opens the store.
"""

from roadstead.publish.brief.compose import Brief, brief_html, brief_of
from roadstead.publish.brief.pdf import write_brief
from roadstead.publish.filters import EVERYTHING, Filters, chosen
from roadstead.publish.formats.cues import cue_table, write_cues
from roadstead.publish.formats.flat import write_csv, write_flat, write_flatgeobuf, write_geoparquet
from roadstead.publish.formats.geojson import write_geojson, write_geojson_products
from roadstead.publish.formats.geopackage import write_geopackage, write_port_geopackage
from roadstead.publish.formats.kmz import write_kmz
from roadstead.publish.formats.layers import (
    counts_by_zone,
    port_layers,
    positions_table,
    tracks_table,
    zones_table,
)
from roadstead.publish.formats.qgis_project import write_qgis_project
from roadstead.publish.formats.stac import write_stac
from roadstead.publish.report import PortReport, Quicklook, ReportData, no_positions, write_report

__all__ = [
    "EVERYTHING",
    "Brief",
    "Filters",
    "PortReport",
    "Quicklook",
    "ReportData",
    "brief_html",
    "brief_of",
    "chosen",
    "counts_by_zone",
    "cue_table",
    "no_positions",
    "port_layers",
    "positions_table",
    "tracks_table",
    "write_brief",
    "write_csv",
    "write_cues",
    "write_flat",
    "write_flatgeobuf",
    "write_geojson",
    "write_geojson_products",
    "write_geopackage",
    "write_geoparquet",
    "write_kmz",
    "write_port_geopackage",
    "write_qgis_project",
    "write_report",
    "write_stac",
    "zones_table",
]
