"""Logging in through a provider of OpenID Connect: away, and back again."""

from __future__ import annotations

import hmac
import json
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NoBase64
from dataclasses import dataclass
from datetime import datetime, timedelta

from cachetools import LRUCache
from fastapi import APIRouter, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from roadstead.apps.desk.access import Site, TheSite, address_of, root_of, safe_next
from roadstead.apps.desk.login.account import Next, form_page, start, wait_page
from roadstead.apps.desk.login.openid import Client
from roadstead.apps.desk.login.security import AWAY_COOKIE, new_token
from roadstead.core.errors import LogInError, UpstreamError

router = APIRouter()
BACK = "/login/oidc/back"
AWAY_LIFE = timedelta(minutes=10)
"""How long somebody may take at the provider."""
LONGEST_NEXT = 1500
"""Characters of the page asked for: a cookie holds 4096 bytes."""


@dataclass(frozen=True)
class Away:
    """A log-in under way, kept in the browser's own cookie; all that is secret of it is derived from our key."""

    token: str
    left: datetime
    then: str

    @property
    def sealed(self) -> str:
        """It as text for a cookie."""
        told = json.dumps([self.token, self.left.timestamp(), self.then])
        return urlsafe_b64encode(told.encode()).decode()


def _away(request: Request, site: Site) -> Away | None:
    """Return the log-in that this browser began; None where it began none."""
    held = site.seals.token(request, AWAY_COOKIE)
    try:
        token, left, then = json.loads(urlsafe_b64decode(held or ""))
        return Away(str(token), datetime.fromtimestamp(left, site.desk.clock().tzinfo), str(then))
    except (NoBase64, ValueError, TypeError):
        return None


class Used:
    """Log-ins that came back already; memory is bounded."""

    def __init__(self) -> None:
        """Know of none."""
        self._tokens: LRUCache[str, bool] = LRUCache(maxsize=10_000)
        self._lock = threading.Lock()

    def first(self, token: str) -> bool:
        """Whether a log-in comes back for the first time."""
        with self._lock:
            known = token in self._tokens
            self._tokens[token] = True
        return not known


@router.get("/login/oidc")
def leave(request: Request, site: TheSite, then: Next = "/") -> Response:
    """Send the browser to the provider."""
    client = _client(site)
    if not site.desk.people.any():
        return RedirectResponse("/setup", 303)
    wait = site.limiter.wait_s("", address_of(request), site.desk.clock())
    if wait:
        return wait_page(request, site, wait)
    inside = safe_next(then)
    away = Away(new_token(), site.desk.clock(), inside if len(inside) <= LONGEST_NEXT else "/")
    state, nonce, verifier = _secrets(site, away)
    try:
        address = client.address(_back(request, site), state, nonce, verifier)
    except UpstreamError as error:
        return _told(request, site, away.then, 503, str(error))
    response = RedirectResponse(address, 303)
    site.seals.set(response, request, AWAY_COOKIE, away.sealed, AWAY_LIFE, tls=_by_tls(request, site))
    return response


@router.get(BACK)
def back(request: Request, site: TheSite) -> Response:
    """Take the answer of the provider and start a session of whom its account is tied to, by the role in the store."""
    client = _client(site)
    now = site.desk.clock()
    wait = site.limiter.wait_s("", address_of(request), now)
    if wait:
        return wait_page(request, site, wait)
    away = _away(request, site)
    if away is None:
        # Nothing was tried, so nothing is counted: any page of the web can send a browser here.
        return _told(request, site, "/", 403, "This browser began no such log-in, or it took too long.")
    guess = site.limiter.reserve("", address_of(request), now)
    if isinstance(guess, int):
        return wait_page(request, site, guess)
    state, nonce, verifier = _secrets(site, away)
    given = dict(request.query_params)
    try:
        if len(given) != len(request.query_params.multi_items()):
            raise LogInError("the answer says something twice")
        if not hmac.compare_digest(state.encode(), given.get("state", "").encode()):
            raise LogInError("the answer belongs to another log-in")
        if now - away.left > AWAY_LIFE:
            raise LogInError("it took too long")
        if not request.app.state.used.first(away.token):
            raise LogInError("the answer was used before")
        account = client.account(given, _back(request, site), nonce, verifier, now)
        person = site.desk.people.of_account(account.issuer, account.subject, account.name)
    except UpstreamError as error:
        site.limiter.forget(guess)
        return _told(request, site, away.then, 503, str(error))
    except LogInError as error:
        site.limiter.failed(guess)
        return _told(request, site, away.then, 403, str(error))
    site.limiter.forget(guess)
    response = start(request, site, person.name, safe_next(away.then), tls=_by_tls(request, site))
    response.delete_cookie(AWAY_COOKIE, path="/")
    return response


def _client(site: Site) -> Client:
    if site.desk.log_in is None:
        raise HTTPException(404)
    return site.desk.log_in


def _secrets(site: Site, away: Away) -> tuple[str, str, str]:
    """Return state, nonce and the verifier of PKCE (RFC 7636: 43 to 128 characters)."""
    state, nonce, verifier = (
        site.seals.derived(f"oidc {name}", away.token) for name in ("state", "nonce", "verifier")
    )
    return state, nonce, verifier


def _back(request: Request, site: Site) -> str:
    return root_of(request, site) + BACK


def _by_tls(request: Request, site: Site) -> bool:
    return root_of(request, site).startswith("https:")


def _told(request: Request, site: Site, then: str, status: int, why: str) -> Response:
    """Show the log-in page with what went wrong; the log-in under way is over."""
    fault = f"No log-in through {_client(site).provider.label}: {why.rstrip('.')}."
    response = form_page(request, site, "login.html.j2", status, then=safe_next(then), fault=fault, name="")
    response.delete_cookie(AWAY_COOKIE, path="/")
    return response
