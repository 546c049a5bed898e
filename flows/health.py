"""`/health`, `/metrics` and the exported files, served by `roadstead serve` on an address of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from roadstead.apps.desk import bounded
from roadstead.core.errors import RoadsteadError
from roadstead.store import Store
from roadstead.workflows.status import metrics_text, port_status

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def health_app(
    store_url: str,
    ports: Sequence[str],
    faults: Callable[[], list[str]],
    exports: Path,
    review: str | None = None,
) -> Starlette:
    """Return the application.

    Args:
        store_url: SQLAlchemy URL of the store.
        ports: Whose metrics to show.
        faults: Says what is wrong with the serve now; empty when all is well.
        exports: Folder that `/exports` serves; made where it is absent.
        review: Address of the analyst's desk; None where it is not served.
    """

    def health(_: Request) -> Response:
        wrong = faults()
        told = {"status": "fault" if wrong else "ok", "faults": wrong, "review": review}
        return JSONResponse(told, 503 if wrong else 200)

    def metrics(_: Request) -> Response:
        try:
            with Store.open(store_url, writes=False) as store:
                return Response(
                    metrics_text([port_status(store, port) for port in ports]), media_type=CONTENT_TYPE
                )
        except RoadsteadError as error:
            return Response(f"# {error}\n", 503, media_type=CONTENT_TYPE)

    def listing(_: Request) -> Response:
        folders = sorted((p.name for p in exports.glob("????-??-??")), reverse=True)
        rows = "".join(f'<li><a href="/exports/{name}/report.html">{name}</a></li>' for name in folders)
        return Response(
            f"<!doctype html><title>Exports</title><h1>Exports</h1><ul>{rows}</ul>", media_type="text/html"
        )

    exports.mkdir(parents=True, exist_ok=True)
    return Starlette(
        routes=[
            Route("/health", health),
            Route("/metrics", metrics),
            Route("/exports", listing),
            Mount("/exports", StaticFiles(directory=exports)),
        ]
    )


class HealthServer:
    """The application in a thread of its own."""

    def __init__(self, app: Starlette, host: str, port: int) -> None:
        """Prepare it; `start` binds the address."""
        self._server = uvicorn.Server(bounded(app, host, port))
        self._thread = threading.Thread(target=self._server.run, name="health", daemon=True)

    def start(self) -> None:
        """Start serving."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join(timeout=5)
