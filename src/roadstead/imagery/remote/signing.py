"""How the address of a raster becomes one that its server answers: as it is, with a token, or signed with keys."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import Protocol
from urllib.parse import urlparse

from requests import RequestException

from roadstead.core.errors import ReadError
from roadstead.core.providers import Provider
from roadstead.core.settings import settings
from roadstead.imagery.remote.address_rules import begins_with, home_of
from roadstead.imagery.remote.session import TIMEOUT_S, session, told

EARLY = timedelta(minutes=5)
"""A token is asked for anew this long before it ends."""
SIGNED_FOR_S = 3600


class Access(Protocol):
    """Turns addresses into ones that can be fetched."""

    def url(self, href: str) -> str:
        """Return the URL to fetch just now.

        Raises:
            ReadError: no token or no keys.
        """

    def forget(self, href: str) -> None:
        """Drop what was signed: the server refused it."""

    def home(self, href: str, named_by: str | None) -> str | None:
        """Return the one place, ``host:port``, that may be asked although it is not on the Internet.

        Args:
            href: the address.
            named_by: the place of the catalogue that names it; None for a file of this machine.
        """


class Open:
    """Addresses as they are."""

    def __init__(self, provider: Provider | None = None) -> None:
        """Take the provider whose addresses they are, None for nobody's."""
        self._provider = provider

    def url(self, href: str) -> str:
        """Return the address."""
        return href

    def forget(self, href: str) -> None:
        """Do nothing."""

    def home(self, href: str, named_by: str | None) -> str | None:
        """Return where the pixels of a provider lie, for its own catalogue and files of this machine."""
        return _home(self._provider, href, named_by)


class Sas:
    """Azure's shared access signatures, one token for each container, from a service that asks for no account.

    Source: https://planetarycomputer.microsoft.com/docs/concepts/sas/
    """

    def __init__(self, name: str, provider: Provider) -> None:
        """Ask for nothing yet."""
        self._name, self._provider, self._sign = name, provider, provider.sign.rstrip("/")
        self._tokens: dict[str, tuple[str, datetime]] = {}
        self._lock = Lock()

    def url(self, href: str) -> str:
        """Return the address with a token that is good for five minutes more."""
        bare = href.partition("?")[0]
        place = self._container(bare)
        with self._lock:
            token, until = self._tokens.get(place, ("", datetime.min.replace(tzinfo=UTC)))
            if until <= datetime.now(UTC) + EARLY:
                token, until = self._ask(place)
                self._tokens[place] = token, until
        return f"{bare}?{token}"

    def forget(self, href: str) -> None:
        """Ask for a token anew the next time."""
        with self._lock:
            self._tokens.pop(self._container(href), None)

    def home(self, href: str, named_by: str | None) -> str | None:
        """Return where the provider's pixels lie, for its own catalogue and files of this machine."""
        return _home(self._provider, href, named_by)

    def _container(self, href: str) -> str:
        parts = urlparse(href)
        return f"{parts.netloc.split('.')[0].split(':')[0]}/{parts.path.lstrip('/').split('/')[0]}"

    def _ask(self, place: str) -> tuple[str, datetime]:
        url = f"{self._sign}/{place}"
        try:
            answer = session(home_of(url)).get(url, timeout=TIMEOUT_S)
            answer.raise_for_status()
            document = answer.json()
            until = datetime.fromisoformat(str(document["msft:expiry"]))
            return str(document["token"]), until if until.tzinfo else until.replace(tzinfo=UTC)
        except (RequestException, ValueError, KeyError, TypeError) as error:
            raise ReadError(f"{self._name} gives no token to read with: {url}: {told(error)}") from error


class S3:
    """Addresses of an S3 server, signed with the user's keys by botocore.

    Source: https://documentation.dataspace.copernicus.eu/APIs/S3.html
    """

    def __init__(self, name: str, provider: Provider) -> None:
        """Look for no key yet."""
        self._name, self._provider = name, provider

    def url(self, href: str) -> str:
        """Return the signed URL, good for an hour."""
        from botocore.auth import S3SigV4QueryAuth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        key, secret = keys(self._provider)
        if not key or not secret:
            raise ReadError(f"{href}: {needs_keys(self._name, self._provider)}")
        parts = urlparse(href)
        place = f"{self._provider.endpoint.rstrip('/')}/{parts.netloc}{parts.path}"
        request = AWSRequest("GET", place)
        S3SigV4QueryAuth(
            Credentials(key, secret), "s3", self._provider.region, expires=SIGNED_FOR_S
        ).add_auth(request)
        return str(request.url)

    def forget(self, href: str) -> None:
        """Do nothing: each URL is signed anew."""

    def home(self, href: str, named_by: str | None) -> str | None:
        """Return where the S3 server lies: the user's settings name it, not the address."""
        return home_of(self._provider.endpoint)


def _home(provider: Provider | None, href: str, named_by: str | None) -> str | None:
    own = provider is not None and named_by in (None, home_of(provider.api))
    return home_of(href) if own else named_by


def keys(provider: Provider) -> tuple[str, str]:
    """Return the user's key and secret for a provider, empty where they are not set."""
    return os.environ.get(provider.key_variable, ""), os.environ.get(provider.secret_variable, "")


def needs_keys(name: str, provider: Provider) -> str:
    """Say which variables a provider's keys go into."""
    return f"{name} is read with keys: set {provider.key_variable} and {provider.secret_variable}"


def lacks_keys(provider: Provider) -> bool:
    """Return whether a provider's pixels cannot be read for want of keys."""
    return provider.access == "s3" and not all(keys(provider))


_OPEN = Open()


def access_of(href: str) -> Access:
    """Return how an address is opened, by the provider whose pixels begin like it.

    Raises:
        ReadError: an S3 address of no provider we know.
    """
    found = next(
        (
            (name, provider)
            for name, provider in settings().providers.items()
            if any(begins_with(href, start) for start in provider.assets)
        ),
        None,
    )
    if found is not None:
        return _made(*found)
    if urlparse(href).scheme == "s3":
        raise ReadError(
            f"{href}: lies on no S3 server we know; add a row under [providers] in roadstead.toml"
        )
    return _OPEN


@lru_cache(maxsize=32)
def _made(name: str, provider: Provider) -> Access:
    kinds: Mapping[str, type[Sas] | type[S3]] = {"sas": Sas, "s3": S3}
    return kinds[provider.access](name, provider) if provider.access in kinds else Open(provider)
