"""One self-contained HTML report of one or more ports."""

from roadstead.export.report.data import PortReport, Quicklook, ReportData
from roadstead.export.report.write import render_report, write_report

__all__ = ["PortReport", "Quicklook", "ReportData", "render_report", "write_report"]
