"""Cookies, form tokens, limits on guessing, and the headers of every answer."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from cachetools import LRUCache
from itsdangerous import BadSignature, Signer
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

SESSION_COOKIE, FORM_COOKIE = "roadstead_session", "roadstead_form"
AWAY_COOKIE = "roadstead_away"
"""Of a browser that has gone to a log-in provider."""
MOST_BODY = 64 * 1024
MOST_UPLOAD = 10 * 1024 * 1024 + MOST_BODY
"""A file and the fields beside it."""
_UPLOADS = re.compile(r"/finding/[^/]+/[^/]+/attach")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
MAP_POLICY = HEADERS["Content-Security-Policy"] + "; worker-src 'self'; connect-src 'self'"
"""The map's library works in a worker of our own files and fetches tiles from here. A worker's policy is that of the
answer its file came with."""
MAP_PATHS = ("/map", "/static/vendor/maplibre/")
Next = Callable[[Request], Awaitable[Response]]
Key = tuple[str, str]
"""What guesses are counted by: ``name`` or ``address``, and which."""


async def guard(request: Request, call_next: Next) -> Response:
    """Refuse bodies too large or of unknown size, and set the headers."""
    return with_headers(request, _refused(request) or await call_next(request))


def with_headers(request: Request, response: Response) -> Response:
    """Set the headers of every answer."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    if request.url.path == MAP_PATHS[0] or request.url.path.startswith(MAP_PATHS[1]):
        response.headers["Content-Security-Policy"] = MAP_POLICY
    if not request.url.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _refused(request: Request) -> Response | None:
    if request.method not in ("GET", "HEAD", "POST"):
        return PlainTextResponse("method not allowed", 405)
    if request.method == "POST":
        size = request.headers.get("content-length", "")
        if not (size.isascii() and size.isdigit()):
            return PlainTextResponse("length required", 411)
        if int(size) > (MOST_UPLOAD if _UPLOADS.fullmatch(request.url.path) else MOST_BODY):
            return PlainTextResponse("too large", 413)
    return None


def is_loopback(host: str | None) -> bool:
    """Whether an address or name means this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


class Seals:
    """Signs cookies and makes the tokens of forms."""

    def __init__(self, key: bytes) -> None:
        """Take the secret of this desk."""
        self._key = key
        self._signer = Signer(key, salt="roadstead.review.cookie", digest_method=hashlib.sha256)

    def token(self, request: Request, cookie: str) -> str | None:
        """Return the token in a cookie whose signature is ours."""
        try:
            return self._signer.unsign(request.cookies.get(cookie, "")).decode()
        except (BadSignature, UnicodeDecodeError):
            return None

    def set(
        self,
        response: Response,
        request: Request,
        cookie: str,
        token: str,
        life: timedelta,
        *,
        tls: bool = False,
    ) -> None:
        """Set a cookie that scripts cannot read and other sites' posts do not carry; ``tls``: browsers come by it."""
        response.set_cookie(
            cookie,
            self._signer.sign(token).decode(),
            max_age=int(life.total_seconds()),
            httponly=True,
            samesite="lax",
            secure=tls or _by_tls(request),
            path="/",
        )

    def form_token(self, request: Request) -> str:
        """Return the token that forms of this browser carry; empty where it has no cookie yet."""
        held = self.token(request, SESSION_COOKIE) or self.token(request, FORM_COOKIE)
        return self.form_token_of(held) if held else ""

    def form_token_of(self, token: str) -> str:
        """Return the form token that goes with a cookie's token."""
        return self.derived("form", token)

    def derived(self, purpose: str, token: str) -> str:
        """Return 256 bits, as 64 hexadecimal digits, that whoever has the token alone cannot tell."""
        return hmac.new(self._key, f"{purpose}:{token}".encode(), hashlib.sha256).hexdigest()

    def is_ours(self, request: Request, given: str) -> bool:
        """Whether a post comes from a page that we gave this browser."""
        origin = request.headers.get("origin")
        # The host alone: behind a proxy that ends TLS the browser's scheme is not ours. The form's token is the guard.
        if origin is not None and origin.partition("://")[2] != request.headers.get("host", ""):
            return False
        expected = self.form_token(request)
        return bool(expected) and hmac.compare_digest(expected.encode(), given.encode())


def _by_tls(request: Request) -> bool:
    """Whether the browser came by TLS, to us or to a proxy before us: forms carry its own scheme."""
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:")


def new_token() -> str:
    """Return 256 random bits."""
    return secrets.token_urlsafe(32)


@dataclass(eq=False)
class Guess:
    """One log-in that is being checked, or that failed."""

    when: datetime
    keys: tuple[Key, ...]
    """What it counts against."""
    failed: bool = False
    """False while it is being checked: it counts all the same."""


class Limiter:
    """Counts log-ins that failed or are being checked, per name and per address; memory is bounded.

    A guess counts from the moment it is let in to be checked, so that many at once are no more than many in a row.
    """

    def __init__(
        self, per_name: int = 5, per_address: int = 20, window: timedelta = timedelta(minutes=15)
    ) -> None:
        """Allow so many failures within a window."""
        self._most = {"name": per_name, "address": per_address}
        self._window = window
        self._guesses: dict[str, LRUCache[Key, list[Guess]]] = {
            kind: LRUCache(maxsize=10_000) for kind in self._most
        }
        self._lock = threading.Lock()

    def wait_s(self, name: str, address: str, now: datetime) -> int:
        """Return for how many seconds no further try is taken; 0: it may try."""
        with self._lock:
            return self._longest(_keys(name, address), now)

    def reserve(self, name: str, address: str, now: datetime) -> Guess | int:
        """Count a guess before it is checked; return it, or for how many seconds none is taken.

        The guess counts as a failure until `succeeded` or `forget` is told of it.
        """
        keys = _keys(name, address)
        with self._lock:
            wait = self._longest(keys, now)
            if wait:
                return wait
            guess = Guess(now, keys)
            for key in keys:
                self._guesses[key[0]].setdefault(key, []).append(guess)
            return guess

    def failed(self, guess: Guess) -> None:
        """Let a guess count as a failure for the rest of the window."""
        with self._lock:
            guess.failed = True

    def succeeded(self, guess: Guess) -> None:
        """Take a guess back that was right, and the failures of its name; others under way still count."""
        with self._lock:
            self._take_back(guess)
            for key in guess.keys:
                if key[0] == "name":
                    held = self._guesses["name"].pop(key, [])
                    self._keep(key, [one for one in held if not one.failed])

    def forget(self, guess: Guess) -> None:
        """Take a guess back that was not checked after all."""
        with self._lock:
            self._take_back(guess)

    def _take_back(self, guess: Guess) -> None:
        for key in guess.keys:
            held = self._guesses[key[0]].pop(key, [])
            self._keep(key, [one for one in held if one is not guess])

    def _keep(self, key: Key, guesses: list[Guess]) -> None:
        if guesses:
            self._guesses[key[0]][key] = guesses

    def _longest(self, keys: Iterable[Key], now: datetime) -> int:
        return max(self._wait(key, now) for key in keys)

    def _wait(self, key: Key, now: datetime) -> int:
        counted = self._guesses[key[0]].get(key, [])
        counted[:] = [one for one in counted if one.when > now - self._window]
        if len(counted) < self._most[key[0]]:
            return 0
        return max(1, int((counted[0].when + self._window - now).total_seconds()))


def _keys(name: str, address: str) -> tuple[Key, ...]:
    """Name what is counted; an empty name is nobody's, and is not."""
    own = name.strip().lower()[:80]
    place = ("address", _network(address))
    return (("name", own), place) if own else (place,)


def _network(address: str) -> str:
    """Return what one household or firm has of addresses: of IPv6 a /64, of which it may use any."""
    try:
        told = ip_address(address)
    except ValueError:
        return address
    if isinstance(told, IPv6Address) and told.ipv4_mapped is None:
        return str(ip_network((told, 64), strict=False))
    return str(told)
