"""The desk in a real browser: log in, review by keyboard, correct, undo; nothing is asked of any other host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from roadstead.store import Store
from tests.integration import desks
from tests.integration.desks import press, running
from tests.unit.apps.desk import builders as r
from tests.unit.store import builders as b

pytestmark = pytest.mark.browser
chrome = desks.chrome
EVIL = "</title><script>alert(1)</script><img src=http://192.0.2.1/x onerror=alert(2)>"


@dataclass
class Desk(desks.Desk):
    """A desk that is served, and its store."""

    store: Store = field(kw_only=True)

    def decided(self) -> list[tuple[str, str]]:
        chain = r.desk(self.store).decisions
        return [(row.finding, row.kind) for row in reversed(chain.newest(100))]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Desk]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        r.fill(store, vessels=b.vessels().assign(name=EVIL))
        r.people(store)
        with running(r.desk(store)) as address:
            yield Desk(address, store=store)


def opened(chrome: Browser, desk: Desk, width: int = 1366, height: int = 800) -> Page:
    return desk.opened(chrome, width, height)


def log_in(page: Page, desk: Desk, path: str = "/leads", name: str = "ana") -> None:
    desk.log_in(page, name, path)


def at(page: Page) -> str:
    return page.url.split("?")[0].rsplit("/", 1)[-1]


def test_leads_are_reviewed_corrected_and_taken_back_by_keyboard(chrome: Browser, served: Desk) -> None:
    page = opened(chrome, served)
    log_in(page, served)
    assert page.locator(".row.chosen").count() == 1
    for key in "jjjk":
        page.keyboard.press(key)
    press(page, "Enter")
    assert at(page) == "d3"
    press(page, "ArrowRight")
    assert at(page) == "d0"
    press(page, "k")
    assert at(page) == "d3"
    press(page, "a")
    assert at(page) == "d0"
    press(page, "r")
    assert at(page) == "d4"
    press(page, "x")
    assert at(page) == "d5"
    page.keyboard.press("c")
    page.get_by_label("It looks like").select_option("barge")
    page.locator(".correct textarea").fill("r a j: keys are text here")
    page.locator(".correct").get_by_role("button").click()
    page.wait_for_url("**/d6?*")
    press(page, "u")
    assert at(page) == "d5"
    assert page.get_by_text("Undecided.").is_visible()
    expected = [
        ("d3", "accepted"),
        ("d0", "rejected"),
        ("d4", "rejected"),
        ("d5", "corrected"),
        ("d5", "undone"),
    ]
    assert served.decided() == expected
    press(page, "l")
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    assert served.decided() == expected, "no key decides behind the help"
    press(page, "a")
    assert served.decided()[-1] == ("d1", "accepted")
    assert "/leads" in page.url
    assert served.complaints == []
    outside = [url for url in served.asked if not url.startswith(served.address + "/")]
    assert outside == []
    assert any(".webp" in url for url in served.asked)


def test_names_from_ais_and_notes_never_run(chrome: Browser, served: Desk) -> None:
    page = opened(chrome, served)
    log_in(page, served, "/finding/nampo/d1")
    page.locator(".decision textarea").first.fill(EVIL)
    press_accept = page.get_by_role("button", name="Accept")
    with page.expect_navigation():
        press_accept.click()
    for path in ("/finding/nampo/d1", "/vessel/412000001", "/log"):
        page.goto(served.address + path)
        assert page.get_by_text("alert(2)").first.is_visible()
    assert served.complaints == []
    assert not [url for url in served.asked if "192.0.2.1" in url]


@pytest.mark.parametrize("width", [1366, 390])
def test_every_page_fits_its_window_and_every_picture_has_words(
    chrome: Browser, served: Desk, width: int
) -> None:
    page = opened(chrome, served, width)
    log_in(page, served)
    for path in (
        "/",
        "/leads",
        "/finding/nampo/d0",
        "/finding/nampo/d1",
        "/vessel/412000001",
        "/precision",
        "/log",
    ):
        page.goto(served.address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate(
            """[...document.images].every((i) => i.hasAttribute('alt')
            && (i.loading === 'lazy' || (i.complete && i.naturalWidth)))"""
        )
        named = "[...document.querySelectorAll('svg[role=img]')].every((s) => s.getAttribute('aria-label'))"
        assert page.evaluate(named)
        assert page.get_by_role("alert").first.is_visible() or path in ("/precision", "/log")
    assert served.complaints == []


def test_the_box_is_drawn_over_the_bright_hull(chrome: Browser, served: Desk) -> None:
    page = opened(chrome, served)
    log_in(page, served, "/finding/nampo/d0")
    frame = page.locator(".stack > svg").bounding_box()
    box = page.locator(".stack polygon").last.bounding_box()
    assert frame is not None
    assert box is not None
    scale = frame["width"] / 64
    # builders.chip draws the hull in columns 15 to 50 and rows 29 to 36.
    assert (box["x"] - frame["x"]) / scale == pytest.approx(15, abs=1.5)
    assert (box["y"] - frame["y"]) / scale == pytest.approx(29, abs=1.5)


def test_print_leaves_out_what_one_presses(chrome: Browser, served: Desk) -> None:
    page = opened(chrome, served)
    log_in(page, served, "/finding/nampo/d0")
    page.emulate_media(media="print")
    assert not page.get_by_role("button", name="Accept").is_visible()
    assert page.get_by_text("SIMULATED DATA").is_visible()
    shown: Any = page.pdf()
    assert len(shown) > 10_000
