"""A finding in a real browser: its looks, a box drawn anew with the mouse, a file attached, a vessel found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from roadstead.apps import desk as review
from roadstead.core.oriented_boxes import measured
from roadstead.store import Store
from tests.integration import desks
from tests.integration.desks import running
from tests.integration.test_review_browser import Desk, log_in, opened
from tests.unit.apps.desk import builders as r
from tests.unit.apps.desk import scenes as s
from tests.unit.apps.desk.test_attach import image

pytestmark = pytest.mark.browser
chrome = desks.chrome
EVIL = "<img src=x onerror=alert(1)>"


def serving(store: Store, desk: review.Desk) -> Iterator[Desk]:
    with running(desk) as address:
        yield Desk(address, store=store)


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Desk]:
    """Serve two overpasses whose scenes lie on disk."""
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        s.fill(store, tmp_path / "items", kept_chips=True)
        r.people(store)
        yield from serving(store, s.desk(store))


@pytest.fixture
def unread(tmp_path: Path) -> Iterator[Desk]:
    """Serve a store whose scenes are gone."""
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        r.fill(store)
        r.people(store)
        yield from serving(store, r.desk(store))


def shown(page: Page) -> list[str]:
    """Return the looks that can be seen."""
    names = ("true-colour", "nir", "mask")
    return [name for name in names if page.locator(f".stack .look.{name}").is_visible()]


def loaded(page: Page, look: str) -> None:
    page.wait_for_function(
        "look => { const i = document.querySelector(`.stack .look.${look}`); return i.complete && i.naturalWidth > 0 }",
        arg=look,
    )


def test_the_looks_are_chosen_by_key_and_mouse_and_kept_in_the_address(chrome: Browser, read: Desk) -> None:
    page = opened(chrome, read)
    log_in(page, read, "/finding/nampo/d0")
    assert shown(page) == ["true-colour"]
    page.keyboard.press("n")
    loaded(page, "nir")
    assert shown(page) == ["nir"]
    assert page.url.endswith("#look=nir")
    page.get_by_label("Mask").check()
    loaded(page, "mask")
    assert shown(page) == ["mask"]
    page.keyboard.press("b")
    assert not page.locator(".stack > svg").is_visible(), "keys work after a click on a choice"
    assert page.url.endswith("#look=mask&box=off")
    page.reload()
    assert shown(page) == ["mask"]
    assert not page.locator(".stack > svg").is_visible()
    page.keyboard.press("t")
    page.keyboard.press("b")
    assert shown(page) == ["true-colour"]
    assert page.locator(".stack > svg").is_visible()
    assert "#" not in page.url
    assert read.complaints == []


def test_a_picture_that_cannot_be_read_is_said_and_is_no_empty_sea(chrome: Browser, unread: Desk) -> None:
    page = opened(chrome, unread)
    log_in(page, unread, "/finding/nampo/d0")
    words = page.get_by_text("This picture could not be read")
    assert not words.is_visible()
    page.keyboard.press("n")
    words.wait_for(state="visible")
    page.keyboard.press("t")
    words.wait_for(state="hidden")


def test_the_looks_can_be_chosen_without_any_script(chrome: Browser, read: Desk) -> None:
    page = chrome.new_context(java_script_enabled=False).new_page()
    log_in(page, read, "/finding/nampo/d0")
    page.get_by_label("Near infrared").check()
    assert shown(page) == ["nir"]
    page.get_by_role("checkbox", name="Box").uncheck()
    assert not page.locator(".stack > svg").is_visible()


def test_the_place_before_and_after_is_seen(chrome: Browser, read: Desk) -> None:
    page = opened(chrome, read)
    log_in(page, read, "/finding/nampo/d0")
    after = page.locator(".beside-looks figure").nth(2).locator("img")
    after.scroll_into_view_if_needed()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.beside-looks img')].every(i => i.naturalWidth > 0)"
    )
    assert after.evaluate("image => image.naturalWidth") == 64


@pytest.mark.parametrize("finding", ["d0", "d3"])
def test_a_box_is_moved_with_the_mouse_and_stored(chrome: Browser, unread: Desk, finding: str) -> None:
    page = opened(chrome, unread)
    log_in(page, unread, f"/finding/nampo/{finding}")
    page.get_by_text("Move or draw the box").click()
    drawing = page.locator("svg.draw")
    drawing.scroll_into_view_if_needed()
    field = page.locator('input[name="boxes"]')
    before = json.loads(field.input_value())[0]["box"]
    frame = drawing.bounding_box()
    assert frame is not None
    scale = frame["width"] / 64
    x, y = frame["x"] + frame["width"] / 2 + 4 * scale, frame["y"] + frame["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 2 * scale, y + 3 * scale, steps=5)
    page.mouse.move(x + 4 * scale, y + 6 * scale, steps=5)
    page.mouse.up()
    after = json.loads(field.input_value())[0]["box"]
    moved = [sum(p[k] for p in after) / 4 - sum(p[k] for p in before) / 4 for k in (0, 1)]
    assert moved == [pytest.approx(4, abs=0.3), pytest.approx(6, abs=0.3)]
    with page.expect_navigation():
        page.locator("form.correct > button").click()
    (row,) = r.desk(unread.store).decisions.of("nampo", finding)
    assert (row.kind, row.hull_class) == ("corrected", None)
    assert row.box is not None
    assert measured(row.box).length_m == pytest.approx(348, abs=2)
    page.goto(f"{unread.address}/finding/nampo/{finding}")
    assert page.locator(".stack polygon.drawn").is_visible()
    assert page.get_by_text("middle moved 72 m").first.is_visible()
    assert unread.complaints == []


def test_a_file_is_attached_and_an_own_picture_seen(chrome: Browser, unread: Desk, tmp_path: Path) -> None:
    path = tmp_path / f"{EVIL.replace('/', '')}.png"
    path.write_bytes(image())
    page = opened(chrome, unread)
    log_in(page, unread, "/finding/nampo/d0")
    page.get_by_text("Attach a file").click()
    page.get_by_label("File").set_input_files(path)
    page.get_by_label("Licence", exact=True).fill("CC BY 4.0")
    page.get_by_label("Source").fill(EVIL)
    page.get_by_label("What it shows").fill(EVIL)
    with page.expect_navigation():
        page.get_by_role("button", name="Attach", exact=True).click()
    picture = page.locator("#files img")
    picture.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('#files img').naturalWidth === 80")
    with page.expect_download() as download:
        page.locator("#files a[download]").click()
    assert download.value.path().read_bytes() == image()
    assert unread.complaints == []
    assert "Undecided." in page.content()


def test_a_vessel_is_found_from_any_page(chrome: Browser, unread: Desk) -> None:
    page = opened(chrome, unread)
    log_in(page, unread)
    page.get_by_role("search").get_by_role("textbox").fill("tes")
    page.keyboard.press("Enter")
    page.wait_for_url("**/vessel/412000001")
    assert page.locator("svg.chart").is_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_its_window(chrome: Browser, read: Desk, width: int) -> None:
    page = opened(chrome, read, width)
    log_in(page, read)
    for path in ("/finding/nampo/d0", "/vessels?q=te", "/vessel/412000001"):
        page.goto(read.address + path)
        for part in page.locator("details").all():
            part.evaluate("part => { part.open = true }")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
