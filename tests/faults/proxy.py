"""A server that stands before a real one and breaks what it says, as the servers of the world do."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

import requests

ALWAYS = 1_000_000


@dataclass
class Fault:
    """What happens to some requests."""

    where: str
    """Regular expression for the path and query."""
    times: int = ALWAYS
    """How many requests it happens to; then the server is well again."""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    truncated: bool = False
    """The body breaks off half-way."""
    short: bool = False
    """The body is half of what the headers of a whole, well-formed answer say it is: Content-Length is that of the
    half."""
    garbage: bytes = b""
    """Sent in the body's place, repeated to its length."""
    content_type: str = ""
    reset: bool = False
    slow_s: float = 0.0
    no_ranges: bool = False
    """The whole file is sent whatever the range."""
    change: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """Of a JSON answer."""
    after: int = 0
    """So many matching requests go well first."""

    def hits(self, path: str) -> bool:
        if not re.search(self.where, path) or self.times <= 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Proxy:
    """The server in front of ``upstream``; requests and bytes are counted."""

    upstream: str
    """Of files."""
    stac: str = ""
    """Of the STAC API, which stands under ``/stac``."""
    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    token: str = ""
    """Where set, files want ``?sig=`` with it: 409 without one, 403 with another."""
    key: str = ""
    """Where set, files want an S3 query signature of this access key."""
    token_changes_after: int = 0
    """After so many more reads the token in use has ended; 0 for never."""
    tokens_given: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    seen: list[tuple[str, str | None]] = field(default_factory=list)
    """Path with query and Range header of each request."""
    sent: int = 0
    """Bytes of bodies."""

    def fault(self, path: str) -> Fault | None:
        with self.lock:
            return next((fault for fault in self.faults if fault.hits(path)), None)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def do_GET(self) -> None:
        self._serve(None)

    def do_HEAD(self) -> None:
        self._serve(None)

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _serve(self, body: bytes | None) -> None:
        proxy = self.proxy
        with proxy.lock:
            proxy.seen.append((self.path, self.headers.get("Range")))
        fault = proxy.fault(self.path)
        if fault is not None and fault.slow_s:
            time.sleep(fault.slow_s)
        if fault is not None and fault.reset:
            self._reset()
        elif fault is not None and fault.status:
            self._send(
                fault.status, b"made to fail by a test", {"Content-Type": "text/plain", **fault.headers}
            )
        elif self.path.startswith("/token/"):
            self._give_token()
        elif refusal := self._refusal():
            self._send(refusal, b"<Error/>", {"Content-Type": "application/xml"})
        else:
            self._forward(body, fault)

    def _refusal(self) -> int:
        """Return the status for a file without the signature it wants."""
        asked = parse_qs(urlparse(self.path).query)
        if self.proxy.token and not self.path.startswith("/stac"):
            self._age()
            if "sig" not in asked:
                return 409
            return 0 if asked["sig"] == [self.proxy.token] else 403
        if self.proxy.key and not self.path.startswith("/stac"):
            credential = asked.get("X-Amz-Credential", [""])[0].split("/")[0]
            return 0 if credential == self.proxy.key and asked.get("X-Amz-Signature") else 403
        return 0

    def _age(self) -> None:
        with self.proxy.lock:
            if self.proxy.token_changes_after:
                self.proxy.token_changes_after -= 1
                if not self.proxy.token_changes_after:
                    self.proxy.token += "-renewed"

    def _give_token(self) -> None:
        with self.proxy.lock:
            self.proxy.tokens_given += 1
        until = datetime.now(UTC) + timedelta(hours=1)
        document = {"token": f"sig={self.proxy.token}", "msft:expiry": until.isoformat()}
        self._send(200, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def _forward(self, body: bytes | None, fault: Fault | None) -> None:
        passed = {
            name: self.headers[name] for name in ("Range", "Content-Type", "Accept") if self.headers.get(name)
        }
        passed["Accept-Encoding"] = "identity"
        if fault is not None and fault.no_ranges:
            passed.pop("Range", None)
        answer = requests.request(self.command, self._behind(), data=body, headers=passed, timeout=20)
        names = ("Content-Type", "Content-Range", "ETag", "Last-Modified")
        headers = {name: answer.headers[name] for name in names if name in answer.headers}
        content = answer.content
        if "json" in headers.get("Content-Type", "") and self.proxy.stac:
            content = content.replace(self.proxy.stac.encode(), f"{self.proxy.url}/stac".encode())
        if fault is not None and fault.change is not None:
            content = json.dumps(fault.change(json.loads(content))).encode()
        if fault is not None and fault.garbage:
            content = (fault.garbage * (len(content) // len(fault.garbage) + 1))[: len(content)]
        if fault is not None and fault.content_type:
            headers["Content-Type"] = fault.content_type
        if fault is not None and fault.short:
            content = content[: len(content) // 2]
        self._send(answer.status_code, content, headers, broken=fault is not None and fault.truncated)

    def _behind(self) -> str:
        """Return where the real server has what is asked for; a file's signature stays here, as a bucket's name
        does."""
        if self.path.startswith("/stac"):
            return self.proxy.stac + self.path.removeprefix("/stac")
        return self.proxy.upstream + urlparse(self.path).path.removeprefix("/eodata")

    def _send(self, status: int, content: bytes, headers: dict[str, str], broken: bool = False) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        sent = content[: len(content) // 2] if broken else content
        if self.command != "HEAD":
            self.wfile.write(sent)
        with self.proxy.lock:
            self.proxy.sent += len(sent)
        if broken:
            self.close_connection = True

    def _reset(self) -> None:
        """Close the connection with RST, as a crashed server or a firewall does."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, ValueError, OSError):
            pass

    def finish(self) -> None:
        try:
            super().finish()
        except (ConnectionError, ValueError, OSError):
            pass

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def proxy(upstream: str, **settings: Any) -> Iterator[Proxy]:
    """Run a proxy on 127.0.0.1 in threads."""
    made = Proxy(upstream, **settings)
    handler = type("Handler", (_Handler,), {"proxy": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
