"""Events and notifications of the flow, against a real Prefect server and a real listener."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from roadstead.core.errors import PartialError
from roadstead.core.settings import settings
from tests.worlds import World, make_world

pytestmark = [
    pytest.mark.usefixtures("prefect_server", "home"),
    pytest.mark.filterwarnings("ignore"),  # Prefect's own dependencies warn
]
START, END = datetime(2020, 11, 1, tzinfo=UTC), datetime(2020, 11, 15, tzinfo=UTC)
REFUSED = ("illegal", "smuggling", "violation", "dark ship")


class Channel:
    """A webhook that keeps what it is told, or answers with an error."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.status = 200
        channel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                channel.told.append(json.loads(body)["text"])
                self.send_response(channel.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Channel]:
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    made = Channel()
    block = CustomWebhookNotificationBlock(
        name="ops", url=made.url, json_data={"text": "{{subject}}\n{{body}}"}
    )
    block.save("ops", overwrite=True)
    monkeypatch.setenv("ROADSTEAD_NOTIFY_BLOCK", "custom-webhook/ops")
    settings.cache_clear()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(autouse=True)
def nothing_told_yet() -> None:
    from prefect.variables import Variable

    Variable.unset("roadstead_unobserved_testport")


def run_flow(world: World, store: Path, **changes: Any) -> None:
    from flows.watch_port import watch_port

    given = {"catalog": str(world.catalog), "ais": [str(world.ais)], "aoi": world.aoi} | changes
    watch_port("testport", START, END, store=f"sqlite:///{store}", **given)


def events(name: str, since: datetime) -> list[dict[str, Any]]:
    from prefect.client.orchestration import get_client

    wanted = {
        "filter": {
            "occurred": {"since": since.isoformat(), "until": datetime.now(UTC).isoformat()},
            "event": {"name": [name]},
        }
    }
    with get_client(sync_client=True) as client:
        found: list[dict[str, Any]] = client.request("POST", "/events/filter", json=wanted).json()["events"]
    return found


def awaited_events(name: str, since: datetime, number: int) -> list[dict[str, Any]]:
    until = time.monotonic() + 30
    while len(found := events(name, since)) < number and time.monotonic() < until:
        time.sleep(0.5)
    return found


def told_leads(channel: Channel, since: datetime) -> tuple[str, list[dict[str, Any]]]:
    """Return the text of the notification of new leads, and its events."""
    text = next(text for text in channel.told if " new lead(s) at testport: " in text)
    number = int(text.split(" new lead")[0].removeprefix("SIMULATED: "))
    return text, awaited_events("roadstead.lead.new", since, number)


def test_a_new_lead_is_told_once_as_a_lead_with_what_else_could_explain_it(
    tmp_path: Path, channel: Channel
) -> None:
    world, began = make_world(tmp_path / "world"), datetime.now(UTC)
    run_flow(world, tmp_path / "s.sqlite")
    first, told = told_leads(channel, began)
    assert {event["payload"]["lead"] for event in told} == {"no_ais_partner", "hull"}
    (event,) = [event for event in told if event["payload"]["lead"] == "no_ais_partner"]
    assert event["resource"]["prefect.resource.id"] == "roadstead.port.testport"
    payload = event["payload"]
    assert (payload["status"], payload["zone"]) == ("no_ais_partner", "testport/roads")
    assert 0 < payload["probability"] <= 1
    assert f": 1 no AIS partner, {len(told) - 1} no AIS to compare with" in first
    assert "may carry no AIS, not have to carry it" in first
    assert "never verdicts" in first
    assert "SIMULATED" not in first, "the small world does not call itself simulated"
    assert not [word for word in REFUSED if word in (first + payload["text"]).lower()]
    run_flow(world, tmp_path / "s.sqlite")
    assert sum("new lead" in text for text in channel.told) == 1
    assert len(events("roadstead.lead.new", began)) == len(told)


def test_simulated_leads_say_so(tmp_path: Path, channel: Channel) -> None:
    world, began = make_world(tmp_path / "world"), datetime.now(UTC)
    for path in world.items:
        item = json.loads(path.read_text())
        item["properties"]["roadstead:simulated"] = True
        path.write_text(json.dumps(item))
    run_flow(world, tmp_path / "s.sqlite")
    text, told = told_leads(channel, began)
    assert text.startswith("SIMULATED: ")
    assert all(event["payload"]["text"].startswith("SIMULATED. ") for event in told)


def test_a_port_unobserved_for_too_long_is_told_once_a_day_even_where_the_run_fails(
    tmp_path: Path, channel: Channel
) -> None:
    world, began = make_world(tmp_path / "world"), datetime.now(UTC)
    (world.items[1].parent / "blue.tif").write_bytes(b"no TIFF")
    for _ in range(2):
        with pytest.raises(PartialError):
            run_flow(world, tmp_path / "s.sqlite", ais=None)
    told = awaited_events("roadstead.port.unobserved", began, 2)
    assert len(told) == 2, "the event comes at every run"
    assert told[0]["payload"]["unobserved_days"] > 2000
    (text,) = [text for text in channel.told if "not observed" in text]
    assert "testport_s2_20201108" in text and "blue.tif" in text, "it names what failed and why"
    assert "not zero ships" in text


def test_a_port_observed_lately_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    age = (datetime.now(UTC) - datetime(2020, 11, 8, tzinfo=UTC)) / timedelta(days=1)
    monkeypatch.setenv("ROADSTEAD_ALERT_AFTER_DAYS", str(age + 1))
    settings.cache_clear()
    world, began = make_world(tmp_path / "world"), datetime.now(UTC)
    run_flow(world, tmp_path / "s.sqlite", ais=None)
    time.sleep(2)
    assert events("roadstead.port.unobserved", began) == []


@pytest.mark.parametrize("block", ["custom-webhook/ops", "slack-webhook/none", "secret/ops"])
def test_a_failing_notification_is_logged_and_never_raised(
    channel: Channel, block: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The channel answers 500, there is no such block, or the block is no channel."""
    from prefect import flow
    from prefect.blocks.system import Secret

    from flows.alerts import notify

    channel.status = 500
    Secret(value="x").save("ops", overwrite=True)

    @flow
    def tell() -> str:
        notify(block, "subject", "body")
        return "done"

    assert tell() == "done"
    assert f"could not be sent through {block}" in caplog.text
