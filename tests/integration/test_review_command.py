"""`roadstead review` as a process: it prints an address and a token, and ends with Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2

from roadstead.store import People, Store
from tests.integration.serving import free_port
from tests.unit.apps.desk import builders as r


def test_the_first_admin_gets_in_with_the_token_that_the_terminal_shows(tmp_path: Path) -> None:
    url, port = f"sqlite:///{tmp_path / 'store.sqlite'}", free_port()
    with Store.open(url) as store:
        r.fill(store)
    words = [sys.executable, "-m", "roadstead", "review", "--port", str(port), "--store", url]
    process = subprocess.Popen(
        words, stderr=subprocess.PIPE, text=True, env={**os.environ, "ROADSTEAD_HOME": str(tmp_path / "home")}
    )
    try:
        assert process.stderr is not None
        address = process.stderr.readline()
        assert f"http://127.0.0.1:{port}/" in address
        found = re.search(r"once: (\S+)", process.stderr.readline())
        assert found is not None
        with httpx2.Client(
            base_url=f"http://127.0.0.1:{port}", transport=httpx2.HTTPTransport(retries=20)
        ) as client:
            page = client.get("/setup")
            given = {"name": "ada", "password": r.PASSWORD, "again": r.PASSWORD, "token": found[1]}
            made = client.post("/setup", data={**given, "csrf": r.tokens(page.text)["csrf"]})
            assert made.status_code == 303
            assert "undecided of 7 leads" in client.get("/").text
            assert "uvicorn" not in page.headers.get("server", "")
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=20)
        if process.stderr is not None:
            process.stderr.close()
    assert code == 0
    with Store.open(url) as store:
        assert [(p.name, p.role) for p in People(store).all()] == [("ada", "admin")]
