"""A small provider of OpenID Connect on loopback: it signs ID tokens, and lies where a test asks."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

import uvicorn
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "roadstead-desk", "of the test alone"


@cache
def signing_key(name: str = "one") -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


@dataclass
class Provider:
    """What it says of whom, and what a test has it say wrongly."""

    clock: Callable[[], datetime]
    person: str = "ana"
    claims: dict[str, Any] = field(default_factory=dict)
    """Replace those of the ID token; None takes one away."""
    document: dict[str, Any] = field(default_factory=dict)
    """Replace entries of the discovery document."""
    sign: Callable[[dict[str, Any]], str] | None = None
    refuses: str = ""
    """Error code in place of a code."""
    down: str = ""
    """Path that answers 503."""
    instead: dict[str, Callable[[], Response]] = field(default_factory=dict)
    """Path -> what it answers in place of the truth."""
    names_itself: bool = True
    """Whether browsers come back with ``iss``."""
    key: RSAKey = field(default_factory=signing_key)
    asked: list[str] = field(default_factory=list)
    sent: list[dict[str, str]] = field(default_factory=list)
    """Parameters that browsers came with."""
    issuer: str = ""
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def app(self) -> Starlette:
        paths = {
            "/.well-known/openid-configuration": self._about,
            "/authorize": self._authorize,
            "/jwks": self._jwks,
        }
        routes = [Route(path, self._tapped(handler)) for path, handler in paths.items()]
        return Starlette(routes=[*routes, Route("/token", self._tapped(self._token), methods=["POST"])])

    def _tapped(self, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answered(request: Request) -> Response:
            self.asked.append(request.url.path)
            if self.down == request.url.path:
                return Response("out of order", 503)
            if request.url.path in self.instead:
                return self.instead[request.url.path]()
            answer: Response = await handler(request)
            return answer

        return answered

    async def _about(self, _: Request) -> Response:
        paths = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        told = {"issuer": self.issuer, **{name: self.issuer + path for name, path in paths.items()}}
        return JSONResponse(told | self.document)

    async def _jwks(self, _: Request) -> Response:
        strange = {"kty": "AKP", "kid": "of tomorrow", "alg": "ML-DSA-44", "pub": "AA"}
        return JSONResponse({"keys": [strange, self.key.as_dict(private=False)]})

    async def _authorize(self, request: Request) -> Response:
        """Log a person in at once, as a browser with a session there would see it."""
        asked = dict(request.query_params)
        self.sent.append(asked)
        assert asked["response_type"] == "code" and asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256" and "openid" in asked["scope"].split()
        if self.refuses:
            answer = {"error": self.refuses}
        else:
            code = secrets.token_urlsafe()
            self._codes[code] = asked
            answer = {"code": code}
        if self.names_itself:
            answer["iss"] = self.issuer
        query = urlencode({**answer, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{query}", 302)

    async def _token(self, request: Request) -> Response:
        form = dict(await request.form())
        told = b64decode(request.headers.get("authorization", "Basic ").split()[-1]).decode()
        asked = self._codes.pop(str(form.get("code")), None)
        proof = urlsafe_b64encode(hashlib.sha256(str(form.get("code_verifier")).encode()).digest())
        if told != f"{CLIENT}:{SECRET}".replace(" ", "+") and told != f"{CLIENT}:{SECRET}":
            return JSONResponse({"error": "invalid_client"}, 401)
        if (
            asked is None
            or proof.rstrip(b"=").decode() != asked["code_challenge"]
            or form.get("redirect_uri") != asked["redirect_uri"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(self.clock().timestamp())
        claims = {
            "iss": self.issuer, "sub": f"id of {self.person}", "aud": CLIENT, "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "preferred_username": self.person, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        sign = self.sign or (lambda told: signed(told, self.key))
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": sign(claims)})


def signed(claims: dict[str, Any], key: RSAKey, **head: Any) -> str:
    """Return a token, made by hand so that it may hold what no library would sign."""
    parts = [{"alg": "RS256", "kid": key.kid, **head}, claims]
    body = ".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    private = key.private_key
    assert private is not None
    signature = private.sign(body.encode(), PKCS1v15(), SHA256())
    return f"{body}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def unsigned(claims: dict[str, Any]) -> str:
    """Return a token with ``alg: none``, made by hand as an attacker would."""
    parts = ({"alg": "none"}, claims)
    return (
        ".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."
    )


def by_public_key(claims: dict[str, Any]) -> str:
    """Return a token signed with the provider's public key taken for a shared secret."""
    return jwt.encode(
        {"alg": "HS256", "kid": "one"},
        claims,
        OctKey.import_key(signing_key().as_pem(private=False).hex()),
        algorithms=["HS256"],
    )


def by_a_key_in_its_head(claims: dict[str, Any]) -> str:
    """Return a token signed with a key that it brings along itself, under the name of the provider's."""
    own = RSAKey.generate_key(2048, {"kid": "one"})
    return signed(claims, own, jwk=own.as_dict(private=False), jku="https://evil.example/jwks")


def with_critical_words(claims: dict[str, Any]) -> str:
    """Return a token that asks for what no reader knows (RFC 7515, 4.1.11), with a true signature."""
    return signed(claims, signing_key(), crit=["exp2"], exp2=1)


@contextmanager
def running(provider: Provider) -> Iterator[Provider]:
    """Serve it on a free port of loopback."""
    server = uvicorn.Server(uvicorn.Config(provider.app(), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    assert server.started
    provider.issuer = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield provider
    finally:
        server.should_exit = True
        thread.join(10)
