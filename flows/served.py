"""What `roadstead serve` is told, the lock that keeps it alone in its home, and the environment of Prefect.

Prefect is not imported here: its settings must stand before it is.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from flows.parent import SERVED_BY
from roadstead.core.errors import StoreError, UsageError

HISTORY_DAYS = 60
"""Prefect forgets flow runs, with their logs and artifacts, after this long."""
FILES_URL = "ROADSTEAD_FILES_URL"
"""Environment variable: address where `roadstead serve` serves the exported files."""


@dataclass(frozen=True)
class Given:
    """What the command line says."""

    once: bool
    host: str
    port: int
    metrics_host: str
    metrics_port: int
    prefect_database: str | None
    """SQLAlchemy URL of Prefect's own database; None: SQLite under the home."""
    deployments: Path | None
    review_host: str = "127.0.0.1"
    review_port: int = 4202
    review: bool = True
    """Whether the analyst's desk is served too."""

    @property
    def url(self) -> str:
        """Address of Prefect's pages, as seen from this machine."""
        return f"http://{_reachable(self.host)}:{self.port}"

    @property
    def metrics_url(self) -> str:
        """Address of health, metrics and exported files."""
        return f"http://{_reachable(self.metrics_host)}:{self.metrics_port}"


def parse(words: list[str] | None = None) -> Given:
    """Read the command line of ``python -m flows.serve``, which `roadstead serve` runs."""
    parser = argparse.ArgumentParser(prog="roadstead serve")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4200)
    parser.add_argument("--metrics-host", default="127.0.0.1")
    parser.add_argument("--metrics-port", type=int, default=4201)
    parser.add_argument("--prefect-database")
    parser.add_argument("--deployments", type=Path)
    parser.add_argument("--review-host", default="127.0.0.1")
    parser.add_argument("--review-port", type=int, default=4202)
    parser.add_argument("--no-review", dest="review", action="store_false")
    return Given(**vars(parser.parse_args(words)))


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Hold the lock of a home; the kernel lets it go however this process ends.

    Raises:
        UsageError: another serve runs in this home.
        StoreError: the home cannot be written.
    """
    path = home / "serve.lock"
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror or error}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise UsageError(
                f"another 'roadstead serve' (process {file.read().strip() or 'unknown'}) runs in {home}: stop it "
                "first, or set another ROADSTEAD_HOME"
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def free_to_bind(host: str, port: int, option: str) -> None:
    """Raise `UsageError` where an address cannot be listened on."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise UsageError(
            f"{host}:{port} cannot be listened on ({error.strerror}): choose another with {option}"
        ) from error


def environment(given: Given, home: Path) -> Mapping[str, str]:
    """Return Prefect's settings: all that it keeps lies in ``home/prefect``, and nothing is sent anywhere.

    How long history is kept may be set from outside; where things lie may not.
    """
    folder = home / "prefect"
    database = given.prefect_database or f"sqlite+aiosqlite:///{folder / 'prefect.db'}"
    fixed = {
        "PREFECT_HOME": str(folder),
        "PREFECT_PROFILES_PATH": str(folder / "profiles.toml"),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        # The newer pages call an analytics service from the reader's browser whatever the settings say; these do not.
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        SERVED_BY: str(os.getpid()),
    }
    if given.once:
        fixed |= {"PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true"}
    else:
        fixed |= {
            "PREFECT_API_URL": f"{given.url}/api",
            "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
            FILES_URL: f"{given.metrics_url}/exports",
        }
    kept = {
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(HISTORY_DAYS * 86400),
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    }
    return fixed | {name: os.environ.get(name, value) for name, value in kept.items()}


def _reachable(host: str) -> str:
    """Return an address to reach a listener at: those that listen everywhere are reached on the loopback."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        address = ip_address("::1" if address.version == 6 else "127.0.0.1")
    return f"[{address}]" if address.version == 6 else str(address)
