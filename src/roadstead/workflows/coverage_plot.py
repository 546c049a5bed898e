"""A picture of when silence could be spoken of: one square an hour, a row a day, a panel a transmitter class."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from bokeh.embed import file_html
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, HoverTool
from bokeh.plotting import figure
from bokeh.resources import INLINE
from PIL import Image, ImageDraw

from roadstead.core.atomic_files import replacing, write_text
from roadstead.core.errors import UsageError
from roadstead.workflows.coverage import CLASSES, Coverage

_COLOURS = {"all": "#1b7837", "some": "#a6dba0", "none": "#d9d9d9"}
"""Every zone, some zones, no zone supports a statement about silence."""
_CELL, _LEFT, _TOP = 18, 96, 40


def write_plot(covered: Coverage, path: Path) -> None:
    """Write the picture as HTML or PNG, by the suffix.

    Raises:
        UsageError: another suffix.
        StoreError: the file cannot be written.
    """
    if path.suffix.lower() == ".png":
        with replacing(path) as temporary:
            _png(covered).save(temporary)
    elif path.suffix.lower() in (".html", ".htm"):
        write_text(path, _html(covered))
    else:
        raise UsageError(f"--plot {path}: name a .html or .png file")


def cells(covered: Coverage, ais_class: str) -> pd.DataFrame:
    """Return a row per hour: ``day``, ``of_day``, ``state`` (all, some, none), ``why`` and ``colour``."""
    rows = covered.hours[covered.hours["ais_class"] == ais_class]
    hours = rows.groupby("hour")
    share = hours["supported"].mean()
    why = hours["reason"].agg(lambda codes: ", ".join(sorted(set(codes.dropna()))))
    state = share.map(lambda part: "all" if part == 1.0 else "some" if part > 0.0 else "none")
    when = pd.DatetimeIndex(share.index)
    return pd.DataFrame(
        {
            "day": when.strftime("%Y-%m-%d"),
            "of_day": when.hour,
            "state": state.to_numpy(),
            "why": why.to_numpy(),
            "colour": [_COLOURS[name] for name in state],
        }
    )


def _title(covered: Coverage, ais_class: str) -> str:
    told = covered.summary()[f"class_{ais_class.lower()}"]
    label = " SIMULATED" if covered.simulated else ""
    share = (
        "none asked" if told["share"] is None else f"{told['share']:.0%} of {told['zone_hours']} zone-hours"
    )
    return f"{covered.port}{label}, Class {ais_class}: silence could be spoken of in {share}"


def _html(covered: Coverage) -> str:
    plots = []
    for name in CLASSES:
        table = cells(covered, name)
        days = list(dict.fromkeys(table["day"]))
        plot = figure(
            title=_title(covered, name), y_range=days[::-1], height=80 + 20 * len(days), width=760, tools=""
        )
        plot.rect(
            "of_day", "day", 0.9, 0.9, color="colour", legend_group="state", source=ColumnDataSource(table)
        )
        plot.add_tools(HoverTool(tooltips=[("day", "@day"), ("hour (UTC)", "@of_day"), ("why not", "@why")]))
        plot.add_layout(plot.legend[0], "right")
        plots.append(plot)
    return str(file_html(column(*plots), INLINE, f"AIS coverage of {covered.port}"))


def _png(covered: Coverage) -> Image.Image:
    tables = [cells(covered, name) for name in CLASSES]
    heights = [_TOP + _CELL * table["day"].nunique() for table in tables]
    image = Image.new("RGB", (max(_LEFT + _CELL * 24 + 20, 640), sum(heights) + 40), "white")
    draw, top = ImageDraw.Draw(image), 0
    for name, table, height in zip(CLASSES, tables, heights, strict=True):
        draw.text((8, top + 8), _title(covered, name), fill="black")
        days = {day: n for n, day in enumerate(dict.fromkeys(table["day"]))}
        for day, n in days.items():
            draw.text((8, top + _TOP + n * _CELL + 3), day, fill="black")
        for day, hour, colour in zip(table["day"], table["of_day"], table["colour"], strict=True):
            x, y = _LEFT + int(hour) * _CELL, top + _TOP + days[day] * _CELL
            draw.rectangle((x, y, x + _CELL - 2, y + _CELL - 2), fill=colour)
        top += height
    for n, (state, colour) in enumerate(_COLOURS.items()):
        draw.rectangle((8 + n * 120, top + 16, 22 + n * 120, top + 30), fill=colour)
        draw.text((28 + n * 120, top + 17), f"{state} zones", fill="black")
    return image
