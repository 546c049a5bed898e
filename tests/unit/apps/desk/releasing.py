"""Asking for release and releasing, as people do in the pages."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from httpx2 import Response

from roadstead.apps.desk import Desk
from roadstead.core.wording import EXPLANATIONS
from roadstead.store import Store
from roadstead.workflows.release import download
from tests.unit.apps.desk import builders as r
from tests.unit.publish import builders as e

SUMMARY = "A hull of about 150 m lay in the roads; no vessel heard fits it."


def desk(store: Store, ais: Path, **changes: Any) -> Desk:
    """Return a desk that hands out files."""
    clock = changes.pop("clock", r.Clock())
    ports = {"nampo": e.port()}
    given = {"outside": lambda wanted: download(store, wanted, ports, ais, clock()), "clock": clock}
    return r.desk(store, **{**given, **changes})


def browsers(made: Desk, *names: str) -> list[r.Browser]:
    """Return browsers in which these people have logged in at the same desk."""
    app = None
    opened = []
    for name in names:
        browser = r.Browser(made, app=app)
        app = browser.app
        assert browser.log_in(name).status_code == 303
        opened.append(browser)
    return opened


def form(browser: r.Browser, finding: str = "d0") -> dict[str, str]:
    """Return the form that asks, filled in."""
    page = browser.get(f"/finding/nampo/{finding}/release").text
    fields = dict(r.fields_of(page, "csrf", "seen", "after", "corrects"))
    fields |= {name: "yes" for name in re.findall(r'name="(ack\.[a-z_]+)"', page)}
    fields |= {f"said.{key}": "open" for key in EXPLANATIONS}
    fields |= {f"why.{key}": "looked at the image and the reports" for key in EXPLANATIONS}
    if "corrects" in fields:
        fields["changed"] = "the length was read from the wrong box"
    return {**fields, "summary": SUMMARY}


def ask(browser: r.Browser, finding: str = "d0", **changes: str) -> Response:
    return browser.post(f"/finding/nampo/{finding}/release/ask", {**form(browser, finding), **changes})


def answer(browser: r.Browser, finding: str = "d0", how: str = "release", **changes: str) -> Response:
    """Post the answer to the newest request, whether the page offers it or not."""
    page = browser.get(f"/finding/nampo/{finding}/release").text
    fields = {"csrf": r.tokens(page)["csrf"], **dict(r.fields_of(page, "asked"))}
    return browser.post(f"/finding/nampo/{finding}/release/{how}", {**fields, **changes})


def release(asker: r.Browser, releaser: r.Browser, finding: str = "d0", **changes: str) -> str:
    """Accept, ask and release; return the permanent id."""
    if "Undecided." in asker.get(f"/finding/nampo/{finding}").text:
        assert asker.decide(finding, kind="accepted").status_code == 303
    asked = ask(asker, finding, **changes)
    assert asked.status_code == 303, html.unescape(asked.text)
    done = answer(releaser, finding)
    assert done.status_code == 303, html.unescape(done.text)
    return r.path_of(done).removeprefix("/released/")
