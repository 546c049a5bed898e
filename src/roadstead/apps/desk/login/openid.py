"""Log-in through a provider of OpenID Connect: where the browser is sent, and whom the provider says it was.

Authorization code flow with PKCE (RFC 7636), by Authlib; OpenID Connect Core 1.0 and Discovery 1.0. Nothing is asked
of the provider before somebody logs in through it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ClaimError,
    ExpiredTokenError,
    InvalidKeyIdError,
    JoseError,
    MissingClaimError,
    UnsupportedAlgorithmError,
)
from joserfc.jwk import Key, KeySet
from requests import RequestException

from roadstead.apps.desk.login.openid_answers import Exchanges, TooManyError, bound
from roadstead.apps.desk.login.security import is_loopback
from roadstead.core.errors import BadInputError, LogInError, UpstreamError, UsageError
from roadstead.core.settings import Settings

SCOPE: Final = "openid profile email"
TIMEOUT_S: Final = (5.0, 10.0)
"""To connect, and between two parts of an answer."""
KEPT_S: Final = 3600.0
"""How long the provider's documents are taken to hold; keys are asked for again at once where one is not known."""
REST_S: Final = 10.0
"""A provider that did not answer is not asked again for so long, so that clicks do not wait for it one by one."""
LONGEST_SUBJECT: Final = 255
"""Characters of ``sub`` (OpenID Connect Core 1.0, 2)."""
LEEWAY_S: Final = 60
"""Clocks may differ by this much."""
SIGNED_BY: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that the provider alone has: neither "none" nor a shared secret."""
_KEY_TYPES: Final = ("RSA", "EC", "OKP")
_NO_ANSWER: Final = (RequestException, ValueError, TypeError, AttributeError, RecursionError)
"""What an answer that is none makes of the libraries: JSON that is no object, or nested without end, among others."""
_FAULTS: Final = {
    "iss": "is from another issuer",
    "aud": "is for another application",
    "azp": "is for another application",
    "nonce": "belongs to another log-in",
}


@dataclass(frozen=True)
class Provider:
    """One provider, as the settings name it."""

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    """None: a public client, which PKCE alone protects."""
    name_claim: str = "preferred_username"
    """Claim of the ID token that holds the name a person has in the store."""
    domain: str = ""
    """Where the claim holds addresses: those of this domain are taken, by what stands before the @."""
    label: str = ""
    """What the log-in page calls it."""


@dataclass(frozen=True)
class Account:
    """One account at a provider: issuer and subject together are what stays of it."""

    issuer: str
    subject: str
    name: str
    """As the provider has it now; it may change."""


def client_of(given: Settings) -> Client | None:
    """Return the client that the settings describe; None where they name no issuer. Asks nobody.

    Raises:
        UsageError: a setting is missing or cannot be.
        BadInputError: the file of the secret cannot be read, or is empty.
    """
    if not given.oidc_issuer:
        if given.oidc_client_id:
            raise UsageError("oidc_client_id is set and oidc_issuer is not: set both or neither")
        return None
    if not given.oidc_client_id:
        raise UsageError("oidc_issuer is set and oidc_client_id is not: set both or neither")
    if not _is_safe(given.oidc_issuer):
        raise UsageError(f"oidc_issuer {given.oidc_issuer!r}: an https address without query is needed")
    secret = None
    if given.oidc_client_secret_file is not None:
        try:
            secret = given.oidc_client_secret_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInputError(f"{given.oidc_client_secret_file}: cannot be read: {error}") from error
        if not secret:
            raise BadInputError(f"{given.oidc_client_secret_file}: holds no secret")
    label = given.oidc_label or urlsplit(given.oidc_issuer).hostname or given.oidc_issuer
    return Client(
        Provider(
            given.oidc_issuer,
            given.oidc_client_id,
            secret,
            given.oidc_name_claim,
            given.oidc_domain.lstrip("@").lower(),
            label,
        )
    )


class Client:
    """Speaks with one provider."""

    def __init__(self, provider: Provider, exchanges: Exchanges | None = None) -> None:
        """Take the provider, and what bounds exchanges with it; nothing is asked of it yet."""
        self.provider = provider
        self._exchanges = exchanges or Exchanges()
        self._documents: dict[str, tuple[float, Mapping[str, Any]]] = {}
        self._silent_until = 0.0
        self._lock = threading.Lock()

    def address(self, back: str, state: str, nonce: str, verifier: str) -> str:
        """Return where the browser is sent.

        Args:
            back: Where the provider sends it back to.
            state: Comes back with it.
            nonce: Comes back in the ID token.
            verifier: Of PKCE; its hash goes along.

        Raises:
            UpstreamError: the provider does not answer, or not as it should.
        """
        about = self._about()
        with self._session(about) as session:
            url, _ = session.create_authorization_url(
                about["authorization_endpoint"],
                state=state,
                code_verifier=verifier,
                nonce=nonce,
                redirect_uri=back,
            )
        return str(url)

    def account(
        self, given: Mapping[str, str], back: str, nonce: str, verifier: str, now: datetime
    ) -> Account:
        """Return the account at the provider of whoever came back.

        Args:
            given: What the browser brought back: ``code``, or ``error``; its ``state`` has been held against ours.
            back: As for `address`.
            nonce: As for `address`.
            verifier: As for `address`.
            now: UTC.

        Raises:
            LogInError: the provider refused, or what it said is not taken; says why.
            UpstreamError: the provider does not answer, or not as it should.
        """
        about = self._about()
        self._check_issuer(about, given)
        if given.get("error"):
            raise LogInError(f"{self.provider.label} refused: {_few(given['error'])}")
        if not given.get("code"):
            raise LogInError(f"{self.provider.label} sent no code")
        token = self._token(about, given["code"], back, verifier)
        claims = self._claims(token, nonce, now)
        return Account(self.provider.issuer, self._subject(claims), self._named(claims))

    def _check_issuer(self, about: Mapping[str, Any], given: Mapping[str, str]) -> None:
        """Refuse an answer of another provider that somebody mixed in (RFC 9207)."""
        named = given.get("iss")
        if named is None and about.get("authorization_response_iss_parameter_supported") is True:
            raise LogInError("the answer does not say its issuer, as this provider's do")
        if named not in (None, self.provider.issuer):
            raise LogInError("the answer is from another issuer")

    def _token(self, about: Mapping[str, Any], code: str, back: str, verifier: str) -> Mapping[str, Any]:
        def exchange() -> Any:  # noqa: ANN401 - whatever JSON the provider sends
            with self._session(about) as session:
                return session.fetch_token(
                    about["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    redirect_uri=back,
                    code_verifier=verifier,
                    timeout=TIMEOUT_S,
                    allow_redirects=False,
                )

        try:
            token = self._exchanges.run(exchange)
        except AuthlibBaseError as error:
            raise LogInError(f"{self.provider.label} did not take the code: {_few(error.error)}") from error
        except _NO_ANSWER as error:
            raise self._down(error) from error
        if not isinstance(token, dict) or not isinstance(token.get("id_token"), str):
            raise LogInError(f"{self.provider.label} sent no ID token")
        return token

    def _claims(self, token: Mapping[str, Any], nonce: str, now: datetime) -> Mapping[str, Any]:
        """Return the claims of an ID token that holds (OpenID Connect Core 1.0, 3.1.3.7)."""
        try:
            try:
                read = jwt.decode(token["id_token"], self._keys(), algorithms=SIGNED_BY)
            except InvalidKeyIdError:
                read = jwt.decode(token["id_token"], self._keys(anew=True), algorithms=SIGNED_BY)
            options = {
                "iss": {"essential": True, "value": self.provider.issuer},
                "aud": {"essential": True, "value": self.provider.client_id},
                "nonce": {"essential": True, "value": nonce},
            }
            sent = {"nonce": nonce, "client_id": self.provider.client_id} | (
                {"access_token": token["access_token"]} if token.get("access_token") else {}
            )
            claims = CodeIDToken(read.claims, read.header, options, sent)
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY_S)
        except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise LogInError(f"the ID token {_fault(error)}") from error
        if claims["aud"] not in (self.provider.client_id, [self.provider.client_id]):
            # Others whom we do not know could have been given the same token, and could give it to us.
            raise LogInError("the ID token is for other applications too")
        return dict(claims)

    def _subject(self, claims: Mapping[str, Any]) -> str:
        """Return ``sub``, 1 to 255 ASCII characters (OpenID Connect Core 1.0, 2)."""
        subject = claims.get("sub")
        if isinstance(subject, str) and 0 < len(subject) <= LONGEST_SUBJECT:
            if subject.isascii() and subject.isprintable():
                return subject
        raise LogInError(f"{self.provider.label} does not say whose account it is: the ID token lacks 'sub'")

    def _named(self, claims: Mapping[str, Any]) -> str:
        claim = self.provider.name_claim
        name = claims.get(claim)
        if not isinstance(name, str) or not name:
            raise LogInError(f"{self.provider.label} does not say your name: the ID token lacks {claim!r}")
        if not (name.isascii() and name.isprintable()):
            # Letters that fold into others, as the Kelvin sign into k, would make one person of two.
            raise LogInError(f"the name {_few(name)!r} has other characters than names have here")
        is_checked = claims.get("email_verified")
        if (claim == "email" and is_checked is not True) or ("@" in name and is_checked is False):
            raise LogInError(f"{self.provider.label} has not checked that the address is yours")
        if not self.provider.domain:
            return name
        before, _, domain = name.rpartition("@")
        if domain.lower() != self.provider.domain:
            raise LogInError(f"{_few(name)} is no address of {self.provider.domain}")
        return before

    def _session(self, about: Mapping[str, Any]) -> OAuth2Session:
        ways = about.get("token_endpoint_auth_methods_supported")
        posts = isinstance(ways, list) and bool(ways) and "client_secret_basic" not in ways
        way = "client_secret_post" if posts else "client_secret_basic"
        session = OAuth2Session(
            client_id=self.provider.client_id,
            client_secret=self.provider.client_secret,
            token_endpoint_auth_method=way if self.provider.client_secret else "none",
            scope=SCOPE,
            code_challenge_method="S256",
        )
        bound(session)
        return session

    def _about(self) -> Mapping[str, Any]:
        """Return what the provider says of itself (OpenID Connect Discovery 1.0)."""
        about = self._read(self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if about.get("issuer") != self.provider.issuer:
            raise UpstreamError(f"{self.provider.label} gives itself another name than oidc_issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            there = about.get(name)
            if not isinstance(there, str) or not _is_safe(there, with_query=True):
                raise UpstreamError(f"{self.provider.label} names no {name} by https")
            if is_local(there) and not is_local(self.provider.issuer):
                raise UpstreamError(f"{self.provider.label} names a {name} on this machine, where it is not")
        return about

    def _keys(self, anew: bool = False) -> KeySet:
        """Return the keys that sign its ID tokens; kinds of keys that we cannot use are left out."""
        found = self._read(self._about()["jwks_uri"], anew).get("keys")
        usable = [
            key
            for key in (found if isinstance(found, list) else [])
            if isinstance(key, dict) and key.get("kty") in _KEY_TYPES and key.get("use", "sig") == "sig"
        ]
        return KeySet([key for one in usable for key in _imported(one)])

    def _read(self, url: str, anew: bool = False) -> Mapping[str, Any]:
        """Return a JSON document of the provider, kept for `KEPT_S`."""
        with self._lock:
            read_at, document = self._documents.get(url, (0.0, {}))
            if document and not anew and time.monotonic() - read_at < KEPT_S:
                return document
            if time.monotonic() < self._silent_until:
                raise UpstreamError(f"{self.provider.label} did not answer just now: try again in a moment")
        try:
            document = self._exchanges.run(lambda: _document(url))
        except TooManyError as error:
            raise self._down(error) from error
        except _NO_ANSWER as error:
            with self._lock:
                self._silent_until = time.monotonic() + REST_S
            raise self._down(error) from error
        with self._lock:
            self._documents[url] = time.monotonic(), document
        return document

    def _down(self, error: Exception) -> UpstreamError:
        if isinstance(error, TooManyError):
            return UpstreamError(f"{self.provider.label} is asked by many at once: try again in a moment")
        status = getattr(getattr(error, "response", None), "status_code", None)
        why = f"HTTP {status}" if status else type(error).__name__
        return UpstreamError(f"{self.provider.label} does not answer as it should ({why})")


def _document(url: str) -> Mapping[str, Any]:
    """Read a JSON object from a provider; it may send us nowhere else."""
    with OAuth2Session() as session:
        bound(session)
        answer = session.get(url, withhold_token=True, timeout=TIMEOUT_S, allow_redirects=False)
        answer.raise_for_status()
        document = answer.json()
    if not isinstance(document, dict) or answer.status_code != 200:
        raise ValueError(f"HTTP {answer.status_code} without a document")
    return document


def _imported(key: dict[str, Any]) -> Sequence[Key]:
    """Return a key; none where it cannot be read, so that the others still serve."""
    try:
        return KeySet.import_key_set({"keys": [key]}).keys
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return []


def _fault(error: Exception) -> str:
    """Return what is wrong with an ID token."""
    if isinstance(error, ExpiredTokenError):
        return "has expired"
    if isinstance(error, MissingClaimError):
        return f"lacks {_few(error.claim)}"
    if isinstance(error, ClaimError):
        return _FAULTS.get(error.claim, f"does not hold: {_few(error.claim)}")
    if isinstance(error, BadSignatureError):
        return "bears a signature that is not the provider's"
    if isinstance(error, UnsupportedAlgorithmError):
        return "is not signed by a key of the provider"
    return f"cannot be read ({type(error).__name__})"


def _few(text: object) -> str:
    """Return words of the provider's, cut short."""
    return "".join(c for c in str(text) if c.isprintable())[:80]


def _is_safe(url: str, with_query: bool = False) -> bool:
    """Whether nobody on the way can read or change what is said there: TLS, or this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.fragment or parts.username or (parts.query and not with_query):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_local(url: str) -> bool:
    """Whether an address is on this machine, or in the network that only it sees, as that of its cloud's secrets."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        told = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return told.is_loopback or told.is_unspecified or told.is_link_local
