"""A count series as one SVG file: the chart of `count_svg` with a title, a key and the word SIMULATED."""

from __future__ import annotations

from html import escape
from typing import Final

import pandas as pd

from roadstead.counting.count_series import CHARTED, CountSeries, count_points, series_of
from roadstead.publish.charts.count_svg import frame_of, series_svg
from roadstead.publish.palette import CLASS_LOOKS
from roadstead.publish.passes import passes_of

_HEAD, _FOOT, _WIDE = 34.0, 26.0, 860.0
_FONT: Final = 'font-family="system-ui, sans-serif"'


def count_file(counts: pd.DataFrame, ledger: pd.DataFrame, title: str) -> str:
    """Return the chart of what was observed over all zones: points with 90 % intervals, bands where nothing was.

    Args:
        counts: `schemas.COUNTS` of one port.
        ledger: `schemas.LEDGER` of the same port and range.
        title: words above the chart; SIMULATED is added where any count is.

    Raises:
        ValueError: neither holds a pass with a time, so there is nothing to draw.
    """
    series = series_of(count_points(counts), passes_of(ledger).gaps)
    frame = frame_of([series])
    if frame is None:
        raise ValueError("there is no pass with a time in these counts, so nothing to draw")
    words = f"{title} (SIMULATED)" if bool(counts["simulated"].any()) else title
    colours = {name: look.colour for name, look in CLASS_LOOKS.items()}
    chart = series_svg(series, colours, words, frame).replace(
        "<svg ", f'<svg width="{frame.width:g}" height="{frame.height:g}" ', 1
    )
    height = _HEAD + frame.height + _FOOT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE:g} {height:g}" {_FONT}>'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="34" y="22" font-size="15" font-weight="600">{escape(words)}</text>'
        f'<g transform="translate(0 {_HEAD:g})">{chart}</g>{_key(series, height - 8)}</svg>\n'
    )


def _key(series: CountSeries, y: float) -> str:
    """Return the classes shown, each in its colour, and what a band is."""
    shown = [name for name in CHARTED if any(point.hull_class == name for point in series.points)]
    words = [(CLASS_LOOKS[name].colour, CLASS_LOOKS[name].label) for name in shown]
    words += [("#55606d", "lines: 90 % interval; hatched bands: not observed, which is not zero")]
    spans = (f'<tspan fill="{colour}" dx="14">{escape(label)}</tspan>' for colour, label in words)
    return f'<text x="20" y="{y:g}" font-size="12">{"".join(spans)}</text>'
