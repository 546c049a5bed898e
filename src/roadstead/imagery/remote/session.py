"""Everything Roadstead says over HTTP goes through these sessions; GDAL itself never does."""

from __future__ import annotations

import socket
from functools import lru_cache, partial
from typing import Any
from urllib.parse import urlsplit

from pystac.link import HREF
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidURL
from urllib3 import Retry
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    IncompleteRead,
    NameResolutionError,
    NewConnectionError,
    ResponseError,
)
from urllib3.response import HTTPResponse

from roadstead.core.errors import CatalogueError
from roadstead.core.version import __version__
from roadstead.imagery.remote.address_rules import (
    AddressError,
    addresses_of,
    check_url,
    is_remote,
    local_path,
)
from roadstead.imagery.remote.bounded_answers import bound, ending_after, shut, skip_redirect

TIMEOUT_S = 30.0
HEAD_S = 60.0
"""For the whole head of an answer, however slowly it drips."""
DOCUMENT_BYTES = 64 << 20
"""Of one document, unpacked: a page of 100 items has about 2 MB."""
DOCUMENT_S = 300.0
"""For one document in all."""
MOST_DOCUMENTS = 200_000
"""Read of one catalogue in one search: 20 years of items of every third day over 80 tiles."""
RETRIES = 3
CONNECTIONS = 8
"""Ranges of one raster that are fetched at once."""
LONGEST_WAIT_S = 60.0
"""A server that says to come back later than this is taken to have failed."""
TRANSIENT = (408, 425, 429, 500, 502, 503, 504)
"""HTTP statuses after which the same question may be answered."""


class Patient(Retry):
    """urllib3's retries, with the server's own ``Retry-After`` kept within `LONGEST_WAIT_S`."""

    def get_retry_after(self, response: object) -> float | None:
        """Return the seconds the server asks for, at most `LONGEST_WAIT_S`."""
        asked = super().get_retry_after(response)  # type: ignore[arg-type]
        return None if asked is None else min(asked, LONGEST_WAIT_S)


def _retries() -> Retry:
    return Patient(total=RETRIES, backoff_factor=0.3, status_forcelist=TRANSIENT, allowed_methods=None)


class RefusedAddress(InvalidURL):
    """A request to an address that is not asked, as requests and urllib3 hand it on; it is not tried again."""


class _Connections:
    """Pools of urllib3 that connect to addresses that `addresses_of` let pass, and to those as they were looked up."""

    def __init__(self, home: str | None) -> None:
        self.by_scheme: dict[str, type[HTTPConnectionPool]] = {
            "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": _checked(HTTPConnection, home)}),
            "https": type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": _checked(HTTPSConnection, home)}),
        }


def _checked(base: type[HTTPConnection], home: str | None) -> type[HTTPConnection]:
    class Checked(base):  # type: ignore[valid-type,misc]
        _dns_host: str

        def _new_conn(self) -> socket.socket:
            named: str = self._dns_host
            last: NewConnectionError | ConnectTimeoutError | None = None
            try:
                found = addresses_of(self.host, self.port, home)
            except socket.gaierror as error:
                raise NameResolutionError(self.host, self, error) from error
            for address in found:
                self._dns_host = address
                try:
                    return super()._new_conn()  # type: ignore[no-any-return]
                except (NewConnectionError, ConnectTimeoutError) as error:
                    last = error
                finally:
                    self._dns_host = named
            raise last or NewConnectionError(self, "the name has no address")

        def getresponse(self) -> HTTPResponse:
            connected = self.sock
            with ending_after(HEAD_S, partial(shut, connected)):
                answer: HTTPResponse = super().getresponse()
            # Before it asks again urllib3 would read what is left, which may have no end.
            answer.drain_conn = answer.close  # type: ignore[method-assign]
            return answer

    return Checked


class CheckedAdapter(HTTPAdapter):
    """Requests' adapter that asks no address but those of `address_rules`, each hop of a redirect too.

    Through a proxy of the environment names are looked up by that proxy, so there addresses are checked as written.
    """

    def __init__(self, home: str | None, retries: Retry) -> None:
        """Take ``host:port`` of the catalogue whose addresses are asked, or None."""
        self._home = home
        super().__init__(pool_connections=CONNECTIONS, pool_maxsize=2 * CONNECTIONS, max_retries=retries)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as the base says
        """Make the pools."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _Connections(self._home).by_scheme

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - as the base says
        """Check the address as it is written, then where it leads, then ask."""
        url = str(request.url)
        try:
            check_url(url, self._home, urlsplit(url).netloc)
            return super().send(request, *args, **kwargs)
        except AddressError as error:
            raise RefusedAddress(str(error)) from None


class CatalogueIO(StacApiIO):
    """pystac-client's reader for one catalogue: what is read over HTTP leads to no file of this machine."""

    def __init__(self, catalogue: str, home: str | None) -> None:
        """Take the path or URL of the document that the user names, and where its catalogue lies."""
        super().__init__(timeout=TIMEOUT_S, max_retries=None)
        self._home = home
        self._local = not is_remote(catalogue)
        self._own = "" if self._local else urlsplit(catalogue).netloc
        self._count = 0
        self.session = _document_session(home)

    def read_text(self, source: HREF, *args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - as the base says
        """Read a document.

        Raises:
            APIError: its address is not read, or the server does not give it.
            CatalogueError: more documents were read than a catalogue has.
        """
        self._count += 1
        if self._count > MOST_DOCUMENTS:
            raise CatalogueError(
                f"{source}: the catalogue has more than {MOST_DOCUMENTS} documents for one search, so it is not read "
                "to its end"
            )
        href = source if isinstance(source, str) else None
        if href is None or is_remote(href):
            return str(super().read_text(source, *args, **kwargs))
        if not self._local:
            raise APIError(f"{href}: is no http or https address, and its catalogue is read over HTTP")
        try:
            path = local_path(href)
        except AddressError as error:
            raise APIError(str(error)) from error
        with open(path, encoding="utf-8") as file:
            return file.read()

    def request(self, href: str, *args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - as the base says
        """Ask a server, as pystac-client does, at an address that is checked.

        Raises:
            APIError: its address is not read, or the server does not give it.
        """
        try:
            check_url(href, self._home, self._own)
        except AddressError as error:
            raise APIError(str(error)) from error
        return str(super().request(href, *args, **kwargs))


def stac_io(catalogue: str, home: str | None) -> StacApiIO:
    """Return a STAC reader with time-outs that asks again after a broken connection and `TRANSIENT` statuses.

    Args:
        catalogue: path or URL of the document that is read first.
        home: ``host:port`` of the catalogue, which alone may lie where the Internet does not reach; None for none.
    """
    return CatalogueIO(catalogue, home)


@lru_cache(maxsize=64)
def session(home: str | None) -> Session:
    """Return the session for small documents: it asks again as `stac_io` does."""
    return _document_session(home)


def _document_session(home: str | None) -> Session:
    made = checked_session(home, _retries())
    bound(made, DOCUMENT_BYTES, DOCUMENT_S, unpacked=True)
    return made


@lru_cache(maxsize=64)
def part_session(home: str | None) -> Session:
    """Return the session for parts of rasters, which are asked for again with a fresh signature, so not by it."""
    made = checked_session(home, Retry(total=0, redirect=3))
    made.hooks["response"].append(skip_redirect)
    return made


def checked_session(home: str | None, retries: Retry) -> Session:
    """Return a session that asks public addresses, and those where a catalogue lies."""
    made = Session()
    made.headers["User-Agent"] = f"roadstead/{__version__}"
    for scheme in ("http://", "https://"):
        made.mount(scheme, CheckedAdapter(home, retries))
    return made


def told(error: BaseException) -> str:
    """Return what went wrong in few words: requests and urllib3 nest their errors and repeat the address in each."""
    inner = error
    while (deeper := inner.__cause__ or inner.__context__ or getattr(inner, "reason", None)) is not None:
        if not isinstance(deeper, BaseException):
            break
        inner = deeper
    if isinstance(inner, IncompleteRead):
        return f"the answer ends before its end ({inner})"
    if isinstance(inner, ResponseError):
        return f"the server did not answer ({inner})"
    return str(inner) or type(inner).__name__
