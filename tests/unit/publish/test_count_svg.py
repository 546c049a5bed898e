"""Charts of counts: where their times are named."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from roadstead.counting.series import CountPoint, CountSeries, Gap, series_of
from roadstead.publish.charts import frame_of, series_svg


def _series(days: int) -> CountSeries:
    first = datetime(2024, 5, 1, 2, 25, tzinfo=UTC)
    points = (
        CountPoint(first + timedelta(days=n), f"o{n}", "barge", "all", 3.0, 1.0, 5.0, 2, 2)
        for n in range(days)
    )
    return series_of(points, [])


@pytest.mark.parametrize("days", [1, 7, 60, 400])
def test_a_day_is_named_where_it_begins_and_names_do_not_touch(days: int) -> None:
    series = _series(days)
    frame = frame_of([series])
    assert frame is not None
    drawn = series_svg(series, {"barge": "#000000"}, "Barges")
    named = re.findall(r'<text x="([\d.]+)"[^>]*>(\d\d \w{3} \d{4})</text>', drawn)
    assert named
    for x, name in named:
        begins = datetime.strptime(name, "%d %b %Y").replace(tzinfo=UTC)
        assert float(x) == pytest.approx(frame.x(begins), abs=0.06)
        assert 30 <= float(x) <= frame.width - 30
    places = [float(x) for x, _ in named]
    assert all(later - earlier >= 75 for earlier, later in pairwise(places))


FIRST = datetime(2024, 5, 1, 2, 25, tzinfo=UTC)


def _point(day: int, value: float | None, kind: str = "barge", seen: int = 2) -> CountPoint:
    low, high = (None, None) if value is None else (value - 1, value + 1)
    return CountPoint(FIRST + timedelta(days=day), f"o{day}", kind, "all", value, low, high, seen, 2)


def test_an_overpass_that_saw_no_zone_is_a_gap_and_never_a_zero() -> None:
    blind = [Gap(FIRST + timedelta(days=2), "failed")]
    series = series_of([_point(1, None, seen=0), _point(0, 3.0), _point(2, None, seen=0)], blind)
    assert [point.value for point in series.points] == [3.0]
    assert [(gap.acquired.day, gap.why) for gap in series.gaps] == [(2, "not observed"), (3, "failed")]


def test_every_pass_is_drawn_as_a_point_with_its_interval_or_as_a_hatched_band() -> None:
    series = series_of([_point(0, 3.0), _point(5, 2.0, seen=1)], [Gap(FIRST + timedelta(days=9), "<failed>")])
    drawn = series_svg(series, {"barge": "#E69F00"}, "Barges")
    assert re.findall(r"<title>([^<]*)</title>", drawn) == [
        "2024-05-10 02:25 UTC: &lt;failed&gt;",
        "2024-05-01 02:25 UTC: barge 3 [2–4]",
        "2024-05-06 02:25 UTC: barge 2 [1–3], 1 of 2 zones seen",
    ]
    assert drawn.count('width="7" height="7" fill="#E69F00"') == 1, "filled: every zone was seen"
    assert drawn.count('width="7" height="7" fill="#fff"') == 1, "hollow: only some were"
    (band,) = re.findall(r'<rect x="([\d.]+)" y="10" width="8" height="210" fill="#eceef1"/>', drawn)
    hatch = re.findall(r"M([\d.]+) ([\d.]+)l8 -8", drawn)
    assert len(hatch) > 20 and {x for x, _ in hatch} == {band}
    assert all(18 <= float(y) <= 220 for _, y in hatch), "no line leaves the band"


def test_a_series_of_nothing_has_no_chart() -> None:
    assert series_svg(series_of([], []), {}, "Nothing") == ""
