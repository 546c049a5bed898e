"""Prefect's pages in a real browser, after a run that partly failed: what a person finds there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration import desks
from tests.integration.serving import Serve, write_deployments
from tests.worlds import make_world

pytestmark = pytest.mark.browser
browser = desks.chrome


def artifact(served: Serve, page: Page, key: str) -> None:
    """Open the newest artifact of a key."""
    found = served.api("POST", "/artifacts/latest/filter", {"artifacts": {"key": {"any_": [key]}}})
    page.goto(f"http://127.0.0.1:{served.port}/artifacts/artifact/{found[0]['latest_id']}")


def test_the_pages_show_map_counts_and_why_an_overpass_failed_and_ask_nobody_else(
    browser: Browser, tmp_path: Path
) -> None:
    world, home = make_world(tmp_path / "world"), tmp_path / "home"
    blue = world.items[0].parent / "blue.tif"
    blue.write_bytes(blue.read_bytes()[:3000])
    write_deployments(home, world, ais=[str(world.ais)])
    with Serve(home) as served:
        run = served.trigger("watch-port", "testport")
        served.wait_for(run, "FAILED", "COMPLETED", "CRASHED", "CANCELLED")
        page, elsewhere = browser.new_page(), list[str]()
        ours = re.compile(rf"(data:|blob:|(http|ws)://127\.0\.0\.1:{served.port}/)")
        page.on("request", lambda asked: None if ours.match(asked.url) else elsewhere.append(asked.url))

        page.goto(f"http://127.0.0.1:{served.port}/")
        expect(page).to_have_url(re.compile("/dashboard"), timeout=60_000)
        page.goto(f"http://127.0.0.1:{served.port}/runs/flow-run/{run}")
        expect(page.get_by_text("PartlyFailed").first).to_be_visible(timeout=60_000)
        words = page.get_by_text(
            re.compile(r"1 failed; the others are done:.*S2B_TEST_1.*blue\.tif", re.DOTALL)
        )
        expect(words.first).to_be_visible(timeout=60_000)
        assert "Traceback" not in page.inner_text("body")

        artifact(served, page, "map-testport")
        picture = page.locator("img[src^='data:image/webp']")
        expect(picture).to_be_visible(timeout=60_000)
        assert picture.evaluate("image => image.complete && image.naturalWidth") == 900
        expect(page.get_by_text("never a verdict").first).to_be_visible()

        artifact(served, page, "counts-testport")
        expect(page.get_by_text("no AIS partner").first).to_be_visible(timeout=60_000)
        artifact(served, page, "failures-testport")
        expect(page.get_by_text("1 failed at testport").first).to_be_visible(timeout=60_000)
        expect(page.get_by_text("blue.tif").first).to_be_visible()
        assert elsewhere == []
        assert served.stop() == 0
