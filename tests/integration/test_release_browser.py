"""Two people release a finding in real browsers, and a reply, a correction and a retraction follow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from roadstead.store import Decisions, Store
from tests.integration import desks
from tests.integration.desks import fill_in_request, running
from tests.integration.test_review_browser import EVIL, Desk, log_in, opened
from tests.unit.apps.desk import builders as r
from tests.unit.apps.desk import releasing as q
from tests.unit.store import builders as b

pytestmark = pytest.mark.browser
chrome = desks.chrome


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Desk]:
    with Store.open(f"sqlite:///{tmp_path / 'store.sqlite'}") as store:
        r.fill(store, vessels=b.vessels().assign(name=EVIL))
        r.people(store)
        with running(q.desk(store, tmp_path / "ais")) as address:
            yield Desk(address, store=store)


def test_two_people_release_a_finding_and_what_follows_is_shown(chrome: Browser, served: Desk) -> None:
    ana, bob = opened(chrome, served), opened(chrome, served)
    log_in(ana, served, "/finding/nampo/d1")
    with ana.expect_navigation():
        ana.get_by_role("button", name="Accept").click()
    ana.goto(served.address + "/finding/nampo/d1")
    ana.get_by_role("link", name="Ask for release").click()
    fill_in_request(ana, "A smuggler of about 150 m, it seems to us.")
    ana.get_by_role("button", name="Ask for release").click()
    assert "say what was seen" in ana.get_by_role("alert").last.inner_text()
    assert all(box.is_checked() for box in ana.get_by_role("checkbox").all()), (
        "nothing has to be ticked again"
    )
    summary = "A hull of 150 m at 38.67123 N; 412 000 001 declared itself there."
    ana.get_by_label("Summary in your own words").fill(summary)
    with ana.expect_navigation():
        ana.get_by_role("button", name="Ask for release").click()
    ana.get_by_role("link", name="See the request").click()
    assert ana.get_by_text("You can't release it: you asked for it yourself").is_visible()
    assert ana.get_by_role("button", name="Release", exact=True).count() == 0

    log_in(bob, served, "/finding/nampo/d1", "bob")
    bob.get_by_role("link", name="Look and answer").click()
    assert bob.get_by_text("A hull of 150 m at [withheld] N; [withheld] declared itself there.").is_visible()
    bob.get_by_role("button", name="Release", exact=True).click()
    bob.wait_for_url("**/released/RS-*")
    name = bob.url.rsplit("/", 1)[-1]

    bob.get_by_label("From").fill("The owner")
    bob.get_by_label("Received on").fill("2026-02-27")
    bob.get_by_label("Word for word").fill(EVIL)
    bob.get_by_role("button", name="Enter").click()
    assert bob.get_by_text("alert(2)").is_visible()
    bob.goto(served.address + "/released")
    with bob.expect_download() as caught:
        bob.get_by_role("link", name="Download redacted GeoJSON").click()
    text = Path(caught.value.path()).read_text()
    assert name in text
    assert "412000001" not in text
    with bob.expect_download() as caught:
        bob.get_by_role("button", name="Unredacted CSV").click()
    assert "d1" in Path(caught.value.path()).read_text()
    bob.goto(served.address + f"/released/{name}")
    bob.get_by_label("Why it is retracted").fill("It is the pier that is on the chart.")
    bob.get_by_role("button", name="Retract at once").click()
    assert bob.get_by_role("alert").get_by_text("It is the pier that is on the chart.").is_visible()
    kinds = [row.kind for row in reversed(Decisions(served.store).newest(50))]
    assert kinds == ["accepted", "asked_release", "released", "reply", "exported", "retraction"]
    refused = [words for words in served.complaints if "400" not in words]  # the summary that was sent back
    assert refused == []
    assert [url for url in served.asked if not url.startswith((served.address, "blob:"))] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_pages_of_release_fit_their_window(chrome: Browser, served: Desk, width: int) -> None:
    ana, bob = q.browsers(q.desk(served.store, Path("/nonexistent")), "ana", "bob")
    name = q.release(ana, bob, "d0")
    ana.decide("d1", kind="accepted")
    page = opened(chrome, served, width)
    log_in(page, served, "/released", "bob")
    for path in (
        "/released",
        f"/released/{name}",
        "/finding/nampo/d0/release",
        "/finding/nampo/d1/release",
        "/log",
    ):
        page.goto(served.address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        unlabelled = (
            "[...document.querySelectorAll('main input:not([type=hidden]), main textarea, main select')]"
        )
        unlabelled += ".filter((e) => !e.labels.length && !e.getAttribute('aria-label')).length"
        assert page.evaluate(unlabelled) == 0, path
    assert served.complaints == []
