"""The report in a real browser: nothing is fetched, everything is drawn and answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page

from roadstead.publish import write_report
from tests.integration import desks
from tests.unit.publish import builders as e
from tests.unit.store import builders as b

pytestmark = pytest.mark.browser
browser = desks.chrome
BARGE, BULK_CARRIER = (230, 159, 0), (0, 114, 178)


@dataclass
class Seen:
    """What a page asked for and complained about."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    evil = b.vessels().assign(name="</script><img src=http://192.0.2.1/x onerror=alert(1)>")
    return write_report(tmp_path_factory.mktemp("report") / "report.html", e.report_data(vessels=evil))


def opened(browser: Browser, report: Path, width: int = 1280) -> tuple[Page, Seen]:
    seen = Seen()

    def dialog_opened(dialog: Dialog) -> None:
        seen.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def said(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            seen.complaints.append(message.text)

    page = browser.new_page(viewport={"width": width, "height": 900})
    page.set_default_timeout(20_000)
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.on("dialog", dialog_opened)
    page.on("console", said)
    page.goto(report.as_uri())
    page.wait_for_function("window.roadstead.model('map-nampo')?.inner_width > 0")
    page.wait_for_timeout(500)
    return page, seen


@pytest.fixture(scope="module")
def wide(browser: Browser, report: Path) -> Iterator[tuple[Page, Seen]]:
    """One window for all tests that leave the page's size alone."""
    page, seen = opened(browser, report)
    yield page, seen
    page.close()


def test_no_host_is_asked_for_anything_and_nothing_goes_wrong(wide: tuple[Page, Seen], report: Path) -> None:
    _, seen = wide
    outside = [
        url for url in seen.requests if not url.startswith(("data:", "blob:")) and url != report.as_uri()
    ]
    assert outside == []
    assert seen.complaints == []


def test_it_is_labelled_simulated_wherever_one_looks(wide: tuple[Page, Seen]) -> None:
    page, _ = wide
    for place in ("header", "#method", "#provenance"):
        page.locator(place).scroll_into_view_if_needed()
        box = page.get_by_role("alert").bounding_box()
        assert box is not None
        assert 0 <= box["y"] < 900


def test_a_lead_is_shown_on_the_map_at_its_overpass_true_to_shape(wide: tuple[Page, Seen]) -> None:
    page, _ = wide
    page.evaluate(f"window.roadstead.model('overpass-nampo').value = '{e.BLIND}'")
    page.evaluate("document.querySelectorAll('details.lead').forEach((lead) => { lead.open = true; })")
    page.locator("details.lead", has_text="no AIS partner").get_by_role("button").click()
    page.wait_for_timeout(800)
    shown = page.evaluate(
        """(() => {
            const map = window.roadstead.model("map-nampo");
            return {overpass: window.roadstead.model("overpass-nampo").value,
                    x: (map.x_range.end - map.x_range.start) / map.inner_width,
                    y: (map.y_range.end - map.y_range.start) / map.inner_height};
        })()"""
    )
    assert shown["overpass"] == e.SEEN
    assert shown["x"] == pytest.approx(shown["y"], rel=1e-3), "one scale for both axes"
    rows, columns = np.nonzero(near(picture(page), BULK_CARRIER, 30))
    length_px, beam_px = np.ptp(columns) + 1, np.ptp(rows) + 1
    # The hull of e.hull: 348 m long and 67 m broad.
    assert length_px * shown["x"] == pytest.approx(0.348, abs=0.02)
    assert beam_px * shown["y"] == pytest.approx(0.067, abs=0.02)


def picture(page: Page) -> np.ndarray:
    """Return the map as drawn: uint8 RGB [H, W, 3]."""
    shot = page.locator("[aria-label^='Map of Nampo']").screenshot()
    return np.asarray(Image.open(BytesIO(shot)).convert("RGB"))


def near(image: np.ndarray, colour: tuple[int, int, int], within: int) -> np.ndarray:
    return np.abs(image.astype(int) - colour).max(axis=2) <= within


def point_at_lead(page: Page, words: str, colour: tuple[int, int, int]) -> None:
    """Show a lead on the map and move the pointer onto its hull."""
    page.evaluate("document.querySelectorAll('details.lead').forEach((lead) => { lead.open = true; })")
    page.locator("details.lead", has_text=words).get_by_role("button").click()
    page.wait_for_timeout(800)
    rows, columns = np.nonzero(near(picture(page), colour, 30))
    frame = page.locator("[aria-label^='Map of Nampo']").bounding_box()
    assert frame is not None
    page.mouse.move(frame["x"] + columns.mean(), frame["y"] + rows.mean())
    page.wait_for_timeout(600)


def test_pointing_at_a_hull_tells_what_is_known_of_it(wide: tuple[Page, Seen]) -> None:
    page, _ = wide
    point_at_lead(page, "no AIS partner", BULK_CARRIER)
    assert page.locator(".bk-tooltip-content, .bk-Tooltip").get_by_text("bulk carrier 70 %").is_visible()


def test_a_name_from_ais_is_shown_as_text_and_never_runs(wide: tuple[Page, Seen]) -> None:
    page, seen = wide
    point_at_lead(page, "with a conflict", BARGE)
    assert page.locator(".bk-tooltip-content, .bk-Tooltip").get_by_text("onerror=alert(1)").is_visible()
    assert seen.complaints == []
    assert not [url for url in seen.requests if "192.0.2.1" in url]


def test_another_zone_changes_the_series(wide: tuple[Page, Seen]) -> None:
    page, _ = wide
    before = page.locator("[aria-label^='Hulls observed at Nampo']").screenshot()
    page.locator("[aria-label^='Hulls observed at Nampo'] select").select_option(label="quay")
    page.wait_for_timeout(500)
    assert page.locator("[aria-label^='Hulls observed at Nampo']").screenshot() != before


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_window(browser: Browser, report: Path, width: int) -> None:
    page, _ = opened(browser, report, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_print_unfolds_everything(wide: tuple[Page, Seen]) -> None:
    page, _ = wide
    page.pdf()
    assert page.evaluate("[...document.querySelectorAll('details')].every((part) => part.open)")


def test_every_picture_has_words(wide: tuple[Page, Seen]) -> None:
    page, _ = wide
    assert page.evaluate("[...document.images].every((image) => image.alt.length > 10)")
    assert page.evaluate(
        "[...document.querySelectorAll('.chart')].every((c) => c.getAttribute('aria-label'))"
    )
