"""The application on an address, and bounds on its connections: how long each may take, how many there may be.

uvicorn bounds neither: a request that is never sent whole keeps its connection for ever. Nor does it bound what is
written: a process that has no file left for one more connection writes a trace for every try to accept it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import traceback
from dataclasses import dataclass
from typing import Any, ClassVar

import h11
import uvicorn
from cachetools import LRUCache
from fastapi import FastAPI
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from roadstead.apps.desk.login.security import MOST_BODY
from roadstead.core.errors import UpstreamError

START_S, STOP_S = 30.0, 10.0
KEEP_ALIVE_S = 75
"""Longer than people look at a page: a connection that ends as the next click is sent would lose it."""
BACKLOG = 128
"""Connections that the kernel holds for us, and that are accepted in one go, before any can be refused."""
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 20\r\n"
    b"retry-after: 5\r\nconnection: close\r\n\r\ntoo many connections"
)


class ReviewServer:
    """One application on one address."""

    def __init__(self, app: FastAPI, host: str, port: int, patience: Patience | None = None) -> None:
        """Prepare it; port 0 means a free one. `run` or `start` binds the address."""
        self._server = uvicorn.Server(bounded(app, host, port, patience))
        self._host, self._port = host, port
        self._thread = threading.Thread(target=self._server.run, name="review", daemon=True)

    @property
    def address(self) -> str:
        """Its address, ``http://HOST:PORT``."""
        port = self._port
        for listener in getattr(self._server, "servers", ()):
            port = listener.sockets[0].getsockname()[1]
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{port}"

    def run(self) -> None:
        """Serve until Ctrl-C or SIGTERM.

        Raises:
            UpstreamError: the address cannot be bound.
        """
        try:
            self._server.run()
        except SystemExit as error:
            raise UpstreamError(
                f"{self._host}:{self._port} cannot be bound: choose another --port"
            ) from error
        except KeyboardInterrupt:
            return

    def start(self) -> None:
        """Serve in a thread, and return once it answers.

        Raises:
            UpstreamError: the address cannot be bound.
        """
        self._thread.start()
        until = time.monotonic() + START_S
        while self._thread.is_alive() and not self._server.started and time.monotonic() < until:
            time.sleep(0.02)
        if not self._server.started:
            raise UpstreamError(f"{self._host}:{self._port} cannot be bound: choose another port")

    @property
    def alive(self) -> bool:
        """Whether the thread still serves."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Stop serving in a thread."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S)


@dataclass(frozen=True)
class Patience:
    """How long a connection may take, in seconds, and how many there may be."""

    head_s: float = 15.0
    """From the connection, or the first byte of a request after another one, to the end of the request's head."""
    body_s: float = 15.0
    """For the rest of a request that declares no more than `MOST_BODY` bytes: a form."""
    upload_s: float = 180.0
    """For the rest of a larger one: 10 MB come in that time at 0.5 Mbit/s."""
    write_s: float = 60.0
    """For a client to take 64 KB of an answer."""
    connections: int = 256
    """At once; a process may hold 1024 files by default, and what is accepted in one go comes on top."""


def guarded(patience: Patience) -> type[H11Protocol]:
    """Return uvicorn's protocol with these bounds; the connections of one server share what they count."""

    class Guarded(_Guarded):
        due: ClassVar[dict[_Guarded, None]] = {}
        sending: ClassVar[dict[_Guarded, None]] = {}
        resting: ClassVar[dict[_Guarded, None]] = {}

    Guarded.patience = patience
    return Guarded


class _Guarded(H11Protocol):
    """One connection. A clock runs while something of a request is still to come; it stops while we answer."""

    patience: ClassVar[Patience]
    due: ClassVar[dict[_Guarded, None]]
    """Connections of whose request not even the head is there, oldest first."""
    sending: ClassVar[dict[_Guarded, None]]
    """Connections of whose request the head is there and the body is not, oldest first."""
    resting: ClassVar[dict[_Guarded, None]]
    """Connections between two requests, oldest first; uvicorn ends them after a while."""
    _phase = ""
    _clock: asyncio.TimerHandle | None = None
    _write_clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - as asyncio gives it
        """Take a connection; where there are too many, one that we wait for has to go."""
        super().connection_made(transport)
        if len(self.connections) > self.patience.connections and not self._made_room():
            transport.write(_FULL)
            transport.close()
            return
        self._note_phase()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._enter("over")
        self._stop_write_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if not self.transport.is_closing():
            super().data_received(data)
        self._note_phase()

    def on_response_complete(self) -> None:
        """End an answer, and read on what was sent ahead of it."""
        super().on_response_complete()
        self._note_phase()

    def pause_writing(self) -> None:
        """Run the clock of a client that does not take our answer."""
        super().pause_writing()
        self._write_clock = self.loop.call_later(self.patience.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop it."""
        super().resume_writing()
        self._stop_write_clock()

    def _note_phase(self) -> None:
        """Set the clock anew where the request has come to another phase; more bytes of one phase win no time."""
        phase = "over" if self.transport.is_closing() else self._now_in()
        if phase != self._phase:
            self._enter(phase)

    def _now_in(self) -> str:
        state = self.conn.their_state
        if state is h11.IDLE:
            return "head" if self.cycle is None or self.conn.trailing_data[0] else "rest"
        return "body" if state is h11.SEND_BODY else "answer"

    def _enter(self, phase: str) -> None:
        if self._clock is not None:
            self._clock.cancel()
        for waiting in (self.due, self.sending, self.resting):
            waiting.pop(self, None)
        self._phase, self._clock = phase, None
        if phase == "head":
            self.due[self] = None
            self._clock = self.loop.call_later(self.patience.head_s, self.transport.abort)
        elif phase == "body":
            self.sending[self] = None
            self._clock = self.loop.call_later(self._body_s(), self.transport.abort)
        elif phase == "rest":
            self.resting[self] = None

    def _body_s(self) -> float:
        sizes = [
            int(value) for name, value in self.headers if name == b"content-length"
        ]  # digits: h11 has checked
        return self.patience.upload_s if max(sizes, default=0) > MOST_BODY else self.patience.body_s

    def _stop_write_clock(self) -> None:
        if self._write_clock is not None:
            self._write_clock.cancel()
            self._write_clock = None

    def _made_room(self) -> bool:
        """End the oldest connection of those we wait for; False where every one is being answered.

        It is of the most frequent sort (no head, half a body, at rest), so that who fills the desk with one sort ends
        their own, and not the one person whose request or upload is just coming.
        """
        most = max((self.due, self.sending, self.resting), key=len)
        oldest = next(iter(most), None)
        if oldest is None:
            return False
        oldest._enter("over")
        oldest.transport.abort()
        return True


class FewComplaints(logging.Filter):
    """Lets a complaint through so many times a minute, and then says how many more there were."""

    def __init__(self, most: int = 5, within_s: float = 60.0) -> None:
        """Take how many of a kind may be written within how many seconds."""
        super().__init__()
        self._most, self._within_s = most, within_s
        self._kinds: LRUCache[tuple[str, str], _Written] = LRUCache(maxsize=200)
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is written."""
        now = time.monotonic()
        with self._lock:
            kind = (str(record.msg), _raised_at(record))
            held = self._kinds.get(kind)
            if held is None or now - held.since > self._within_s:
                self._kinds[kind] = _Written(now)
                left_out = held.written - self._most if held else 0
                if left_out > 0:
                    record.msg = f"{record.getMessage()} ({left_out} more of this kind were not written)"
                    record.args = ()
                return True
            held.written += 1
            return held.written <= self._most


@dataclass
class _Written:
    """How often a kind of complaint was made."""

    since: float
    written: int = 1


def _raised_at(record: logging.LogRecord) -> str:
    """Return the kind of an exception and the line that raised it: faults of two kinds are both written."""
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    last = traceback.extract_tb(record.exc_info[2], limit=-1)
    return f"{record.exc_info[0].__name__} {last[0].filename}:{last[0].lineno}" if last else ""


def bounded(
    app: ASGIApp, host: str, port: int, patience: Patience | None = None, keep_alive_s: int = KEEP_ALIVE_S
) -> uvicorn.Config:
    """Return how an application is served: with bounds on connections and on complaints, and no WebSockets.

    Args:
        app: The application.
        host: Address to bind.
        port: Port to bind; 0 means a free one.
        patience: The bounds; None: as a rule.
        keep_alive_s: How long a connection may rest between two requests.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=guarded(patience or Patience()),
        ws="none",
        log_level="warning",
        backlog=BACKLOG,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=keep_alive_s,
    )
    for name in ("uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        if not any(isinstance(one, FewComplaints) for one in logger.filters):
            logger.addFilter(FewComplaints())
    return config
