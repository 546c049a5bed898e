"""The widget that draws oriented boxes: by mouse, by finger and by keyboard alone."""

from __future__ import annotations

import json
import math
from importlib import resources
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from tests.integration import desks

pytestmark = pytest.mark.browser
chrome = desks.chrome
STATIC = resources.files("roadstead.apps.desk") / "static"
PAGE = """<!DOCTYPE html><html lang="en"><head><title>draw</title></head><body><form>
<div class="draw-view" style="width: {view}px"><svg class="draw" data-field="boxes" data-most="{most}"
 viewBox="0 0 100 80" width="400" height="320" tabindex="0" role="application" aria-label="Picture to draw on">
<rect width="100" height="80" fill="#024"/></svg></div>
<input type="hidden" name="boxes" value='{value}'>
<output data-draw-status></output>
<button type="button" data-draw="turn-right">turn</button>
<button type="button" data-draw-class="barge">barge</button>
<button data-draw-needs="some">submit</button><button data-draw-needs="none">none</button>
</form></body></html>"""


def opened(chrome: Browser, most: int = 200, value: str = "[]", view: int = 402, **context: Any) -> Page:
    page = chrome.new_context(viewport={"width": 900, "height": 700}, **context).new_page()
    page.set_content(PAGE.format(most=most, value=value, view=view))
    page.add_style_tag(content=(STATIC / "draw.css").read_text())
    page.add_script_tag(content=(STATIC / "draw.js").read_text())
    return page


def boxes(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(page.locator("input[name=boxes]").input_value())
    return found


def sizes(one: dict[str, Any]) -> tuple[float, float, float, float, float]:
    """Return middle x, y, length, width and the bearing of the bow, degrees clockwise from up."""
    bow, stern = (np.mean(part, axis=0) for part in (one["box"][:2], one["box"][2:]))
    width = math.dist(one["box"][0], one["box"][1])
    x, y = (bow + stern) / 2
    along = bow - stern
    return x, y, math.dist(bow, stern), width, math.degrees(math.atan2(along[0], -along[1])) % 360


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag between two places of the picture."""
    frame = page.locator("svg.draw").bounding_box()
    assert frame is not None
    points = [(frame["x"] + 4 * x, frame["y"] + 4 * y) for x, y in (start, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move((points[0][0] + points[1][0]) / 2, (points[0][1] + points[1][1]) / 2)
    page.mouse.move(*points[1])
    page.mouse.up()


def test_a_box_is_drawn_from_bow_to_stern_and_mended_by_mouse(chrome: Browser) -> None:
    page = opened(chrome)
    assert page.get_by_role("button", name="submit").is_disabled()
    drag(page, (50, 20), (50, 50))
    (one,) = boxes(page)
    assert sizes(one) == pytest.approx((50, 35, 30, 5, 0), abs=0.3)
    assert one["class"] == "cannot_tell"
    assert page.get_by_role("button", name="none").is_disabled()
    drag(page, (50, 35), (30, 45))
    assert sizes(boxes(page)[0]) == pytest.approx((30, 45, 30, 5, 0), abs=0.3)
    # The handle of the side makes it 8 broad, that of the bow points it to the right, its stern where it was.
    drag(page, (35.5, 45), (37, 45))
    assert sizes(boxes(page)[0])[3] == pytest.approx(8, abs=0.4)
    drag(page, (30, 30), (60, 60))
    assert sizes(boxes(page)[0]) == pytest.approx((45, 60, 30, 8, 90), abs=0.5)
    page.mouse.wheel(0, -100)
    page.get_by_role("button", name="barge").click()
    page.get_by_role("button", name="turn", exact=True).click()
    assert boxes(page)[0]["class"] == "barge"
    assert sizes(boxes(page)[0])[4] == pytest.approx(95, abs=0.5)
    drag(page, (10, 10), (20, 10))
    assert len(boxes(page)) == 2
    assert sizes(boxes(page)[1])[4] == pytest.approx(270, abs=0.5)


def test_a_box_is_drawn_and_mended_by_keyboard_alone(chrome: Browser) -> None:
    page = opened(chrome)
    page.locator("svg.draw").focus()
    page.keyboard.press("n")
    assert sizes(boxes(page)[0])[:2] == pytest.approx((50, 40), abs=0.5)
    for key in ["ArrowRight"] * 3 + ["ArrowUp"] * 2 + ["Shift+ArrowUp"] * 4 + ["]"] * 2 + ["}"] * 2 + ["2"]:
        page.keyboard.press(key)
    x, y, length, width, bearing = sizes(boxes(page)[0])
    assert (x, y, length, bearing) == pytest.approx((53, 38, 12, 10), abs=0.6)
    assert width == pytest.approx(8 / 6 + 1, abs=0.1)
    assert boxes(page)[0]["class"] == "bulk_carrier"
    page.keyboard.press("u")
    assert boxes(page)[0]["class"] == "cannot_tell"
    page.keyboard.press("n")
    page.keyboard.press(",")
    page.keyboard.press("Delete")
    assert len(boxes(page)) == 1
    page.keyboard.press("Control+z")
    assert len(boxes(page)) == 2
    assert "2 boxes" in page.locator("[data-draw-status]").inner_text()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "BUTTON", "the picture holds nobody"


def test_a_box_stays_inside_the_picture_and_no_more_are_drawn_than_may_be(chrome: Browser) -> None:
    page = opened(chrome, most=2)
    page.locator("svg.draw").focus()
    for key in ["n", *["ArrowLeft"] * 80, *["Shift+ArrowUp"] * 150, *["]"] * 7, "n", "n", "n"]:
        page.keyboard.press(key)
    drag(page, (70, 70), (90, 70))
    found = boxes(page)
    assert len(found) == 2
    corners = np.array([one["box"] for one in found])
    assert (corners >= -0.02).all()
    assert (corners <= [100.02, 80.02]).all()


def test_with_one_box_at_most_the_one_there_is_corrected(chrome: Browser) -> None:
    # The long side first, as a detection's polygon may have it.
    held = {"box": [[40, 30], [60, 30], [60, 34], [40, 34]], "class": "barge"}
    page = opened(chrome, most=1, value=json.dumps([held]))
    page.locator("svg.draw").focus()
    page.keyboard.press("ArrowDown")
    (one,) = boxes(page)
    assert sizes(one)[:4] == pytest.approx((50, 33, 20, 4), abs=0.05)
    assert one["class"] == "barge"
    drag(page, (10, 70), (30, 70))
    (drawn,) = boxes(page)
    assert sizes(drawn)[:3] == pytest.approx((20, 70, 20), abs=0.3)
    page.keyboard.press("u")
    assert boxes(page) == [one]


def touch(page: Page, *steps: tuple[str, list[tuple[float, float]]]) -> None:
    """Touch the page at places on the screen; the first finger is the first of each list."""
    client = page.context.new_cdp_session(page)
    for kind, places in steps:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_two_fingers_move_the_picture_and_draw_nothing(chrome: Browser) -> None:
    page = opened(chrome, has_touch=True, view=200)
    page.evaluate(
        "(s => { s.setAttribute('width', 800); s.setAttribute('height', 640); })"
        "(document.querySelector('svg.draw'))"
    )
    steps = [
        ("touchStart", [(60.0, 60.0)]),
        ("touchMove", [(75.0, 60.0)]),
        ("touchStart", [(75.0, 60.0), (150.0, 60.0)]),
        ("touchMove", [(75.0, 60.0), (100.0, 60.0)]),
        ("touchMove", [(75.0, 60.0), (60.0, 60.0)]),
        ("touchEnd", []),
    ]
    touch(page, *steps)
    assert page.evaluate("document.querySelector('.draw-view').scrollLeft") == pytest.approx(90, abs=3)
    assert boxes(page) == []
    touch(
        page,
        ("touchStart", [(60, 60)]),
        ("touchMove", [(70, 60)]),
        ("touchMove", [(110, 60)]),
        ("touchEnd", []),
    )
    assert len(boxes(page)) == 1, "one finger draws again"


def test_a_finger_draws_too(chrome: Browser) -> None:
    page = opened(chrome, has_touch=True)
    frame = page.locator("svg.draw").bounding_box()
    assert frame is not None
    places = [(frame["x"] + 4 * x, frame["y"] + 4 * 20) for x in (20, 30, 44)]
    touch(
        page,
        *zip(("touchStart", "touchMove", "touchMove"), ([p] for p in places), strict=True),
        ("touchEnd", []),
    )
    (one,) = boxes(page)
    assert sizes(one)[:3] == pytest.approx((32, 20, 24), abs=0.5)
