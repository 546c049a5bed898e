"""A `roadstead serve` of a test: started on free ports, asked, stopped, and searched for what it left."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import stamina
import yaml

from tests.worlds import World

PATIENCE_S = 150
LIMIT = {"limit": 1, "collision_strategy": "CANCEL_NEW"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    return number


def write_deployments(home: Path, world: World, **parameters: Any) -> None:
    """Write a watch of the small world, a backfill and an export into the home; none comes by itself."""
    given = {"port": "testport", "aoi": str(world.aoi), "catalog": str(world.catalog)}
    dates = {"start": "2020-11-01", "end": "2020-11-15"}
    watch = {
        "name": "testport",
        "entrypoint": "flows/watch_port.py:watch_port",
        "parameters": given | dates | parameters,
        "tags": ["watch"],
        "schedules": [{"cron": "0 0 1 1 *"}],
        "concurrency_limit": LIMIT,
    }
    backfill = {
        "name": "backfill",
        "entrypoint": "flows/backfill.py:backfill",
        "parameters": given | parameters,
        "schedules": [],
        "concurrency_limit": {"limit": 1, "collision_strategy": "ENQUEUE"},
    }
    home.mkdir(parents=True, exist_ok=True)
    (home / "prefect.yaml").write_text(yaml.safe_dump({"deployments": [watch, backfill]}))


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    return kept | {
        "ROADSTEAD_HOME": str(home),
        "NO_COLOR": "1",
        "COLUMNS": "200",
        "PREFECT_RUNNER_POLL_FREQUENCY": "2",
    }


def once(home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "roadstead", "serve", "--once"],
        capture_output=True, text=True, check=False, env=environment(home), timeout=PATIENCE_S,
    )  # fmt: skip


def until(true: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Return the first true answer; fail where there is none in time."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end:
        if answer := true():
            return answer
        time.sleep(0.5)
    raise AssertionError(f"not within {patience_s} s: {what}")


def processes_of(home: Path) -> list[str]:
    """Return the command lines of all processes that run in a home."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"ROADSTEAD_HOME={home}\0".encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [command for command in found if command]


@contextmanager
def review_served(home: Path, store: str) -> Iterator[str]:
    """Serve a store's desk as `roadstead review` does, and yield its address; what it says is in ``apps.desk.log``."""
    port = free_port()
    words = [sys.executable, "-m", "roadstead", "review", "--port", str(port), "--store", store]
    with (home / "review.log").open("w") as log:
        process = subprocess.Popen(words, stderr=log, env={**os.environ, "ROADSTEAD_HOME": str(home)})
        try:
            address = f"http://127.0.0.1:{port}"
            with httpx2.Client(transport=httpx2.HTTPTransport(retries=30), timeout=60) as client:
                assert client.get(f"{address}/login").status_code == 200
            yield address
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)


def _is_busy(error: Exception) -> bool:
    return isinstance(error, urllib.error.HTTPError) and error.code == 503


@dataclass
class Serve:
    """One running `roadstead serve`."""

    home: Path
    port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    review_port: int | None = field(default_factory=free_port)
    """None: without the analyst's desk."""

    def __post_init__(self) -> None:
        self.log = self.home / f"serve-{self.port}.log"
        words = ["--port", str(self.port), "--metrics-port", str(self.metrics_port)]
        words += ["--review-port", str(self.review_port)] if self.review_port else ["--no-review"]
        with self.log.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "roadstead", "serve", *words],
                stdout=file, stderr=subprocess.STDOUT, env=environment(self.home),
            )  # fmt: skip

    def __enter__(self) -> Serve:
        try:
            until(lambda: self.process.poll() is not None or self.healthy(), f"health; see {self.log}")
            assert self.process.poll() is None, self.log.read_text()
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def healthy(self) -> bool:
        try:
            return bool(json.loads(self.get("/health"))["status"] == "ok")
        except (urllib.error.URLError, OSError):
            return False

    def api(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api{path}",
            json.dumps(body or {}).encode() if method != "GET" else None,
            {"content-type": "application/json"},
            method=method,
        )
        # Prefect's server answers 503 while SQLite is being written, and its own client asks again, as we do.
        for attempt in stamina.retry_context(on=_is_busy, attempts=10, timeout=PATIENCE_S):
            with attempt, urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
                return json.loads(answer.read() or "null")

    def trigger(self, flow: str, deployment: str, **parameters: Any) -> str:
        """Ask for a run now and return its id."""
        found = self.api("GET", f"/deployments/name/{flow}/{deployment}")
        run = self.api("POST", f"/deployments/{found['id']}/create_flow_run", {"parameters": parameters})
        return str(run["id"])

    def state(self, run: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api("GET", f"/flow_runs/{run}")["state"]
        return found

    def wait_for(self, run: str, *types: str) -> dict[str, Any]:
        """Wait until a run is in a state of one of the types, and return the state."""

        def reached() -> dict[str, Any] | None:
            state = self.state(run)
            return state if state["type"] in types else None

        try:
            state: dict[str, Any] = until(reached, f"{run} in {types}")
        except AssertionError as error:
            raise AssertionError(f"{self.state(run)}\n{self.log.read_text()[-3000:]}") from error
        return state

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)
