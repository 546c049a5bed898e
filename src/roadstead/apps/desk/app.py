"""The application: routes, guards and error pages."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from roadstead.apps.desk.access import NeedsLoginError, Site, environment, login_path, visitor_of
from roadstead.apps.desk.desk import Desk
from roadstead.apps.desk.login import account, sign_on
from roadstead.apps.desk.login.password_check import PasswordCheck
from roadstead.apps.desk.login.security import Limiter, Seals, guard, is_loopback, with_headers
from roadstead.apps.desk.map_data import MapData
from roadstead.apps.desk.ogc import routes as ogc
from roadstead.apps.desk.overpass_pictures import Imagery
from roadstead.apps.desk.pages import (
    attach,
    audit,
    decide,
    finding,
    mapping,
    release,
    released,
    start,
    tiles,
    vessel,
)
from roadstead.core.errors import BusyError, RoadsteadError, StoreError, UsageError
from roadstead.store import OvertakenError

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
TELEMETRY: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""FastAPI would take exporters from the environment: nothing of a desk leaves the machine."""
PARTS = (
    account,
    sign_on,
    start,
    finding,
    decide,
    attach,
    release,
    released,
    audit,
    tiles,
    mapping,
    vessel,
    ogc,
)
TITLES = {
    400: "That cannot be read",
    403: "Not allowed",
    404: "Nothing here",
    409: "Somebody was faster",
    413: "Too large",
    415: "That cannot be read",
    422: "That cannot be read",
    503: "The store does not answer",
}
RETRY_S = 5
"""When to ask again what too many ask at once."""


def review_app(desk: Desk) -> FastAPI:
    """Return the application of a desk.

    Raises:
        UsageError: it is to be open to all and can be reached from elsewhere, by itself or through a proxy.
    """
    if desk.open and (desk.allowed_hosts or not is_loopback(desk.host)):
        raise UsageError(
            "--open lets everybody read, so it is for this machine alone: neither with --allowed-host nor with a "
            f"--host of others ({desk.host})"
        )
    app = FastAPI(
        title="Roadstead review", docs_url=None, redoc_url=None, openapi_url=None, telemetry=TELEMETRY
    )
    limiter = Limiter()
    checks = PasswordCheck(desk.key, limiter, desk.people.password_hash)
    app.state.site = Site(desk, Seals(desk.key), limiter, environment(desk), checks)
    app.state.used = sign_on.Used()
    app.state.imagery = Imagery(desk)
    app.state.map_data = MapData(app.state.imagery.atlas)
    app.mount("/static", StaticFiles(directory=Path(str(resources.files("roadstead.apps.desk") / "static"))))
    for part in PARTS:
        app.include_router(part.router)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=_hosts(desk), www_redirect=False)
    app.add_middleware(BaseHTTPMiddleware, dispatch=guard)
    app.add_exception_handler(NeedsLoginError, _to_login)
    app.add_exception_handler(BusyError, _busy)
    app.add_exception_handler(ClientDisconnect, _left)
    app.add_exception_handler(RoadsteadError, _failed)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Exception, _broken)
    return app


def _hosts(desk: Desk) -> list[str]:
    """Return the names it answers to: a name that another site points at this machine is none of them."""
    if desk.allowed_hosts or is_loopback(desk.host):
        return [*LOOPBACK_NAMES, *desk.allowed_hosts]
    return ["*"]


def _to_login(request: Request, _: Exception) -> Response:
    return RedirectResponse(login_path(request), 303)


def _is_api(request: Request) -> bool:
    """Whether a program asks, which reads JSON."""
    return request.url.path.startswith("/ogc")


def _fault(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"code": str(status), "description": words}, status, headers)


def _busy(request: Request, error: Exception) -> Response:
    headers = {"Retry-After": str(RETRY_S)}
    if _is_api(request):
        return _fault(503, str(error), headers)
    answer = _error_page(request, 503, f"{str(error).capitalize()}.", title="Too much at once")
    answer.headers.update(headers)
    return answer


def _left(_: Request, __: Exception) -> Response:
    """Answer whoever went away before all was sent: nobody reads it, and it is no fault of ours to log."""
    return Response(status_code=400)


def _failed(request: Request, error: Exception) -> Response:
    if _is_api(request):
        return _fault(400 if isinstance(error, UsageError) else 503, str(error))
    if isinstance(error, OvertakenError):
        return _error_page(request, 409, str(error))
    site: Site = request.app.state.site
    if isinstance(error, StoreError) and site.desk.store.read_only:
        return _error_page(request, 503, str(error), title="Nothing can be written here")
    return _error_page(request, 400 if isinstance(error, UsageError) else 503, str(error))


def _refused(request: Request, error: Exception) -> Response:
    status, detail = getattr(error, "status_code", 400), getattr(error, "detail", "")
    if _is_api(request):
        return _fault(status, str(detail), getattr(error, "headers", None))
    return _error_page(request, status, "There is no such page." if status == 404 else str(detail))


def _unreadable(request: Request, _: Exception) -> Response:
    return _error_page(request, 422, "The address holds a value that cannot be read.")


def _broken(request: Request, _: Exception) -> Response:
    """Answer a fault of ours, which goes on to the server's log; nothing of it is shown, and the guard is past."""
    words = "Something is wrong in the desk itself: its terminal says what."
    answer = _fault(500, words) if _is_api(request) else _error_page(request, 500, words)
    return with_headers(request, answer)


def _error_page(request: Request, status: int, words: str, title: str = "") -> Response:
    site: Site = request.app.state.site
    title = title or TITLES.get(status, "That did not work")
    visitor = (
        None if status == 503 else visitor_of(request, site)
    )  # who asks is in the store that does not answer
    return site.page(request, "error.html.j2", visitor, status, title=title, words=words)
