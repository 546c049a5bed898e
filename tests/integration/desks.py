"""A desk that is served as users serve it, over a simulated world, and browsers before it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page

from roadstead.apps import desk as review
from roadstead.core.wording import EXPLANATIONS
from tests.integration.serving import review_served
from tests.integration.tools import browsing

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
WORLD = Path(__file__).with_name("desk_morning.yaml")
SEED = 3


def command(*words: str, home: Path, given: str | None = None) -> str:
    """Run `roadstead` as a user does, and return what it printed; its words are shown where it fails."""
    run = subprocess.run(
        [sys.executable, "-m", "roadstead", *words],
        env={**os.environ, "ROADSTEAD_HOME": str(home)},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@dataclass
class Morning:
    """A store of a simulated world that grows by one overpass while its analyst is away."""

    home: Path

    @property
    def store(self) -> str:
        return f"sqlite:///{self.home / 'roadstead.sqlite'}"

    def simulate(self) -> None:
        command("simulate", str(WORLD), "-o", str(self.home / "world"), "--seed", str(SEED), home=self.home)

    def watch(self, start: str, end: str) -> None:
        world = self.home / "world"
        heard = world / "ais" / "nampo-sim-nampo.nmea"
        words = ["--catalog", str(world / "catalog.json"), "--ais", str(heard), "--store", self.store]
        command("watch", "nampo", "--from", start, "--to", end, *words, "--json", home=self.home)

    def people(self, **roles: str) -> None:
        for name, role in roles.items():
            words = ["review", "add-user", name, "--role", role, "--password-stdin", "--store", self.store]
            command(*words, home=self.home, given=PASSWORD + "\n")

    @contextmanager
    def served(self) -> Iterator[Desk]:
        """Serve the desk as `roadstead review` does."""
        with review_served(self.home, self.store) as address:
            yield Desk(address)
        assert "Traceback" not in (self.home / "review.log").read_text()


@dataclass
class Desk:
    """A desk that is served, and what browsers asked of anybody, and complained of."""

    address: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def opened(self, chrome: Browser, width: int = 1280, height: int = 800) -> Page:
        """Return a page of a browser of its own, with nobody logged in."""

        def dialog_opened(dialog: Dialog) -> None:
            self.complaints.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        def said(message: ConsoleMessage) -> None:
            # Chromium without a graphics card complains of its own slowness; pictures that a page asks for ahead are of
            # scenes that this store only names, and answer 503.
            ahead = "503" in message.text and "/window/" in message.location.get("url", "")
            if message.type in ("error", "warning") and "GL Driver Message" not in message.text and not ahead:
                self.complaints.append(f"{message.text} {message.location.get('url', '')}")

        context = chrome.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        context.on("request", lambda request: self.asked.append(request.url))
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", dialog_opened)
        page.on("console", said)
        return page

    def log_in(self, page: Page, name: str, path: str = "/") -> None:
        self.give_password(page, name, path)
        page.wait_for_url(self.address + path)

    def give_password(self, page: Page, name: str, path: str) -> None:
        """Log in, for a page that changes its own address."""
        page.goto(self.address + path)
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()

    def outside(self) -> Sequence[str]:
        """Return what was asked of any other host."""
        own = (self.address + "/", f"blob:{self.address}/", "data:", "file:")
        return [url for url in self.asked if not url.startswith(own)]


def press(page: Page, key: str) -> None:
    """Press a key that leads to another page, and wait for it."""
    with page.expect_navigation():
        page.keyboard.press(key)


def fill_in_request(page: Page, summary: str) -> None:
    """Fill in all that a release asks for, and send nothing yet."""
    for box in page.get_by_role("checkbox").all():
        box.check()
    for words in EXPLANATIONS.values():
        group = page.get_by_role("group", name=words[0].upper() + words[1:], exact=True)
        group.get_by_role("radio", name="cannot be ruled out").check()
        group.get_by_role("textbox").fill("neither image nor reports speak against it")
    page.get_by_label("Summary in your own words").fill(summary)


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """Return a browser; each test module that uses it names it once."""
    with browsing() as browser:
        yield browser


@contextmanager
def running(desk: review.Desk) -> Iterator[str]:
    """Serve a desk from a thread of this process, and return its address."""
    server = review.ReviewServer(review.review_app(desk), "127.0.0.1", 0)
    server.start()
    try:
        yield server.address
    finally:
        server.stop()
