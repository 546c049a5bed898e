"""`roadstead serve` as people run it: its own process, a real Prefect server, real signals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.serving import Serve, environment, once, processes_of, until, write_deployments
from tests.unit.apps.desk import builders as r
from tests.worlds import World, make_world

TERMINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one home for all tests here: each is one more start of the same installation."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def world(tmp_path: Path, home: Path) -> Iterator[World]:
    made = make_world(tmp_path / "world")
    write_deployments(home, made)
    (home / "roadstead.sqlite").unlink(missing_ok=True)
    yield made
    assert processes_of(home) == [], "nothing of a test is left running"


def metrics(served: Serve) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(served.get("/metrics"))
    return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}


def test_a_triggered_run_completes_shows_in_the_metrics_and_sigterm_ends_everything_with_0(
    home: Path, world: World
) -> None:
    with Serve(home) as served:
        assert metrics(served)["roadstead_port_unobserved_days", "testport"] == float("inf")
        desk = f"http://127.0.0.1:{served.review_port}"
        assert json.loads(served.get("/health"))["review"] == desk
        assert f"Review: {desk}/" in served.log.read_text()
        token = re.search(r"once: (\S+)", served.log.read_text())
        assert token is not None
        with httpx2.Client(base_url=desk) as browser:
            page = browser.get("/setup")
            given = {"name": "ada", "password": r.PASSWORD, "again": r.PASSWORD, "token": token[1]}
            made = browser.post("/setup", data={**given, "csrf": r.tokens(page.text)["csrf"]})
            assert made.status_code == 303
            assert browser.get("/").status_code == 200
        state = served.wait_for(served.trigger("watch-port", "testport"), *TERMINAL)
        assert state["type"] == "COMPLETED", state
        found = metrics(served)
        assert found["roadstead_overpasses", "processed", "testport"] == 2
        assert found["roadstead_last_processed_timestamp_seconds", "testport"] == pytest.approx(1604802591.5)
        second = subprocess.run(
            [sys.executable, "-m", "roadstead", "serve"],
            capture_output=True, text=True, check=False, env=environment(home),
        )  # fmt: skip
        assert second.returncode == 2
        assert f"process {served.process.pid}" in second.stderr and str(home) in second.stderr.replace(
            "\n", ""
        )
        assert served.stop() == 0
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{desk}/login")
    assert until(lambda: not processes_of(home), "no child is left", 10)


def test_a_run_that_fails_reads_as_our_words_and_the_next_one_mends_it(home: Path, world: World) -> None:
    blue = world.items[0].parent / "blue.tif"
    whole = blue.read_bytes()
    blue.write_bytes(whole[:3000])
    with Serve(home, review_port=None) as served:
        assert json.loads(served.get("/health"))["review"] is None
        assert "Review:" not in served.log.read_text()
        state = served.wait_for(served.trigger("watch-port", "testport"), *TERMINAL)
        assert (state["type"], state["name"]) == ("FAILED", "PartlyFailed")
        assert re.match(
            r"1 failed; the others are done:\n  testport_s2_20201103\S+: .*blue\.tif", state["message"]
        )
        assert metrics(served)["roadstead_overpasses_failing", "testport"] == 1
        assert "Traceback" not in served.log.read_text()
        blue.write_bytes(whole)
        assert served.wait_for(served.trigger("watch-port", "testport"), *TERMINAL)["type"] == "COMPLETED"
        assert served.stop(signal.SIGINT) == 0


def test_a_serve_killed_in_the_midst_of_runs_leaves_no_child_and_the_next_is_not_wedged(
    home: Path, world: World
) -> None:
    pipe = world.ais.with_suffix(".pipe.csv")
    os.mkfifo(pipe)  # whoever reads it waits: the runs are under way for as long as we like
    write_deployments(home, world, ais=[str(pipe)])
    with Serve(home) as killed:
        watch = killed.trigger("watch-port", "testport")
        dates = {"start": "2020-10-01T00:00:00Z", "end": "2020-12-01T00:00:00Z"}
        backfill = killed.trigger("backfill", "backfill", **dates)
        for run in (watch, backfill):
            killed.wait_for(run, "RUNNING")
        until(
            lambda: sum("prefect" in line for line in processes_of(home)) >= 3, "two runs beside the server"
        )
        killed.process.kill()
    assert until(lambda: not processes_of(home), "the kernel ends server and runs", 10)
    pipe.unlink()
    pipe.write_bytes(world.ais.read_bytes())
    with Serve(home) as served:
        state = served.state(watch)
        assert state["type"] == "CRASHED" and "serve that ran it ended" in state["message"]
        assert served.wait_for(backfill, *TERMINAL)["type"] == "COMPLETED", "a backfill goes on by itself"
        assert served.wait_for(served.trigger("watch-port", "testport"), *TERMINAL)["type"] == "COMPLETED"
        assert metrics(served)["roadstead_overpasses", "processed", "testport"] == 2
        assert served.stop() == 0


def opened_for_writing(pipe: Path) -> int | None:
    """Return a descriptor of a named pipe once somebody reads it; while it is open the reader waits for more."""
    with suppress(OSError):  # ENXIO: nobody reads yet
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    return None


def test_when_prefects_server_dies_serve_ends_with_4_and_takes_its_runs_along(
    home: Path, world: World
) -> None:
    pipe = world.ais.with_suffix(".pipe.csv")
    os.mkfifo(pipe)
    write_deployments(home, world, ais=[str(pipe)])
    with Serve(home) as served:
        served.trigger("watch-port", "testport")
        reading = until(lambda: opened_for_writing(pipe), "the run reads its AIS file")
        children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()
        server = [pid for pid in children if b"\0server\0start" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        os.kill(int(server[0]), signal.SIGKILL)
        assert served.process.wait(60) == 4
        assert "Prefect's server ended" in served.log.read_text()
    assert until(lambda: not processes_of(home), "the run ended too", 10)
    os.close(reading)


def test_a_deployment_gone_from_the_file_is_paused_and_one_that_a_person_paused_stays_so(
    home: Path, world: World
) -> None:
    with Serve(home) as served:
        watch = served.api("GET", "/deployments/name/watch-port/testport")["id"]
        served.api("POST", f"/deployments/{watch}/pause_deployment")
        assert served.stop() == 0
    text = (home / "prefect.yaml").read_text()
    (home / "prefect.yaml").write_text(text.replace("name: backfill", "name: other"))
    with Serve(home) as served:
        assert served.api("GET", "/deployments/name/backfill/backfill")["paused"] is True
        assert served.api("GET", "/deployments/name/backfill/other")["paused"] is False
        assert served.api("GET", "/deployments/name/watch-port/testport")["paused"] is True
        served.api("POST", f"/deployments/{watch}/resume_deployment")
        assert served.stop() == 0
    (home / "prefect.yaml").write_text(text)
    with Serve(home) as served:
        found = {n: served.api("GET", f"/deployments/name/backfill/{n}") for n in ("backfill", "other")}
        assert {name: one["paused"] for name, one in found.items()} == {"backfill": False, "other": True}
        assert served.stop() == 0


def test_once_runs_the_watches_and_its_exit_code_is_the_worst(home: Path, world: World) -> None:
    assert once(home).returncode == 0
    blue = world.items[0].parent / "blue.tif"
    blue.write_bytes(blue.read_bytes()[:3000])
    (home / "roadstead.sqlite").unlink()
    partial = once(home)
    assert partial.returncode == 5, partial.stderr
    assert "S2B_TEST_1" in partial.stderr and "Traceback" not in partial.stderr
    world.catalog.unlink()
    assert once(home).returncode == 4


def test_a_file_of_deployments_that_cannot_be_used_is_named(home: Path, world: World) -> None:
    (home / "prefect.yaml").write_text("deployments: [{name: x, entrypoint: 'flows/none.py:none'}]")
    done = once(home)
    assert done.returncode == 2
    assert "prefect.yaml" in done.stderr and "none" in done.stderr
