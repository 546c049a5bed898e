"""`roadstead review` with a provider of OpenID Connect, in a real browser: away, back, and in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from roadstead.store import Store
from tests.integration.desks import Morning, command
from tests.integration.tools import browsing
from tests.unit.apps.desk import builders as r
from tests.unit.apps.desk import provider as p

pytestmark = pytest.mark.browser


def test_somebody_without_a_password_logs_in_through_the_provider(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    morning = Morning(tmp_path)
    with Store.open(morning.store) as store:
        r.fill(store)
    words = ["review", "add-user", "ana", "--role", "analyst", "--no-password", "--store", morning.store]
    command(*words, home=tmp_path)
    secret = tmp_path / "secret"
    secret.write_text(p.SECRET + "\n")
    with p.running(p.Provider(lambda: datetime.now(UTC))) as provider, browsing() as chrome:
        monkeypatch.setenv("ROADSTEAD_OIDC_ISSUER", provider.issuer)
        monkeypatch.setenv("ROADSTEAD_OIDC_CLIENT_ID", p.CLIENT)
        monkeypatch.setenv("ROADSTEAD_OIDC_CLIENT_SECRET_FILE", str(secret))
        monkeypatch.setenv("ROADSTEAD_OIDC_LABEL", "Harbour office")
        with morning.served() as desk:
            assert provider.asked == [], "nothing is asked before somebody follows the link"
            page = chrome.new_page(viewport={"width": 1280, "height": 800})
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            page.goto(f"{desk.address}/leads")
            link = page.get_by_role("link", name="Log in with Harbour office")
            link.focus()
            page.keyboard.press("Enter")
            page.wait_for_url(f"{desk.address}/leads")
            assert page.locator(".who").inner_text().startswith("ana analyst")
            page.get_by_role("button", name="Log out").click()
            page.wait_for_url(f"{desk.address}/login")
            provider.person = "somebody.else"
            page.get_by_role("link", name="Log in with Harbour office").click()
            page.get_by_role("alert").wait_for()
            assert "nobody of the name 'somebody.else'" in page.get_by_role("alert").inner_text()
    assert [one for one in complaints if "Failed to load resource" not in one] == []
