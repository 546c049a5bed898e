"""The map of a port: picture, coast, zones, hulls, declared positions and what is said of each under the pointer."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from bokeh.layouts import column, row
from bokeh.models import (
    BoxZoomTool,
    ColumnDataSource,
    CustomJS,
    GlyphRenderer,
    HoverTool,
    LayoutDOM,
    Select,
    WheelZoomTool,
)
from bokeh.plotting import figure
from markupsafe import Markup, escape
from shapely.geometry.base import BaseGeometry

from roadstead.core.wording import chance, finding_chance, moment, place_words, worded
from roadstead.publish.palette import CLASS_LOOKS, KIND_LOOKS, STATUS_LOOKS
from roadstead.publish.report.data import LocalMap, PortReport, ReportData, data_uri, local_map, quicklook_px
from roadstead.publish.report.rows import (
    Row,
    class_words,
    declared_of,
    length_words,
    vessel_words,
    zone_names,
)
from roadstead.publish.wording import passes_of

WIDTH_PX = 1080
COAST_TOLERANCE_KM = 0.02
MARGIN_KM = 1.0
ZONE_MARGIN_KM = 0.3
SMALLEST_VIEW_KM = 2.0
LABELLED_SHARE = 0.15
"""Zones this wide against the port are named on the map; others are named in the zoom list."""
LABELS_NEED_PX = 700
"""On narrower maps labels would lie on each other."""
_WATER, _LAND, _SHORE, _EDGE = "#DCE7EE", "#E9E5DC", "#B9AF97", "#0D2233"
_TIP = """
<div style="max-width:320px;font:13px/1.45 system-ui,sans-serif;padding:2px 4px">
<b>@title</b><br>@lines{safe}</div>
"""
_SHOW = """
for (const [name, renderers] of Object.entries(groups))
  for (const renderer of renderers) renderer.visible = name === this.value
"""


@dataclass(frozen=True)
class _View:
    """A plot and what is drawn on it."""

    plot: figure
    where: LocalMap
    report: PortReport
    data: ReportData


def port_map(report: PortReport, data: ReportData, simulated: bool) -> LayoutDOM:
    """Return the map with its two selectors: overpass, and zone to zoom to."""
    where = local_map(report.port.bounds)
    view = _View(_frame(report, where, simulated), where, report, data)
    _land(view)
    groups = {overpass: _overpass(view, overpass) for overpass in _overpasses(report)}
    _zones(view)
    controls = row(_overpass_select(report, groups), _zone_select(view), sizing_mode="stretch_width")
    return column(controls, view.plot, sizing_mode="stretch_width")


def _overpasses(report: PortReport) -> list[str]:
    """Return the overpasses that were read, oldest first."""
    read = report.acquisitions[report.acquisitions["state"] != "failed"]
    return [str(name) for name in read.sort_values("acquired")["overpass_id"]]


def _frame(report: PortReport, where: LocalMap, simulated: bool) -> figure:
    whole = _padded(where.box(report.port.bounds), MARGIN_KM)
    west, south, east, north = whole
    plot = figure(
        name=f"map-{report.port.slug}",
        title=f"{report.name}{': SIMULATED DATA' if simulated else ''}",
        sizing_mode="scale_width",
        width=WIDTH_PX,
        height=int(np.clip(WIDTH_PX * (north - south) / (east - west) + 60, 440, 800)),
        min_height=320,
        x_range=(west, east),
        y_range=(south, north),
        x_axis_label="km east of the port's centre",
        y_axis_label="km north",
        tools="pan,reset,save",
        background_fill_color=_WATER,
    )
    plot.add_tools(BoxZoomTool(match_aspect=True), WheelZoomTool(zoom_on_axis=False))
    plot.toolbar.logo = None
    plot.grid.visible = False
    resized = CustomJS(args={"plot": plot, "whole": whole}, code="window.roadstead.resized(plot, ...whole)")
    plot.js_on_change("inner_width", resized)
    plot.js_on_change("inner_height", resized)
    return plot


def _land(view: _View) -> None:
    """Draw land under the pictures and its outline over them."""
    if view.report.coast is None:
        return
    west, south, east, north = view.report.port.bounds
    frame = shapely.box(west - 0.15, south - 0.15, east + 0.15, north + 0.15)
    near = view.where.place(shapely.intersection(view.report.coast, frame)).simplify(COAST_TOLERANCE_KM)
    source = _polygons([near])
    view.plot.multi_polygons("xs", "ys", source=source, fill_color=_LAND, line_color=None, level="image")
    view.plot.multi_polygons("xs", "ys", source=source, fill_color=None, line_color=_SHORE, line_width=1.0)


def _polygons(geometries: list[BaseGeometry]) -> ColumnDataSource:
    """Return (multi)polygons as Bokeh's nested lists: polygons of rings, the outer one first."""
    xs: list[Any] = []
    ys: list[Any] = []
    for geometry in geometries:
        parts = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]
        rings = [[shapely.get_coordinates(r).round(3) for r in (p.exterior, *p.interiors)] for p in parts]
        xs.append([[ring[:, 0].tolist() for ring in polygon] for polygon in rings])
        ys.append([[ring[:, 1].tolist() for ring in polygon] for polygon in rings])
    return ColumnDataSource({"xs": xs, "ys": ys})


def _zones(view: _View) -> None:
    """Draw zone outlines on a dark edge, so that they show on water and on quays; name the large ones."""
    for kind, look in KIND_LOOKS.items():
        shapes = [view.where.place(zone.polygon) for zone in view.report.port.zones if zone.kind == kind]
        if shapes:
            outline = {"xs": "xs", "ys": "ys", "source": _polygons(shapes), "fill_color": None}
            view.plot.multi_polygons(**outline, line_color=_EDGE, line_alpha=0.6, line_width=3.6)
            view.plot.multi_polygons(**outline, line_color=look.colour, line_width=1.7, line_dash=look.dash)
    _zone_labels(view)


def _zone_labels(view: _View) -> None:
    names = zone_names(view.report)
    west, _, east, _ = view.report.port.bounds
    spots = []
    for zone in view.report.port.zones:
        left, _, right, top = zone.polygon.bounds
        if right - left >= LABELLED_SHARE * (east - west):
            spots.append((*view.where.km_of((left + right) / 2, top), names[zone.id]))
    x, y, text = zip(*spots, strict=True) if spots else ((), (), ())
    style = {"text_color": "#FFFFFF", "background_fill_color": _EDGE, "background_fill_alpha": 0.55}
    labels = view.plot.text(
        list(x),
        list(y),
        list(text),
        **style,
        text_align="center",
        text_font_size="12px",
        padding=3,
        y_offset=-5,
    )
    hide = f"labels.visible = this.inner_width > {LABELS_NEED_PX}"
    view.plot.js_on_change("inner_width", CustomJS(args={"labels": labels}, code=hide))


def _overpass(view: _View, overpass_id: str) -> list[GlyphRenderer]:
    """Add one overpass, hidden; return what is shown with it."""
    hulls, marks = _hulls(view, overpass_id), _marks(view, overpass_id)
    # Every hull has its mark, so marks alone tell; each is drawn twice, and its second renderer answers.
    view.plot.add_tools(HoverTool(renderers=marks[1::2], tooltips=_TIP, visible=False))
    drawn = [*_picture(view, overpass_id), *hulls, *marks]
    for renderer in drawn:
        renderer.visible = False
    return drawn


def _picture(view: _View, overpass_id: str) -> list[GlyphRenderer]:
    if overpass_id not in view.report.quicklooks:
        return []
    quicklook = view.report.quicklooks[overpass_id]
    west, south, east, north = view.where.box(quicklook.bounds)
    place = {"x": west, "y": north, "w": east - west, "h": north - south, "anchor": "top_left"}
    longest_px = quicklook_px(sum(len(report.quicklooks) for report in view.data.ports))
    return [view.plot.image_url(url=[data_uri(quicklook.image, longest_px)], **place, level="image")]


def _hulls(view: _View, overpass_id: str) -> list[GlyphRenderer]:
    """Draw oriented boxes in true shape, coloured by class."""
    own = view.report.detections[view.report.detections["overpass_id"] == overpass_id]
    if own.empty:
        return []
    rings = [shapely.get_coordinates(view.where.place(box))[:-1].round(4) for box in own.geometry]
    source = {
        "xs": [ring[:, 0].tolist() for ring in rings],
        "ys": [ring[:, 1].tolist() for ring in rings],
        "colour": [CLASS_LOOKS[hull_class].colour for hull_class in own["class"]],
    }
    drawn = {"fill_color": "colour", "fill_alpha": 0.35, "line_color": "colour", "line_width": 1.8}
    return [view.plot.patches("xs", "ys", source=ColumnDataSource(source), **drawn)]


def _matches(view: _View, overpass_id: str) -> list[dict[Any, Any]]:
    matches = view.report.matches
    rows: list[dict[Any, Any]] = matches[matches["overpass_id"] == overpass_id].to_dict("records")
    return rows


def _marks(view: _View, overpass_id: str) -> list[GlyphRenderer]:
    """Draw one open mark per match, shaped by status, so that the hull inside stays in view."""
    hulls = {
        hull["detection_id"]: hull
        for hull in view.report.detections.to_dict("records")
        if hull["overpass_id"] == overpass_id
    }
    matches = _matches(view, overpass_id)
    drawn = []
    for status, look in STATUS_LOOKS.items():
        rows = [match for match in matches if match["status"] == status]
        if rows:
            tips = [tip(m, hulls.get(m["detection_id"]), view.report, view.data) for m in rows]
            km = view.where.km(np.array([(m["geometry"].x, m["geometry"].y) for m in rows])).round(4)
            source = {
                "x": km[:, 0],
                "y": km[:, 1],
                "title": [t for t, _ in tips],
                "lines": [s for _, s in tips],
            }
            mark = {"source": ColumnDataSource(source), "marker": look.marker, "size": 14, "fill_color": None}
            drawn.append(view.plot.scatter("x", "y", **mark, line_color=_EDGE, line_width=4.4))
            drawn.append(view.plot.scatter("x", "y", **mark, line_color=look.colour, line_width=2.2))
    return drawn


def _overpass_select(report: PortReport, groups: Mapping[str, list[GlyphRenderer]]) -> Select:
    found = report.detections["overpass_id"].value_counts()
    # The overpass with most hulls is what a reader wants to see first.
    first = max(groups, key=lambda name: int(found.get(name, 0)), default="")
    for renderer in groups.get(first, []):
        renderer.visible = True
    times = dict(zip(report.acquisitions["overpass_id"], report.acquisitions["acquired"], strict=True))
    blind = {one.overpass_id: one.words for one in passes_of(report.ledger).blind}
    select = Select(
        title="Overpass",
        options=[
            (name, _label(times[name], int(found.get(name, 0)), blind.get(name)))
            for name in reversed(list(groups))
        ],
        value=first,
        name=f"overpass-{report.port.slug}",
        sizing_mode="stretch_width",
    )
    select.js_on_change("value", CustomJS(args={"groups": dict(groups)}, code=_SHOW))
    return select


def _label(acquired: Any, hulls: int, blind: str | None) -> str:  # noqa: ANN401 - a cell
    return f"{moment(acquired)}, {blind or f'{hulls} hulls found'}"


def _zone_select(view: _View) -> Select:
    names = zone_names(view.report)
    zones = sorted(view.report.port.zones, key=lambda zone: names[zone.id])
    boxes = {"": _padded(view.where.box(view.report.port.bounds), MARGIN_KM)}
    boxes |= {zone.id: _padded(view.where.box(zone.polygon.bounds), ZONE_MARGIN_KM) for zone in zones}
    select = Select(
        title="Zoom to",
        options=[("", "whole port"), *((zone.id, f"{names[zone.id]} ({zone.kind})") for zone in zones)],
        value="",
        sizing_mode="stretch_width",
    )
    code = "window.roadstead.fit(plot, ...boxes[this.value])"
    select.js_on_change("value", CustomJS(args={"plot": view.plot, "boxes": boxes}, code=code))
    return select


def _padded(box: tuple[float, float, float, float], by: float) -> list[float]:
    west, south, east, north = box
    across = max((SMALLEST_VIEW_KM - (east - west)) / 2, by)
    down = max((SMALLEST_VIEW_KM - (north - south)) / 2, by)
    return [round(v, 3) for v in (west - across, south - down, east + across, north + down)]


def tip(match: Row, hull: Row | None, report: PortReport, data: ReportData) -> tuple[str, str]:
    """Return (title, HTML lines) of a match and of its hull, if it has one."""
    lines = [*_hull_lines(hull), *_match_lines(match, hull, report, data), *_place_lines(match, hull)]
    return STATUS_LOOKS[match["status"]].label, _html(lines)


def _hull_lines(hull: Row | None) -> Iterator[str]:
    if hull is not None:
        yield class_words(hull)
        yield f"length {hull['length_m']:.0f} m, {length_words(hull)}"


def _match_lines(match: Row, hull: Row | None, report: PortReport, data: ReportData) -> Iterator[str]:
    p_vessel = None if hull is None else hull["p_vessel"]
    told, meaning = finding_chance(match["status"], match["reasons"], match["probability"], p_vessel)
    yield f"{meaning}: {chance(told)}"
    if match["mmsi"]:
        yield vessel_words(match["mmsi"], declared_of(report.vessels, match["mmsi"], None))
    yield from worded(match["conflicts"], data.conflicts)
    yield from worded(match["reasons"], data.reasons)


def _place_lines(match: Row, hull: Row | None) -> Iterator[str]:
    yield place_words(match["geometry"].x, match["geometry"].y)
    if hull is not None:
        yield f"id {hull['detection_id']}"


def _html(lines: list[str]) -> str:
    """Return lines as HTML; names come from AIS, so from anybody, and are escaped."""
    short = (textwrap.shorten(line, 240, placeholder=" ...") for line in lines)
    return str(Markup("<br>").join(escape(line) for line in short))
