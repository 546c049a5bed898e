"""Count series of a port: what was observed of each class at each overpass, by zone and over all zones."""

from __future__ import annotations

import pandas as pd

from roadstead.counting.points import CountPoint
from roadstead.publish.report.data import PortReport
from roadstead.publish.report.rows import SHOWN_CLASSES

ALL_ZONES = ""


def observed_series(counts: pd.DataFrame, zone: str = ALL_ZONES) -> pd.DataFrame:
    """Return one row per overpass and class: value, low, high, zones_seen, zones.

    Over all zones, values and the ends of the 90 % intervals add up over the zones seen. Summed ends are
    right where the zones' errors go together and too wide where they do not: never too narrow. An overpass
    that saw none of the zones has null values.

    Args:
        counts: `schemas.COUNTS`.
        zone: zone id; empty for all.
    """
    chosen = counts[
        (counts["length_bin"] == "all")
        & (counts["quantity"] == "observed")
        & counts["class"].isin(SHOWN_CLASSES)
        & ((counts["zone"] == zone) | (zone == ALL_ZONES))
    ]
    by = chosen.groupby(["acquired", "overpass_id", "class"], sort=True)
    table = by[["value", "low", "high"]].sum(min_count=1)
    table["zones_seen"] = by["observed_at_all"].sum()
    table["zones"] = by.size()
    return table.reset_index()


def count_points(series: pd.DataFrame) -> list[CountPoint]:
    """Return the rows of an `observed_series` as points of a chart; overpasses that saw no zone have none."""
    return [
        CountPoint(
            row["acquired"].to_pydatetime(),
            str(row["overpass_id"]),
            str(row["class"]),
            "all",
            float(row["value"]),
            float(row["low"]),
            float(row["high"]),
            int(row["zones_seen"]),
            int(row["zones"]),
        )
        for row in series.dropna(subset="value").to_dict("records")
    ]


def gaps(report: PortReport, zone: str = ALL_ZONES) -> pd.DataFrame:
    """Return the overpasses that say nothing of a zone: acquired, why (``not observed`` or ``failed``)."""
    failed = report.acquisitions[report.acquisitions["state"] == "failed"].dropna(subset="acquired")
    series = observed_series(report.counts, zone)
    blind = series[series["zones_seen"] == 0].drop_duplicates("overpass_id")
    rows = [(time, "failed") for time in failed["acquired"]]
    rows += [(time, "not observed") for time in blind["acquired"]]
    return pd.DataFrame(sorted(rows), columns=["acquired", "why"])


def zones_by_traffic(counts: pd.DataFrame) -> list[str]:
    """Return zone ids, those with most dry cargo hulls observed first."""
    dry = counts[
        (counts["class"] == "dry_cargo")
        & (counts["quantity"] == "observed")
        & (counts["length_bin"] == "all")
    ]
    totals = dry.groupby("zone")["value"].sum().reset_index()
    return list(totals.sort_values(["value", "zone"], ascending=[False, True])["zone"])
