"""A real PostgreSQL with PostGIS for one test session, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.stac_servers import free_port

BINARIES = Path("/usr/lib/postgresql/15/bin")
"""Of Debian's package postgresql-15."""
USER = "postgres"


def lacking() -> str:
    """Return why no server can be run, empty where one can."""
    if not (BINARIES / "initdb").exists():
        return "postgresql-15 is not installed (apt.txt)"
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return "runuser is missing: PostgreSQL does not run as root"
    return ""


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    port: int

    @property
    def environment(self) -> dict[str, str]:
        """What libpq and asyncpg look for."""
        return {
            "PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": USER, "PGDATABASE": USER,
            "PGPASSWORD": "none",
        }  # fmt: skip

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Make a database with PostGIS; return its URL."""
        sql = ["-h", "127.0.0.1", "-p", str(self.port), "-U", USER, "-q"]
        subprocess.run([BINARIES / "createdb", *sql[:6], database], check=True)
        subprocess.run([BINARIES / "psql", *sql, "-c", "CREATE EXTENSION postgis", database], check=True)
        return self.url(database)


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Run a server on 127.0.0.1 that trusts everyone there."""
    data, port = folder / "data", free_port()
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(folder, USER)
        for parent in folder.parents:  # pytest's folders are closed to others
            if parent.owner() == "root" and str(parent).startswith("/tmp/"):  # noqa: S108 - only looked at
                parent.chmod(parent.stat().st_mode | 0o011)
    _run([BINARIES / "initdb", "-D", data, "-A", "trust", "-U", USER, "--no-sync"])
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    _run([BINARIES / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start"])
    try:
        yield Postgres(port)
    finally:
        _run([BINARIES / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])


def _run(words: Sequence[object]) -> None:
    other = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*other, *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd="/",
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
