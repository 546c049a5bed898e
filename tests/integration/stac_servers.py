"""Real servers on 127.0.0.1: files with byte ranges, and a STAC API."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

RUSTAC = Path(sys.executable).with_name("rustac")


@dataclass
class FileServer:
    """A folder over HTTP; paths can be made to fail for a number of requests."""

    url: str
    failing: dict[str, tuple[int, int]] = field(default_factory=dict)
    """End of a path -> (status, how many requests fail)."""
    seen: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Range header of each request."""

    def answer(self, request: Request) -> Response | None:
        """Note a request; return the failure to answer it with, None to serve the file."""
        path = request.url.path
        self.seen.append((path, request.headers.get("range")))
        for end, (status, left) in list(self.failing.items()):
            if path.endswith(end) and left > 0:
                self.failing[end] = (status, left - 1)
                return PlainTextResponse("made to fail by a test", status_code=status)
        return None


@contextmanager
def file_server(folder: Path) -> Iterator[FileServer]:
    """Serve a folder with byte ranges."""
    port = free_port()
    server = FileServer(f"http://127.0.0.1:{port}")
    files = StaticFiles(directory=folder)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        answer = server.answer(Request(scope))
        await (answer or files)(scope, receive, send)

    config = uvicorn.Config(
        Starlette(routes=[Mount("/", app)]), host="127.0.0.1", port=port, log_level="error", lifespan="off"
    )
    runner = uvicorn.Server(config)
    thread = threading.Thread(target=runner.run, daemon=True)
    thread.start()
    _wait_until(lambda: runner.started)
    try:
        yield server
    finally:
        runner.should_exit = True
        thread.join(timeout=10)


@contextmanager
def stac_api(folder: Path, items: Sequence[Path], files_url: str | None) -> Iterator[str]:
    """Serve items of a folder's collection as a STAC API with rustac's memory backend; yield its URL.

    ``files_url`` is where the folder's rasters are served; None where the items say so themselves.
    """
    port = free_port()
    gathered = folder / "items.json"
    features = [_absolute_assets(item, folder, files_url) for item in items]
    gathered.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    # Links of the collection would name items that are not loaded.
    document = {**json.loads((folder / "collection.json").read_text(encoding="utf-8")), "links": []}
    bare = folder / "bare-collection.json"
    bare.write_text(json.dumps(document), encoding="utf-8")
    process = subprocess.Popen(
        [str(RUSTAC), "serve", str(bare), str(gathered), "--addr", f"127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until(lambda: _answers(url))
        yield url
    finally:
        process.terminate()
        process.wait(timeout=10)


def _absolute_assets(item: Path, folder: Path, files_url: str | None) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(item.read_text(encoding="utf-8"))
    if files_url is None:
        return document
    for asset in document["assets"].values():
        path = (item.parent / asset["href"]).resolve().relative_to(folder.resolve())
        asset["href"] = f"{files_url}/{path.as_posix()}"
    return {**document, "links": []}


def has_rustac() -> bool:
    """Return whether rustac's command is installed beside this Python."""
    return RUSTAC.exists() or shutil.which("rustac") is not None


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=1):  # noqa: S310 - a URL of this module
            return True
    except OSError:
        return False


def _wait_until(ready: Any, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError("the test server did not start")
        time.sleep(0.02)
