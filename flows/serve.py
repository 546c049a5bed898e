"""`roadstead serve`: Prefect's server, the schedules of ``prefect.yaml``, health, metrics and the desk in one command.

The server is a child process, and so is every flow run (its memory is given back when it ends); all of them end with
this process, however it ends. Run as ``python -m flows.serve``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from rich.markup import escape

from flows.parent import die_with_parent
from flows.served import Given, alone, environment, free_to_bind, parse
from roadstead.apps.cli.console import err
from roadstead.core.errors import RoadsteadError, UpstreamError
from roadstead.core.settings import Settings, settings

if TYPE_CHECKING:
    from prefect.runner import Runner

    from flows.deployments import Deployed
    from roadstead.apps.desk.assemble import Opened

START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 20
RUNS_AT_ONCE = 2
"""One backfill at most (its deployment's limit) and one watch or export beside it: memory stays bounded."""
POLL_TIMEOUT_S = 120
"""The runner asks for due runs every ten seconds; after this long without one it is ill."""


def main(words: list[str] | None = None) -> int:
    """Serve, or run every watch once; return the exit code."""
    given = parse(words)
    try:
        base = settings()
        with alone(base.home):
            os.environ.update(environment(given, base.home))
            if given.once:
                os.environ.pop("PREFECT_API_URL", None)
                from flows.once import run_once

                return run_once(given, base)
            return _serve(given, base)
    except RoadsteadError as error:
        err.print(f"[bold red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        return error.exit_code


def _serve(given: Given, base: Settings) -> int:
    from flows.deployments import deployments_file, read_deployments

    free_to_bind(given.host, given.port, "--port")
    free_to_bind(given.metrics_host, given.metrics_port, "--metrics-port")
    if given.review:
        free_to_bind(given.review_host, given.review_port, "--review-port")
    listed = read_deployments(given.deployments or deployments_file(base.home))
    signal.signal(signal.SIGTERM, _interrupt)
    server = _start_server(given)
    try:
        _wait_until_up(given, server)
        with _desk(given, base) as desk:
            return asyncio.run(_run(given, base, listed, server, desk))
    except KeyboardInterrupt:  # SIGINT or SIGTERM before the runner took them over
        return 0
    finally:
        _stop_server(server)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _start_server(given: Given) -> subprocess.Popen[bytes]:
    """Start Prefect's server in a session of its own, so that Ctrl-C reaches us first and it last."""
    words = [
        sys.executable,
        "-m",
        "prefect",
        "server",
        "start",
        "--host",
        given.host,
        "--port",
        str(given.port),
    ]
    return subprocess.Popen(  # noqa: S603 - our own interpreter and words
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )


def _wait_until_up(given: Given, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers.

    Raises:
        UpstreamError: it ended, or does not answer in time.
    """
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until:
        if server.poll() is not None:
            raise UpstreamError(
                f"Prefect's server ended at its start (code {server.returncode}); its words are above"
            )
        if _answers(given):
            return
        time.sleep(0.5)
    raise UpstreamError(f"Prefect's server did not answer at {given.url} within {START_TIMEOUT_S} s")


def _answers(given: Given) -> bool:
    try:
        with urllib.request.urlopen(f"{given.url}/api/health", timeout=5) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop_server(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def _desk(given: Given, base: Settings) -> Iterator[Opened | None]:
    """Serve the analyst's desk in a thread; None with ``--no-review``."""
    from roadstead.apps.desk.assemble import opened_desk
    from roadstead.apps.desk.login.openid import client_of

    if not given.review:
        yield None
        return
    with opened_desk(
        base.store_url,
        base.home,
        host=given.review_host,
        port=given.review_port,
        watchlists=base.watchlist_files,
        log_in=client_of(base),
    ) as opened:
        opened.server.start()
        yield opened


async def _run(
    given: Given,
    base: Settings,
    listed: Sequence[Deployed],
    server: subprocess.Popen[bytes],
    desk: Opened | None,
) -> int:
    """Register the deployments and run what is due until a signal comes (0) or the server or runner dies (4)."""
    from prefect.runner import Runner

    from flows.health import HealthServer, health_app

    runner = Runner(name="roadstead-serve", limit=RUNS_AT_ONCE, pause_on_shutdown=False)
    paused = await asyncio.to_thread(_paused)
    ids: dict[str, UUID] = {}
    for one in listed:
        wanted = await asyncio.to_thread(one.for_runner, (one.flow.name, one.name) in paused)
        ids[one.name] = await runner.aadd_deployment(wanted)
    await asyncio.to_thread(_tidy, ids, listed)
    ports = list(dict.fromkeys(str(one.parameters["port"]) for one in listed if "port" in one.parameters))
    faults = partial(_faults, given, server, runner, desk)
    health = HealthServer(
        health_app(
            base.store_url,
            ports,
            faults,
            base.home / "exports",
            review=None if desk is None else desk.server.address,
        ),
        given.metrics_host,
        given.metrics_port,
    )
    health.start()
    polling = asyncio.create_task(runner.start())
    await asyncio.sleep(0)  # the runner sets a signal handler of its own as it starts; ours replace it
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    err.print(
        f"Prefect's pages: {given.url}\nHealth, metrics, exports: {given.metrics_url}/health /metrics /exports"
    )
    for line in [] if desk is None else desk.words:
        err.print(escape(line), soft_wrap=True, highlight=False)
    err.print(
        f"Home: {base.home}. Deployments: {', '.join(ids)}. Stop with Ctrl-C or SIGTERM.", soft_wrap=True
    )
    stopping, ended = asyncio.create_task(stop.wait()), asyncio.create_task(_end_of(server))
    await asyncio.wait({polling, stopping, ended}, return_when=asyncio.FIRST_COMPLETED)
    health.stop()
    if stop.is_set():
        err.print("Stopping: runs under way are cancelled; what they stored stays.")
        await runner.astop()
        await asyncio.wait({polling}, timeout=STOP_TIMEOUT_S)
        ended.cancel()
        return 0
    why = (
        f"Prefect's server ended (code {server.returncode})"
        if server.poll() is not None
        else "the runner ended"
    )
    err.print(
        f"[bold red]error:[/] {why}; flow runs under way end too. Start 'roadstead serve' again.",
        soft_wrap=True,
    )
    sys.stderr.flush()
    _stop_server(server)
    # No farewell to a server that is gone: the kernel ends the flow runs with us, and drops the lock.
    os._exit(4)


def _paused() -> set[tuple[str, str]]:
    from prefect.client.orchestration import get_client

    from flows.recover import paused_by_hand

    with get_client(sync_client=True) as client:
        return paused_by_hand(client)


def _tidy(ids: dict[str, UUID], listed: Sequence[Deployed]) -> None:
    """Set right what an earlier serve left, and pause the deployments that the file names no longer."""
    from prefect.client.orchestration import get_client

    from flows.recover import pause_gone, recover

    resumed = [ids[one.name] for one in listed if one.flow.name == "backfill"]
    with get_client(sync_client=True) as client:
        told = recover(client, list(ids.values()), resumed)
        gone = pause_gone(client, list(ids.values()))
    if any(told.values()):
        err.print(
            "Left by an earlier serve: " + ", ".join(f"{n} run(s) {what}" for what, n in told.items() if n)
        )
    if gone:
        err.print(f"Paused, since the file names them no longer: {', '.join(gone)}")


async def _end_of(server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        await asyncio.sleep(1)


def _faults(given: Given, server: subprocess.Popen[bytes], runner: Runner, desk: Opened | None) -> list[str]:
    """Say what is wrong now."""
    wrong = []
    if server.poll() is not None or not _answers(given):
        wrong.append("Prefect's server does not answer")
    polled = runner.last_polled
    if polled is None or (datetime.now(UTC) - polled).total_seconds() > POLL_TIMEOUT_S:
        wrong.append("due runs were not asked for lately")
    if desk is not None and not desk.server.alive:
        wrong.append("the review pages are not served")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
