"""Logging in and out, and the first admin."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from roadstead.apps.desk.access import MaybeVisitor, Posted, Site, TheSite, address_of, safe_next
from roadstead.apps.desk.desk import SESSION_LIFE
from roadstead.apps.desk.login.password_check import LogIn
from roadstead.apps.desk.login.security import FORM_COOKIE, SESSION_COOKIE, is_loopback, new_token
from roadstead.core.errors import UsageError
from roadstead.store import hashed

router = APIRouter()
Next = Annotated[str, Query(alias="next")]


@router.get("/login")
def login_page(request: Request, site: TheSite, visitor: MaybeVisitor, then: Next = "/") -> Response:
    """Show the log-in page, or that of the first admin."""
    if visitor is not None and visitor.name:
        return RedirectResponse(safe_next(then), 303)
    if not site.desk.people.any():
        return RedirectResponse("/setup", 303)
    return form_page(request, site, "login.html.j2", then=safe_next(then), fault="", name="")


@router.post("/login")
def login(request: Request, site: TheSite, form: Posted) -> Response:
    """Check name and password, and start a session."""
    name, then = form.get("name", ""), safe_next(form.get("next", "/"))
    given = LogIn(name, form.get("password", ""), address_of(request))
    found = site.passwords.check(given, site.desk.clock())
    if found.wait_s:
        return wait_page(request, site, found.wait_s)
    if found.right:
        return start(request, site, name, then)
    fault = "Name or password is wrong."
    return form_page(request, site, "login.html.j2", 401, then=then, fault=fault, name=name[:40])


@router.post("/logout")
def logout(request: Request, site: TheSite, form: Posted) -> Response:
    """End the session."""
    token = site.seals.token(request, SESSION_COOKIE)
    if token:
        site.desk.people.end_session(token)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(SESSION_COOKIE, path="/")
    return response


@router.get("/setup")
def setup_page(request: Request, site: TheSite) -> Response:
    """Show the page of the first admin: while there is no user, on this machine alone."""
    if not _may_set_up(request, site):
        return _closed(request, site)
    return form_page(request, site, "setup.html.j2", fault="", name="")


@router.post("/setup")
def setup(request: Request, site: TheSite, form: Posted) -> Response:
    """Make the first admin of whoever knows the token that the terminal shows."""
    if not _may_set_up(request, site):
        return _closed(request, site)
    name = form.get("name", "")
    now = site.desk.clock()
    guess = site.limiter.reserve("first admin", address_of(request), now)
    if isinstance(guess, int):
        return wait_page(request, site, guess)
    if not hmac.compare_digest(
        (site.desk.setup_token or "").encode(), form.get("token", "").strip().encode()
    ):
        site.limiter.failed(guess)
        return form_page(
            request, site, "setup.html.j2", 403, fault="The token is not the one on the terminal.", name=name
        )
    site.limiter.succeeded(guess)
    try:
        if form.get("password") != form.get("again"):
            raise UsageError("the two passwords differ")
        person = site.desk.people.add(name, "admin", hashed(form.get("password", "")), now, first=True)
    except UsageError as error:
        return form_page(request, site, "setup.html.j2", 400, fault=str(error), name=name[:40])
    return start(request, site, person.name, "/")


def _may_set_up(request: Request, site: Site) -> bool:
    on_this_machine = is_loopback(address_of(request))
    return bool(site.desk.setup_token) and on_this_machine and not site.desk.people.any()


def _closed(request: Request, site: Site) -> Response:
    if site.desk.people.any():
        return RedirectResponse("/login", 303)
    words = (
        "The first admin is made on the machine that runs Roadstead: with "
        "'roadstead review add-user NAME --role admin', or at this page with the token that 'roadstead review' prints."
    )
    return site.page(request, "error.html.j2", None, 403, title="No one may log in yet", words=words)


def wait_page(request: Request, site: Site, wait_s: int) -> Response:
    """Return the page that says to wait so many seconds."""
    words = (
        f"Too many wrong tries for this name or from this address. Try again in {-(-wait_s // 60)} minutes."
    )
    response = site.page(request, "error.html.j2", None, 429, title="Wait a while", words=words)
    response.headers["Retry-After"] = str(wait_s)
    return response


def start(request: Request, site: Site, name: str, then: str, *, tls: bool = False) -> Response:
    """Start a session and lead on; ``tls``: browsers are known to come by it."""
    token, now = new_token(), site.desk.clock()
    before = site.seals.token(request, SESSION_COOKIE)
    if before:  # of whoever used this browser last: it would live on, and nobody could end it
        site.desk.people.end_session(before)
    site.desk.people.start_session(name, token, now, now + SESSION_LIFE)
    response = RedirectResponse(then, 303)
    site.seals.set(response, request, SESSION_COOKIE, token, SESSION_LIFE, tls=tls)
    response.delete_cookie(FORM_COOKIE, path="/")
    return response


def form_page(request: Request, site: Site, template: str, status: int = 200, **values: object) -> Response:
    """Show a form to somebody without a session: a cookie of its own ties the form to the browser."""
    held = site.seals.token(request, FORM_COOKIE)
    token = held or new_token()
    stale = site.seals.token(request, SESSION_COOKIE) is not None
    csrf = site.seals.form_token(request) if stale else site.seals.form_token_of(token)
    response = site.page(request, template, None, status, csrf=csrf, **values)
    if held is None:
        site.seals.set(response, request, FORM_COOKIE, token, SESSION_LIFE)
    return response
