"""Render and write the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from bokeh.embed import components
from bokeh.models import LayoutDOM
from bokeh.resources import Resources
from markupsafe import Markup

from roadstead.core.atomic_files import write_text
from roadstead.core.version import __version__
from roadstead.core.wording import days_words, moment, number, percent
from roadstead.counting.series import CHARTED
from roadstead.publish.charts import MARKERS
from roadstead.publish.formats.layers import is_simulated
from roadstead.publish.palette import CLASS_LOOKS, KIND_LOOKS, STATUS_LOOKS
from roadstead.publish.report.chart_map import port_map
from roadstead.publish.report.chart_series import series_chart
from roadstead.publish.report.data import PortReport, ReportData, local_map
from roadstead.publish.report.rows import Lead, OverpassCounts, count_tables, leads, status_counts, zone_names
from roadstead.publish.templating import templates
from roadstead.publish.wording import STATE_WORDS, Passes, check_words, declared_texts, passes_of

LEADS_SHOWN = 25
"""Leads listed; the rest unfolds."""
LEADS_OPEN = 3
"""Leads listed with all that is known of them; the others open on a click."""
_TEMPLATES = templates()
_TEMPLATES.filters |= {"moment": moment, "percent": percent, "number": number}


@dataclass(frozen=True)
class _Section:
    """One port, ready for the template."""

    report: PortReport
    simulated: bool
    passes: Passes
    statuses: list[tuple[str, str, int]]
    leads: list[Lead]
    on_map: list[tuple[float, float]]
    """Kilometres of each lead on the map."""
    counts: list[OverpassCounts]
    troubles: list[dict[str, str]]
    zones: dict[str, str]
    has_ais: bool


def write_report(path: Path, data: ReportData) -> Path:
    """Write the report as one HTML file that asks no host for anything, and return its path.

    Raises:
        StoreError: the file cannot be written.
        AccusationError: a text of ours accuses; nothing is written then.
    """
    declared = frozenset().union(*(declared_texts(report.vessels) for report in data.ports))
    write_text(path, check_words(render_report(data), declared))
    return path


def render_report(data: ReportData) -> str:
    """Return the report as HTML."""
    sections = [_section(report, data) for report in data.ports]
    script, charts = components(_charts(sections, data))
    return _TEMPLATES.get_template("report.html.j2").render(
        data=data,
        sections=sections,
        simulated=any(section.simulated for section in sections),
        bokeh=Markup(Resources(mode="inline", components=["bokeh", "bokeh-widgets"]).render_js()),  # noqa: S704
        script=Markup(script),  # noqa: S704 - Bokeh escapes what it embeds
        charts={name: Markup(div) for name, div in charts.items()},  # noqa: S704
        classes=[CLASS_LOOKS[name] for name in CHARTED],
        series_marks=[(CLASS_LOOKS[name], MARKERS[name]) for name in CHARTED],
        class_looks=CLASS_LOOKS,
        status_looks=STATUS_LOOKS,
        kind_looks=KIND_LOOKS,
        leads_shown=LEADS_SHOWN,
        leads_open=LEADS_OPEN,
        version=__version__,
        days=days_words(data.start, data.end),
    )


def _charts(sections: list[_Section], data: ReportData) -> dict[str, LayoutDOM]:
    charts = {}
    for section in sections:
        slug = section.report.port.slug
        charts[f"map-{slug}"] = port_map(section.report, data, section.simulated)
        charts[f"series-{slug}"] = series_chart(section.report, data, section.simulated)
    return charts


def _section(report: PortReport, data: ReportData) -> _Section:
    found = leads(report, data)
    where = local_map(report.port.bounds)
    passes = passes_of(report.ledger)
    return _Section(
        report=report,
        simulated=is_simulated(
            report.acquisitions, report.scenes, report.detections, report.matches, report.counts
        ),
        passes=passes,
        statuses=status_counts(report.matches),
        leads=found,
        on_map=[where.km_of(*lead.lonlat) for lead in found],
        counts=count_tables(report),
        troubles=_troubles(passes, report.acquisitions),
        zones=zone_names(report),
        has_ais=bool(report.acquisitions["with_ais"].eq(True).any()),
    )


def _troubles(passes: Passes, acquisitions: pd.DataFrame) -> list[dict[str, str]]:
    """Return the passes that say nothing of ships, and those whose result stands although a later attempt failed."""
    rows = [
        {
            "when": moment(one.acquired),
            "id": one.overpass_id or "",
            "state": one.words,
            "why": one.reason or "",
        }
        for one in passes.blind
    ]
    again = acquisitions[(acquisitions["state"] == "processed") & acquisitions["later_failure"].notna()]
    rows += [
        {
            "when": moment(row["acquired"]),
            "id": row["overpass_id"],
            "state": STATE_WORDS["processed"],
            "why": f"a later attempt failed: {row['later_failure']}",
        }
        for row in again.to_dict("records")
    ]
    return sorted(rows, key=lambda row: row["when"])
