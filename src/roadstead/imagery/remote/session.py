"""Everything Roadstead says over HTTP goes through these sessions; GDAL itself never does."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlparse

from pystac_client.stac_api_io import StacApiIO
from requests import Session
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from urllib3.exceptions import IncompleteRead, ResponseError

from roadstead.core.version import __version__

TIMEOUT_S = 30.0
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


def stac_io() -> StacApiIO:
    """Return a STAC reader with time-outs that asks again after a broken connection and `TRANSIENT` statuses."""
    return StacApiIO(timeout=TIMEOUT_S, max_retries=_retries())


@lru_cache(maxsize=1)
def session() -> Session:
    """Return the session for small documents: it asks again as `stac_io` does."""
    return _session(_retries())


@lru_cache(maxsize=1)
def part_session() -> Session:
    """Return the session for parts of rasters, which are asked for again with a fresh signature, so not by it."""
    return _session(Retry(total=0, redirect=3))


def _session(retries: Retry) -> Session:
    made = Session()
    made.headers["User-Agent"] = f"roadstead/{__version__}"
    adapter = HTTPAdapter(pool_connections=CONNECTIONS, pool_maxsize=2 * CONNECTIONS, max_retries=retries)
    for scheme in ("http://", "https://"):
        made.mount(scheme, adapter)
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


def is_remote(href: str) -> bool:
    """Return whether a path or URL is read over the network."""
    return urlparse(href).scheme in ("http", "https", "s3")
