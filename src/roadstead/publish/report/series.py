"""The count series of a report: of a zone, or of all zones together."""

from __future__ import annotations

import pandas as pd

from roadstead.counting.count_series import CountSeries, count_points, series_of
from roadstead.publish.passes import passes_of
from roadstead.publish.report.data import PortReport


def report_series(report: PortReport, zone: str | None = None) -> CountSeries:
    """Return what was observed of a zone, or of all zones; every pass that says nothing of it is a gap."""
    return series_of(count_points(report.counts, zone), passes_of(report.ledger).gaps)


def zones_by_traffic(counts: pd.DataFrame) -> list[str]:
    """Return zone ids, those with most dry cargo hulls observed first."""
    dry = counts[
        (counts["class"] == "dry_cargo")
        & (counts["quantity"] == "observed")
        & (counts["length_bin"] == "all")
    ]
    totals = dry.groupby("zone")["value"].sum().reset_index()
    return list(totals.sort_values(["value", "zone"], ascending=[False, True])["zone"])
