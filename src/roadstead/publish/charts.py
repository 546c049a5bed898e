"""Charts and small maps as files that need nothing else: count series in a page or alone, and one overpass.

A count series drawn once, as SVG: points with 90 % intervals, hatched bands where nothing was observed.

The desk and the brief show the SVG, the brief's PDF draws the same SVG on paper; the report's chart, which can be
zoomed and switched from zone to zone, draws the same series (`counting.series`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from io import BytesIO
from typing import Final

import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from roadstead.core.wording import moment
from roadstead.counting.series import CHARTED, CountPoint, CountSeries, Gap, count_points, series_of
from roadstead.publish.palette import CLASS_LOOKS, STATUS_LOOKS, Look
from roadstead.publish.wording import passes_of
from roadstead.store import Store

MARKERS = {"barge": "square", "bulk_carrier": "circle", "dry_cargo": "diamond"}
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 8.0, 10.0, 20.0
BAND, HATCH = "#eceef1", "#b8bec7"
"""Fill and hatch of a pass that says nothing of ships."""
_SOFT, _GRID = "#55606d", "#e3e7ec"
_BAND_WIDTH, _HATCH_STEP = 8.0, 6.0
WIDTH_PX = 900
ON_MAP_PX, IN_LEGEND_PX = 13, 7
"""Half the size of a marker: on the map the hull shows within it."""
STRIP_PX = 26
_HEAD, _FOOT, _WIDE = 34.0, 26.0, 860.0
_FONT: Final = 'font-family="system-ui, sans-serif"'


@dataclass(frozen=True)
class Frame:
    """Where a chart's times and counts lie on its area."""

    start: datetime
    end: datetime
    most: float
    width: float
    height: float

    def x(self, time: datetime) -> float:
        """Return the place of a time."""
        share = (time - self.start) / (self.end - self.start)
        return _LEFT + share * (self.width - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Return the place of a count."""
        return self.height - _BOTTOM - value / self.most * (self.height - _TOP - _BOTTOM)

    @property
    def steps(self) -> list[int]:
        """Counts that have a line."""
        step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**6) if self.most / s <= 5)
        return list(range(0, int(self.most) + 1, step))


def frame_of(series: Iterable[CountSeries], width: float = 860.0, height: float = 240.0) -> Frame | None:
    """Return the frame that holds all points and gaps of some series; None where there is neither."""
    every = list(series)
    points = [point for one in every for point in one.points]
    times = [*(point.acquired for point in points), *(gap.acquired for one in every for gap in one.gaps)]
    if not times:
        return None
    margin = max((max(times) - min(times)) * 0.03, timedelta(days=1))
    most = max((point.high or 0.0 for point in points), default=0.0)
    return Frame(min(times) - margin, max(times) + margin, max(most * 1.08, 2.0), width, height)


def series_svg(
    series: CountSeries, colours: Mapping[str, str], title: str, frame: Frame | None = None
) -> str:
    """Return the chart; every text in it is escaped. Empty where the series holds nothing.

    Args:
        series: of one or several classes; those of one overpass stand side by side.
        colours: class -> ``#rrggbb``.
        title: what it shows, for who cannot see it.
        frame: of another chart to share its axes with, or of another size.
    """
    frame = frame or frame_of([series])
    if frame is None:
        return ""
    parts = [
        f'<svg class="series" viewBox="0 0 {frame.width:g} {frame.height:g}" role="img" aria-label="{escape(title)}">'
    ]
    parts += [_band(frame, gap) for gap in series.gaps]
    parts += _axes(frame)
    classes = [kind for kind in CHARTED if any(point.hull_class == kind for point in series.points)]
    for place, kind in enumerate(classes):
        shift = (place - (len(classes) - 1) / 2) * 7.0
        own = [point for point in series.points if point.hull_class == kind]
        parts += [_point(frame, point, shift, colours[kind]) for point in own]
    return "".join([*parts, "</svg>"])


def _band(frame: Frame, gap: Gap) -> str:
    left, bottom = frame.x(gap.acquired) - _BAND_WIDTH / 2, frame.height - _BOTTOM
    lines = math.floor((bottom - _TOP - _BAND_WIDTH) / _HATCH_STEP)
    # Drawn line by line: no pattern of SVG comes out on paper.
    hatch = "".join(
        f"M{left:.1f} {_TOP + _BAND_WIDTH + step * _HATCH_STEP:.1f}l{_BAND_WIDTH:g} {-_BAND_WIDTH:g}"
        for step in range(lines + 1)
    )
    return (
        f"<g><title>{escape(f'{moment(gap.acquired)}: {gap.why}')}</title>"
        f'<rect x="{left:.1f}" y="{_TOP:g}" width="{_BAND_WIDTH:g}" height="{bottom - _TOP:g}" fill="{BAND}"/>'
        f'<path d="{hatch}" stroke="{HATCH}" stroke-width="0.8" fill="none"/></g>'
    )


def _axes(frame: Frame) -> list[str]:
    parts = []
    for value in frame.steps:
        y = frame.y(value)
        parts.append(
            f'<path d="M{_LEFT:g} {y:.1f}H{frame.width - _RIGHT:g}" stroke="{_GRID if value else _SOFT}"/>'
            f'<text x="{_LEFT - 5:g}" y="{y + 4:.1f}" text-anchor="end" font-size="11" fill="{_SOFT}">{value}</text>'
        )
    for time in _midnights(frame):
        parts.append(
            f'<path d="M{frame.x(time):.1f} {frame.y(0):.1f}v4" stroke="{_SOFT}"/>'
            f'<text x="{frame.x(time):.1f}" y="{frame.height - 5:g}" text-anchor="middle" font-size="11" '
            f'fill="{_SOFT}">{time:%d %b %Y}</text>'
        )
    return parts


def _midnights(frame: Frame) -> list[datetime]:
    """Return beginnings of days (UTC) to name below the chart, as far apart as their names need."""
    room = frame.width - _LEFT - _RIGHT
    days = (frame.end - frame.start) / timedelta(days=1)
    apart = max(1, math.ceil(days * 85.0 / room))
    first = frame.start.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    times = [first + timedelta(days=apart * step) for step in range(math.ceil(days / apart) + 1)]
    margin = 32.0  # half of a name
    return [time for time in times if margin <= frame.x(time) <= frame.width - margin]


def _point(frame: Frame, point: CountPoint, shift: float, colour: str) -> str:
    x, y = frame.x(point.acquired) + shift, frame.y(point.value or 0.0)
    low, high = frame.y(point.low or 0.0), frame.y(point.high or 0.0)
    fill = colour if point.whole else "#fff"
    shape = {
        "square": f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"',
        "circle": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"',
        "diamond": f'<path d="M{x:.1f} {y - 5:.1f}L{x + 5:.1f} {y:.1f} {x:.1f} {y + 5:.1f} {x - 5:.1f} {y:.1f}Z"',
    }[MARKERS[point.hull_class]]
    words = f"{moment(point.acquired)}: {point.hull_class.replace('_', ' ')} {point.words}"
    return (
        f'<g stroke="{colour}" stroke-width="1.8"><title>{escape(words)}</title>'
        f'<path d="M{x:.1f} {low:.1f}V{high:.1f}M{x - 3:.1f} {low:.1f}h6M{x - 3:.1f} {high:.1f}h6" fill="none"/>'
        f'{shape} fill="{fill}"/></g>'
    )


def overpass_map(store: Store, port: str, overpass_id: str, caption: str) -> bytes | None:
    """Return the picture of an overpass as WebP, north up, every match marked by its status; None where there is none.

    Where anything in it is simulated the caption begins with SIMULATED.
    """
    picture = store.quicklook(port, overpass_id)
    tried = store.acquisitions(port)
    row = tried[tried["overpass_id"] == overpass_id]
    if picture is None or row.empty:
        return None
    pixels, (west, south, east, north) = picture
    image = Image.fromarray(pixels)
    image = image.resize((WIDTH_PX, max(1, round(WIDTH_PX * image.height / image.width))))
    at = row["acquired"].iloc[0].to_pydatetime()
    matches = store.matches(port, at, at + timedelta(microseconds=1))
    matches = matches[matches["overpass_id"] == overpass_id]
    draw = ImageDraw.Draw(image)
    for status, x, y in zip(matches["status"], matches.geometry.x, matches.geometry.y, strict=True):
        column = (x - west) / (east - west) * image.width
        line = (north - y) / (north - south) * image.height
        _mark(draw, STATUS_LOOKS[status], column, line, ON_MAP_PX)
    simulated = bool(row["simulated"].eq(True).any()) or bool(matches["simulated"].any())
    shown = _with_legend(
        image, ("SIMULATED. " if simulated else "") + caption, sorted(set(matches["status"]))
    )
    buffer = BytesIO()
    shown.save(buffer, "WEBP", quality=80)
    return buffer.getvalue()


def _mark(draw: ImageDraw.ImageDraw, look: Look, x: float, y: float, s: int) -> None:
    """Draw a marker with a dark rim, so that it shows on water and land alike."""
    shapes = {
        "square": [(x - s, y - s), (x + s, y - s), (x + s, y + s), (x - s, y + s)],
        "triangle": [(x, y - s), (x + s, y + s), (x - s, y + s)],
        "diamond": [(x, y - s), (x + s, y), (x, y + s), (x - s, y)],
        "x": [(x - s, y - s), (x + s, y + s), (x, y), (x + s, y - s), (x - s, y + s), (x, y)],
        "hex": [
            (x - s, y),
            (x - s / 2, y - s),
            (x + s / 2, y - s),
            (x + s, y),
            (x + s / 2, y + s),
            (x - s / 2, y + s),
        ],
    }
    for colour, width in (("#1b2430", 5), (look.colour, 2)):
        if look.marker in shapes:
            corners = shapes[look.marker]
            draw.line([*corners, corners[0], corners[1]], fill=colour, width=width, joint="curve")
        else:
            draw.ellipse([x - s, y - s, x + s, y + s], outline=colour, width=width)


def _with_legend(image: Image.Image, caption: str, statuses: list[str]) -> Image.Image:
    """Return the picture with the caption above it and what the markers mean below it."""
    font = ImageFont.load_default(14)
    whole = Image.new("RGB", (image.width, image.height + 2 * STRIP_PX), "white")
    whole.paste(image, (0, STRIP_PX))
    draw = ImageDraw.Draw(whole)
    draw.text((6, 5), caption, fill="black", font=font)
    left, line = 14.0, whole.height - STRIP_PX / 2
    for status in statuses:
        look = STATUS_LOOKS[status]
        _mark(draw, look, left, line, IN_LEGEND_PX)
        draw.text((left + 12, line - 8), look.label, fill="black", font=font)
        left += 40 + draw.textlength(look.label, font=font)
    return whole


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
