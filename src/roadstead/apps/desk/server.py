"""The application on an address: in this thread until it is stopped, or in one of its own."""

from __future__ import annotations

import threading
import time

import uvicorn
from fastapi import FastAPI

from roadstead.apps.desk.connections import Patience, bounded
from roadstead.core.errors import UpstreamError

START_S, STOP_S = 30.0, 10.0


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
