"""Charts of counts: where their times are named."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from roadstead.counting.points import CountPoint
from roadstead.publish.charts.count_svg import frame_of, series_svg


def _points(days: int) -> list[CountPoint]:
    first = datetime(2024, 5, 1, 2, 25, tzinfo=UTC)
    return [
        CountPoint(first + timedelta(days=n), f"o{n}", "barge", "all", 3.0, 1.0, 5.0, 2, 2)
        for n in range(days)
    ]


@pytest.mark.parametrize("days", [1, 7, 60, 400])
def test_a_day_is_named_where_it_begins_and_names_do_not_touch(days: int) -> None:
    points = _points(days)
    frame = frame_of(points, [])
    assert frame is not None
    drawn = series_svg(points, [], {"barge": "#000000"}, "Barges")
    named = re.findall(r'<text x="([\d.]+)"[^>]*>(\d\d \w{3} \d{4})</text>', drawn)
    assert named
    for x, name in named:
        begins = datetime.strptime(name, "%d %b %Y").replace(tzinfo=UTC)
        assert float(x) == pytest.approx(frame.x(begins), abs=0.06)
        assert 30 <= float(x) <= frame.width - 30
    places = [float(x) for x, _ in named]
    assert all(later - earlier >= 75 for earlier, later in pairwise(places))
