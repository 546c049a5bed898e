"""One self-contained HTML report of one or more ports."""

from roadstead.publish.report.data import PortReport, Quicklook, ReportData, no_positions
from roadstead.publish.report.write import render_report, write_report

__all__ = ["PortReport", "Quicklook", "ReportData", "no_positions", "render_report", "write_report"]
