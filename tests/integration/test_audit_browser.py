"""The audit in a real browser: a cell boxed by mouse, one by keyboard alone, one without ships; results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from roadstead.store import AuditCell, Audits, Store
from roadstead.workflows.audit import draw_cells
from tests.integration import desks
from tests.integration.desks import press, running
from tests.integration.test_review_browser import Desk, log_in, opened
from tests.unit.apps.desk import builders as r
from tests.unit.audit import builders as a

pytestmark = pytest.mark.browser
chrome = desks.chrome


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Desk]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        a.put(store, a.write_image(tmp_path))
        r.people(store)
        draw_cells(store, [a.port()], 20, 1, a.NOW)
        with running(r.desk(store, ports={"nampo": a.port()})) as address:
            yield Desk(address, store=store)


def with_one_ship(store: Store) -> tuple[AuditCell, np.ndarray]:
    """Return a cell that shows one ship of 150 m, and the ship's corners in its picture."""
    for cell in Audits(store).cells():
        boxes = [box for box in a.boxed(cell, a.SHIPS) if box.length_m == 150.0]
        if len(a.boxed(cell, a.SHIPS)) == 1 and boxes and not cell.second:
            return cell, np.array(json.loads(boxes[0].pixels))
    raise AssertionError("no cell shows one ship")


def on_screen(page: Page, cell: AuditCell, col: float, row: float) -> tuple[float, float]:
    """Return where a pixel of the picture is on the screen, scrolled into view."""
    page.evaluate(
        "([x, y]) => { const v = document.querySelector('.draw-view'), s = v.querySelector('svg');"
        "const k = s.getBoundingClientRect().width / s.viewBox.baseVal.width;"
        "v.scrollTo(x * k - v.clientWidth / 2, y * k - v.clientHeight / 2); v.scrollIntoView({block: 'center'}); }",
        [col, row],
    )
    frame = page.locator("svg.draw").bounding_box()
    assert frame is not None
    scale = frame["width"] / cell.width
    return frame["x"] + col * scale, frame["y"] + row * scale


def test_a_ship_is_boxed_by_mouse(chrome: Browser, served: Desk) -> None:
    cell, corners = with_one_ship(served.store)
    page = opened(chrome, served, 1280)
    log_in(page, served, f"/audit/{cell.cell}")
    bow, stern = corners[:2].mean(0), corners[2:].mean(0)
    page.mouse.move(*on_screen(page, cell, *bow))
    page.mouse.down()
    page.mouse.move(*on_screen(page, cell, *(bow + stern) / 2))
    page.mouse.move(*on_screen(page, cell, *stern))
    page.mouse.up()
    page.get_by_role("button", name="Bulk carrier").click()
    assert "bulk carrier, 150 m long" in page.locator("[data-draw-status]").inner_text()
    assert page.get_by_role("button", name="No ship here").is_disabled()
    with page.expect_navigation():
        page.get_by_role("button", name="Submit these boxes").click()
    (answer,) = Audits(served.store).answers(cell.cell)[cell.cell]
    (box,) = answer.boxes
    assert box.hull_class == "bulk_carrier"
    assert box.length_m == pytest.approx(150, abs=8)
    (truth,) = a.boxed(cell, a.SHIPS)
    assert box.geometry.intersection(truth.geometry).area / box.geometry.union(truth.geometry).area > 0.7
    assert served.complaints == []
    assert [url for url in served.asked if not url.startswith(served.address + "/")] == []


def test_a_ship_is_boxed_by_keyboard_alone(chrome: Browser, served: Desk) -> None:
    cell, corners = with_one_ship(served.store)
    page = opened(chrome, served, 1280)
    log_in(page, served, f"/audit/{cell.cell}")
    picture = page.get_by_role("application")
    for _ in range(60):
        page.keyboard.press("Tab")
        if picture.evaluate("e => e === document.activeElement"):
            break
    page.keyboard.press("n")
    made = json.loads(page.locator("input[name=boxes]").input_value())
    col, row = corners.mean(0) - np.mean(made[0]["box"], axis=0)
    for key, steps in (("ArrowRight", col), ("ArrowLeft", -col), ("ArrowDown", row), ("ArrowUp", -row)):
        for _ in range(round(max(steps, 0))):
            page.keyboard.press(key)
    for key in ["Shift+ArrowUp"] * 7 + ["}"] * 2 + ["2"]:
        page.keyboard.press(key)
    submit = page.get_by_role("button", name="Submit these boxes")
    for _ in range(60):
        page.keyboard.press("Tab")
        if submit.evaluate("e => e === document.activeElement"):
            break
    press(page, "Enter")
    (answer,) = Audits(served.store).answers(cell.cell)[cell.cell]
    (truth,) = a.boxed(cell, a.SHIPS)
    (box,) = answer.boxes
    assert box.hull_class == "bulk_carrier"
    assert box.geometry.intersection(truth.geometry).area / box.geometry.union(truth.geometry).area > 0.5
    assert served.complaints == []


def test_cells_without_ships_are_answered_one_after_the_other_and_results_are_shown(
    chrome: Browser, served: Desk
) -> None:
    page = opened(chrome, served, 1280)
    log_in(page, served, "/audit")
    with page.expect_navigation():
        page.get_by_role("link", name="Box ships in the next cell").click()
    seen = set()
    while "/audit/" in page.url:
        assert page.url not in seen
        seen.add(page.url)
        assert page.get_by_role("button", name="Submit these boxes").is_disabled()
        with page.expect_navigation():
            page.get_by_role("button", name="No ship here").click()
    assert page.get_by_role("status").inner_text().startswith("Your answer is written")
    page.get_by_role("link", name="What the audits say").click()
    assert page.get_by_text("Recall here not measured").is_visible()
    assert served.complaints == []


@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_fit_their_window_and_name_what_they_show(
    chrome: Browser, served: Desk, width: int
) -> None:
    cell, _ = with_one_ship(served.store)
    a.answer_all(served.store)
    page = opened(chrome, served, width)
    log_in(page, served, "/audit")
    for path in ("/audit", "/audit/results"):
        page.goto(served.address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.goto(f"{served.address}/audit/{cell.cell}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.get_by_role("application", name="Picture of the cell").is_visible()
    assert page.get_by_role("alert").first.is_visible()
    assert served.complaints == []
