"""An analyst's morning at the desk, as one story in a real browser over a simulated world; see docs/review.md.

``ROADSTEAD_SCREENS=docs/images/desk`` keeps the screenshots there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.integration.desks import Desk, Morning
from tests.integration.test_report_browser import FLAGS
from tests.integration.tools import chromium

pytestmark = [pytest.mark.browser, pytest.mark.qgis]


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Morning:
    """Return a store with yesterday's overpasses and three people."""
    made = Morning(tmp_path_factory.mktemp("morning"))
    made.simulate()
    made.watch("2020-10-05", "2020-10-12")
    made.people(ana="analyst", bob="analyst", vic="viewer")
    return made


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield launched
        launched.close()


def screen(page: Page, name: str) -> None:
    """Keep what is shown, where asked to."""
    folder = os.environ.get("ROADSTEAD_SCREENS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png")


def press(page: Page, key: str) -> None:
    """Press a key that leads to another page, and wait for it."""
    with page.expect_navigation():
        page.keyboard.press(key)


def test_a_morning(chrome: Browser, morning: Morning) -> None:
    with morning.served() as desk:
        page = desk.opened(chrome)
        desk.log_in(page, "ana")
        page.get_by_role("button", name="Log out").click()
        morning.watch("2020-10-12", "2020-10-13")
        see_what_changed(desk, page)
        review_twenty_leads(desk, page)


def see_what_changed(desk: Desk, page: Page) -> None:
    desk.log_in(page, "ana")
    assert page.get_by_text("overpasses stored since your last visit").is_visible()
    screen(page, "overview")


def review_twenty_leads(desk: Desk, page: Page) -> None:
    press(page, "l")
    screen(page, "leads")
    page.keyboard.press("j")
    page.keyboard.press("k")
    press(page, "Enter")
    screen(page, "finding")
    for key in ["a", "r", "x", "a"] * 5:
        press(page, key)
    assert not desk.outside()
    assert not desk.complaints
