"""`roadstead serve`: hands over to ``python -m flows.serve``; Prefect is imported there alone."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from roadstead.core.errors import BadInputError


def serve_command(
    once: Annotated[
        bool,
        typer.Option("--once", help="Run every scheduled watch once and end: for cron. No server stays."),
    ] = False,
    host: Annotated[str, typer.Option(help="Address of Prefect's pages and API.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of Prefect's pages and API.")] = 4200,
    metrics_host: Annotated[
        str, typer.Option(help="Address of /health, /metrics and /exports.")
    ] = "127.0.0.1",
    metrics_port: Annotated[int, typer.Option(help="Port of /health, /metrics and /exports.")] = 4201,
    review_host: Annotated[str, typer.Option(help="Address of the analyst's desk.")] = "127.0.0.1",
    review_port: Annotated[int, typer.Option(help="Port of the analyst's desk.")] = 4202,
    review: Annotated[
        bool, typer.Option("--review/--no-review", help="Serve the analyst's desk too.")
    ] = True,
    prefect_database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Prefect's own database, e.g. postgresql+asyncpg://user@host/prefect. Default: SQLite in the home.",
        ),
    ] = None,
    deployments: Annotated[
        Path | None,
        typer.Option(
            help="File of what runs when. Default: prefect.yaml in the home, else the one that ships."
        ),
    ] = None,
) -> None:
    """Watch the ports on a schedule: Prefect's server, its schedules, health and metrics in one command.

    Prefect's pages show every run, its counts and its map. They have no login: keep their address on this machine.
    The analyst's desk has one (see 'roadstead review').
    Ends with 0 on SIGTERM or Ctrl-C and with 4 when the server dies, so that a supervisor starts it again.
    One serve per home. With --once the worst exit code of the watches is the exit code.

    Example: roadstead serve --port 4300
    """
    if find_spec("flows") is None:
        raise BadInputError("the package 'flows' is not installed beside roadstead: install Roadstead again")
    words = [sys.executable, "-m", "flows.serve", "--host", host, "--port", str(port)]
    words += ["--metrics-host", metrics_host, "--metrics-port", str(metrics_port)]
    words += ["--review-host", review_host, "--review-port", str(review_port)]
    words += [] if review else ["--no-review"]
    words += ["--once"] if once else []
    words += ["--prefect-database", prefect_database] if prefect_database else []
    words += ["--deployments", str(deployments)] if deployments else []
    os.execv(sys.executable, words)  # noqa: S606 - the same process goes on, so signals reach it
