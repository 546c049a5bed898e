"""Every page of the desk is held against axe-core's rules (WCAG 2.1 A and AA, and best practice)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.integration.test_review_browser import Desk, chrome, log_in, opened, served  # noqa: F401 - fixtures

pytestmark = pytest.mark.browser
PAGES = [
    "/",
    "/leads",
    "/finding/nampo/d0",
    "/finding/nampo/d1",
    "/finding/nampo/d0/release",
    "/map",
    "/released",
]
PAGES += [
    "/vessels?q=tes",
    "/vessel/412000001?events=yes",
    "/precision",
    "/audit",
    "/audit/results",
    "/log",
    "/people",
]
PAGES += ["/nowhere"]


@pytest.fixture
def page(chrome: Browser, served: Desk) -> Iterator[Page]:  # noqa: F811 - a fixture
    shown = opened(chrome, served)
    log_in(shown, served, "/", "ada")
    yield shown
    shown.context.close()


def faults(page: Page) -> list[str]:
    """Return one line for each element at fault."""
    found = Axe().run(page).response["violations"]
    return [f"{page.url}: {rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


def test_no_page_has_a_fault(page: Page, served: Desk) -> None:  # noqa: F811 - a fixture
    told = []
    for path in PAGES:
        page.goto(served.address + path)
        told += faults(page)
    assert not told, "\n".join(told)


def test_neither_have_the_pages_before_login(chrome: Browser, served: Desk) -> None:  # noqa: F811 - fixtures
    shown = opened(chrome, served)
    shown.goto(f"{served.address}/login")
    assert not faults(shown)


def test_a_fault_would_be_found(page: Page) -> None:
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<input><img src=/static/icon.svg>')"
    )
    assert {line.split(": ")[1] for line in faults(page)} >= {"image-alt", "label"}
