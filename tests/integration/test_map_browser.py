"""The map in a real browser: it is drawn, can be used by pointer and keyboard, and asks no other host for anything."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from roadstead.apps import desk as review
from roadstead.imagery.picture_styles import MASK_LOOKS
from roadstead.store import Store
from tests.integration import desks
from tests.integration.desks import running
from tests.unit.apps.desk import builders as r
from tests.unit.apps.desk import scenes as s
from tests.unit.store import builders as b

pytestmark = pytest.mark.browser
chrome = desks.chrome


@dataclass
class Desk(desks.Desk):
    """A desk that is served, and where its files lie."""

    folder: Path = field(kw_only=True)


def serve(store: Store, folder: Path, desk: review.Desk) -> Iterator[Desk]:
    r.people(store)
    with running(desk) as address:
        yield Desk(address, folder=folder)


@pytest.fixture
def leads(tmp_path: Path) -> Iterator[Desk]:
    """Serve eight findings whose scene lies nowhere, of two overpasses, beside the coast of Nampo."""
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        r.fill(store)
        later = b.overpass("nampo_s2_20201201T022541", b.scene("S2A_LATER", r.NOW))
        key = {"overpass_id": later.overpass_id}
        own = r.hulls().iloc[:1].assign(detection_id="late", **key)
        b.put(
            store,
            later,
            detections=own,
            matches=r.matches().iloc[:1].assign(detection_id="late", **key),
            chips={},
        )
        yield from serve(store, tmp_path, r.desk(store))


@pytest.fixture
def scenes(tmp_path: Path) -> Iterator[Desk]:
    """Serve two overpasses whose scenes lie on disk."""
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        s.fill(store, tmp_path / "items")
        yield from serve(store, tmp_path, s.desk(store))


def opened(chrome: Browser, desk: Desk, path: str, width: int = 1280) -> Page:
    page = desk.opened(chrome, width)
    page.set_default_timeout(40_000)
    desk.give_password(page, "ana", path)
    at_rest(page)
    return page


def until(page: Page, holds: str) -> None:
    """Wait until an expression holds; Playwright's own wait evaluates strings, which the page's policy refuses."""
    end = time.monotonic() + 40.0
    while not page.evaluate(holds):
        assert time.monotonic() < end, f"{holds}: {page.locator('#picture').inner_text()}"
        page.wait_for_timeout(50)


def at_rest(page: Page) -> None:
    """Wait until the map is drawn, its number is told and the picture below is settled."""
    page.wait_for_selector("#map[data-ready]")
    until(page, "document.querySelector('#count').textContent.includes('shown')")
    until(page, "document.querySelector('#picture').textContent")
    until(page, "roadsteadMap.loaded() && roadsteadMap.areTilesLoaded() && !roadsteadMap.isMoving()")
    page.wait_for_timeout(300)


def canvas(page: Page) -> np.ndarray:
    """Return what the map shows, RGB [H, W, 3]."""
    with Image.open(BytesIO(page.locator("#map canvas").screenshot())) as shown:
        return np.asarray(shown.convert("RGB"))


def drawn(page: Page) -> set[str]:
    """Return the findings that are drawn."""
    found = page.evaluate(
        "roadsteadMap.queryRenderedFeatures({layers: ['findings']}).map((f) => f.properties.f)"
    )
    return set(found)


def point_of(page: Page, lon: float, lat: float) -> tuple[float, float]:
    x, y = page.evaluate(
        "([x, y]) => { const p = roadsteadMap.project([x, y]); return [p.x, p.y]; }", [lon, lat]
    )
    box = page.locator("#map canvas").bounding_box()
    assert box is not None
    return box["x"] + x, box["y"] + y


def test_the_map_is_drawn_and_a_click_says_what_lies_there(chrome: Browser, leads: Desk) -> None:
    page = opened(chrome, leads, "/map")
    expected = {*(f"d{i}" for i in range(7)), f"413000002@{b.OVERPASS_ID}", "late"}
    for _ in range(
        100
    ):  # without a graphics card the first picture may come long after the map calls itself loaded
        shown = canvas(page)
        triangle = (np.abs(shown.astype(int) - (0xD5, 0x5E, 0x00)).sum(axis=2) < 30).any()
        if triangle and drawn(page) == expected:
            break
        page.wait_for_timeout(200)
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 50, "a blank canvas has one colour"
    assert triangle, "no triangle of a lead"
    assert drawn(page) == expected
    page.mouse.click(*point_of(page, 125.25, 38.67))
    page.wait_for_selector("#card[data-finding=d1]")
    assert "matched to AIS" in page.locator("#card").inner_text()
    assert leads.complaints == []  # the finding's page complains of scenes that are gone
    page.get_by_role("link", name="Open the finding").click()
    page.wait_for_url("**/finding/nampo/d1")
    assert not [words for words in leads.complaints if "Failed to load resource" not in words]
    assert leads.outside() == []
    assert [url for url in leads.asked if ".mvt" in url and url.startswith(leads.address)]


def test_time_is_stepped_and_slid_by_keyboard_and_filters_leave_what_they_say(
    chrome: Browser, leads: Desk
) -> None:
    page = opened(chrome, leads, "/map")
    assert page.locator("#count").inner_text() == "9 of 9 findings shown"
    page.keyboard.press("j")
    until(page, "document.querySelector('#count').textContent.startsWith('1 of 9')")
    at_rest(page)
    assert drawn(page) == {"late"}
    page.keyboard.press("k")
    until(page, "document.querySelector('#count').textContent.startsWith('8 of 9')")
    at_rest(page)
    assert "late" not in drawn(page)
    assert "from=" in page.url
    page.get_by_role("slider", name="To").focus()
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('#count').textContent.startsWith('9 of 9')")
    page.locator("select[name=status]").select_option("unseen")
    until(page, "document.querySelector('#count').textContent.startsWith('1 of 9')")
    at_rest(page)
    assert drawn(page) == {f"413000002@{b.OVERPASS_ID}"}
    page.reload()
    at_rest(page)
    assert drawn(page) == {f"413000002@{b.OVERPASS_ID}"}, "the address holds the filters"
    assert leads.complaints == []


def test_a_finding_is_chosen_by_keyboard_alone(chrome: Browser, leads: Desk) -> None:
    page = opened(chrome, leads, "/map")
    page.locator("#in-view button").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#card[data-finding]")
    until(page, "document.activeElement.closest('#card')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#card') !== null")
    assert leads.complaints == []


def test_a_scene_that_cannot_be_read_is_said_and_is_no_empty_sea(chrome: Browser, leads: Desk) -> None:
    page = opened(chrome, leads, "/map?finding=d0")
    assert "cannot be read again" in page.locator("#picture").inner_text()
    assert "picture in the store" in page.locator("#picture").inner_text()
    page.get_by_label("Picture below").select_option("nir")
    until(page, "document.querySelector('#picture').textContent.includes('not empty water')")
    assert page.locator("#card[data-finding=d0]").is_visible()
    assert leads.complaints == []


def test_pictures_lie_below_in_three_looks_at_their_place(chrome: Browser, scenes: Desk) -> None:
    page = opened(chrome, scenes, "/map")
    frame = page.locator("#map canvas").bounding_box()
    assert frame is not None

    def colour(col: float, row: float) -> tuple[int, ...]:
        x, y = point_of(page, *s.lonlat(col, row))
        return tuple(int(v) for v in canvas(page)[int(y - frame["y"]), int(x - frame["x"])])

    land, water, nothing = colour(20, 30), colour(140, 30), colour(180, 30)
    assert land[0] > water[0] + 60
    assert nothing == (0xE7, 0xEB, 0xEF), "what was not imaged stays the map's ground"
    page.get_by_label("Picture below").select_option("mask")
    until(page, "document.querySelector('#picture').textContent.includes('mask')")
    at_rest(page)
    assert colour(140, 30) == MASK_LOOKS["water"].rgb
    assert colour(20, 30) == MASK_LOOKS["land"].rgb
    assert colour(100, 130) == MASK_LOOKS["cloud"].rgb
    assert page.locator("#mask-legend").is_visible()
    assert scenes.complaints == []
    assert scenes.outside() == []


def test_a_picture_that_is_lost_meanwhile_is_said(chrome: Browser, scenes: Desk) -> None:
    page = opened(chrome, scenes, "/map")
    shutil.rmtree(scenes.folder / "items")
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_label("Picture below").select_option("nir")
    until(page, "document.querySelector('#picture').textContent.includes('could not be read')")
    assert "nothing is known of the water" in page.locator("#picture").inner_text()
    assert scenes.outside() == []


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_window_and_prints(chrome: Browser, leads: Desk, width: int) -> None:
    page = opened(chrome, leads, "/map", width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(media="print")
    assert not page.get_by_role("button", name="Zoom in").is_visible()
    assert page.get_by_text("SIMULATED DATA").is_visible()
    assert page.locator("#map canvas").is_visible()
    assert leads.complaints == []
