"""The map of AIS around an overpass, and the density it draws."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from roadstead.apps.desk.context import outline
from roadstead.reconcile.density import Prediction, ellipse, log_density
from roadstead.store import Store
from tests.unit.apps.desk import builders as r
from tests.unit.builders import ACQUIRED
from tests.unit.store import builders as b


def prediction(var_along: float, var_cross: float, wide_share: float, wide_sd: float) -> Prediction:
    one = np.array([0.0])
    return Prediction(
        hull=np.array(["412000001:0"], object),
        mmsi=np.array(["412000001"], object),
        xy=np.array([[500.0, -300.0]]),
        velocity=np.array([[2.0, 1.0]]),
        var_along=np.array([var_along]),
        var_cross=np.array([var_cross]),
        wide_share=np.array([wide_share]),
        wide_sd=np.array([wide_sd]),
        heading_deg=one,
        heading_sd_deg=one,
        dt_s=one,
        snapshot=np.array([False]),
        jumped=np.array([False]),
        false_share=one,
        unsound=np.array([False]),
    )


@pytest.mark.parametrize("share", [0.5, 0.9])
@pytest.mark.parametrize(
    "given",
    [(90.0**2, 30.0**2, 0.02, 1000.0), (20.0**2, 20.0**2, 0.4, 300.0), (400.0**2, 80.0**2, 0.1, 150.0)],
)
def test_an_ellipse_holds_the_share_of_the_density_that_it_says(
    share: float, given: tuple[float, float, float, float]
) -> None:
    at = prediction(*given)
    one = ellipse(at, 0, share, 15.0)
    # The density itself, summed over a fine grid turned into the ellipse.
    side = np.linspace(-1, 1, 1001)[1::2]
    u, v = (part.ravel() for part in np.meshgrid(side, side))
    inside = u**2 + v**2 <= 1
    course = np.radians(one.course_deg)
    along, across = np.array([np.sin(course), np.cos(course)]), np.array([np.cos(course), -np.sin(course)])
    xy = np.array(one.xy) + (u * one.along_m)[:, None] * along + (v * one.cross_m)[:, None] * across
    cell = (side[1] - side[0]) ** 2 * one.along_m * one.cross_m
    density = np.exp(log_density(at, np.zeros(len(xy), np.intp), xy, np.zeros(len(xy)), 15.0))
    assert (density * inside).sum() * cell == pytest.approx(share, abs=0.004)
    edge = outline(one)
    assert np.hypot(*(edge - one.xy).T).max() == pytest.approx(max(one.along_m, one.cross_m), rel=0.01)


def reports(mmsi: str = "412000001", count: int = 13, **changes: object) -> pd.DataFrame:
    """Return reports of a vessel that sails east along 38.67 N past d1, one each 10 minutes around the overpass."""
    first = b.positions().iloc[[0]]
    rows = [
        first.assign(
            mmsi=mmsi,
            time=pd.Timestamp(ACQUIRED + timedelta(minutes=10 * (i - count // 2), seconds=30)),
            lon=125.25 + 0.006 * (i - count // 2),
            lat=38.67,
            sog_kn=1.7,
            cog_deg=90.0,
            source="SIM-test",
            **changes,
        )
        for i in range(count)
    ]
    return pd.concat(rows, ignore_index=True).astype(b.positions().dtypes)


def part(page: str) -> str:
    found = page[page.index("AIS around the overpass") :]
    return found[: found.index("</section>")]


def test_the_track_its_times_and_where_it_may_have_been_are_drawn_and_told(
    ana: r.Browser, store: Store
) -> None:
    r.fill(store, positions=reports())
    shown = part(ana.get("/finding/nampo/d1").text)
    assert len(re.findall(r"<polyline", shown)) == 1
    assert len(re.findall(r"<circle[^>]*r=\"2.6\"", shown)) == 13
    assert f"{ACQUIRED + timedelta(seconds=30):%H:%M}</text>" in shown
    assert len(re.findall(r'<polygon points="[^"]+" fill="#0072B2"', shown)) == 2
    assert "N</text>" in shown
    assert re.search(r">\d+ (m|km)</text>", shown), "a scale"
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(shown)))
    assert "412000001" in words
    told = re.search(
        r"by its reports (\d+) m from the finding at the overpass; with 50 % within ± (\d+) m", words
    )
    assert told is not None
    assert int(told[1]) < 60
    assert 5 < int(told[2]) < 200
    assert "Nearest report 0 min after." in words
    assert "no other vessels heard here" in words


def test_vessels_nearby_are_drawn_grey_and_those_far_off_not(ana: r.Browser, store: Store) -> None:
    near, far = reports("413000005"), reports("413000006").assign(lat=38.9)
    r.fill(store, positions=pd.concat([reports(), near.assign(lat=38.675), far], ignore_index=True))
    shown = part(ana.get("/finding/nampo/d1").text)
    assert "413000005" in shown
    assert "413000006" not in shown
    assert "Grey: 1 other vessel heard here" in shown
    of_another = part(ana.get("/finding/nampo/d5").text)
    assert "412000001" in of_another
    assert "#0072B2" not in of_another, "a finding that names nobody has no density"


def test_reports_older_than_three_hours_are_not_drawn(ana: r.Browser, store: Store) -> None:
    old = reports().assign(time=reports()["time"] - pd.Timedelta(hours=4))
    r.fill(store, positions=pd.concat([old, reports("413000005")], ignore_index=True))
    assert "<polyline" in part(ana.get("/finding/nampo/d1").text)
    old_time = f"{ACQUIRED - timedelta(hours=4, seconds=-30):%H:%M}"
    assert old_time not in part(ana.get("/finding/nampo/d1").text)


def test_where_no_report_is_kept_the_page_says_so(ana: r.Browser, store: Store) -> None:
    r.fill(store, positions=pd.DataFrame())
    shown = part(ana.get("/finding/nampo/d1").text)
    assert "No report is kept" in shown
    assert "That does not say that none was sent." in shown
    assert "<svg" not in shown


def test_names_from_ais_are_text_on_the_map(ana: r.Browser, store: Store) -> None:
    evil = b.vessels().assign(mmsi="413000005", name="</svg><script>alert(1)</script>")
    positions = pd.concat([reports(), reports("413000005").assign(lat=38.675)], ignore_index=True)
    r.fill(store, positions=positions, vessels=pd.concat([b.vessels(), evil], ignore_index=True))
    shown = part(ana.get("/finding/nampo/d1").text)
    assert "<script>" not in shown
    assert "&lt;/svg&gt;&lt;script" in shown


def test_a_vessel_heard_hours_ago_is_spread_wider(ana: r.Browser, store: Store) -> None:
    sizes = []
    for hours in (0, 2):
        given = reports(count=5)
        given = given.assign(time=given["time"] - pd.Timedelta(hours=hours, minutes=25))
        r.fill(store, positions=given)
        words = re.sub(r"\s+", " ", part(ana.get("/finding/nampo/d1").text))
        told = re.search(r"with 90 % within ± ([0-9.]+) (m|km)", words)
        assert told is not None
        sizes.append(float(told[1]) * (1000 if told[2] == "km" else 1))
    assert sizes[1] > 2 * sizes[0]
