"""The page of a declared vessel: found by what it says of itself, its events, lists and tracks."""

from __future__ import annotations

import html
import re
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from roadstead.ais.identity.watchlist_files import read_watchlist
from roadstead.ais.identity.watchlists import Entry, Watchlist
from roadstead.store import Store
from tests.unit.apps.desk import builders as r
from tests.unit.builders import ACQUIRED, detections
from tests.unit.publish import builders as e
from tests.unit.store import builders as b

EVIL = '"><script>alert(1)</script>'


def static(mmsi: str, name: str | None, imo: str | None = None, **changes: object) -> pd.DataFrame:
    return b.vessels().assign(mmsi=mmsi, name=name, imo=imo, **changes)


def track(mmsi: str, lon: float, lat: float, minutes: range, knots: float = 0.1) -> pd.DataFrame:
    """Return a report every so many minutes from the overpass, at one place."""
    first = b.positions().iloc[[0]]
    rows = [
        first.assign(
            mmsi=mmsi,
            time=pd.Timestamp(ACQUIRED + timedelta(minutes=m)),
            lon=lon,
            lat=lat,
            sog_kn=knots,
            source="SIM-test",
        )
        for m in minutes
    ]
    return pd.concat(rows, ignore_index=True).astype(b.positions().dtypes)


def words(page: str, title: str) -> str:
    part = page[page.index(f"<h2>{title}") :]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(part[: part.index("</section>")])))


@pytest.fixture
def named(ana: r.Browser, store: Store) -> r.Browser:
    """Return the browser over three vessels with names and IMO numbers."""
    said = [
        static("412000001", "OCEAN TEST", "9074729"),
        static("412000002", "TEST OCEAN 2"),
        static("412000003", "100% _SAIL"),
    ]
    r.fill(store, vessels=pd.concat(said, ignore_index=True))
    return ana


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("412000001", ["412000001"]),
        ("9074729", ["412000001"]),
        ("IMO 9074729", ["412000001"]),
        ("imo9074729", ["412000001"]),
        ("ocean", ["412000001", "412000002"]),
        ("test oc", ["412000002"]),
        ("  OCEAN   test ", ["412000001"]),
        ("100%", ["412000003"]),
        ("%%", []),
        ("__", []),
        ("o", []),
        ("", []),
        ("999999999", []),
        ("1234567", []),
    ],
)
def test_a_vessel_is_found_by_mmsi_imo_or_part_of_a_name(
    named: r.Browser, asked: str, found: list[str]
) -> None:
    answer = named.get("/vessels", params={"q": asked})
    if len(found) == 1:
        assert answer.headers["location"] == f"/vessel/{found[0]}"
        return
    assert answer.status_code == 200
    assert re.findall(r'<td><a href="/vessel/(\d{9})">', answer.text) == found
    assert ("No vessel in the store" in answer.text) == (asked != "" and not found)


def test_what_is_searched_and_what_ships_are_called_is_text(ana: r.Browser, store: Store) -> None:
    two = [static("412000001", EVIL, callsign=EVIL, destination=EVIL), static("412000002", EVIL)]
    r.fill(store, vessels=pd.concat(two, ignore_index=True))
    for path in (
        "/vessel/412000001",
        "/vessels?q=alert",
        "/vessels?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    ):
        page = ana.get(path).text
        assert "<script>alert" not in page
        assert "alert(1)" in page
    assert ana.get("/vessels", params={"q": "x" * 101}).status_code == 422


def test_every_page_has_the_search(ana: r.Browser) -> None:
    for path in ("/", "/leads", "/finding/nampo/d0", "/log"):
        assert 'action="/vessels" role="search"' in ana.get(path).text


def test_calls_and_encounters_are_told_with_what_else_they_could_be(ana: r.Browser, store: Store) -> None:
    place = e.port().zones[0].polygon.representative_point()
    away = (place.x, place.y + 0.3)
    minutes = range(-240, 241, 10)
    heard = [
        track("412000001", place.x, place.y, minutes),
        track("413000002", *away, minutes),
        track("413000003", away[0] + 0.002, away[1], minutes),
    ]
    r.fill(store, positions=pd.concat(heard, ignore_index=True))
    told = words(ana.get("/vessel/412000001?events=yes").text, "Calls, gaps")
    assert " call " in told
    assert "presence is no evidence of cargo" in told
    assert "From the reports kept around 1 overpass " in told
    assert "What lies between is not kept" in told
    told = words(ana.get("/vessel/413000002?events=yes").text, "Calls, gaps")
    assert "near another vessel 413000003" in told
    assert "ships anchored near each other" in told
    assert "413000002" in words(ana.get("/vessel/413000003?events=yes").text, "Calls, gaps")


def test_what_lies_between_two_overpasses_is_no_gap(ana: r.Browser, store: Store) -> None:
    """Reports are kept around overpasses alone: silence between them is ours."""
    place = e.port().zones[0].polygon.representative_point()
    minutes = range(-120, 121, 5)
    later = ACQUIRED + timedelta(days=5)
    near = pd.concat([track(m, place.x, place.y, minutes, 5.0) for m in ("412000001", "413000002")])
    r.fill(store, positions=near.reset_index(drop=True))
    moved = near.assign(time=near["time"] + pd.Timedelta(days=5)).reset_index(drop=True)
    b.put(
        store,
        b.overpass("later", b.scene("S_LATER", later)),
        detections=detections([]),
        positions=moved,
        matches=b.matches([]),
        chips={},
    )
    told = words(ana.get("/vessel/412000001?events=yes").text, "Calls, gaps")
    assert "around 2 overpasses" in told
    assert "gap in its reports" not in told


def test_no_event_is_told_as_such(ana: r.Browser) -> None:
    assert "None is found in the reports kept." in words(
        ana.get("/vessel/412000001?events=yes").text, "Calls, gaps"
    )


def test_the_track_is_drawn_by_stretches(ana: r.Browser, store: Store) -> None:
    parts = [
        track("412000001", 125.3, 38.7, range(-300, -240, 10)),
        track("412000001", 125.31, 38.7, range(0, 60, 10)),
    ]
    r.fill(store, positions=pd.concat(parts, ignore_index=True))
    page = ana.get("/vessel/412000001").text
    assert page.count("<polyline") == 2
    assert "12 reports in 2 stretches" in words(page, "Positions near")
    assert f"{ACQUIRED:%m-%d %H:%M}</text>" in page


def listing(**changes: object) -> Watchlist:
    given = {"names": ("OCEAN TEST",), "imo": "9074729", "listed": date(2019, 1, 1), **changes}
    return Watchlist("test list", date(2020, 1, 1), "told", (Entry(**given),))  # type: ignore[arg-type]


def test_lists_are_told_as_of_the_day_it_was_heard(named: r.Browser, store: Store) -> None:
    page = named.get("/vessel/412000001").text
    assert "No list is given to this desk" in page
    for entry, expected in (
        (listing(), "listed under identifiers that agree"),
        (listing(listed=date(2021, 1, 1)), "not yet listed"),
        (listing(delisted=date(2020, 6, 1)), "delisted"),
        (listing(imo="9000003"), "another hull: the IMO numbers differ"),
        (listing(names=("OCEAN TESTS",), imo=None), "a similar name alone, no hit"),
    ):
        browser = r.Browser(r.desk(store, open=True, lists=(entry,)))
        told = words(browser.get("/vessel/412000001").text, "On lists, as of 2020-11-03")
        assert expected in told, told
        assert "before that day: later changes are not in it" in told
    none = r.Browser(r.desk(store, open=True, lists=(listing(),)))
    assert "No entry of test list" in none.get("/vessel/412000003").text


def test_a_list_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("name,imo,listed\nOCEAN TEST,9074729,2019-01-01\n")
    assert read_watchlist(f"{path}@2020-01-01").entries[0].imo == "9074729"
