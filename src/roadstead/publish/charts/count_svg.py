"""A count series drawn once, as SVG: points with 90 % intervals, hatched bands where nothing was observed.

The desk and the brief show the SVG, the brief's PDF draws the same SVG on paper; the report's chart, which can be
zoomed and switched from zone to zone, draws the same series (`counting.count_series`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from roadstead.core.wording import moment
from roadstead.counting.count_series import CHARTED, CountPoint, CountSeries, Gap

MARKERS = {"barge": "square", "bulk_carrier": "circle", "dry_cargo": "diamond"}
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 8.0, 10.0, 20.0
BAND, HATCH = "#eceef1", "#b8bec7"
"""Fill and hatch of a pass that says nothing of ships."""
_SOFT, _GRID = "#55606d", "#e3e7ec"
_BAND_WIDTH, _HATCH_STEP = 8.0, 6.0


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
