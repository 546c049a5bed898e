"""The chart of a count series, with intervals, and gaps shown as gaps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd
from bokeh.layouts import column
from bokeh.models import (
    ColumnDataSource,
    CustomJS,
    HoverTool,
    LayoutDOM,
    NumeralTickFormatter,
    Select,
)
from bokeh.plotting import figure

from roadstead.core.wording import number
from roadstead.publish.charts.count_svg import MARKERS
from roadstead.publish.palette import CLASS_LOOKS
from roadstead.publish.report.data import PortReport, ReportData
from roadstead.publish.report.rows import SHOWN_CLASSES, zone_names
from roadstead.publish.report.series import ALL_ZONES, gaps, observed_series, zones_by_traffic

_TIP = """
<div style="font:13px/1.45 system-ui,sans-serif;padding:2px 4px"><b>@when UTC</b><br>@words</div>
"""
_SHOW = """
for (const [name, source] of Object.entries(shown)) source.data = {...all[this.value][name]}
"""


def series_chart(report: PortReport, data: ReportData, simulated: bool) -> LayoutDOM:
    """Return the chart and its zone selector."""
    zones = [ALL_ZONES, *zones_by_traffic(report.counts)]
    tables = {zone: _columns(report, data, zone) for zone in zones}
    shown = {name: ColumnDataSource(values) for name, values in tables[ALL_ZONES].items()}
    plot = _frame(data, simulated, report)
    _gap_bands(plot, shown["gaps"])
    points = [_points(plot, kind, shown[kind]) for kind in SHOWN_CLASSES]
    plot.add_tools(HoverTool(renderers=points, tooltips=_TIP, visible=False))
    names = zone_names(report)
    options = [(z, names.get(z, z) if z else "all zones that were seen") for z in zones]
    select = Select(
        title="Zone", options=options, value=ALL_ZONES, sizing_mode="stretch_width", max_width=420
    )
    select.js_on_change("value", CustomJS(args={"shown": shown, "all": tables}, code=_SHOW))
    return column(select, plot, sizing_mode="stretch_width")


def _frame(data: ReportData, simulated: bool, report: PortReport) -> figure:
    plot = figure(
        name=f"series-{report.port.slug}",
        title=f"{report.name}{': SIMULATED DATA' if simulated else ''}",
        x_axis_type="datetime",
        x_range=(data.start, data.end),
        sizing_mode="stretch_width",
        height=320,
        tools="xpan,xwheel_zoom,reset,save",
        y_axis_label="hulls, with 90 % interval",
    )
    plot.toolbar.logo = None
    plot.y_range.start = 0
    plot.y_range.only_visible = True
    plot.xgrid.visible = False
    plot.yaxis.formatter = NumeralTickFormatter(format="0")
    return plot


def _columns(report: PortReport, data: ReportData, zone: str) -> dict[str, dict[str, list[Any]]]:
    """Return the columns of every data source of the chart, JSON-ready, for one zone."""
    series = observed_series(report.counts, zone).dropna(subset="value")
    step = (data.end - data.start) / 160
    columns: dict[str, dict[str, list[Any]]] = {}
    for place, kind in enumerate(SHOWN_CLASSES, start=-1):
        part = series[series["class"] == kind]
        columns[kind] = {
            "x": [_ms(t + place * step) for t in part["acquired"]],
            "value": part["value"].tolist(),
            "low": part["low"].tolist(),
            "high": part["high"].tolist(),
            "when": [f"{t:%Y-%m-%d %H:%M}" for t in part["acquired"]],
            "words": [_words(kind, row) for row in part.to_dict("records")],
            "filled": [1.0 if row["zones_seen"] == row["zones"] else 0.0 for row in part.to_dict("records")],
        }
    columns["gaps"] = _gap_columns(report, zone, step)
    return columns


def _ms(time: pd.Timestamp) -> float:
    return time.timestamp() * 1000.0


def _words(kind: str, row: dict[Any, Any]) -> str:
    seen = "" if row["zones"] == 1 else f"; {row['zones_seen']} of {row['zones']} zones seen"
    interval = f"{number(row['low'])}–{number(row['high'])}"
    return f"{CLASS_LOOKS[kind].label}: {number(row['value'])} [{interval}]{seen}"


def _gap_columns(report: PortReport, zone: str, step: timedelta) -> dict[str, list[Any]]:
    found = gaps(report, zone)
    return {
        "left": [_ms(t - 2 * step) for t in found["acquired"]],
        "right": [_ms(t + 2 * step) for t in found["acquired"]],
        "middle": [_ms(t) for t in found["acquired"]],
        "why": found["why"].tolist(),
    }


def _gap_bands(plot: figure, source: ColumnDataSource) -> None:
    band = {"fill_color": "#ECEEF1", "line_color": None, "hatch_pattern": "/", "hatch_color": "#B8BEC7"}
    plot.vstrip("left", "right", source=source, **band, hatch_weight=0.6, hatch_scale=8.0)
    plot.text(
        "middle",
        0.0,
        "why",
        source=source,
        angle=1.5708,
        x_offset=5,
        y_offset=-8,
        text_font_size="12px",
        text_color="#333A44",
    )


def _points(plot: figure, kind: str, source: ColumnDataSource) -> Any:  # noqa: ANN401 - a glyph renderer
    look = CLASS_LOOKS[kind]
    plot.segment("x", "low", "x", "high", source=source, line_color=look.colour, line_width=2)
    for end in ("low", "high"):
        plot.scatter("x", end, source=source, marker="dash", size=10, line_color=look.colour, line_width=2)
    return plot.scatter(
        "x",
        "value",
        source=source,
        marker=MARKERS[kind],
        size=11,
        fill_color=look.colour,
        fill_alpha="filled",
        line_color=look.colour,
        line_width=2,
    )
