"""The chart of a count series for the report, where it can be zoomed and switched from zone to zone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

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

from roadstead.counting.series import CHARTED, CountPoint, CountSeries
from roadstead.publish.charts import BAND, HATCH, MARKERS
from roadstead.publish.palette import CLASS_LOOKS
from roadstead.publish.report.data import PortReport, ReportData
from roadstead.publish.report.rows import report_series, zone_names, zones_by_traffic

_ALL_ZONES = ""
"""Their value in the list of zones."""
_TIP = """
<div style="font:13px/1.45 system-ui,sans-serif;padding:2px 4px"><b>@when UTC</b><br>@words</div>
"""
_SHOW = """
for (const [name, source] of Object.entries(shown)) source.data = {...all[this.value][name]}
"""


def series_chart(report: PortReport, data: ReportData, simulated: bool) -> LayoutDOM:
    """Return the chart and its zone selector."""
    step = (data.end - data.start) / 160
    zones = zones_by_traffic(report.counts)
    tables = {zone: _columns(report_series(report, zone or None), step) for zone in (_ALL_ZONES, *zones)}
    shown = {name: ColumnDataSource(values) for name, values in tables[_ALL_ZONES].items()}
    plot = _frame(data, simulated, report)
    _gap_bands(plot, shown["gaps"])
    points = [_points(plot, kind, shown[kind]) for kind in CHARTED]
    plot.add_tools(HoverTool(renderers=points, tooltips=_TIP, visible=False))
    names = zone_names(report)
    options = [(_ALL_ZONES, "all zones that were seen"), *((zone, names.get(zone, zone)) for zone in zones)]
    select = Select(
        title="Zone", options=options, value=_ALL_ZONES, sizing_mode="stretch_width", max_width=420
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


def _columns(series: CountSeries, step: timedelta) -> dict[str, dict[str, list[Any]]]:
    """Return the columns of every data source of the chart, JSON-ready; ``step`` is half the room of a gap."""
    columns = {
        kind: _point_columns([point for point in series.points if point.hull_class == kind], place * step)
        for place, kind in enumerate(CHARTED, start=-1)
    }
    columns["gaps"] = {
        "left": [_ms(gap.acquired - 2 * step) for gap in series.gaps],
        "right": [_ms(gap.acquired + 2 * step) for gap in series.gaps],
        "middle": [_ms(gap.acquired) for gap in series.gaps],
        "why": [gap.why for gap in series.gaps],
    }
    return columns


def _point_columns(points: Sequence[CountPoint], shift: timedelta) -> dict[str, list[Any]]:
    return {
        "x": [_ms(point.acquired + shift) for point in points],
        **{name: [getattr(point, name) for point in points] for name in ("value", "low", "high")},
        "when": [f"{point.acquired:%Y-%m-%d %H:%M}" for point in points],
        "words": [f"{CLASS_LOOKS[point.hull_class].label}: {point.words}" for point in points],
        "filled": [1.0 if point.whole else 0.0 for point in points],
    }


def _ms(time: datetime) -> float:
    return time.timestamp() * 1000.0


def _gap_bands(plot: figure, source: ColumnDataSource) -> None:
    band = {"fill_color": BAND, "line_color": None, "hatch_pattern": "/", "hatch_color": HATCH}
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
