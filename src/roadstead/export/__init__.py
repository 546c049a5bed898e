"""What leaves Roadstead: GeoJSON (WGS84), GeoPackage (UTM, styled for QGIS) and one HTML report.

Every function takes tables; none opens the store.
"""

from roadstead.export.geojson import write_geojson, write_geojson_products
from roadstead.export.geopackage import write_geopackage, write_port_geopackage
from roadstead.export.layers import counts_by_zone, zones_table
from roadstead.export.report import PortReport, Quicklook, ReportData, write_report

__all__ = [
    "PortReport",
    "Quicklook",
    "ReportData",
    "counts_by_zone",
    "write_geojson",
    "write_geojson_products",
    "write_geopackage",
    "write_port_geopackage",
    "write_report",
    "zones_table",
]
